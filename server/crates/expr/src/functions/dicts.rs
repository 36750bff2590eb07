//! Builtins on dicts. Indexing and `.key` are operators.

use indexmap::IndexSet;

use super::call::int;
use super::{Builtin, Call, both, function, method};
use crate::fault::{Fault, Result};
use crate::machine::Machine;
use crate::operators::view;
use crate::seq::Cursor;
use crate::{Dict, Limit, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "dict",
        "*items: pair",
        |call| {
            let pairs = call.rest_pairs();
            build(call.machine, Dict::new(), pairs)
        },
        "Makes a dict of pairs.",
        &[
            ("dict(a => 1, $ => 2)", "\"b\"", "{\"a\": 1, \"b\": 2}"),
            ("dict()", "null", "{}"),
        ],
    )
    .with_rules(),
    function(
        "dict",
        "items: iterable",
        dict_of,
        "Makes a dict of a list of pairs, each a list of a key and a value.",
        &[
            ("dict([[a, 1], [b, 2]])", "null", "{\"a\": 1, \"b\": 2}"),
            (
                "dict($.select([$.name, $.id]))",
                "[{\"id\": 1, \"name\": \"a\"}]",
                "{\"a\": 1}",
            ),
        ],
    )
    .with_rules(),
    method(
        "toDict",
        "collection: iterable, keySelector: lambda, valueSelector: lambda = none",
        to_dict,
        "Makes a dict of the items, with a key and a value computed from each.",
        &[
            (
                "[1, 2].toDict(str($), $ * 2)",
                "null",
                "{\"1\": 2, \"2\": 4}",
            ),
            (
                "$.toDict($.id)",
                "[{\"id\": \"a\"}]",
                "{\"a\": {\"id\": \"a\"}}",
            ),
        ],
    ),
    method(
        "get",
        "dict: dict, key: any?, default: any? = null",
        |call| {
            Ok(call
                .dict(0)
                .get_value(&call.value(1))
                .unwrap_or_else(|| call.value(2)))
        },
        "Gives the value of a key, or a default if the key is missing.",
        &[
            ("$.get(a)", "{\"a\": 1}", "1"),
            ("$.get(b, 2)", "{\"a\": 1}", "2"),
            ("$.get(b)", "{}", "null"),
        ],
    ),
    method(
        "set",
        "dict: dict, key: any?, value: any?",
        |call| {
            let pair = (call.value(1), call.value(2));
            build(call.machine, call.dict(0), vec![pair])
        },
        "Gives the dict with a key set to a value.",
        &[
            ("$.set(b, 2)", "{\"a\": 1}", "{\"a\": 1, \"b\": 2}"),
            ("$.set(a, null)", "{\"a\": 1}", "{\"a\": null}"),
        ],
    )
    .with_rules(),
    method(
        "set",
        "dict: dict, replacements: dict",
        |call| {
            let pairs = call.dict(1).iter().collect();
            build(call.machine, call.dict(0), pairs)
        },
        "Gives the dict with the keys of another one set as there.",
        &[
            ("$.set({a => 2})", "{\"a\": 1}", "{\"a\": 2}"),
            ("{}.set($)", "{\"a\": 1}", "{\"a\": 1}"),
        ],
    )
    .with_rules(),
    method(
        "set",
        "dict: dict, *pairs: pair",
        |call| {
            let pairs = call.rest_pairs();
            build(call.machine, call.dict(0), pairs)
        },
        "Gives the dict with keys set by pairs.",
        &[
            (
                "$.set(a => 2, b => 3)",
                "{\"a\": 1}",
                "{\"a\": 2, \"b\": 3}",
            ),
            ("$.set('b c' => 2)", "{\"a\": 1}", "{\"a\": 1, \"b c\": 2}"),
        ],
    )
    .with_rules(),
    method(
        "keys",
        "dict: dict",
        |call| {
            call.machine.mark_lazy();
            Ok(Value::from(call.dict(0).keys().collect::<IndexSet<_>>()))
        },
        "Gives the keys as a set.",
        &[
            ("$.keys()", "{\"a\": 1, \"b\": 2}", "[\"a\", \"b\"]"),
            ("{}.keys().toList()", "null", "[]"),
        ],
    ),
    method(
        "values",
        "dict: dict",
        |call| {
            let values = call.dict(0).values().collect();
            Ok(view(call.machine, values))
        },
        "Gives the values.",
        &[
            ("$.values()", "{\"a\": 1, \"b\": 2}", "[1, 2]"),
            ("$.values().sum()", "{\"a\": 1, \"b\": 2}", "3"),
        ],
    ),
    method(
        "items",
        "dict: dict",
        |call| {
            call.machine.mark_lazy();
            let items = call
                .dict(0)
                .iter()
                .map(|(key, value)| Value::from(vec![key, value]));
            Ok(Value::from(items.collect::<IndexSet<_>>()))
        },
        "Gives the pairs of key and value, each as a list; they form a set.",
        &[
            (
                "dict($.items().select([$[1], $[0]]))",
                "{\"a\": \"x\"}",
                "{\"x\": \"a\"}",
            ),
            (
                "$.items().select($[0] + $[1]).orderBy($)",
                "{\"a\": \"x\", \"b\": \"y\"}",
                "[\"ax\", \"by\"]",
            ),
        ],
    ),
    both(
        "len",
        "dict: dict",
        |call| Ok(Value::from(call.dict(0).len())),
        "Gives the number of keys.",
        &[("$.len()", "{\"a\": 1}", "1"), ("len({})", "null", "0")],
    ),
    method(
        "containsKey",
        "dict: dict, key: any?",
        |call| {
            Ok(Value::Bool(
                call.dict(0).get_value(&call.value(1)).is_some(),
            ))
        },
        "Tells whether there is a key.",
        &[
            ("$.containsKey(a)", "{\"a\": null}", "true"),
            ("{}.containsKey(a)", "null", "false"),
        ],
    ),
    method(
        "containsValue",
        "dict: dict, value: any?",
        |call| {
            let value = call.value(1);
            Ok(Value::Bool(
                call.dict(0).values().any(|other| other == value),
            ))
        },
        "Tells whether a value is under any key.",
        &[
            ("$.containsValue(1)", "{\"a\": 1}", "true"),
            ("$.containsValue(a)", "{\"a\": 1}", "false"),
        ],
    ),
    method(
        "delete",
        "dict: dict, *keys: any?",
        |call| {
            let keys = call.rest_values();
            Ok(without(call.dict(0), &keys))
        },
        "Gives the dict without some keys.",
        &[
            ("$.delete(a, c)", "{\"a\": 1, \"b\": 2}", "{\"b\": 2}"),
            ("$.delete(a, b, c)", "{\"a\": 1, \"d\": 2}", "{\"d\": 2}"),
        ],
    ),
    method(
        "deleteAll",
        "dict: dict, keys: iterable",
        |call| {
            let keys = call.items(1)?;
            Ok(without(call.dict(0), &keys))
        },
        "Gives the dict without the keys of a list.",
        &[
            ("$.deleteAll([a])", "{\"a\": 1, \"b\": 2}", "{\"b\": 2}"),
            ("$.deleteAll([a, b])", "{\"a\": 1, \"d\": 2}", "{\"d\": 2}"),
        ],
    ),
    method(
        "mergeWith",
        "dict: dict, another: dict, listMerger: lambda = none, itemMerger: lambda = none, \
         maxLevels: int = 0",
        merge_with,
        "Merges another dict in: dicts level by level, lists to their distinct items, else the \
         other's value.",
        &[
            (
                "$.mergeWith({a => {y => 2}, l => [2, 3]})",
                "{\"a\": {\"x\": 1}, \"l\": [1, 2]}",
                "{\"a\": {\"x\": 1, \"y\": 2}, \"l\": [1, 2, 3]}",
            ),
            (
                "{a => 1}.mergeWith({a => 2}, null, $1 + $2)",
                "null",
                "{\"a\": 3}",
            ),
        ],
    ),
];

