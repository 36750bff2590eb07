//! A server that answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use proto::v1;
use proto::v1::execution_service_server::{ExecutionService, ExecutionServiceServer};
use proto::v1::watch_execution_response::Message;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::client::Client;
use crate::retry::RetryPolicy;

/// Fast enough for a test, slow enough for a busy machine.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(200);

/// What a stream does next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Sends events from the first to the last sequence in one message.
    Events(i64, i64),
    /// Sends the events after the asked one up to this, each in a message.
    Rest(i64),
    Heartbeat(i64),
    /// Ends well, with this as the position to resume from.
    End(v1::WatchEndReason, i64),
    Fail(Status),
    /// Sends nothing more, and does not end.
    Hang,
}

#[derive(Default)]
pub(super) struct Script {
    /// One list of steps for each stream; a stream too many is refused.
    pub(super) streams: Mutex<VecDeque<Vec<Step>>>,
    /// One answer for each unary call; calls too many are answered well.
    pub(super) failures: Mutex<VecDeque<Status>>,
    /// What Get and Wait answer, and the end of a watch.
    pub(super) execution: Mutex<v1::Execution>,
    /// States of batch operations, one for each answer about one; the last is repeated.
    pub(super) batch_states: Mutex<VecDeque<v1::BatchState>>,
    /// Calls as text, in order.
    pub(super) calls: Mutex<Vec<String>>,
    /// Told when a stream is over for the server.
    pub(super) stream_dropped: Notify,
}

impl Script {
    fn record(&self, call: String) -> Result<(), Status> {
        self.calls.lock().unwrap().push(call);
        self.failures
            .lock()
            .unwrap()
            .pop_front()
            .map_or(Ok(()), Err)
    }

