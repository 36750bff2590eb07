//! Builtins that turn one sequence into another, item by item and only as far as it is read.

use indexmap::IndexSet;

use super::call::int;
use super::{Builtin, Call, both, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::operators::chain;
use crate::seq::{Cursor, Seq, SeqKind};

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "where|filter",
        "collection: iterable, predicate: lambda",
        filter,
        "Keeps the items for which the predicate holds.",
        &[
            ("$.where($ > 1)", "[1, 2, 3]", "[2, 3]"),
            (
                "$.where($.state = ERROR).select($.name)",
                "[{\"name\": \"a\", \"state\": \"ERROR\"}, {\"name\": \"b\", \"state\": \"IDLE\"}]",
                "[\"a\"]",
            ),
        ],
    ),
    method(
        "select|map",
        "collection: iterable, selector: lambda",
        select,
        "Computes a value from each item.",
        &[
            ("$.select($ * 2)", "[1, 2]", "[2, 4]"),
            ("$.select($.a)", "[{\"a\": 1}]", "[1]"),
        ],
    ),
    method(
        "selectMany",
        "collection: iterable, selector: lambda",
        select_many,
        "Computes lists from the items and puts their items in one sequence.",
        &[
            ("$.selectMany($)", "[[1, 2], 3]", "[1, 2, 3]"),
            (
                "$.selectMany($.tags).toList()",
                "[{\"tags\": [\"x\", \"y\"]}, {\"tags\": [\"z\"]}]",
                "[\"x\", \"y\", \"z\"]",
            ),
        ],
    ),
    method(
        "skip",
        "collection: iterable, count: int",
        skip,
        "Leaves out the first so many items.",
        &[
            ("$.skip(1)", "[1, 2]", "[2]"),
            ("$.skip(9)", "[1, 2]", "[]"),
        ],
    ),
    method(
        "limit|take",
        "collection: iterable, count: int",
        limit,
        "Gives the first so many items.",
        &[
            ("$.take(1)", "[1, 2]", "[1]"),
            ("sequence().limit(2)", "null", "[0, 1]"),
        ],
    ),
    method(
        "takeWhile",
        "collection: iterable, predicate: lambda",
        take_while,
        "Gives the items before the first for which the predicate fails.",
        &[
            ("$.takeWhile($ < 3)", "[1, 2, 3, 1]", "[1, 2]"),
            ("sequence().takeWhile($ < 3)", "null", "[0, 1, 2]"),
        ],
    ),
    method(
        "skipWhile",
        "collection: iterable, predicate: lambda",
        skip_while,
        "Gives the items from the first on for which the predicate fails.",
        &[
            ("$.skipWhile($ < 3)", "[1, 2, 3, 1]", "[3, 1]"),
            ("$.skipWhile(not $)", "[0, null, \"a\", 0]", "[\"a\", 0]"),
        ],
    ),
    both(
        "append",
        "collection: iterable, *values: any?",
        |call| {
            let rest = Cursor::new(call.rest_values().into()).expect("a list has items");
            let first = call.cursor(0);
            Ok(chain(call.machine, vec![first, rest]))
        },
        "Gives the items followed by further values.",
        &[
            ("$.append(3, 4)", "[1, 2]", "[1, 2, 3, 4]"),
            ("[].append($, null)", "1", "[1, null]"),
        ],
    ),
    both(
        "concat",
        "*collections: iterable",
        |call| {
            let cursors = call
                .rest_values()
                .into_iter()
                .filter_map(Cursor::new)
                .collect();
            Ok(chain(call.machine, cursors))
        },
        "Gives the items of one collection after another.",
        &[
            ("$.concat([3], [4])", "[1, 2]", "[1, 2, 3, 4]"),
            ("concat($, range(2))", "[\"a\"]", "[\"a\", 0, 1]"),
        ],
    ),
    both(
        "distinct",
        "collection: iterable, keySelector: lambda = none",
        distinct,
        "Leaves out items that occurred before, or whose key did.",
        &[
            ("$.distinct()", "[1, 2, 1]", "[1, 2]"),
            ("$.distinct($ mod 2)", "[1, 2, 3]", "[1, 2]"),
        ],
    ),
    both(
        "enumerate",
        "collection: iterable, start: int = 0",
        enumerate,
        "Gives each item with its number, as a list of the two.",
        &[
            (
                "$.enumerate(1)",
                "[\"a\", \"b\"]",
                "[[1, \"a\"], [2, \"b\"]]",
            ),
            (
                "$.enumerate().where($[1] = b).select($[0])",
                "[\"a\", \"b\", \"b\"]",
                "[1, 2]",
            ),
        ],
    ),
    method(
        "zip",
        "*collections: iterable",
        |call| zip(call, None),
        "Gives lists of the first items, the second ones and so on, as far as all have them.",
        &[
            ("$.zip([3, 4, 5])", "[1, 2]", "[[1, 3], [2, 4]]"),
            (
                "dict($.names.zip($.ids))",
                "{\"names\": [\"a\", \"b\"], \"ids\": [1, 2]}",
                "{\"a\": 1, \"b\": 2}",
            ),
        ],
    ),
    method(
        "zipLongest",
        "*collections: iterable, **default: any?",
        |call| {
            let named = call.named_values();
            let default = named.into_iter().find(|(name, _)| &**name == "default");
            zip(call, Some(default.map_or(Value::Null, |(_, value)| value)))
        },
        "Gives lists of the items at each place, with a default where a collection has ended.",
        &[
            (
                "$.zipLongest([3], default => 0)",
                "[1, 2]",
                "[[1, 3], [2, 0]]",
            ),
            ("[].zipLongest($)", "[1]", "[[null, 1]]"),
        ],
    ),
    method(
        "join",
        "collection1: iterable, collection2: iterable, predicate: lambda, selector: lambda",
        join,
        "Computes a value from each pair of items, one of either collection, that match.",
        &[
            ("$.join([2, 3], $1 = $2, [$1, $2])", "[1, 2]", "[[2, 2]]"),
            (
                "$.join([a, b], true, str($1) + $2)",
                "[1, 2]",
                "[\"1a\", \"1b\", \"2a\", \"2b\"]",
            ),
        ],
    ),
    method(
        "memorize",
        "collection: iterable",
        |call| Ok(iterator(call.value(0))),
        "Gives the same items; sequences can always be read again here.",
        &[
            ("let($.memorize()) -> $.len() + $.len()", "[1, 2]", "4"),
            ("$.select($ * 2).memorize()", "[1, 2]", "[2, 4]"),
        ],
    ),
    method(
        "defaultIfEmpty",
        "collection: iterable, default: iterable",
        |call| {
            let first = call.cursor(0).next(call.machine)?;
            Ok(iterator(call.value(usize::from(first.is_none()))))
        },
        "Gives another collection if this one is empty.",
        &[
            ("[].defaultIfEmpty([1])", "null", "[1]"),
            (
                "$.where($ > 9).defaultIfEmpty([none])",
                "[1, 2]",
                "[\"none\"]",
            ),
        ],
    ),
    method(
        "reverse",
        "collection: iterable",
        |call| {
            let mut items = call.items(0)?;
            Ok(call.machine.lazy(move |_| Ok(items.pop())))
        },
        "Gives the items from the last to the first.",
        &[
            ("$.reverse()", "[1, 2]", "[2, 1]"),
            ("$.reverse().first()", "[\"a\", \"b\"]", "\"b\""),
        ],
    ),
];

