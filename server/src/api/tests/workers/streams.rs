//! Workers by streams, and the looks at them.

use proto::v1;
use proto::v1::worker_admin_service_client::WorkerAdminServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{complete, identity, json, queues, quick, reason_of, worker};
use crate::api::tests::Api;

/// A stream of a worker.
struct Stream {
    sender: mpsc::Sender<v1::ConnectRequest>,
    responses: Streaming<v1::ConnectResponse>,
}

impl Stream {
    async fn open(api: &Api, number: u8, credits: i32, held: &[&str]) -> (Self, v1::Welcome) {
        let (sender, receiver) = mpsc::channel(16);
        let hello = v1::Hello {
            worker: Some(identity(number)),
            queues: queues(credits),
            held_tokens: held.iter().map(|token| (*token).to_owned()).collect(),
            ..v1::Hello::default()
        };
        let first = v1::ConnectRequest {
            hello: Some(hello),
            ..v1::ConnectRequest::default()
        };
        sender.send(first).await.unwrap();
        let opened = worker(api).connect(ReceiverStream::new(receiver)).await;
        let mut responses = opened.expect("the hello is right").into_inner();
        let first = responses.message().await.unwrap().unwrap();
        let welcome = first.welcome.expect("it comes first");
        (Self { sender, responses }, welcome)
    }

    async fn say(&self, request: v1::ConnectRequest) {
        self.sender.send(request).await.expect("the stream is open");
    }

    /// The next message that says something.
    async fn next(&mut self) -> Option<v1::ConnectResponse> {
        let silent = v1::ConnectResponse::default();
        loop {
            match self
                .responses
                .message()
                .await
                .expect("the stream ends well")
            {
                Some(message) if message == silent => {}
                other => return other,
            }
        }
    }

    async fn task(&mut self) -> v1::WorkerTask {
        let message = self.next().await.expect("the stream is open");
        let task = message.tasks.into_iter().next().expect("there is a task");
        let accept = v1::ConnectRequest {
            accepts: vec![task.token.clone()],
            ..v1::ConnectRequest::default()
        };
        self.say(accept).await;
        task
    }

    async fn ack(&mut self, token: &str, result: &str) -> v1::TaskResultAck {
        let outcome = v1::task_result::Outcome::Result(json(result));
        let result = v1::TaskResult {
            token: token.to_owned(),
            outcome: Some(outcome),
        };
        let request = v1::ConnectRequest {
            results: vec![result],
            ..v1::ConnectRequest::default()
        };
        self.say(request).await;
        let message = self.next().await.expect("the stream is open");
        message.results.into_iter().next().expect("it is answered")
    }
}

