//! `RunAction`: an execution with one task, started, and waited for as `WaitExecution` does.

use std::time::Duration;

use engine::{ActionId, Caller, ExecutionRecord, ExecutionUid, TaskId};
use proto::v1::{self, PayloadFormat};
use store::{ExecutionKey, Payloads, Reader};

use super::caller::Sender;
use super::context::Context;
use super::convert::{field, order, task};
use super::fault::Fault;
use super::{idempotency, lookup, wait};
use crate::config::Retention;
use crate::driver::DeleteOrder;

/// Numbers of the only task of such an execution.
const TASK: u32 = 1;

/// Runs an action.
pub(super) async fn run(
    context: &Context,
    request: v1::RunActionRequest,
    sender: &Sender,
) -> Result<v1::RunActionResponse, Fault> {
    let key = idempotency::key(&request)?;
    let format = field::payload_format(request.payload_format)?;
    let wanted = field::duration("wait_timeout", request.wait_timeout)?;
    let wanted = wanted.unwrap_or(wait::WAIT_MAX);
    let (is_kept, is_trial) = (request.save.unwrap_or(true), request.validate_only);
    let limits = &context.limits;
    let timeout = limits.single_action_timeout.0;
    let order = order::run_action(
        request,
        sender.silent(key.as_ref()),
        limits.payload_bytes_max,
        timeout,
    )?;
    let project = order.project.clone();
    let started = context.driver.start_execution(order, key).await?;
    let uid = started.execution.uid;
    if is_trial {
        return Ok(v1::RunActionResponse {
            execution: Some(context.basic(&started.execution)),
            ..v1::RunActionResponse::default()
        });
    }
    let answer = Answer {
        started: started.started,
        format,
    };
    let response = answer
        .wait(context, &project, &started.execution, wanted)
        .await?;
    if response.finished && !is_kept {
        let caller = Caller {
            reason: Some("not to be kept".into()),
            ..sender.silent(None)
        };
        let order = DeleteOrder {
            uid,
            force: false,
            caller,
        };
        context.driver.delete(order, None).await?;
    }
    Ok(response)
}

/// What the answer needs beside the execution.
struct Answer {
    started: bool,
    format: PayloadFormat,
}

impl Answer {
    async fn wait(
        self,
        context: &Context,
        project: &str,
        execution: &ExecutionRecord,
        wanted: Duration,
    ) -> Result<v1::RunActionResponse, Fault> {
        let key = ExecutionKey::from(execution);
        wait::until_finished(context, key, wanted).await?;
        let (project, uid) = (project.to_owned(), execution.uid);
        let kept = context.retention.clone();
        context
            .read(move |reader| self.read(reader, &kept, &project, uid))
            .await
    }

    fn read(
        &self,
        reader: &mut Reader,
        retention: &Retention,
        project: &str,
        uid: ExecutionUid,
    ) -> Result<v1::RunActionResponse, Fault> {
        let found = reader.find_execution_by_uid(project, uid, Payloads::Omit)?;
        let record = found.ok_or_else(|| Fault::execution_not_found(&uid.to_string()))?;
        let found = reader.find_task(ExecutionKey::from(&record), TASK)?;
        // An attempt of the only task; an execution that was given the same id may be a workflow's.
        let action = found.and_then(|task| {
            let last = task.actions.last().cloned()?;
            let id = ActionId {
                task: TaskId {
                    execution: uid,
                    number: TASK,
                },
                number: last.number,
            };
            Some((id, task.name, last))
        });
        let action_execution = action
            .map(|(id, name, record)| task::wire_action(id, &name, &record, Some(self.format)));
        Ok(v1::RunActionResponse {
            action_execution,
            finished: record.state.is_final(),
            execution: Some(lookup::wire_execution(reader, retention, &record, None)?),
            started: self.started,
        })
    }
}
