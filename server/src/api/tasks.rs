//! `TaskService`: reading tasks and actions, and completing actions that run outside.

use std::sync::Arc;

use engine::{ActionId, ActionRecord, ExecutionRecord, Outcome, Runner, TaskId};
use proto::v1::list_action_executions_request::Parent;
use proto::v1::task_service_server::TaskService;
use proto::v1::{self, PayloadFormat};
use store::{ExecutionKey, Payloads, Reader};
use tonic::{Request, Response, Status};

use super::answer;
use super::caller::{self, Sender};
use super::context::Shared;
use super::convert::task::{self, TaskContext};
use super::convert::{field, order, payload};
use super::fault::Fault;
use super::filter;
use super::idempotency::{self, ChangeRequest};
use super::lookup::{self, TaskNames};
use super::page::Paging;
use crate::driver::{self, ActionChange, VerbOrder};

/// The service.
pub(super) struct Tasks(pub(super) Shared);

#[tonic::async_trait]
impl TaskService for Tasks {
    async fn get_task_execution(
        &self,
        request: Request<v1::GetTaskExecutionRequest>,
    ) -> Result<Response<v1::GetTaskExecutionResponse>, Status> {
        Ok(Response::new(self.get_task(request.into_inner()).await?))
    }

    async fn list_task_executions(
        &self,
        request: Request<v1::ListTaskExecutionsRequest>,
    ) -> Result<Response<v1::ListTaskExecutionsResponse>, Status> {
        Ok(Response::new(self.list_tasks(request.into_inner()).await?))
    }

    async fn skip_task(
        &self,
        request: Request<v1::SkipTaskRequest>,
    ) -> Result<Response<v1::SkipTaskResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.skip(request, &sender).await?))
    }

    async fn retry_task(
        &self,
        request: Request<v1::RetryTaskRequest>,
    ) -> Result<Response<v1::RetryTaskResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        Ok(Response::new(self.retry(request, &sender).await?))
    }

    async fn get_action_execution(
        &self,
        request: Request<v1::GetActionExecutionRequest>,
    ) -> Result<Response<v1::GetActionExecutionResponse>, Status> {
        Ok(Response::new(self.get_action(request.into_inner()).await?))
    }

    async fn list_action_executions(
        &self,
        request: Request<v1::ListActionExecutionsRequest>,
    ) -> Result<Response<v1::ListActionExecutionsResponse>, Status> {
        Ok(Response::new(
            self.list_actions(request.into_inner()).await?,
        ))
    }

    async fn complete_action_execution(
        &self,
        request: Request<v1::CompleteActionExecutionRequest>,
    ) -> Result<Response<v1::CompleteActionExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let bytes_max = self.0.limits.payload_bytes_max;
        let result = payload::any("result", request.result.clone(), bytes_max)?;
        let change = ended(&request, &sender, Outcome::Success(result))?;
        let target = (&*request.project, &*request.action_execution_id);
        let action_execution = Some(self.change(&request, target, change).await?);
        Ok(Response::new(v1::CompleteActionExecutionResponse {
            action_execution,
        }))
    }

    async fn fail_action_execution(
        &self,
        request: Request<v1::FailActionExecutionRequest>,
    ) -> Result<Response<v1::FailActionExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let bytes_max = self.0.limits.payload_bytes_max;
        let error = payload::any("error", request.error.clone(), bytes_max)?;
        let change = ended(&request, &sender, Outcome::Error(error))?;
        let target = (&*request.project, &*request.action_execution_id);
        let action_execution = Some(self.change(&request, target, change).await?);
        Ok(Response::new(v1::FailActionExecutionResponse {
            action_execution,
        }))
    }

    async fn update_action_execution(
        &self,
        request: Request<v1::UpdateActionExecutionRequest>,
    ) -> Result<Response<v1::UpdateActionExecutionResponse>, Status> {
        let (request, sender) = caller::open(request)?;
        let key = idempotency::key(&request)?;
        let caller = sender.caller(&request.reason, key.as_ref())?;
        let change = order::action_change(request.state, caller)?;
        let target = (&*request.project, &*request.action_execution_id);
        let action_execution = Some(self.change(&request, target, change).await?);
        Ok(Response::new(v1::UpdateActionExecutionResponse {
            action_execution,
        }))
    }
}

impl Tasks {
    async fn get_task(
        &self,
        request: v1::GetTaskExecutionRequest,
    ) -> Result<v1::GetTaskExecutionResponse, Fault> {
        let project = field::project(&request.project)?;
        let id = field::task_id(&request.task_execution_id)?;
        let full = full_format(request.view, true, request.payload_format)?;
        let wire = self.read_task(project, id, full).await?;
        let task_execution = Some(answer::masked(wire, request.read_mask.as_ref())?);
        Ok(v1::GetTaskExecutionResponse { task_execution })
    }

