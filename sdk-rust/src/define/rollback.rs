//! What undoes a task when its execution is rolled back.

use serde_json::{Map, Value};

use super::retry::Retry;

/// The `rollback` of a task: an action or a workflow. Its expressions see what the task saw and
/// published; `task()` is the task.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback(Map<String, Value>);

impl Rollback {
    /// Runs an action.
    pub fn action(action: impl Into<String>) -> Self {
        Self(Map::new()).with("action", action.into())
    }

    /// Runs a workflow.
    pub fn workflow(workflow: impl Into<String>) -> Self {
        Self(Map::new()).with("workflow", workflow.into())
    }

    /// The whole input: an object, or an expression that gives one.
    #[must_use]
    pub fn input(self, input: impl Into<Value>) -> Self {
        self.with("input", input)
    }

    /// Tries again when it fails.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        self.with("retry", retry.into_value())
    }

    /// Fails it after so many seconds: a number or an expression.
    #[must_use]
    pub fn timeout(self, seconds: impl Into<Value>) -> Self {
        self.with("timeout", seconds)
    }

    /// Runs on workers of this name: a text or an expression.
    #[must_use]
    pub fn target(self, target: impl Into<String>) -> Self {
        self.with("target", target.into())
    }

    /// Runs only on workers that provide this version of its action: a text or an expression.
    #[must_use]
    pub fn action_version(self, version: impl Into<String>) -> Self {
        self.with("action-version", version.into())
    }

    /// Prefers the worker that others with the same text prefer: a text or an expression.
    #[must_use]
    pub fn affinity_key(self, key: impl Into<String>) -> Self {
        self.with("affinity-key", key.into())
    }

    /// Fails an attempt of a worker that takes more than so many seconds.
    #[must_use]
    pub fn start_to_close(self, seconds: impl Into<Value>) -> Self {
        self.with("start-to-close", seconds)
    }

    /// Fails it if no worker takes it for so many seconds.
    #[must_use]
    pub fn schedule_to_start(self, seconds: impl Into<Value>) -> Self {
        self.with("schedule-to-start", seconds)
    }

    /// Hands an attempt out again whose worker says nothing of it for so many seconds.
    #[must_use]
    pub fn heartbeat(self, seconds: impl Into<Value>) -> Self {
        self.with("heartbeat", seconds)
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
