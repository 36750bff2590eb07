//! Builtins that give a list with some items put in, taken out or replaced.

use super::{Builtin, Call, method};
use crate::Value;
use crate::fault::Result;
use crate::seq::Cursor;

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "delete",
        "collection: iterable, position: int, count: int = 1",
        delete,
        "Leaves out so many items from a place on; all that follow if the count is negative.",
        &[
            ("$.delete(1)", "[1, 2, 3]", "[1, 3]"),
            ("$.delete(1, -1)", "[1, 2, 3]", "[1]"),
        ],
    ),
    method(
        "replace",
        "collection: iterable, position: int, value: any?, count: int = 1",
        |call| {
            let (value, count) = (Value::from(vec![call.value(2)]), call.int(3)?);
            replace(call, value, count)
        },
        "Puts one item in the place of so many; of all that follow if the count is negative.",
        &[
            ("$.replace(1, x)", "[1, 2, 3]", "[1, \"x\", 3]"),
            ("$.replace(0, x, 2)", "[1, 2, 3]", "[\"x\", 3]"),
        ],
    ),
    method(
        "replaceMany",
        "collection: iterable, position: int, values: iterable, count: int = 1",
        |call| {
            let (values, count) = (call.value(2), call.int(3)?);
            replace(call, values, count)
        },
        "Puts several items in the place of so many.",
        &[
            ("$.replaceMany(1, [7, 8])", "[1, 2, 3]", "[1, 7, 8, 3]"),
            ("$.replaceMany(0, [], 2)", "[1, 2, 3]", "[3]"),
        ],
    ),
    method(
        "insert",
        "collection: ordered iterable, position: int, value: any?",
        |call| {
            let (position, value) = (call.int(1)?, call.value(2));
            // A generator has no end to count from, so a place before its start is never met.
            if position < 0 {
                Ok(call.value(0))
            } else {
                insert(call, position, Value::from(vec![value]))
            }
        },
        "Puts an item into a sequence, at its end if it is shorter.",
        &[
            ("range(2).insert(1, x)", "null", "[0, \"x\", 1]"),
            ("range(2).insert(9, x)", "null", "[0, 1, \"x\"]"),
        ],
    ),
    method(
        "insert",
        "collection: list, position: int, value: any?",
        insert_list,
        "Puts an item into a list; a negative place counts from the end.",
        &[
            ("$.insert(1, x)", "[1, 2]", "[1, \"x\", 2]"),
            ("$.insert(-1, x)", "[1, 2]", "[1, \"x\", 2]"),
        ],
    ),
    method(
        "insertMany",
        "collection: iterable, position: int, values: iterable",
        |call| {
            let (position, values) = (call.int(1)?, call.value(2));
            insert(call, position, values)
        },
        "Puts several items in, at the start if the place is negative.",
        &[
            ("$.insertMany(1, [7, 8])", "[1, 2]", "[1, 7, 8, 2]"),
            ("$.insertMany(-1, [7])", "[1, 2]", "[7, 1, 2]"),
        ],
    ),
];

fn delete(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let (position, count) = (call.int(1)?, call.int(2)?);
    let mut index = 0;
    Ok(call.machine.lazy(move |machine| {
        while let Some(item) = cursor.next(machine)? {
            let at = index;
            index += 1;
            if !is_covered(at, position, count) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }))
}

fn replace(call: &mut Call<'_, '_>, values: Value, count: i64) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let position = call.int(1)?;
    let mut values = Cursor::new(values);
    let mut pending: Option<Cursor> = None;
    let mut index = 0;
    Ok(call.machine.lazy(move |machine| {
        loop {
            if let Some(values) = &mut pending {
                if let Some(value) = values.next(machine)? {
                    return Ok(Some(value));
                }
                pending = None;
            }
            let Some(item) = cursor.next(machine)? else {
                return Ok(None);
            };
            let at = index;
            index += 1;
            if !is_covered(at, position, count) {
                return Ok(Some(item));
            }
            pending = values.take();
        }
    }))
}

/// Whether an index is among the `count` from `position` on; a negative count has no end.
fn is_covered(index: i64, position: i64, count: i64) -> bool {
    index >= position && (count < 0 || index < position.saturating_add(count))
}

fn insert(call: &mut Call<'_, '_>, position: i64, values: Value) -> Result<Value> {
    let mut cursor: Option<Cursor> = Some(call.cursor(0));
    let mut held = None;
    let mut values = Cursor::new(values);
    let mut pending: Option<Cursor> = None;
    let mut index = 0;
    Ok(call.machine.lazy(move |machine| {
        loop {
            if let Some(values) = &mut pending {
                if let Some(value) = values.next(machine)? {
                    return Ok(Some(value));
                }
                pending = None;
            }
            if index >= position.max(0) && values.is_some() {
                pending = values.take();
                continue;
            }
            if let Some(item) = held.take() {
                return Ok(Some(item));
            }
            let Some(items) = &mut cursor else {
                return Ok(None);
            };
            if let Some(item) = items.next(machine)? {
                held = (index == position && values.is_some()).then(|| item.clone());
                index += 1;
                if held.is_none() {
                    return Ok(Some(item));
                }
            } else {
                cursor = None;
                pending = values.take();
            }
        }
    }))
}

fn insert_list(call: &mut Call<'_, '_>) -> Result<Value> {
    let (mut items, position) = (call.items(0)?, call.int(1)?);
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = if position < 0 {
        (position + length).max(0)
    } else {
        position.min(length)
    };
    items.insert(usize::try_from(place).unwrap_or(0), call.value(2));
    Ok(Value::from(items))
}
