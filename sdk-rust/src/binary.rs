//! Opaque bytes as a value of their own.
//!
//! Owns [`Binary`] and the JSON form in which bytes stand within other values,
//! `{"$binary": {"contentType": …, "base64": …}}`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that the server never looks into, such as an image or CBOR. An expression of a workflow
/// passes them on, but fails if it reads inside.
///
/// As a field of an input, result or output it is written to and read from JSON in the form that
/// the server knows as binary data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// Media type, such as `application/cbor`.
    pub content_type: String,
    /// The bytes; in their JSON form (a third longer) at most 1 MiB by default.
    pub data: Bytes,
    /// Hints for whoever reads them, such as a key id; at most 32 of them, 4 KiB together.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(rename = "$binary")]
    fields: Fields,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "contentType", default)]
    content_type: String,
    base64: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = Fields {
            content_type: self.content_type.clone(),
            base64: STANDARD.encode(&self.data),
            metadata: self.metadata.clone(),
        };
        Whole { fields }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Whole { fields } = Whole::deserialize(deserializer)?;
        let data = STANDARD.decode(fields.base64).map_err(D::Error::custom)?;
        Ok(Self {
            content_type: fields.content_type,
            data: data.into(),
            metadata: fields.metadata,
        })
    }
}
