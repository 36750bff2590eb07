//! Every refusal, and the status that it becomes.

use definition::{Kind, Options, check};
use engine::{ActionState, ExecutionState, ExecutionUid};
use prost::Message as _;
use store::Entity;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use super::outline::{
    DETAILS_BYTES_MAX, DOMAIN, RETRY_DELAY, TEXT_BYTES_MAX, VIOLATIONS_MAX, name,
};
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

/// What clients decide by: code, reason, which detail goes with them, and the metadata.
fn check_one(fault: impl Into<Fault>, expected: &str) {
    let fault = fault.into();
    let shown = format!("{fault:?}");
    let (status, details) = details(fault);
    let info = details.error_info().expect("every status has an ErrorInfo");
    let mut pairs: Vec<_> = info
        .metadata
        .iter()
        .map(|(k, v)| format!(" {k}={v}"))
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
    let kind = kind.into_iter().flatten().next().unwrap_or("-");
    let found = format!(
        "{:?} {} {kind}{}",
        status.code(),
        info.reason,
        pairs.concat()
    );
    assert_eq!(found, expected, "{shown}");
    assert_eq!(info.domain, DOMAIN);
    assert!(
        !status.message().is_empty() && !status.message().contains("secret"),
        "{status:?}"
    );
    let is_ours = matches!(status.code(), Code::Internal | Code::Unavailable);
    assert_eq!(
        std::error::Error::source(&status).is_some(),
        is_ours,
        "{shown}"
    );
}

const INTERNAL: &str = "Internal INTERNAL -";

#[test]
fn faults_of_requests_have_their_reasons() {
    let bad = |text: &str, rest: &str| format!("InvalidArgument {text} bad{rest}");
    let one = " violations_total=1";
    let sizes = format!(" actual=2 limit=1{one}");
    let (field, limit, actual) = ("input", 1, 2);
    let filter = filter::parse::<store::TaskField>("state").unwrap_err();
    let place = format!(" expected=one of = != < <= > >= : position=6{one}");
    let unfit = Fault::PayloadInvalid {
        field,
        description: "bad".into(),
    };
    check_one(Fault::field("a", "b"), &bad("INVALID_FIELD", one));
    check_one(
        Fault::DefinitionTooLarge { limit, actual },
        &bad("DEFINITION_TOO_LARGE", &sizes),
    );
    check_one(filter, &bad("INVALID_FILTER", &place));
    check_one(
        Fault::InvalidPageToken("is malformed"),
        &bad("INVALID_PAGE_TOKEN", one),
    );
    check_one(unfit, &bad("PAYLOAD_INVALID", one));
    check_one(
        Fault::PayloadTooLarge {
            field,
            limit,
            actual,
        },
        &bad("PAYLOAD_TOO_LARGE", &sizes),
    );
    check_one(
        Fault::AnswerTooLarge { limit, actual },
        "FailedPrecondition LIMIT_EXCEEDED precondition actual=2 limit=1 name=answer_bytes",
    );
    check_one(
        Fault::ExpressionLimit {
            limit: expr::Limit::Steps,
            allowed: 5,
        },
        "FailedPrecondition LIMIT_EXCEEDED precondition limit=5 name=expression_steps",
    );
    check_one(
        Fault::WorkbookNotFound {
            name: "b".into(),
            namespace: "n".into(),
        },
        "NotFound WORKBOOK_NOT_FOUND Workbook namespace=n",
    );
    check_one(
        Fault::TaskNotFound { id: "t".into() },
        "NotFound TASK_EXECUTION_NOT_FOUND TaskExecution",
    );
    check_one(
        Fault::ActionNotFound { id: "a".into() },
        "NotFound ACTION_EXECUTION_NOT_FOUND ActionExecution",
    );
    check_one(
        Fault::DefinitionInUse {
            name: "w".into(),
            executions: 3,
        },
        "FailedPrecondition DEFINITION_IN_USE precondition executions=3",
    );
    check_one(
        Fault::HelloLate(std::time::Duration::from_secs(10)),
        "DeadlineExceeded DEADLINE -",
    );
    check_one(
        Fault::NotSupported("Payload.ref"),
        "Unimplemented NOT_SUPPORTED - feature=Payload.ref",
    );
}

