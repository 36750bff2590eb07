//! Equality, hashing and ordering of values as Python has them: `1 == 1.0 == true`, dicts and
//! sets regardless of order. Which operators accept which kinds is left to `functions`.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::Value;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Str(left), Self::Str(right)) => left == right,
            (Self::List(left), Self::List(right)) => Arc::ptr_eq(left, right) || left == right,
            (Self::Dict(left), Self::Dict(right)) => left == right,
            (Self::Set(left), Self::Set(right)) => left == right,
            (Self::DateTime(left), Self::DateTime(right)) => left == right,
            (Self::TimeSpan(left), Self::TimeSpan(right)) => left == right,
            (Self::Binary(left), Self::Binary(right)) => left == right,
            (Self::Regex(left), Self::Regex(right)) => left == right,
            (Self::Seq(left), Self::Seq(right)) => left.same(right),
            _ => order(self, other) == Some(Ordering::Equal),
        }
    }
}

/// Needed for keys. A NaN differs from itself, as in Python, so it is found under no key.
impl Eq for Value {}

impl PartialEq for super::Dict {
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || self.to_map() == other.to_map()
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Null => state.write_u8(0),
            Self::Bool(flag) => state.write_i64(i64::from(*flag)),
            Self::Int(number) => state.write_i64(*number),
            Self::BigInt(number) => number.hash(state),
            Self::Float(number) => hash_float(*number, state),
            Self::Str(text) => hash_text(text, state),
            Self::List(items) => items.hash(state),
            // Order is no part of these kinds' equality, so only the size can enter the hash.
            Self::Dict(dict) => state.write_usize(dict.len()),
            Self::Set(items) => state.write_usize(items.len()),
            Self::DateTime(moment) => moment.hash(state),
            Self::TimeSpan(span) => span.hash(state),
            Self::Binary(binary) => binary.hash(state),
            Self::Regex(pattern) => pattern.hash(state),
            Self::Seq(seq) => seq.hash(state),
        }
    }
}

pub(super) fn hash_text<H: Hasher>(text: &str, state: &mut H) {
    text.hash(state);
}

/// A float that equals an integer must hash like it.
fn hash_float<H: Hasher>(number: f64, state: &mut H) {
    if number.fract() != 0.0 || !number.is_finite() {
        return state.write_u64(number.to_bits());
    }
    match BigInt::from_f64(number).map(Value::from_bigint) {
        Some(integer) => integer.hash(state),
        None => state.write_u64(number.to_bits()),
    }
}

/// How two values of one ordered kind compare; `None` for kinds without a common order.
/// Booleans count as 0 and 1 here, as in Python.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        (Value::Bool(flag), _) => order(&Value::Int(i64::from(*flag)), right),
        (_, Value::Bool(flag)) => order(left, &Value::Int(i64::from(*flag))),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::BigInt(left), Value::BigInt(right)) => Some(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::BigInt(right)) => Some(BigInt::from(*left).cmp(right)),
        (Value::BigInt(left), Value::Int(right)) => Some((**left).cmp(&BigInt::from(*right))),
        (Value::Int(left), Value::Float(right)) => order_float(&BigInt::from(*left), *right),
        (Value::BigInt(left), Value::Float(right)) => order_float(left, *right),
        (Value::Float(_), Value::Int(_) | Value::BigInt(_)) => {
            order(right, left).map(Ordering::reverse)
        }
        (Value::DateTime(left), Value::DateTime(right)) => {
            Some(left.instant().cmp(&right.instant()))
        }
        (Value::TimeSpan(left), Value::TimeSpan(right)) => Some(left.cmp(right)),
        (Value::List(left), Value::List(right)) => {
            for (left, right) in left.iter().zip(right.iter()) {
                if left != right {
                    return order(left, right);
                }
            }
            Some(left.len().cmp(&right.len()))
        }
        _ => None,
    }
}

/// Compares exactly, where turning the integer into a double would round it.
fn order_float(integer: &BigInt, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let Some(whole) = BigInt::from_f64(float.trunc()) else {
        return Some(if float > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    };
    let fraction = float.fract();
    Some(
        integer
            .cmp(&whole)
            .then_with(|| 0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal)),
    )
}