fn filter(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, predicate) = (call.cursor(0), call.lambda(1));
    Ok(call.machine.lazy(move |machine| {
        while let Some(item) = cursor.next(machine)? {
            if machine
                .call_lambda(&predicate, vec![item.clone()])?
                .truthy()
            {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }))
}

fn select(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, selector) = (call.cursor(0), call.lambda(1));
    Ok(call
        .machine
        .lazy(move |machine| match cursor.next(machine)? {
            Some(item) => machine.call_lambda(&selector, vec![item]).map(Some),
            None => Ok(None),
        }))
}

fn select_many(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, selector) = (call.cursor(0), call.lambda(1));
    let mut inner: Option<Cursor> = None;
    Ok(call.machine.lazy(move |machine| {
        loop {
            if let Some(items) = &mut inner {
                if let Some(item) = items.next(machine)? {
                    return Ok(Some(item));
                }
                inner = None;
            }
            let Some(item) = cursor.next(machine)? else {
                return Ok(None);
            };
            let selected = machine.call_lambda(&selector, vec![item])?;
            inner = Cursor::new(selected.clone());
            if inner.is_none() {
                return Ok(Some(selected));
            }
        }
    }))
}

fn count(call: &Call<'_, '_>) -> Result<u64> {
    u64::try_from(int(&call.value(1))?).map_err(|_| Fault::value("the count is negative"))
}

