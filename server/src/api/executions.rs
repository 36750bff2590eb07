//! `ExecutionService`: starting, reading and steering executions.
//!
//! Left to others: watching and waiting (`watch`, `watch_many`, `wait`), looking inside (`explain`,
//! `graph`, `history`).

use engine::{ExecutionRecord, Verb};
use proto::v1::execution_service_server::ExecutionService;
use proto::v1::{self, CountGroup};
use store::ExecutionKey;
use tonic::{Request, Response, Status};

use super::answer;
use super::caller::{self, Sender};
use super::context::Shared;
use super::convert::{field, order, payload};
use super::fault::Fault;
use super::idempotency::{self, ChangeRequest};
use super::page::Paging;
use super::watch::{self, WatchStream};
use super::watch_many::{self, WatchManyStream};
use super::{batches, explain, filter, graph, history, lookup, wait};
use crate::driver::{self, DeleteOrder, VerbOrder};

/// Most groups of a count.
const GROUPS_MAX: u32 = 1000;

/// The service.
pub(super) struct Executions(pub(super) Shared);

#[tonic::async_trait]
impl ExecutionService for Executions {
    async fn start_execution(
        &self,
        request: Request<v1::StartExecutionRequest>,
    ) -> Result<Response<v1::StartExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.start(request, &sender).await?))
    }

    async fn get_execution(
        &self,
        request: Request<v1::GetExecutionRequest>,
    ) -> Result<Response<v1::GetExecutionResponse>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_executions(
        &self,
        request: Request<v1::ListExecutionsRequest>,
    ) -> Result<Response<v1::ListExecutionsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn count_executions(
        &self,
        request: Request<v1::CountExecutionsRequest>,
    ) -> Result<Response<v1::CountExecutionsResponse>, Status> {
        Ok(Response::new(self.count(request.into_inner()).await?))
    }

    type WatchExecutionStream = WatchStream;

    async fn watch_execution(
        &self,
        request: Request<v1::WatchExecutionRequest>,
    ) -> Result<Response<WatchStream>, Status> {
        Ok(Response::new(
            watch::watch(&self.0, request.into_inner()).await?,
        ))
    }

    async fn wait_execution(
        &self,
        request: Request<v1::WaitExecutionRequest>,
    ) -> Result<Response<v1::WaitExecutionResponse>, Status> {
        Ok(Response::new(
            wait::wait(&self.0, request.into_inner()).await?,
        ))
    }

    async fn pause_execution(
        &self,
        request: Request<v1::PauseExecutionRequest>,
    ) -> Result<Response<v1::PauseExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let target = (&*request.project, &*request.execution_id, &*request.reason);
        let timeouts_run = request.timeouts_run;
        let record = self
            .verb(&sender, &request, target, Verb::Pause { timeouts_run })
            .await?;
        let execution = Some(self.0.basic(&record));
        Ok(Response::new(v1::PauseExecutionResponse { execution }))
    }

    async fn resume_execution(
        &self,
        request: Request<v1::ResumeExecutionRequest>,
    ) -> Result<Response<v1::ResumeExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let bytes_max = self.0.limits.payload_bytes_max;
        let env = payload::object("env", request.env.clone(), bytes_max)?;
        let target = (&*request.project, &*request.execution_id, &*request.reason);
        let record = self
            .verb(&sender, &request, target, Verb::Resume { env })
            .await?;
        let execution = Some(self.0.basic(&record));
        Ok(Response::new(v1::ResumeExecutionResponse { execution }))
    }

    async fn cancel_execution(
        &self,
        request: Request<v1::CancelExecutionRequest>,
    ) -> Result<Response<v1::CancelExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let target = (&*request.project, &*request.execution_id, &*request.reason);
        let record = self
            .verb(&sender, &request, target, order::cancel(&request.reason)?)
            .await?;
        let execution = Some(self.0.basic(&record));
        Ok(Response::new(v1::CancelExecutionResponse { execution }))
    }

    async fn terminate_execution(
        &self,
        request: Request<v1::TerminateExecutionRequest>,
    ) -> Result<Response<v1::TerminateExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let target = (&*request.project, &*request.execution_id, &*request.reason);
        let verb = order::terminate(&request.reason)?;
        let record = self.verb(&sender, &request, target, verb).await?;
        let execution = Some(self.0.basic(&record));
        Ok(Response::new(v1::TerminateExecutionResponse { execution }))
    }

    async fn restart_execution(
        &self,
        request: Request<v1::RestartExecutionRequest>,
    ) -> Result<Response<v1::RestartExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.restart(request, &sender).await?))
    }

    async fn update_execution(
        &self,
        request: Request<v1::UpdateExecutionRequest>,
    ) -> Result<Response<v1::UpdateExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let target = (&*request.project, &*request.execution_id, &*request.reason);
        let verb = order::update(&request, self.0.limits.payload_bytes_max)?;
        let record = self
            .verb_at(&sender, &request, target, verb, &request.etag)
            .await?;
        let execution = Some(self.0.basic(&record));
        Ok(Response::new(v1::UpdateExecutionResponse { execution }))
    }

    async fn stop_execution(
        &self,
        request: Request<v1::StopExecutionRequest>,
    ) -> Result<Response<v1::StopExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let target = (&*request.project, &*request.execution_id, &*request.reason);
        let verb = order::stop(request.outcome, &request.reason)?;
        let record = self.verb(&sender, &request, target, verb).await?;
        let execution = Some(self.0.basic(&record));
        Ok(Response::new(v1::StopExecutionResponse { execution }))
    }

    async fn rerun_execution(
        &self,
        request: Request<v1::RerunExecutionRequest>,
    ) -> Result<Response<v1::RerunExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.rerun(request, &sender).await?))
    }

    async fn rollback_execution(
        &self,
        request: Request<v1::RollbackExecutionRequest>,
    ) -> Result<Response<v1::RollbackExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.rollback(request, &sender).await?))
    }

    async fn batch_update_executions(
        &self,
        request: Request<v1::BatchUpdateExecutionsRequest>,
    ) -> Result<Response<v1::BatchUpdateExecutionsResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let updated = batches::update(&self.0, request, &sender);
        Ok(Response::new(updated.await?))
    }

    async fn get_batch_operation(
        &self,
        request: Request<v1::GetBatchOperationRequest>,
    ) -> Result<Response<v1::GetBatchOperationResponse>, Status> {
        Ok(Response::new(
            batches::get(&self.0, request.into_inner()).await?,
        ))
    }

    async fn list_batch_operations(
        &self,
        request: Request<v1::ListBatchOperationsRequest>,
    ) -> Result<Response<v1::ListBatchOperationsResponse>, Status> {
        Ok(Response::new(
            batches::list(&self.0, request.into_inner()).await?,
        ))
    }

    async fn cancel_batch_operation(
        &self,
        request: Request<v1::CancelBatchOperationRequest>,
    ) -> Result<Response<v1::CancelBatchOperationResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(
            batches::cancel(&self.0, request, &sender).await?,
        ))
    }

    async fn delete_execution(
        &self,
        request: Request<v1::DeleteExecutionRequest>,
    ) -> Result<Response<v1::DeleteExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.delete(request, &sender).await?))
    }

    async fn list_history_events(
        &self,
        request: Request<v1::ListHistoryEventsRequest>,
    ) -> Result<Response<v1::ListHistoryEventsResponse>, Status> {
        Ok(Response::new(
            history::list(&self.0, request.into_inner()).await?,
        ))
    }

    async fn get_execution_graph(
        &self,
        request: Request<v1::GetExecutionGraphRequest>,
    ) -> Result<Response<v1::GetExecutionGraphResponse>, Status> {
        Ok(Response::new(
            graph::get(&self.0, request.into_inner()).await?,
        ))
    }

    async fn explain_execution(
        &self,
        request: Request<v1::ExplainExecutionRequest>,
    ) -> Result<Response<v1::ExplainExecutionResponse>, Status> {
        Ok(Response::new(
            explain::explain(&self.0, request.into_inner()).await?,
        ))
    }

    type WatchExecutionsStream = WatchManyStream;

    async fn watch_executions(
        &self,
        request: Request<v1::WatchExecutionsRequest>,
    ) -> Result<Response<WatchManyStream>, Status> {
        Ok(Response::new(
            watch_many::watch(&self.0, request.into_inner()).await?,
        ))
    }
}

