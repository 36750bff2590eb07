//! The checked form of a definition: what the engine runs.
//!
//! **Invariant:** a model is complete. Task defaults are already merged into each task, publishing
//! clauses of one final state are already merged into one, every expression is compiled, every
//! transition names a task of the same workflow or an engine command, and the graph is resolved.
//! Reading documents and finding faults in them is left to `yaml` and `check`.

use std::sync::Arc;

use expr::{Template, Value};
use indexmap::IndexMap;

/// Which of the three documents of the language a text is. Chosen by the caller, not by content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `version` and one or more workflows at the top level.
    Workflows,
    /// `version`, `name`, `workflows` and `actions`.
    Workbook,
    /// `version` and one or more ad-hoc actions at the top level.
    Actions,
}

/// A whole document without errors.
#[derive(Clone, Debug)]
pub enum Document {
    /// Workflows in document order.
    Workflows(Vec<Arc<Workflow>>),
    /// A workbook with its members.
    Workbook(Workbook),
    /// Ad-hoc actions in document order.
    Actions(Vec<Arc<Action>>),
}

/// A bundle of workflows and ad-hoc actions that is applied as one.
#[derive(Clone, Debug)]
pub struct Workbook {
    /// Prefix of the names of all members: `name.member`.
    pub name: Arc<str>,
    /// Free text, if given.
    pub description: Option<Arc<str>>,
    /// Labels for people.
    pub tags: Vec<Arc<str>>,
    /// Members under their short names.
    pub workflows: Vec<Arc<Workflow>>,
    /// Members under their short names.
    pub actions: Vec<Arc<Action>>,
}

/// How the order of tasks is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkflowType {
    /// By transitions: `on-success`, `on-error`, `on-complete`, `on-skip`.
    Direct,
    /// By dependencies: `requires`, from a target task given at start.
    Reverse,
}

/// One declared input of a workflow or ad-hoc action.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Name of the input.
    pub name: Arc<str>,
    /// Value when the caller gives none; never evaluated. `None` means that the input is required.
    pub default: Option<Value>,
}

/// One workflow.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Name as written; in a workbook without its prefix.
    pub name: Arc<str>,
    /// Free text, if given.
    pub description: Option<Arc<str>>,
    /// Labels for people.
    pub tags: Vec<Arc<str>>,
    /// Direct or reverse.
    pub workflow_type: WorkflowType,
    /// Declared inputs in order.
    pub input: Vec<Parameter>,
    /// Evaluated once at success; a dict template.
    pub output: Option<Template>,
    /// Evaluated once at failure; a dict template.
    pub output_on_error: Option<Template>,
    /// Evaluated once at start; a dict template.
    pub vars: Option<Template>,
    /// Tasks in document order.
    pub tasks: IndexMap<Arc<str>, Task>,
    /// Which ends of an execution are followed by a rollback without being asked for.
    pub rollback_on: RollbackOn,
    /// Whether an error of an expression is an error of its task, to which `on-error` applies, and
    /// not the end of the execution.
    pub catch_expression_errors: bool,
    /// Who leads to whom.
    pub graph: Graph,
    /// The workflow as parsed, with `name` and `version` added: what `execution().spec` shows.
    pub spec: Value,
    /// The text of a list document with only this workflow; empty in a workbook.
    pub source: Arc<str>,
}

/// When an execution rolls itself back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RollbackOn {
    /// Instead of ending in ERROR.
    pub error: bool,
    /// Instead of ending in CANCELLED.
    pub cancel: bool,
}

/// The resolved edges of a workflow; tasks are positions in [`Workflow::tasks`].
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Direct: tasks without inbound transition, in document order. Reverse: empty.
    pub start: Vec<usize>,
    /// Direct: for each task, the distinct tasks with a transition of any kind to it (conditions
    /// do not matter), in document order. Reverse: the tasks that it requires.
    pub inbound: Vec<Vec<usize>>,
}

/// What a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// An action; also when neither is given (`std.noop`).
    Action,
    /// A sub-workflow.
    Workflow,
}

/// A name with inline parameters: `std.echo output="x"`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name; may be an expression.
    pub name: Template,
    /// Inline parameters in order of appearance. They win over `input`.
    pub params: IndexMap<Arc<str>, Template>,
}

/// One `name in source` of `with-items`.
#[derive(Clone, Debug)]
pub struct Item {
    /// Variable that holds the item.
    pub name: Arc<str>,
    /// A literal list or an expression.
    pub source: Template,
}

/// What a task publishes when it ends in one of the publishing states.
#[derive(Clone, Debug, Default)]
pub struct Publish {
    /// Visible to the tasks after this one; a dict template.
    pub branch: Option<Template>,
    /// Visible in the whole execution; a dict template.
    pub global: Option<Template>,
    /// As `global`, read and written as one step; a dict template.
    pub atomic: Option<Template>,
}

/// One possible next step of a task.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Where to.
    pub target: Target,
    /// Taken only if this is truthy; absent means always.
    pub condition: Option<Template>,
}

/// Where a transition leads.
#[derive(Clone, Debug)]
pub enum Target {
    /// A task of the same workflow: position in [`Workflow::tasks`].
    Task(usize),
    /// An engine command.
    Command(Command),
}

/// An engine command as a transition target.
#[derive(Clone, Debug)]
pub struct Command {
    /// Which one.
    pub kind: CommandKind,
    /// The `msg` parameter, if given.
    pub message: Option<Template>,
}

/// The engine commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// Nothing; an `on-error` with it marks the error as handled.
    Noop,
    /// End the workflow in ERROR.
    Fail,
    /// End the workflow in SUCCESS.
    Succeed,
    /// Pause the workflow.
    Pause,
}

