//! The state words, Mistral's, and what may follow what.

use crate::words::words;

words! {
    /// State of an execution.
    ExecutionState {
        /// Accepted, not begun.
        Idle = "IDLE",
        /// Under way.
        Running = "RUNNING",
        /// Paused.
        Paused = "PAUSED",
        /// Finished well.
        Success = "SUCCESS",
        /// Failed.
        Error = "ERROR",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// What was done is being undone.
        RollingBack = "ROLLING_BACK",
        /// Everything that was done is undone.
        RolledBack = "ROLLED_BACK",
    }
}

words! {
    /// State of a task execution.
    TaskState {
        /// Created, held back.
        Idle = "IDLE",
        /// A join that waits for its inbound tasks.
        Waiting = "WAITING",
        /// Under way.
        Running = "RUNNING",
        /// Waiting for time.
        Delayed = "DELAYED",
        /// Its asynchronous action or sub-workflow is paused.
        Paused = "PAUSED",
        /// Done.
        Success = "SUCCESS",
        /// Failed.
        Error = "ERROR",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// Failed and skipped by an operator.
        Skipped = "SKIPPED",
    }
}

words! {
    /// State of an action execution.
    ActionState {
        /// Under way.
        Running = "RUNNING",
        /// Paused from outside.
        Paused = "PAUSED",
        /// Done.
        Success = "SUCCESS",
        /// Failed.
        Error = "ERROR",
        /// Cancelled.
        Cancelled = "CANCELLED",
    }
}

impl ExecutionState {
    /// Whether nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Error | Self::Cancelled | Self::RolledBack
        )
    }
}

impl TaskState {
    /// Whether nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Error | Self::Cancelled | Self::Skipped
        )
    }
}

impl ActionState {
    /// Whether nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Success | Self::Error | Self::Cancelled)
    }
}
