//! YAQL's operators and indexing, by the kinds of their operands. Arithmetic on numbers is left
//! to `number`, `and`, `or` and `->` to `eval`.

use std::cmp::Ordering;
use std::sync::Arc;

use indexmap::IndexSet;

use crate::fault::{Fault, Result};
use crate::functions::{self, dispatch};
use crate::machine::Machine;
use crate::number;
use crate::seq::{Cursor, Seq, SeqKind};
use crate::token::Operator;
use crate::value::{TimeSpan, order};
use crate::{EvalErrorKind, Value};

/// An operator before a value.
pub(crate) fn unary(operator: Operator, value: &Value) -> Result<Value> {
    match (operator, value) {
        (Operator::Not, value) => Ok(Value::Bool(!value.truthy())),
        (
            Operator::Plus,
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::TimeSpan(_),
        ) => Ok(value.clone()),
        (Operator::Minus, Value::Int(_) | Value::BigInt(_) | Value::Float(_)) => {
            number::subtract(&Value::Int(0), value).map(|negative| match (value, negative) {
                // 0 - 0.0 would lose the sign.
                (Value::Float(number), _) => Value::Float(-number),
                (_, negative) => negative,
            })
        }
        (Operator::Minus, Value::TimeSpan(span)) => span
            .microseconds()
            .checked_neg()
            .map(|span| TimeSpan::from_microseconds(span).into())
            .ok_or_else(number::time_overflow),
        (_, Value::Binary(binary)) => Err(Fault::opaque(binary)),
        (operator, value) => Err(Fault::no_match(format!(
            "the operator '{}' does not take a {}",
            operator.symbol(),
            value.type_name()
        ))),
    }
}

/// An operator between two values.
pub(crate) fn binary(
    machine: &mut Machine<'_>,
    operator: Operator,
    left: Value,
    right: Value,
) -> Result<Value> {
    let cost = dispatch::size_cost(&left) + dispatch::size_cost(&right);
    machine.spend(cost + list_cost(&left).min(list_cost(&right)))?;
    match operator {
        Operator::Equal => Ok(Value::Bool(left == right)),
        Operator::NotEqual => Ok(Value::Bool(left != right)),
        Operator::Greater | Operator::Less | Operator::GreaterEqual | Operator::LessEqual => {
            compare(operator, &left, &right).map(Value::Bool)
        }
        Operator::Plus => add(machine, left, right),
        Operator::Minus => subtract(&left, &right),
        Operator::Multiply => multiply(machine, &left, &right),
        Operator::Divide => divide(&left, &right),
        Operator::Modulo if is_number(&left) && is_number(&right) => number::modulo(&left, &right),
        Operator::In => contains(machine, &left, right),
        Operator::Match => functions::matches(machine, &left, &right).map(Value::Bool),
        Operator::NotMatch => {
            functions::matches(machine, &left, &right).map(|found| Value::Bool(!found))
        }
        Operator::Modulo
        | Operator::Dot
        | Operator::SafeDot
        | Operator::Not
        | Operator::And
        | Operator::Or
        | Operator::Arrow => Err(mismatch(operator, &left, &right)),
    }
}

/// `target[args]`
pub(crate) fn index(target: &Value, args: &[Value]) -> Result<Value> {
    match (target, args) {
        (Value::Dict(dict), [key]) => dict.get_value(key).ok_or_else(|| {
            let message = format!("there is no key {}", crate::value::repr(key));
            Fault::new(EvalErrorKind::MissingKey, message)
        }),
        (Value::Dict(dict), [key, default]) => {
            Ok(dict.get_value(key).unwrap_or_else(|| default.clone()))
        }
        (Value::List(items), [Value::Int(index)]) => list_index(items, *index),
        (Value::List(items), [Value::Bool(flag)]) => list_index(items, i64::from(*flag)),
        (Value::List(_), [index]) => Err(Fault::no_match(format!(
            "a list is indexed by an integer, not a {} (to filter, use where())",
            index.type_name()
        ))),
        (Value::Seq(_), _) => Err(Fault::no_match(
            "a sequence cannot be indexed: use toList() first",
        )),
        (Value::Binary(binary), _) => Err(Fault::opaque(binary)),
        (target, _) => Err(Fault::no_match(format!(
            "a {} cannot be indexed so",
            target.type_name()
        ))),
    }
}

