//! The lines between `autan worker stdio` and its programs.
//!
//! Owns their form, which `docs/workers.md` tells people. Left to others: when they are written and
//! what follows from them (`program`).

use std::time::Duration;

use autan::{ActionContext, ActionError, ActionInfo};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Type of a failure that has none of its own.
const FAILURE: &str = "Failure";

/// What a program is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told<'a> {
    Task {
        id: u64,
        #[serde(flatten)]
        info: &'a ActionInfo,
        progress: Option<Box<RawValue>>,
        input: &'a RawValue,
    },
    Cancel {
        id: u64,
        reason: &'a str,
    },
}

/// The line of a task.
pub(super) fn task(id: u64, context: &ActionContext, input: &RawValue) -> String {
    write(&Told::Task {
        id,
        info: context.info(),
        // Progress that is no JSON comes from no program.
        progress: context.progress().ok().flatten(),
        input,
    })
}

/// The line that tells to stop a task.
pub(super) fn cancel(id: u64, reason: &str) -> String {
    write(&Told::Cancel { id, reason })
}

fn write(told: &Told<'_>) -> String {
    serde_json::to_string(told).expect("our own types always have a JSON form") + "\n"
}

/// What a program says.
#[derive(Debug)]
pub(super) enum Said {
    /// Of a task; without an id of the only one.
    Of(Option<u64>, Word),
    /// For the log.
    Log(tracing::Level, String),
}

/// What a program says of a task.
#[derive(Debug)]
pub(super) enum Word {
    Result(Box<RawValue>),
    Failure(Box<ActionError>),
    Deferred,
    Heartbeat(Box<RawValue>),
}

/// All that a line may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<u64>,
    #[serde(default, deserialize_with = "some")]
    result: Option<Box<RawValue>>,
    failure: Option<Failure>,
    #[serde(default)]
    deferred: bool,
    #[serde(default, deserialize_with = "some")]
    heartbeat: Option<Box<RawValue>>,
    log: Option<String>,
    #[serde(default)]
    level: Level,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`failure` must be a text, or an object with `message` and, if wanted, `type`, \
                 `details`, `stack`, `non_retryable` and `retry_after` (seconds)"
)]
enum Failure {
    Text(String),
    Full(ToldFailure),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldFailure {
    message: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    details: Option<serde_json::Value>,
    stack: Option<String>,
    #[serde(default)]
    non_retryable: bool,
    retry_after: Option<f64>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    #[default]
    Info,
    Warning,
    Error,
}

/// Here null is a value like any other.
fn some<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

impl Said {
    /// Reads a line; why it cannot be read.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let mut words = Vec::new();
        words.extend(line.result.map(Word::Result));
        if let Some(failure) = line.failure {
            words.push(Word::Failure(Box::new(failure.error()?)));
        }
        words.extend(line.deferred.then_some(Word::Deferred));
        words.extend(line.heartbeat.map(Word::Heartbeat));
        match (words.pop(), line.log) {
            (Some(word), None) if words.is_empty() => Ok(Self::Of(line.id, word)),
            (None, Some(text)) => Ok(Self::Log(line.level.into(), text)),
            (Some(_), _) => Err("it says more than one thing".to_owned()),
            (None, None) => Err(
                "it has none of `result`, `failure`, `deferred`, `heartbeat` and \
                                 `log`"
                    .to_owned(),
            ),
        }
    }
}

impl Failure {
    fn error(self) -> Result<ActionError, String> {
        let told = match self {
            Self::Text(message) => return Ok(failure(FAILURE, &message)),
            Self::Full(told) => told,
        };
        let mut error = failure(told.kind.as_deref().unwrap_or(FAILURE), &told.message);
        if let Some(details) = told.details {
            error = error.with_details(&details);
        }
        if let Some(stack) = told.stack {
            error = error.with_stack(stack);
        }
        if let Some(seconds) = told.retry_after {
            let delay = Duration::try_from_secs_f64(seconds);
            let delay = delay.map_err(|error| format!("`failure.retry_after`: {error}"))?;
            error = error.with_retry_after(delay);
        }
        if told.non_retryable {
            error = error.without_retry();
        }
        Ok(error)
    }
}

/// A failure that did not come from this program.
pub(super) fn failure(kind: &str, message: &str) -> ActionError {
    ActionError::new(message).with_type(kind).with_stack("")
}

impl From<Level> for tracing::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::DEBUG,
            Level::Info => Self::INFO,
            Level::Warning => Self::WARN,
            Level::Error => Self::ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        match Said::read(line) {
            Ok(Said::Of(id, word)) => {
                let word = match word {
                    Word::Result(value) => format!("result {value}"),
                    Word::Failure(error) => {
                        let delay = error.retry_delay();
                        format!("failure {error} {} {delay:?}", error.is_non_retryable())
                    }
                    Word::Deferred => "deferred".to_owned(),
                    Word::Heartbeat(value) => format!("heartbeat {value}"),
                };
                format!("{id:?} {word}")
            }
            Ok(Said::Log(level, text)) => format!("{level} {text}"),
            Err(error) => format!("no: {error}"),
        }
    }

    #[test]
    fn a_line_says_one_thing() {
        for (line, expected) in [
            (r#"{"result": null}"#, "None result null"),
            (
                r#"{"id": 7, "result": {"a": 1.0, "b": 9007199254740993}}"#,
                r#"Some(7) result {"a": 1.0, "b": 9007199254740993}"#,
            ),
            (
                r#"{"failure": "broken"}"#,
                "None failure Failure: broken false None",
            ),
            (
                r#"{"failure": {"message": "m", "type": "T", "retry_after": 1.5}}"#,
                "None failure T: m false Some(1.5s)",
            ),
            (
                r#"{"failure": {"message": "m", "non_retryable": true, "details": {"a": 1}}}"#,
                "None failure Failure: m true None",
            ),
            (r#"{"id": 1, "deferred": true}"#, "Some(1) deferred"),
            (
                r#"{"heartbeat": {"step": 1}}"#,
                r#"None heartbeat {"step": 1}"#,
            ),
            (r#"{"log": "text", "level": "warning"}"#, "WARN text"),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
        for (line, part) in [
            ("hello", "expected value"),
            (r#"{"results": 1}"#, "unknown field `results`"),
            (r#"{"id": 1}"#, "none of `result`"),
            (r#"{"result": 1, "failure": "x"}"#, "more than one thing"),
            (
                r#"{"failure": {"text": "x"}}"#,
                "`failure` must be a text, or",
            ),
            (
                r#"{"failure": {"message": "x", "retry_after": -1}}"#,
                "`failure.retry_after`",
            ),
        ] {
            let found = read(line);
            assert!(found.starts_with("no: ") && found.contains(part), "{found}");
        }
    }
}
