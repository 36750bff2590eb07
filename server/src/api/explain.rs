//! `ExplainExecution`: why an execution is not finished, with the causes of its sub-workflows.
//!
//! The causes come from the execution itself, as it is after the last commit (`driver`); here they
//! are followed into sub-workflows, and told.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;

use engine::{Caller, CauseKind, ExecutionUid, HistoryEvent, HistoryKind, TaskId};
use proto::v1;
use store::{ExecutionKey, HistoryRange, Payloads};

use super::context::Context;
use super::convert::{cause, field, standing, state};
use super::fault::Fault;
use super::lookup;
use crate::driver::{self, Explained};

/// Levels of sub-workflows that are followed.
const DEPTH_DEFAULT: u32 = 5;
const DEPTH_MAX: u32 = 10;

/// Causes of one answer.
const CAUSES_DEFAULT: usize = 100;
const CAUSES_MAX: usize = 1000;

/// Explains an execution, or one of its tasks.
pub(super) async fn explain(
    context: &Context,
    request: v1::ExplainExecutionRequest,
) -> Result<v1::ExplainExecutionResponse, Fault> {
    let project = field::project(&request.project)?;
    let depth = bounded("max_depth", request.max_depth, DEPTH_DEFAULT)?.min(DEPTH_MAX);
    let causes_default = u32::try_from(CAUSES_DEFAULT).expect("the default is small");
    let most = bounded("max_causes", request.max_causes, causes_default)?;
    let most = usize::try_from(most).unwrap_or(CAUSES_MAX).min(CAUSES_MAX);
    let task = match &*request.task_execution_id {
        "" => None,
        id => Some(field::task_id(id)?),
    };
    let id = match task {
        Some(task) if request.execution_id.is_empty() => task.execution.to_string().into(),
        _ => field::name("execution_id", &request.execution_id)?,
    };
    let read = context.read(move |reader| lookup::find(reader, &project, &id, Payloads::Omit));
    let record = read.await?;
    if let Some(task) = task {
        let key = ExecutionKey::from(&record);
        let read = context.read(move |reader| Ok(reader.find_task(key, task.number)?));
        if task.execution != record.uid || read.await?.is_none() {
            return Err(Fault::TaskNotFound {
                id: request.task_execution_id,
            });
        }
    }
    let mut teller = Teller {
        context,
        room: most,
        truncated: false,
    };
    let number = task.map(|task: TaskId| task.number);
    let (explained, causes) = teller.tell(record.uid, number, depth).await?;
    Ok(v1::ExplainExecutionResponse {
        uid: record.uid.to_string(),
        state: state::execution(explained.state).into(),
        state_info: field::optional(explained.state_info.as_ref()),
        causes,
        truncated: teller.truncated,
    })
}

/// Whether an event says that an execution was paused, or that somebody asked for it.
fn is_of_pause(event: &HistoryEvent) -> bool {
    match &event.kind {
        HistoryKind::ExecutionStateChanged { to, .. } => *to == engine::ExecutionState::Paused,
        HistoryKind::VerbApplied { verb, .. } => **verb == *"pause",
        _ => false,
    }
}

/// A number of at least 0 of which 0 means the default.
pub(super) fn bounded(field: &'static str, number: i32, default: u32) -> Result<u32, Fault> {
    match u32::try_from(number) {
        Ok(0) => Ok(default),
        Ok(number) => Ok(number),
        Err(_) => Err(Fault::field(field, "must not be negative")),
    }
}

/// Collects the causes of one answer.
struct Teller<'a> {
    context: &'a Context,
    /// Causes that may still be told.
    room: usize,
    truncated: bool,
}

/// What is told of one execution.
type Told = Result<(Explained, Vec<v1::Cause>), Fault>;

impl Teller<'_> {
    /// Tells the causes of an execution, with those of its children down to a depth.
    fn tell(
        &mut self,
        uid: ExecutionUid,
        task: Option<u32>,
        depth: u32,
    ) -> Pin<Box<dyn Future<Output = Told> + Send + '_>> {
        Box::pin(async move {
            // One more than there is room for says whether some are left out.
            let mut explained = self
                .context
                .driver
                .explain(uid, task, self.room + 1)
                .await?;
            if explained.causes.len() > self.room {
                self.truncated = true;
                explained.causes.truncate(self.room);
            }
            self.room -= explained.causes.len();
            let mut causes = Vec::with_capacity(explained.causes.len());
            for (found, task_name) in &explained.causes {
                let told = match &found.kind {
                    CauseKind::Paused => {
                        let pause = self.pause(explained.key).await?;
                        cause::paused(found, pause, explained.state_info.as_ref())
                    }
                    CauseKind::Child { child, .. } => {
                        let inside = self.child(*child, depth).await?;
                        cause::child(uid, found, task_name.as_ref(), inside)
                    }
                    _ => {
                        let wire = cause::wire(uid, found, task_name.as_ref());
                        let action = standing::of_worker(uid, found);
                        let dispatcher = &self.context.dispatcher;
                        let known = match action {
                            Some(id) => dispatcher.standings(&[id]).await.pop().flatten(),
                            None => None,
                        };
                        standing::with_standing(wire, known)
                    }
                };
                causes.push(told);
            }
            Ok((explained, causes))
        })
    }

    /// What a child waits for. Nothing if it is too deep, or gone.
    async fn child(
        &mut self,
        child: ExecutionUid,
        depth: u32,
    ) -> Result<Option<(engine::ExecutionState, Vec<v1::Cause>)>, Fault> {
        if depth <= 1 || self.room == 0 {
            self.truncated = true;
            return Ok(None);
        }
        match self.tell(child, None, depth - 1).await {
            Ok((explained, causes)) => Ok(Some((explained.state, causes))),
            Err(Fault::Driver(driver::Error::ExecutionNotFound { .. })) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The event that paused an execution, and the verb that did it.
    async fn pause(&self, key: ExecutionKey) -> Result<Option<cause::Pause>, Fault> {
        let range = HistoryRange {
            after: 0,
            before: None,
            descending: true,
            limit: 2,
            max_bytes: usize::MAX,
        };
        let read = self.context.read(move |reader| {
            let left = Cell::new(range.limit);
            let is_wanted = |event: &HistoryEvent| {
                // Whatever comes after these ends the search: nobody asks whether there are more.
                left.get() == 0
                    || is_of_pause(event) && {
                        left.set(left.get() - 1);
                        true
                    }
            };
            Ok(reader.search_history(key, &range, &is_wanted)?)
        });
        let mut events = read.await?.slice.rows.into_iter();
        let Some(changed) = events.next() else {
            return Ok(None);
        };
        // The verb is the event right before the change that it made.
        let verb = events
            .next()
            .filter(|verb| verb.sequence + 1 == changed.sequence);
        let by = verb.and_then(|verb| match verb.kind {
            HistoryKind::VerbApplied {
                reason, request_id, ..
            } => Some(Caller {
                principal: verb.principal,
                reason,
                request_id,
                identity: verb.identity,
            }),
            _ => None,
        });
        Ok(Some(cause::Pause {
            since_us: changed.time_us,
            by,
        }))
    }
}
