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
        &[("$.orderBy($)", "[3, 1, 2]", "[1, 2, 3]")],
    ),
    method(
        "orderByDescending",
        "collection: iterable, selector: lambda",
        |call| order_by(call, true),
        "Sorts the items by a computed value, the greatest first.",
        &[("$.orderByDescending($)", "[3, 1, 2]", "[3, 2, 1]")],
    ),
    method(
        "thenBy",
        "collection: ordering, selector: lambda",
        |call| then_by(call, false),
        "Sorts items that orderBy() found equal by a second value.",
        &[(
            "$.orderBy($[0]).thenBy($[1])",
            "[[2, 1], [1, 2], [1, 1]]",
            "[[1, 1], [1, 2], [2, 1]]",
        )],
    ),
    method(
        "thenByDescending",
        "collection: ordering, selector: lambda",
        |call| then_by(call, true),
        "Sorts items that orderBy() found equal by a second value, the greatest first.",
        &[(
            "$.orderBy($[0]).thenByDescending($[1])",
            "[[2, 1], [1, 1], [1, 2]]",
            "[[1, 2], [1, 1], [2, 1]]",
        )],
    ),
];

/// What is to be sorted, and by what: each value computed from an item, and whether the
/// greatest goes first.
#[derive(Clone, Debug)]
pub(crate) struct Ordering {
    source: Cursor,
    keys: Vec<(Lambda, bool)>,
}

/// An item and the values it is sorted by.
type Keyed = (Vec<Value>, Value);

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
        let mut keyed: Vec<Keyed> = Vec::new();
        for item in self.source.clone().rest(machine)? {
            let mut values = Vec::with_capacity(self.keys.len());
            for (selector, _) in &self.keys {
                values.push(machine.call_lambda(selector, vec![item.clone()])?);
            }
            keyed.push((values, item));
        }
        Ok(self
            .merge_sort(machine, keyed)?
            .into_iter()
            .map(|(_, item)| item)
            .collect())
    }

    /// Sorting of our own, because comparing may fail and need not be a total order.
    fn merge_sort(&self, machine: &mut Machine<'_>, mut items: Vec<Keyed>) -> Result<Vec<Keyed>> {
        if items.len() < 2 {
            return Ok(items);
        }
        let right = items.split_off(items.len() / 2);
        let mut left = self.merge_sort(machine, items)?.into_iter().peekable();
        let mut right = self.merge_sort(machine, right)?.into_iter().peekable();
        let mut merged = Vec::with_capacity(left.len() + right.len());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            machine.step()?;
            let from_right = self.is_before(&b.0, &a.0)?;
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

    fn is_before(&self, left: &[Value], right: &[Value]) -> Result<bool> {
        for ((left, right), (_, descending)) in left.iter().zip(right).zip(&self.keys) {
            if operators::compare(Operator::Less, left, right)? {
                return Ok(!descending);
            }
            if operators::compare(Operator::Greater, left, right)? {
                return Ok(*descending);
            }
        }
        Ok(false)
    }
}
