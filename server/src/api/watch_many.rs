//! `WatchExecutions`: what all executions of a project that match are, or what happens to them, as
//! a stream.
//!
//! A watcher is a cursor over what commits have changed: it reads on when something was committed,
//! looks at the executions as they are then, and holds no more than a few messages, however slow
//! its client is. So states in between are coalesced, events never are, and the engine never waits
//! for a watcher.

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use proto::v1::watch_executions_response::Message;
use proto::v1::{self, WatchEndReason, WatchExecutionsMode, WatchExecutionsStart};
use store::DeletedRow;
use tokio::sync::watch::Receiver;
use tokio::time::sleep;

use self::cursor::{Cursor, Purpose, Spans};
use self::step::{Asked, Mode, Step};
use super::context::Context;
use super::convert::field;
use super::fault::Fault;
use super::filter;
use super::history;
use super::outlet::{self, EndPlace, Ending, Outlet, OutletStream};

mod cursor;
mod step;

/// The stream of one watch of many.
pub(super) type WatchManyStream = OutletStream<v1::WatchExecutionsResponse>;

/// Most bytes of a message, unless a single execution or event has more.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// How long changes gather before they are read: what changes fast is sent once.
const LINGER: Duration = Duration::from_millis(20);

/// What a request asks for.
struct Wish {
    asked: Asked,
    purpose: Purpose,
    token: Option<Cursor>,
    start_at: WatchExecutionsStart,
    heartbeat: Duration,
}

impl Wish {
    fn of(request: &v1::WatchExecutionsRequest) -> Result<Self, Fault> {
        let project = field::project(&request.project)?;
        let purpose = Purpose::of(&project, &request.filter);
        let token = match &*request.resume_token {
            "" => None,
            token => Some(purpose.cursor(token)?),
        };
        Ok(Self {
            asked: Asked {
                project,
                filter: Arc::new(filter::parse(&request.filter)?),
                mode: mode_of(request)?,
            },
            purpose,
            token,
            start_at: field::known("start_at", request.start_at)?,
            heartbeat: outlet::heartbeat(request.heartbeat_interval)?,
        })
    }

    /// Where the stream starts, if these commits are kept.
    fn cursor(&self, spans: &Spans) -> Result<Cursor, Fault> {
        let Some(token) = &self.token else {
            let from_retained = self.start_at == WatchExecutionsStart::Retained;
            return Ok(cursor::begin(spans, from_retained));
        };
        cursor::check(token, spans)?;
        Ok(token.clone())
    }
}

fn mode_of(request: &v1::WatchExecutionsRequest) -> Result<Mode, Fault> {
    let kinds = history::event_types(&request.event_types)?;
    let format = field::payload_format(request.payload_format)?;
    match field::known("mode", request.mode)? {
        WatchExecutionsMode::Unspecified | WatchExecutionsMode::States => {
            let only = |name: &str| Fault::field(name, "needs the mode EVENTS");
            if !kinds.is_empty() {
                return Err(only("event_types"));
            }
            if request.include_payloads {
                return Err(only("include_payloads"));
            }
            Ok(Mode::States)
        }
        WatchExecutionsMode::Events => Ok(Mode::Events {
            kinds: kinds.into(),
            payloads: request.include_payloads.then_some(format),
        }),
    }
}

/// Opens a watch.
pub(super) async fn watch(
    context: &Context,
    request: v1::WatchExecutionsRequest,
) -> Result<WatchManyStream, Fault> {
    let wish = Wish::of(&request)?;
    let commits = context.driver.commits();
    let spans = context.read(|reader| Ok(reader.spans_of_changes()?));
    let cursor = wish.cursor(&spans.await?)?;
    let (outlet, end_place, stream) = Outlet::open(context, wish.heartbeat);
    let watcher = Watcher {
        context: context.clone(),
        wish,
        cursor,
        commits,
        outlet,
    };
    context.streams.spawn(watcher.run(end_place));
    Ok(stream)
}

/// One open watch.
struct Watcher {
    context: Context,
    wish: Wish,
    cursor: Cursor,
    /// That something was committed.
    commits: Receiver<u64>,
    outlet: Outlet<v1::WatchExecutionsResponse>,
}

impl Watcher {
    async fn run(mut self, end_place: EndPlace<v1::WatchExecutionsResponse>) {
        let ending = match self.follow().await {
            Ending::Said(reason) => Ok(message(Message::End(v1::WatchExecutionsEnd {
                reason: reason.into(),
                resume_token: self.token(),
                retry_delay: outlet::retry_delay(reason),
            }))),
            Ending::Unheard => return,
            Ending::Failed(fault) => Err(fault.into()),
        };
        end_place.send(ending);
    }

    /// Resumes after all that was sent.
    fn token(&self) -> String {
        self.wish.purpose.token(&self.cursor)
    }

    async fn follow(&mut self) -> Ending {
        // The client learns at once where it stands, also if nothing changes for long.
        if let Err(ending) = self.heartbeat().await {
            return ending;
        }
        loop {
            if let Err(ending) = self.catch_up().await {
                return ending;
            }
            if let Err(ending) = self.idle().await {
                return ending;
            }
        }
    }

