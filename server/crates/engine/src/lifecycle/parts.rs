//! What an operation needs besides the state of its execution: the state of the task that it names,
//! and of the executions above.

use super::{Answer, Operation, Rule};
use crate::state::{ExecutionState, TaskState};

use Answer::{Apply, Refuse};
use TaskState::{Cancelled, Delayed, Error, Idle, Paused, Running, Skipped, Success, Waiting};

/// The states in which an operation does the same, for the same reason.
type Cells<State> = (&'static [State], Answer, &'static str);

const UNFINISHED: &[TaskState] = &[Idle, Waiting, Running, Delayed, Paused];

/// What each operation on a task does in each state of that task, where the execution allows it.
const TASKS: &[(Operation, &[Cells<TaskState>])] = &[
    (
        Operation::RerunTask,
        &[
            (UNFINISHED, Refuse, "it has not ended"),
            (
                &[Success],
                Refuse,
                "it has succeeded: others went on from it",
            ),
            (
                &[Error, Cancelled],
                Apply,
                "it begins anew, with all its policies",
            ),
            (&[Skipped], Refuse, "it was skipped: others went on from it"),
        ],
    ),
    (
        Operation::RollbackTo,
        &[
            (UNFINISHED, Refuse, "it has not ended"),
            (
                &[Success, Error, Cancelled, Skipped],
                Apply,
                "it stays done, and all that it has led to is undone",
            ),
        ],
    ),
    (
        Operation::SkipTask,
        &[
            (UNFINISHED, Refuse, "it has not ended"),
            (&[Success], Refuse, "it has succeeded"),
            (&[Error], Apply, "SKIPPED, and what follows from that"),
            (&[Cancelled], Refuse, "it was cancelled: run it again"),
            (&[Skipped], Refuse, "it is skipped"),
        ],
    ),
    (
        Operation::SkipUndo,
        &[
            (UNFINISHED, Refuse, "it has not ended"),
            (&[Success, Skipped], Refuse, "it has undone its task"),
            (
                &[Error, Cancelled],
                Apply,
                "SKIPPED, and its task counts as undone",
            ),
        ],
    ),
    (
        Operation::RetryTask,
        &[
            (&[Idle, Running, Paused], Refuse, NO_TIME),
            (
                &[Waiting, Delayed],
                Apply,
                "it goes on now, if it waits for time",
            ),
            (
                &[Success, Error, Cancelled, Skipped],
                Refuse,
                "it has ended",
            ),
        ],
    ),
];

/// Why a task cannot go on earlier.
pub(crate) const NO_TIME: &str = "it does not wait for time";

/// What the state of each execution above means for a verb that opens what is below it.
const ABOVE: &[Cells<ExecutionState>] = &[
    (
        &[ExecutionState::Idle, ExecutionState::Running],
        Apply,
        "its task goes on with the sub-workflow",
    ),
    (&[ExecutionState::Paused], Refuse, "resume it first"),
    (
        &[ExecutionState::Success],
        Refuse,
        "its output stands: restart it",
    ),
    (
        &[ExecutionState::Error, ExecutionState::Cancelled],
        Apply,
        "RUNNING in its next run, too",
    ),
    (
        &[ExecutionState::RollingBack, ExecutionState::RolledBack],
        Refuse,
        "what is undone does not go on: restart it",
    ),
];

/// What an operation does in a state of the task that it names; none for an operation that names no
/// task. A task that is rolled back, or undoes another one, counts for [`Operation::SkipUndo`]
/// only.
pub fn task_rule(operation: Operation, state: TaskState) -> Option<Rule> {
    let (_, cells) = TASKS.iter().find(|(of, _)| *of == operation)?;
    let cell = cells.iter().find(|(states, ..)| states.contains(&state));
    let (_, answer, why) = *cell.expect("the table names every state");
    Some(Rule { answer, why })
}

/// What a rerun or a skip does that opens an execution, by the state of each one above it.
pub fn rule_above(state: ExecutionState) -> Rule {
    let cell = ABOVE.iter().find(|(states, ..)| states.contains(&state));
    let (_, answer, why) = *cell.expect("the table names every state");
    Rule { answer, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_named_once() {
        for (operation, cells) in TASKS {
            for state in TaskState::ALL {
                let named = cells.iter().flat_map(|(states, ..)| *states);
                let count = named.filter(|named| *named == state).count();
                assert_eq!(count, 1, "{} in {}", operation.word(), state.word());
            }
        }
        for state in ExecutionState::ALL {
            let named = ABOVE.iter().flat_map(|(states, ..)| *states);
            let count = named.filter(|named| *named == state).count();
            assert_eq!(count, 1, "above in {}", state.word());
        }
    }
}
