//! Builtins that read a sequence and give one value of or about its items.

use super::math::pick_of;
use super::{Builtin, Call, both, method};
use crate::eval::Lambda;
use crate::fault::{Fault, Result};
use crate::operators;
use crate::token::Operator;
use crate::{EvalErrorKind, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "first",
        "collection: iterable, default: any? = none",
        |call| {
            let item = call.cursor(0).next(call.machine)?;
            item.or(call.given(1)).ok_or_else(|| empty("first"))
        },
        "Gives the first item, or a default if there is none.",
        &[("$.first()", "[1, 2]", "1"), ("[].first(0)", "null", "0")],
    ),
    method(
        "last",
        "collection: iterable, default: any? = none",
        |call| {
            let item = match call.value(0) {
                Value::List(items) => items.last().cloned(),
                _ => call.items(0)?.pop(),
            };
            item.or(call.given(1)).ok_or_else(|| empty("last"))
        },
        "Gives the last item, or a default if there is none.",
        &[("$.last()", "[1, 2]", "2"), ("[].last(0)", "null", "0")],
    ),
    method(
        "single",
        "collection: iterable",
        |call| {
            let mut cursor = call.cursor(0);
            let item = cursor.next(call.machine)?.ok_or_else(|| empty("single"))?;
            match cursor.next(call.machine)? {
                None => Ok(item),
                Some(_) => Err(missing("single() found more than one item")),
            }
        },
        "Gives the only item, and fails if there is none or more than one.",
        &[
            ("$.single()", "[1]", "1"),
            (
                "$.where($.id = 2).single().name",
                "[{\"id\": 1, \"name\": \"a\"}, {\"id\": 2, \"name\": \"b\"}]",
                "\"b\"",
            ),
        ],
    ),
    method(
        "count",
        "collection: iterable",
        |call| call.items(0).map(|items| Value::from(items.len())),
        "Counts the items.",
        &[
            ("$.count()", "[1, 2]", "2"),
            ("$.where($ > 1).count()", "[1, 2, 3]", "2"),
        ],
    ),
    both(
        "any",
        "collection: iterable, predicate: lambda = none",
        |call| holds(call, true).map(Value::Bool),
        "Tells whether the predicate holds for an item, or whether there is one at all.",
        &[
            ("$.any($ > 1)", "[1, 2]", "true"),
            ("[].any()", "null", "false"),
        ],
    ),
    both(
        "all",
        "collection: iterable, predicate: lambda = none",
        |call| holds(call, false).map(|found| Value::Bool(!found)),
        "Tells whether the predicate holds for all items, or whether all count as true.",
        &[
            ("$.all($ > 1)", "[1, 2]", "false"),
            ("$.all()", "[1, 2]", "true"),
        ],
    ),
    method(
        "sum",
        "collection: iterable, initial: any? = none",
        |call| {
            fold(call, "sum", |call, total, item, round| {
                let sum = operators::binary(call.machine, Operator::Plus, total, item)?;
                call.machine.carried(sum, round)
            })
        },
        "Adds the items up, from an initial value if given.",
        &[("$.sum()", "[1, 2]", "3"), ("[].sum(0)", "null", "0")],
    ),
    method(
        "max",
        "collection: iterable, initial: any? = none",
        |call| fold(call, "max", |_, best, item, _| pick_of(best, item, true)),
        "Gives the greatest item.",
        &[("$.max()", "[1, 3, 2]", "3"), ("[].max(0)", "null", "0")],
    ),
    method(
        "min",
        "collection: iterable, initial: any? = none",
        |call| fold(call, "min", |_, best, item, _| pick_of(best, item, false)),
        "Gives the least item.",
        &[("$.min()", "[3, 1, 2]", "1"), ("[].min($)", "5", "5")],
    ),
    method(
        "aggregate|reduce",
        "collection: iterable, selector: lambda, seed: any? = none",
        aggregate,
        "Combines the items: $1 is what has been combined so far, $2 the next item.",
        &[
            ("$.aggregate($1 + $2)", "[1, 2, 3]", "6"),
            ("[].aggregate($1 + $2, 0)", "null", "0"),
        ],
    ),
    method(
        "accumulate",
        "collection: iterable, selector: lambda, seed: any? = none",
        accumulate,
        "Combines the items like aggregate() and gives every step.",
        &[
            ("$.accumulate($1 + $2)", "[1, 2, 3]", "[1, 3, 6]"),
            ("$.accumulate($1 + $2, 10)", "[1, 2]", "[10, 11, 13]"),
        ],
    ),
    method(
        "indexOf",
        "collection: iterable, item: any?",
        |call| {
            let wanted = call.value(1);
            index(call, false, |_, item| Ok(*item == wanted))
        },
        "Gives the place of the first equal item, or -1.",
        &[
            ("$.indexOf(2)", "[1, 2, 2]", "1"),
            ("[].indexOf(2)", "null", "-1"),
        ],
    ),
    method(
        "lastIndexOf",
        "collection: iterable, item: any?",
        |call| {
            let wanted = call.value(1);
            index(call, true, |_, item| Ok(*item == wanted))
        },
        "Gives the place of the last equal item, or -1.",
        &[
            ("$.lastIndexOf(2)", "[1, 2, 2]", "2"),
            ("$.lastIndexOf(9)", "[1, 2]", "-1"),
        ],
    ),
    method(
        "indexWhere",
        "collection: iterable, predicate: lambda",
        |call| {
            let predicate = call.lambda(1);
            index(call, false, |call, item| test(call, &predicate, item))
        },
        "Gives the place of the first item for which the predicate holds, or -1.",
        &[
            ("$.indexWhere($ > 1)", "[1, 2, 3]", "1"),
            (
                "$.indexWhere($.ok)",
                "[{\"ok\": false}, {\"ok\": true}]",
                "1",
            ),
        ],
    ),
    method(
        "lastIndexWhere",
        "collection: iterable, predicate: lambda",
        |call| {
            let predicate = call.lambda(1);
            index(call, true, |call, item| test(call, &predicate, item))
        },
        "Gives the place of the last item for which the predicate holds, or -1.",
        &[
            ("$.lastIndexWhere($ > 1)", "[1, 2, 3]", "2"),
            ("$.lastIndexWhere($ > 9)", "[1, 2]", "-1"),
        ],
    ),
];

