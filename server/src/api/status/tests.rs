//! Every refusal, and the status that it becomes.

use definition::{Kind, Options, check};
use engine::{ActionState, ExecutionState, ExecutionUid};
use prost::Message as _;
use store::Entity;
use tonic_types::ErrorDetails;
use uuid::Uuid;

use super::*;
use crate::api::filter;
use crate::driver::Error as D;

fn engine(error: engine::Error) -> Fault {
    Fault::Driver(D::Engine(error))
}

fn cause() -> store::Cause {
    "SQLITE_CORRUPT in page 7 of /secret/place".into()
}

fn details(fault: Fault) -> (Status, ErrorDetails) {
    let status = Status::from(fault);
    let details = status.get_error_details();
    (status, details)
}

/// What clients decide by: code, reason, metadata, and which detail goes with them.
fn check_one(fault: Fault, code: Code, reason: &str, metadata: &str, detail: &str) {
    let shown = format!("{fault:?}");
    let (status, details) = details(fault);
    let info = details.error_info().expect("every status has an ErrorInfo");
    let mut pairs: Vec<_> = info
        .metadata
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    pairs.sort();
    let kind = [
        details.bad_request().map(|_| "bad"),
        details
            .resource_info()
            .map(|info| info.resource_type.trim_start_matches("autan.v1.")),
        details.precondition_failure().map(|_| "precondition"),
        details.retry_info().map(|_| "retry"),
    ];
    let kind = kind.into_iter().flatten().next().unwrap_or("");
    let found = (status.code(), &*info.reason, &*pairs.join(" "), kind);
    assert_eq!(found, (code, reason, metadata, detail), "{shown}");
    assert_eq!(info.domain, DOMAIN);
    assert!(
        !status.message().is_empty() && !status.message().contains("secret"),
        "{status:?}"
    );
    let is_ours = matches!(code, Code::Internal | Code::Unavailable);
    assert_eq!(
        std::error::Error::source(&status).is_some(),
        is_ours,
        "{shown}"
    );
}

#[test]
fn faults_of_requests_have_their_reasons() {
    use Code::{FailedPrecondition as Failed, InvalidArgument as Invalid, NotFound};
    let field = "input";
    let filter = filter::parse::<store::TaskField>("state").unwrap_err();
    for (fault, code, reason, metadata, detail) in [
        (
            Fault::field("a", "b"),
            Invalid,
            "INVALID_FIELD",
            "violations_total=1",
            "bad",
        ),
        (
            Fault::DefinitionTooLarge {
                limit: 1,
                actual: 2,
            },
            Invalid,
            "DEFINITION_TOO_LARGE",
            "actual=2 limit=1 violations_total=1",
            "bad",
        ),
        (
            Fault::InvalidFilter(filter),
            Invalid,
            "INVALID_FILTER",
            "expected=one of = != < <= > >= : position=6 violations_total=1",
            "bad",
        ),
        (
            Fault::InvalidPageToken("is malformed"),
            Invalid,
            "INVALID_PAGE_TOKEN",
            "violations_total=1",
            "bad",
        ),
        (
            Fault::PayloadInvalid {
                field,
                description: "bad".into(),
            },
            Invalid,
            "PAYLOAD_INVALID",
            "violations_total=1",
            "bad",
        ),
        (
            Fault::PayloadTooLarge {
                field,
                limit: 1,
                actual: 2,
            },
            Invalid,
            "PAYLOAD_TOO_LARGE",
            "actual=2 limit=1 violations_total=1",
            "bad",
        ),
        (
            Fault::WorkbookNotFound {
                name: "b".into(),
                namespace: "n".into(),
            },
            NotFound,
            "WORKBOOK_NOT_FOUND",
            "namespace=n",
            "Workbook",
        ),
        (
            Fault::TaskNotFound { id: "t".into() },
            NotFound,
            "TASK_EXECUTION_NOT_FOUND",
            "",
            "TaskExecution",
        ),
        (
            Fault::ActionNotFound { id: "a".into() },
            NotFound,
            "ACTION_EXECUTION_NOT_FOUND",
            "",
            "ActionExecution",
        ),
        (
            Fault::DefinitionInUse {
                name: "w".into(),
                executions: 3,
            },
            Failed,
            "DEFINITION_IN_USE",
            "executions=3",
            "precondition",
        ),
        (
            Fault::NotSupported("Payload.ref"),
            Code::Unimplemented,
            "NOT_SUPPORTED",
            "feature=Payload.ref",
            "",
        ),
    ] {
        check_one(fault, code, reason, metadata, detail);
    }
}

