//! What a batch operation is asked for: which executions, which verb, how fast.

use std::sync::Arc;

use engine::lifecycle::Operation;
use engine::{Caller, ExecutionRecord, ExecutionUid, Verb};
use proto::v1;
use proto::v1::batch_verb::Verb as Wanted;
use store::{ExecutionField, Filter, Page, Payloads, Reader};

use crate::api::caller::Sender;
use crate::api::context::Context;
use crate::api::convert::{field, order, payload};
use crate::api::fault::Fault;
use crate::api::filter;

/// Executions a second if the request does not say.
const RATE_DEFAULT: i32 = 50;

/// Most executions a second.
const RATE_MAX: i32 = 1000;

/// Most executions that may be named one by one.
const IDS_MAX: usize = 1000;

/// Most bytes of the rows that are read at a time.
const PAGE_BYTES_MAX: usize = 3 << 20;

/// A request, checked.
pub(super) struct Order {
    pub(super) project: Arc<str>,
    pub(super) verb: BatchVerb,
    pub(super) rate: i32,
    pub(super) caller: Caller,
    targets: Targets,
}

/// What is done to each execution.
pub(super) enum BatchVerb {
    /// A verb of the engine.
    Verb(Verb),
    /// It is deleted.
    Delete { force: bool },
}

impl BatchVerb {
    /// Its row in the table of what is allowed when.
    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Verb(verb) => verb.operation(),
            Self::Delete { force: true } => Operation::DeleteForced,
            Self::Delete { force: false } => Operation::Delete,
        }
    }
}

/// Which executions.
enum Targets {
    Ids(Vec<String>),
    /// Of those that were started before the operation, the ones that match when their turn comes:
    /// so nothing is copied, however many they are, and what has gone on meanwhile is left alone.
    Filter(Filter<ExecutionField>),
}

/// The next executions that an operation comes to.
pub(super) struct Portion {
    /// As they are, or the ids of those that are not there.
    pub(super) executions: Vec<Result<ExecutionRecord, String>>,
    /// Where the one after this begins.
    pub(super) position: String,
}

impl Order {
    /// Checks a request.
    pub(super) fn of(
        request: &v1::BatchUpdateExecutionsRequest,
        sender: &Sender,
        bytes_max: usize,
    ) -> Result<Self, Fault> {
        let rate = match request.rate {
            0 => RATE_DEFAULT,
            rate @ 1..=RATE_MAX => rate,
            _ => return Err(Fault::field("rate", "must be from 1 to 1000, or 0 for 50")),
        };
        let ids = &request.execution_ids;
        let targets = match (ids.is_empty(), request.filter.is_empty()) {
            (false, true) if ids.len() <= IDS_MAX => {
                for id in ids {
                    field::name("execution_ids", id)?;
                }
                Targets::Ids(ids.clone())
            }
            (false, true) => {
                let description = format!("has {} ids, {IDS_MAX} are allowed", ids.len());
                return Err(Fault::field("execution_ids", description));
            }
            (true, false) => Targets::Filter(filter::parse(&request.filter)?),
            (true, true) | (false, false) => {
                let description = "is required, or execution_ids; not both";
                return Err(Fault::field("filter", description));
            }
        };
        Ok(Self {
            project: field::project(&request.project)?,
            verb: verb(request, bytes_max)?,
            rate,
            caller: sender.caller(&request.reason, None)?,
            targets,
        })
    }

    /// How many executions it is about now.
    pub(super) async fn count(&self, context: &Context) -> Result<i64, Fault> {
        match &self.targets {
            Targets::Ids(ids) => Ok(i64::try_from(ids.len()).unwrap_or(i64::MAX)),
            Targets::Filter(filter) => {
                let (project, filter) = (self.project.clone(), filter.clone());
                let read = context
                    .read(move |reader| Ok(reader.count_executions(&project, &filter, None, 1)?));
                Ok(read.await?.total)
            }
        }
    }

    /// Some of the executions that it is about, by id.
    pub(super) async fn sample(&self, context: &Context, most: u32) -> Result<Vec<String>, Fault> {
        let portion = self.portion(context, "", None, most).await?;
        let ids = portion.executions.into_iter().map(|found| match found {
            Ok(record) => match record.execution_id {
                Some(id) => id.to_string(),
                None => record.uid.to_string(),
            },
            Err(missing) => missing,
        });
        Ok(ids.collect())
    }

