//! The state words, Mistral's, and what may follow what.

use serde::{Deserialize, Serialize};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// All states, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word for it, as expressions and rows show it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// The state of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

states! {
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
    }
}

states! {
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

states! {
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
        matches!(self, Self::Success | Self::Error | Self::Cancelled)
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
