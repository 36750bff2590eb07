//! Batch operations: one goes on after the server was killed in it, and does nothing twice.

use e2e::server::TestServer;
use proto::v1;
use proto::v1::batch_verb::Verb;
use proto::v1::history_event::Event;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{PATIENCE, held};

/// Executions that are paused.
const ALL: usize = 120;

/// How many are paused before the server is killed, each time.
const KILLS: [i64; 2] = [20, 70];

async fn look(server: &TestServer, batch_id: &str) -> v1::BatchOperation {
    let api = server.api("batch");
    let request = v1::GetBatchOperationRequest {
        project: api.project(),
        batch_id: batch_id.to_owned(),
    };
    let found = api.executions().get_batch_operation(request).await;
    found.unwrap().into_inner().batch.unwrap()
}

/// Follows an operation until so many executions have got the verb, or it is finished.
async fn follow(server: &TestServer, batch_id: &str, until: i64) -> v1::BatchOperation {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let batch = look(server, batch_id).await;
        if batch.done >= until || batch.end_time.is_some() {
            return batch;
        }
        assert!(Instant::now() < deadline, "{batch:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_goes_on_after_the_server_was_killed_in_it() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("batch");
    api.create_workflow(&held("held", 1)).await.unwrap();
    for _ in 0..ALL {
        api.start("held", &json!({})).await.unwrap();
    }
    let pause = Verb::Pause(v1::BatchPause::default());
    let request = v1::BatchUpdateExecutionsRequest {
        project: api.project(),
        filter: "workflow_name = held".into(),
        verb: Some(v1::BatchVerb { verb: Some(pause) }),
        rate: 40,
        ..Default::default()
    };
    let accepted = api.executions().batch_update_executions(request).await;
    let batch_id = accepted.unwrap().into_inner().batch.unwrap().batch_id;
    for until in KILLS {
        follow(&server, &batch_id, until).await;
        server.kill().await.unwrap();
        server.restart().await.unwrap();
    }
    let batch = follow(&server, &batch_id, i64::MAX).await;
    assert_eq!(batch.state(), v1::BatchState::Done);
    let counts = (batch.matched, batch.done, batch.skipped, batch.failed);
    let all = i64::try_from(ALL).unwrap();
    assert_eq!(counts, (all, all, 0, 0));
    let paused = api.list_executions("state = PAUSED").await.unwrap();
    assert_eq!(paused.len(), ALL);
    for execution in paused {
        let history = api.history(&execution.uid).await.unwrap();
        let is_verb =
            |event: &&v1::HistoryEvent| matches!(event.event, Some(Event::VerbApplied(_)));
        assert_eq!(history.iter().filter(is_verb).count(), 1);
    }
}
