//! What each verb does in each state of an execution: one table, which the rules ask, and from
//! which the documentation and the scenarios of the tests are made.
//!
//! Where a verb names a task, or opens what is below others, the states of these count, too
//! (`parts`). Left to others: doing it (`step/verbs`, `step/rerun`, `step/rollback`).

mod parts;

use crate::state::ExecutionState;
use crate::words::words;

pub(crate) use parts::NO_TIME;
pub use parts::{rule_above, task_rule};

words! {
    /// Something that can be asked of an execution from outside.
    Operation {
        /// Pause it.
        Pause = "pause",
        /// Resume it as it is.
        Resume = "resume",
        /// Resume it with changed variables of the environment.
        ResumeWithEnv = "resume with changes",
        /// Cancel it, its actions and its sub-workflows.
        Cancel = "cancel",
        /// End it, and all below it, at once.
        Terminate = "terminate",
        /// End it with a declared outcome, SUCCESS or ERROR.
        Stop = "stop",
        /// Run all tasks again that have ended it.
        Rerun = "rerun",
        /// Run one task again.
        RerunTask = "rerun a task",
        /// Undo what was done.
        Rollback = "rollback",
        /// Undo what a task has led to.
        RollbackTo = "rollback to a task",
        /// Go on after a failed task.
        SkipTask = "skip a task",
        /// Go on after a task that could not be undone.
        SkipUndo = "skip an undo",
        /// Let a task go on that waits for time.
        RetryTask = "retry a task now",
        /// Change labels or description.
        Update = "update",
        /// Change variables of the environment.
        UpdateEnv = "update env",
        /// Start another execution like it.
        Restart = "restart",
        /// Delete it.
        Delete = "delete",
        /// Delete it whatever it does.
        DeleteForced = "delete by force",
    }
}

/// What an operation does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done and recorded.
    Apply,
    /// It is done already: nothing is changed or recorded.
    NoChange,
    /// It is refused, and nothing is changed.
    Refuse,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub answer: Answer,
    /// What follows from it, or why nothing does.
    pub why: &'static str,
}

/// The states in which an operation does the same, for the same reason.
type Cells = (&'static [ExecutionState], Answer, &'static str);

use Answer::{Apply, NoChange, Refuse};
use ExecutionState::{Cancelled, Error, Idle, Paused, RolledBack, RollingBack, Running, Success};

const ENDED: &[ExecutionState] = &[Success, Error, Cancelled, RolledBack];
const UNFINISHED: &[ExecutionState] = &[Idle, Running, Paused, RollingBack];
const ALL: &[ExecutionState] = ExecutionState::ALL;

