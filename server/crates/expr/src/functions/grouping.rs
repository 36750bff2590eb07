//! Builtins that put items into groups: by key, by size or at places.

use indexmap::IndexMap;

use super::{Builtin, Call, method};
use crate::eval::Lambda;
use crate::fault::{Fault, Result};
use crate::machine::Machine;
use crate::{EvalErrorKind, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "groupBy",
        "collection: iterable, keySelector: lambda, valueSelector: lambda = none, \
         aggregator: lambda = none",
        group_by,
        "Gives lists of a key and the items that have it, or what an aggregator makes of them.",
        &[
            ("$.groupBy($ mod 2)", "[1, 2, 3]", "[[1, [1, 3]], [0, [2]]]"),
            (
                "$.groupBy($ mod 2, $ * 2, $.sum())",
                "[1, 2, 3]",
                "[[1, 8], [0, 4]]",
            ),
        ],
    ),
    method(
        "slice",
        "collection: iterable, length: int",
        slice,
        "Gives lists of so many items each.",
        &[
            ("$.slice(2)", "[1, 2, 3]", "[[1, 2], [3]]"),
            ("$.slice(2).select($.sum())", "[1, 2, 3, 4]", "[3, 7]"),
        ],
    ),
    method(
        "splitWhere",
        "collection: iterable, predicate: lambda",
        split_where,
        "Cuts the items at those for which the predicate holds, and leaves these out.",
        &[
            ("$.splitWhere($ = 2)", "[1, 2, 3]", "[[1], [3]]"),
            (
                "$.splitWhere($ = '')",
                "[\"a\", \"\", \"b\", \"c\"]",
                "[[\"a\"], [\"b\", \"c\"]]",
            ),
        ],
    ),
    method(
        "sliceWhere",
        "collection: iterable, predicate: lambda",
        slice_where,
        "Cuts the items wherever the predicate changes its answer.",
        &[
            ("$.sliceWhere($ > 1)", "[1, 2, 3, 1]", "[[1], [2, 3], [1]]"),
            ("$.sliceWhere($ < 2).len()", "[1, 1, 2, 1]", "3"),
        ],
    ),
    method(
        "splitAt",
        "collection: iterable, index: int",
        split_at,
        "Cuts the items in two at a place.",
        &[
            ("$.splitAt(1)", "[1, 2, 3]", "[[1], [2, 3]]"),
            ("$.splitAt(-1)", "[1, 2, 3]", "[[1, 2], [3]]"),
        ],
    ),
];

fn group_by(call: &mut Call<'_, '_>) -> Result<Value> {
    let (key, value) = (call.lambda(1), call.optional_lambda(2));
    let mut cursor = call.cursor(0);
    let mut groups: IndexMap<Value, Vec<Value>> = IndexMap::new();
    while let Some(item) = cursor.next(call.machine)? {
        let value = match &value {
            Some(value) => call.machine.call_lambda(value, vec![item.clone()])?,
            None => item.clone(),
        };
        let key = call.machine.call_lambda(&key, vec![item])?;
        groups
            .entry(call.machine.strict(key)?)
            .or_default()
            .push(value);
    }
    let mut groups = groups.into_iter();
    let mut aggregator = call.optional_lambda(3).map(|lambda| Aggregator {
        lambda,
        old: true,
        failure: None,
    });
    Ok(call.machine.lazy(move |machine| {
        let Some((key, values)) = groups.next() else {
            return Ok(None);
        };
        let values = Value::from(values);
        match &mut aggregator {
            None => Ok(Some(Value::from(vec![key, values]))),
            Some(aggregator) => aggregator.run(machine, key, values).map(Some),
        }
    }))
}

/// Aggregators were once given the key with the values; those written so still work.
struct Aggregator {
    lambda: Lambda,
    /// Whether it may be one of those.
    old: bool,
    /// How it failed when it was given the values only.
    failure: Option<String>,
}

impl Aggregator {
    fn run(&mut self, machine: &mut Machine<'_>, key: Value, values: Value) -> Result<Value> {
        if self.failure.is_none() {
            match machine.call_lambda(&self.lambda, vec![values.clone()]) {
                Ok(result) => {
                    let (given, made) = (values.as_list(), result.as_list());
                    let ambiguous = matches!(
                        (given, made),
                        (Some([first, _]), Some([made, _])) if first == made
                    );
                    self.old &= ambiguous;
                    return Ok(Value::from(vec![key, result]));
                }
                Err(fault)
                    if matches!(
                        fault.kind,
                        EvalErrorKind::NoMatch | EvalErrorKind::MissingItem
                    ) =>
                {
                    self.failure = Some(fault.message);
                }
                Err(fault) => return Err(fault),
            }
        }
        if self.old {
            let pair = Value::from(vec![key, values]);
            if let Ok(result) = machine.call_lambda(&self.lambda, vec![pair])
                && result.as_list().is_some_and(|items| items.len() == 2)
            {
                return Ok(result);
            }
        }
        Err(Fault::no_match(self.failure.clone().unwrap_or_default()))
    }
}

fn slice(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let length = usize::try_from(call.int(1)?);
    Ok(call.machine.lazy(move |machine| {
        let negative = |_| Fault::value("the length of a slice is negative");
        let length = length.map_err(negative)?;
        let mut items = Vec::new();
        while items.len() < length {
            match cursor.next(machine)? {
                Some(item) => items.push(item),
                None => break,
            }
        }
        Ok((!items.is_empty()).then(|| Value::from(items)))
    }))
}

fn split_where(call: &mut Call<'_, '_>) -> Result<Value> {
    let (cursor, predicate) = (call.cursor(0), call.lambda(1));
    let mut read: Option<Vec<Value>> = None;
    let mut at = 0;
    Ok(call.machine.lazy(move |machine| {
        let items = match &read {
            Some(items) => items,
            None => read.insert(cursor.clone().rest(machine)?),
        };
        let start = at;
        while at < items.len() {
            let end = at;
            at += 1;
            if machine
                .call_lambda(&predicate, vec![items[end].clone()])?
                .truthy()
            {
                return Ok(Some(Value::from(items[start..end].to_vec())));
            }
        }
        Ok((start < items.len()).then(|| Value::from(items[start..].to_vec())))
    }))
}

fn slice_where(call: &mut Call<'_, '_>) -> Result<Value> {
    let (cursor, predicate) = (call.cursor(0), call.lambda(1));
    let mut read: Option<Vec<Value>> = None;
    let mut at = 0;
    Ok(call.machine.lazy(move |machine| {
        let items = match &read {
            Some(items) => items,
            None => read.insert(cursor.clone().rest(machine)?),
        };
        let start = at;
        let mut answer = None;
        while at < items.len() {
            let new = machine.call_lambda(&predicate, vec![items[at].clone()])?;
            if answer.as_ref().is_some_and(|answer| *answer != new) {
                return Ok(Some(Value::from(items[start..at].to_vec())));
            }
            answer = Some(new);
            at += 1;
        }
        Ok((start < items.len()).then(|| Value::from(items[start..].to_vec())))
    }))
}

fn split_at(call: &mut Call<'_, '_>) -> Result<Value> {
    let (items, index) = (call.items(0)?, call.int(1)?);
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = if index < 0 {
        (index + length).max(0)
    } else {
        index.min(length)
    };
    let (left, right) = items.split_at(usize::try_from(place).unwrap_or(0));
    Ok(Value::from(vec![
        Value::from(left.to_vec()),
        Value::from(right.to_vec()),
    ]))
}
