//! Builtins on sets. Their operators are in `crate::operators`.

use indexmap::IndexSet;

use super::lists::flatten_sequences;
use super::{Builtin, Call, both, function, method};
use crate::Value;
use crate::fault::Result;

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "set",
        "*items: any?",
        |call| {
            let items = call.rest_values();
            let items = flatten_sequences(call.machine, items)?;
            Ok(of(call, items.into_iter().collect()))
        },
        "Makes a set of its arguments.",
        &[
            ("set(1, 2, 1).toList()", "null", "[1, 2]"),
            ("set().len()", "null", "0"),
        ],
    ),
    method(
        "toSet",
        "collection: iterable",
        |call| {
            let items = call.items(0)?;
            Ok(of(call, items.into_iter().collect()))
        },
        "Makes a set of the items.",
        &[
            ("$.toSet().len()", "[1, 2, 1]", "2"),
            ("$.toSet().len()", "[\"a\", \"b\", \"a\"]", "2"),
        ],
    ),
    both(
        "len",
        "set: set",
        |call| Ok(Value::from(call.set(0).len())),
        "Gives the number of items.",
        &[
            ("set(1, 2, 1).len()", "null", "2"),
            ("len(set())", "null", "0"),
        ],
    ),
    method(
        "union",
        "left: set, right: set",
        |call| combine(call, |left, right| left.union(right).cloned().collect()),
        "Gives what is in either set.",
        &[
            ("set(1).union(set(2)).toList()", "null", "[1, 2]"),
            (
                "$.a.toSet().union($.b.toSet()).len()",
                "{\"a\": [1, 2], \"b\": [2, 3]}",
                "3",
            ),
        ],
    ),
    method(
        "intersect",
        "left: set, right: set",
        |call| {
            combine(call, |left, right| {
                // Of two items that are equal, `0` and `false` say, Python keeps that of the
                // smaller set.
                let smaller = if left.len() < right.len() {
                    left
                } else {
                    right
                };
                let both = left.iter().filter(|item| right.contains(*item));
                both.filter_map(|item| smaller.get(item)).cloned().collect()
            })
        },
        "Gives what is in both sets.",
        &[
            ("set(1, 2).intersect(set(2, 3)).toList()", "null", "[2]"),
            (
                "$.a.toSet().intersect($.b.toSet()).toList()",
                "{\"a\": [1, 2], \"b\": [2, 3]}",
                "[2]",
            ),
        ],
    ),
    method(
        "difference",
        "left: set, right: set",
        |call| {
            combine(call, |left, right| {
                left.difference(right).cloned().collect()
            })
        },
        "Gives what is in the first set only; also written '-'.",
        &[
            ("set(1, 2).difference(set(2, 3)).toList()", "null", "[1]"),
            (
                "$.a.toSet().difference($.b.toSet()).toList()",
                "{\"a\": [1, 2], \"b\": [2, 3]}",
                "[1]",
            ),
        ],
    ),
    method(
        "symmetricDifference",
        "left: set, right: set",
        |call| {
            combine(call, |left, right| {
                left.symmetric_difference(right).cloned().collect()
            })
        },
        "Gives what is in one of the sets only.",
        &[
            (
                "set(1, 2).symmetricDifference(set(2, 3)).toList()",
                "null",
                "[1, 3]",
            ),
            (
                "$.a.toSet().symmetricDifference($.b.toSet()).orderBy($)",
                "{\"a\": [1, 2], \"b\": [2, 3]}",
                "[1, 3]",
            ),
        ],
    ),
    method(
        "add",
        "set: set, *values: any?",
        |call| {
            let mut items = (*call.set(0)).clone();
            items.extend(call.rest_values());
            Ok(of(call, items))
        },
        "Gives the set with some values added.",
        &[
            ("set(1).add(2, 3).len()", "null", "3"),
            ("set().add($, $).toList()", "1", "[1]"),
        ],
    ),
    method(
        "remove",
        "set: set, *values: any?",
        |call| {
            let gone = call.rest_values();
            let kept = call
                .set(0)
                .iter()
                .filter(|item| !gone.contains(item))
                .cloned()
                .collect();
            Ok(of(call, kept))
        },
        "Gives the set without some values.",
        &[
            ("set(1, 2).remove(1, 3).toList()", "null", "[2]"),
            ("$.toSet().remove(a).len()", "[\"a\", \"b\"]", "1"),
        ],
    ),
];

fn of(call: &mut Call<'_, '_>, items: IndexSet<Value>) -> Value {
    call.machine.mark_lazy();
    Value::from(items)
}

fn combine(
    call: &mut Call<'_, '_>,
    operate: fn(&IndexSet<Value>, &IndexSet<Value>) -> IndexSet<Value>,
) -> Result<Value> {
    let (left, right) = (call.set(0), call.set(1));
    call.machine.spend((left.len() + right.len()) as u64)?;
    Ok(of(call, operate(&left, &right)))
}