fn empty(name: &str) -> Box<Fault> {
    missing(&format!("{name}() found no item (give it a default)"))
}

fn missing(message: &str) -> Box<Fault> {
    Fault::new(EvalErrorKind::MissingItem, message)
}

fn test(call: &mut Call<'_, '_>, predicate: &Lambda, item: &Value) -> Result<bool> {
    Ok(call
        .machine
        .call_lambda(predicate, vec![item.clone()])?
        .truthy())
}

/// Whether the predicate gives `wanted` for some item.
fn holds(call: &mut Call<'_, '_>, wanted: bool) -> Result<bool> {
    let predicate = call.optional_lambda(1);
    let mut cursor = call.cursor(0);
    while let Some(item) = cursor.next(call.machine)? {
        let found = match &predicate {
            Some(predicate) => test(call, predicate, &item)?,
            // Without a predicate any() asks for an item, all() for true ones.
            None => wanted || item.truthy(),
        };
        if found == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fold(
    call: &mut Call<'_, '_>,
    name: &str,
    combine: fn(&mut Call<'_, '_>, Value, Value, usize) -> Result<Value>,
) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let first = match call.given(1) {
        Some(initial) => Some(initial),
        None => cursor.next(call.machine)?,
    };
    let mut total = first.ok_or_else(|| missing(&format!("{name}() found no item")))?;
    let mut round = 0;
    while let Some(item) = cursor.next(call.machine)? {
        total = combine(call, total, item, round)?;
        round += 1;
    }
    Ok(total)
}

fn aggregate(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let selector = call.lambda(1);
    let first = match call.given(2) {
        Some(seed) => Some(seed),
        None => cursor.next(call.machine)?,
    };
    let mut total = first.ok_or_else(|| missing("aggregate() found no item (give it a seed)"))?;
    let mut round = 0;
    while let Some(item) = cursor.next(call.machine)? {
        total = call.machine.call_lambda(&selector, vec![total, item])?;
        total = call.machine.carried(total, round)?;
        round += 1;
    }
    Ok(total)
}

fn accumulate(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, selector, seed) = (call.cursor(0), call.lambda(1), call.given(2));
    let mut total: Option<Value> = None;
    let mut round = 0;
    Ok(call.machine.lazy(move |machine| {
        let next = match (total.take(), &seed) {
            (None, Some(seed)) => seed.clone(),
            (None, None) => match cursor.next(machine)? {
                Some(first) => first,
                None => return Err(missing("accumulate() found no item (give it a seed)")),
            },
            (Some(so_far), _) => {
                let Some(item) = cursor.next(machine)? else {
                    return Ok(None);
                };
                round += 1;
                let next = machine.call_lambda(&selector, vec![so_far, item])?;
                machine.carried(next, round)?
            }
        };
        total = Some(next.clone());
        Ok(Some(next))
    }))
}

fn index(
    call: &mut Call<'_, '_>,
    last: bool,
    test: impl Fn(&mut Call<'_, '_>, &Value) -> Result<bool>,
) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let mut found = Value::Int(-1);
    let mut at = 0;
    while let Some(item) = cursor.next(call.machine)? {
        if test(call, &item)? {
            found = Value::Int(at);
            if !last {
                break;
            }
        }
        at += 1;
    }
    Ok(found)
}
