//! The rows of the life cycle's table that are not the engine's: restarting and deleting, in every
//! state, and what those above a deleted execution learn.

use engine::ExecutionState as State;
use engine::lifecycle::{Answer, Operation, rule};
use proto::v1::{self, ExecutionState};
use tonic::Response;

use super::{ASYNC, Api, REQUEST_ID, reason, refusal};

/// A workflow with a sub-workflow that runs until its action is completed from outside.
const TREE: &str = "
version: '2.0'
above:
  tasks:
    sub: {workflow: held}
";

/// Brings an execution into a state; none for a state that nobody sees between two commits.
async fn bring(api: &mut Api, id: &str, state: State) -> Option<()> {
    let outcome = match state {
        // What cannot be undone is rolled back at once.
        State::Idle | State::RollingBack => return None,
        State::Running => ExecutionState::Running,
        State::Paused => ExecutionState::Paused,
        State::Success => ExecutionState::Success,
        State::Error => ExecutionState::Error,
        State::Cancelled => ExecutionState::Cancelled,
        State::RolledBack => ExecutionState::RolledBack,
    };
    api.run("held", id, "{}").await;
    let execution_id = id.to_owned();
    if state == State::RolledBack {
        let rollback = v1::RollbackExecutionRequest {
            execution_id,
            ..Default::default()
        };
        api.executions.rollback_execution(rollback).await.unwrap();
    } else if state.is_final() {
        let stop = v1::StopExecutionRequest {
            execution_id,
            outcome: outcome.into(),
            ..Default::default()
        };
        api.executions.stop_execution(stop).await.unwrap();
    } else if outcome == ExecutionState::Paused {
        let pause = v1::PauseExecutionRequest {
            execution_id,
            ..Default::default()
        };
        api.executions.pause_execution(pause).await.unwrap();
    }
    Some(())
}

#[tokio::test]
async fn restarting_and_deleting_keep_to_the_table() {
    let mut api = Api::with(&[ASYNC]).await;
    let operations = [
        Operation::Restart,
        Operation::Delete,
        Operation::DeleteForced,
    ];
    for operation in operations {
        for state in State::ALL {
            let id = format!("{} {}", operation.word(), state.word());
            if bring(&mut api, &id, *state).await.is_none() {
                continue;
            }
            let applied = if operation == Operation::Restart {
                let restart = v1::RestartExecutionRequest {
                    execution_id: id.clone(),
                    ..Default::default()
                };
                let restarted = api.executions.restart_execution(restart).await;
                restarted.map(|_| Response::new(()))
            } else {
                let delete = v1::DeleteExecutionRequest {
                    execution_id: id.clone(),
                    force: operation == Operation::DeleteForced,
                    ..Default::default()
                };
                let deleted = api.executions.delete_execution(delete).await;
                deleted.map(|_| Response::new(()))
            };
            match rule(operation, *state).answer {
                Answer::Apply => assert!(applied.is_ok(), "{id}: {applied:?}"),
                _ => assert_eq!(reason(applied), "EXECUTION_STATE", "{id}"),
            }
        }
    }
    api.stop().await;
}

#[tokio::test]
async fn those_above_a_deleted_execution_learn_of_its_end() {
    let mut api = Api::with(&[ASYNC, TREE]).await;
    api.run("above", "top", "{}").await;
    let children = v1::ListExecutionsRequest {
        filter: "workflow_name = held".into(),
        ..Default::default()
    };
    let found = api.executions.list_executions(children).await.unwrap();
    let child = found.into_inner().executions.remove(0);
    let delete = v1::DeleteExecutionRequest {
        execution_id: child.uid.clone(),
        force: true,
        ..Default::default()
    };
    api.executions.delete_execution(delete).await.unwrap();
    let top = api.finished("top").await;
    assert_eq!(top.state(), ExecutionState::Cancelled);
    let look = v1::GetExecutionRequest {
        execution_id: child.uid.clone(),
        ..Default::default()
    };
    let gone = api.executions.get_execution(look).await;
    assert_eq!(reason(gone), "EXECUTION_NOT_FOUND");
    api.stop().await;
}

