//! Values that go in and out of workflows.
//!
//! Owns [`Payload`]: JSON text that is parsed only when it is read, or opaque bytes. Left to others:
//! which limits apply (the server).

use std::collections::BTreeMap;

use bytes::Bytes;
use proto::v1::payload::Encoding;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::binary::Binary;
use crate::error::Error;

/// Integers up to this size survive the trip through a double.
const SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// An input, an output, a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    data: Data,
    metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Data {
    Json(String),
    Binary { content_type: String, data: Bytes },
    Reference { uri: String },
}

impl Payload {
    /// A payload of anything that serde can write as JSON.
    pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        Self::encode(value, "the payload")
    }

    /// A payload of JSON text, which is sent as it is.
    pub fn from_json_text(text: impl Into<String>) -> Self {
        Self {
            data: Data::Json(text.into()),
            metadata: BTreeMap::new(),
        }
    }

    /// A payload that the server never looks into.
    pub fn binary(content_type: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self {
            data: Data::Binary {
                content_type: content_type.into(),
                data: data.into(),
            },
            metadata: BTreeMap::new(),
        }
    }

    /// Adds a hint for whoever reads it, such as a key id. The server keeps hints untouched.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// The hints.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The JSON text, unless the payload is opaque.
    pub fn json_text(&self) -> Option<&str> {
        match &self.data {
            Data::Json(text) => Some(text),
            Data::Binary { .. } | Data::Reference { .. } => None,
        }
    }

    /// Media type and bytes of an opaque payload.
    pub fn binary_data(&self) -> Option<(&str, &Bytes)> {
        match &self.data {
            Data::Binary { content_type, data } => Some((content_type, data)),
            Data::Json(_) | Data::Reference { .. } => None,
        }
    }

    /// Reads it as `T`. Integers stay exact from -2^63 to 2^64-1.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.decode("the payload")
    }

    /// Reads it as a JSON tree.
    pub fn to_value(&self) -> Result<Value, Error> {
        self.to()
    }

    pub(crate) fn encode(
        value: &(impl Serialize + ?Sized),
        what: &'static str,
    ) -> Result<Self, Error> {
        serde_json::to_string(value)
            .map(Self::from_json_text)
            .map_err(|source| Error::Encode { what, source })
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, Error> {
        let found = match &self.data {
            Data::Json(text) => {
                return serde_json::from_str(text).map_err(|source| Error::Decode { what, source });
            }
            // A caller that asks for `Binary` gets it; all others are told.
            Data::Binary { content_type, .. } => {
                let form = serde_json::to_value(self);
                match form.and_then(serde_json::from_value) {
                    Ok(value) => return Ok(value),
                    Err(_) => content_type.clone(),
                }
            }
            Data::Reference { uri } => format!("a reference to {uri}"),
        };
        Err(Error::NotJson { what, found })
    }

    pub(crate) fn into_proto(self) -> proto::v1::Payload {
        let encoding = match self.data {
            Data::Json(text) => Encoding::Json(text),
            Data::Binary { content_type, data } => {
                Encoding::Binary(proto::v1::Binary { content_type, data })
            }
            Data::Reference { uri } => Encoding::Ref(proto::v1::PayloadRef {
                uri,
                ..Default::default()
            }),
        };
        proto::v1::Payload {
            encoding: Some(encoding),
            metadata: self.metadata,
        }
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self::from_json_text(value.to_string())
    }
}

impl From<proto::v1::Payload> for Payload {
    fn from(payload: proto::v1::Payload) -> Self {
        let data = match payload.encoding {
            None => Data::Json("null".to_owned()),
            Some(Encoding::Json(text)) => Data::Json(text),
            Some(Encoding::Value(value)) => Data::Json(tree(value).to_string()),
            Some(Encoding::Binary(binary)) => Data::Binary {
                content_type: binary.content_type,
                data: binary.data,
            },
            Some(Encoding::Ref(reference)) => Data::Reference { uri: reference.uri },
        };
        Self {
            data,
            metadata: payload.metadata,
        }
    }
}

/// JSON is written in place, opaque data as [`Binary`] is.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.data {
            Data::Json(text) => match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => text.serialize(serializer),
            },
            Data::Binary { content_type, data } => Binary {
                content_type: content_type.clone(),
                data: data.clone(),
                metadata: self.metadata.clone(),
            }
            .serialize(serializer),
            Data::Reference { uri } => serializer.collect_map([("uri", uri)]),
        }
    }
}

/// The tree of a `google.protobuf.Value`, with whole numbers as integers again.
fn tree(value: prost_types::Value) -> Value {
    use prost_types::value::Kind;
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::StringValue(value)) => Value::String(value),
        Some(Kind::NumberValue(value)) => number(value),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(tree).collect(),
        Some(Kind::StructValue(object)) => object
            .fields
            .into_iter()
            .map(|(key, value)| (key, tree(value)))
            .collect(),
    }
}

fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < SAFE_INTEGER {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        let whole = value as i64;
        return Value::from(whole);
    }
    Value::from(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_both_ways() {
        for text in [
            "null",
            "{\"n\":9007199254740993}",
            "[1,2.5,\"ü\"]",
            "18446744073709551615",
        ] {
            let sent = Payload::from_json_text(text).into_proto();
            let read = Payload::from(sent);
            assert_eq!(read.json_text(), Some(text));
            assert_eq!(read.to_value().unwrap().to_string(), text);
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn opaque_data_is_not_read_as_json() {
        let payload = Payload::binary("image/png", vec![1, 2]).with_metadata("key", "k1");
        let read = Payload::from(payload.into_proto());
        assert_eq!(read.metadata()["key"], "k1");
        assert_eq!(read.binary_data().unwrap().1.as_ref(), [1, 2]);
        let error = read.to::<Vec<u8>>().unwrap_err();
        assert_eq!(error.to_string(), "the payload is image/png, not JSON");
    }

    #[test]
    fn bytes_within_json_have_a_form_of_their_own() {
        let binary = Binary {
            content_type: "image/png".to_owned(),
            data: vec![1, 2].into(),
            metadata: BTreeMap::from([("key".to_owned(), "k1".to_owned())]),
        };
        let payload = Payload::json(&[&binary]).unwrap();
        let text = "[{\"$binary\":{\"contentType\":\"image/png\",\"base64\":\"AQI=\",\
                    \"metadata\":{\"key\":\"k1\"}}}]";
        assert_eq!(payload.json_text(), Some(text));
        assert_eq!(payload.to::<(Binary,)>().unwrap().0, binary);
        let whole = Payload::binary("image/png", vec![1, 2]).with_metadata("key", "k1");
        assert_eq!(whole.to::<Binary>().unwrap(), binary);
        assert_eq!(
            Payload::json(&whole).unwrap(),
            Payload::json(&binary).unwrap()
        );
        for text in [r#"{"$binary":{"base64":"%"}}"#, r#"{"x":1}"#] {
            assert!(
                Payload::from_json_text(text).to::<Binary>().is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn values_become_json() {
        let fields = [("n", 3.0), ("f", 0.5)]
            .map(|(key, number)| (key.to_owned(), prost_types::Value::from(number)));
        let value = prost_types::Value::from(fields.into_iter().collect::<BTreeMap<_, _>>());
        let payload = proto::v1::Payload {
            encoding: Some(Encoding::Value(value)),
            metadata: BTreeMap::new(),
        };
        assert_eq!(
            Payload::from(payload).json_text(),
            Some("{\"f\":0.5,\"n\":3}")
        );
    }
}