impl Executions {
    async fn start(
        &self,
        request: v1::StartExecutionRequest,
        sender: &Sender,
    ) -> Result<v1::StartExecutionResponse, Fault> {
        let key = idempotency::key(&request)?;
        let caller = sender.silent(key.as_ref());
        let order = order::start(request, caller, self.0.limits.payload_bytes_max)?;
        let started = self.0.driver.start_execution(order, key).await?;
        let execution = Some(self.0.basic(&started.execution));
        Ok(v1::StartExecutionResponse {
            execution,
            started: started.started,
        })
    }

    async fn get(
        &self,
        request: v1::GetExecutionRequest,
    ) -> Result<v1::GetExecutionResponse, Fault> {
        let project = field::project(&request.project)?;
        let id = field::name("execution_id", &request.execution_id)?;
        let full = field::full_view(request.view, true)?;
        let format = field::payload_format(request.payload_format)?;
        let kept = self.0.retention.clone();
        let read = self.0.read(move |reader| {
            let record = lookup::find(reader, &project, &id, lookup::payloads_of(full))?;
            let wire = lookup::wire_execution(reader, &kept, &record, full.then_some(format))?;
            answer::masked(wire, request.read_mask.as_ref())
        });
        Ok(v1::GetExecutionResponse {
            execution: Some(read.await?),
        })
    }

