//! `WatchExecutions`: the changes of all executions of a project that match, as a stream.
//!
//! A watcher is a cursor over what commits have changed: it reads on when something was committed,
//! looks at the executions as they are then, and holds no more than a few messages, however slow
//! its client is. So changes in between are coalesced, and the engine never waits for a watcher.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use engine::{ExecutionRecord, ExecutionUid};
use prost::Message as _;
use proto::v1::watch_executions_response::Message;
use proto::v1::{self, WatchEndReason, WatchExecutionsStart};
use sha2::{Digest, Sha256};
use store::{DeletedRow, ExecutionField, Filter, Reader};
use tokio::sync::watch::Receiver;
use tokio::time::sleep;

use super::context::Context;
use super::convert::definition::hex;
use super::convert::field;
use super::fault::Fault;
use super::filter;
use super::outlet::{self, EndPlace, Ending, Outlet, OutletStream};
use super::page::unhex;

/// The stream of one watch of many.
pub(super) type WatchManyStream = OutletStream<v1::WatchExecutionsResponse>;

/// Commits that are read at once, and executions of them that are looked at.
const COMMITS_AT_ONCE: u32 = 256;
const EXECUTIONS_AT_ONCE: usize = 500;

/// Most bytes of a message, unless a single execution has more.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// How long changes gather before they are read: what changes fast is sent once.
const LINGER: Duration = Duration::from_millis(20);

/// Form of the tokens; another form gets another number.
const VERSION: u8 = 1;

/// What a request asks for.
struct Wish {
    project: Arc<str>,
    filter: Arc<Filter<ExecutionField>>,
    /// Hash of project and filter: a token is good for the same ones only.
    hash: [u8; 8],
    token: Option<i64>,
    start_at: WatchExecutionsStart,
    heartbeat: Duration,
}

impl Wish {
    fn of(request: &v1::WatchExecutionsRequest) -> Result<Self, Fault> {
        let project = field::project(&request.project)?;
        let digest = Sha256::new()
            .chain_update(project.as_bytes())
            .chain_update([0])
            .chain_update(request.filter.as_bytes())
            .finalize();
        let hash = std::array::from_fn(|place| digest[place]);
        let token = match &*request.resume_token {
            "" => None,
            token => Some(position(token, hash)?),
        };
        Ok(Self {
            project,
            filter: Arc::new(filter::parse(&request.filter)?),
            hash,
            token,
            start_at: field::known("start_at", request.start_at)?,
            heartbeat: outlet::heartbeat(request.heartbeat_interval)?,
        })
    }

    /// Where the stream starts, if these commits are kept.
    fn cursor(&self, span: Option<(i64, i64)>) -> Result<i64, Fault> {
        let (first, last) = span.unwrap_or((1, 0));
        match (self.token, self.start_at) {
            (Some(token), _) if token > last => {
                let description = "is of another server: nothing was changed there yet";
                Err(Fault::field("resume_token", description))
            }
            (Some(token), _) if token < first - 1 => Err(Fault::HistoryTrimmed),
            (Some(token), _) => Ok(token),
            (None, WatchExecutionsStart::Retained) => Ok(first - 1),
            (None, WatchExecutionsStart::Unspecified | WatchExecutionsStart::Now) => Ok(last),
        }
    }

    fn token_of(&self, position: i64) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.hash);
        bytes.extend(position.to_be_bytes());
        hex(&bytes)
    }
}

/// The position in a token.
fn position(token: &str, hash: [u8; 8]) -> Result<i64, Fault> {
    let malformed = || Fault::field("resume_token", "is malformed");
    let bytes = unhex(token).ok_or_else(malformed)?;
    let (version, rest) = bytes.split_first().ok_or_else(malformed)?;
    let (of, position) = rest.split_at_checked(8).ok_or_else(malformed)?;
    let position = position.try_into().map_err(|_| malformed())?;
    if *version != VERSION {
        return Err(malformed());
    }
    if of != hash {
        let description = "belongs to a watch of another project or filter";
        return Err(Fault::field("resume_token", description));
    }
    Ok(i64::from_be_bytes(position))
}

/// Opens a watch.
pub(super) async fn watch(
    context: &Context,
    request: v1::WatchExecutionsRequest,
) -> Result<WatchManyStream, Fault> {
    let wish = Wish::of(&request)?;
    let commits = context.driver.commits();
    let span = context.read(|reader| Ok(reader.span_of_changes()?)).await?;
    let cursor = wish.cursor(span)?;
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
    /// Position of the last commit that was looked at.
    cursor: i64,
    /// Position of the last commit.
    commits: Receiver<i64>,
    outlet: Outlet<v1::WatchExecutionsResponse>,
}

