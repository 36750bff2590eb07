//! Every refusal as a gRPC status: the one place where codes, reasons and details are chosen.
//!
//! **Invariant:** a status carries an `ErrorInfo`, its reason decides its code, and nothing of the
//! inside of the server shows: what its own faults were is in the source of a status, for the log.
//! Left to others: what is refused (`fault`), sizes (`outline`), logging (`middleware::trace`).

mod outline;

use std::sync::Arc;

use prost::Message as _;
use proto::v1::ErrorReason;
use tonic::Status;

use super::fault::Fault;
use crate::driver;

use outline::Outline;

/// Header by which a refusal says in which shard the execution is, so that the call can be passed
/// on to its owner.
pub(crate) const SHARD: &str = "autan-shard";

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let outline = of_fault(&fault);
        let is_ours = outline.is_ours();
        let mut status = outline.into_status();
        if let Fault::Driver(driver::Error::NotOwner { shard }) = &fault {
            status.metadata_mut().insert(SHARD, (*shard).into());
        }
        if is_ours {
            status.set_source(Arc::new(fault));
        }
        status
    }
}

/// A refusal that goes in the body of an answer.
pub(super) struct Refusal {
    /// Name of the reason.
    pub(super) reason: String,
    /// For people.
    pub(super) message: String,
    /// Whether the same may succeed if it is sent again.
    pub(super) is_retryable: bool,
}

/// Why something in a larger request is refused.
pub(super) fn refusal(fault: &Fault) -> Refusal {
    let outline = of_fault(fault);
    if outline.is_ours() {
        tracing::error!("a part of a request has failed: {fault}");
    }
    let (reason, message, is_retryable) = outline.into_parts();
    Refusal {
        reason,
        message,
        is_retryable,
    }
}

/// A status without further details, for layers that refuse by themselves.
pub(crate) fn plain(reason: ErrorReason, message: impl Into<String>) -> Status {
    Outline::new(reason, message).into_status()
}

/// A request that is longer than the server reads.
pub(crate) fn request_too_large(limit: usize) -> Status {
    let message = format!("the request has more than {limit} bytes");
    Outline::new(ErrorReason::PayloadTooLarge, message)
        .with("limit", &limit)
        .into_status()
}

/// The word for why a call would be refused.
pub(super) fn reason_of(fault: &Fault) -> String {
    of_fault(fault).reason()
}

fn of_fault(fault: &Fault) -> Outline {
    use ErrorReason as R;
    let text = fault.to_string();
    match fault {
        Fault::InvalidField { field, description } => {
            Outline::new(R::InvalidField, text).bad_field(field, description)
        }
        Fault::InvalidDefinition(diagnostics) => of_diagnostics(diagnostics),
        Fault::DefinitionTooLarge { limit, actual } => {
            let outline = Outline::new(R::DefinitionTooLarge, &text).bad_field("source", &text);
            outline.with("limit", limit).with("actual", actual)
        }
        Fault::InvalidFilter(error) => Outline::new(R::InvalidFilter, &text)
            .bad_field("filter", &text)
            .with("position", &error.position)
            .with("expected", &error.expected),
        Fault::InvalidPageToken(_) => {
            Outline::new(R::InvalidPageToken, &text).bad_field("page_token", &text)
        }
        Fault::HistoryTrimmed => Outline::new(R::HistoryTrimmed, text),
        Fault::EventsTrimmed { earliest } => {
            Outline::new(R::HistoryTrimmed, text).with("earliest_sequence", earliest)
        }
        Fault::PayloadInvalid { field, description } => {
            Outline::new(R::PayloadInvalid, text).bad_field(field, description)
        }
        Fault::PayloadTooLarge {
            field,
            limit,
            actual,
        } => Outline::new(R::PayloadTooLarge, &text)
            .bad_field(field, &text)
            .with("limit", limit)
            .with("actual", actual),
        Fault::AnswerTooLarge { limit, actual } => Outline::new(R::LimitExceeded, &text)
            .precondition("answer")
            .with("name", &"answer_bytes")
            .with("limit", limit)
            .with("actual", actual),
        Fault::ExpressionLimit { limit, allowed } => Outline::new(R::LimitExceeded, text)
            .precondition("expression")
            .with("name", &limit.name())
            .with("limit", allowed),
        Fault::WorkbookNotFound { name, namespace } => Outline::new(R::WorkbookNotFound, text)
            .resource("autan.v1.Workbook", name)
            .with("namespace", namespace),
        Fault::BatchNotFound { id } => {
            missing(R::BatchNotFound, "autan.v1.BatchOperation", id, text)
        }
        Fault::TaskNotFound { id } => {
            Outline::new(R::TaskExecutionNotFound, text).resource("autan.v1.TaskExecution", id)
        }
        Fault::ActionNotFound { id } => {
            Outline::new(R::ActionExecutionNotFound, text).resource("autan.v1.ActionExecution", id)
        }
        Fault::LeaseLost(why) => lease_lost(*why, text),
        Fault::WorkerNotFound { id } => missing(R::WorkerNotFound, "autan.v1.Worker", id, text),
        Fault::QueueNotFound { name } => missing(R::QueueNotFound, "autan.v1.Queue", name, text),
        Fault::QueueChanged { name } => {
            Outline::new(R::EtagMismatch, text).resource("autan.v1.Queue", name)
        }
        Fault::ActionIsSystem { name } => Outline::new(R::ActionIsSystem, text)
            .precondition(name)
            .with("name", name),
        Fault::DefinitionInUse { name, executions } => Outline::new(R::DefinitionInUse, text)
            .precondition(name)
            .with("executions", executions),
        Fault::HelloLate(_) => Outline::new(R::Deadline, text),
        Fault::NotSupported(what) => Outline::new(R::NotSupported, text).with("feature", what),
        Fault::Driver(error) => of_driver(error),
    }
}