    async fn list(
        &self,
        request: v1::ListExecutionsRequest,
    ) -> Result<v1::ListExecutionsResponse, Fault> {
        let project = field::project(&request.project)?;
        let filter = filter::parse(&request.filter)?;
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let format = field::payload_format(request.payload_format)?;
        let kept = self.0.retention.clone();
        let read = self.0.read(move |reader| {
            let payloads = lookup::payloads_of(full);
            let slice = reader.list_executions(&project, &filter, &paging.page, payloads)?;
            paging.fill(
                slice,
                |record| record.uid,
                |record| lookup::wire_execution(reader, &kept, &record, full.then_some(format)),
            )
        });
        let (executions, next_page_token) = read.await?;
        Ok(v1::ListExecutionsResponse {
            executions,
            next_page_token,
        })
    }

    async fn count(
        &self,
        request: v1::CountExecutionsRequest,
    ) -> Result<v1::CountExecutionsResponse, Fault> {
        let project = field::project(&request.project)?;
        let filter = filter::parse(&request.filter)?;
        let group = match field::known("group_by", request.group_by)? {
            CountGroup::Unspecified => None,
            CountGroup::State => Some(store::CountGroup::State),
            CountGroup::WorkflowName => Some(store::CountGroup::WorkflowName),
        };
        let read = self
            .0
            .read(move |reader| Ok(reader.count_executions(&project, &filter, group, GROUPS_MAX)?));
        let counts = read.await?;
        Ok(v1::CountExecutionsResponse {
            total: counts.total,
            groups: counts.groups,
        })
    }

    async fn restart(
        &self,
        request: v1::RestartExecutionRequest,
        sender: &Sender,
    ) -> Result<v1::RestartExecutionResponse, Fault> {
        let key = idempotency::key(&request)?;
        let caller = sender.caller(&request.reason, key.as_ref())?;
        let id = &request.execution_id;
        let source = self.find_key(&request.project, id).await?;
        let source = source.ok_or_else(|| Fault::execution_not_found(id))?;
        let bytes_max = self.0.limits.payload_bytes_max;
        let order = order::restart(request, source.uid, caller, bytes_max)?;
        let started = self.0.driver.restart(order, key).await?;
        let execution = Some(self.0.basic(&started.execution));
        Ok(v1::RestartExecutionResponse { execution })
    }

    async fn rerun(
        &self,
        request: v1::RerunExecutionRequest,
        sender: &Sender,
    ) -> Result<v1::RerunExecutionResponse, Fault> {
        let (task, verb) = order::rerun(&request, self.0.limits.payload_bytes_max)?;
        let uid = task.map(|task| task.execution.to_string());
        let id = match &uid {
            Some(uid) if request.execution_id.is_empty() => uid,
            _ => &request.execution_id,
        };
        if let (Some(task), false) = (task, request.execution_id.is_empty()) {
            let key = self.find_key(&request.project, id).await?;
            let key = key.ok_or_else(|| Fault::execution_not_found(id))?;
            if key.uid != task.execution {
                let description = "is of another execution than execution_id";
                return Err(Fault::field("task_execution_id", description));
            }
        }
        let target = (&*request.project, &**id, &*request.reason);
        let found = self.verb(sender, &request, target, verb).await;
        // Whoever names a task only has asked for no execution.
        let record = found.map_err(|fault| match (fault, task) {
            (Fault::Driver(driver::Error::ExecutionNotFound { .. }), Some(task))
                if request.execution_id.is_empty() =>
            {
                Fault::TaskNotFound {
                    id: task.to_string(),
                }
            }
            (fault, _) => fault,
        })?;
        Ok(v1::RerunExecutionResponse {
            execution: Some(self.0.basic(&record)),
        })
    }

