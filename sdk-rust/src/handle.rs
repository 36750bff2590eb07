//! One execution: look, follow, wait, control.
//!
//! Owns [`ExecutionHandle`]. Left to others: the streams behind `events` (`watch`) and the verbs that
//! change something (`verb`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::list_action_executions_request::Parent;
use proto::v1::task_service_client::TaskServiceClient;
use proto::v1::{
    GetExecutionRequest, ListTaskExecutionsRequest, View, WaitExecutionRequest, WaitUntil,
};
use serde::de::DeserializeOwned;

use crate::change::{PauseExecution, RestartExecution, UpdateExecution};
use crate::error::{Code, Error, ExecutionError};
use crate::event::Event;
use crate::get::Get;
use crate::listing::{Listing, Page};
use crate::look::{self, Explain, GetGraph, HistoryQuery};
use crate::payload::Payload;
use crate::resources::{ActionExecution, Execution, TaskExecution};
use crate::state::ExecutionState;
use crate::tasks::list_actions;
use crate::transport::Transport;
use crate::verb::{
    DeleteExecution, RerunExecution, ResumeExecution, RollbackExecution, Verb, VerbKind,
};
use crate::watch::Events;

/// How long the server holds one call of a wait.
const WAIT_SLICE: Duration = Duration::from_secs(10);

/// One execution. Clones are cheap; dropping it changes nothing on the server.
#[derive(Clone, Debug)]
pub struct ExecutionHandle {
    transport: Arc<Transport>,
    execution_id: String,
    start: Option<Arc<Start>>,
}

#[derive(Debug)]
struct Start {
    execution: Execution,
    started: bool,
}

