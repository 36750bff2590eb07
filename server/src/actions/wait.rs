//! Waiting: how long `std.sleep` and `std.echo` wait, and when that time is over.

use std::time::Duration;

use expr::Value;

use crate::clock;

/// Waits until `seconds` have passed since the action was created, not since now: a restart of the
/// server in between does not make it longer.
pub(super) async fn since_creation(created_us: i64, seconds: f64) {
    let passed_us = clock::now_us().saturating_sub(created_us);
    let passed = Duration::from_micros(u64::try_from(passed_us).unwrap_or(0));
    // What is longer than a Duration can say never ends either way.
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    tokio::time::sleep(whole.saturating_sub(passed)).await;
}

/// A number of seconds; what is none counts as 0, as in Mistral.
pub(super) fn seconds(input: &Value, name: &str, default: f64) -> f64 {
    let seconds = match input.get(name) {
        None => default,
        Some(Value::Str(text)) => text.trim().parse().unwrap_or(0.0),
        Some(value) => value.as_f64().unwrap_or(0.0),
    };
    if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_seconds_count_as_zero() {
        let cases = [
            ("{}", 1.0),
            (r#"{"seconds": 3}"#, 3.0),
            (r#"{"seconds": 0.25}"#, 0.25),
            (r#"{"seconds": " 2 "}"#, 2.0),
            (r#"{"seconds": "soon"}"#, 0.0),
            (r#"{"seconds": "inf"}"#, 0.0),
            (r#"{"seconds": -4}"#, 0.0),
            (r#"{"seconds": null}"#, 0.0),
            (r#"{"seconds": [1]}"#, 0.0),
        ];
        for (input, expected) in cases {
            let value = Value::from_json(input).unwrap();
            let given = seconds(&value, "seconds", 1.0);
            assert!((given - expected).abs() < f64::EPSILON, "{input}: {given}");
        }
    }
}
