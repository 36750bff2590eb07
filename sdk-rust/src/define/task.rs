//! One task of a workflow, and what all tasks of a workflow share.

use serde_json::{Map, Value};

use super::next::Next;
use super::retry::Retry;
use super::rollback::Rollback;

/// Defines what tasks and task defaults have in common.
macro_rules! shared_policies {
    ($name:ident) => {
        impl $name {
            /// Tries again when it fails.
            #[must_use]
            pub fn retry(self, retry: Retry) -> Self {
                self.set("retry", retry.into_value())
            }

            /// Waits for so many seconds before it begins.
            #[must_use]
            pub fn wait_before(self, seconds: impl Into<Value>) -> Self {
                self.set("wait-before", seconds)
            }

            /// Waits for so many seconds before anything follows.
            #[must_use]
            pub fn wait_after(self, seconds: impl Into<Value>) -> Self {
                self.set("wait-after", seconds)
            }

            /// Fails it after so many seconds.
            #[must_use]
            pub fn timeout(self, seconds: impl Into<Value>) -> Self {
                self.set("timeout", seconds)
            }

            /// Fails an attempt of a worker that takes more than so many seconds.
            #[must_use]
            pub fn start_to_close(self, seconds: impl Into<Value>) -> Self {
                self.set("start-to-close", seconds)
            }

            /// Fails it if no worker takes it for so many seconds.
            #[must_use]
            pub fn schedule_to_start(self, seconds: impl Into<Value>) -> Self {
                self.set("schedule-to-start", seconds)
            }

            /// Hands an attempt out again whose worker says nothing of it for so many seconds.
            #[must_use]
            pub fn heartbeat(self, seconds: impl Into<Value>) -> Self {
                self.set("heartbeat", seconds)
            }

            /// Pauses the execution before it: true, false or an expression.
            #[must_use]
            pub fn pause_before(self, condition: impl Into<Value>) -> Self {
                self.set("pause-before", condition)
            }

            /// Fails it although it succeeded: true, false or an expression.
            #[must_use]
            pub fn fail_on(self, condition: impl Into<Value>) -> Self {
                self.set("fail-on", condition)
            }

            /// Runs at most so many items of a `with_items` at once.
            #[must_use]
            pub fn concurrency(self, items: impl Into<Value>) -> Self {
                self.set("concurrency", items)
            }

            /// Says that its action may be run again when nobody knows whether it ran.
            #[must_use]
            pub fn safe_rerun(self, safe: impl Into<Value>) -> Self {
                self.set("safe-rerun", safe)
            }

            /// Adds what follows a success.
            #[must_use]
            pub fn on_success(self, next: impl Into<Next>) -> Self {
                self.push("on-success", next.into().into_value())
            }

            /// Adds what follows an error, which this handles.
            #[must_use]
            pub fn on_error(self, next: impl Into<Next>) -> Self {
                self.push("on-error", next.into().into_value())
            }

            /// Adds what follows success or error.
            #[must_use]
            pub fn on_complete(self, next: impl Into<Next>) -> Self {
                self.push("on-complete", next.into().into_value())
            }

            /// Adds what follows when an operator skips it.
            #[must_use]
            pub fn on_skip(self, next: impl Into<Next>) -> Self {
                self.push("on-skip", next.into().into_value())
            }

            /// Of a reverse workflow: adds a task that must have succeeded before.
            #[must_use]
            pub fn requires(self, task: impl Into<String>) -> Self {
                self.push("requires", Value::String(task.into()))
            }

            /// Sets a key that has no method here, or replaces what a method wrote.
            #[must_use]
            pub fn set(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
                self.keys.insert(key.into(), value.into());
                self
            }

            fn push(mut self, key: &str, value: Value) -> Self {
                push(&mut self.keys, key, value);
                self
            }
        }
    };
}

/// One task.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    name: String,
    keys: Map<String, Value>,
}

impl Task {
    /// Runs an action.
    pub fn action(name: impl Into<String>, action: impl Into<String>) -> Self {
        Self::new(name).set("action", action.into())
    }

