//! Payloads: JSON that is checked once when it comes in, and passed through byte for byte; opaque
//! bytes as one value; hints of a client-side codec beside either.
//!
//! References are refused as not supported rather than dropped: nothing is kept outside yet.

use std::collections::BTreeMap;

use engine::Data;
use expr::{Binary, Dict, Value};
use prost_types::value::Kind;
use proto::v1::{Payload, PayloadFormat, payload::Encoding};

use crate::api::fault::Fault;

/// Largest integer up to which every integer is a double: 2^53.
const SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Deepest tree that is shown as a `Value`; readers of protobuf stop at about this depth.
const VALUE_DEPTH_MAX: usize = 30;

/// Most hints that a payload may carry.
const METADATA_ENTRIES_MAX: usize = 32;

/// Most bytes that the keys and values of the hints may have together.
const METADATA_BYTES_MAX: usize = 4096;

/// A payload of any kind; absent means null. Binary data counts with its JSON form.
pub(crate) fn any(
    field: &'static str,
    payload: Option<Payload>,
    bytes_max: usize,
) -> Result<Data, Fault> {
    let Some(payload) = payload else {
        return Ok(Data::null());
    };
    check_metadata(field, &payload.metadata)?;
    let metadata = payload.metadata;
    let data = match payload.encoding {
        None => Data::null(),
        Some(Encoding::Json(text)) => {
            at_most(field, text.len(), bytes_max)?;
            Data::parse(text).map_err(|error| invalid(field, error.to_string()))?
        }
        Some(Encoding::Value(value)) => of_value(field, value_of(field, value)?, bytes_max)?,
        Some(Encoding::Binary(binary)) => {
            // The hints are part of the value: they belong to the bytes wherever these go.
            let data = binary.data.to_vec();
            let value = Value::Binary(Binary::new(binary.content_type, data, metadata));
            return of_value(field, value, bytes_max);
        }
        Some(Encoding::Ref(_)) => return Err(Fault::NotSupported("Payload.ref")),
    };
    if metadata.is_empty() {
        return Ok(data);
    }
    Ok(data.with_metadata(metadata))
}

fn of_value(field: &'static str, value: Value, bytes_max: usize) -> Result<Data, Fault> {
    let data = Data::from_value(value).map_err(|error| invalid(field, error.to_string()))?;
    at_most(field, data.text().len(), bytes_max)?;
    Ok(data)
}

fn check_metadata(field: &'static str, hints: &BTreeMap<String, String>) -> Result<(), Fault> {
    if hints.len() > METADATA_ENTRIES_MAX {
        let found = hints.len();
        let description =
            format!("metadata has {found} entries, {METADATA_ENTRIES_MAX} are allowed");
        return Err(invalid(field, description));
    }
    let bytes: usize = hints.iter().map(|(key, hint)| key.len() + hint.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        let description = format!("metadata has {bytes} bytes, {METADATA_BYTES_MAX} are allowed");
        return Err(invalid(field, description));
    }
    Ok(())
}

/// A payload that must be a JSON object; absent means `None`.
pub(crate) fn object(
    field: &'static str,
    payload: Option<Payload>,
    bytes_max: usize,
) -> Result<Option<Data>, Fault> {
    let Some(payload) = payload.filter(|payload| *payload != Payload::default()) else {
        return Ok(None);
    };
    let data = any(field, Some(payload), bytes_max)?;
    if data.value().as_dict().is_none() {
        let kind = data.value().type_name();
        return Err(Fault::field(
            field,
            format!("must be a JSON object, not {kind}"),
        ));
    }
    Ok(Some(data))
}

/// A payload on the wire.
pub(crate) fn wire(data: &Data, format: PayloadFormat) -> Payload {
    if let Some(binary) = data.binary() {
        return wire_binary(binary);
    }
    let value = match format {
        PayloadFormat::Value => value_for(data.value(), 0),
        PayloadFormat::Unspecified | PayloadFormat::Json => None,
    };
    let encoding = match value {
        Some(value) => Encoding::Value(value),
        None => Encoding::Json(data.text().to_string()),
    };
    Payload {
        encoding: Some(encoding),
        metadata: data.metadata().cloned().unwrap_or_default(),
    }
}