impl ExecutionHandle {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        Self {
            transport,
            execution_id,
            start: None,
        }
    }

    pub(crate) fn started(transport: Arc<Transport>, execution: Execution, started: bool) -> Self {
        Self {
            transport,
            execution_id: execution.execution_id.clone(),
            start: Some(Arc::new(Start { execution, started })),
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.execution_id
    }

    /// Whether the call that gave this handle started it: false if the id was in use, or if the
    /// handle was not made by a start.
    pub fn is_new(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.started)
    }

    /// The execution as the start answered it, without payloads.
    pub fn snapshot(&self) -> Option<&Execution> {
        self.start.as_ref().map(|start| &start.execution)
    }

    /// The execution as it is now, with payloads: `input`, `output`, `params`, `published_global`
    /// and `error.details`, or those chosen by [`Get::only`].
    pub fn get(&self) -> Get<Execution> {
        let (transport, execution_id) = (self.transport.clone(), self.execution_id.clone());
        Get::new(move |read_mask| {
            let transport = transport.clone();
            let request = GetExecutionRequest {
                project: transport.project(),
                execution_id: execution_id.clone(),
                view: View::Full.into(),
                read_mask,
                ..GetExecutionRequest::default()
            };
            async move { fetch(&transport, request).await }
        })
    }

    /// Its state now.
    pub async fn state(&self) -> Result<ExecutionState, Error> {
        let execution = fetch_execution(&self.transport, &self.execution_id).await?;
        Ok(execution.state)
    }

    /// Its events from the first on, until it is finished.
    pub fn events(&self) -> Events {
        Events::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Waits until it is finished, however it ends, and for as long as it takes.
    pub async fn wait(&self) -> Result<Execution, Error> {
        let execution = self.get().await?;
        if execution.state.is_final() {
            return Ok(execution);
        }
        let mut events = self.events().after(execution.last_sequence);
        loop {
            match events.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) if streams_do_not_work(&error) => return self.wait_by_calls().await,
                Err(error) => return Err(error),
            }
        }
        match events.into_finished() {
            Some(execution) => Ok(execution),
            None => self.get().await,
        }
    }

    /// Waits until it is finished and reads its output; `Error::Execution` if it did not succeed.
    pub async fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let execution = self.wait().await?;
        let output = execution.output.clone();
        outcome(&execution, output)?.decode("the output")
    }

    /// Its stored events, oldest first; with payloads if the listing is `full`.
    pub fn history(&self) -> Listing<Event> {
        self.find_history(HistoryQuery::new())
    }

    /// Its stored events, newest first; with payloads if the listing is `full`.
    pub fn history_newest_first(&self) -> Listing<Event> {
        self.find_history(HistoryQuery::new().newest_first())
    }

    /// Those of its stored events that a query asks for; with payloads if the listing is `full`.
    pub fn find_history(&self, query: HistoryQuery) -> Listing<Event> {
        look::history(self.transport.clone(), self.execution_id.clone(), query)
    }

    /// Why it is not finished: what each of its tasks waits for, down to its sub-workflows.
    pub fn explain(&self) -> Explain {
        Explain::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Its tree: tasks, the edges between them, their actions and sub-workflows, with counts.
    pub fn graph(&self) -> GetGraph {
        GetGraph::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Its tasks that match a filter over `task_name`, `state` and `type`, in order of creation; an
    /// empty filter matches all.
    pub fn tasks(&self, filter: impl Into<String>) -> Listing<TaskExecution> {
        let transport = self.transport.clone();
        let execution_id = self.execution_id.clone();
        let filter = filter.into();
        Listing::new(move |query| {
            let transport = transport.clone();
            let request = ListTaskExecutionsRequest {
                project: transport.project(),
                execution_id: execution_id.clone(),
                filter: filter.clone(),
                page_size: query.page_size,
                page_token: query.page_token,
                view: query.view.into(),
                ..ListTaskExecutionsRequest::default()
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        TaskServiceClient::new(channel)
                            .list_task_executions(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.task_executions, answer.next_page_token))
            }
        })
    }

    /// The attempts of all its tasks, in order of creation.
    pub fn actions(&self) -> Listing<ActionExecution> {
        list_actions(
            self.transport.clone(),
            Parent::ExecutionId(self.execution_id.clone()),
        )
    }

    /// Pauses it: what runs goes on, nothing new starts.
    pub fn pause(&self) -> PauseExecution {
        PauseExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Resumes it.
    pub fn resume(&self) -> ResumeExecution {
        ResumeExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Cancels it with its actions and sub-workflows.
    pub fn cancel(&self) -> Verb {
        self.verb(VerbKind::Cancel)
    }

    /// Ends it and all below it at once: no handler runs, and there is no output.
    pub fn terminate(&self) -> Verb {
        self.verb(VerbKind::Terminate)
    }

    /// Ends it now in the given final state.
    pub fn stop(&self, outcome: ExecutionState) -> Verb {
        self.verb(VerbKind::Stop(outcome))
    }

    /// Runs again, in place, what has failed or was cancelled.
    pub fn rerun(&self) -> RerunExecution {
        RerunExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Undoes what its tasks have done, in reverse order.
    pub fn rollback(&self) -> RollbackExecution {
        RollbackExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Starts another execution like it.
    pub fn restart(&self) -> RestartExecution {
        RestartExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Changes its labels or description, or while it is paused its environment.
    pub fn update(&self) -> UpdateExecution {
        UpdateExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    /// Deletes it with everything that belongs to it.
    pub fn delete(&self) -> DeleteExecution {
        DeleteExecution::new(self.transport.clone(), self.execution_id.clone())
    }

    fn verb(&self, kind: VerbKind) -> Verb {
        Verb::new(self.transport.clone(), self.execution_id.clone(), kind)
    }

    /// Waits until it is paused with nothing running any more, in it or below, or finished; for as
    /// long as it takes.
    pub async fn wait_drained(&self) -> Result<Execution, Error> {
        self.wait_until(WaitUntil::Drained).await
    }

    /// Waits without streams, for servers and proxies that have none.
    async fn wait_by_calls(&self) -> Result<Execution, Error> {
        self.wait_until(WaitUntil::Finished).await
    }

    async fn wait_until(&self, until: WaitUntil) -> Result<Execution, Error> {
        let request = WaitExecutionRequest {
            project: self.transport.project(),
            execution_id: self.execution_id.clone(),
            timeout: prost_types::Duration::try_from(WAIT_SLICE).ok(),
            view: View::Full.into(),
            until: until.into(),
            ..WaitExecutionRequest::default()
        };
        let timeout = self.transport.settings.timeout + WAIT_SLICE;
        loop {
            let answer = self
                .transport
                .unary_within(timeout, request.clone(), |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .wait_execution(request)
                        .await
                })
                .await?;
            if answer.finished || (until == WaitUntil::Drained && answer.drained) {
                let execution = answer
                    .execution
                    .ok_or(Error::Incomplete { field: "execution" })?;
                return Ok(execution.into());
            }
        }
    }
}

/// The output of a finished execution, if it ended well.
pub(crate) fn outcome(execution: &Execution, output: Option<Payload>) -> Result<Payload, Error> {
    if execution.state == ExecutionState::Success {
        return Ok(output.unwrap_or_else(|| Payload::from_json_text("null")));
    }
    Err(Error::Execution(Box::new(ExecutionError {
        execution_id: execution.execution_id.clone(),
        state: execution.state,
        state_info: execution.state_info.clone(),
        output,
        failure: execution.error.clone(),
    })))
}

/// The execution without payloads.
pub(crate) async fn fetch_execution(
    transport: &Transport,
    execution_id: &str,
) -> Result<Execution, Error> {
    let request = GetExecutionRequest {
        project: transport.project(),
        execution_id: execution_id.to_owned(),
        view: View::Basic.into(),
        ..GetExecutionRequest::default()
    };
    fetch(transport, request).await
}

async fn fetch(transport: &Transport, request: GetExecutionRequest) -> Result<Execution, Error> {
    let answer = transport
        .unary(request, |channel, request| async move {
            ExecutionServiceClient::new(channel)
                .get_execution(request)
                .await
        })
        .await?;
    answer
        .execution
        .map(Execution::from)
        .ok_or(Error::Incomplete { field: "execution" })
}

/// Whether plain calls may work where streams do not: they are missing, cut by something on the way,
/// or the history to follow is gone.
fn streams_do_not_work(error: &Error) -> bool {
    error.rpc().is_some_and(|error| {
        matches!(
            error.code,
            Code::Unimplemented | Code::Unavailable | Code::OutOfRange
        )
    })
}
