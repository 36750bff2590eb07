//! What can go wrong: failed calls, failed workflows, and misuse of the client.
//!
//! Owns [`Error`] and its reading out of a gRPC status. Left to others: which errors are repeated
//! (`retry`) and the words of the reasons (`reason`).

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use tonic_types::StatusExt as _;

use crate::evaluate::ExpressionError;
use crate::payload::Payload;
use crate::reason::Reason;
use crate::resources::Failure;
use crate::state::ExecutionState;

/// The only `ErrorInfo` domain whose reasons are ours.
const ERROR_DOMAIN: &str = "autan";

/// Any error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Rpc(Box<RpcError>),
    /// The calls went well, the workflow did not.
    #[error(transparent)]
    Execution(Box<ExecutionError>),
    /// The call went well, the expression that was tried out did not.
    #[error(transparent)]
    Expression(Box<ExpressionError>),
    /// A value of the application cannot be written as JSON.
    #[error("{what} cannot be written as JSON")]
    Encode {
        /// Which value.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A value of the server does not have the type that the application asked for.
    #[error("{what} does not have the expected shape")]
    Decode {
        /// Which value.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A value of the server is not JSON at all.
    #[error("{what} is {found}, not JSON")]
    NotJson {
        /// Which value.
        what: &'static str,
        /// What it is: its media type.
        found: String,
    },
    /// The execution was deleted while it was watched.
    #[error("execution {execution_id} was deleted")]
    Deleted {
        /// Which one.
        execution_id: String,
    },
    /// The server skipped events although it was asked again.
    #[error("history of {execution_id} continues with {found} instead of {expected}")]
    Gap {
        /// Of which execution.
        execution_id: String,
        /// The next sequence.
        expected: i64,
        /// What came.
        found: i64,
    },
    /// The server answered without a part that must be there.
    #[error("the answer lacks {field}")]
    Incomplete {
        /// Which part.
        field: &'static str,
    },
    /// The address or its security settings make no sense.
    #[error("{address:?} is not an address of a server")]
    Address {
        /// As given.
        address: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// An action that was tested has failed: type and message.
    #[error("{0}")]
    Action(String),
    /// The system refused something.
    #[error("{what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The token holds characters that cannot be sent.
    #[error("the token holds characters that cannot be sent in a header")]
    Token,
    /// What a client is to say of itself cannot be sent.
    #[error("the identity {identity:?} is not at most 200 printable ASCII characters")]
    Identity {
        /// As it was given.
        identity: String,
    },
}

impl Error {
    /// The failed call, if this is one.
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Rpc(error) => Some(error),
            _ => None,
        }
    }

    /// The stable reason, if the server gave one.
    pub fn reason(&self) -> Option<&Reason> {
        self.rpc()?.reason.as_ref()
    }

    /// Whether the thing that was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.rpc().is_some_and(|error| error.code == Code::NotFound)
    }

    /// Whether the thing that was to be created exists.
    pub fn is_already_exists(&self) -> bool {
        self.rpc()
            .is_some_and(|error| error.code == Code::AlreadyExists)
    }

    /// Whether the same call may do better later. The client has repeated it already.
    pub fn retryable(&self) -> bool {
        self.rpc().is_some_and(RpcError::retryable)
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Self::Rpc(Box::new(error))
    }
}

/// A failed call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RpcError {
    /// Class of the failure.
    pub code: Code,
    /// Stable reason; absent when not the server but something on the way answered.
    pub reason: Option<Reason>,
    /// For people.
    pub message: String,
    /// The changing parts of the message, by name.
    pub metadata: BTreeMap<String, String>,
    /// Which fields of the request are wrong.
    pub violations: Vec<FieldViolation>,
    /// When the server wants to be asked again.
    pub retry_delay: Option<Duration>,
    /// For the support of the server.
    pub request_id: Option<String>,
    /// Whether the connection failed, so that the server may not have seen the call.
    pub disconnected: bool,
}

impl RpcError {
    /// Whether the same call may do better later.
    pub fn retryable(&self) -> bool {
        match self.code {
            Code::Unavailable => true,
            // Without a delay it is a quota, which waiting does not lift.
            Code::ResourceExhausted => self.retry_delay.is_some(),
            _ => false,
        }
    }