fn missing(reason: ErrorReason, kind: &'static str, id: &str, text: String) -> Outline {
    Outline::new(reason, text).resource(kind, id)
}

fn lease_lost(why: engine::LeaseEnd, text: String) -> Outline {
    let outline = Outline::new(ErrorReason::TaskLeaseLost, text);
    outline.precondition("task").with("why", why.word())
}

fn of_driver(error: &driver::Error) -> Outline {
    use ErrorReason as R;
    use driver::Error as E;
    let text = error.to_string();
    match error {
        E::Engine(error) => of_engine(error),
        E::Store(error) => of_store(error),
        E::WorkflowNotFound {
            name,
            namespace,
            revision,
        } => {
            let outline = Outline::new(R::WorkflowNotFound, text)
                .resource("autan.v1.Workflow", name)
                .with("namespace", namespace);
            match revision {
                Some(revision) => outline.with("revision", revision),
                None => outline,
            }
        }
        E::ActionNotFound {
            name,
            namespace,
            revision,
        } => {
            let outline = Outline::new(R::ActionNotFound, text)
                .resource("autan.v1.Action", name)
                .with("namespace", namespace);
            match revision {
                Some(revision) => outline.with("revision", revision),
                None => outline,
            }
        }
        E::EnvironmentNotFound { name } => {
            Outline::new(R::EnvironmentNotFound, text).resource("autan.v1.Environment", name)
        }
        E::ExecutionNotFound { id } => {
            Outline::new(R::ExecutionNotFound, text).resource("autan.v1.Execution", id)
        }
        E::ExecutionExists { id, uid, state } => Outline::new(R::ExecutionAlreadyExists, text)
            .resource("autan.v1.Execution", id)
            .with("uid", uid)
            .with("state", state.word()),
        E::NotFinished { state } => Outline::new(R::ExecutionState, text)
            .precondition("execution")
            .with("state", state.word())
            .with("verb", "delete"),
        E::RequestReused { request_id } => Outline::new(R::RequestIdReused, &text)
            .bad_field("request_id", &text)
            .with("request_id", request_id),
        E::BrokenDefinition { .. } | E::Fault => Outline::internal(),
        E::Undone => Outline::new(R::StoreUnavailable, text).retry(),
        E::NotOwner { .. } => Outline::new(R::OwnerUnavailable, text).retry(),
        E::Overloaded => Outline::new(R::Overloaded, text).retry(),
        E::ShuttingDown => Outline::new(R::ShuttingDown, text).retry(),
    }
}

fn of_engine(error: &engine::Error) -> Outline {
    use ErrorReason as R;
    use engine::Error as E;
    let text = error.to_string();
    match error {
        E::ExecutionState { verb, state, .. } | E::RollbackUnfinished { verb, state } => {
            Outline::new(R::ExecutionState, text)
                .precondition("execution")
                .with("state", state.word())
                .with("verb", verb)
        }
        E::AncestorState { verb, state, .. } => Outline::new(R::ExecutionState, text)
            .precondition("execution above")
            .with("state", state.word())
            .with("verb", verb),
        E::NothingToRerun { state } => Outline::new(R::ExecutionState, text)
            .precondition("execution")
            .with("state", state.word())
            .with("verb", "rerun"),
        E::RollbackOfChild { state } => Outline::new(R::ExecutionState, text)
            .precondition("execution")
            .with("state", state.word())
            .with("verb", "rollback"),
        E::Fault => Outline::internal(),
        E::TaskState { verb, state, .. } | E::TaskRolledBack { verb, state, .. } => {
            Outline::new(R::ExecutionState, text)
                .precondition("task execution")
                .with("state", state.word())
                .with("verb", verb)
        }
        E::TaskNotFound { number } => Outline::new(R::TaskExecutionNotFound, text)
            .resource("autan.v1.TaskExecution", &number.to_string()),
        E::ActionNotFound { number } => Outline::new(R::ActionExecutionNotFound, text)
            .resource("autan.v1.ActionExecution", &number.to_string()),
        E::ActionState { verb, state } => Outline::new(R::ActionState, text)
            .precondition("action execution")
            .with("state", state.word())
            .with("verb", verb),
        E::LeaseLost { why, .. } => lease_lost(*why, text),
        E::ActionNotExternal => Outline::new(R::ActionState, text).precondition("action execution"),
        E::UnknownAction { name, namespace } => Outline::new(R::ActionNotFound, text)
            .resource("autan.v1.Action", name)
            .with("namespace", namespace),
        E::InputMismatch {
            missing,
            unexpected,
        } => {
            let missing_fields = missing.iter().map(|name| (name, "is required"));
            let unexpected_fields = unexpected.iter().map(|name| (name, "is not declared"));
            let violations = missing_fields
                .chain(unexpected_fields)
                .map(|(name, description)| (format!("input.{name}"), description.to_owned()));
            Outline::new(R::InputMismatch, text)
                .bad_request(violations)
                .with("missing", &missing.join(","))
                .with("unexpected", &unexpected.join(","))
        }
        E::NotEvaluated { field, fault } => not_evaluated(field, fault, text),
        E::Params { field, message } => {
            Outline::new(R::InvalidField, &text).bad_field(field, message)
        }
    }
}

