//! What a status is made of, and how it is kept small: code and name of a reason, the texts, and
//! the details that go with them.
//!
//! **Invariant:** details stay so small that the header list of a response has room for them.

use std::collections::HashMap;
use std::time::Duration;

use proto::v1::ErrorReason;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

/// What `ErrorInfo.domain` is.
pub(super) const DOMAIN: &str = "autan";

/// Most violations in one status.
pub(super) const VIOLATIONS_MAX: usize = 20;

/// Most bytes of the details. In base64 they grow by a third; with the message they must fit the
/// 8 KiB of headers that clients take without asking.
pub(super) const DETAILS_BYTES_MAX: usize = 5 << 10;

/// Most bytes of the message, and of one description or value inside the details.
pub(super) const TEXT_BYTES_MAX: usize = 512;

/// When a call that met an overloaded or closing server should be made again.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What a status is made of.
pub(super) struct Outline {
    reason: ErrorReason,
    message: String,
    metadata: HashMap<String, String>,
    detail: Detail,
}

/// What goes with the `ErrorInfo`.
enum Detail {
    None,
    BadRequest {
        violations: Vec<(String, String)>,
        total: usize,
    },
    Resource {
        kind: &'static str,
        name: String,
    },
    Precondition {
        subject: String,
    },
    Retry,
}

/// The code that goes with a reason; the comments of the reasons promise it.
fn code(reason: ErrorReason) -> Code {
    use ErrorReason as R;
    match reason {
        R::Unspecified | R::Internal => Code::Internal,
        R::InvalidField
        | R::InvalidDefinition
        | R::InvalidFilter
        | R::InvalidPageToken
        | R::PayloadInvalid
        | R::PayloadTooLarge
        | R::DefinitionTooLarge
        | R::RequestIdReused
        | R::InputMismatch
        | R::ExpressionFailed => Code::InvalidArgument,
        R::WorkflowNotFound
        | R::WorkbookNotFound
        | R::ActionNotFound
        | R::EnvironmentNotFound
        | R::ExecutionNotFound
        | R::TaskExecutionNotFound
        | R::ActionExecutionNotFound
        | R::BatchNotFound
        | R::WorkerNotFound
        | R::QueueNotFound => Code::NotFound,
        R::WorkflowAlreadyExists
        | R::WorkbookAlreadyExists
        | R::ActionAlreadyExists
        | R::EnvironmentAlreadyExists
        | R::ExecutionAlreadyExists => Code::AlreadyExists,
        R::ExecutionState
        | R::ActionState
        | R::ActionIsSystem
        | R::DefinitionInUse
        | R::TaskLeaseLost
        | R::LimitExceeded => Code::FailedPrecondition,
        R::EtagMismatch => Code::Aborted,
        R::HistoryTrimmed => Code::OutOfRange,
        R::Overloaded => Code::ResourceExhausted,
        R::StoreUnavailable | R::ShuttingDown | R::OwnerUnavailable => Code::Unavailable,
        R::Deadline => Code::DeadlineExceeded,
        R::NotSupported => Code::Unimplemented,
    }
}

impl Outline {
    /// The word of its reason.
    pub(super) fn reason(&self) -> String {
        name(self.reason).to_owned()
    }

    pub(super) fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            reason,
            message,
            metadata: HashMap::new(),
            detail: Detail::None,
        }
    }

    /// What a fault of the server looks like from outside.
    pub(super) fn internal() -> Self {
        Self::new(
            ErrorReason::Internal,
            "the server has made a mistake; its log says more",
        )
    }

    pub(super) fn with(mut self, key: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.metadata.insert(key.to_owned(), cut(value.to_string()));
        self
    }

    pub(super) fn bad_field(self, field: &str, description: &str) -> Self {
        self.bad_request([(field.to_owned(), description.to_owned())].into_iter())
    }

    pub(super) fn bad_request(self, all: impl Iterator<Item = (String, String)>) -> Self {
        let mut total = 0;
        let counted = all.inspect(|_| total += 1);
        let mut violations: Vec<_> = counted
            .map(|(field, description)| (cut(field), cut(description)))
            .collect();
        violations.truncate(VIOLATIONS_MAX);
        let detail = Detail::BadRequest { violations, total };
        Self { detail, ..self }
    }

    pub(super) fn resource(self, kind: &'static str, name: &str) -> Self {
        Self {
            detail: Detail::Resource {
                kind,
                name: cut(name.to_owned()),
            },
            ..self
        }
    }

    pub(super) fn precondition(self, subject: &str) -> Self {
        Self {
            detail: Detail::Precondition {
                subject: cut(subject.to_owned()),
            },
            ..self
        }
    }

    pub(super) fn retry(self) -> Self {
        Self {
            detail: Detail::Retry,
            ..self
        }
    }

    /// Whether the server is at fault, and not the caller.
    pub(super) fn is_ours(&self) -> bool {
        matches!(code(self.reason), Code::Internal | Code::Unavailable)
    }

    /// Name of the reason, the text, and whether the same may succeed later.
    pub(super) fn into_parts(self) -> (String, String, bool) {
        let is_retryable = matches!(
            code(self.reason),
            Code::Unavailable | Code::ResourceExhausted | Code::Internal
        );
        (
            name(self.reason).to_owned(),
            cut(self.message),
            is_retryable,
        )
    }

    pub(super) fn into_status(mut self) -> Status {
        self.message = cut(std::mem::take(&mut self.message));
        loop {
            let status = self.status();
            let Detail::BadRequest { violations, .. } = &mut self.detail else {
                return status;
            };
            if status.details().len() <= DETAILS_BYTES_MAX || violations.pop().is_none() {
                return status;
            }
        }
    }

    fn status(&self) -> Status {
        let mut details = ErrorDetails::new();
        let mut metadata = self.metadata.clone();
        let code = code(self.reason);
        match &self.detail {
            Detail::None => {}
            Detail::BadRequest { violations, total } => {
                metadata.insert("violations_total".to_owned(), total.to_string());
                let violations = violations.iter();
                let violations: Vec<_> = violations
                    .map(|(f, d)| FieldViolation::new(f.clone(), d.clone()))
                    .collect();
                details.set_bad_request(violations);
            }
            Detail::Resource { kind, name } => {
                details.set_resource_info(*kind, name.clone(), "", self.message.clone());
            }
            Detail::Precondition { subject } => {
                let kind = name(self.reason);
                let violation = PreconditionViolation::new(kind, subject.clone(), &self.message);
                details.set_precondition_failure(vec![violation]);
            }
            Detail::Retry => {
                details.set_retry_info(Some(RETRY_DELAY));
            }
        }
        details.set_error_info(name(self.reason), DOMAIN, metadata);
        let mut status = Status::with_error_details(code, self.message.clone(), details);
        if code == Code::ResourceExhausted {
            let delay = MetadataValue::from(RETRY_DELAY.as_secs() * 1000);
            status
                .metadata_mut()
                .insert("grpc-retry-pushback-ms", delay);
        }
        status
    }
}

/// The reason as `ErrorInfo` shows it.
pub(super) fn name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

fn cut(text: String) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let mut short = engine::limits::truncate(&text, TEXT_BYTES_MAX - 3).to_owned();
    short.push('…');
    short
}
