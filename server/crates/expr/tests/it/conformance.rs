//! Runs the recorded behaviour of YAQL, read from the folder that `AUTAN_CONFORMANCE` names or
//! from beside the repository, and prints how much of it holds.

use std::path::PathBuf;
use std::sync::Arc;

use expr::{Context, Host, HostError, NoHost, Template, Value};

/// The share of cases that must hold.
const VALUES_MIN: f64 = 1.0;
const ERRORS_MIN: f64 = 0.95;

#[test]
#[expect(clippy::print_stderr, reason = "the figures are what the run is for")]
#[expect(
    clippy::disallowed_methods,
    reason = "the recorded behaviour is in files"
)]
fn recorded_yaql_holds() {
    let folder = std::env::var_os("AUTAN_CONFORMANCE").map_or_else(default_folder, PathBuf::from);
    let file = folder.join("yaql.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("SKIPPED: no recorded behaviour at {}", file.display());
        return;
    };
    let (mut values, mut errors) = (Tally::default(), Tally::default());
    for line in text.lines() {
        let case = Value::from_json(line).expect("each line is JSON");
        let expr = case.get("expr").expect("each case has an expression");
        let found = run(expr.as_str().unwrap(), case.get("data").unwrap_or_default());
        match case.get("value") {
            Some(wanted) => {
                let good = found.as_ref().is_ok_and(|found| same(found, &wanted));
                values.count(good, || format!("{expr:?}: {found:?}, not {wanted:?}"));
            }
            None => errors.count(found.is_err(), || {
                format!("{expr:?}: {found:?}, not an error")
            }),
        }
    }
    eprintln!("recorded values: {values}\nrecorded errors: {errors}");
    assert!(values.share() >= VALUES_MIN, "{}", values.wrong.join("\n"));
    assert!(errors.share() >= ERRORS_MIN, "{}", errors.wrong.join("\n"));
}

/// Knows the time and chance, which are all that the recorded cases ask for.
struct Clock;

impl Host for Clock {
    fn call(
        &self,
        name: &str,
        args: &[Value],
        kwargs: &[(Arc<str>, Value)],
    ) -> Result<Value, HostError> {
        match name {
            "now" => Ok(Value::from(1_700_000_000_000_000_i64)),
            "random" => Ok(Value::from(0.5)),
            _ => NoHost.call(name, args, kwargs),
        }
    }
}

fn default_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/conformance")
}

/// Through the same door as a workflow: compiled, evaluated, written as JSON and read back.
fn run(expr: &str, data: Value) -> Result<Value, String> {
    let (template, _) = Template::compile_str(&format!("<% {expr} %>"));
    let value = template
        .eval(&Context::new(data, &Clock))
        .map_err(|error| error.message)?;
    let json = value.to_json().map_err(|error| error.to_string())?;
    Value::from_json(&json).map_err(|error| error.to_string())
}

/// Whether two values are alike as JSON, where the order of a list that was a set is free.
fn same(found: &Value, wanted: &Value) -> bool {
    let sorted = |value: &Value| {
        let mut items: Vec<String> = value
            .as_list()?
            .iter()
            .map(|item| item.to_json().unwrap())
            .collect();
        items.sort();
        Some(items)
    };
    // In YAQL a boolean equals an integer, but not here.
    let kind = |value: &Value| value.type_name();
    found == wanted && kind(found) == kind(wanted)
        || sorted(found).is_some_and(|found| Some(found) == sorted(wanted))
}

#[derive(Default)]
struct Tally {
    good: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, good: bool, describe: impl FnOnce() -> String) {
        if good {
            self.good += 1;
        } else {
            self.wrong.push(describe());
        }
    }

    fn total(&self) -> usize {
        self.good + self.wrong.len()
    }

    fn share(&self) -> f64 {
        f64::from(u32::try_from(self.good).unwrap())
            / f64::from(u32::try_from(self.total().max(1)).unwrap())
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of {} hold ({:.1} %)",
            self.good,
            self.total(),
            self.share() * 100.0
        )
    }
}
