//! A JSON value that is text until somebody reads it, and a value until somebody writes it.
//!
//! Payloads pass through the engine untouched, byte for byte, unless an expression looks inside.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use expr::{BINARY_KEY, Binary, JsonError, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What begins the stored form of data with hints; no JSON text begins so.
const HINTS_MARK: char = '\u{1}';

/// JSON text with its parsed form, each made at most once. Cheap to clone.
#[derive(Clone)]
pub struct Data(Arc<Inner>);

struct Inner {
    text: Arc<str>,
    value: OnceLock<Value>,
    hints: Option<Hints>,
}

/// Hints of a client-side codec, which come back with the data they came with.
struct Hints {
    metadata: BTreeMap<String, String>,
    stored: Arc<str>,
}

impl Data {
    /// Takes text that is already known to be valid JSON within the limits: from the store, or from
    /// a request that was checked. Text that is not reads as null.
    pub fn from_checked_text(text: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Inner {
            text: text.into(),
            value: OnceLock::new(),
            hints: None,
        }))
    }

    /// Takes what [`Self::stored`] gave.
    pub fn from_stored(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let parts = text
            .strip_prefix(HINTS_MARK)
            .and_then(|rest| rest.split_once('\n'));
        let Some((hints, json)) = parts else {
            return Self::from_checked_text(text);
        };
        let mut metadata = BTreeMap::new();
        if let Ok(Value::Dict(hints)) = Value::from_json(hints) {
            for (key, hint) in hints.iter() {
                metadata.insert(key.to_text(), hint.to_text());
            }
        }
        Self::from_checked_text(json).with_metadata(metadata)
    }

    /// The text to store: the JSON, after a line with the hints if there are any.
    pub fn stored(&self) -> &Arc<str> {
        self.0
            .hints
            .as_ref()
            .map_or(&self.0.text, |hints| &hints.stored)
    }

    /// The same data with hints of a client-side codec, instead of those that it has.
    #[must_use]
    pub fn with_metadata(&self, metadata: BTreeMap<String, String>) -> Self {
        let hints = (!metadata.is_empty()).then(|| {
            let fields = metadata.iter();
            let fields = fields.map(|(key, hint)| (Value::from(&**key), Value::from(&**hint)));
            let fields = Value::Dict(fields.collect());
            let line = fields.to_json().expect("strings always have a JSON form");
            Hints {
                stored: format!("{HINTS_MARK}{line}\n{}", self.0.text).into(),
                metadata,
            }
        });
        Self(Arc::new(Inner {
            text: Arc::clone(&self.0.text),
            value: self.0.value.clone(),
            hints,
        }))
    }

    /// Hints of a client-side codec; never interpreted.
    pub fn metadata(&self) -> Option<&BTreeMap<String, String>> {
        self.0.hints.as_ref().map(|hints| &hints.metadata)
    }

    /// The bytes, if the data is binary as a whole. Cheap for all other data.
    pub fn binary(&self) -> Option<&Binary> {
        let inside = self.0.text.trim_start().strip_prefix('{')?;
        let key = inside.trim_start().strip_prefix('"')?;
        if !key.starts_with(BINARY_KEY) {
            return None;
        }
        match self.value() {
            Value::Binary(binary) => Some(binary),
            _ => None,
        }
    }

    /// Parses and checks.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, JsonError> {
        let text = text.into();
        let value = Value::from_json(&text)?;
        Ok(Self::with_value(text, value))
    }

    /// Writes a value as JSON. Fails where JSON has no form for it: keys that are not strings,
    /// timespans, NaN.
    pub fn from_value(value: Value) -> Result<Self, JsonError> {
        let text: Arc<str> = value.to_json()?.into();
        // Sets and datetimes read back as lists and strings, as from the store: what an expression
        // sees must not depend on whether the server was restarted in between.
        if is_plain(&value) {
            return Ok(Self::with_value(text, value));
        }
        Ok(Self::from_checked_text(text))
    }

    /// The JSON text of null.
    pub fn null() -> Self {
        Self::with_value("null".into(), Value::Null)
    }

    /// The JSON text of an empty object.
    pub fn empty_object() -> Self {
        Self::from_checked_text("{}")
    }

    /// A JSON string.
    pub fn string(text: &str) -> Self {
        Self::from_value(Value::from(text)).expect("a string always has a JSON form")
    }

    /// As JSON.
    pub fn text(&self) -> &Arc<str> {
        &self.0.text
    }

    /// As a value; parsed on first use.
    pub fn value(&self) -> &Value {
        self.0
            .value
            .get_or_init(|| Value::from_json(&self.0.text).unwrap_or(Value::Null))
    }

    /// Whether it is JSON null.
    pub fn is_null(&self) -> bool {
        &*self.0.text == "null"
    }

    fn with_value(text: Arc<str>, value: Value) -> Self {
        let cell = OnceLock::new();
        let _ = cell.set(value);
        Self(Arc::new(Inner {
            text,
            value: cell,
            hints: None,
        }))
    }
}

/// Whether a value is what its JSON text reads back as.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Str(_)
        | Value::Binary(_) => true,
        Value::Float(number) => number.is_finite(),
        Value::List(items) => items.iter().all(is_plain),
        Value::Dict(dict) => dict.iter().all(|(_, item)| is_plain(&item)),
        _ => false,
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        (self.0.text == other.0.text || self.value() == other.value())
            && self.metadata() == other.metadata()
    }
}

// JSON has no NaN, so everything is equal to itself.
impl Eq for Data {}

/// As one string, in the stored form.
impl Serialize for Data {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.stored())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from_stored)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}
