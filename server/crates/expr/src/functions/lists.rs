//! Builtins that make lists and tell their size. Changing a list's items is left to `change`.

use super::{Builtin, Call, both, function, method};
use crate::Value;
use crate::fault::Result;
use crate::machine::Machine;
use crate::seq::{Cursor, SeqKind};

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "list",
        "*items: any?",
        |call| {
            let items = call.rest_values();
            flatten_sequences(call.machine, items).map(Value::from)
        },
        "Makes a list of its arguments; the items of sequences are put in one by one.",
        &[
            ("list(1, [2], 3)", "null", "[1, [2], 3]"),
            ("list(0, range(3))", "null", "[0, 0, 1, 2]"),
        ],
    ),
    method(
        "toList",
        "collection: iterable",
        |call| match call.value(0) {
            list @ Value::List(_) => Ok(list),
            _ => call.items(0).map(Value::from),
        },
        "Makes a list of a set or a sequence.",
        &[
            ("range(3).toList()", "null", "[0, 1, 2]"),
            ("$.select($ + 1).toList()[0]", "[1, 2]", "2"),
        ],
    ),
    method(
        "flatten",
        "collection: iterable",
        flatten,
        "Gives the items of nested lists as one sequence.",
        &[
            ("$.flatten()", "[1, [2, [3]], 4]", "[1, 2, 3, 4]"),
            ("$.flatten()", "[]", "[]"),
        ],
    ),
    both(
        "len",
        "sequence: list",
        |call| {
            Ok(Value::from(
                call.value(0).as_list().map_or(0, <[Value]>::len),
            ))
        },
        "Gives the number of items.",
        &[("$.len()", "[1, 2]", "2"), ("len([])", "null", "0")],
    ),
    both(
        "len",
        "collection: iterator",
        |call| call.items(0).map(|items| Value::from(items.len())),
        "Counts the items of a sequence.",
        &[
            ("len(range(3))", "null", "3"),
            ("len($.where($ > 1))", "[1, 2, 3]", "2"),
        ],
    ),
    method(
        "contains",
        "collection: iterable, value: any?",
        |call| {
            let (item, collection) = (call.value(1), call.value(0));
            let mut cursor = Cursor::new(collection).expect("the table says that this has items");
            while let Some(other) = cursor.next(call.machine)? {
                if other == item {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        },
        "Tells whether a value is among the items.",
        &[
            ("$.contains(2)", "[1, 2]", "true"),
            ("[].contains(2)", "null", "false"),
        ],
    ),
];

/// The values, where each generator is replaced by its items.
pub(super) fn flatten_sequences(
    machine: &mut Machine<'_>,
    values: Vec<Value>,
) -> Result<Vec<Value>> {
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::Seq(seq) if seq.kind() == SeqKind::Iterator => {
                let cursor = Cursor::new(Value::Seq(seq)).expect("a sequence has items");
                let items = cursor.rest(machine)?;
                machine.enter()?;
                let items = flatten_sequences(machine, items);
                machine.leave();
                out.extend(items?);
            }
            value => out.push(value),
        }
    }
    Ok(out)
}

fn flatten(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut levels = vec![call.cursor(0)];
    Ok(call.machine.lazy(move |machine| {
        while let Some(level) = levels.last_mut() {
            match level.next(machine)? {
                None => {
                    levels.pop();
                }
                Some(item) => match Cursor::new(item.clone()) {
                    Some(inner) => levels.push(inner),
                    None => return Ok(Some(item)),
                },
            }
        }
        Ok(None)
    }))
}