    /// A batch operation in its next state.
    fn batch(&self, id: &str) -> v1::BatchOperation {
        let mut states = self.batch_states.lock().unwrap();
        let state = states.front().copied().unwrap_or_default();
        if states.len() > 1 {
            states.pop_front();
        }
        v1::BatchOperation {
            batch_id: id.to_owned(),
            state: state.into(),
            verb: Some(v1::BatchVerb {
                verb: Some(v1::batch_verb::Verb::Rollback(v1::BatchRollback {})),
            }),
            matched: 5,
            done: 3,
            skipped: 1,
            failed: 1,
            errors: vec![v1::BatchError {
                execution_id: "u1".into(),
                reason: "STORE_UNAVAILABLE".into(),
                message: "away".into(),
            }],
            ..v1::BatchOperation::default()
        }
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// A status as our server makes them.
pub(super) fn refusal(code: tonic::Code, reason: &str, metadata: &[(&str, &str)]) -> Status {
    let metadata = metadata
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let details = ErrorDetails::with_error_info(
        reason,
        "autan",
        metadata.collect::<std::collections::HashMap<_, _>>(),
    );
    Status::with_error_details(code, "refused", details)
}

/// The fake server behind a proxy that can cut connections.
pub(super) struct Fake {
    pub(super) script: Arc<Script>,
    proxy: Arc<Mutex<JoinSet<()>>>,
    address: SocketAddr,
}

impl Fake {
    pub(super) async fn start(streams: Vec<Vec<Step>>) -> Self {
        let script = Arc::new(Script {
            streams: Mutex::new(streams.into()),
            ..Script::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let service = ExecutionServiceServer::from_arc(Arc::new(Service(script.clone())));
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        let proxy = Arc::new(Mutex::new(JoinSet::new()));
        let connections = proxy.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = front.accept().await {
                connections.lock().unwrap().spawn(async move {
                    let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self {
            script,
            proxy,
            address,
        }
    }

    pub(super) fn client(&self) -> Client {
        let fast = Duration::from_millis(5);
        Client::builder(self.address.to_string())
            .project("shop")
            .token("secret")
            .retry(RetryPolicy::default().delays(fast, fast))
            .heartbeat(HEARTBEAT)
            .connect_lazy()
            .unwrap()
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Cuts all connections as a dying server or proxy would.
    pub(super) fn cut(&self) {
        self.proxy.lock().unwrap().abort_all();
    }
}

struct Service(Arc<Script>);

type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::WatchExecutionResponse, Status>> + Send>>;

/// Tells when it is dropped: with the stream that holds it.
struct DropNote(Arc<Script>);

impl Drop for DropNote {
    fn drop(&mut self) {
        self.0.stream_dropped.notify_one();
    }
}

impl Service {
    fn play(&self, steps: Vec<Step>, after: i64) -> WatchStream {
        let execution = self.0.execution.lock().unwrap().clone();
        let messages = steps
            .into_iter()
            .flat_map(move |step| messages(step, after, &execution));
        let note = DropNote(self.0.clone());
        Box::pin(stream::iter(messages).then(move |message| {
            let _ = &note;
            async move {
                match message {
                    None => std::future::pending().await,
                    Some(Ok(message)) => Ok(v1::WatchExecutionResponse {
                        message: Some(message),
                    }),
                    Some(Err(status)) => Err(status),
                }
            }
        }))
    }
}

fn messages(
    step: Step,
    after: i64,
    execution: &v1::Execution,
) -> Vec<Option<Result<Message, Status>>> {
    let events = |first, last| {
        let events = (first..=last).map(|sequence| v1::HistoryEvent {
            sequence,
            ..v1::HistoryEvent::default()
        });
        Some(Ok(Message::Events(v1::HistoryEventBatch {
            events: events.collect(),
        })))
    };
    match step {
        Step::Events(first, last) => vec![events(first, last)],
        Step::Rest(last) => (after + 1..=last)
            .map(|sequence| events(sequence, sequence))
            .collect(),
        Step::Heartbeat(last_sequence) => {
            vec![Some(Ok(Message::Heartbeat(v1::WatchHeartbeat {
                last_sequence,
            })))]
        }
        Step::End(reason, resume_after_sequence) => {
            let terminal = reason == v1::WatchEndReason::Terminal;
            let end = v1::WatchEnd {
                reason: reason.into(),
                resume_after_sequence,
                retry_delay: None,
                execution: terminal.then(|| execution.clone()),
            };
            vec![Some(Ok(Message::End(end)))]
        }
        Step::Fail(status) => vec![Some(Err(status))],
        Step::Hang => vec![None],
    }
}

/// Text of a call with the headers that matter.
fn describe<T>(name: &str, request: &Request<T>, rest: &str) -> String {
    let header = |name| match request.metadata().get(name) {
        Some(value) => value.to_str().unwrap().to_owned(),
        None => String::new(),
    };
    format!(
        "{name} {} {} {rest}",
        header("autan-project"),
        header("authorization")
    )
}

#[tonic::async_trait]
impl ExecutionService for Service {
    type WatchExecutionStream = WatchStream;
    type WatchExecutionsStream = stream::Empty<Result<v1::WatchExecutionsResponse, Status>>;

    async fn watch_executions(
        &self,
        _: Request<v1::WatchExecutionsRequest>,
    ) -> Result<Response<Self::WatchExecutionsStream>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn explain_execution(
        &self,
        _: Request<v1::ExplainExecutionRequest>,
    ) -> Result<Response<v1::ExplainExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn get_execution_graph(
        &self,
        _: Request<v1::GetExecutionGraphRequest>,
    ) -> Result<Response<v1::GetExecutionGraphResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn start_execution(
        &self,
        request: Request<v1::StartExecutionRequest>,
    ) -> Result<Response<v1::StartExecutionResponse>, Status> {
        let call = describe("start", &request, &request.get_ref().request_id);
        self.0.record(call)?;
        let message = request.into_inner();
        if message.workflow_name == "slow" {
            std::future::pending::<()>().await;
        }
        let execution = v1::Execution {
            execution_id: message.execution_id,
            ..v1::Execution::default()
        };
        let answer = v1::StartExecutionResponse {
            execution: Some(execution),
            started: true,
        };
        Ok(Response::new(answer))
    }

    async fn get_execution(
        &self,
        request: Request<v1::GetExecutionRequest>,
    ) -> Result<Response<v1::GetExecutionResponse>, Status> {
        let mask = request.into_inner().read_mask.unwrap_or_default();
        let call = format!("get {}", mask.paths.join(" "));
        self.0.record(call.trim_end().to_owned())?;
        let execution = Some(self.0.execution.lock().unwrap().clone());
        Ok(Response::new(v1::GetExecutionResponse { execution }))
    }

    async fn watch_execution(
        &self,
        request: Request<v1::WatchExecutionRequest>,
    ) -> Result<Response<WatchStream>, Status> {
        let after = request.get_ref().after_sequence;
        self.0.calls.lock().unwrap().push(format!("watch {after}"));
        let steps = self.0.streams.lock().unwrap().pop_front();
        let steps = steps.ok_or_else(|| Status::unimplemented("no more streams"))?;
        // A refusal before anything else is one of the call, not of the stream.
        if let [Step::Fail(status)] = steps.as_slice() {
            return Err(status.clone());
        }
        Ok(Response::new(self.play(steps, after)))
    }

    async fn wait_execution(
        &self,
        _: Request<v1::WaitExecutionRequest>,
    ) -> Result<Response<v1::WaitExecutionResponse>, Status> {
        self.0.record("wait".to_owned())?;
        let waits = self.0.calls().iter().filter(|call| *call == "wait").count();
        let mut execution = self.0.execution.lock().unwrap().clone();
        let finished = waits > 1;
        if finished {
            execution.state = v1::ExecutionState::Success.into();
        }
        let execution = Some(execution);
        Ok(Response::new(v1::WaitExecutionResponse {
            execution,
            drained: false,
            finished,
        }))
    }

    async fn list_executions(
        &self,
        _: Request<v1::ListExecutionsRequest>,
    ) -> Result<Response<v1::ListExecutionsResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn count_executions(
        &self,
        _: Request<v1::CountExecutionsRequest>,
    ) -> Result<Response<v1::CountExecutionsResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn pause_execution(
        &self,
        _: Request<v1::PauseExecutionRequest>,
    ) -> Result<Response<v1::PauseExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn resume_execution(
        &self,
        _: Request<v1::ResumeExecutionRequest>,
    ) -> Result<Response<v1::ResumeExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn cancel_execution(
        &self,
        _: Request<v1::CancelExecutionRequest>,
    ) -> Result<Response<v1::CancelExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn terminate_execution(
        &self,
        _: Request<v1::TerminateExecutionRequest>,
    ) -> Result<Response<v1::TerminateExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn restart_execution(
        &self,
        _: Request<v1::RestartExecutionRequest>,
    ) -> Result<Response<v1::RestartExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn update_execution(
        &self,
        _: Request<v1::UpdateExecutionRequest>,
    ) -> Result<Response<v1::UpdateExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn batch_update_executions(
        &self,
        request: Request<v1::BatchUpdateExecutionsRequest>,
    ) -> Result<Response<v1::BatchUpdateExecutionsResponse>, Status> {
        let request = request.into_inner();
        self.0.record(format!("{request:?}"))?;
        Ok(Response::new(v1::BatchUpdateExecutionsResponse {
            batch: Some(self.0.batch("")),
            sample_execution_ids: request.execution_ids,
        }))
    }

    async fn get_batch_operation(
        &self,
        request: Request<v1::GetBatchOperationRequest>,
    ) -> Result<Response<v1::GetBatchOperationResponse>, Status> {
        let batch = Some(self.0.batch(&request.into_inner().batch_id));
        Ok(Response::new(v1::GetBatchOperationResponse { batch }))
    }

    async fn list_batch_operations(
        &self,
        request: Request<v1::ListBatchOperationsRequest>,
    ) -> Result<Response<v1::ListBatchOperationsResponse>, Status> {
        let is_first = request.into_inner().page_token.is_empty();
        Ok(Response::new(v1::ListBatchOperationsResponse {
            batches: vec![self.0.batch("listed")],
            next_page_token: if is_first { "more" } else { "" }.to_owned(),
        }))
    }

    async fn cancel_batch_operation(
        &self,
        request: Request<v1::CancelBatchOperationRequest>,
    ) -> Result<Response<v1::CancelBatchOperationResponse>, Status> {
        let request = request.into_inner();
        self.0.record(format!("{request:?}"))?;
        let batch = Some(self.0.batch(&request.batch_id));
        Ok(Response::new(v1::CancelBatchOperationResponse { batch }))
    }

    async fn stop_execution(
        &self,
        _: Request<v1::StopExecutionRequest>,
    ) -> Result<Response<v1::StopExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn rerun_execution(
        &self,
        _: Request<v1::RerunExecutionRequest>,
    ) -> Result<Response<v1::RerunExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn rollback_execution(
        &self,
        _: Request<v1::RollbackExecutionRequest>,
    ) -> Result<Response<v1::RollbackExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn delete_execution(
        &self,
        _: Request<v1::DeleteExecutionRequest>,
    ) -> Result<Response<v1::DeleteExecutionResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn list_history_events(
        &self,
        _: Request<v1::ListHistoryEventsRequest>,
    ) -> Result<Response<v1::ListHistoryEventsResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}