fn skip(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, mut left) = (call.cursor(0), count(call)?);
    Ok(call.machine.lazy(move |machine| {
        while left > 0 {
            left -= 1;
            if cursor.next(machine)?.is_none() {
                left = 0;
            }
        }
        cursor.next(machine)
    }))
}

fn limit(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, mut left) = (call.cursor(0), count(call)?);
    Ok(call.machine.lazy(move |machine| {
        if left == 0 {
            return Ok(None);
        }
        left -= 1;
        cursor.next(machine)
    }))
}

fn take_while(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, predicate) = (call.cursor(0), call.lambda(1));
    Ok(call.machine.lazy(move |machine| {
        let Some(item) = cursor.next(machine)? else {
            return Ok(None);
        };
        let holds = machine
            .call_lambda(&predicate, vec![item.clone()])?
            .truthy();
        Ok(holds.then_some(item))
    }))
}

fn skip_while(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, predicate) = (call.cursor(0), call.lambda(1));
    let mut skipping = true;
    Ok(call.machine.lazy(move |machine| {
        while let Some(item) = cursor.next(machine)? {
            skipping = skipping
                && machine
                    .call_lambda(&predicate, vec![item.clone()])?
                    .truthy();
            if !skipping {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }))
}

fn distinct(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut cursor, selector) = (call.cursor(0), call.optional_lambda(1));
    let mut seen: IndexSet<Value> = IndexSet::new();
    Ok(call.machine.lazy(move |machine| {
        while let Some(item) = cursor.next(machine)? {
            let key = match &selector {
                Some(selector) => machine.call_lambda(selector, vec![item.clone()])?,
                None => item.clone(),
            };
            if seen.insert(machine.strict(key)?) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }))
}

fn enumerate(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let mut number = Value::Int(int(&call.value(1))?);
    Ok(call.machine.lazy(move |machine| {
        let Some(item) = cursor.next(machine)? else {
            return Ok(None);
        };
        let next = crate::number::add(&number, &Value::Int(1))?;
        let number = std::mem::replace(&mut number, next);
        Ok(Some(Value::from(vec![number, item])))
    }))
}

fn zip(call: &mut Call<'_, '_>, default: Option<Value>) -> Result<Value> {
    let mut cursors: Vec<Cursor> = call
        .rest_values()
        .into_iter()
        .filter_map(Cursor::new)
        .collect();
    Ok(call.machine.lazy(move |machine| {
        let mut items = Vec::with_capacity(cursors.len());
        let mut found = false;
        for cursor in &mut cursors {
            match (cursor.next(machine)?, &default) {
                (Some(item), _) => {
                    found = true;
                    items.push(item);
                }
                (None, Some(default)) => items.push(default.clone()),
                (None, None) => return Ok(None),
            }
        }
        Ok(found.then(|| Value::from(items)))
    }))
}

fn join(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut left, right) = (call.cursor(0), call.cursor(1));
    let (predicate, selector) = (call.lambda(2), call.lambda(3));
    let mut current: Option<(Value, Cursor)> = None;
    Ok(call.machine.lazy(move |machine| {
        loop {
            if current.is_none() {
                let Some(item) = left.next(machine)? else {
                    return Ok(None);
                };
                current = Some((item, right.clone()));
            }
            let Some((item, others)) = &mut current else {
                continue;
            };
            let Some(other) = others.next(machine)? else {
                current = None;
                continue;
            };
            let pair = vec![item.clone(), other];
            if machine.call_lambda(&predicate, pair.clone())?.truthy() {
                return machine.call_lambda(&selector, pair).map(Some);
            }
        }
    }))
}

/// What YAQL makes of a collection that it hands on: what is sorted, or a view of a dict, becomes a
/// plain sequence, which has a `len()` and no `thenBy()`.
fn iterator(value: Value) -> Value {
    match &value {
        Value::Seq(seq) if seq.kind() != SeqKind::Iterator => {}
        _ => return value,
    }
    let mut items = Cursor::new(value).expect("a sequence has items");
    Value::Seq(Seq::new(move |machine| items.next(machine)))
}