/// Whether an operand of `<` and its like is less, equal or greater. `null` is below all else.
pub(crate) fn compare(operator: Operator, left: &Value, right: &Value) -> Result<bool> {
    let ordering = match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Null, _) => Some(Ordering::Less),
        (_, Value::Null) => Some(Ordering::Greater),
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        (Value::DateTime(_), Value::DateTime(_)) | (Value::TimeSpan(_), Value::TimeSpan(_)) => {
            order(left, right)
        }
        // NaN is neither below nor above anything.
        (left, right) if is_number(left) && is_number(right) => order(left, right),
        (Value::Set(left), Value::Set(right)) => {
            return Ok(match operator {
                Operator::Less => left.len() < right.len() && left.is_subset(right),
                Operator::LessEqual => left.is_subset(right),
                Operator::Greater => left.len() > right.len() && left.is_superset(right),
                _ => left.is_superset(right),
            });
        }
        _ => return Err(mismatch(operator, left, right)),
    };
    Ok(ordering.is_some_and(|ordering| match operator {
        Operator::Less => ordering.is_lt(),
        Operator::LessEqual => ordering.is_le(),
        Operator::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    }))
}

/// `left + right`
fn add(machine: &mut Machine<'_>, left: Value, right: Value) -> Result<Value> {
    match (left, right) {
        (left, right) if is_number(&left) && is_number(&right) => number::add(&left, &right),
        (Value::Str(left), Value::Str(right)) => {
            machine.check_bytes(left.len() + right.len())?;
            Ok(Value::from([&*left, &*right].concat()))
        }
        (Value::List(mut left), Value::List(right)) => {
            // A list that nobody else holds grows in place.
            let copied = if Arc::get_mut(&mut left).is_some() {
                0
            } else {
                left.len()
            };
            machine.spend((copied / 8 + right.len()) as u64)?;
            Arc::make_mut(&mut left).extend(right.iter().cloned());
            Ok(Value::List(left))
        }
        (Value::Set(left), Value::Set(right)) => {
            machine.spend((left.len() + right.len()) as u64)?;
            Ok(Value::from(
                left.union(&right).cloned().collect::<IndexSet<_>>(),
            ))
        }
        (Value::Dict(mut left), Value::Dict(right)) => {
            machine.spend((left.len() + right.len()) as u64)?;
            for (key, value) in right.iter() {
                left.insert(key, value);
            }
            Ok(Value::Dict(left))
        }
        (Value::DateTime(moment), Value::TimeSpan(span))
        | (Value::TimeSpan(span), Value::DateTime(moment)) => {
            number::shift(moment, span.microseconds())
        }
        (Value::TimeSpan(left), Value::TimeSpan(right)) => {
            number::span(left.microseconds().checked_add(right.microseconds()))
        }
        (left, right) => match (Cursor::new(left.clone()), Cursor::new(right.clone())) {
            (Some(first), Some(second)) => Ok(chain(machine, vec![first, second])),
            _ => Err(mismatch(Operator::Plus, &left, &right)),
        },
    }
}

/// One sequence after another.
pub(crate) fn chain(machine: &mut Machine<'_>, cursors: Vec<Cursor>) -> Value {
    let mut cursors = cursors.into_iter();
    let mut current = cursors.next();
    machine.lazy(move |machine| {
        while let Some(cursor) = &mut current {
            if let Some(item) = cursor.next(machine)? {
                return Ok(Some(item));
            }
            current = cursors.next();
        }
        Ok(None)
    })
}

fn subtract(left: &Value, right: &Value) -> Result<Value> {
    match (left, right) {
        (left, right) if is_number(left) && is_number(right) => number::subtract(left, right),
        (Value::Set(left), Value::Set(right)) => Ok(Value::from(
            left.difference(right).cloned().collect::<IndexSet<_>>(),
        )),
        (Value::DateTime(moment), Value::TimeSpan(span)) => number::shift(
            *moment,
            span.microseconds()
                .checked_neg()
                .ok_or_else(number::time_overflow)?,
        ),
        (Value::DateTime(left), Value::DateTime(right)) => {
            number::span(left.instant().checked_sub(right.instant()))
        }
        (Value::TimeSpan(left), Value::TimeSpan(right)) => {
            number::span(left.microseconds().checked_sub(right.microseconds()))
        }
        _ => Err(mismatch(Operator::Minus, left, right)),
    }
}

