//! The value every expression reads and gives: JSON's kinds plus those that YAQL adds.
//! Owns the type, conversions in and out of Rust, and truthiness. Equality and hashing live in
//! `compare`, text in `text`, JSON in `json`, the mapping type in `dict`.

use std::sync::Arc;

use indexmap::IndexSet;
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

mod binary;
mod compare;
mod dict;
mod json;
mod size;
mod text;
mod time;

pub use binary::{BINARY_KEY, Binary};
pub(crate) use compare::order;
pub use dict::{Dict, View};
pub use json::JsonError;
pub(crate) use size::spend;
pub(crate) use text::{float_text, repr, tuple_text};
pub(crate) use time::{DAY, SECOND, offset_text};
pub use time::{DateTime, TimeSpan};

use crate::regex::Pattern;
use crate::seq::Seq;

/// An immutable value; a clone costs at most one reference count.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// JSON `null`.
    #[default]
    Null,
    /// A boolean. Not a number in YAQL, though `true = 1` holds as in Python.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// Any other integer. Never holds one that fits [`Value::Int`].
    BigInt(Arc<BigInt>),
    /// A double.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// A list.
    List(Arc<Vec<Self>>),
    /// A mapping that keeps insertion order.
    Dict(Dict),
    /// A set that keeps insertion order; becomes a list in JSON.
    Set(Arc<IndexSet<Self>>),
    /// A moment with its UTC offset; becomes ISO text in JSON.
    DateTime(DateTime),
    /// A duration; has no JSON form.
    TimeSpan(TimeSpan),
    /// Bytes that no expression looks into; an object with one reserved key in JSON.
    Binary(Binary),
    /// A compiled regular expression; has no JSON form.
    Regex(Arc<Pattern>),
    /// A sequence still being computed. Exists only while an expression is evaluated: results,
    /// and arguments given to a [`crate::Host`], hold lists instead.
    Seq(Seq),
}

impl Value {
    /// An empty list.
    pub fn empty_list() -> Self {
        Self::List(Arc::default())
    }

    /// An integer of any size, in its canonical form.
    pub fn from_bigint(number: BigInt) -> Self {
        match number.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::BigInt(Arc::new(number)),
        }
    }

    /// Whether Python would take the value for true.
    pub fn truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) => *number != 0,
            Self::BigInt(number) => !number.is_zero(),
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Set(items) => !items.is_empty(),
            Self::TimeSpan(span) => span.microseconds() != 0,
            Self::Seq(seq) => !seq.is_empty_view(),
            Self::DateTime(_) | Self::Binary(_) | Self::Regex(_) => true,
        }
    }

    /// The item of a dict under `key`; `None` when there is none or this is no dict.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.as_dict()?.get(key)
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if this is one of 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The number as a double, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => number.to_f64(),
            Self::BigInt(number) => number.to_f64(),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping, if this is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The name of the value's kind, as error messages use it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::BigInt(_) => "integer",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::Set(_) => "set",
            Self::DateTime(_) => "datetime",
            Self::TimeSpan(_) => "timespan",
            Self::Binary(_) => "binary",
            Self::Regex(_) => "regex",
            Self::Seq(_) => "sequence",
        }
    }
}

macro_rules! from {
    ($($type:ty, $value:ident => $made:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

from! {
    bool, flag => Self::Bool(flag);
    i64, number => Self::Int(number);
    i32, number => Self::Int(number.into());
    u32, number => Self::Int(number.into());
    usize, number => i64::try_from(number)
        .map_or_else(|_| Self::from_bigint(BigInt::from(number)), Self::Int);
    u64, number => i64::try_from(number)
        .map_or_else(|_| Self::from_bigint(BigInt::from(number)), Self::Int);
    f64, number => Self::Float(number);
    BigInt, number => Self::from_bigint(number);
    &str, text => Self::Str(text.into());
    String, text => Self::Str(text.into());
    Arc<str>, text => Self::Str(text);
    Vec<Value>, items => Self::List(Arc::new(items));
    IndexSet<Value>, items => Self::Set(Arc::new(items));
    Dict, dict => Self::Dict(dict);
    DateTime, moment => Self::DateTime(moment);
    TimeSpan, span => Self::TimeSpan(span);
    Binary, binary => Self::Binary(binary);
    Seq, seq => Self::Seq(seq);
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(small), _) => Self::Int(small),
                (None, Some(large)) => Self::from(large),
                (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::from(text),
            Json::Array(items) => Self::from(items.into_iter().map(Self::from).collect::<Vec<_>>()),
            Json::Object(items) => Self::Dict(
                items
                    .into_iter()
                    .map(|(key, value)| (Self::from(key), Self::from(value)))
                    .collect(),
            ),
        }
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests;
