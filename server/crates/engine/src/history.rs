//! What is recorded of an execution: numbered, typed, never changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lease::Loss;
use crate::state::{ActionState, ExecutionState, TaskState};

/// One event of an execution's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// 1, 2, 3 … without holes.
    #[serde(rename = "n")]
    pub sequence: i64,
    /// Microseconds since the epoch.
    #[serde(rename = "at")]
    pub time_us: i64,
    /// Run of the execution.
    #[serde(default = "first_run", skip_serializing_if = "is_first_run")]
    pub run: i32,
    /// Number of the task execution that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// Name of that task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_name: Option<Arc<str>>,
    /// Who caused it, for verbs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Arc<str>>,
    /// What the caller of a verb said of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Arc<str>>,
    /// What happened.
    #[serde(flatten)]
    pub kind: HistoryKind,
}

fn first_run() -> i32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_first_run(run: &i32) -> bool {
    *run == 1
}

/// What happened. Inputs, outputs and results are not repeated here: they stand in the rows of the
/// execution, task or action that the event names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HistoryKind {
    /// The execution was accepted.
    ExecutionStarted {
        /// Full name of the workflow.
        workflow: Arc<str>,
        /// Number of its revision.
        revision: i32,
        /// Text form of the parent's task id, of a sub-workflow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_task: Option<Arc<str>>,
        /// Uid of the execution that it repeats, as text, of a restart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Arc<str>>,
    },
    /// The execution changed its state.
    ExecutionStateChanged {
        /// Before.
        from: ExecutionState,
        /// Now.
        to: ExecutionState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        info: Option<Arc<str>>,
    },
    /// A task execution was created.
    TaskCreated {
        /// Its first state.
        state: TaskState,
        /// Numbers of the task executions that led here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        triggered_by: Vec<u32>,
        /// Number of the task execution that it undoes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo_of: Option<u32>,
    },
    /// A task execution changed its state.
    TaskStateChanged {
        /// Before.
        from: TaskState,
        /// Now.
        to: TaskState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        info: Option<Arc<str>>,
    },
    /// An action execution began.
    ActionStarted {
        /// Number within the task execution.
        action: u32,
        /// Name of the action.
        name: Arc<str>,
        /// Item, from 0.
        index: u32,
        /// Attempt, from 1.
        attempt: u32,
    },
    /// A worker had the action execution, and its lease has ended before the action did.
    ActionLeaseLost {
        /// Number within the task execution.
        action: u32,
        /// The worker, for people; its id if it has no such name.
        worker: Arc<str>,
        /// How often the action execution was handed out by then.
        delivery: u32,
        /// Why.
        loss: Loss,
    },
    /// An action execution changed its state.
    ActionStateChanged {
        /// Number within the task execution.
        action: u32,
        /// Now.
        state: ActionState,
    },
    /// A task published variables.
    VariablesPublished {
        /// Names for the tasks after this one.
        branch: Vec<Arc<str>>,
        /// Names for the whole execution.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        global: Vec<Arc<str>>,
    },
    /// A task waits for time.
    TimerStarted {
        /// What for.
        timer: TimerKind,
        /// Until when, microseconds since the epoch.
        due_us: i64,
    },
    /// The time came.
    TimerFired {
        /// What for.
        timer: TimerKind,
    },
    /// A sub-workflow was started.
    ChildStarted {
        /// Number of the action execution that stands for it.
        action: u32,
        /// Uid of the child, as text.
        child: Arc<str>,
        /// Full name of its workflow.
        workflow: Arc<str>,
        /// Item, from 0.
        index: u32,
    },
    /// A verb was applied.
    VerbApplied {
        /// Its name, such as "pause".
        verb: Arc<str>,
        /// Why, as the caller said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
        /// Idempotency id of the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<Arc<str>>,
    },
    /// The environment was changed.
    EnvironmentChanged {
        /// Names of the changed variables.
        names: Vec<Arc<str>>,
    },
    /// Fields of the input of a task were replaced for its first attempt of a rerun.
    InputChanged {
        /// Names of the replaced fields.
        names: Vec<Arc<str>>,
    },
    /// Nothing runs any more in the paused execution, nor below it.
    ExecutionDrained,
    /// A late or repeated result was refused or only recorded.
    ResultIgnored {
        /// Number of the action execution within the task execution.
        action: u32,
        /// Why.
        reason: Arc<str>,
    },
}

impl HistoryKind {
    /// The word of every kind, as rows and requests have it.
    pub const WORDS: &'static [&'static str] = &[
        "execution_started",
        "execution_state_changed",
        "task_created",
        "task_state_changed",
        "action_started",
        "action_lease_lost",
        "action_state_changed",
        "variables_published",
        "timer_started",
        "timer_fired",
        "child_started",
        "verb_applied",
        "environment_changed",
        "result_ignored",
        "execution_drained",
        "task_input_changed",
    ];

    /// Its word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ExecutionStarted { .. } => "execution_started",
            Self::ExecutionStateChanged { .. } => "execution_state_changed",
            Self::TaskCreated { .. } => "task_created",
            Self::TaskStateChanged { .. } => "task_state_changed",
            Self::ActionStarted { .. } => "action_started",
            Self::ActionLeaseLost { .. } => "action_lease_lost",
            Self::ActionStateChanged { .. } => "action_state_changed",
            Self::VariablesPublished { .. } => "variables_published",
            Self::TimerStarted { .. } => "timer_started",
            Self::TimerFired { .. } => "timer_fired",
            Self::ChildStarted { .. } => "child_started",
            Self::VerbApplied { .. } => "verb_applied",
            Self::EnvironmentChanged { .. } => "environment_changed",
            Self::ResultIgnored { .. } => "result_ignored",
            Self::ExecutionDrained => "execution_drained",
            Self::InputChanged { .. } => "task_input_changed",
        }
    }
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// `wait-before`.
    WaitBefore,
    /// `wait-after`.
    WaitAfter,
    /// The next attempt.
    Retry,
    /// `timeout`.
    Timeout,
}
