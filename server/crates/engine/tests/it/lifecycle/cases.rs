//! The cells of the table as cases: a document, a way into the state of the cell, and the command.

use engine::lifecycle::{Operation, Rule, rule, rule_above, task_rule};
use engine::{ExecutionState, TaskState};

/// In each state that can be seen from outside it has a task that has failed, and while it is not
/// finished one that runs and one that waits.
const DOCUMENT: &str = "\
version: '2.0'
wf:
  output: {done: true}
  tasks:
    work: {action: std.async_noop, timeout: 600, rollback: {action: std.async_noop}}
    broken: {action: std.fail, on-error: noop}
    later: {action: std.noop, wait-before: 60}";

/// It has tasks in all states, and one that keeps it running.
const TASKS: &str = "\
version: '2.0'
wf:
  tasks:
    other: {action: std.async_noop, on-success: both}
    work: {action: std.async_noop, on-success: both, on-error: noop}
    held: {action: std.noop, pause-before: <% env().hold %>}
    later: {action: std.noop, wait-before: 60}
    both: {join: all, retry: {count: 1, delay: 60}}";

/// One that can be undone, with a second one that can.
const UNDONE: &str = "\
version: '2.0'
wf:
  tasks:
    work: {action: std.async_noop, rollback: {action: std.async_noop}}
    other: {action: std.async_noop, rollback: {action: std.async_noop}}";

/// A sub-workflow with a task that fails.
pub(super) const TREE: &str = "\
version: '2.0'
top:
  tasks:
    below: {workflow: sub, on-error: noop}
    other: {action: std.async_noop, rollback: {action: std.async_noop}}
sub:
  tasks:
    work: {action: std.async_noop}";

/// One cell of the table.
pub(super) struct Case {
    /// Name of its file.
    pub(super) name: String,
    /// What the cell is about, in words.
    pub(super) what: String,
    pub(super) document: &'static str,
    /// Commands that bring an execution into the state of the cell.
    pub(super) way: Vec<&'static str>,
    /// The command that asks for the operation.
    pub(super) command: String,
    pub(super) rule: Rule,
    pub(super) at: At,
}

/// Whose state the cell is about.
#[derive(Clone, Copy)]
pub(super) enum At {
    Execution(ExecutionState),
    Task(TaskState),
    Above(ExecutionState),
}

/// All cells that an execution can be brought into. Restarting and deleting are not the engine's.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in Operation::ALL {
        for state in ExecutionState::ALL {
            cases.extend(of_execution(*operation, *state));
            cases.extend(of_above(*operation, *state));
        }
        for state in TaskState::ALL {
            cases.extend(of_task(*operation, *state));
        }
    }
    cases
}

fn of_execution(operation: Operation, state: ExecutionState) -> Option<Case> {
    let command = match operation {
        Operation::Pause => "pause",
        Operation::Resume => "resume",
        Operation::ResumeWithEnv => "resume {\"a\":1}",
        Operation::Cancel => "cancel",
        Operation::Terminate => "terminate enough",
        Operation::Stop => "stop SUCCESS enough",
        Operation::Rerun => "rerun",
        Operation::RerunTask => "rerun broken",
        Operation::Rollback => "rollback",
        Operation::RollbackTo => "rollback broken",
        Operation::SkipTask => "skip broken",
        Operation::SkipUndo => "skip work",
        Operation::RetryTask => "retry later",
        Operation::Update => "update team=eu description=new",
        Operation::UpdateEnv => "update env={\"a\":1}",
        Operation::Restart | Operation::Delete | Operation::DeleteForced => return None,
    };
    let way = if operation == Operation::SkipUndo {
        way_to_undoing(state)?
    } else {
        way_to_execution(state)?
    };
    let rule = rule(operation, state);
    Some(Case {
        name: format!("{}_{}", operation.word(), state.word()),
        what: format!("In {}: {}", state.word(), rule.why),
        document: DOCUMENT,
        way: way.to_vec(),
        command: command.to_owned(),
        rule,
        at: At::Execution(state),
    })
}

/// What brings an execution into a state; none for a state that nobody sees between two commits.
fn way_to_execution(state: ExecutionState) -> Option<&'static [&'static str]> {
    match state {
        ExecutionState::Idle => None,
        ExecutionState::Running => Some(&["start wf"]),
        ExecutionState::Paused => Some(&["start wf", "pause"]),
        ExecutionState::Success => Some(&["start wf", "complete work 1", "advance 60"]),
        ExecutionState::Error => Some(&["start wf", "fail work \"no\"", "advance 60"]),
        ExecutionState::Cancelled => Some(&["start wf", "cancel"]),
        ExecutionState::RollingBack => Some(&["start wf", "complete work 1", "rollback"]),
        ExecutionState::RolledBack => {
            Some(&["start wf", "complete work 1", "rollback", "complete work 2"])
        }
    }
}

