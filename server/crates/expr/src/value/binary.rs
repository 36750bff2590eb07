//! Bytes that no expression looks into: passed on whole, written to JSON under one reserved key.
//! Reading and writing the JSON around them is left to `json`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Dict, Value};

/// The only key of the JSON object that stands for binary data:
/// `{"$binary": {"contentType": "image/png", "base64": "…", "metadata": {…}}}`.
pub const BINARY_KEY: &str = "$binary";

/// Opaque bytes with their media type and the hints of whoever encoded them. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Binary(Arc<Inner>);

#[derive(PartialEq, Eq, Hash)]
struct Inner {
    content_type: String,
    data: Vec<u8>,
    metadata: BTreeMap<String, String>,
}

impl Binary {
    /// Bytes as a client sent them.
    pub fn new(content_type: String, data: Vec<u8>, metadata: BTreeMap<String, String>) -> Self {
        Self(Arc::new(Inner {
            content_type,
            data,
            metadata,
        }))
    }

    /// The media type, such as `application/cbor`; may be empty.
    pub fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// The bytes.
    pub fn data(&self) -> &[u8] {
        &self.0.data
    }

    /// Hints of a client-side codec; never interpreted.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// The binary data that a JSON object stands for, if it is of exactly the reserved form.
    pub(super) fn from_fields(fields: &Value) -> Option<Self> {
        let fields = fields.as_dict()?;
        let mut content_type = String::new();
        let mut data = None;
        let mut metadata = BTreeMap::new();
        for (key, field) in fields.iter() {
            match key.as_str()? {
                "contentType" => field.as_str()?.clone_into(&mut content_type),
                "base64" => data = Some(STANDARD.decode(field.as_str()?).ok()?),
                "metadata" => {
                    for (key, hint) in field.as_dict()?.iter() {
                        metadata.insert(key.as_str()?.to_owned(), hint.as_str()?.to_owned());
                    }
                }
                _ => return None,
            }
        }
        Some(Self::new(content_type, data?, metadata))
    }

    /// What the reserved key holds.
    pub(super) fn to_fields(&self) -> Dict {
        let mut fields = Dict::new();
        fields.insert("contentType", self.content_type());
        fields.insert("base64", STANDARD.encode(self.data()));
        if !self.metadata().is_empty() {
            let hints = self.metadata().iter();
            let hints = hints.map(|(key, hint)| (Value::from(&**key), Value::from(&**hint)));
            fields.insert("metadata", Value::Dict(hints.collect()));
        }
        fields
    }
}

/// What a person is shown instead of the bytes.
impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.content_type() {
            "" => "of no stated type",
            kind => kind,
        };
        write!(f, "<binary {kind}, {} bytes>", self.data().len())
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Value {
    /// The first binary data in a value, at any depth: text cannot be made of it.
    pub(crate) fn first_binary(&self) -> Option<Binary> {
        match self {
            Self::Binary(binary) => Some(binary.clone()),
            Self::List(items) => items.iter().find_map(Self::first_binary),
            Self::Set(items) => items.iter().find_map(Self::first_binary),
            Self::Dict(dict) if !dict.is_view() => {
                dict.iter().find_map(|(_, item)| item.first_binary())
            }
            _ => None,
        }
    }
}
