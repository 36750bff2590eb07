//! All executions of a project: list and count.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::{CountExecutionsRequest, ListExecutionsRequest};

use crate::error::Error;
use crate::listing::{Listing, Page};
use crate::resources::Execution;
use crate::transport::Transport;
use crate::watch_many::Changes;

/// All executions of a project.
#[derive(Clone, Debug)]
pub struct Executions {
    transport: Arc<Transport>,
}

impl Executions {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// Those that match a filter, newest first; an empty filter matches all.
    ///
    /// Example: `state = ERROR AND (workflow_name = "order*" OR labels.team = "eu")`.
    pub fn list(&self, filter: impl Into<String>) -> Listing<Execution> {
        let transport = self.transport.clone();
        let filter = filter.into();
        Listing::new(move |query| {
            let transport = transport.clone();
            let request = ListExecutionsRequest {
                project: transport.project(),
                filter: filter.clone(),
                page_size: query.page_size,
                page_token: query.page_token,
                view: query.view.into(),
                ..ListExecutionsRequest::default()
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        ExecutionServiceClient::new(channel)
                            .list_executions(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.executions, answer.next_page_token))
            }
        })
    }

    /// The changes of those that match a filter, as they happen; an empty filter matches all.
    pub fn watch(&self, filter: impl Into<String>) -> Changes {
        Changes::new(self.transport.clone(), filter.into())
    }

    /// How many match a filter.
    pub async fn count(&self, filter: impl Into<String>) -> Result<u64, Error> {
        Ok(self
            .count_grouped(filter.into(), proto::v1::CountGroup::Unspecified)
            .await?
            .total)
    }

    /// How many match a filter, in groups.
    pub async fn count_by(
        &self,
        group: CountGroup,
        filter: impl Into<String>,
    ) -> Result<Counts, Error> {
        let group = match group {
            CountGroup::State => proto::v1::CountGroup::State,
            CountGroup::WorkflowName => proto::v1::CountGroup::WorkflowName,
        };
        self.count_grouped(filter.into(), group).await
    }

    async fn count_grouped(
        &self,
        filter: String,
        group: proto::v1::CountGroup,
    ) -> Result<Counts, Error> {
        let request = CountExecutionsRequest {
            project: self.transport.project(),
            filter,
            group_by: group.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                ExecutionServiceClient::new(channel)
                    .count_executions(request)
                    .await
            })
            .await?;
        let unsigned = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(Counts {
            total: unsigned(answer.total),
            groups: answer
                .groups
                .into_iter()
                .map(|(key, count)| (key, unsigned(count)))
                .collect(),
        })
    }
}

/// By what to group a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CountGroup {
    /// By state.
    State,
    /// By name of the workflow.
    WorkflowName,
}

/// Numbers of executions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All that match.
    pub total: u64,
    /// By state word or workflow name.
    pub groups: BTreeMap<String, u64>,
}