#[test]
fn errors_of_the_driver_have_their_reasons() {
    let uid = ExecutionUid(Uuid::nil());
    let state = ExecutionState::Running;
    let (name, namespace) = (|| "w".into(), || "n".into());
    check_one(
        D::WorkflowNotFound {
            name: name(),
            namespace: namespace(),
            revision: Some(2),
        },
        "NotFound WORKFLOW_NOT_FOUND Workflow namespace=n revision=2",
    );
    check_one(
        D::WorkflowNotFound {
            name: name(),
            namespace: namespace(),
            revision: None,
        },
        "NotFound WORKFLOW_NOT_FOUND Workflow namespace=n",
    );
    check_one(
        D::ExecutionNotFound { id: "e".into() },
        "NotFound EXECUTION_NOT_FOUND Execution",
    );
    check_one(
        D::ExecutionExists {
            id: "e".into(),
            uid,
            state,
        },
        "AlreadyExists EXECUTION_ALREADY_EXISTS Execution state=RUNNING \
         uid=00000000-0000-0000-0000-000000000000",
    );
    check_one(
        D::NotFinished { state },
        "FailedPrecondition EXECUTION_STATE precondition state=RUNNING verb=delete",
    );
    check_one(
        D::RequestReused {
            request_id: "r".into(),
        },
        "InvalidArgument REQUEST_ID_REUSED bad request_id=r violations_total=1",
    );
    check_one(
        D::BrokenDefinition {
            name: "secret".into(),
        },
        INTERNAL,
    );
    check_one(D::Overloaded, "ResourceExhausted OVERLOADED retry");
    check_one(
        D::NotOwner { shard: 3 },
        "Unavailable OWNER_UNAVAILABLE retry",
    );
    check_one(D::ShuttingDown, "Unavailable SHUTTING_DOWN retry");
}

#[test]
fn errors_of_the_engine_have_their_reasons() {
    use engine::Error as E;
    let (missing, unexpected) = (vec!["a".into(), "b".into()], vec!["c".into()]);
    let state = ActionState::Success;
    for (error, expected) in [
        (
            E::ExecutionState {
                verb: "pause",
                state: ExecutionState::Success,
                why: "it has ended",
            },
            "FailedPrecondition EXECUTION_STATE precondition state=SUCCESS verb=pause",
        ),
        (
            E::TaskNotFound { number: 1 },
            "NotFound TASK_EXECUTION_NOT_FOUND TaskExecution",
        ),
        (
            E::ActionNotFound { number: 1 },
            "NotFound ACTION_EXECUTION_NOT_FOUND ActionExecution",
        ),
        (
            E::ActionState {
                verb: "complete",
                state,
            },
            "FailedPrecondition ACTION_STATE precondition state=SUCCESS verb=complete",
        ),
        (
            E::ActionNotExternal,
            "FailedPrecondition ACTION_STATE precondition",
        ),
        (
            E::InputMismatch {
                missing,
                unexpected,
            },
            "InvalidArgument INPUT_MISMATCH bad missing=a,b unexpected=c violations_total=3",
        ),
        (
            E::Params {
                field: "params.env",
                message: "must be an object".into(),
            },
            "InvalidArgument INVALID_FIELD bad violations_total=1",
        ),
        (
            not_evaluated("expression_error", Some(3..6)),
            "InvalidArgument EXPRESSION_FAILED - end=5 expression=<% é %> field=vars \
             kind=expression_error start=3",
        ),
        (
            not_evaluated("expression_error", None),
            "InvalidArgument EXPRESSION_FAILED - expression=<% é %> field=vars \
             kind=expression_error",
        ),
        (
            not_evaluated("limit_exceeded expression_steps 1000", None),
            "FailedPrecondition LIMIT_EXCEEDED precondition limit=1000 name=expression_steps",
        ),
    ] {
        check_one(D::Engine(error), expected);
    }
}