    /// The position at which a portion of a filter has begun: what the verb does may take its
    /// executions out of the filter, so they are named. None where nothing can be lost.
    pub(super) fn begun(&self, position: &str, portion: &Portion) -> Option<String> {
        let is_begun = position.contains(BEGUN);
        if is_begun || portion.executions.is_empty() || matches!(self.targets, Targets::Ids(_)) {
            return None;
        }
        let found = portion.executions.iter().flatten();
        let uids: Vec<String> = found.map(|record| record.uid.to_string()).collect();
        Some(format!("{position}{BEGUN}{}", uids.join(",")))
    }

    /// The executions after a position, at most so many; of a filter those older than `before`.
    pub(super) async fn portion(
        &self,
        context: &Context,
        position: &str,
        before: Option<ExecutionUid>,
        most: u32,
    ) -> Result<Portion, Fault> {
        let project = self.project.clone();
        match &self.targets {
            Targets::Ids(ids) => {
                let begin: usize = position.parse().unwrap_or(0);
                let ids: Vec<String> = ids
                    .iter()
                    .skip(begin)
                    .take(most as usize)
                    .cloned()
                    .collect();
                let position = (begin + ids.len()).to_string();
                let read = context.read(move |reader| {
                    let found = ids.into_iter().map(|id| find(reader, &project, id));
                    found.collect::<Result<Vec<_>, Fault>>()
                });
                let executions = read.await?;
                Ok(Portion {
                    executions,
                    position,
                })
            }
            Targets::Filter(_) if position.contains(BEGUN) => {
                let (_, uids) = position.split_once(BEGUN).unwrap_or_default();
                let ids: Vec<String> = uids.split(',').map(str::to_owned).collect();
                let position = ids.last().cloned().unwrap_or_default();
                let read = context.read(move |reader| {
                    let found = ids.into_iter().map(|id| find(reader, &project, id));
                    found.collect::<Result<Vec<_>, Fault>>()
                });
                let executions = read.await?;
                Ok(Portion {
                    executions,
                    position,
                })
            }
            Targets::Filter(filter) => {
                let filter = filter.clone();
                let page = Page {
                    after: position.parse().ok().or(before),
                    limit: most,
                    max_bytes: PAGE_BYTES_MAX,
                };
                let read = context.read(move |reader| {
                    Ok(reader.list_executions(&project, &filter, &page, Payloads::Omit)?)
                });
                let rows = read.await?.rows;
                let last = rows.last().map(|record| record.uid.to_string());
                Ok(Portion {
                    position: last.unwrap_or_else(|| position.to_owned()),
                    executions: rows.into_iter().map(Ok).collect(),
                })
            }
        }
    }
}

/// Stands in a position before the executions of a portion that has begun.
const BEGUN: char = ' ';

fn find(
    reader: &mut Reader,
    project: &str,
    id: String,
) -> Result<Result<ExecutionRecord, String>, Fault> {
    let found = reader.find_execution(project, &id, Payloads::Omit)?;
    Ok(found.ok_or(id))
}

fn verb(request: &v1::BatchUpdateExecutionsRequest, bytes_max: usize) -> Result<BatchVerb, Fault> {
    let wanted = request.verb.as_ref().and_then(|verb| verb.verb.clone());
    let verb = match wanted.ok_or_else(|| Fault::field("verb", "is required"))? {
        Wanted::Pause(pause) => Verb::Pause {
            timeouts_run: pause.timeouts_run,
        },
        Wanted::Resume(resume) => Verb::Resume {
            env: payload::object("verb.resume.env", resume.env, bytes_max)?,
        },
        Wanted::Cancel(_) => order::cancel(&request.reason)?,
        Wanted::Terminate(_) => order::terminate(&request.reason)?,
        Wanted::Rerun(rerun) => Verb::Rerun {
            task: None,
            reset: rerun.reset,
            env: payload::object("verb.rerun.env", rerun.env, bytes_max)?,
            input: None,
        },
        Wanted::Rollback(_) => Verb::Rollback { to: None },
        Wanted::Delete(delete) => {
            let force = delete.force;
            return Ok(BatchVerb::Delete { force });
        }
    };
    Ok(BatchVerb::Verb(verb))
}
