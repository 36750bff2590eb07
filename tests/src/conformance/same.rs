//! When a value of ours counts as the recorded one.
//!
//! Owns the tolerance: what depends on ids, times and wording is not compared, everything else is.

use serde_json::Value;

/// Characters of a UUID.
const UUID_LENGTH: usize = 36;
/// What is not compared of a row of `tasks()`.
const FREE_IN_ROWS: [&str; 3] = ["state_info", "created_at", "updated_at"];

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
            // Rows of the database have no order of their own either.
            let rows = recorded.iter().all(is_task_row);
            let mut pairs = recorded.iter().zip(ours);
            pairs.all(|(a, b)| same(a, b, order))
                || (rows || order == Order::Free) && same_bag(recorded, ours)
        }
        (Value::Object(a), Value::Object(b)) => {
            let row = is_task_row(recorded);
            let free = |key: &str| row && FREE_IN_ROWS.contains(&key);
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| free(key) || same(a, b, order)))
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

/// Texts that differ only in the ids in them, or whose wording is that of an engine.
fn same_text(recorded: &str, ours: &str) -> bool {
    without_ids(recorded) == without_ids(ours) || is_error_text(recorded) && !ours.is_empty()
}

/// Wordings by which Mistral, not a workflow, speaks of an error.
fn is_error_text(text: &str) -> bool {
    const BEGINNINGS: [&str; 4] = [
        "Failed to ",
        "Failure caused by",
        "Can not evaluate",
        "The action raised an exception",
    ];
    BEGINNINGS
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

/// Replaces every id by a word. An id is a UUID; ours of tasks and actions have a number after it.
fn without_ids(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(candidate) = rest.get(..UUID_LENGTH)
            && uuid::Uuid::try_parse(candidate).is_ok()
        {
            result.push_str("(id)");
            rest = without_number(&rest[UUID_LENGTH..]);
        } else {
            result.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    result
}

/// Drops `-t1` or `-a1` at the beginning.
fn without_number(text: &str) -> &str {
    let number = text.strip_prefix("-t").or_else(|| text.strip_prefix("-a"));
    match number {
        Some(number) if number.starts_with(|digit: char| digit.is_ascii_digit()) => {
            number.trim_start_matches(|digit: char| digit.is_ascii_digit())
        }
        _ => text,
    }
}

/// What `tasks()` says of a task: its times and the wording of its state are not compared.
fn is_task_row(value: &Value) -> bool {
    let keys = ["id", "workflow_execution_id", "state_info"];
    value
        .as_object()
        .is_some_and(|row| keys.iter().all(|key| row.contains_key(*key)))
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
            &json!("at be061f98-5a38-4142-81bd-54a4dad6114a-t12!"),
            true,
        );
        check(
            &json!("Failed to run x"),
            &json!("Failed to run action x"),
            true,
        );
        check(&json!("Failed to run x"), &json!(""), false);
        check(&json!("No"), &json!("Failed to run x"), false);
        check(&json!("é"), &json!("e"), false);
        assert!(same(&json!([1, 2, 2]), &json!([2, 1, 2]), Order::Free));
        assert!(!same(&json!([1, 2, 2]), &json!([2, 1, 1]), Order::Free));
    }
}