/// What refuses a start whose `vars` cannot be evaluated.
fn not_evaluated(failure: &str, span: Option<std::ops::Range<usize>>) -> engine::Error {
    engine::Error::NotEvaluated {
        field: "vars",
        fault: Box::new(engine::NotEvaluated {
            message: "no".into(),
            failure: failure.parse().expect("it is one"),
            expression: Some("<% é %>".into()),
            span,
        }),
    }
}

#[test]
fn names_of_the_store_have_their_reasons() {
    use store::Error as E;
    let name = || "x".to_owned();
    for (entity, exists, missing) in [
        (
            Entity::Workflow,
            "AlreadyExists WORKFLOW_ALREADY_EXISTS Workflow",
            "NotFound WORKFLOW_NOT_FOUND Workflow",
        ),
        (
            Entity::Action,
            "AlreadyExists ACTION_ALREADY_EXISTS Action",
            "NotFound ACTION_NOT_FOUND Action",
        ),
        (
            Entity::Workbook,
            "AlreadyExists WORKBOOK_ALREADY_EXISTS Workbook",
            "NotFound WORKBOOK_NOT_FOUND Workbook",
        ),
        (
            Entity::Environment,
            "AlreadyExists ENVIRONMENT_ALREADY_EXISTS Environment",
            "NotFound ENVIRONMENT_NOT_FOUND Environment",
        ),
        (
            Entity::Execution,
            "AlreadyExists EXECUTION_ALREADY_EXISTS Execution",
            "NotFound EXECUTION_NOT_FOUND Execution",
        ),
    ] {
        check_one(
            E::Conflict {
                entity,
                name: name(),
            },
            exists,
        );
        check_one(
            E::NotFound {
                entity,
                name: name(),
            },
            missing,
        );
    }
    let (entity, expected, found) = (Entity::Workflow, "1-a".into(), "2-b".into());
    check_one(
        E::EtagMismatch {
            entity,
            name: name(),
            expected,
            found,
        },
        "Aborted ETAG_MISMATCH Workflow expected=1-a found=2-b",
    );
    check_one(
        E::Filter {
            field: "uid".into(),
            reason: "takes = only",
        },
        "InvalidArgument INVALID_FILTER bad description=takes = only field=uid violations_total=1",
    );
}

#[test]
fn faults_of_the_store_show_no_insides() {
    use store::Error as E;
    let name = || "secret".to_owned();
    let (place, reason) = ("secret", "secret");
    let path = || "/secret".into();
    check_one(E::Busy, "Unavailable STORE_UNAVAILABLE retry");
    check_one(
        E::Unavailable(cause()),
        "Unavailable STORE_UNAVAILABLE retry",
    );
    for error in [
        E::Url {
            url: name(),
            reason,
        },
        E::Open {
            path: path(),
            reason,
            cause: None,
        },
        E::InUse {
            database: "autan.db".to_owned(),
        },
        E::WriterTaken,
        E::Schema {
            found: name(),
            wanted: name(),
        },
        E::Corrupt {
            place,
            cause: cause(),
        },
        E::Invalid("secret"),
        E::Internal(cause()),
    ] {
        check_one(error, INTERNAL);
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
    for number in 0..=36 {
        let reason = ErrorReason::try_from(number).expect("reasons are numbered without holes");
        assert!(!name(reason).starts_with("ERROR_REASON_") && !name(reason).is_empty());
    }
    assert!(
        ErrorReason::try_from(37).is_err(),
        "a new reason needs a code, and a place here"
    );
}