/// How many inbound tasks a join waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Join {
    /// All of them; one that can no longer lead to it makes it fail.
    All,
    /// All that still can lead to it, at least one.
    AllActive,
    /// This many; `one` is 1.
    Count(u32),
}

/// Retry policy.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Re-executions after the first attempt; evaluates to an integer >= 0.
    pub count: Template,
    /// Seconds between attempts; evaluates to an integer >= 0.
    pub delay: Template,
    /// No further attempt after an error if this is true.
    pub break_on: Option<Template>,
    /// Another attempt only if this is true, also after success.
    pub continue_on: Option<Template>,
}

/// Policies of a task, with the defaults of the workflow already merged in (a falsy literal counts
/// as "not set", as in Mistral).
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Evaluates to a boolean.
    pub pause_before: Option<Template>,
    /// Seconds, an integer >= 0.
    pub wait_before: Option<Template>,
    /// Seconds, an integer >= 0.
    pub wait_after: Option<Template>,
    /// Seconds, an integer >= 0.
    pub timeout: Option<Template>,
    /// Most children of a with-items task at the same time, an integer >= 0.
    pub concurrency: Option<Template>,
    /// Seconds that one attempt of a worker may take, an integer >= 0.
    pub start_to_close: Option<Template>,
    /// Seconds that a call may wait for a worker, an integer >= 0.
    pub schedule_to_start: Option<Template>,
    /// Seconds that an attempt of a worker may say nothing of itself, an integer >= 0.
    pub heartbeat: Option<Template>,
    /// Turns success into error when true; evaluates to a boolean.
    pub fail_on: Option<Template>,
    /// Further attempts.
    pub retry: Option<Retry>,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name, the key in the document.
    pub name: Arc<str>,
    /// Free text, if given.
    pub description: Option<Arc<str>>,
    /// Labels for people.
    pub tags: Vec<Arc<str>>,
    /// Action or sub-workflow.
    pub body: Body,
    /// What to call.
    pub call: Call,
    /// A dict template, or one expression that must evaluate to a dict.
    pub input: Option<Template>,
    /// Empty if the task has no `with-items`.
    pub with_items: Vec<Item>,
    /// Policies, defaults merged in.
    pub policies: Policies,
    /// Effective publishing when the task ends in SUCCESS: `on-success`, then the task's own
    /// `publish`, then `on-complete`, later ones winning.
    pub publish: Publish,
    /// The same for ERROR: `on-error`, `publish-on-error`, `on-complete`.
    pub publish_on_error: Publish,
    /// The same for SKIPPED: `on-skip`, `publish-on-skip`, `on-complete`.
    pub publish_on_skip: Publish,
    /// Transitions, defaults merged in.
    pub on_success: Vec<Transition>,
    /// Transitions, defaults merged in.
    pub on_error: Vec<Transition>,
    /// Transitions, defaults merged in.
    pub on_complete: Vec<Transition>,
    /// Transitions, defaults merged in.
    pub on_skip: Vec<Transition>,
    /// Present on a join task.
    pub join: Option<Join>,
    /// Worker queue to run on; evaluates to a string.
    pub target: Option<Template>,
    /// Version of the action that its worker must provide; evaluates to a string.
    pub action_version: Option<Template>,
    /// What tasks have in common that are best run by the same worker; evaluates to a string.
    pub affinity_key: Option<Template>,
    /// Whether results are kept after completion; default true.
    pub keep_result: Option<Template>,
    /// Whether a redelivered action may run again; default false.
    pub safe_rerun: Option<Template>,
    /// What undoes this task, in the form of a task: call, input, retry, times, which worker it is
    /// for, and nothing else. Of a with-items task it undoes one item.
    pub rollback: Option<Box<Self>>,
    /// Reverse workflows: the tasks that must be done first, own and default ones, as written.
    pub requires: Vec<Arc<str>>,
    /// The task as parsed, with `name`, `version` and `type` added: what `task().spec` shows.
    pub spec: Value,
}

impl Task {
    /// A task that calls something, and has nothing else.
    pub fn calling(name: Arc<str>, body: Body, call: Call) -> Self {
        Self {
            name,
            description: None,
            tags: Vec::new(),
            body,
            call,
            input: None,
            with_items: Vec::new(),
            policies: Policies::default(),
            publish: Publish::default(),
            publish_on_error: Publish::default(),
            publish_on_skip: Publish::default(),
            on_success: Vec::new(),
            on_error: Vec::new(),
            on_complete: Vec::new(),
            on_skip: Vec::new(),
            join: None,
            target: None,
            action_version: None,
            affinity_key: None,
            keep_result: None,
            safe_rerun: None,
            rollback: None,
            requires: Vec::new(),
            spec: Value::Null,
        }
    }
}

/// An ad-hoc action: another action with its input prepared and its output transformed.
#[derive(Clone, Debug)]
pub struct Action {
    /// Name as written; in a workbook without its prefix.
    pub name: Arc<str>,
    /// Free text, if given.
    pub description: Option<Arc<str>>,
    /// Labels for people.
    pub tags: Vec<Arc<str>>,
    /// Declared inputs in order.
    pub input: Vec<Parameter>,
    /// The action underneath; its inline parameters win over `base_input`.
    pub base: Call,
    /// Input of the base action; a dict template.
    pub base_input: Option<Template>,
    /// Evaluated with `$` = the result of the base action.
    pub output: Option<Template>,
    /// The action as parsed, with `name` and `version` added.
    pub spec: Value,
    /// The text of a list document with only this action; empty in a workbook.
    pub source: Arc<str>,
}
