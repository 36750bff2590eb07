//! States and other words that both sides have, in both directions.

use engine::{ActionState, ExecutionState, Loss, TaskState, TimerKind};
use proto::v1;

/// State of an execution on the wire.
pub(crate) fn execution(state: ExecutionState) -> v1::ExecutionState {
    match state {
        ExecutionState::Idle => v1::ExecutionState::Idle,
        ExecutionState::Running => v1::ExecutionState::Running,
        ExecutionState::Paused => v1::ExecutionState::Paused,
        ExecutionState::Success => v1::ExecutionState::Success,
        ExecutionState::Error => v1::ExecutionState::Error,
        ExecutionState::Cancelled => v1::ExecutionState::Cancelled,
        ExecutionState::RollingBack => v1::ExecutionState::RollingBack,
        ExecutionState::RolledBack => v1::ExecutionState::RolledBack,
    }
}

/// Why a lease has ended, on the wire.
pub(crate) fn loss(loss: Loss) -> v1::LeaseLoss {
    match loss {
        Loss::Expired => v1::LeaseLoss::Expired,
        Loss::Silent => v1::LeaseLoss::Silent,
        Loss::Released => v1::LeaseLoss::Released,
    }
}

/// State of a task execution on the wire.
pub(crate) fn task(state: TaskState) -> v1::TaskState {
    match state {
        TaskState::Idle => v1::TaskState::Idle,
        TaskState::Waiting => v1::TaskState::Waiting,
        TaskState::Running => v1::TaskState::Running,
        TaskState::Delayed => v1::TaskState::Delayed,
        TaskState::Paused => v1::TaskState::Paused,
        TaskState::Success => v1::TaskState::Success,
        TaskState::Error => v1::TaskState::Error,
        TaskState::Cancelled => v1::TaskState::Cancelled,
        TaskState::Skipped => v1::TaskState::Skipped,
    }
}

/// State of an action execution on the wire.
pub(crate) fn action(state: ActionState) -> v1::ActionState {
    match state {
        ActionState::Running => v1::ActionState::Running,
        ActionState::Paused => v1::ActionState::Paused,
        ActionState::Success => v1::ActionState::Success,
        ActionState::Error => v1::ActionState::Error,
        ActionState::Cancelled => v1::ActionState::Cancelled,
    }
}

/// Kind of a timer on the wire.
pub(crate) fn timer(kind: TimerKind) -> v1::TimerKind {
    match kind {
        TimerKind::WaitBefore => v1::TimerKind::WaitBefore,
        TimerKind::WaitAfter => v1::TimerKind::WaitAfter,
        TimerKind::Retry => v1::TimerKind::Retry,
        TimerKind::Timeout => v1::TimerKind::Timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the wire are those of the engine behind a prefix.
    #[test]
    fn words_agree() {
        for state in ExecutionState::ALL {
            let wire = execution(*state).as_str_name();
            assert_eq!(wire, format!("EXECUTION_STATE_{}", state.word()));
        }
        for state in TaskState::ALL {
            assert_eq!(
                task(*state).as_str_name(),
                format!("TASK_STATE_{}", state.word())
            );
        }
        for state in ActionState::ALL {
            assert_eq!(
                action(*state).as_str_name(),
                format!("ACTION_STATE_{}", state.word())
            );
        }
    }
}
