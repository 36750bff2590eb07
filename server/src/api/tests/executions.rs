//! Executions: starting, reading, steering, deleting.

use proto::v1::{self, ExecutionState, IdConflictPolicy, PayloadFormat, View};

use super::{ASYNC, Api, ECHO, REQUEST_ID, json, reason, refusal, start, text};

fn get(id: &str) -> v1::GetExecutionRequest {
    v1::GetExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_execution_shows_what_it_did() {
    let mut api = Api::with(&[ECHO]).await;
    let labels = [("team".to_owned(), "eu".to_owned())].into();
    let request = v1::StartExecutionRequest {
        labels,
        ..start("echo", "e1", "{\"word\": \"hi\"}")
    };
    let started = api
        .executions
        .start_execution(request)
        .await
        .unwrap()
        .into_inner();
    assert!(started.started && started.execution.is_some_and(|e| e.input.is_none()));
    let done = api.finished("e1").await;
    assert_eq!(done.state(), ExecutionState::Success);
    assert_eq!(text(done.output.as_ref()), "{\"said\":\"hi\"}");
    assert!(
        text(done.input.as_ref()).contains("\"times\":1"),
        "defaults are filled in"
    );
    assert_eq!(
        (&*done.workflow_name, done.workflow_revision, done.run),
        ("echo", 1, 1)
    );
    assert_eq!(
        (done.labels["team"].as_str(), &*done.root_execution_id),
        ("eu", &*done.uid)
    );
    assert_eq!(done.progress.map(|p| (p.total, p.success)), Some((2, 2)));
    api.stop().await;
}

#[tokio::test]
async fn an_execution_is_read_in_several_ways() {
    let mut api = Api::with(&[ECHO]).await;
    api.run("echo", "e1", "{\"word\": \"hi\"}").await;
    let done = api.finished("e1").await;
    // The uid names it, too.
    let full = api
        .executions
        .get_execution(get(&done.uid))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(full.execution.as_ref(), Some(&done));
    let basic = v1::GetExecutionRequest {
        view: View::Basic.into(),
        ..get("e1")
    };
    let basic = api
        .executions
        .get_execution(basic)
        .await
        .unwrap()
        .into_inner();
    assert!(
        basic
            .execution
            .is_some_and(|e| e.input.is_none() && e.output.is_none())
    );
    let value = v1::GetExecutionRequest {
        payload_format: PayloadFormat::Value.into(),
        ..get("e1")
    };
    let value = api
        .executions
        .get_execution(value)
        .await
        .unwrap()
        .into_inner();
    let output = value
        .execution
        .and_then(|e| e.output)
        .and_then(|output| output.encoding);
    assert!(
        matches!(output, Some(v1::payload::Encoding::Value(_))),
        "{output:?}"
    );

    assert_eq!(
        reason(api.executions.get_execution(get("e2")).await),
        "EXECUTION_NOT_FOUND"
    );
    let elsewhere = v1::GetExecutionRequest {
        project: "other".into(),
        ..get(&done.uid)
    };
    assert_eq!(
        reason(api.executions.get_execution(elsewhere).await),
        "EXECUTION_NOT_FOUND"
    );
    api.stop().await;
}

#[tokio::test]
async fn starts_are_checked() {
    let mut api = Api::with(&[ECHO, ASYNC]).await;
    for (request, expected) in [
        (start("none", "", "{}"), "WORKFLOW_NOT_FOUND"),
        (start("echo", "", "[]"), "INVALID_FIELD"),
        (start("echo", "", "{\"a\": 1, \"a\": 2}"), "PAYLOAD_INVALID"),
        (
            start("echo", "", &format!("[\"{}\"]", "x".repeat(1 << 20))),
            "PAYLOAD_TOO_LARGE",
        ),
        (
            v1::StartExecutionRequest {
                request_id: "x".into(),
                ..start("held", "", "{}")
            },
            "INVALID_FIELD",
        ),
    ] {
        assert_eq!(
            reason(api.executions.start_execution(request).await),
            expected
        );
    }
    let (found, metadata) = refusal(
        api.executions
            .start_execution(start("echo", "", "{\"colour\": 1}"))
            .await,
    );
    assert_eq!((&*found, &*metadata["missing"]), ("INPUT_MISMATCH", "word"));
    assert_eq!(metadata["unexpected"], "colour");
    api.stop().await;
}

#[tokio::test]
async fn starts_are_idempotent() {
    let mut api = Api::with(&[ASYNC]).await;
    let first = api.run("held", "e", "{}").await;
    let again = api
        .executions
        .start_execution(start("held", "e", "{}"))
        .await
        .unwrap()
        .into_inner();
    assert!(!again.started && again.execution.is_some_and(|e| e.uid == first.uid));
    let policy = IdConflictPolicy::Fail.into();
    let fail = v1::StartExecutionRequest {
        id_conflict_policy: policy,
        ..start("held", "e", "{}")
    };
    let (found, metadata) = refusal(api.executions.start_execution(fail).await);
    assert_eq!(
        (&*found, &*metadata["uid"]),
        ("EXECUTION_ALREADY_EXISTS", &*first.uid)
    );

    let request_id = REQUEST_ID.to_owned();
    let once = v1::StartExecutionRequest {
        request_id,
        ..start("held", "", "{}")
    };
    let mut uids = Vec::new();
    for _ in 0..2 {
        let started = api
            .executions
            .start_execution(once.clone())
            .await
            .unwrap()
            .into_inner();
        uids.push(started.execution.unwrap().uid);
    }
    assert_eq!(uids[0], uids[1]);
    let other = v1::StartExecutionRequest {
        description: "other".into(),
        ..once
    };
    assert_eq!(
        reason(api.executions.start_execution(other).await),
        "REQUEST_ID_REUSED"
    );

    let tried = v1::StartExecutionRequest {
        validate_only: true,
        ..start("held", "v", "{}")
    };
    let tried = api
        .executions
        .start_execution(tried)
        .await
        .unwrap()
        .into_inner();
    assert!(!tried.started);
    assert_eq!(
        reason(api.executions.get_execution(get("v")).await),
        "EXECUTION_NOT_FOUND"
    );
    api.stop().await;
}

#[tokio::test]
async fn executions_are_paused_and_resumed() {
    let mut api = Api::with(&[ASYNC]).await;
    api.run("held", "e", "{}").await;
    let pause = v1::PauseExecutionRequest {
        execution_id: "e".into(),
        reason: "lunch".into(),
        ..Default::default()
    };
    for _ in 0..2 {
        let paused = api
            .executions
            .pause_execution(pause.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(paused.execution.unwrap().state(), ExecutionState::Paused);
    }
    let resume = v1::ResumeExecutionRequest {
        execution_id: "e".into(),
        env: Some(json("{\"colour\": \"red\"}")),
        ..Default::default()
    };
    let resumed = api
        .executions
        .resume_execution(resume)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(resumed.execution.unwrap().state(), ExecutionState::Running);
    let full = api
        .executions
        .get_execution(get("e"))
        .await
        .unwrap()
        .into_inner();
    let params = full.execution.unwrap().params;
    assert!(
        text(params.as_ref()).contains("\"colour\":\"red\""),
        "{params:?}"
    );
    api.stop().await;
}

#[tokio::test]
async fn executions_are_ended() {
    let mut api = Api::with(&[ASYNC]).await;
    api.run("held", "e", "{}").await;
    let cancel = v1::CancelExecutionRequest {
        execution_id: "e".into(),
        reason: "enough".into(),
        ..Default::default()
    };
    for _ in 0..2 {
        let cancelled = api
            .executions
            .cancel_execution(cancel.clone())
            .await
            .unwrap()
            .into_inner();
        let execution = cancelled.execution.unwrap();
        assert_eq!(
            (execution.state(), &*execution.state_info),
            (ExecutionState::Cancelled, "enough")
        );
    }
    let resume = v1::ResumeExecutionRequest {
        execution_id: "e".into(),
        ..Default::default()
    };
    let (found, metadata) = refusal(api.executions.resume_execution(resume).await);
    assert_eq!(
        (&*found, &*metadata["state"], &*metadata["verb"]),
        ("EXECUTION_STATE", "CANCELLED", "resume")
    );

    api.run("held", "s", "{}").await;
    let stop = |outcome: ExecutionState| v1::StopExecutionRequest {
        execution_id: "s".into(),
        outcome: outcome.into(),
        reason: "broken".into(),
        ..Default::default()
    };
    let running = stop(ExecutionState::Running);
    assert_eq!(
        reason(api.executions.stop_execution(running).await),
        "INVALID_FIELD"
    );
    api.executions
        .stop_execution(stop(ExecutionState::Error))
        .await
        .unwrap();
    let error = api.finished("s").await.error.unwrap();
    assert_eq!(error.message, "broken");
    api.stop().await;
}

#[tokio::test]
async fn executions_are_listed_and_counted() {
    let mut api = Api::with(&[ECHO, ASYNC]).await;
    for number in 0..3 {
        api.run("echo", &format!("e{number}"), "{\"word\": 1}")
            .await;
        api.finished(&format!("e{number}")).await;
    }
    api.run("held", "h", "{}").await;
    let mut list = v1::ListExecutionsRequest {
        filter: "state = SUCCESS AND execution_id = e*".into(),
        page_size: 2,
        ..Default::default()
    };
    let page = api
        .executions
        .list_executions(list.clone())
        .await
        .unwrap()
        .into_inner();
    let ids: Vec<_> = page.executions.iter().map(|e| &*e.execution_id).collect();
    assert_eq!(ids, ["e2", "e1"], "newest first");
    list.page_token = page.next_page_token;
    let page = api
        .executions
        .list_executions(list)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((page.executions.len(), &*page.next_page_token), (1, ""));

    for (group, expected) in [
        (0, vec![]),
        (1, vec![("RUNNING", 1), ("SUCCESS", 3)]),
        (2, vec![("echo", 3), ("held", 1)]),
    ] {
        let count = v1::CountExecutionsRequest {
            group_by: group,
            ..Default::default()
        };
        let counted = api
            .executions
            .count_executions(count)
            .await
            .unwrap()
            .into_inner();
        let groups: Vec<_> = counted.groups.iter().map(|(key, n)| (&**key, *n)).collect();
        assert_eq!((counted.total, groups), (4, expected));
    }
    api.stop().await;
}

#[tokio::test]
async fn executions_are_deleted() {
    let mut api = Api::with(&[ECHO, ASYNC]).await;
    api.run("held", "h", "{}").await;
    api.run("echo", "e0", "{\"word\": 1}").await;
    api.finished("e0").await;
    let delete = |id: &str| v1::DeleteExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let (found, metadata) = refusal(api.executions.delete_execution(delete("h")).await);
    assert_eq!(
        (&*found, &*metadata["state"]),
        ("EXECUTION_STATE", "RUNNING")
    );
    let forced = v1::DeleteExecutionRequest {
        force: true,
        ..delete("h")
    };
    api.executions.delete_execution(forced).await.unwrap();
    let with_id = v1::DeleteExecutionRequest {
        request_id: REQUEST_ID.into(),
        ..delete("e0")
    };
    for _ in 0..2 {
        api.executions
            .delete_execution(with_id.clone())
            .await
            .unwrap();
    }
    assert_eq!(
        reason(api.executions.delete_execution(delete("e0")).await),
        "EXECUTION_NOT_FOUND"
    );
    let missing = v1::DeleteExecutionRequest {
        allow_missing: true,
        ..delete("e0")
    };
    api.executions.delete_execution(missing).await.unwrap();
    api.stop().await;
}

#[tokio::test]
async fn what_is_published_to_the_whole_execution_is_merged() {
    let source = "
version: '2.0'
wide:
  vars:
    seen: {a: 1}
    kept: yes
  tasks:
    first:
      on-success:
        publish:
          global: {seen: {b: 2}, last: first}
        next: second
    second:
      on-success:
        publish:
          global: {seen: {c: 3}, last: second}
";
    let mut api = Api::with(&[source, ECHO]).await;
    api.run("wide", "e", "{}").await;
    let done = api.finished("e").await;
    let expected = "{\"seen\":{\"a\":1,\"b\":2,\"c\":3},\"kept\":true,\"last\":\"second\"}";
    assert_eq!(text(done.published_global.as_ref()), expected);
    // Also when the definition is gone, which said whether there is anything to look for.
    let delete = v1::DeleteWorkflowRequest {
        name: "wide".into(),
        ..Default::default()
    };
    api.workflows.delete_workflow(delete).await.unwrap();
    let again = api
        .executions
        .get_execution(get("e"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        text(again.execution.unwrap().published_global.as_ref()),
        expected
    );
    api.stop().await;
}
