//! Kinds of things, as words: what a task, an execution, a timer or an action is.
//!
//! Owns the enums and their words, which are those of the contract without prefix. Left to others:
//! states (`state`), which also know what is final.

use std::fmt;

use serde::{Serialize, Serializer};

/// Defines an open enum with words from one table.
macro_rules! kinds {
    (
        $(#[doc = $doc:literal])+
        $name:ident, unknown: $unknown:literal {
            $($(#[doc = $vdoc:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $vdoc])+ $variant,)+
            /// Something that this version of the SDK does not know; its number.
            Unrecognized(i32),
        }

        impl $name {
            pub(crate) fn from_number(number: i32) -> Self {
                match proto::v1::$name::try_from(number) {
                    $(Ok(proto::v1::$name::$variant) => Self::$variant,)+
                    Ok(proto::v1::$name::Unspecified) | Err(_) => Self::Unrecognized(number),
                }
            }

            /// Its number in the contract.
            pub fn number(self) -> i32 {
                match self {
                    $(Self::$variant => proto::v1::$name::$variant.into(),)+
                    Self::Unrecognized(number) => number,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.pad($word),)+
                    Self::Unrecognized(number) => f.pad(&format!("{}_{number}", $unknown)),
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

kinds! {
    /// Where an action comes from.
    ActionKind, unknown: "KIND" {
        /// Built into the server.
        System = "SYSTEM",
        /// Defined by a document, over another action.
        Adhoc = "ADHOC",
        /// Provided by workers.
        Worker = "WORKER",
    }
}

kinds! {
    /// What an execution runs.
    ExecutionKind, unknown: "KIND" {
        /// A workflow.
        Workflow = "WORKFLOW",
        /// One action by itself.
        Action = "ACTION",
    }
}

kinds! {
    /// What a task runs.
    TaskType, unknown: "TYPE" {
        /// An action.
        Action = "ACTION",
        /// A sub-workflow.
        Workflow = "WORKFLOW",
    }
}

kinds! {
    /// What a timer is for.
    TimerKind, unknown: "KIND" {
        /// `wait-before`.
        WaitBefore = "WAIT_BEFORE",
        /// `wait-after`.
        WaitAfter = "WAIT_AFTER",
        /// The next attempt.
        Retry = "RETRY",
        /// `timeout`.
        Timeout = "TIMEOUT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind added to the contract must be added here with the same word.
    #[test]
    fn every_kind_of_the_contract_has_a_variant() {
        macro_rules! check {
            ($name:ident, $prefix:literal) => {
                for number in 1.. {
                    let Ok(kind) = proto::v1::$name::try_from(number) else {
                        break;
                    };
                    let word = kind.as_str_name().strip_prefix($prefix).unwrap();
                    let ours = $name::from_number(number);
                    assert_eq!((ours.to_string().as_str(), ours.number()), (word, number));
                }
                assert_eq!($name::from_number(99), $name::Unrecognized(99));
            };
        }
        check!(ActionKind, "ACTION_KIND_");
        check!(ExecutionKind, "EXECUTION_KIND_");
        check!(TaskType, "TASK_TYPE_");
        check!(TimerKind, "TIMER_KIND_");
        let words = [
            TaskType::Unrecognized(7).to_string(),
            TimerKind::Retry.to_string(),
        ];
        assert_eq!(words, ["TYPE_7", "RETRY"]);
    }
}
