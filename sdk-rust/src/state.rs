//! States of executions, tasks, actions and batch operations.
//!
//! Owns the enums and their words. Left to others: what leads from one state to the next,
//! which only the server knows.

use std::fmt;

use serde::{Serialize, Serializer};

/// Defines a state enum with words and numbers from one table.
macro_rules! states {
    (
        $(#[doc = $doc:literal])+
        $name:ident of $proto:ident, final: [$($final:ident),+] {
            $($(#[doc = $vdoc:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $vdoc])+ $variant,)+
            /// A state that this version of the SDK does not know; its number.
            Unrecognized(i32),
        }

        impl $name {
            /// Whether nothing more happens by itself.
            pub fn is_final(self) -> bool {
                matches!(self, $(Self::$final)|+)
            }

            pub(crate) fn from_number(number: i32) -> Self {
                match proto::v1::$proto::try_from(number) {
                    $(Ok(proto::v1::$proto::$variant) => Self::$variant,)+
                    Ok(proto::v1::$proto::Unspecified) | Err(_) => Self::Unrecognized(number),
                }
            }

            /// Its number in the contract.
            pub fn number(self) -> i32 {
                match self {
                    $(Self::$variant => proto::v1::$proto::$variant.into(),)+
                    Self::Unrecognized(number) => number,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.pad($word),)+
                    Self::Unrecognized(number) => f.pad(&format!("STATE_{number}")),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

states! {
    /// State of an execution.
    ExecutionState of ExecutionState, final: [Success, Error, Cancelled, RolledBack] {
        /// Accepted, not begun.
        Idle = "IDLE",
        /// Under way.
        Running = "RUNNING",
        /// Paused: nothing new starts until it is resumed.
        Paused = "PAUSED",
        /// Finished well.
        Success = "SUCCESS",
        /// Failed.
        Error = "ERROR",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// What its tasks have done is being undone.
        RollingBack = "ROLLING_BACK",
        /// What its tasks had done is undone.
        RolledBack = "ROLLED_BACK",
    }
}

states! {
    /// State of a task execution.
    TaskState of TaskState, final: [Success, Error, Cancelled, Skipped] {
        /// Created, held back.
        Idle = "IDLE",
        /// A join that waits for its inbound tasks.
        Waiting = "WAITING",
        /// Under way.
        Running = "RUNNING",
        /// Waiting for time.
        Delayed = "DELAYED",
        /// Its action or sub-workflow is paused.
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

states! {
    /// State of an action execution.
    ActionState of ActionState, final: [Success, Error, Cancelled] {
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

states! {
    /// State of a batch operation.
    BatchState of BatchState, final: [Done, Cancelled] {
        /// Accepted, waits for its turn.
        Pending = "PENDING",
        /// Under way.
        Running = "RUNNING",
        /// All executions were come to.
        Done = "DONE",
        /// Cancelled; what was done stays.
        Cancelled = "CANCELLED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state added to the contract must be added here with the same word.
    #[test]
    fn every_state_of_the_contract_has_a_variant() {
        for number in 1.. {
            let Ok(state) = proto::v1::TaskState::try_from(number) else {
                break;
            };
            let word = state.as_str_name().strip_prefix("TASK_STATE_").unwrap();
            assert_eq!(TaskState::from_number(number).to_string(), word);
            assert_eq!(TaskState::from_number(number).number(), number);
        }
        for number in 1.. {
            let Ok(state) = proto::v1::ExecutionState::try_from(number) else {
                break;
            };
            let word = state
                .as_str_name()
                .strip_prefix("EXECUTION_STATE_")
                .unwrap();
            assert_eq!(ExecutionState::from_number(number).to_string(), word);
        }
        for number in 1.. {
            let Ok(state) = proto::v1::ActionState::try_from(number) else {
                break;
            };
            let word = state.as_str_name().strip_prefix("ACTION_STATE_").unwrap();
            assert_eq!(ActionState::from_number(number).to_string(), word);
        }
        for number in 1.. {
            let Ok(state) = proto::v1::BatchState::try_from(number) else {
                break;
            };
            let word = state.as_str_name().strip_prefix("BATCH_STATE_").unwrap();
            assert_eq!(BatchState::from_number(number).to_string(), word);
        }
        assert_eq!(TaskState::from_number(99), TaskState::Unrecognized(99));
        assert!(!TaskState::Unrecognized(99).is_final());
    }
}
