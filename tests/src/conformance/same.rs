//! When a value of ours counts as the recorded one.
//!
//! Owns the tolerance: what depends on ids, times and wording is not compared, everything else is.

use serde_json::Value;

/// How lists compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Item by item.
    Kept,
    /// As bags: the recorded list came from a set or a view of a mapping.
    Free,
}

/// Whether two values are the same, as JSON. Integers and floats differ, since programs see that.
pub(crate) fn same(recorded: &Value, ours: &Value, order: Order) -> bool {
    match (recorded, ours) {
        (Value::Array(recorded), Value::Array(ours)) if recorded.len() == ours.len() => {
            let mut pairs = recorded.iter().zip(ours);
            pairs.all(|(a, b)| same(a, b, order))
                || order == Order::Free && same_bag(recorded, ours)
        }
        (Value::Object(recorded), Value::Object(ours)) => {
            recorded.len() == ours.len()
                && recorded
                    .iter()
                    .all(|(key, a)| ours.get(key).is_some_and(|b| same(a, b, order)))
        }
        (Value::String(recorded), Value::String(ours)) => {
            recorded == ours || same_text(recorded, ours)
        }
        _ => recorded == ours,
    }
}

fn same_bag(recorded: &[Value], ours: &[Value]) -> bool {
    let mut rest: Vec<&Value> = ours.iter().collect();
    recorded.iter().all(|a| {
        let found = rest.iter().position(|b| same(a, b, Order::Free));
        found.map(|index| rest.swap_remove(index)).is_some()
    })
}

/// Texts that differ only in the ids in them, or both tell of an error.
fn same_text(recorded: &str, ours: &str) -> bool {
    without_ids(recorded) == without_ids(ours) || is_error_text(recorded) && is_error_text(ours)
}

/// Wordings by which the engine, not a workflow, speaks of an error.
fn is_error_text(text: &str) -> bool {
    const BEGINNINGS: [&str; 6] = [
        "Failed to ",
        "Failure caused by",
        "Can not evaluate",
        "Cannot evaluate",
        "The action raised an exception",
        "Task error",
    ];
    BEGINNINGS
        .iter()
        .any(|beginning| text.trim_start().starts_with(beginning))
}

/// Replaces every UUID by a word.
fn without_ids(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(candidate) = rest.get(..36)
            && uuid::Uuid::try_parse(candidate).is_ok()
        {
            result.push_str("(id)");
            rest = &rest[36..];
        } else {
            result.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(recorded: &Value, ours: &Value, expected: bool) {
        assert_eq!(
            same(recorded, ours, Order::Kept),
            expected,
            "{recorded} and {ours}"
        );
    }

    #[test]
    fn only_ids_and_wordings_are_tolerated() {
        check(&json!({"a": [1, 2]}), &json!({"a": [1, 2]}), true);
        check(&json!({"a": [1, 2]}), &json!({"a": [2, 1]}), false);
        check(&json!(1), &json!(1.0), false);
        check(&json!({"a": 1}), &json!({"a": 1, "b": null}), false);
        check(
            &json!("at 3a9c9088-7083-4db9-89b1-342ab5b16efa!"),
            &json!("at be061f98-5a38-4142-81bd-54a4dad6114a!"),
            true,
        );
        check(
            &json!("Failed to run x"),
            &json!("Failed to run action x"),
            true,
        );
        check(&json!("Failed to run x"), &json!("ok"), false);
        check(&json!("é"), &json!("e"), false);
        assert!(same(&json!([1, 2, 2]), &json!([2, 1, 2]), Order::Free));
        assert!(!same(&json!([1, 2, 2]), &json!([2, 1, 1]), Order::Free));
    }
}
