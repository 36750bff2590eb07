//! How a result is written, so that it can be compared as text with one of Python.

use expr::Value;

/// One value with its type, its parts in order, those of a set sorted.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::BigInt(number) => number.to_string(),
        Value::Float(_) => format!("float:{}", value.to_text()),
        Value::Str(text) => value_of_text(text),
        Value::List(items) => format!("[{}]", joined(items.iter().map(text))),
        Value::Set(items) => {
            let mut items: Vec<String> = items.iter().map(text).collect();
            items.sort();
            format!("set[{}]", items.join(", "))
        }
        Value::Dict(dict) => {
            let pairs = dict
                .iter()
                .map(|(key, item)| format!("{}: {}", text(&key), text(&item)));
            format!("{{{}}}", joined(pairs))
        }
        Value::DateTime(moment) => format!("datetime:{}", moment.to_text('T')),
        Value::TimeSpan(span) => format!("timespan:{}", span.microseconds()),
        Value::Regex(_) => "regex".into(),
        other => format!("object:{}", other.type_name()),
    }
}

fn value_of_text(text: &str) -> String {
    serde_json::to_string(text).expect("a string has a JSON form")
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
