//! Payloads: JSON that is checked once when it comes in, and passed through byte for byte.
//!
//! Opaque bytes and codec metadata have no place in the engine yet; they are refused as not
//! supported rather than dropped.

use engine::Data;
use expr::{Dict, Value};
use prost_types::value::Kind;
use proto::v1::{Payload, PayloadFormat, payload::Encoding};

use crate::api::fault::Fault;

/// Largest integer up to which every integer is a double: 2^53.
const SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Deepest tree that is shown as a `Value`; readers of protobuf stop at about this depth.
const VALUE_DEPTH_MAX: usize = 30;

/// A payload of any kind; absent means null.
pub(crate) fn any(
    field: &'static str,
    payload: Option<Payload>,
    bytes_max: usize,
) -> Result<Data, Fault> {
    let Some(payload) = payload else {
        return Ok(Data::null());
    };
    if !payload.metadata.is_empty() {
        return Err(Fault::NotSupported("Payload.metadata"));
    }
    match payload.encoding {
        None => Ok(Data::null()),
        Some(Encoding::Json(text)) => {
            at_most(field, text.len(), bytes_max)?;
            Data::parse(text).map_err(|error| invalid(field, error.to_string()))
        }
        Some(Encoding::Value(value)) => {
            let value = value_of(field, value)?;
            let data =
                Data::from_value(value).map_err(|error| invalid(field, error.to_string()))?;
            at_most(field, data.text().len(), bytes_max)?;
            Ok(data)
        }
        Some(Encoding::Binary(_)) => Err(Fault::NotSupported("Payload.binary")),
        Some(Encoding::Ref(_)) => Err(Fault::NotSupported("Payload.ref")),
    }
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
        ..Payload::default()
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
mod tests {
    use proto::v1::{Binary, PayloadRef};

    use super::*;

    fn json(text: &str) -> Payload {
        Payload {
            encoding: Some(Encoding::Json(text.to_owned())),
            ..Payload::default()
        }
    }

    fn number(number: f64) -> Payload {
        let value = prost_types::Value {
            kind: Some(Kind::NumberValue(number)),
        };
        Payload {
            encoding: Some(Encoding::Value(value)),
            ..Payload::default()
        }
    }

    fn other(encoding: Encoding) -> Payload {
        Payload {
            encoding: Some(encoding),
            ..Payload::default()
        }
    }

    #[test]
    fn payloads_come_in_checked_and_unchanged() {
        let deep = format!("{}1{}", "[".repeat(129), "]".repeat(129));
        let with_metadata = Payload {
            metadata: [("key".to_owned(), "1".to_owned())].into(),
            ..Payload::default()
        };
        for (payload, expected) in [
            (None, Ok("null")),
            (Some(Payload::default()), Ok("null")),
            (
                Some(json("{\"b\" : 1.50,\"a\":[ ] }")),
                Ok("{\"b\" : 1.50,\"a\":[ ] }"),
            ),
            (
                Some(json("18446744073709551615")),
                Ok("18446744073709551615"),
            ),
            (Some(json("{\"a\":1,\"a\":2}")), Err("occurs twice")),
            (Some(json("NaN")), Err("invalid JSON")),
            (Some(json("\"\\ud800\"")), Err("invalid JSON")),
            (Some(json(&deep)), Err("deeper than 128")),
            (
                Some(json("\"0123456789\"")),
                Err("has 12 bytes, 10 are allowed"),
            ),
            (Some(number(3.0)), Ok("3")),
            (Some(number(-2.5)), Ok("-2.5")),
            (
                Some(number(9_007_199_254_740_992.0)),
                Ok("9007199254740992"),
            ),
            (Some(number(9_007_199_254_740_994.0)), Err("beyond 2^53")),
            (Some(number(f64::NAN)), Err("no JSON form")),
            (
                Some(other(Encoding::Binary(Binary::default()))),
                Err("Payload.binary is not supported"),
            ),
            (
                Some(other(Encoding::Ref(PayloadRef::default()))),
                Err("Payload.ref is not supported"),
            ),
            (
                Some(with_metadata),
                Err("Payload.metadata is not supported"),
            ),
        ] {
            let limit = if payload == Some(json("\"0123456789\"")) {
                10
            } else {
                1000
            };
            let found = any("input", payload.clone(), limit);
            match (found, expected) {
                (Ok(data), Ok(text)) => assert_eq!(&**data.text(), text),
                (Err(fault), Err(part)) => assert!(fault.to_string().contains(part), "{fault}"),
                (found, expected) => panic!("{payload:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn objects_are_objects() {
        assert!(object("input", None, 100).unwrap().is_none());
        assert!(
            object("input", Some(Payload::default()), 100)
                .unwrap()
                .is_none()
        );
        assert!(object("input", Some(json("{}")), 100).unwrap().is_some());
        for text in ["null", "[]", "\"x\""] {
            let fault = object("input", Some(json(text)), 100).unwrap_err();
            assert!(
                fault
                    .to_string()
                    .starts_with("input: must be a JSON object"),
                "{fault}"
            );
        }
    }

    #[test]
    fn values_go_out_if_nothing_is_lost() {
        let deep = format!("{}1{}", "[".repeat(31), "]".repeat(31));
        for (text, as_value) in [
            ("{\"a\": [1, 2.5, null, true, \"x\"]}", true),
            ("9007199254740992", true),
            ("[9007199254740993]", false),
            ("18446744073709551615", false),
            (&deep, false),
        ] {
            let data = Data::parse(text).unwrap();
            let shown = wire(&data, PayloadFormat::Value).encoding;
            assert_eq!(
                matches!(shown, Some(Encoding::Value(_))),
                as_value,
                "{text}"
            );
            let plain = wire(&data, PayloadFormat::Unspecified).encoding;
            assert_eq!(plain, Some(Encoding::Json(text.to_owned())));
        }
    }
}