    /// An error that the client itself found.
    pub(crate) fn local(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: None,
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_delay: None,
            request_id: None,
            disconnected: false,
        }
    }

    pub(crate) fn from_status(status: &tonic::Status) -> Self {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .filter(|info| info.domain == ERROR_DOMAIN);
        // tonic sets a source where it made the status out of a broken connection. What the server
        // did with the call is unknown then, which is what UNAVAILABLE tells the caller.
        let disconnected = status.source().is_some();
        Self {
            code: if disconnected {
                Code::Unavailable
            } else {
                Code::from(status.code())
            },
            reason: info.map(|info| Reason::from_word(&info.reason)),
            message: message(status),
            metadata: info
                .map(|info| info.metadata.clone().into_iter().collect())
                .unwrap_or_default(),
            violations: details
                .bad_request()
                .map(|bad| {
                    bad.field_violations
                        .iter()
                        .map(FieldViolation::from)
                        .collect()
                })
                .unwrap_or_default(),
            retry_delay: details.retry_info().and_then(|info| info.retry_delay),
            request_id: details.request_info().map(|info| info.request_id.clone()),
            disconnected,
        }
    }
}

/// The message of a status with its first cause, which tonic keeps in the sources only.
fn message(status: &tonic::Status) -> String {
    let mut root = None;
    let mut next = status.source();
    while let Some(cause) = next {
        root = Some(cause.to_string());
        next = cause.source();
    }
    match root {
        Some(root) if !status.message().contains(&root) => {
            format!("{}: {root}", status.message())
        }
        _ => status.message().to_owned(),
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{} ({reason})", self.message),
            None => write!(f, "{} ({})", self.message, self.code),
        }
    }
}

impl StdError for RpcError {}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field.
    pub field: String,
    /// What is wrong.
    pub description: String,
}

impl From<&tonic_types::FieldViolation> for FieldViolation {
    fn from(violation: &tonic_types::FieldViolation) -> Self {
        Self {
            field: violation.field.clone(),
            description: violation.description.clone(),
        }
    }
}

/// A workflow that did not end in SUCCESS.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecutionError {
    /// Of which execution.
    pub execution_id: String,
    /// ERROR or CANCELLED.
    pub state: ExecutionState,
    /// Why, as the server says.
    pub state_info: String,
    /// What `output-on-error` gave, if anything.
    pub output: Option<Payload>,
    /// What went wrong, in state ERROR.
    pub failure: Option<Failure>,
}

impl fmt::Display for ExecutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "execution {} ended in {}", self.execution_id, self.state)?;
        match (&self.failure, self.state_info.is_empty()) {
            (_, false) => write!(f, ": {}", self.state_info),
            (Some(failure), true) => write!(f, ": {}", failure.message),
            (None, true) => Ok(()),
        }
    }
}

impl StdError for ExecutionError {}

/// Class of a failed call: the status codes of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are defined by gRPC")]
pub enum Code {
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl Code {
    /// The word that gRPC uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

impl From<tonic::Code> for Code {
    fn from(code: tonic::Code) -> Self {
        match code {
            tonic::Code::Cancelled => Self::Cancelled,
            // OK is no failure; a status that says so where one is expected is a protocol fault.
            tonic::Code::Ok | tonic::Code::Unknown => Self::Unknown,
            tonic::Code::InvalidArgument => Self::InvalidArgument,
            tonic::Code::DeadlineExceeded => Self::DeadlineExceeded,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists => Self::AlreadyExists,
            tonic::Code::PermissionDenied => Self::PermissionDenied,
            tonic::Code::ResourceExhausted => Self::ResourceExhausted,
            tonic::Code::FailedPrecondition => Self::FailedPrecondition,
            tonic::Code::Aborted => Self::Aborted,
            tonic::Code::OutOfRange => Self::OutOfRange,
            tonic::Code::Unimplemented => Self::Unimplemented,
            tonic::Code::Internal => Self::Internal,
            tonic::Code::Unavailable => Self::Unavailable,
            tonic::Code::DataLoss => Self::DataLoss,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