    /// A task execution on the wire, with payloads if there is a format for them.
    async fn read_task(
        &self,
        project: Arc<str>,
        id: TaskId,
        full: Option<PayloadFormat>,
    ) -> Result<v1::TaskExecution, Fault> {
        let read = self.0.read(move |reader| {
            let not_found = || Fault::TaskNotFound { id: id.to_string() };
            let execution = reader.find_execution_by_uid(&project, id.execution, Payloads::Omit)?;
            let execution = execution.ok_or_else(not_found)?;
            let key = ExecutionKey::from(&execution);
            let record = reader.find_task(key, id.number)?.ok_or_else(not_found)?;
            let triggers = record.triggered_by.iter().map(|trigger| trigger.task);
            let triggered_by = TaskNames::new(key).names(reader, triggers)?;
            let tags = lookup::task_tags(reader, &execution)?.remove(&*record.name);
            let context = TaskContext {
                triggered_by,
                tags: tags.unwrap_or_default(),
            };
            Ok(task::wire(id, &record, context, full))
        });
        read.await
    }

    async fn skip(
        &self,
        request: v1::SkipTaskRequest,
        sender: &Sender,
    ) -> Result<v1::SkipTaskResponse, Fault> {
        let request_key = idempotency::key(&request)?;
        let project = field::project(&request.project)?;
        let (id, verb) = order::skip(&request, self.0.limits.payload_bytes_max)?;
        let caller = sender.caller(&request.reason, request_key.as_ref())?;
        // Reading it first keeps to the tenant, and says what is not there.
        self.read_task(project.clone(), id, None).await?;
        let skipped = self
            .0
            .driver
            .verb(VerbOrder::new(id.execution, verb, caller), request_key);
        skipped.await?;
        let task_execution = Some(self.read_task(project, id, None).await?);
        Ok(v1::SkipTaskResponse { task_execution })
    }

    async fn retry(
        &self,
        request: v1::RetryTaskRequest,
        sender: &Sender,
    ) -> Result<v1::RetryTaskResponse, Fault> {
        let request_key = idempotency::key(&request)?;
        let project = field::project(&request.project)?;
        let (id, verb) = order::retry(&request)?;
        let caller = sender.caller(&request.reason, request_key.as_ref())?;
        self.read_task(project.clone(), id, None).await?;
        let retried = self
            .0
            .driver
            .verb(VerbOrder::new(id.execution, verb, caller), request_key);
        retried.await?;
        let task_execution = Some(self.read_task(project, id, None).await?);
        Ok(v1::RetryTaskResponse { task_execution })
    }

    async fn list_tasks(
        &self,
        request: v1::ListTaskExecutionsRequest,
    ) -> Result<v1::ListTaskExecutionsResponse, Fault> {
        let project = field::project(&request.project)?;
        let id = field::name("execution_id", &request.execution_id)?;
        let filter = filter::parse(&request.filter)?;
        let paging = Paging::of(&request)?;
        let full = full_format(request.view, false, request.payload_format)?;
        let read = self.0.read(move |reader| {
            let execution = lookup::find(reader, &project, &id, Payloads::Omit)?;
            let key = ExecutionKey::from(&execution);
            let payloads = lookup::payloads_of(full.is_some());
            let slice = reader.list_tasks(key, &filter, &paging.page, payloads)?;
            let tags = lookup::task_tags(reader, &execution)?;
            let mut names = TaskNames::new(key);
            for record in &slice.rows {
                names.learn(record.number, &record.name);
            }
            paging.fill(
                slice,
                |record| record.number,
                |record| {
                    let triggers = record.triggered_by.iter().map(|trigger| trigger.task);
                    let triggered_by = names.names(reader, triggers)?;
                    let tags = tags.get(&*record.name).cloned().unwrap_or_default();
                    let id = TaskId {
                        execution: key.uid,
                        number: record.number,
                    };
                    Ok::<_, Fault>(task::wire(
                        id,
                        &record,
                        TaskContext { triggered_by, tags },
                        full,
                    ))
                },
            )
        });
        let (task_executions, next_page_token) = read.await?;
        Ok(v1::ListTaskExecutionsResponse {
            task_executions,
            next_page_token,
        })
    }

    async fn get_action(
        &self,
        request: v1::GetActionExecutionRequest,
    ) -> Result<v1::GetActionExecutionResponse, Fault> {
        let project = field::project(&request.project)?;
        let id = field::action_id(&request.action_execution_id)?;
        let full = full_format(request.view, true, request.payload_format)?;
        let dispatcher = self.0.dispatcher.clone();
        let read = self.0.read(move |reader| {
            let execution =
                reader.find_execution_by_uid(&project, id.task.execution, Payloads::Omit)?;
            let execution = execution.ok_or_else(|| not_found(id))?;
            let key = ExecutionKey::from(&execution);
            let found = find_action(reader, key, id)?.ok_or_else(|| not_found(id))?;
            let name = TaskNames::new(key).name(reader, id.task.number)?;
            let wire = task::wire_action(id, &name, &found, full);
            let wire = task::with_standing(wire, dispatcher.standing(id).as_ref(), full);
            answer::masked(wire, request.read_mask.as_ref())
        });
        Ok(v1::GetActionExecutionResponse {
            action_execution: Some(read.await?),
        })
    }

