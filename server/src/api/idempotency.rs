//! What makes two requests the same: the id chosen by the client, the method, and the body.

use std::sync::Arc;

use prost::Message;
use sha2::{Digest, Sha256};
use store::RequestRecord;

use super::convert::field;
use super::fault::Fault;
use crate::driver::RequestKey;

/// A request that changes something.
pub(crate) trait ChangeRequest: Message + Clone {
    /// Name of its method, part of the identity of the request.
    const METHOD: &'static str;

    /// Tenant and id.
    fn identity(&mut self) -> (&str, &mut String);
}

macro_rules! change_requests {
    ($($request:ident = $method:literal),* $(,)?) => {$(
        impl ChangeRequest for proto::v1::$request {
            const METHOD: &'static str = $method;

            fn identity(&mut self) -> (&str, &mut String) {
                (&self.project, &mut self.request_id)
            }
        }
    )*};
}

change_requests!(
    StartExecutionRequest = "StartExecution",
    PauseExecutionRequest = "PauseExecution",
    ResumeExecutionRequest = "ResumeExecution",
    CancelExecutionRequest = "CancelExecution",
    TerminateExecutionRequest = "TerminateExecution",
    StopExecutionRequest = "StopExecution",
    RerunExecutionRequest = "RerunExecution",
    RollbackExecutionRequest = "RollbackExecution",
    RestartExecutionRequest = "RestartExecution",
    UpdateExecutionRequest = "UpdateExecution",
    SkipTaskRequest = "SkipTask",
    RetryTaskRequest = "RetryTask",
    BatchUpdateExecutionsRequest = "BatchUpdateExecutions",
    CancelBatchOperationRequest = "CancelBatchOperation",
    DeleteExecutionRequest = "DeleteExecution",
    CompleteActionExecutionRequest = "CompleteActionExecution",
    FailActionExecutionRequest = "FailActionExecution",
    UpdateActionExecutionRequest = "UpdateActionExecution",
    CreateWorkflowRequest = "CreateWorkflow",
    UpdateWorkflowRequest = "UpdateWorkflow",
    DeleteWorkflowRequest = "DeleteWorkflow",
    CreateWorkbookRequest = "CreateWorkbook",
    UpdateWorkbookRequest = "UpdateWorkbook",
    DeleteWorkbookRequest = "DeleteWorkbook",
    CreateActionRequest = "CreateAction",
    UpdateActionRequest = "UpdateAction",
    DeleteActionRequest = "DeleteAction",
    RunActionRequest = "RunAction",
    CreateEnvironmentRequest = "CreateEnvironment",
    UpdateEnvironmentRequest = "UpdateEnvironment",
    DeleteEnvironmentRequest = "DeleteEnvironment",
);

/// The key of a request, if its client has chosen an id.
pub(crate) fn key<R: ChangeRequest>(request: &R) -> Result<Option<RequestKey>, Fault> {
    let mut rest = request.clone();
    let (project, id) = rest.identity();
    let project = field::project(project)?;
    let Some(id) = field::request_id(&std::mem::take(id))? else {
        return Ok(None);
    };
    let body_hash = Sha256::digest(rest.encode_to_vec()).into();
    Ok(Some(RequestKey {
        project,
        id,
        method: R::METHOD.into(),
        body_hash,
    }))
}

/// The record that is to be kept of a request.
pub(crate) fn record(key: RequestKey, target: Arc<str>, now_us: i64) -> RequestRecord {
    RequestRecord {
        project: key.project,
        request_id: key.id,
        method: key.method.into(),
        body_hash: key.body_hash,
        target,
        created_us: now_us,
    }
}

/// Whether a kept record is of this request; another request under its id is a mistake.
pub(crate) fn is_repeated(key: &RequestKey, kept: &RequestRecord) -> Result<(), Fault> {
    if *kept.method == *key.method && kept.body_hash == key.body_hash {
        return Ok(());
    }
    Err(Fault::request_reused(&key.id))
}

#[cfg(test)]
mod tests {
    use proto::v1::{PauseExecutionRequest, ResumeExecutionRequest};

    use super::*;

    const ID: &str = "01920000-0000-7000-8000-000000000001";

    fn pause(id: &str, reason: &str) -> RequestKey {
        let request = PauseExecutionRequest {
            execution_id: "e".into(),
            reason: reason.into(),
            request_id: id.into(),
            ..Default::default()
        };
        key(&request).unwrap().unwrap()
    }

    #[test]
    fn the_same_request_is_recognised() {
        let resume = ResumeExecutionRequest {
            execution_id: "e".into(),
            reason: "lunch".into(),
            request_id: ID.into(),
            ..Default::default()
        };
        let kept = record(pause(ID, "lunch"), "target".into(), 0);
        for (key, same) in [
            (pause(ID, "lunch"), true),
            (pause(&ID.replace('-', ""), "lunch"), true),
            (pause(ID, "dinner"), false),
            (key(&resume).unwrap().unwrap(), false),
        ] {
            assert_eq!(is_repeated(&key, &kept).is_ok(), same, "{key:?}");
        }
    }

    #[test]
    fn the_id_is_optional_but_a_uuid() {
        let request = |id: &str| PauseExecutionRequest {
            request_id: id.into(),
            ..Default::default()
        };
        assert!(key(&request("")).unwrap().is_none());
        assert!(key(&request("1")).is_err());
    }
}