fn not_evaluated(field: &str, fault: &engine::NotEvaluated, text: String) -> Outline {
    use ErrorReason as R;
    if let Some(limit) = &fault.failure.limit {
        return Outline::new(R::LimitExceeded, text)
            .precondition(field)
            .with("name", &limit.name)
            .with("limit", &limit.allowed);
    }
    let outline = Outline::new(R::ExpressionFailed, text)
        .with("field", field)
        .with("kind", fault.failure.kind.word());
    let Some(expression) = &fault.expression else {
        return outline;
    };
    let outline = outline.with("expression", expression);
    match &fault.span {
        None => outline,
        Some(span) => {
            let place = |at: usize| expression.get(..at).map_or(0, |part| part.chars().count());
            outline
                .with("start", &place(span.start))
                .with("end", &place(span.end))
        }
    }
}

fn of_store(error: &store::Error) -> Outline {
    use ErrorReason as R;
    use store::{Entity, Error as E};
    let text = error.to_string();
    match error {
        E::Busy => Outline::new(R::StoreUnavailable, "the store is busy; nothing changed").retry(),
        E::Unavailable(_) => Outline::new(
            R::StoreUnavailable,
            "the store is unavailable; nothing changed",
        )
        .retry(),
        E::Conflict { entity, name } => {
            let reason = match entity {
                Entity::Execution => R::ExecutionAlreadyExists,
                Entity::Workbook => R::WorkbookAlreadyExists,
                Entity::Workflow => R::WorkflowAlreadyExists,
                Entity::Action => R::ActionAlreadyExists,
                Entity::Environment => R::EnvironmentAlreadyExists,
            };
            Outline::new(reason, text).resource(kind_of(*entity), name)
        }
        E::NotFound { entity, name } => {
            let reason = match entity {
                Entity::Execution => R::ExecutionNotFound,
                Entity::Workbook => R::WorkbookNotFound,
                Entity::Workflow => R::WorkflowNotFound,
                Entity::Action => R::ActionNotFound,
                Entity::Environment => R::EnvironmentNotFound,
            };
            Outline::new(reason, text).resource(kind_of(*entity), name)
        }
        E::EtagMismatch {
            entity,
            name,
            expected,
            found,
        } => Outline::new(R::EtagMismatch, text)
            .resource(kind_of(*entity), name)
            .with("expected", expected)
            .with("found", found),
        E::Filter {
            field,
            reason: description,
        } => Outline::new(R::InvalidFilter, &text)
            .bad_field("filter", &text)
            .with("field", field)
            .with("description", description),
        // Faults of configuration and operation, also those that a later version may add: what is
        // not known here is at least not shown.
        _ => Outline::internal(),
    }
}

/// The full name of the message for a thing that the store knows by name.
fn kind_of(entity: store::Entity) -> &'static str {
    match entity {
        store::Entity::Execution => "autan.v1.Execution",
        store::Entity::Workflow => "autan.v1.Workflow",
        store::Entity::Action => "autan.v1.Action",
        store::Entity::Workbook => "autan.v1.Workbook",
        store::Entity::Environment => "autan.v1.Environment",
    }
}

fn of_diagnostics(diagnostics: &[definition::Diagnostic]) -> Outline {
    let errors: Vec<_> = diagnostics
        .iter()
        .filter(|d| d.severity == definition::Severity::Error)
        .collect();
    let message = match errors.as_slice() {
        [] => "the document has errors".to_owned(),
        [only] => format!("the document has an error: {only}"),
        [first, ..] => format!(
            "the document has {} errors; the first: {first}",
            errors.len()
        ),
    };
    let violations = errors.iter().map(|diagnostic| {
        let subject = if diagnostic.path.is_empty() {
            "source"
        } else {
            &diagnostic.path
        };
        (subject.to_owned(), diagnostic.to_string())
    });
    Outline::new(ErrorReason::InvalidDefinition, message).bad_request(violations)
}

/// Whether a status says why in a form for programs: all of ours do, those of the transport do not.
pub(crate) fn is_explained(status: &Status) -> bool {
    !status.details().is_empty() && tonic_types::pb::Status::decode(status.details()).is_ok()
}

#[cfg(test)]
mod tests;