#[test]
fn errors_of_the_driver_have_their_reasons() {
    let uid = ExecutionUid(Uuid::nil());
    let state = ExecutionState::Running;
    for (error, code, reason, metadata, detail) in [
        (
            D::WorkflowNotFound {
                name: "w".into(),
                namespace: "n".into(),
                revision: Some(2),
            },
            Code::NotFound,
            "WORKFLOW_NOT_FOUND",
            "namespace=n revision=2",
            "Workflow",
        ),
        (
            D::ExecutionNotFound { id: "e".into() },
            Code::NotFound,
            "EXECUTION_NOT_FOUND",
            "",
            "Execution",
        ),
        (
            D::ExecutionExists {
                id: "e".into(),
                uid,
                state,
            },
            Code::AlreadyExists,
            "EXECUTION_ALREADY_EXISTS",
            "state=RUNNING uid=00000000-0000-0000-0000-000000000000",
            "Execution",
        ),
        (
            D::NotFinished { state },
            Code::FailedPrecondition,
            "EXECUTION_STATE",
            "state=RUNNING verb=delete",
            "precondition",
        ),
        (
            D::RequestReused {
                request_id: "r".into(),
            },
            Code::InvalidArgument,
            "REQUEST_ID_REUSED",
            "request_id=r violations_total=1",
            "bad",
        ),
        (
            D::BrokenDefinition {
                name: "secret".into(),
            },
            Code::Internal,
            "INTERNAL",
            "",
            "",
        ),
        (
            D::Overloaded,
            Code::ResourceExhausted,
            "OVERLOADED",
            "",
            "retry",
        ),
        (
            D::ShuttingDown,
            Code::Unavailable,
            "SHUTTING_DOWN",
            "",
            "retry",
        ),
    ] {
        check_one(Fault::Driver(error), code, reason, metadata, detail);
    }
}

#[test]
fn errors_of_the_engine_have_their_reasons() {
    use engine::Error as E;
    for (error, code, reason, metadata, detail) in [
        (
            E::ExecutionState {
                verb: "pause",
                state: ExecutionState::Success,
            },
            Code::FailedPrecondition,
            "EXECUTION_STATE",
            "state=SUCCESS verb=pause",
            "precondition",
        ),
        (
            E::TaskNotFound { number: 1 },
            Code::NotFound,
            "TASK_EXECUTION_NOT_FOUND",
            "",
            "TaskExecution",
        ),
        (
            E::ActionNotFound { number: 1 },
            Code::NotFound,
            "ACTION_EXECUTION_NOT_FOUND",
            "",
            "ActionExecution",
        ),
        (
            E::ActionState {
                verb: "complete",
                state: ActionState::Success,
            },
            Code::FailedPrecondition,
            "ACTION_STATE",
            "state=SUCCESS verb=complete",
            "precondition",
        ),
        (
            E::ActionNotExternal,
            Code::FailedPrecondition,
            "ACTION_STATE",
            "",
            "precondition",
        ),
        (
            E::InputMismatch {
                missing: vec!["a".into(), "b".into()],
                unexpected: vec!["c".into()],
            },
            Code::InvalidArgument,
            "INPUT_MISMATCH",
            "missing=a,b unexpected=c violations_total=3",
            "bad",
        ),
        (
            E::Params {
                field: "params.env",
                message: "must be an object".into(),
            },
            Code::InvalidArgument,
            "INVALID_FIELD",
            "violations_total=1",
            "bad",
        ),
    ] {
        check_one(engine(error), code, reason, metadata, detail);
    }
}

