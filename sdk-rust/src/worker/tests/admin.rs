//! Workers and queues as the server tells of them.

use std::sync::{Arc, Mutex};

use proto::v1;
use proto::v1::worker_admin_service_server::{WorkerAdminService, WorkerAdminServiceServer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::{Client, QueueLimits};

/// Keeps the debug form of the last request.
#[derive(Clone, Default)]
struct Admin(Arc<Mutex<String>>);

impl Admin {
    async fn start(&self) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = WorkerAdminServiceServer::new(self.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Client::builder(address)
            .project("shop")
            .connect_lazy()
            .unwrap()
    }

    fn keep<Q: std::fmt::Debug>(&self, request: Request<Q>) -> Q {
        let request = request.into_inner();
        *self.0.lock().unwrap() = format!("{request:?}");
        request
    }

    /// Asserts that the last request says all of this.
    fn sent(&self, parts: &[&str]) {
        let sent = self.0.lock().unwrap();
        for part in ["project: \"shop\""].iter().chain(parts) {
            assert!(sent.contains(part), "{part} is not in {sent}");
        }
    }
}

fn worker(worker_id: &str) -> v1::Worker {
    v1::Worker {
        worker: Some(v1::WorkerIdentity {
            worker_id: worker_id.to_owned(),
            identity: "host:1".to_owned(),
            ..v1::WorkerIdentity::default()
        }),
        actions: vec!["a".to_owned()],
        connected: true,
        leased: 2,
        last_seen_time: Some(prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 0,
        }),
        ..v1::Worker::default()
    }
}

fn queue(name: &str) -> v1::Queue {
    let limits = v1::QueueLimits {
        concurrency: 4,
        ..v1::QueueLimits::default()
    };
    v1::Queue {
        queue: name.to_owned(),
        paused: true,
        action_limits: [("a".to_owned(), limits)].into(),
        backlog: 7,
        etag: "e1".to_owned(),
        ..v1::Queue::default()
    }
}

#[tonic::async_trait]
impl WorkerAdminService for Admin {
    async fn list_workers(
        &self,
        request: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        let first = self.keep(request).page_token.is_empty();
        let (id, next) = if first { ("w1", "2") } else { ("w2", "") };
        Ok(Response::new(v1::ListWorkersResponse {
            workers: vec![worker(id)],
            next_page_token: next.to_owned(),
        }))
    }

    async fn get_worker(
        &self,
        request: Request<v1::GetWorkerRequest>,
    ) -> Result<Response<v1::GetWorkerResponse>, Status> {
        let worker = Some(worker(&self.keep(request).worker_id));
        Ok(Response::new(v1::GetWorkerResponse { worker }))
    }

    async fn list_queues(
        &self,
        request: Request<v1::ListQueuesRequest>,
    ) -> Result<Response<v1::ListQueuesResponse>, Status> {
        self.keep(request);
        Ok(Response::new(v1::ListQueuesResponse {
            queues: vec![queue("q1")],
            next_page_token: String::new(),
        }))
    }

    async fn get_queue(
        &self,
        request: Request<v1::GetQueueRequest>,
    ) -> Result<Response<v1::GetQueueResponse>, Status> {
        let queue = Some(queue(&self.keep(request).queue));
        Ok(Response::new(v1::GetQueueResponse { queue }))
    }

    async fn update_queue(
        &self,
        request: Request<v1::UpdateQueueRequest>,
    ) -> Result<Response<v1::UpdateQueueResponse>, Status> {
        let queue = Some(queue(&self.keep(request).queue));
        Ok(Response::new(v1::UpdateQueueResponse { queue }))
    }
}

#[tokio::test]
async fn workers_are_listed() {
    let admin = Admin::default();
    let client = admin.start().await.workers();
    let all = client.list().page_size(1).collect().await.unwrap();
    let ids: Vec<_> = all.iter().map(|worker| worker.worker_id.as_str()).collect();
    assert_eq!(ids, ["w1", "w2"]);
    admin.sent(&["page_size: 1", "page_token: \"2\""]);
    let one = client.get("w9").await.unwrap();
    let written = serde_json::to_value(&one).unwrap();
    assert_eq!(
        (
            &written["worker_id"],
            &written["identity"],
            &written["last_seen_time"]
        ),
        (
            &json!("w9"),
            &json!("host:1"),
            &json!("2023-11-14T22:13:20Z")
        ),
    );
    assert!(one.connected && one.leased == 2 && one.actions == ["a"]);
}

#[tokio::test]
async fn queues_are_looked_at_and_limited() {
    let admin = Admin::default();
    let client = admin.start().await.queues();
    let all = client.list().collect().await.unwrap();
    assert_eq!((all.len(), all[0].backlog, all[0].paused), (1, 7, true));
    assert_eq!(all[0].action_limits["a"].concurrency, 4);
    assert_eq!(client.get("q2").await.unwrap().name, "q2");

    let limits = QueueLimits {
        concurrency: 5,
        rate_per_second: 0.5,
        burst: 2,
    };
    let update = client.update("q3").pause().limits(limits).etag("e1");
    let changed = update
        .action_limits("a", QueueLimits::default())
        .await
        .unwrap();
    assert_eq!((changed.name.as_str(), changed.etag.as_str()), ("q3", "e1"));
    admin.sent(&[
        "paused: Some(true)",
        "concurrency: 5, rate_per_second: 0.5, burst: 2",
        "{\"a\": QueueLimits { concurrency: 0",
        "etag: \"e1\"",
    ]);
    client.update("q3").resume().await.unwrap();
    admin.sent(&["paused: Some(false)", "limits: None", "etag: \"\""]);
}