    async fn rollback(
        &self,
        request: v1::RollbackExecutionRequest,
        sender: &Sender,
    ) -> Result<v1::RollbackExecutionResponse, Fault> {
        let (to, verb) = order::rollback(&request)?;
        let id = &request.execution_id;
        if let Some(task) = to {
            let key = self.find_key(&request.project, id).await?;
            let key = key.ok_or_else(|| Fault::execution_not_found(id))?;
            if key.uid != task.execution {
                let description = "is of another execution than execution_id";
                return Err(Fault::field("to_task_execution_id", description));
            }
        }
        let target = (&*request.project, &**id, &*request.reason);
        let record = self.verb(sender, &request, target, verb).await?;
        Ok(v1::RollbackExecutionResponse {
            execution: Some(self.0.basic(&record)),
        })
    }

    /// Finds an execution and applies a verb to it. The target is project, id and reason.
    async fn verb(
        &self,
        sender: &Sender,
        request: &impl ChangeRequest,
        target: (&str, &str, &str),
        verb: Verb,
    ) -> Result<ExecutionRecord, Fault> {
        self.verb_at(sender, request, target, verb, "").await
    }

    /// The same for an execution that has that etag; empty = whatever it has.
    async fn verb_at(
        &self,
        sender: &Sender,
        request: &impl ChangeRequest,
        (project, id, reason): (&str, &str, &str),
        verb: Verb,
        etag: &str,
    ) -> Result<ExecutionRecord, Fault> {
        let request_key = idempotency::key(request)?;
        let caller = sender.caller(reason, request_key.as_ref())?;
        let key = self.find_key(project, id).await?;
        let key = key.ok_or_else(|| Fault::execution_not_found(id))?;
        let order = VerbOrder {
            expected_etag: field::optional_name("etag", etag)?,
            ..VerbOrder::new(key.uid, verb, caller)
        };
        Ok(self.0.driver.verb(order, request_key).await?)
    }

    async fn find_key(&self, project: &str, id: &str) -> Result<Option<ExecutionKey>, Fault> {
        let project = field::project(project)?;
        let id = field::name("execution_id", id)?;
        self.0
            .read(move |reader| Ok(reader.find_key(&project, &id)?))
            .await
    }

    async fn delete(
        &self,
        request: v1::DeleteExecutionRequest,
        sender: &Sender,
    ) -> Result<v1::DeleteExecutionResponse, Fault> {
        let request_key = idempotency::key(&request)?;
        let reason = field::text("reason", &request.reason)?;
        let caller = sender.caller(&request.reason, request_key.as_ref())?;
        let id = &request.execution_id;
        let deleted = match self.find_key(&request.project, id).await? {
            Some(key) => {
                let order = DeleteOrder {
                    uid: key.uid,
                    force: request.force,
                    caller,
                };
                self.0
                    .driver
                    .delete(order, request_key.clone())
                    .await
                    .map_err(Fault::from)
            }
            None => Err(Fault::execution_not_found(id)),
        };
        let is_gone = |fault: &Fault| {
            matches!(
                fault,
                Fault::Driver(driver::Error::ExecutionNotFound { .. })
            )
        };
        match deleted {
            // The history goes with the execution; the log keeps who let it go, and why.
            Ok(()) => tracing::info!(execution.id = %id, %reason, "execution {id} deleted"),
            Err(fault) if is_gone(&fault) => {
                let repeated = self.0.was_answered(request_key).await?;
                if !repeated && !request.allow_missing {
                    return Err(fault);
                }
            }
            Err(fault) => return Err(fault),
        }
        Ok(v1::DeleteExecutionResponse {})
    }
}
