//! What follows a task.

use serde_json::{Map, Value};

/// A transition: to a task or to an engine command, with a condition if need be. A plain task name
/// converts into one.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    target: String,
    condition: Option<String>,
}

impl Next {
    /// Goes to a task.
    pub fn to(task: impl Into<String>) -> Self {
        Self {
            target: task.into(),
            condition: None,
        }
    }

    /// Ends the execution in ERROR with a message, which may hold expressions.
    pub fn fail(message: impl AsRef<str>) -> Self {
        Self::command("fail", message.as_ref())
    }

    /// Ends the execution in SUCCESS with a message, which may hold expressions.
    pub fn succeed(message: impl AsRef<str>) -> Self {
        Self::command("succeed", message.as_ref())
    }

    /// Pauses the execution.
    pub fn pause() -> Self {
        Self::to("pause")
    }

    /// Goes nowhere; after an error this handles it.
    pub fn noop() -> Self {
        Self::to("noop")
    }

    /// Only if this expression is true.
    #[must_use]
    pub fn when(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// The language has no escapes inside an inline parameter, so the message is put into those
    /// quotes that it does not contain; if it contains both, double ones become single ones.
    fn command(name: &str, message: &str) -> Self {
        let quoted = match (message.contains('"'), message.contains('\'')) {
            (false, _) => format!("\"{message}\""),
            (true, false) => format!("'{message}'"),
            (true, true) => format!("\"{}\"", message.replace('"', "'")),
        };
        Self::to(format!("{name} msg={quoted}"))
    }

    pub(super) fn into_value(self) -> Value {
        match self.condition {
            None => Value::String(self.target),
            Some(condition) => {
                let mut map = Map::new();
                map.insert(self.target, Value::String(condition));
                Value::Object(map)
            }
        }
    }
}

impl From<&str> for Next {
    fn from(task: &str) -> Self {
        Self::to(task)
    }
}

impl From<String> for Next {
    fn from(task: String) -> Self {
        Self::to(task)
    }
}
