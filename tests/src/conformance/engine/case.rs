//! The recorded form of an engine case.
//!
//! Owns reading it. A step that the runner does not know is kept by name, so that one strange case
//! does not stop the others.

use serde::Deserialize;
use serde_json::Value;

/// One recorded run.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) steps: Vec<Step>,
    /// Every workflow execution in the end.
    #[serde(rename = "final")]
    pub(super) executions: Vec<Execution>,
    /// Results that a worker is to give, where the case needs one.
    pub(super) script: Option<Value>,
}

/// Something done, or waited for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    Do(Box<Do>),
    Await(Await),
}

/// A call; which arguments are there depends on its name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Do {
    #[serde(rename = "do")]
    pub(super) call: String,
    #[serde(default)]
    pub(super) yaml: String,
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) workflow: String,
    pub(super) input: Option<Value>,
    pub(super) params: Option<Value>,
    #[serde(default)]
    pub(super) description: String,
    /// Of an environment.
    #[serde(default)]
    pub(super) name: String,
    /// Of an environment.
    pub(super) variables: Option<Value>,
    /// An execution, for verbs.
    pub(super) wf: Option<Reference>,
    /// An action execution, for results; a name, for `start_action`.
    pub(super) action: Option<Value>,
    pub(super) result: Option<Value>,
    pub(super) state: Option<String>,
    pub(super) message: Option<String>,
    pub(super) env: Option<Value>,
    /// A task execution, for `rerun`.
    pub(super) task: Option<Reference>,
    #[serde(default)]
    pub(super) reset: bool,
    #[serde(default)]
    pub(super) skip: bool,
    /// Mistral refused the call.
    pub(super) raised: Option<Value>,
}

/// The result of an action, as Mistral's engine takes it.
#[derive(Debug, Deserialize)]
pub(super) struct ActionResult {
    pub(super) data: Value,
    pub(super) error: Value,
    pub(super) cancel: bool,
}

/// Waiting for a state.
#[derive(Debug, Deserialize)]
pub(super) struct Await {
    #[serde(rename = "await")]
    pub(super) event: String,
    pub(super) on: Reference,
    pub(super) state: Option<String>,
    /// Mistral never reached the state: the recorded test wanted that.
    pub(super) raised: Option<Value>,
}

impl Await {
    /// The state to wait for, or `PROCESSED`.
    pub(super) fn wanted(&self) -> String {
        let named = || {
            let word = self.event.split_once('_').map_or("", |(_, word)| word);
            word.to_ascii_uppercase()
        };
        self.state.clone().unwrap_or_else(named)
    }
}

/// Which thing of a run is meant.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Reference {
    /// The execution that was started so many starts ago, from 0.
    Root { root: usize },
    /// An action execution of a task.
    Action {
        wf: Box<Self>,
        task: String,
        nth: usize,
        item: i32,
        action_nth: usize,
    },
    /// A child workflow of a task.
    Child {
        wf: Box<Self>,
        task: String,
        nth: usize,
        sub: usize,
    },
    /// A task execution.
    Task {
        wf: Box<Self>,
        task: String,
        nth: usize,
    },
}

/// A workflow execution as it was in the end.
#[derive(Debug, Deserialize)]
pub(super) struct Execution {
    #[serde(rename = "ref")]
    pub(super) reference: Reference,
    pub(super) state: String,
    pub(super) output: Value,
    pub(super) tasks: Vec<Task>,
}

/// A task execution as it was in the end.
#[derive(Debug, Deserialize)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) published: Value,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_told_apart_by_their_keys() {
        let read = |value: Value| serde_json::from_value::<Reference>(value).unwrap();
        let root = json!({"root": 1});
        assert!(matches!(read(root.clone()), Reference::Root { root: 1 }));
        let task = json!({"wf": root, "task": "t", "nth": 0});
        assert!(matches!(read(task.clone()), Reference::Task { .. }));
        let mut child = task.clone();
        child["sub"] = json!(2);
        assert!(matches!(read(child), Reference::Child { sub: 2, .. }));
        let mut action = task;
        action["item"] = json!(0);
        action["action_nth"] = json!(1);
        assert!(matches!(
            read(action),
            Reference::Action { action_nth: 1, .. }
        ));
    }

    #[test]
    fn the_name_of_a_wait_holds_its_state() {
        let read = |value: Value| serde_json::from_value::<Await>(value).unwrap().wanted();
        let on = json!({"root": 0});
        assert_eq!(
            read(json!({"await": "task_delayed", "on": on, "state": null})),
            "DELAYED"
        );
        assert_eq!(
            read(json!({"await": "task_state", "on": on, "state": "IDLE"})),
            "IDLE"
        );
    }
}
