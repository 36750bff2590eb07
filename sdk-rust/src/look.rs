//! Looking into executions: why one is not finished, its tree, and which events of its history.
//!
//! Owns the calls [`Explain`], [`GetGraph`] and [`HistoryQuery`].

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::{
    ExplainExecutionRequest, GetExecutionGraphRequest, ListHistoryEventsRequest, View,
};

use crate::error::Error;
use crate::event::Event;
use crate::listing::{Listing, Page};
use crate::resources::{ExecutionGraph, Explanation};
use crate::transport::Transport;

/// Asks why an execution is not finished; sent when it is awaited.
#[derive(Clone, Debug)]
#[must_use = "a call is sent when it is awaited"]
pub struct Explain {
    transport: Arc<Transport>,
    request: ExplainExecutionRequest,
}

impl Explain {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = ExplainExecutionRequest {
            project: transport.project(),
            execution_id,
            ..ExplainExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Explains this task only.
    pub fn task(mut self, task_execution_id: impl Into<String>) -> Self {
        self.request.task_execution_id = task_execution_id.into();
        self
    }

    /// Follows so many levels of sub-workflows; 5 if not said, at most 10.
    pub fn max_depth(mut self, levels: u32) -> Self {
        self.request.max_depth = number(levels);
        self
    }

    /// Tells at most so many causes; 100 if not said, at most 1000.
    pub fn max_causes(mut self, causes: u32) -> Self {
        self.request.max_causes = number(causes);
        self
    }
}

impl IntoFuture for Explain {
    type Output = Result<Explanation, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .explain_execution(request)
                        .await
                })
                .await?;
            Ok(answer.into())
        })
    }
}

/// Asks for the tree of an execution; sent when it is awaited.
#[derive(Clone, Debug)]
#[must_use = "a call is sent when it is awaited"]
pub struct GetGraph {
    transport: Arc<Transport>,
    request: GetExecutionGraphRequest,
}

impl GetGraph {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = GetExecutionGraphRequest {
            project: transport.project(),
            execution_id,
            ..GetExecutionGraphRequest::default()
        };
        Self { transport, request }
    }

    /// So many levels of executions, 1 = only this one; 3 if not said, at most 10.
    pub fn max_depth(mut self, levels: u32) -> Self {
        self.request.max_depth = number(levels);
        self
    }

    /// At most so many executions, tasks and actions together; 1000 if not said, at most 10000.
    pub fn max_nodes(mut self, nodes: u32) -> Self {
        self.request.max_nodes = number(nodes);
        self
    }

    /// Only tasks in ERROR, with their sub-workflows.
    pub fn errors_only(mut self) -> Self {
        self.request.errors_only = true;
        self
    }

    /// Only the counts.
    pub fn statistics_only(mut self) -> Self {
        self.request.statistics_only = true;
        self
    }
}

impl IntoFuture for GetGraph {
    type Output = Result<ExecutionGraph, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .get_execution_graph(request)
                        .await
                })
                .await?;
            Ok(answer.into())
        })
    }
}

/// Which events of a history are wanted; all if nothing is said.
#[derive(Clone, Debug, Default)]
#[must_use = "a query lists nothing by itself"]
pub struct HistoryQuery {
    request: ListHistoryEventsRequest,
}

impl HistoryQuery {
    /// All events, oldest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only events after this sequence.
    pub fn after(mut self, sequence: i64) -> Self {
        self.request.after_sequence = sequence;
        self
    }

    /// Only events before this sequence.
    pub fn before(mut self, sequence: i64) -> Self {
        self.request.before_sequence = sequence;
        self
    }

    /// Newest first.
    pub fn newest_first(mut self) -> Self {
        self.request.descending = true;
        self
    }

    /// Only events of this type, such as `task_state_changed`; may be said several times.
    pub fn event_type(mut self, name: impl Into<String>) -> Self {
        self.request.event_types.push(name.into());
        self
    }

    /// Only events of this task execution.
    pub fn task(mut self, task_execution_id: impl Into<String>) -> Self {
        self.request.task_execution_id = task_execution_id.into();
        self
    }
}

/// Lists events; with payloads if the listing is `full`.
pub(crate) fn history(
    transport: Arc<Transport>,
    execution_id: String,
    query: HistoryQuery,
) -> Listing<Event> {
    Listing::new(move |page| {
        let transport = transport.clone();
        let request = ListHistoryEventsRequest {
            project: transport.project(),
            execution_id: execution_id.clone(),
            page_size: page.page_size,
            page_token: page.page_token,
            include_payloads: page.view == View::Full,
            ..query.request.clone()
        };
        async move {
            let answer = transport
                .unary(request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .list_history_events(request)
                        .await
                })
                .await?;
            Ok(Page::new(answer.events, answer.next_page_token))
        }
    })
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
