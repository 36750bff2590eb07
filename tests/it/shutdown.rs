//! SIGTERM: calls under way are answered, streams are told, and the process ends well.

use e2e::refusal::Refusal;
use e2e::server::TestServer;
use proto::v1;
use proto::v1::ErrorReason;
use proto::v1::watch_execution_response::Message;
use serde_json::json;
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::{held, may_be_repeated};

#[tokio::test]
async fn calls_under_way_are_answered() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("bye");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let execution = api.start("held", &json!({})).await.unwrap();

    // The first message shows that the stream stands before the signal comes.
    let request = v1::WatchExecutionRequest {
        project: api.project(),
        execution_id: execution.uid.clone(),
        ..Default::default()
    };
    let mut stream = api
        .executions()
        .watch_execution(request)
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().is_some());

    // Starts go on until the server refuses; every accepted one must be there afterwards.
    let mut starts = JoinSet::new();
    for _ in 0..8 {
        let api = api.apart();
        starts.spawn(async move {
            let mut accepted = Vec::new();
            loop {
                match api.start("held", &json!({})).await {
                    Ok(execution) => accepted.push(execution.uid),
                    // A refusal with a code, or a connection that is gone: never a hanging call.
                    Err(status) => {
                        assert!(may_be_repeated(&status), "{status}");
                        return accepted;
                    }
                }
            }
        });
    }
    server.terminate().await.unwrap();
    let mut end = None;
    while let Some(answer) = stream.message().await.unwrap() {
        if let Some(Message::End(message)) = answer.message {
            end = Some(message);
        }
    }
    let end = end.expect("the stream says why it ends");
    assert_eq!(end.reason(), v1::WatchEndReason::GoingAway);
    assert!(end.retry_delay.is_some());
    assert_eq!(end.resume_after_sequence, execution.last_sequence);
    let accepted: Vec<String> = starts.join_all().await.into_iter().flatten().collect();
    let status = server.ended().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());

    server.restart().await.unwrap();
    let api = server.api("bye");
    for uid in &accepted {
        api.execution(uid).await.unwrap();
    }
    let all = api.list_executions("").await.unwrap();
    // A start whose answer was lost may be there too, one for each of the clients at most.
    assert!(
        (1..=9).contains(&(all.len() - accepted.len())),
        "{}",
        all.len()
    );
}

#[tokio::test]
async fn an_idle_server_ends_at_once() {
    let mut server = TestServer::start_in_memory().await.unwrap();
    server.terminate().await.unwrap();
    let status = server.ended().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
}

#[tokio::test]
async fn a_wait_under_way_is_answered() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("bye");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let request = v1::WaitExecutionRequest {
        project: api.project(),
        execution_id: uid.clone(),
        ..Default::default()
    };
    let mut client = api.executions();
    let mut wait = std::pin::pin!(client.wait_execution(request));
    // The wait goes first on the connection, so it has arrived when the second call is answered.
    tokio::select! {
        biased;
        answer = &mut wait => panic!("the wait is over: {answer:?}"),
        answer = api.execution(&uid) => drop(answer.unwrap()),
    }
    server.terminate().await.unwrap();
    match wait.await {
        Ok(answer) => assert!(!answer.into_inner().finished),
        Err(status) => {
            let refusal = Refusal::of(&status);
            assert!(
                refusal.is(Code::Unavailable, ErrorReason::ShuttingDown),
                "{refusal}"
            );
        }
    }
    let status = server.ended().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
}
