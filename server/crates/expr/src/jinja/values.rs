//! Values crossing between us and `minijinja`: shared, never copied, on the way in; on the way
//! out the very value that went in, if nothing was made of it.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::value::spend;
use crate::{Binary, Dict, Limits, Value};

/// How deeply a value made by a template may be nested.
const DEPTH_MAX: usize = 128;

/// A value for `minijinja`.
pub(super) fn to_jinja(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(flag) => minijinja::Value::from(*flag),
        Value::Int(number) => minijinja::Value::from(*number),
        Value::BigInt(number) => match number.to_i128() {
            Some(number) => minijinja::Value::from(number),
            None => minijinja::Value::from_object(Opaque(value.clone())),
        },
        Value::Float(number) => minijinja::Value::from(*number),
        Value::Str(text) => minijinja::Value::from(Arc::clone(text)),
        Value::List(items) => minijinja::Value::from_object(List(Arc::clone(items))),
        Value::Set(items) => {
            minijinja::Value::from_object(List(Arc::new(items.iter().cloned().collect())))
        }
        Value::Dict(dict) => minijinja::Value::from_object(Map(dict.clone())),
        Value::DateTime(_) | Value::TimeSpan(_) | Value::Regex(_) | Value::Seq(_) => {
            minijinja::Value::from_object(Opaque(value.clone()))
        }
        Value::Binary(binary) => minijinja::Value::from_object(Sealed(binary.clone())),
    }
}

/// A value from `minijinja`, an argument of a function, say.
pub(super) fn from_jinja(value: &minijinja::Value) -> Result<Value, Error> {
    from_jinja_within(value, Limits::default().output_bytes)
}

/// A value from `minijinja` that has no more than so many bytes, unless it is the very value
/// that went in.
pub(super) fn from_jinja_within(value: &minijinja::Value, bytes: usize) -> Result<Value, Error> {
    if let Some(own) = own(value) {
        return Ok(own);
    }
    convert(value, DEPTH_MAX, &mut { bytes })
}

/// The value that went in.
fn own(value: &minijinja::Value) -> Option<Value> {
    if let Some(map) = value.downcast_object_ref::<Map>() {
        return Some(Value::Dict(map.0.clone()));
    }
    if let Some(list) = value.downcast_object_ref::<List>() {
        return Some(Value::List(Arc::clone(&list.0)));
    }
    if let Some(sealed) = value.downcast_object_ref::<Sealed>() {
        return Some(Value::Binary(sealed.0.clone()));
    }
    let opaque = value.downcast_object_ref::<Opaque>()?;
    Some(opaque.0.clone())
}

/// `left` is what the value may still have in bytes.
fn convert(value: &minijinja::Value, depth: usize, left: &mut usize) -> Result<Value, Error> {
    let bad = |message| Error::new(ErrorKind::InvalidOperation, message);
    let too_large = || Error::from(ErrorKind::WriteFailure);
    if depth == 0 {
        return Err(bad("the result is nested too deeply"));
    }
    if let Some(own) = own(value) {
        return spend(&own, left).then_some(own).ok_or_else(too_large);
    }
    let length = value.as_str().map_or(2, str::len);
    *left = left.checked_sub(length).ok_or_else(too_large)?;
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(
            ErrorKind::UndefinedError,
            "a value is undefined",
        )),
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => match value.as_i64() {
            Some(number) => Ok(Value::Int(number)),
            None => Ok(Value::from_bigint(BigInt::from(i128::try_from(
                value.clone(),
            )?))),
        },
        ValueKind::Number => Ok(Value::Float(f64::try_from(value.clone())?)),
        ValueKind::String => Ok(Value::from(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()?
            .map(|item| convert(&item, depth - 1, left))
            .collect(),
        ValueKind::Map => {
            let mut dict = Dict::new();
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                let key = convert(&key, depth - 1, left)?;
                dict.insert(key, convert(&item, depth - 1, left)?);
            }
            Ok(Value::Dict(dict))
        }
        _ => Err(bad("the result is neither data nor text")),
    }
}

/// Writes a structure as text, and notes binary data in it.
fn render(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(binary) = value.first_binary() {
        READ.set(Some(binary));
    }
    f.write_str(&value.to_text())
}

#[derive(Debug)]
struct Map(Dict);

impl Object for Map {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match key.as_str() {
            Some(key) => self.get_value_by_str(key),
            None => self
                .0
                .get_value(&from_jinja(key).ok()?)
                .map(|value| to_jinja(&value)),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        self.0.get(key).map(|value| to_jinja(&value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| to_jinja(&key)).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        render(&Value::Dict(self.0.clone()), f)
    }
}

#[derive(Debug)]
struct List(Arc<Vec<Value>>);

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.0.get(key.as_usize()?).map(to_jinja)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        render(&Value::List(Arc::clone(&self.0)), f)
    }
}

/// A value that templates can only pass on or print; binary data can only be passed on.
#[derive(Debug)]
struct Opaque(Value);

impl Object for Opaque {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_text())
    }
}

/// Binary data, which templates can only pass on.
///
/// `minijinja` makes text of a value where no error can be returned, so an attempt is noted for
/// whoever runs the template.
#[derive(Debug)]
struct Sealed(Binary);

thread_local! {
    /// Binary data that a template on this thread tried to read.
    static READ: Cell<Option<Binary>> = const { Cell::new(None) };
}

/// Takes the note of an attempt to read binary data since the last call.
pub(super) fn take_opaque_read() -> Option<Binary> {
    READ.take()
}

impl Object for Sealed {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _: &minijinja::Value) -> Option<minijinja::Value> {
        READ.set(Some(self.0.clone()));
        None
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        READ.set(Some(self.0.clone()));
        write!(f, "{}", self.0)
    }
}