impl Watcher {
    async fn run(mut self, end_place: EndPlace<v1::WatchExecutionsResponse>) {
        let ending = match self.follow().await {
            Ending::Said(reason) => Ok(message(Message::End(v1::WatchExecutionsEnd {
                reason: reason.into(),
                resume_token: self.wish.token_of(self.cursor),
                retry_delay: outlet::retry_delay(reason),
            }))),
            Ending::Unheard => return,
            Ending::Failed(fault) => Err(fault.into()),
        };
        end_place.send(ending);
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
            let (project, filter) = (self.wish.project.clone(), self.wish.filter.clone());
            let cursor = self.cursor;
            let read = self
                .context
                .read(move |reader| next(reader, &project, &filter, cursor));
            let step = read.await?;
            let messages = self.divided(&step);
            for changes in messages {
                self.outlet.send(message(Message::Changes(changes))).await?;
            }
            self.cursor = step.position;
            if step.position == cursor {
                return Ok(());
            }
            if self.outlet.is_old() {
                return Err(Ending::Said(WatchEndReason::MaxAge));
            }
        }
    }

    /// What was read as messages of a bounded size. Only the last one moves the client on: whoever
    /// is cut in between sees some again.
    fn divided(&self, step: &Step) -> Vec<v1::ExecutionChanges> {
        let mut messages = Vec::new();
        let mut present = v1::ExecutionChanges {
            resume_token: self.wish.token_of(self.cursor),
            ..v1::ExecutionChanges::default()
        };
        let mut bytes = 0;
        for record in &step.changed {
            let wire = self.context.basic(record);
            bytes += wire.encoded_len();
            if bytes > MESSAGE_BYTES_MAX && !present.executions.is_empty() {
                let token = present.resume_token.clone();
                messages.push(std::mem::take(&mut present));
                present.resume_token = token;
                bytes = wire.encoded_len();
            }
            present.executions.push(wire);
        }
        present.deleted.extend(step.deleted.iter().map(deleted));
        if !present.executions.is_empty() || !present.deleted.is_empty() {
            present.resume_token = self.wish.token_of(step.position);
            messages.push(present);
        }
        messages
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
        let resume_token = self.wish.token_of(self.cursor);
        let heartbeat = v1::WatchExecutionsHeartbeat { resume_token };
        self.outlet
            .send(message(Message::Heartbeat(heartbeat)))
            .await
    }
}

/// What was read in one look at the store.
struct Step {
    /// Position of the last commit that was looked at.
    position: i64,
    /// Those that have changed and match, in the order of their last changes.
    changed: Vec<ExecutionRecord>,
    /// Those of the project that were deleted.
    deleted: Vec<DeletedRow>,
}

/// Reads on from the cursor.
fn next(
    reader: &mut Reader,
    project: &str,
    filter: &Filter<ExecutionField>,
    cursor: i64,
) -> Result<Step, Fault> {
    let mut step = Step {
        position: cursor,
        changed: Vec::new(),
        deleted: Vec::new(),
    };
    // When each was changed last.
    let mut changed: HashMap<ExecutionUid, i64> = HashMap::new();
    for row in reader.list_changes(cursor, COMMITS_AT_ONCE)? {
        if step.position > cursor && changed.len() + row.changed.len() > EXECUTIONS_AT_ONCE {
            break;
        }
        step.position = row.position;
        changed.extend(row.changed.into_iter().map(|uid| (uid, row.position)));
        let own = row.deleted.into_iter();
        step.deleted
            .extend(own.filter(|row| *row.project == *project));
    }
    let order: BTreeSet<(i64, ExecutionUid)> =
        changed.into_iter().map(|(uid, at)| (at, uid)).collect();
    let uids: Vec<ExecutionUid> = order.into_iter().map(|(_, uid)| uid).collect();
    for some in uids.chunks(EXECUTIONS_AT_ONCE) {
        let found = reader.match_executions(project, filter, some)?;
        let mut found: HashMap<ExecutionUid, ExecutionRecord> = found
            .into_iter()
            .map(|record| (record.uid, record))
            .collect();
        let ordered = some.iter().filter_map(|uid| found.remove(uid));
        step.changed.extend(ordered);
    }
    Ok(step)
}

fn deleted(row: &DeletedRow) -> v1::DeletedExecution {
    let caller = &row.caller;
    v1::DeletedExecution {
        execution_id: row.execution_id.to_string(),
        uid: row.uid.to_string(),
        reason: field::optional(caller.reason.as_ref()),
        principal: field::optional(caller.principal.as_ref()),
        request_id: field::optional(caller.request_id.as_ref()),
    }
}

fn message(message: Message) -> v1::WatchExecutionsResponse {
    v1::WatchExecutionsResponse {
        message: Some(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(filter: &str, token: &str, start: WatchExecutionsStart) -> Result<Wish, Fault> {
        Wish::of(&v1::WatchExecutionsRequest {
            filter: filter.into(),
            resume_token: token.into(),
            start_at: start.into(),
            ..Default::default()
        })
    }

    #[test]
    fn a_watch_starts_where_it_is_asked_to() {
        use WatchExecutionsStart::{Now, Retained, Unspecified};
        let token = |position| wish("", "", Now).unwrap().token_of(position);
        let (none, kept) = (None, Some((5, 9)));
        for (given, start, span, expected) in [
            ("", Unspecified, none, Ok(0)),
            ("", Retained, none, Ok(0)),
            ("", Unspecified, kept, Ok(9)),
            ("", Now, kept, Ok(9)),
            ("", Retained, kept, Ok(4)),
            (&*token(7), Retained, kept, Ok(7)),
            (&*token(4), Now, kept, Ok(4)),
            (&*token(3), Now, kept, Err("HistoryTrimmed")),
            (&*token(10), Now, kept, Err("InvalidField")),
        ] {
            let found = wish("", given, start).unwrap().cursor(span);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(fault), Err(kind)) => assert!(format!("{fault:?}").starts_with(kind)),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn tokens_are_good_for_their_watch_only() {
        let now = WatchExecutionsStart::Now;
        let token = wish("state = ERROR", "", now).unwrap().token_of(7);
        assert_eq!(wish("state = ERROR", &token, now).unwrap().token, Some(7));
        for (filter, token) in [
            ("", &*token),
            ("state = ERROR", "zz"),
            ("state = ERROR", "00"),
            ("state = ERROR", &token[..20]),
        ] {
            let fault = wish(filter, token, now).map(drop).unwrap_err();
            assert!(fault.to_string().starts_with("resume_token"), "{fault}");
        }
    }
}
