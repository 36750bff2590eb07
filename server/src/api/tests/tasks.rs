//! Tasks and actions: reading them, and completing actions from outside.

use proto::v1::list_action_executions_request::Parent;
use proto::v1::{self, ActionState, ExecutionState, TaskState, View};

use super::{ASYNC, Api, ECHO, json, reason, refusal, text};

fn list_actions(parent: Parent) -> v1::ListActionExecutionsRequest {
    v1::ListActionExecutionsRequest {
        parent: Some(parent),
        view: View::Full.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn tasks_are_shown() {
    let mut api = Api::with(&[ECHO]).await;
    api.run("echo", "e", "{\"word\": {\"b\":1,  \"a\":2}}")
        .await;
    api.finished("e").await;
    let list = v1::ListTaskExecutionsRequest {
        execution_id: "e".into(),
        ..Default::default()
    };
    let listed = api
        .tasks
        .list_task_executions(list.clone())
        .await
        .unwrap()
        .into_inner();
    let [say, check] = listed.task_executions.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(
        (&*say.task_name, say.state(), say.attempts),
        ("say", TaskState::Success, 1)
    );
    assert_eq!(
        (&*say.tags, &*say.next_tasks),
        (&["loud".into()][..], &["check".into()][..])
    );
    assert_eq!(check.triggered_by, ["say"]);
    assert!(say.result.is_none() && say.processed);
    let filtered = v1::ListTaskExecutionsRequest {
        filter: "task_name = ch*".into(),
        ..list
    };
    let filtered = api
        .tasks
        .list_task_executions(filtered)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(filtered.task_executions.len(), 1);

    let id = say.task_execution_id.clone();
    let get = v1::GetTaskExecutionRequest {
        task_execution_id: id.clone(),
        ..Default::default()
    };
    let task = api
        .tasks
        .get_task_execution(get)
        .await
        .unwrap()
        .into_inner();
    let task = task.task_execution.unwrap();
    assert!(text(task.published.as_ref()).contains("said"), "{task:?}");
    assert!(text(task.result.as_ref()).contains("\"b\""), "{task:?}");
    api.stop().await;
}

#[tokio::test]
async fn actions_are_shown() {
    let mut api = Api::with(&[ECHO]).await;
    let id = format!("{}-t1", api.run("echo", "e", "{\"word\": 1}").await.uid);
    api.finished("e").await;
    for (parent, count) in [
        (Parent::ExecutionId("e".into()), 2),
        (Parent::TaskExecutionId(id), 1),
    ] {
        let listed = api
            .tasks
            .list_action_executions(list_actions(parent))
            .await
            .unwrap();
        let actions = listed.into_inner().action_executions;
        assert_eq!(actions.len(), count);
        let first = &actions[0];
        assert_eq!(
            (&*first.name, &*first.task_name, first.attempt),
            ("std.echo", "say", 1)
        );
        assert!(first.accepted && text(first.input.as_ref()).contains("output"));
        let get = v1::GetActionExecutionRequest {
            action_execution_id: first.action_execution_id.clone(),
            ..Default::default()
        };
        let found = api
            .tasks
            .get_action_execution(get)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(found.action_execution.as_ref(), Some(first));
    }
    api.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let mut api = Api::with(&[ECHO]).await;
    let execution = api.run("echo", "e", "{\"word\": 1}").await;
    for id in [
        "x".to_owned(),
        format!("{}-t9", execution.uid),
        "-t1".into(),
    ] {
        let get = v1::GetTaskExecutionRequest {
            task_execution_id: id.clone(),
            ..Default::default()
        };
        assert_eq!(
            reason(api.tasks.get_task_execution(get).await),
            "TASK_EXECUTION_NOT_FOUND"
        );
        let list = list_actions(Parent::TaskExecutionId(id.clone()));
        assert_eq!(
            reason(api.tasks.list_action_executions(list).await),
            "TASK_EXECUTION_NOT_FOUND"
        );
        let action_execution_id = format!("{id}-a1");
        let get = v1::GetActionExecutionRequest {
            action_execution_id: action_execution_id.clone(),
            ..Default::default()
        };
        assert_eq!(
            reason(api.tasks.get_action_execution(get).await),
            "ACTION_EXECUTION_NOT_FOUND"
        );
        let complete = v1::CompleteActionExecutionRequest {
            action_execution_id,
            ..Default::default()
        };
        let completed = api.tasks.complete_action_execution(complete).await;
        assert_eq!(reason(completed), "ACTION_EXECUTION_NOT_FOUND");
    }
    let list = v1::ListActionExecutionsRequest::default();
    assert_eq!(
        reason(api.tasks.list_action_executions(list).await),
        "INVALID_FIELD"
    );
    let list = v1::ListTaskExecutionsRequest {
        execution_id: "none".into(),
        ..Default::default()
    };
    assert_eq!(
        reason(api.tasks.list_task_executions(list).await),
        "EXECUTION_NOT_FOUND"
    );
    api.stop().await;
}

#[tokio::test]
async fn actions_are_completed_from_outside() {
    let mut api = Api::with(&[ASYNC, ECHO]).await;
    for (id, outcome) in [
        ("done", ExecutionState::Success),
        ("failed", ExecutionState::Error),
        ("cancelled", ExecutionState::Cancelled),
    ] {
        let uid = api.run("held", id, "{}").await.uid;
        let action_execution_id = format!("{uid}-t1-a1");
        let update = |state: ActionState| v1::UpdateActionExecutionRequest {
            action_execution_id: action_execution_id.clone(),
            state: state.into(),
            ..Default::default()
        };
        for state in [ActionState::Paused, ActionState::Running] {
            let updated = api
                .tasks
                .update_action_execution(update(state))
                .await
                .unwrap();
            assert_eq!(
                updated.into_inner().action_execution.unwrap().state(),
                state
            );
        }
        let complete = v1::CompleteActionExecutionRequest {
            action_execution_id: action_execution_id.clone(),
            result: Some(json("{\"n\":  1}")),
            ..Default::default()
        };
        let fail = v1::FailActionExecutionRequest {
            action_execution_id: action_execution_id.clone(),
            error: Some(json("\"no\"")),
            ..Default::default()
        };
        match outcome {
            ExecutionState::Success => api
                .tasks
                .complete_action_execution(complete.clone())
                .await
                .map(drop),
            ExecutionState::Error => api.tasks.fail_action_execution(fail).await.map(drop),
            _ => api
                .tasks
                .update_action_execution(update(ActionState::Cancelled))
                .await
                .map(drop),
        }
        .unwrap();
        assert_eq!(api.finished(id).await.state(), outcome, "{id}");
        let (found, metadata) = refusal(api.tasks.complete_action_execution(complete).await);
        assert_eq!(found, "ACTION_STATE");
        assert!(metadata.contains_key("state"), "{metadata:?}");
    }
    api.stop().await;
}

#[tokio::test]
async fn results_pass_through_byte_for_byte() {
    let mut api = Api::with(&[ASYNC, ECHO]).await;
    let uid = api.run("held", "done", "{}").await.uid;
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{uid}-t1-a1"),
        result: Some(json("{\"n\":  1}")),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    let get = v1::ListActionExecutionsRequest {
        parent: Some(Parent::ExecutionId("done".into())),
        view: View::Full.into(),
        ..Default::default()
    };
    let listed = api
        .tasks
        .list_action_executions(get)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        text(listed.action_executions[0].output.as_ref()),
        "{\"n\":  1}"
    );

    let uid = api.run("echo", "inside", "{\"word\": 1}").await.uid;
    let inside = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{uid}-t1-a1"),
        ..Default::default()
    };
    assert_eq!(
        reason(api.tasks.complete_action_execution(inside).await),
        "ACTION_STATE"
    );
    api.stop().await;
}