fn wire_binary(binary: &Binary) -> Payload {
    Payload {
        encoding: Some(Encoding::Binary(proto::v1::Binary {
            content_type: binary.content_type().to_owned(),
            data: binary.data().to_vec().into(),
        })),
        metadata: binary.metadata().clone(),
    }
}

/// A payload that may be absent, on the wire.
pub(crate) fn wire_optional(data: Option<&Data>, format: PayloadFormat) -> Option<Payload> {
    data.map(|data| wire(data, format))
}

fn invalid(field: &'static str, description: String) -> Fault {
    Fault::PayloadInvalid { field, description }
}

fn at_most(field: &'static str, actual: usize, limit: usize) -> Result<(), Fault> {
    if actual > limit {
        return Err(Fault::PayloadTooLarge {
            field,
            limit,
            actual,
        });
    }
    Ok(())
}

/// Protobuf's values have doubles only: an integer beyond 2^53 may already be another one.
fn value_of(field: &'static str, value: prost_types::Value) -> Result<Value, Fault> {
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(flag)) => Value::Bool(flag),
        Some(Kind::StringValue(text)) => Value::from(text),
        Some(Kind::NumberValue(number)) => number_of(field, number)?,
        Some(Kind::ListValue(list)) => {
            let items = list.values.into_iter().map(|item| value_of(field, item));
            items.collect::<Result<Vec<_>, _>>()?.into_iter().collect()
        }
        Some(Kind::StructValue(fields)) => {
            let entries = fields.fields.into_iter();
            let entries = entries.map(|(key, item)| Ok((key, value_of(field, item)?)));
            let entries: Vec<(String, Value)> = entries.collect::<Result<_, Fault>>()?;
            Value::Dict(entries.into_iter().collect())
        }
    })
}

#[expect(clippy::cast_possible_truncation, reason = "integers up to 2^53 fit")]
fn number_of(field: &'static str, number: f64) -> Result<Value, Fault> {
    if !number.is_finite() {
        return Err(invalid(field, format!("{number} has no JSON form")));
    }
    if number.fract() != 0.0 {
        return Ok(Value::Float(number));
    }
    if number.abs() > SAFE_INTEGER {
        let description = format!("the integer {number} is beyond 2^53; send it as `json`");
        return Err(invalid(field, description));
    }
    Ok(Value::Int(number as i64))
}

/// The value as protobuf shows it, unless something would be lost.
fn value_for(value: &Value, depth: usize) -> Option<prost_types::Value> {
    if depth > VALUE_DEPTH_MAX {
        return None;
    }
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(*flag),
        Value::Float(number) => Kind::NumberValue(*number),
        Value::Str(text) => Kind::StringValue(text.to_string()),
        Value::Int(number) => Kind::NumberValue(safe_double(*number)?),
        Value::List(items) => {
            let values = items.iter().map(|item| value_for(item, depth + 1));
            Kind::ListValue(prost_types::ListValue {
                values: values.collect::<Option<_>>()?,
            })
        }
        Value::Dict(dict) => Kind::StructValue(struct_for(dict, depth)?),
        // Integers beyond 64 bits; all else never comes out of JSON.
        _ => return None,
    };
    Some(prost_types::Value { kind: Some(kind) })
}

fn struct_for(dict: &Dict, depth: usize) -> Option<prost_types::Struct> {
    let fields = dict.iter().map(|(key, item)| {
        let key = key.as_str()?.to_owned();
        Some((key, value_for(&item, depth + 1)?))
    });
    Some(prost_types::Struct {
        fields: fields.collect::<Option<_>>()?,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "integers up to 2^53 are doubles"
)]
fn safe_double(number: i64) -> Option<f64> {
    // Compared as an integer: as a double, the first unsafe one is equal to the last safe one.
    (number.unsigned_abs() <= 1 << 53).then_some(number as f64)
}

#[cfg(test)]
mod tests;