/// The table. Each operation names each state once.
const TABLE: &[(Operation, &[Cells])] = &[
    (
        Operation::Pause,
        &[
            (
                &[Idle, Running, RollingBack],
                Apply,
                "PAUSED at once, as all below it; what runs goes on",
            ),
            (&[Paused], NoChange, "it is paused"),
            (ENDED, Refuse, "nothing goes on that could be held back"),
        ],
    ),
    (
        Operation::Resume,
        &[
            (
                &[Idle, Running, RollingBack],
                NoChange,
                "it goes on already",
            ),
            (
                &[Paused],
                Apply,
                "RUNNING or ROLLING_BACK, as all below it; timeouts count on",
            ),
            (ENDED, Refuse, "it has ended: rerun or restart it"),
        ],
    ),
    (
        Operation::ResumeWithEnv,
        &[
            (
                &[Idle, Running, RollingBack],
                Refuse,
                "variables change only while nothing reads them",
            ),
            (&[Paused], Apply, "RUNNING, with the changed variables"),
            (ENDED, Refuse, "it has ended: rerun or restart it"),
        ],
    ),
    (
        Operation::Cancel,
        &[
            (
                UNFINISHED,
                Apply,
                "CANCELLED, with its actions and all below it",
            ),
            (
                &[Success, Error, RolledBack],
                Refuse,
                "it has ended otherwise",
            ),
            (&[Cancelled], NoChange, "it is cancelled"),
        ],
    ),
    (
        Operation::Terminate,
        &[
            (
                UNFINISHED,
                Apply,
                "CANCELLED at once with all below it, without output",
            ),
            (
                &[Success, Error, RolledBack],
                Refuse,
                "it has ended otherwise",
            ),
            (&[Cancelled], NoChange, "it is cancelled"),
        ],
    ),
    (
        Operation::Stop,
        &[
            (&[RollingBack], Refuse, "what is half undone has no outcome"),
            (
                &[Idle, Running, Paused],
                Apply,
                "the declared outcome; what runs goes on without effect",
            ),
            (ENDED, Refuse, "it has ended"),
        ],
    ),
    (
        Operation::Rerun,
        &[
            (
                &[RollingBack, RolledBack],
                Refuse,
                "what is undone does not go on: restart it",
            ),
            (&[Idle, Running], Refuse, "it has not ended: name a task"),
            (&[Paused], Refuse, "resume it first"),
            (&[Success], Refuse, "nothing in it has failed: restart it"),
            (
                &[Error, Cancelled],
                Apply,
                "RUNNING in its next run, from what ended it",
            ),
        ],
    ),
    (
        Operation::RerunTask,
        &[
            (
                &[RollingBack, RolledBack],
                Refuse,
                "what is undone does not go on: restart it",
            ),
            (&[Idle], Refuse, "it has no tasks yet"),
            (&[Running], Apply, "the task runs again"),
            (&[Paused], Refuse, "resume it first"),
            (&[Success], Refuse, "its output stands: restart it"),
            (
                &[Error, Cancelled],
                Apply,
                "RUNNING in its next run, from the task",
            ),
        ],
    ),
    (
        Operation::Rollback,
        &[
            (
                &[Idle, Running, Paused, Success, Error, Cancelled],
                Apply,
                "ROLLING_BACK; what runs is cancelled first",
            ),
            (&[RollingBack], NoChange, "it is being undone"),
            (&[RolledBack], NoChange, "it is undone"),
        ],
    ),
    (
        Operation::RollbackTo,
        &[
            (&[Idle], Refuse, "it has no tasks yet"),
            (
                &[Running, Paused, Success, Error, Cancelled],
                Apply,
                "ROLLING_BACK, then PAUSED at the task",
            ),
            (&[RollingBack], NoChange, "it is being undone"),
            (&[RolledBack], NoChange, "it is undone"),
        ],
    ),
    (
        Operation::SkipTask,
        &[
            (
                &[RollingBack, RolledBack],
                Refuse,
                "what is undone does not go on: restart it",
            ),
            (&[Idle], Refuse, "it has no tasks yet"),
            (&[Running], Apply, "the task is SKIPPED"),
            (&[Paused], Refuse, "resume it first"),
            (&[Success], Refuse, "its output stands: restart it"),
            (
                &[Error, Cancelled],
                Apply,
                "RUNNING in its next run, after the task",
            ),
        ],
    ),
    (
        Operation::SkipUndo,
        &[
            (
                &[Idle, Running, Success],
                Refuse,
                "nothing of it is being undone",
            ),
            (&[Paused, RollingBack], Refuse, "its rollback has not ended"),
            (
                &[Error, Cancelled],
                Apply,
                "ROLLING_BACK again, as if the task were undone",
            ),
            (&[RolledBack], Refuse, "it is undone"),
        ],
    ),
    (
        Operation::RetryTask,
        &[
            (&[RollingBack], Refuse, "nothing runs forward"),
            (&[Idle], Refuse, "it has no tasks yet"),
            (&[Running], Apply, "the task goes on now"),
            (&[Paused], Refuse, "resume it first"),
            (ENDED, Refuse, "no task of it waits: rerun it"),
        ],
    ),
    (
        Operation::Update,
        &[(ALL, Apply, "its labels or its description are changed")],
    ),
    (
        Operation::UpdateEnv,
        &[
            (
                &[Idle, Running, RollingBack],
                Refuse,
                "variables change only while nothing reads them",
            ),
            (
                &[Paused],
                Apply,
                "what goes on later reads the changed variables",
            ),
            (ENDED, Refuse, "it has ended: rerun or restart it with them"),
        ],
    ),
    (
        Operation::Restart,
        &[(
            ALL,
            Apply,
            "another execution begins; this one stays as it is",
        )],
    ),
    (
        Operation::Delete,
        &[
            (UNFINISHED, Refuse, "it has not ended: delete it by force"),
            (
                ENDED,
                Apply,
                "it is gone, with all below it and its history",
            ),
        ],
    ),
    (
        Operation::DeleteForced,
        &[(
            ALL,
            Apply,
            "terminated if need be, then gone with all below it",
        )],
    ),
];

/// What an operation does in a state.
pub fn rule(operation: Operation, state: ExecutionState) -> Rule {
    let row = TABLE.iter().find(|(of, _)| *of == operation);
    let cells = row.map_or(&[][..], |(_, cells)| cells);
    let cell = cells.iter().find(|(states, ..)| states.contains(&state));
    let (_, answer, why) = cell.expect("the table names every operation and state");
    Rule {
        answer: *answer,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_names_every_state_once() {
        let rows: Vec<Operation> = TABLE.iter().map(|(operation, _)| *operation).collect();
        assert_eq!(rows, Operation::ALL);
        for (operation, cells) in TABLE {
            for state in ExecutionState::ALL {
                let named = cells.iter().flat_map(|(states, ..)| *states);
                let count = named.filter(|named| *named == state).count();
                assert_eq!(count, 1, "{} in {}", operation.word(), state.word());
            }
        }
    }
}