#[tokio::test]
async fn a_stream_gets_tasks_and_gives_results() {
    let mut api = quick().await;
    let (mut stream, welcome) = Stream::open(&api, 1, 1, &[]).await;
    assert_eq!(welcome.payload_bytes_max, 1 << 20);
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let task = stream.task().await;
    assert_eq!(stream.ack(&task.token, "7").await.error_reason, "");
    assert_eq!(
        stream.ack(&task.token, "8").await.error_reason,
        "",
        "it is recorded"
    );
    assert_eq!(
        stream.ack("made.up", "8").await.error_reason,
        "TASK_LEASE_LOST"
    );
    let execution = api.finished("r").await;
    assert_eq!(execution.output, Some(json(r#"{"got":7}"#)));
}

#[tokio::test]
async fn a_worker_that_says_much_and_reads_nothing_is_heard() {
    let mut api = quick().await;
    let (mut stream, _) = Stream::open(&api, 1, 1, &[]).await;
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let task = stream.task().await;
    // Each of these has an answer, more than a connection holds, and none of them is read.
    for _ in 0..20_000 {
        let renewal = v1::TaskHeartbeat {
            token: task.token.clone(),
            progress: None,
        };
        let request = v1::ConnectRequest {
            heartbeats: vec![renewal],
            ..v1::ConnectRequest::default()
        };
        stream.say(request).await;
    }
    let result = v1::TaskResult {
        token: task.token.clone(),
        outcome: Some(v1::task_result::Outcome::Result(json("7"))),
    };
    let request = v1::ConnectRequest {
        results: vec![result],
        ..v1::ConnectRequest::default()
    };
    stream.say(request).await;
    // Nor do others on the same connection wait for it.
    let execution = api.finished("r").await;
    assert_eq!(execution.output, Some(json(r#"{"got":7}"#)));
    drop(stream);
}

#[tokio::test]
async fn a_lease_outlives_its_stream() {
    let mut api = quick().await;
    let (mut stream, _) = Stream::open(&api, 1, 1, &[]).await;
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let task = stream.task().await;
    drop(stream);
    let (mut stream, welcome) = Stream::open(&api, 1, 1, &[&task.token, "lost"]).await;
    assert_eq!(welcome.lost_tokens, ["lost"]);
    assert_eq!(stream.ack(&task.token, "7").await.error_reason, "");
    let action = api.only_action("r").await;
    assert_eq!(action.lease.expect("it was handed out").delivery, 1);
}

#[tokio::test]
async fn a_result_may_come_by_a_call_after_the_stream_broke() {
    let mut api = quick().await;
    let (mut stream, _) = Stream::open(&api, 1, 1, &[]).await;
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let task = stream.task().await;
    drop(stream);
    worker(&api)
        .complete_task(complete(1, &task.token, "9"))
        .await
        .expect("it has the lease");
    assert_eq!(api.finished("r").await.output, Some(json(r#"{"got":9}"#)));
}

#[tokio::test]
async fn cancellation_is_pushed() {
    let mut api = quick().await;
    let (mut stream, _) = Stream::open(&api, 1, 1, &[]).await;
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let task = stream.task().await;
    let cancel = v1::CancelExecutionRequest {
        execution_id: "r".into(),
        ..v1::CancelExecutionRequest::default()
    };
    api.executions.cancel_execution(cancel).await.unwrap();
    let news = stream.next().await.unwrap().leases.remove(0);
    assert_eq!(news.token, task.token);
    assert_eq!(news.status, v1::LeaseStatus::CancelRequested as i32);
    assert_eq!(
        stream.ack(&task.token, "7").await.error_reason,
        "TASK_LEASE_LOST"
    );
}

#[tokio::test]
async fn workers_and_queues_can_be_looked_at_and_held() {
    let mut api = quick().await;
    let mut admin = WorkerAdminServiceClient::new(api.channel.clone());
    let (mut stream, _) = Stream::open(&api, 1, 4, &[]).await;
    let pause = v1::UpdateQueueRequest {
        paused: Some(true),
        ..v1::UpdateQueueRequest::default()
    };
    let paused = admin
        .update_queue(pause.clone())
        .await
        .unwrap()
        .into_inner()
        .queue
        .unwrap();
    assert_eq!(
        (&*paused.queue, paused.paused, paused.workers),
        ("default", true, 1)
    );
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let queue = admin
        .get_queue(v1::GetQueueRequest::default())
        .await
        .unwrap();
    let queue = queue.into_inner().queue.unwrap();
    assert_eq!((queue.backlog, queue.leased), (1, 0));
    let stale = v1::UpdateQueueRequest {
        paused: Some(false),
        etag: "0".into(),
        ..pause.clone()
    };
    let refused = admin.update_queue(stale.clone()).await.unwrap_err();
    assert_eq!(reason_of(&refused), "ETAG_MISMATCH");
    let fresh = v1::UpdateQueueRequest {
        etag: paused.etag,
        ..stale
    };
    admin.update_queue(fresh).await.expect("the etag is right");
    let task = stream.task().await;
    let listed = admin
        .list_workers(v1::ListWorkersRequest::default())
        .await
        .unwrap();
    let workers = listed.into_inner().workers;
    assert_eq!(workers.len(), 1);
    let of = &workers[0];
    assert_eq!((of.connected, of.leased, of.credits), (true, 1, 3));
    assert_eq!(of.actions, ["stock.reserve"]);
    assert_eq!(stream.ack(&task.token, "1").await.error_reason, "");
    let listed = admin
        .list_queues(v1::ListQueuesRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.into_inner().queues.len(), 1);
    let wrong = v1::UpdateQueueRequest {
        limits: Some(v1::QueueLimits {
            concurrency: -1,
            ..v1::QueueLimits::default()
        }),
        ..v1::UpdateQueueRequest::default()
    };
    let refused = admin.update_queue(wrong).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "limits.concurrency: must not be negative"
    );
}