/// The same, with a task that is being undone or was.
fn way_to_undoing(state: ExecutionState) -> Option<&'static [&'static str]> {
    match state {
        ExecutionState::Idle | ExecutionState::Running | ExecutionState::Success => None,
        ExecutionState::Paused => Some(&["start wf", "complete work 1", "rollback", "pause"]),
        ExecutionState::Error => Some(&[
            "start wf",
            "complete work 1",
            "rollback",
            "fail work \"no\"",
        ]),
        ExecutionState::Cancelled => Some(&["start wf", "complete work 1", "rollback", "cancel"]),
        ExecutionState::RollingBack | ExecutionState::RolledBack => way_to_execution(state),
    }
}

fn of_task(operation: Operation, state: TaskState) -> Option<Case> {
    let rule = task_rule(operation, state)?;
    let undoes = operation == Operation::SkipUndo;
    let (way, task) = if undoes {
        way_to_undo(state)?
    } else {
        way_to_task(operation, state)?
    };
    let verb = match operation {
        Operation::RerunTask => "rerun",
        Operation::RollbackTo => "rollback",
        Operation::RetryTask => "retry",
        _ => "skip",
    };
    Some(Case {
        name: format!("task_{}_{}", operation.word(), state.word()),
        what: format!("Of a task in {}: {}", state.word(), rule.why),
        document: if undoes { UNDONE } else { TASKS },
        way: way.to_vec(),
        command: format!("{verb} {task}"),
        rule,
        at: At::Task(state),
    })
}

/// What brings a task into a state while its execution allows the operation, and its name.
fn way_to_task(
    operation: Operation,
    state: TaskState,
) -> Option<(&'static [&'static str], &'static str)> {
    // These hold the execution, which goes on or ends before anything can be asked of them.
    let held = matches!(state, TaskState::Idle | TaskState::Paused);
    if held && operation == Operation::RetryTask {
        return None;
    }
    Some(match state {
        TaskState::Idle => (
            &["start wf {} {\"env\":{\"hold\":true}}", "stop ERROR"],
            "held",
        ),
        TaskState::Waiting => (&[START, "complete work 1", "fail other \"no\""], "both"),
        TaskState::Running => (&[START], "work"),
        TaskState::Delayed => (&[START], "later"),
        TaskState::Paused => (&[START, "pause-action work", "stop ERROR"], "work"),
        TaskState::Success => (&[START], "held"),
        TaskState::Error => (&[START, "fail work \"no\""], "work"),
        TaskState::Cancelled => (&[START, "cancel-action work"], "work"),
        TaskState::Skipped => (&[START, "fail work \"no\"", "skip work"], "work"),
    })
}

const START: &str = "start wf {} {\"env\":{\"hold\":false}}";

/// What brings the undoing of a task into a state when the rollback has ended, and its name.
fn way_to_undo(state: TaskState) -> Option<(&'static [&'static str], &'static str)> {
    const BEGIN: [&str; 4] = [
        "start wf",
        "complete work 1",
        "complete other 1",
        "rollback",
    ];
    const FAILED: &str = "fail work \"no\"";
    const DONE: &str = "complete other 1";
    Some(match state {
        // A rollback does not end before they do.
        TaskState::Idle
        | TaskState::Waiting
        | TaskState::Running
        | TaskState::Delayed
        | TaskState::Paused => return None,
        TaskState::Success => (
            &[BEGIN[0], BEGIN[1], BEGIN[2], BEGIN[3], FAILED, DONE],
            "other",
        ),
        TaskState::Error => (
            &[BEGIN[0], BEGIN[1], BEGIN[2], BEGIN[3], FAILED, DONE],
            "work",
        ),
        TaskState::Cancelled => (&[BEGIN[0], BEGIN[1], BEGIN[2], BEGIN[3], "cancel"], "work"),
        TaskState::Skipped => (
            &[
                BEGIN[0],
                BEGIN[1],
                BEGIN[2],
                BEGIN[3],
                FAILED,
                "fail other \"no\"",
                "skip work",
                "cancel",
            ],
            "work",
        ),
    })
}

/// The failure of the sub-workflow.
const FAIL: &str = "#2 fail work \"no\"";

fn of_above(operation: Operation, state: ExecutionState) -> Option<Case> {
    let command = match operation {
        Operation::Rerun => "#2 rerun",
        Operation::RerunTask => "#2 rerun work",
        Operation::SkipTask => "#2 skip work",
        _ => return None,
    };
    let way: &[&str] = match state {
        ExecutionState::Idle => return None,
        ExecutionState::Running => &["start top", FAIL],
        ExecutionState::Paused => &["start top", FAIL, "pause"],
        ExecutionState::Success => &["start top", FAIL, "complete other 1"],
        ExecutionState::Error => &["start top", FAIL, "fail other \"no\""],
        ExecutionState::Cancelled => &["start top", FAIL, "cancel"],
        ExecutionState::RollingBack => &["start top", FAIL, "complete other 1", "rollback"],
        ExecutionState::RolledBack => &[
            "start top",
            FAIL,
            "complete other 1",
            "rollback",
            "complete other 1",
        ],
    };
    let rule = rule_above(state);
    Some(Case {
        name: format!("above_{}_{}", operation.word(), state.word()),
        what: format!("Below an execution in {}: {}", state.word(), rule.why),
        document: TREE,
        way: way.to_vec(),
        command: command.to_owned(),
        rule,
        at: At::Above(state),
    })
}
