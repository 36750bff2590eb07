//! Builtins that make sequences out of nothing, some of them endless.

use std::collections::VecDeque;

use indexmap::IndexSet;

use super::{Builtin, Call, function, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::number;
use crate::operators;
use crate::seq::Cursor;
use crate::token::Operator;

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "range",
        "stop: int",
        |call| {
            let stop = call.value(0);
            range(call, Value::Int(0), Some(stop), Value::Int(1))
        },
        "Gives the integers from 0 up to a number, which is left out.",
        &[
            ("range(3)", "null", "[0, 1, 2]"),
            ("range(0)", "null", "[]"),
        ],
    ),
    function(
        "range",
        "start: int, stop: int, step: int = 1",
        |call| {
            let (start, stop, step) = (call.value(0), call.value(1), call.value(2));
            range(call, start, Some(stop), step)
        },
        "Gives the integers from one number up, or down, to another, which is left out.",
        &[
            ("range(1, 8, 3)", "null", "[1, 4, 7]"),
            ("range(3, 0, -1)", "null", "[3, 2, 1]"),
        ],
    ),
    function(
        "sequence",
        "start: int = 0, step: int = 1",
        |call| {
            let (start, step) = (call.value(0), call.value(1));
            range(call, start, None, step)
        },
        "Gives integers without end.",
        &[
            ("sequence(1, 2).take(3)", "null", "[1, 3, 5]"),
            ("sequence().skip(5).first()", "null", "5"),
        ],
    ),
    method(
        "repeat",
        "value: any?, times: int = -1",
        repeat,
        "Gives a value so many times, or without end.",
        &[
            ("a.repeat(2)", "null", "[\"a\", \"a\"]"),
            ("1.repeat().take(2)", "null", "[1, 1]"),
        ],
    ),
    method(
        "cycle",
        "collection: iterable",
        cycle,
        "Gives the items again and again.",
        &[
            ("$.cycle().take(3)", "[1, 2]", "[1, 2, 1]"),
            ("[].cycle().take(2)", "null", "[]"),
        ],
    ),
    function(
        "generate",
        "initial: any?, predicate: lambda, producer: lambda, selector: lambda = none, \
         decycle: bool = false",
        generate,
        "Gives a value, what the producer makes of it and so on, while the predicate holds.",
        &[
            ("generate(1, $ < 10, $ * 2)", "null", "[1, 2, 4, 8]"),
            (
                "generate(0, true, ($ + 1) mod 3, $, true)",
                "null",
                "[0, 1, 2]",
            ),
        ],
    ),
    function(
        "generateMany",
        "initial: any?, producer: lambda, selector: lambda = none, decycle: bool = false, \
         depthFirst: bool = false",
        generate_many,
        "Gives a value and, for each value given, all those that the producer makes of it.",
        &[
            (
                "generateMany(1, [$ * 2, $ * 3].where($ < 10))",
                "null",
                "[1, 2, 3, 4, 6, 6, 9, 8]",
            ),
            (
                "generateMany(1, [$ + 1, $ + 2].where($ < 5), $ * 10, true)",
                "null",
                "[10, 20, 30, 40]",
            ),
        ],
    ),
];

fn range(call: &mut Call<'_, '_>, start: Value, stop: Option<Value>, by: Value) -> Result<Value> {
    let by = operators::unary(Operator::Plus, &plain(by))?;
    let down = operators::compare(Operator::Less, &by, &Value::Int(0))?;
    if stop.is_some() && by == Value::Int(0) {
        return Err(Fault::value("the step of range() is zero"));
    }
    let stop = stop.map(plain);
    // What has no end begins with the very value that was given, unless Python merely counts.
    let counts = stop.is_some() || by == Value::Int(1);
    let mut next = if counts { plain(start) } else { start };
    let past = if down {
        Operator::LessEqual
    } else {
        Operator::GreaterEqual
    };
    Ok(call.machine.lazy(move |_| {
        if let Some(stop) = &stop
            && operators::compare(past, &next, stop)?
        {
            return Ok(None);
        }
        let following = number::add(&next, &by)?;
        Ok(Some(std::mem::replace(&mut next, following)))
    }))
}

/// A boolean as the integer that Python takes it for.
fn plain(value: Value) -> Value {
    match value {
        Value::Bool(flag) => Value::Int(i64::from(flag)),
        value => value,
    }
}

fn repeat(call: &mut Call<'_, '_>) -> Result<Value> {
    let value = call.value(0);
    let mut left = u64::try_from(call.int(1)?).ok();
    Ok(call.machine.lazy(move |_| {
        match &mut left {
            Some(0) => return Ok(None),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(Some(value.clone()))
    }))
}

fn cycle(call: &mut Call<'_, '_>) -> Result<Value> {
    let start = call.cursor(0);
    let mut cursor = start.clone();
    Ok(call.machine.lazy(move |machine| {
        if let Some(item) = cursor.next(machine)? {
            return Ok(Some(item));
        }
        cursor = start.clone();
        cursor.next(machine)
    }))
}

fn generate(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut next = call.value(0);
    let (predicate, producer, selector) = (call.lambda(1), call.lambda(2), call.optional_lambda(3));
    let mut past = call.flag(4).then(IndexSet::new);
    let mut round = 0;
    Ok(call.machine.lazy(move |machine| {
        if round > 0 {
            let made = machine.call_lambda(&producer, vec![next.clone()])?;
            next = machine.carried(made, round)?;
        }
        round += 1;
        if !machine
            .call_lambda(&predicate, vec![next.clone()])?
            .truthy()
        {
            return Ok(None);
        }
        if past.as_mut().is_some_and(|past| !past.insert(next.clone())) {
            return Ok(None);
        }
        match &selector {
            Some(selector) => machine.call_lambda(selector, vec![next.clone()]).map(Some),
            None => Ok(Some(next.clone())),
        }
    }))
}

fn generate_many(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut queue = VecDeque::from([call.value(0)]);
    let (producer, selector) = (call.lambda(1), call.optional_lambda(2));
    let mut past = call.flag(3).then(IndexSet::new);
    let depth_first = call.flag(4);
    let mut last: Option<Value> = None;
    Ok(call.machine.lazy(move |machine| {
        if let Some(item) = last.take() {
            let made = machine.call_lambda(&producer, vec![item])?;
            let kind = made.type_name();
            let Some(cursor) = Cursor::over_parts(made) else {
                return Err(Fault::value(format!(
                    "the producer must give items, not a {kind}"
                )));
            };
            let mut items = Vec::new();
            for item in cursor.rest(machine)? {
                // Each one is checked: with many items to a round, the deep one could slip through.
                items.push(machine.carried(item, 0)?);
            }
            if depth_first {
                items
                    .into_iter()
                    .rev()
                    .for_each(|item| queue.push_front(item));
            } else {
                queue.extend(items);
            }
        }
        while let Some(item) = queue.pop_front() {
            machine.step()?;
            if past.as_mut().is_some_and(|past| !past.insert(item.clone())) {
                continue;
            }
            last = Some(item.clone());
            return match &selector {
                Some(selector) => machine.call_lambda(selector, vec![item]).map(Some),
                None => Ok(Some(item)),
            };
        }
        Ok(None)
    }))
}
