//! How large a value would be as text: what bounds results, whose parts may be shared many times
//! and so take far more room on paper than in memory.

use super::Value;

/// Takes the size of a value, in bytes and about as JSON, from what is left; false if there is
/// not enough. Ends as soon as that is known.
pub(crate) fn spend(value: &Value, left: &mut usize) -> bool {
    let own = match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Int(_) | Value::Float(_) | Value::TimeSpan(_) => 8,
        Value::DateTime(_) => 32,
        Value::BigInt(number) => usize::try_from(number.bits() / 3).unwrap_or(usize::MAX),
        Value::Str(text) => text.len() + 2,
        Value::Binary(binary) => binary.data().len(),
        Value::List(_) | Value::Dict(_) | Value::Set(_) | Value::Regex(_) | Value::Seq(_) => 2,
    };
    let Some(rest) = left.checked_sub(own) else {
        return false;
    };
    *left = rest;
    match value {
        Value::List(items) => items.iter().all(|item| spend(item, left)),
        Value::Set(items) => items.iter().all(|item| spend(item, left)),
        Value::Dict(dict) => dict
            .iter()
            .all(|(key, item)| spend(&key, left) && spend(&item, left)),
        _ => true,
    }
}