fn multiply(machine: &mut Machine<'_>, left: &Value, right: &Value) -> Result<Value> {
    match (left, right) {
        (left, right) if is_number(left) && is_number(right) => number::multiply(left, right),
        (Value::Str(text), times) | (times, Value::Str(text)) if is_integer(times) => {
            let times = repetitions(times)?;
            machine.check_bytes(text.len().saturating_mul(times))?;
            Ok(Value::from(text.repeat(times)))
        }
        (Value::List(items), times) | (times, Value::List(items)) if is_integer(times) => {
            // Nothing stays nothing, however often: counting would not end.
            let times = if items.is_empty() {
                0
            } else {
                repetitions(times)?
            };
            machine.spend(items.len().saturating_mul(times) as u64)?;
            Ok(std::iter::repeat_n(items, times)
                .flat_map(|items| items.iter().cloned())
                .collect())
        }
        (Value::TimeSpan(span), number) | (number, Value::TimeSpan(span)) if is_number(number) => {
            number::scale(*span, number)
        }
        _ => Err(mismatch(Operator::Multiply, left, right)),
    }
}

fn divide(left: &Value, right: &Value) -> Result<Value> {
    match (left, right) {
        (left, right) if is_number(left) && is_number(right) => number::divide(left, right),
        (Value::TimeSpan(left), Value::TimeSpan(right)) => {
            number::ratio(left.microseconds(), right.microseconds())
        }
        (Value::TimeSpan(span), number) if is_number(number) => number::unscale(*span, number),
        _ => Err(mismatch(Operator::Divide, left, right)),
    }
}

/// `item in collection`
pub(crate) fn contains(
    machine: &mut Machine<'_>,
    item: &Value,
    collection: Value,
) -> Result<Value> {
    match (item, collection) {
        (Value::Str(part), Value::Str(text)) => Ok(Value::Bool(text.contains(&**part))),
        (item, Value::Set(items)) => Ok(Value::Bool(items.contains(item))),
        (item, collection) => {
            let Some(mut cursor) = Cursor::new(collection.clone()) else {
                let fault = mismatch(Operator::In, item, &collection);
                return Err(if let Value::Dict(_) = collection {
                    Fault::no_match("'in' does not look into a dict: use containsKey()")
                } else {
                    fault
                });
            };
            while let Some(other) = cursor.next(machine)? {
                if other == *item {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
    }
}

pub(crate) fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_) | Value::BigInt(_))
}

/// Booleans are integers in Python.
fn is_integer(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Bool(_) | Value::BigInt(_))
}

/// How often an integer says to repeat something: below 0 is never.
fn repetitions(times: &Value) -> Result<usize> {
    Ok(usize::try_from(functions::int(times)?).unwrap_or(0))
}

fn list_index(items: &[Value], index: i64) -> Result<Value> {
    let length = items.len();
    let at = if index < 0 {
        i64::try_from(length).ok().map(|n| n + index)
    } else {
        Some(index)
    };
    let item = at
        .and_then(|at| usize::try_from(at).ok())
        .and_then(|at| items.get(at));
    item.cloned().ok_or_else(|| {
        let message = format!("there is no item {index}: the list has {length}");
        Fault::new(EvalErrorKind::MissingItem, message)
    })
}

fn mismatch(operator: Operator, left: &Value, right: &Value) -> Box<Fault> {
    if let Value::Binary(binary) = left {
        return Fault::opaque(binary);
    }
    if let Value::Binary(binary) = right {
        return Fault::opaque(binary);
    }
    Fault::no_match(format!(
        "the operator '{}' does not take a {} and a {}",
        operator.symbol(),
        left.type_name(),
        right.type_name()
    ))
}

/// The steps that comparing or copying a list, set or dict counts as.
fn list_cost(value: &Value) -> u64 {
    let length = match value {
        Value::List(items) => items.len(),
        Value::Set(items) => items.len(),
        Value::Dict(dict) if !dict.is_view() => dict.len(),
        _ => 0,
    };
    length as u64 / 8
}

/// A sequence of known items that Python would not call a list.
pub(crate) fn view(machine: &mut Machine<'_>, items: Vec<Value>) -> Value {
    machine.mark_lazy();
    Value::Seq(Seq::ready(SeqKind::View, items))
}
