//! The stable reasons of errors as an enum.
//!
//! Owns the mapping between reason words on the wire and [`Reason`]. Left to others: reading them
//! out of a status (`error`), and their meaning (the contract's `errors.proto`).

use std::fmt;

/// Defines [`Reason`] with its words from one table.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// Why a call failed, as a stable word: key on this, never on the text of a message.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])+ $variant,)+
            /// A reason that this version of the SDK does not know.
            Unknown(String),
        }

        impl Reason {
            /// The reason of a word.
            pub fn from_word(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }

            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }
    };
}

reasons! {
    /// A field of the request is missing, malformed or out of range.
    InvalidField = "INVALID_FIELD",
    /// The document has errors.
    InvalidDefinition = "INVALID_DEFINITION",
    /// The filter does not parse or names an unknown field.
    InvalidFilter = "INVALID_FILTER",
    /// The page token is malformed or belongs to another request.
    InvalidPageToken = "INVALID_PAGE_TOKEN",
    /// A payload is not what it says it is.
    PayloadInvalid = "PAYLOAD_INVALID",
    /// A payload is over the limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE",
    /// The document is over the limit.
    DefinitionTooLarge = "DEFINITION_TOO_LARGE",
    /// The same request id was used with another request.
    RequestIdReused = "REQUEST_ID_REUSED",
    /// The input does not fit the workflow.
    InputMismatch = "INPUT_MISMATCH",
    /// An expression that is evaluated at the start fails with this input.
    ExpressionFailed = "EXPRESSION_FAILED",
    /// No such workflow or revision.
    WorkflowNotFound = "WORKFLOW_NOT_FOUND",
    /// No such workbook.
    WorkbookNotFound = "WORKBOOK_NOT_FOUND",
    /// No such execution.
    ExecutionNotFound = "EXECUTION_NOT_FOUND",
    /// No such task execution.
    TaskExecutionNotFound = "TASK_EXECUTION_NOT_FOUND",
    /// No such action execution.
    ActionExecutionNotFound = "ACTION_EXECUTION_NOT_FOUND",
    /// A workflow of that name exists.
    WorkflowAlreadyExists = "WORKFLOW_ALREADY_EXISTS",
    /// A workbook of that name exists.
    WorkbookAlreadyExists = "WORKBOOK_ALREADY_EXISTS",
    /// An execution of that id exists.
    ExecutionAlreadyExists = "EXECUTION_ALREADY_EXISTS",
    /// The verb is not allowed in the state of the execution.
    ExecutionState = "EXECUTION_STATE",
    /// The action execution is already completed, or is not asynchronous.
    ActionState = "ACTION_STATE",
    /// Executions of the definition are running.
    DefinitionInUse = "DEFINITION_IN_USE",
    /// The etag does not match: read again and decide again.
    EtagMismatch = "ETAG_MISMATCH",
    /// The history before the asked position is gone.
    HistoryTrimmed = "HISTORY_TRIMMED",
    /// The server sheds load.
    Overloaded = "OVERLOADED",
    /// The store cannot be written; nothing was changed.
    StoreUnavailable = "STORE_UNAVAILABLE",
    /// The server is shutting down.
    ShuttingDown = "SHUTTING_DOWN",
    /// Of several servers, the one that has the execution has just gone.
    OwnerUnavailable = "OWNER_UNAVAILABLE",
    /// The deadline passed; the outcome is unknown.
    Deadline = "DEADLINE",
    /// A known part of the API that this server does not have.
    NotSupported = "NOT_SUPPORTED",
    /// A fault of the server.
    Internal = "INTERNAL",
    /// The execution would pass a limit of its size.
    LimitExceeded = "LIMIT_EXCEEDED",
    /// No such action or revision.
    ActionNotFound = "ACTION_NOT_FOUND",
    /// An ad-hoc action of that name exists.
    ActionAlreadyExists = "ACTION_ALREADY_EXISTS",
    /// The action is built in: no document may define, change or delete it.
    ActionIsSystem = "ACTION_IS_SYSTEM",
    /// No such environment.
    EnvironmentNotFound = "ENVIRONMENT_NOT_FOUND",
    /// An environment of that name exists.
    EnvironmentAlreadyExists = "ENVIRONMENT_ALREADY_EXISTS",
    /// No such batch operation.
    BatchNotFound = "BATCH_NOT_FOUND",
    /// The lease of the task has ended, or its result is no longer wanted: the call never succeeds.
    TaskLeaseLost = "TASK_LEASE_LOST",
    /// No such worker, or it was not heard of for long.
    WorkerNotFound = "WORKER_NOT_FOUND",
    /// No such queue.
    QueueNotFound = "QUEUE_NOT_FOUND",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reason added to the contract must be added here, or applications cannot match on it.
    #[test]
    fn every_reason_of_the_contract_has_a_variant() {
        let mut known = 0;
        for number in 1..1_000 {
            // Numbers that are left free for others have no word.
            let Ok(reason) = proto::v1::ErrorReason::try_from(number) else {
                continue;
            };
            known += 1;
            let word = reason.as_str_name().strip_prefix("ERROR_REASON_").unwrap();
            let ours = Reason::from_word(word);
            assert!(!matches!(ours, Reason::Unknown(_)), "{word} is missing");
            assert_eq!(ours.as_str(), word);
        }
        assert!(known > 30, "{known}");
        assert_eq!(Reason::from_word("NEW"), Reason::Unknown("NEW".to_owned()));
    }
}