fn build(machine: &mut Machine<'_>, mut dict: Dict, pairs: Vec<(Value, Value)>) -> Result<Value> {
    // A dict that is held elsewhere is copied before it is changed.
    machine.spend(dict.len() as u64 / 8)?;
    for (key, value) in pairs {
        machine.step()?;
        machine.check_key(&key)?;
        dict.insert(key, value);
    }
    Ok(Value::Dict(dict))
}

fn dict_of(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut pairs = Vec::new();
    for item in call.items(0)? {
        let shown = item.type_name();
        let Some(mut pair) = Cursor::over_parts(item) else {
            let message = format!("dict() needs pairs of key and value, not a {shown}");
            return Err(Fault::value(message));
        };
        match (pair.next(call.machine)?, pair.next(call.machine)?) {
            (Some(key), Some(value)) => pairs.push((key, value)),
            _ => return Err(Fault::value("dict() needs pairs of key and value")),
        }
    }
    build(call.machine, Dict::new(), pairs)
}

fn to_dict(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut cursor = call.cursor(0);
    let (key, value) = (call.lambda(1), call.optional_lambda(2));
    let mut dict = Dict::new();
    while let Some(item) = cursor.next(call.machine)? {
        let key = call.machine.call_lambda(&key, vec![item.clone()])?;
        let value = match &value {
            Some(value) => call.machine.call_lambda(value, vec![item])?,
            None => item,
        };
        call.machine.check_key(&key)?;
        dict.insert(key, value);
    }
    Ok(Value::Dict(dict))
}