#[test]
fn errors_of_the_store_have_their_reasons_and_no_insides() {
    use store::Error as E;
    let name = || "x".to_owned();
    let (place, reason) = ("secret", "secret");
    let path = || "/secret".into();
    for (error, code, reason, metadata, detail) in [
        (E::Busy, Code::Unavailable, "STORE_UNAVAILABLE", "", "retry"),
        (
            E::Unavailable(cause()),
            Code::Unavailable,
            "STORE_UNAVAILABLE",
            "",
            "retry",
        ),
        (
            E::Conflict {
                entity: Entity::Workflow,
                name: name(),
            },
            Code::AlreadyExists,
            "WORKFLOW_ALREADY_EXISTS",
            "",
            "Workflow",
        ),
        (
            E::Conflict {
                entity: Entity::Action,
                name: name(),
            },
            Code::AlreadyExists,
            "WORKFLOW_ALREADY_EXISTS",
            "",
            "Action",
        ),
        (
            E::Conflict {
                entity: Entity::Workbook,
                name: name(),
            },
            Code::AlreadyExists,
            "WORKBOOK_ALREADY_EXISTS",
            "",
            "Workbook",
        ),
        (
            E::Conflict {
                entity: Entity::Execution,
                name: name(),
            },
            Code::AlreadyExists,
            "EXECUTION_ALREADY_EXISTS",
            "",
            "Execution",
        ),
        (
            E::NotFound {
                entity: Entity::Workflow,
                name: name(),
            },
            Code::NotFound,
            "WORKFLOW_NOT_FOUND",
            "",
            "Workflow",
        ),
        (
            E::NotFound {
                entity: Entity::Workbook,
                name: name(),
            },
            Code::NotFound,
            "WORKBOOK_NOT_FOUND",
            "",
            "Workbook",
        ),
        (
            E::EtagMismatch {
                entity: Entity::Workflow,
                name: name(),
                expected: "1-a".into(),
                found: "2-b".into(),
            },
            Code::Aborted,
            "ETAG_MISMATCH",
            "expected=1-a found=2-b",
            "Workflow",
        ),
        (
            E::Filter {
                field: "uid".into(),
                reason: "takes = only",
            },
            Code::InvalidArgument,
            "INVALID_FILTER",
            "description=takes = only field=uid violations_total=1",
            "bad",
        ),
        (
            E::Url {
                url: name(),
                reason,
            },
            Code::Internal,
            "INTERNAL",
            "",
            "",
        ),
        (
            E::Open {
                path: path(),
                reason,
                cause: None,
            },
            Code::Internal,
            "INTERNAL",
            "",
            "",
        ),
        (
            E::InUse { path: path() },
            Code::Internal,
            "INTERNAL",
            "",
            "",
        ),
        (E::WriterTaken, Code::Internal, "INTERNAL", "", ""),
        (
            E::Schema {
                found: name(),
                wanted: name(),
            },
            Code::Internal,
            "INTERNAL",
            "",
            "",
        ),
        (
            E::Corrupt {
                place,
                cause: cause(),
            },
            Code::Internal,
            "INTERNAL",
            "",
            "",
        ),
        (E::Invalid("secret"), Code::Internal, "INTERNAL", "", ""),
        (E::Internal(cause()), Code::Internal, "INTERNAL", "", ""),
    ] {
        check_one(error.into(), code, reason, metadata, detail);
    }
}

#[test]
fn a_faulty_document_shows_the_first_faults_and_their_number() {
    use std::fmt::Write as _;
    let mut source = "version: '2.0'\nwf:\n  tasks:\n".to_owned();
    for number in 0..50 {
        write!(source, "    t{number}:\n      actoin{number}: std.noop\n").unwrap();
    }
    let checked = check(&source, Kind::Workflows, Options::default());
    let (status, details) = details(Fault::InvalidDefinition(checked.diagnostics));
    let info = details.error_info().unwrap();
    assert_eq!(info.reason, "INVALID_DEFINITION");
    assert_eq!(info.metadata["violations_total"], "50");
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations.len(), VIOLATIONS_MAX);
    assert!(
        violations[0].description.starts_with("5:7: error["),
        "{violations:?}"
    );
    assert!(
        status
            .message()
            .starts_with("the document has 50 errors; the first: 5:7")
    );
}

#[test]
fn details_and_messages_stay_small() {
    let long = "größe ".repeat(2000);
    let missing = (0..500).map(|number| format!("{long}{number}")).collect();
    let unexpected = Vec::new();
    for fault in [
        engine(engine::Error::InputMismatch {
            missing,
            unexpected,
        }),
        Fault::field(long.clone(), long.clone()),
        Fault::execution_not_found(&long),
        Fault::Driver(D::WorkflowNotFound {
            name: long.as_str().into(),
            namespace: long.as_str().into(),
            revision: None,
        }),
    ] {
        let (status, details) = details(fault);
        assert!(
            status.details().len() <= DETAILS_BYTES_MAX,
            "{}",
            status.details().len()
        );
        assert!(status.message().len() <= TEXT_BYTES_MAX);
        assert!(details.error_info().is_some());
        let decoded = tonic_types::pb::Status::decode(status.details()).unwrap();
        assert_eq!(decoded.code, i32::from(status.code()));
    }
}

#[test]
fn an_overloaded_server_says_when_to_come_back() {
    let (status, details) = details(Fault::Driver(D::Overloaded));
    assert_eq!(details.retry_info().unwrap().retry_delay, Some(RETRY_DELAY));
    assert_eq!(
        status.metadata().get("grpc-retry-pushback-ms").unwrap(),
        "1000"
    );
}

#[test]
fn every_reason_has_a_name_without_prefix() {
    for number in 0..=29 {
        let reason = ErrorReason::try_from(number).expect("reasons are numbered without holes");
        assert!(!name(reason).starts_with("ERROR_REASON_") && !name(reason).is_empty());
    }
    assert!(
        ErrorReason::try_from(30).is_err(),
        "a new reason needs a code, and a place here"
    );
}
