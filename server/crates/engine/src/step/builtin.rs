//! The built-in actions: their names and parameters, and those that the engine runs itself because
//! they touch nothing outside.

use std::fmt::Write as _;

use expr::{Dict, Value};

use crate::data::Data;
use crate::event::Outcome;
use crate::record::Runner;

/// A built-in action.
#[derive(Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Names of its parameters; `true` means required.
    pub parameters: &'static [(&'static str, bool)],
    /// What it does, in one sentence.
    pub doc: &'static str,
    runs: Runs,
}

#[derive(Clone, Copy, Debug)]
enum Runs {
    Inline(fn(&Value) -> Outcome),
    /// Inline unless it has to wait.
    Delayed(fn(&Value) -> Outcome),
    Server,
    External,
}

/// All built-in actions, by name.
pub const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "std.async_noop",
        parameters: &[],
        doc: "Waits until somebody completes it from outside.",
        runs: Runs::External,
    },
    Builtin {
        name: "std.echo",
        parameters: &[("output", true), ("delay", false)],
        doc: "Gives `output` back, after `delay` seconds.",
        runs: Runs::Delayed(echo),
    },
    Builtin {
        name: "std.fail",
        parameters: &[("error_data", false)],
        doc: "Fails, with `error_data` as the error result if given.",
        runs: Runs::Inline(fail),
    },
    Builtin {
        name: "std.http",
        parameters: &[
            ("url", true),
            ("method", false),
            ("params", false),
            ("body", false),
            ("json", false),
            ("headers", false),
            ("cookies", false),
            ("auth", false),
            ("timeout", false),
            ("allow_redirects", false),
            ("proxies", false),
            ("verify", false),
        ],
        doc: "Sends an HTTP request and gives status, headers and content of the answer.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.noop",
        parameters: &[],
        doc: "Does nothing.",
        runs: Runs::Inline(|_| Outcome::Success(Data::null())),
    },
    Builtin {
        name: "std.sleep",
        parameters: &[("seconds", false)],
        doc: "Succeeds after `seconds`.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.test_dict",
        parameters: &[("size", false), ("key_prefix", false), ("val", false)],
        doc: "Gives a dict of `size` keys.",
        runs: Runs::Inline(test_dict),
    },
];

/// Most keys that `std.test_dict` makes.
const TEST_DICT_SIZE_MAX: i64 = 100_000;

pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// Runs an action that touches nothing outside.
pub(super) fn run_inline(builtin: &Builtin, input: &Value) -> Outcome {
    match builtin.runs {
        Runs::Inline(run) | Runs::Delayed(run) => run(input),
        Runs::Server | Runs::External => {
            Outcome::Error(Data::string("the action cannot run inside the engine"))
        }
    }
}

impl Builtin {
    /// Who runs it with this input.
    pub(super) fn runner(&self, input: &Value) -> Runner {
        match self.runs {
            Runs::Delayed(_) if seconds(input, "delay") > 0.0 => Runner::Server,
            Runs::Inline(_) | Runs::Delayed(_) => Runner::Inline,
            Runs::Server => Runner::Server,
            Runs::External => Runner::External,
        }
    }

    /// Whether the input has all required parameters and no unknown one; says what is wrong.
    pub(super) fn check_input(&self, input: &Dict) -> Result<(), String> {
        let required = self.parameters.iter().filter(|(_, required)| *required);
        let missing: Vec<&str> = required
            .map(|(name, _)| *name)
            .filter(|name| !input.contains_key(name))
            .collect();
        let is_known = |key: &Value| self.parameters.iter().any(|p| key.as_str() == Some(p.0));
        let unexpected: Vec<String> = input
            .keys()
            .filter(|key| !is_known(key))
            .map(|key| key.to_text())
            .collect();
        if missing.is_empty() && unexpected.is_empty() {
            return Ok(());
        }
        let mut wrong = String::new();
        if !missing.is_empty() {
            let _ = write!(wrong, "missing={missing:?}");
        }
        if !unexpected.is_empty() {
            let comma = if wrong.is_empty() { "" } else { ", " };
            let _ = write!(wrong, "{comma}unexpected={unexpected:?}");
        }
        Err(wrong)
    }
}

/// A number of seconds; anything that is none counts as 0, as in Mistral.
pub(super) fn seconds(input: &Value, name: &str) -> f64 {
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

fn echo(input: &Value) -> Outcome {
    result(input.get("output").unwrap_or(Value::Null))
}

fn fail(input: &Value) -> Outcome {
    match input.get("error_data").filter(Value::truthy) {
        Some(data) => match result(data) {
            Outcome::Success(data) => Outcome::Error(data),
            other => other,
        },
        None => Outcome::Error(Data::string("Fail action expected exception.")),
    }
}

fn test_dict(input: &Value) -> Outcome {
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