    /// Runs a sub-workflow.
    pub fn workflow(name: impl Into<String>, workflow: impl Into<String>) -> Self {
        Self::new(name).set("workflow", workflow.into())
    }

    /// Runs nothing: a place where branches meet or part.
    pub fn noop(name: impl Into<String>) -> Self {
        Self::action(name, "std.noop")
    }

    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            keys: Map::new(),
        }
    }

    /// Free text.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        self.set("description", description.into())
    }

    /// Adds a label for people.
    #[must_use]
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.push("tags", Value::String(tag.into()))
    }

    /// The whole input: an object, or an expression that gives one.
    #[must_use]
    pub fn input(self, input: impl Into<Value>) -> Self {
        self.set("input", input)
    }

    /// Adds a variable for the tasks after this one when it succeeds.
    #[must_use]
    pub fn publish(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert("publish", name.into(), value.into())
    }

    /// Adds a variable for the tasks after this one when it fails.
    #[must_use]
    pub fn publish_on_error(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert("publish-on-error", name.into(), value.into())
    }

    /// Adds a variable for the tasks after this one when it is skipped.
    #[must_use]
    pub fn publish_on_skip(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert("publish-on-skip", name.into(), value.into())
    }

    /// Runs once for each element of a list, an expression; the element is the variable `item`.
    /// Several lists are walked through in step.
    #[must_use]
    pub fn with_items(self, item: impl AsRef<str>, list: impl AsRef<str>) -> Self {
        let clause = format!("{} in {}", item.as_ref(), list.as_ref());
        self.push("with-items", Value::String(clause))
    }

    /// Begins when all tasks that lead here have ended.
    #[must_use]
    pub fn join_all(self) -> Self {
        self.set("join", "all")
    }

    /// Begins with the first of the tasks that lead here.
    #[must_use]
    pub fn join_one(self) -> Self {
        self.set("join", "one")
    }

    /// Begins when so many of the tasks that lead here have ended.
    #[must_use]
    pub fn join(self, count: u32) -> Self {
        self.set("join", count)
    }

    /// Runs on workers of this name: a text or an expression.
    #[must_use]
    pub fn target(self, target: impl Into<String>) -> Self {
        self.set("target", target.into())
    }

    /// Runs only on workers that provide this version of its action: a text or an expression.
    #[must_use]
    pub fn action_version(self, version: impl Into<String>) -> Self {
        self.set("action-version", version.into())
    }

    /// Prefers the worker that others with the same text prefer: a text or an expression.
    #[must_use]
    pub fn affinity_key(self, key: impl Into<String>) -> Self {
        self.set("affinity-key", key.into())
    }

    /// What undoes it when the execution is rolled back.
    #[must_use]
    pub fn rollback(self, undo: Rollback) -> Self {
        self.set("rollback", undo.into_value())
    }

    /// Forgets the result once it has been published.
    #[must_use]
    pub fn discard_result(self) -> Self {
        self.set("keep-result", false)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn into_entry(self) -> (String, Value) {
        (self.name, Value::Object(self.keys))
    }

    fn insert(mut self, key: &str, name: String, value: Value) -> Self {
        insert(&mut self.keys, key, name, value);
        self
    }
}

shared_policies!(Task);

/// What the tasks of a workflow share unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskDefaults {
    keys: Map<String, Value>,
}

impl TaskDefaults {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.keys)
    }
}

shared_policies!(TaskDefaults);

/// Adds to a list, which begins anew where something else was set.
pub(super) fn push(keys: &mut Map<String, Value>, key: &str, value: Value) {
    let slot = keys.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    match slot {
        Value::Array(list) => list.push(value),
        other => *other = Value::Array(vec![value]),
    }
}

/// Adds to an object, which begins anew where something else was set.
pub(super) fn insert(keys: &mut Map<String, Value>, key: &str, name: String, value: Value) {
    let slot = keys.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(object) = slot {
        object.insert(name, value);
    }
}
