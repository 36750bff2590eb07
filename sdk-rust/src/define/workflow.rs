//! Workflows and workbooks written in code.

use serde_json::{Map, Value};

use super::task::{Task, TaskDefaults, insert, push};
use super::yaml;

/// The version of the language.
const VERSION: &str = "2.0";

/// One workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    name: String,
    keys: Map<String, Value>,
    tasks: Map<String, Value>,
}

impl Workflow {
    /// A workflow without tasks.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            keys: Map::new(),
            tasks: Map::new(),
        }
    }

    /// Orders tasks by what they require instead of by transitions.
    #[must_use]
    pub fn reverse(self) -> Self {
        self.set("type", "reverse")
    }

    /// Free text.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        self.set("description", description.into())
    }

    /// Adds a label for people.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        push(&mut self.keys, "tags", Value::String(tag.into()));
        self
    }

    /// Adds an input that the caller must give.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>) -> Self {
        push(&mut self.keys, "input", Value::String(name.into()));
        self
    }

    /// Adds an input that the caller may give. The default is taken as it is: it is no expression.
    #[must_use]
    pub fn input_with_default(
        mut self,
        name: impl Into<String>,
        default: impl Into<Value>,
    ) -> Self {
        let mut input = Map::new();
        input.insert(name.into(), default.into());
        push(&mut self.keys, "input", Value::Object(input));
        self
    }

    /// Adds a variable that is set at the start.
    #[must_use]
    pub fn var(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        insert(&mut self.keys, "vars", name.into(), value.into());
        self
    }

    /// Adds a part of the output.
    #[must_use]
    pub fn output(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        insert(&mut self.keys, "output", name.into(), value.into());
        self
    }

    /// Adds a part of the output of a failed execution.
    #[must_use]
    pub fn output_on_error(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        insert(&mut self.keys, "output-on-error", name.into(), value.into());
        self
    }

    /// Adds an end at which it rolls back by itself: `error` or `cancel`.
    #[must_use]
    pub fn rollback_on(mut self, end: impl Into<String>) -> Self {
        push(&mut self.keys, "rollback-on", Value::String(end.into()));
        self
    }

    /// Makes wrong expressions, names and parameters errors of their tasks, to which `on-error`
    /// applies. Without it they end the execution.
    #[must_use]
    pub fn catch_expression_errors(self) -> Self {
        self.set("catch-expression-errors", true)
    }

    /// What its tasks share unless they say otherwise.
    #[must_use]
    pub fn task_defaults(self, defaults: TaskDefaults) -> Self {
        self.set("task-defaults", defaults.into_value())
    }

    /// Adds a task. One of the same name is replaced.
    #[must_use]
    pub fn task(mut self, task: Task) -> Self {
        let (name, value) = task.into_entry();
        self.tasks.insert(name, value);
        self
    }

    /// Sets a key that has no method here, or replaces what a method wrote.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.keys.insert(key.into(), value.into());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A document of this workflow alone.
    pub fn to_yaml(&self) -> String {
        let mut document = Map::new();
        document.insert("version".to_owned(), VERSION.into());
        document.insert(self.name.clone(), self.to_value());
        yaml::render(&document)
    }

    fn to_value(&self) -> Value {
        let mut keys = self.keys.clone();
        keys.insert("tasks".to_owned(), Value::Object(self.tasks.clone()));
        Value::Object(keys)
    }
}

/// A bundle of workflows and ad-hoc actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Workbook {
    name: String,
    keys: Map<String, Value>,
}

impl Workbook {
    /// An empty workbook.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            keys: Map::new(),
        }
    }

    /// Free text.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.keys
            .insert("description".to_owned(), Value::String(description.into()));
        self
    }

    /// Adds a workflow, which will be called `workbook.workflow`.
    #[must_use]
    pub fn workflow(mut self, workflow: &Workflow) -> Self {
        insert(
            &mut self.keys,
            "workflows",
            workflow.name.clone(),
            workflow.to_value(),
        );
        self
    }

    /// Adds an ad-hoc action: another action with some of its input filled in. `definition` is an
    /// object with `base`, `base-input`, `input`, `output`.
    #[must_use]
    pub fn action(mut self, name: impl Into<String>, definition: impl Into<Value>) -> Self {
        insert(&mut self.keys, "actions", name.into(), definition.into());
        self
    }

    /// The document.
    pub fn to_yaml(&self) -> String {
        let mut document = Map::new();
        document.insert("version".to_owned(), VERSION.into());
        document.insert("name".to_owned(), Value::String(self.name.clone()));
        document.extend(self.keys.clone());
        yaml::render(&document)
    }
}