    async fn list_actions(
        &self,
        request: v1::ListActionExecutionsRequest,
    ) -> Result<v1::ListActionExecutionsResponse, Fault> {
        let project = field::project(&request.project)?;
        let paging = Paging::of(&request)?;
        let full = full_format(request.view, false, request.payload_format)?;
        let parent = request.parent;
        let dispatcher = self.0.dispatcher.clone();
        let read = self.0.read(move |reader| {
            let (execution, task) = find_parent(reader, &project, parent)?;
            let key = ExecutionKey::from(&execution);
            let payloads = lookup::payloads_of(full.is_some());
            let slice = reader.list_actions(key, task, &paging.page, payloads)?;
            let mut names = TaskNames::new(key);
            paging.fill(
                slice,
                |row| (row.task, row.record.number),
                |row| {
                    let name = names.name(reader, row.task)?;
                    let task = TaskId {
                        execution: key.uid,
                        number: row.task,
                    };
                    let id = ActionId {
                        task,
                        number: row.record.number,
                    };
                    let wire = task::wire_action(id, &name, &row.record, full);
                    let is_open =
                        row.record.runner == Runner::Worker && !row.record.state.is_final();
                    let standing = is_open.then(|| dispatcher.standing(id)).flatten();
                    Ok::<_, Fault>(task::with_standing(wire, standing.as_ref(), full))
                },
            )
        });
        let (action_executions, next_page_token) = read.await?;
        Ok(v1::ListActionExecutionsResponse {
            action_executions,
            next_page_token,
        })
    }

    /// Changes an action execution. The target is project and id.
    async fn change(
        &self,
        request: &impl ChangeRequest,
        (project, id): (&str, &str),
        change: ActionChange,
    ) -> Result<v1::ActionExecution, Fault> {
        let key = idempotency::key(request)?;
        let project = field::project(project)?;
        let id = field::action_id(id)?;
        let uid = id.task.execution;
        let find = move |reader: &mut Reader| {
            Ok(reader.find_execution_by_uid(&project, uid, Payloads::Omit)?)
        };
        self.0.read(find).await?.ok_or_else(|| not_found(id))?;
        let changed = self.0.driver.change_action(id, change, key).await;
        let (name, record) = changed.map_err(|error| about_action(error, id))?;
        Ok(task::wire_action(id, &name, &record, None))
    }
}

/// The end of an action that somebody outside reports.
fn ended(
    request: &impl ChangeRequest,
    sender: &Sender,
    outcome: Outcome,
) -> Result<ActionChange, Fault> {
    let caller = sender.silent(idempotency::key(request)?.as_ref());
    Ok(ActionChange::End { outcome, caller })
}

fn not_found(id: ActionId) -> Fault {
    Fault::ActionNotFound { id: id.to_string() }
}

/// Whatever is missing on the way to an action: to its caller the action is.
fn about_action(error: driver::Error, id: ActionId) -> Fault {
    use engine::Error as E;
    match error {
        driver::Error::ExecutionNotFound { .. }
        | driver::Error::Engine(E::TaskNotFound { .. } | E::ActionNotFound { .. }) => not_found(id),
        other => Fault::Driver(other),
    }
}

fn find_action(
    reader: &mut Reader,
    key: ExecutionKey,
    id: ActionId,
) -> Result<Option<ActionRecord>, Fault> {
    Ok(reader.find_action(key, id.task.number, id.number)?)
}

/// The execution whose actions are wanted, and its task if only that one's are.
fn find_parent(
    reader: &mut Reader,
    project: &str,
    parent: Option<Parent>,
) -> Result<(ExecutionRecord, Option<u32>), Fault> {
    match parent {
        Some(Parent::ExecutionId(id)) => {
            let id = field::name("execution_id", &id)?;
            Ok((lookup::find(reader, project, &id, Payloads::Omit)?, None))
        }
        Some(Parent::TaskExecutionId(id)) => {
            let id = field::task_id(&id)?;
            let not_found = || Fault::TaskNotFound { id: id.to_string() };
            let execution = reader.find_execution_by_uid(project, id.execution, Payloads::Omit)?;
            let execution = execution.ok_or_else(not_found)?;
            // Numbers are given out without holes, so a task exists up to their count.
            let exists = (1..=execution.progress.total).contains(&id.number);
            if !exists {
                return Err(not_found());
            }
            Ok((execution, Some(id.number)))
        }
        None => Err(Fault::field(
            "parent",
            "execution_id or task_execution_id is required",
        )),
    }
}

/// The arm of the payloads, if the view has any.
fn full_format(view: i32, default: bool, format: i32) -> Result<Option<PayloadFormat>, Fault> {
    let format = field::payload_format(format)?;
    Ok(field::full_view(view, default)?.then_some(format))
}
