//! How a failed task is tried again.

use serde_json::{Map, Value};

/// The `retry` policy of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry(Map<String, Value>);

impl Retry {
    /// Tries again at most so often: a number or an expression. Without a delay it does so at once.
    pub fn times(count: impl Into<Value>) -> Self {
        let mut map = Map::new();
        map.insert("count".to_owned(), count.into());
        map.insert("delay".to_owned(), Value::from(0));
        Self(map)
    }

    /// Seconds between attempts: a number or an expression.
    #[must_use]
    pub fn delay(self, seconds: impl Into<Value>) -> Self {
        self.with("delay", seconds)
    }

    /// Gives up early if this expression is true after a failure.
    #[must_use]
    pub fn break_on(self, expression: impl Into<String>) -> Self {
        self.with("break-on", expression.into())
    }

    /// Goes on, even after a success, for as long as this expression is true.
    #[must_use]
    pub fn continue_on(self, expression: impl Into<String>) -> Self {
        self.with("continue-on", expression.into())
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