fn without(mut dict: Dict, keys: &[Value]) -> Value {
    for key in keys {
        dict.remove_value(key);
    }
    Value::Dict(dict)
}

fn merge_with(call: &mut Call<'_, '_>) -> Result<Value> {
    let (dict, another) = (call.dict(0), call.dict(1));
    let levels = int(&call.value(4))?;
    merge(call, &dict, &another, levels, 0)
}

fn merge(
    call: &mut Call<'_, '_>,
    left: &Dict,
    right: &Dict,
    levels: i64,
    depth: usize,
) -> Result<Value> {
    if depth > 128 {
        return Err(Limit::Depth.into());
    }
    let mut merged = left.clone();
    for (key, new) in right.iter() {
        call.machine.step()?;
        let Some(old) = left.get_value(&key) else {
            merged.insert(key, new);
            continue;
        };
        let value = match (&old, &new) {
            (Value::Dict(old), Value::Dict(new)) if levels != 1 => {
                // A negative number never comes to 1: all levels are merged.
                let levels = if levels > 0 { levels - 1 } else { levels };
                merge(call, old, new, levels, depth + 1)?
            }
            (Value::List(_), Value::List(_)) if levels != 1 => merge_lists(call, old, new)?,
            (_, Value::Dict(_) | Value::List(_)) if levels != 1 => {
                let (old, new) = (old.type_name(), new.type_name());
                return Err(Fault::value(format!(
                    "a {old} cannot be merged with a {new}"
                )));
            }
            _ => match call.optional_lambda(3) {
                Some(lambda) => call.machine.call_lambda(&lambda, vec![old, new])?,
                None => new,
            },
        };
        merged.insert(key, value);
    }
    Ok(Value::Dict(merged))
}

fn merge_lists(call: &mut Call<'_, '_>, old: Value, new: Value) -> Result<Value> {
    if let Some(merger) = call.optional_lambda(2) {
        return call.machine.call_lambda(&merger, vec![old, new]);
    }
    let both = [old, new]
        .into_iter()
        .filter_map(|list| list.as_list().map(<[Value]>::to_vec));
    Ok(both
        .flatten()
        .collect::<IndexSet<_>>()
        .into_iter()
        .collect())
}
