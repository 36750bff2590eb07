//! `ListHistoryEvents`: a range of the history of an execution, of some types or of a task, either
//! way round.
//!
//! It reads by ranges of sequence numbers. A page of wanted events looks through a bounded number
//! of commits; then it is short, and its token goes on where it has stopped.

use engine::{HistoryEvent, HistoryKind};
use proto::v1;
use store::{ExecutionKey, HistoryRange, Payloads, Reader, Slice};

use super::context::Context;
use super::convert::field;
use super::events::Narrator;
use super::fault::Fault;
use super::lookup;
use super::page::Paging;

/// Lists events.
pub(super) async fn list(
    context: &Context,
    request: v1::ListHistoryEventsRequest,
) -> Result<v1::ListHistoryEventsResponse, Fault> {
    let project = field::project(&request.project)?;
    let id = field::name("execution_id", &request.execution_id)?;
    let paging = Paging::of(&request)?;
    let format = field::payload_format(request.payload_format)?;
    let range = range(&request, &paging)?;
    let wanted = Wanted::of(&request)?;
    let payloads = request.include_payloads.then_some(format);
    let read = context.read(move |reader| {
        let record = lookup::find(reader, &project, &id, Payloads::Omit)?;
        let key = ExecutionKey::from(&record);
        let task = wanted.task_of(reader, key, &request.task_execution_id)?;
        let mut narrator = Narrator::new(key, record.project, payloads);
        if wanted.kinds.is_empty() && task.is_none() {
            let slice = reader.list_history(key, &range)?;
            let sequence = |event: &HistoryEvent| event.sequence;
            return paging.fill(slice, sequence, |event| narrator.tell(reader, &event));
        }
        let found = reader.search_history(key, &range, &|event| wanted.has(event, task))?;
        let rows = Slice {
            more: false,
            ..found.slice
        };
        let sequence = |event: &HistoryEvent| event.sequence;
        let (events, token) = paging.fill(rows, sequence, |event| narrator.tell(reader, &event))?;
        let next = found.reached.filter(|_| found.slice.more);
        Ok(match next {
            Some(reached) if token.is_empty() => (events, paging.token(&reached)),
            _ => (events, token),
        })
    });
    let (events, next_page_token) = read.await?;
    Ok(v1::ListHistoryEventsResponse {
        events,
        next_page_token,
    })
}

/// Which events of the range are wanted.
struct Wanted {
    /// Words of their types; empty = all.
    kinds: Vec<&'static str>,
    task: Option<engine::TaskId>,
}

/// The words of types of events.
pub(super) fn event_types(names: &[String]) -> Result<Vec<&'static str>, Fault> {
    let known = |(place, name): (usize, &String)| {
        let word = HistoryKind::WORDS.iter().find(|word| *word == name);
        word.copied().ok_or_else(|| {
            let all = HistoryKind::WORDS.join(", ");
            Fault::field(
                format!("event_types[{place}]"),
                format!("must be one of {all}"),
            )
        })
    };
    names.iter().enumerate().map(known).collect()
}

impl Wanted {
    fn of(request: &v1::ListHistoryEventsRequest) -> Result<Self, Fault> {
        let task = match &*request.task_execution_id {
            "" => None,
            id => Some(field::task_id(id)?),
        };
        Ok(Self {
            kinds: event_types(&request.event_types)?,
            task,
        })
    }

    /// The number of the task, which must be of the execution.
    fn task_of(
        &self,
        reader: &mut Reader,
        key: ExecutionKey,
        id: &str,
    ) -> Result<Option<u32>, Fault> {
        let Some(task) = self.task else {
            return Ok(None);
        };
        if task.execution != key.uid || reader.find_task(key, task.number)?.is_none() {
            return Err(Fault::TaskNotFound { id: id.to_owned() });
        }
        Ok(Some(task.number))
    }

    fn has(&self, event: &HistoryEvent, task: Option<u32>) -> bool {
        (task.is_none() || event.task == task)
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind.word()))
    }
}

/// The events of a page: on from the last one of the page before, in either direction.
fn range(
    request: &v1::ListHistoryEventsRequest,
    paging: &Paging<i64>,
) -> Result<HistoryRange, Fault> {
    let (after, before) = (request.after_sequence, request.before_sequence);
    for (name, value) in [("after_sequence", after), ("before_sequence", before)] {
        if value < 0 {
            return Err(Fault::field(name, "must not be negative"));
        }
    }
    let before = (before > 0).then_some(before);
    let page = &paging.page;
    let (after, before) = if request.descending {
        (after, page.after.or(before))
    } else {
        (page.after.unwrap_or(after).max(after), before)
    };
    Ok(HistoryRange {
        after,
        before,
        descending: request.descending,
        limit: page.limit,
        max_bytes: page.max_bytes,
    })
}