    /// Sends what commits after the cursor have changed.
    async fn catch_up(&mut self) -> Result<(), Ending> {
        loop {
            self.commits.borrow_and_update();
            let (asked, cursor) = (self.wish.asked.clone(), self.cursor.clone());
            let read = self
                .context
                .read(move |reader| step::next(reader, &asked, &cursor));
            let step = read.await?;
            let reached = step.cursor.clone();
            for changes in self.divided(step) {
                self.outlet.send(message(Message::Changes(changes))).await?;
            }
            let is_at_end = self.cursor == reached;
            self.cursor = reached;
            if is_at_end {
                return Ok(());
            }
            if self.outlet.is_old() {
                return Err(Ending::Said(WatchEndReason::MaxAge));
            }
        }
    }

    /// What was read as messages of a bounded size. Only the last one moves the client on: whoever
    /// is cut in between sees some again.
    fn divided(&self, step: Step) -> Vec<v1::ExecutionChanges> {
        let mut messages = Messages::default();
        for told in step.changed {
            let execution = self.context.basic(&told.record);
            match told.events {
                None => messages.add_state(execution),
                Some(events) => messages.add_events(&execution, told.earliest, events),
            }
        }
        messages.add_deleted(&step.deleted);
        let purpose = self.wish.purpose;
        messages.with_tokens(&self.token(), purpose.token(&step.cursor))
    }

    /// Waits for a commit, with heartbeats.
    async fn idle(&mut self) -> Result<(), Ending> {
        loop {
            let commits = &mut self.commits;
            // The sender lives as long as the driver does, which this watcher holds.
            let news = async { commits.changed().await.is_ok() };
            match self.outlet.wait(news).await? {
                Some(_) => break,
                None => self.heartbeat().await?,
            }
        }
        self.outlet.wait(sleep(LINGER)).await?;
        Ok(())
    }

    async fn heartbeat(&mut self) -> Result<(), Ending> {
        let resume_token = self.token();
        let heartbeat = v1::WatchExecutionsHeartbeat { resume_token };
        self.outlet
            .send(message(Message::Heartbeat(heartbeat)))
            .await
    }
}

/// Messages that are filled one after the other.
#[derive(Default)]
struct Messages {
    full: Vec<v1::ExecutionChanges>,
    present: v1::ExecutionChanges,
    bytes: usize,
}

impl Messages {
    /// Begins another message if the present one has no room for so many bytes more.
    fn make_room(&mut self, bytes: usize) {
        if self.bytes > 0 && self.bytes + bytes > MESSAGE_BYTES_MAX {
            self.full.push(std::mem::take(&mut self.present));
            self.bytes = 0;
        }
    }

    fn add_state(&mut self, execution: v1::Execution) {
        let bytes = execution.encoded_len();
        self.make_room(bytes);
        self.bytes += bytes;
        self.present.executions.push(execution);
    }

    /// Adds the events of an execution, which is named again in each message that has some.
    fn add_events(
        &mut self,
        execution: &v1::Execution,
        earliest: Option<i64>,
        events: Vec<v1::HistoryEvent>,
    ) {
        let begun = || v1::ExecutionEvents {
            execution: Some(execution.clone()),
            events: Vec::new(),
            earliest_sequence: earliest.unwrap_or_default(),
        };
        let head = execution.encoded_len();
        let mut part = begun();
        self.make_room(head + events.first().map_or(0, v1::HistoryEvent::encoded_len));
        self.bytes += head;
        for event in events {
            let bytes = event.encoded_len();
            if self.bytes + bytes > MESSAGE_BYTES_MAX && !part.events.is_empty() {
                let full = std::mem::replace(&mut part, begun());
                self.present.events.push(full);
                self.make_room(MESSAGE_BYTES_MAX);
                self.bytes += head;
            }
            self.bytes += bytes;
            part.events.push(event);
        }
        self.present.events.push(part);
    }

    fn add_deleted(&mut self, rows: &[DeletedRow]) {
        self.present.deleted.extend(rows.iter().map(deleted));
    }

    /// All messages: the last one moves the client on to `after`.
    fn with_tokens(mut self, before: &str, after: String) -> Vec<v1::ExecutionChanges> {
        if self.present != v1::ExecutionChanges::default() {
            self.full.push(self.present);
        }
        for message in &mut self.full {
            before.clone_into(&mut message.resume_token);
        }
        if let Some(last) = self.full.last_mut() {
            last.resume_token = after;
        }
        self.full
    }
}

fn deleted(row: &DeletedRow) -> v1::DeletedExecution {
    let caller = &row.caller;
    v1::DeletedExecution {
        execution_id: row.execution_id.to_string(),
        uid: row.uid.to_string(),
        reason: field::optional(caller.reason.as_ref()),
        principal: field::optional(caller.principal.as_ref()),
        request_id: field::optional(caller.request_id.as_ref()),
        identity: field::optional(caller.identity.as_ref()),
    }
}

fn message(message: Message) -> v1::WatchExecutionsResponse {
    v1::WatchExecutionsResponse {
        message: Some(message),
    }
}

#[cfg(test)]
mod tests;
