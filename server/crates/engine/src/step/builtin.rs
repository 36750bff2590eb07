//! What the built-in actions do that the engine runs itself, because they touch nothing outside.
//! Their names and parameters are in `catalog`.

use expr::Value;

use crate::catalog::{Builtin, Runs};
use crate::data::Data;
use crate::event::Outcome;

/// Most keys that `std.test_dict` makes.
const TEST_DICT_SIZE_MAX: i64 = 100_000;

/// Runs an action that touches nothing outside.
pub(super) fn run_inline(builtin: &Builtin, input: &Value) -> Outcome {
    match builtin.runs {
        Runs::Inline(run) | Runs::Delayed(run) => run(input),
        Runs::Server | Runs::ServerThenExternal | Runs::External => {
            Outcome::Error(Data::string("the action cannot run inside the engine"))
        }
    }
}

/// A number of seconds; anything that is none counts as 0, as in Mistral.
pub(crate) fn seconds(input: &Value, name: &str) -> f64 {
    let seconds = match input.get(name) {
        Some(Value::Str(text)) => text.trim().parse().unwrap_or(0.0),
        Some(value) => value.as_f64().unwrap_or(0.0),
        None => 0.0,
    };
    if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    }
}

fn result(value: Value) -> Outcome {
    match Data::from_value(value) {
        Ok(data) => Outcome::Success(data),
        Err(error) => Outcome::Error(Data::string(&error.to_string())),
    }
}

pub(crate) fn noop(_: &Value) -> Outcome {
    Outcome::Success(Data::null())
}

pub(crate) fn echo(input: &Value) -> Outcome {
    result(input.get("output").unwrap_or(Value::Null))
}

pub(crate) fn fail(input: &Value) -> Outcome {
    match input.get("error_data").filter(Value::truthy) {
        Some(data) => match result(data) {
            Outcome::Success(data) => Outcome::Error(data),
            other => other,
        },
        None => Outcome::Error(Data::string("Fail action expected exception.")),
    }
}

pub(crate) fn test_dict(input: &Value) -> Outcome {
    let size = input
        .get("size")
        .and_then(|size| size.as_i64())
        .unwrap_or(0);
    if size > TEST_DICT_SIZE_MAX {
        let message = format!("size {size} is over the limit of {TEST_DICT_SIZE_MAX}");
        return Outcome::Error(Data::string(&message));
    }
    let prefix = input
        .get("key_prefix")
        .map_or_else(String::new, |prefix| prefix.to_text());
    let value = input.get("val").unwrap_or_else(|| Value::from(""));
    let entries = (0..size.max(0)).map(|i| (Value::from(format!("{prefix}{i}")), value.clone()));
    result(Value::Dict(entries.collect()))
}
