//! Builtins that sort. Sorting is stable, and happens when the result is first read.

use super::{Builtin, Call, method};
use crate::Value;
use crate::eval::Lambda;
use crate::fault::Result;
use crate::machine::Machine;
use crate::operators;
use crate::seq::{Cursor, Seq};
use crate::token::Operator;

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "orderBy",
        "collection: iterable, selector: lambda",
        |call| order_by(call, false),
        "Sorts the items by a value computed from each.",
        &[
            ("$.orderBy($)", "[3, 1, 2]", "[1, 2, 3]"),
            (
                "$.orderBy($.name).select($.id)",
                "[{\"id\": 1, \"name\": \"b\"}, {\"id\": 2, \"name\": \"a\"}]",
                "[2, 1]",
            ),
        ],
    ),
    method(
        "orderByDescending",
        "collection: iterable, selector: lambda",
        |call| order_by(call, true),
        "Sorts the items by a computed value, the greatest first.",
        &[
            ("$.orderByDescending($)", "[3, 1, 2]", "[3, 2, 1]"),
            (
                "$.orderByDescending($.len()).first()",
                "[\"a\", \"ccc\", \"bb\"]",
                "\"ccc\"",
            ),
        ],
    ),
    method(
        "thenBy",
        "collection: ordering, selector: lambda",
        |call| then_by(call, false),
        "Sorts items that orderBy() found equal by a second value.",
        &[
            (
                "$.orderBy($[0]).thenBy($[1])",
                "[[2, 1], [1, 2], [1, 1]]",
                "[[1, 1], [1, 2], [2, 1]]",
            ),
            (
                "$.orderBy($.len()).thenBy($)",
                "[\"b\", \"aa\", \"a\"]",
                "[\"a\", \"b\", \"aa\"]",
            ),
        ],
    ),
    method(
        "thenByDescending",
        "collection: ordering, selector: lambda",
        |call| then_by(call, true),
        "Sorts items that orderBy() found equal by a second value, the greatest first.",
        &[
            (
                "$.orderBy($[0]).thenByDescending($[1])",
                "[[2, 1], [1, 1], [1, 2]]",
                "[[1, 2], [1, 1], [2, 1]]",
            ),
            (
                "$.orderBy($.len()).thenByDescending($)",
                "[\"b\", \"aa\", \"a\"]",
                "[\"b\", \"a\", \"aa\"]",
            ),
        ],
    ),
];

/// What is to be sorted, and by what: each value computed from an item, and whether the
/// greatest goes first.
#[derive(Clone, Debug)]
pub(crate) struct Ordering {
    source: Cursor,
    keys: Vec<(Lambda, bool)>,
}

/// An item and the values it is sorted by, as far as they were needed.
struct Keyed {
    item: Value,
    values: Vec<Value>,
}

fn order_by(call: &mut Call<'_, '_>, descending: bool) -> Result<Value> {
    let keys = vec![(call.lambda(1), descending)];
    let source = call.cursor(0);
    Ok(sorted(call.machine, Ordering { source, keys }))
}

fn then_by(call: &mut Call<'_, '_>, descending: bool) -> Result<Value> {
    let Value::Seq(seq) = call.value(0) else {
        unreachable!("the table says that this is an ordering")
    };
    let mut ordering = seq
        .ordering()
        .expect("orderBy keeps what it sorts by")
        .clone();
    ordering.keys.push((call.lambda(1), descending));
    Ok(sorted(call.machine, ordering))
}

fn sorted(machine: &mut Machine<'_>, ordering: Ordering) -> Value {
    machine.mark_lazy();
    let kept = ordering.clone();
    let mut items: Option<std::vec::IntoIter<Value>> = None;
    Value::Seq(Seq::ordered(kept, move |machine| {
        if items.is_none() {
            items = Some(ordering.sort(machine)?.into_iter());
        }
        Ok(items.as_mut().and_then(Iterator::next))
    }))
}

impl Ordering {
    fn sort(&self, machine: &mut Machine<'_>) -> Result<Vec<Value>> {
        let items = self.source.clone().rest(machine)?;
        let keyed = items.into_iter().map(|item| Keyed {
            item,
            values: Vec::with_capacity(self.keys.len()),
        });
        let sorted = self.merge_sort(machine, keyed.collect())?;
        Ok(sorted.into_iter().map(|keyed| keyed.item).collect())
    }

    /// Sorting of our own, because comparing may fail and need not be a total order.
    fn merge_sort(&self, machine: &mut Machine<'_>, mut items: Vec<Keyed>) -> Result<Vec<Keyed>> {
        if items.len() < 2 {
            return Ok(items);
        }
        let right = items.split_off(items.len() / 2);
        let mut merged = Vec::with_capacity(items.len() + right.len());
        let mut left = self.merge_sort(machine, items)?.into_iter().peekable();
        let mut right = self.merge_sort(machine, right)?.into_iter().peekable();
        while let (Some(a), Some(b)) = (left.peek_mut(), right.peek_mut()) {
            machine.step()?;
            let from_right = self.is_before(machine, b, a)?;
            merged.extend(if from_right {
                right.next()
            } else {
                left.next()
            });
        }
        merged.extend(left);
        merged.extend(right);
        Ok(merged)
    }

    /// As in YAQL, a later value is computed only for items that the earlier ones found equal.
    fn is_before(
        &self,
        machine: &mut Machine<'_>,
        left: &mut Keyed,
        right: &mut Keyed,
    ) -> Result<bool> {
        for (index, (selector, descending)) in self.keys.iter().enumerate() {
            let left = left.value(machine, index, selector)?;
            let right = right.value(machine, index, selector)?;
            if operators::compare(Operator::Less, &left, &right)? {
                return Ok(!descending);
            }
            if operators::compare(Operator::Greater, &left, &right)? {
                return Ok(*descending);
            }
        }
        Ok(false)
    }
}

impl Keyed {
    fn value(
        &mut self,
        machine: &mut Machine<'_>,
        index: usize,
        selector: &Lambda,
    ) -> Result<Value> {
        if self.values.len() == index {
            let value = machine.call_lambda(selector, vec![self.item.clone()])?;
            self.values.push(value);
        }
        Ok(self.values[index].clone())
    }
}