#[tokio::test]
async fn a_sub_workflow_that_is_gone_does_not_hold_a_rollback_up() {
    let mut api = Api::with(&[ASYNC, TREE]).await;
    api.run("above", "top", "{}").await;
    let children = v1::ListExecutionsRequest {
        filter: "workflow_name = held".into(),
        ..Default::default()
    };
    let found = api.executions.list_executions(children).await.unwrap();
    let child = found.into_inner().executions.remove(0);
    let stop = v1::StopExecutionRequest {
        execution_id: child.uid.clone(),
        outcome: ExecutionState::Success.into(),
        ..Default::default()
    };
    api.executions.stop_execution(stop).await.unwrap();
    assert_eq!(api.finished("top").await.state(), ExecutionState::Success);
    let delete = v1::DeleteExecutionRequest {
        execution_id: child.uid.clone(),
        ..Default::default()
    };
    api.executions.delete_execution(delete).await.unwrap();
    let rollback = v1::RollbackExecutionRequest {
        execution_id: "top".into(),
        ..Default::default()
    };
    api.executions.rollback_execution(rollback).await.unwrap();
    let top = api.finished("top").await;
    assert_eq!(top.state(), ExecutionState::Error);
    let said = format!("The sub-workflow {} was deleted.", child.uid);
    assert!(top.state_info.contains(&said), "{}", top.state_info);
    // Who knows that nothing is left of it says so.
    let skip = v1::SkipTaskRequest {
        task_execution_id: format!("{}-t2", top.uid),
        ..Default::default()
    };
    api.tasks.skip_task(skip).await.unwrap();
    assert_eq!(
        api.finished("top").await.state(),
        ExecutionState::RolledBack
    );
    api.stop().await;
}

#[tokio::test]
async fn an_etag_guards_what_is_said_of_an_execution() {
    let mut api = Api::with(&[ASYNC]).await;
    let update = |description: &str, etag: &str, request_id: &str| v1::UpdateExecutionRequest {
        execution_id: "e".into(),
        description: description.into(),
        etag: etag.into(),
        request_id: request_id.into(),
        ..Default::default()
    };
    let first = api.run("held", "e", "{}").await.etag;
    let other = api.run("held", "other", "{}").await.etag;
    assert_ne!(first, other, "it is of this execution only");
    let once = update("one", &first, REQUEST_ID);
    let changed = api.executions.update_execution(once.clone()).await.unwrap();
    let second = changed.into_inner().execution.unwrap().etag;
    assert_ne!(first, second);
    for (etag, expected) in [(&first, "ETAG_MISMATCH"), (&other, "ETAG_MISMATCH")] {
        let refused = api
            .executions
            .update_execution(update("two", etag, ""))
            .await;
        let (reason, metadata) = refusal(refused);
        assert_eq!((&*reason, &metadata["found"]), (expected, &second));
    }
    // Who asks again with the same request has changed it already.
    let again = api.executions.update_execution(once).await.unwrap();
    assert_eq!(again.into_inner().execution.unwrap().etag, second);
    // It runs on under the same etag, and may be changed under it when it has ended.
    let stop = v1::StopExecutionRequest {
        execution_id: "e".into(),
        outcome: ExecutionState::Error.into(),
        ..Default::default()
    };
    api.executions.stop_execution(stop).await.unwrap();
    let ended = api.finished("e").await;
    assert_eq!((&ended.etag, &*ended.description), (&second, "one"));
    let last = update("two", &second, "");
    let changed = api.executions.update_execution(last).await.unwrap();
    assert_eq!(changed.into_inner().execution.unwrap().description, "two");
    api.stop().await;
}
