//! `WatchExecutions`: the changes of all executions of a project that match, as a stream.
//!
//! A watcher is a cursor over what commits have changed: it reads on when something was committed,
//! looks at the executions as they are then, and holds no more than a few messages, however slow
//! its client is. So changes in between are coalesced, and the engine never waits for a watcher.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
const VERSION: u8 = 2;

/// How far a watch is: of each log of commits, the position of the last one that was looked at.
/// Servers that share a database write a log each; one that is not named is still to be begun.
type Cursor = BTreeMap<i16, i64>;

/// What a request asks for.
struct Wish {
    project: Arc<str>,
    filter: Arc<Filter<ExecutionField>>,
    /// Hash of project and filter: a token is good for the same ones only.
    hash: [u8; 8],
    token: Option<Cursor>,
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
            token => Some(read_token(token, hash)?),
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
    fn cursor(&self, spans: &BTreeMap<i16, (i64, i64)>) -> Result<Cursor, Fault> {
        let Some(token) = &self.token else {
            let is_retained = self.start_at == WatchExecutionsStart::Retained;
            let begin = |(first, last)| if is_retained { first - 1 } else { last };
            return Ok(spans
                .iter()
                .map(|(log, span)| (*log, begin(*span)))
                .collect());
        };
        for (log, position) in token {
            let last = spans.get(log).map_or(0, |(_, last)| *last);
            if *position > last {
                let description = "is of another server: nothing was changed there yet";
                return Err(Fault::field("resume_token", description));
            }
        }
        for (log, (first, _)) in spans {
            if token.get(log).copied().unwrap_or(0) < first - 1 {
                return Err(Fault::HistoryTrimmed);
            }
        }
        Ok(token.clone())
    }

    fn token_of(&self, cursor: &Cursor) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.hash);
        for (log, position) in cursor {
            bytes.extend(log.to_be_bytes());
            bytes.extend(position.to_be_bytes());
        }
        hex(&bytes)
    }
}

/// The cursor in a token.
fn read_token(token: &str, hash: [u8; 8]) -> Result<Cursor, Fault> {
    const LOG: usize = size_of::<i16>() + size_of::<i64>();
    let malformed = || Fault::field("resume_token", "is malformed");
    let bytes = unhex(token).ok_or_else(malformed)?;
    let (version, rest) = bytes.split_first().ok_or_else(malformed)?;
    let (of, logs) = rest.split_at_checked(8).ok_or_else(malformed)?;
    let (logs, []) = logs.as_chunks::<LOG>() else {
        return Err(malformed());
    };
    if *version != VERSION {
        return Err(malformed());
    }
    if of != hash {
        let description = "belongs to a watch of another project or filter";
        return Err(Fault::field("resume_token", description));
    }
    let logs = logs.iter().map(|[a, b, position @ ..]| {
        let log = i16::from_be_bytes([*a, *b]);
        (log, i64::from_be_bytes(*position))
    });
    Ok(logs.collect())
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
                resume_token: self.wish.token_of(&self.cursor),
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
            let cursor = self.cursor.clone();
            let read = self
                .context
                .read(move |reader| next(reader, &project, &filter, &cursor));
            let step = read.await?;
            let messages = self.divided(&step);
            for changes in messages {
                self.outlet.send(message(Message::Changes(changes))).await?;
            }
            let is_at_end = self.cursor == step.cursor;
            self.cursor = step.cursor;
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
    fn divided(&self, step: &Step) -> Vec<v1::ExecutionChanges> {
        let mut messages = Vec::new();
        let mut present = v1::ExecutionChanges {
            resume_token: self.wish.token_of(&self.cursor),
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
            present.resume_token = self.wish.token_of(&step.cursor);
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
        let resume_token = self.wish.token_of(&self.cursor);
        let heartbeat = v1::WatchExecutionsHeartbeat { resume_token };
        self.outlet
            .send(message(Message::Heartbeat(heartbeat)))
            .await
    }
}

/// What was read in one look at the store.
struct Step {
    /// The cursor after it.
    cursor: Cursor,
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
    cursor: &Cursor,
) -> Result<Step, Fault> {
    let mut step = Step {
        cursor: cursor.clone(),
        changed: Vec::new(),
        deleted: Vec::new(),
    };
    // When each was changed last: the number of the commit among those that are read now.
    let mut changed: HashMap<ExecutionUid, usize> = HashMap::new();
    let mut count = 0;
    for log in reader.logs_of_changes()? {
        let after = cursor.get(&log).copied().unwrap_or(0);
        for row in reader.list_changes(log, after, COMMITS_AT_ONCE)? {
            if count > 0 && changed.len() + row.changed.len() > EXECUTIONS_AT_ONCE {
                break;
            }
            count += 1;
            step.cursor.insert(log, row.position);
            changed.extend(row.changed.into_iter().map(|uid| (uid, count)));
            let own = row.deleted.into_iter();
            step.deleted
                .extend(own.filter(|row| *row.project == *project));
        }
    }
    let order: BTreeSet<(usize, ExecutionUid)> =
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
        identity: field::optional(caller.identity.as_ref()),
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
        let token = |logs: &[(i16, i64)]| {
            let cursor = logs.iter().copied().collect();
            wish("", "", Now).unwrap().token_of(&cursor)
        };
        let (none, kept) = (&[][..], &[(0, (5, 9)), (3, (1, 2))][..]);
        for (given, start, spans, expected) in [
            ("", Unspecified, none, Ok(&[][..])),
            ("", Retained, none, Ok(&[][..])),
            ("", Unspecified, kept, Ok(&[(0, 9), (3, 2)][..])),
            ("", Now, kept, Ok(&[(0, 9), (3, 2)][..])),
            ("", Retained, kept, Ok(&[(0, 4), (3, 0)][..])),
            (
                &*token(&[(0, 7), (3, 1)]),
                Retained,
                kept,
                Ok(&[(0, 7), (3, 1)][..]),
            ),
            // A log that was begun since is read from its beginning.
            (&*token(&[(0, 4)]), Now, kept, Ok(&[(0, 4)][..])),
            (&*token(&[(0, 3), (3, 1)]), Now, kept, Err("HistoryTrimmed")),
            (&*token(&[(3, 1)]), Now, kept, Err("HistoryTrimmed")),
            (&*token(&[(0, 10)]), Now, kept, Err("InvalidField")),
            (&*token(&[(0, 9), (5, 1)]), Now, kept, Err("InvalidField")),
        ] {
            let spans = spans.iter().copied().collect();
            let found = wish("", given, start).unwrap().cursor(&spans);
            match (found, expected) {
                (Ok(found), Ok(expected)) => {
                    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
                }
                (Err(fault), Err(kind)) => assert!(format!("{fault:?}").starts_with(kind)),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn tokens_are_good_for_their_watch_only() {
        let now = WatchExecutionsStart::Now;
        let cursor = Cursor::from([(0, 7)]);
        let token = wish("state = ERROR", "", now).unwrap();
        let token = token.token_of(&cursor);
        let read = wish("state = ERROR", &token, now).unwrap().token;
        assert_eq!(read, Some(cursor));
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
