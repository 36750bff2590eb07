//! `WatchExecution`: the history of an execution as a stream, from any place on, without a seam.
//!
//! A watcher is a cursor over the stored history: it reads on when the driver says that there is
//! news, and holds no more than a few messages, however slow its client is.
//!
//! **Invariant:** it subscribes before it reads, so nothing is missed in between.
//! Left to others: the way to the client, heartbeats and ends (`outlet`).

use std::sync::Arc;
use std::time::Duration;

use proto::v1::watch_execution_response::Message;
use proto::v1::{self, PayloadFormat, WatchEndReason, WatchStart};
use store::{ExecutionKey, Payloads, Standing};

use super::batch::{self, Step};
use super::context::Context;
use super::convert::field;
use super::events::Narrator;
use super::fault::Fault;
use super::lookup;
use super::outlet::{self, EndPlace, Ending, Outlet, OutletStream};
use crate::config::Retention;
use crate::driver::Subscription;

/// The stream of one watch.
pub(super) type WatchStream = OutletStream<v1::WatchExecutionResponse>;

/// What a request asks for.
struct Wish {
    project: Arc<str>,
    id: Arc<str>,
    after_sequence: i64,
    start_at: WatchStart,
    heartbeat: Duration,
    include_payloads: bool,
    format: PayloadFormat,
    follow_reruns: bool,
}

impl Wish {
    fn of(request: &v1::WatchExecutionRequest) -> Result<Self, Fault> {
        if request.after_sequence < 0 {
            return Err(Fault::field("after_sequence", "must not be negative"));
        }
        Ok(Self {
            project: field::project(&request.project)?,
            id: field::name("execution_id", &request.execution_id)?,
            after_sequence: request.after_sequence,
            start_at: field::known("start_at", request.start_at)?,
            heartbeat: outlet::heartbeat(request.heartbeat_interval)?,
            include_payloads: request.include_payloads,
            format: field::payload_format(request.payload_format)?,
            follow_reruns: request.follow_reruns,
        })
    }

    /// Where the stream starts in a history that goes up to `last`, if not with a snapshot.
    fn cursor(&self, last: i64) -> Result<Option<i64>, Fault> {
        if self.after_sequence > last {
            // No event of that number was ever sent, so the client speaks of another execution.
            let description = format!("is beyond the last event, which has number {last}");
            return Err(Fault::field("after_sequence", description));
        }
        if self.after_sequence > 0 {
            return Ok(Some(self.after_sequence));
        }
        Ok(match self.start_at {
            WatchStart::Unspecified | WatchStart::Beginning => Some(0),
            WatchStart::Latest => Some(last),
            WatchStart::Snapshot => None,
        })
    }
}

/// Opens a watch.
pub(super) async fn watch(
    context: &Context,
    request: v1::WatchExecutionRequest,
) -> Result<WatchStream, Fault> {
    let wish = Wish::of(&request)?;
    let (project, id) = (wish.project.clone(), wish.id.clone());
    let key = context
        .read(move |reader| Ok(reader.find_key(&project, &id)?))
        .await?;
    let key = key.ok_or_else(|| Fault::execution_not_found(&wish.id))?;
    let news = context.driver.subscribe(key.uid);
    let kept = context.retention.clone();
    let (snapshot, cursor, wish) = context
        .read(move |reader| start(reader, &kept, key, wish))
        .await?;

    let (outlet, end_place, stream) = Outlet::open(context, wish.heartbeat);
    let payloads = wish.include_payloads.then_some(wish.format);
    let watcher = Watcher {
        context: context.clone(),
        key,
        narrator: Some(Narrator::new(key, wish.project.clone(), payloads)),
        wish,
        cursor,
        news,
        outlet,
    };
    context.streams.spawn(watcher.run(snapshot, end_place));
    Ok(stream)
}

/// The snapshot, if one is wanted, and the cursor.
fn start(
    reader: &mut store::Reader,
    retention: &Retention,
    key: ExecutionKey,
    wish: Wish,
) -> Result<(Option<v1::Execution>, i64, Wish), Fault> {
    let gone = || Fault::execution_not_found(&wish.id);
    let last = reader.standing(key)?.ok_or_else(gone)?.last_sequence;
    if let Some(cursor) = wish.cursor(last)? {
        return Ok((None, cursor, wish));
    }
    let full = wish.include_payloads.then_some(wish.format);
    let payloads = lookup::payloads_of(wish.include_payloads);
    let record = reader
        .find_execution_by_uid(&wish.project, key.uid, payloads)?
        .ok_or_else(gone)?;
    let snapshot = lookup::wire_execution(reader, retention, &record, full)?;
    Ok((Some(snapshot), record.last_sequence, wish))
}

/// One open watch.
struct Watcher {
    context: Context,
    key: ExecutionKey,
    wish: Wish,
    /// Lent to the thread that reads.
    narrator: Option<Narrator>,
    /// Sequence of the last event that was sent.
    cursor: i64,
    news: Subscription,
    outlet: Outlet<v1::WatchExecutionResponse>,
}

impl Watcher {
    async fn run(
        mut self,
        snapshot: Option<v1::Execution>,
        end_place: EndPlace<v1::WatchExecutionResponse>,
    ) {
        let ending = match self.follow(snapshot).await {
            Ending::Said(reason) => match self.end(reason).await {
                Ok(end) => Ok(message(Message::End(end))),
                Err(fault) => Err(fault.into()),
            },
            Ending::Unheard => return,
            Ending::Failed(fault) => Err(fault.into()),
        };
        end_place.send(ending);
    }

    /// Sends what there is and what comes, until there is a reason to end.
    async fn follow(&mut self, snapshot: Option<v1::Execution>) -> Ending {
        if let Some(snapshot) = snapshot
            && let Err(ending) = self.send(Message::Snapshot(snapshot)).await
        {
            return ending;
        }
        loop {
            match self.catch_up().await {
                Ok(standing) if standing.state.is_final() && !self.wish.follow_reruns => {
                    return Ending::Said(WatchEndReason::Terminal);
                }
                Ok(_) => {}
                Err(ending) => return ending,
            }
            if let Err(ending) = self.idle().await {
                return ending;
            }
        }
    }

    /// Sends every committed event after the cursor.
    async fn catch_up(&mut self) -> Result<Standing, Ending> {
        loop {
            let mut narrator = self
                .narrator
                .take()
                .expect("the narrator is back after each read");
            let (key, cursor) = (self.key, self.cursor);
            let read = self.context.read(move |reader| {
                let step = batch::next(reader, key, cursor, &mut narrator)?;
                Ok((step, narrator))
            });
            let (step, narrator) = read.await?;
            self.narrator = Some(narrator);
            let Some(Step { standing, events }) = step else {
                return Err(Ending::Said(WatchEndReason::Deleted));
            };
            let Some(last) = events.last().map(|event| event.sequence) else {
                return Ok(standing);
            };
            self.send(Message::Events(v1::HistoryEventBatch { events }))
                .await?;
            self.cursor = last;
            if last == standing.last_sequence {
                return Ok(standing);
            }
            if self.outlet.is_old() {
                return Err(Ending::Said(WatchEndReason::MaxAge));
            }
        }
    }

    /// Waits for news, with heartbeats.
    async fn idle(&mut self) -> Result<(), Ending> {
        loop {
            match self.outlet.wait(self.news.next()).await? {
                Some(news) if news.deleted => {
                    return Err(Ending::Said(WatchEndReason::Deleted));
                }
                Some(_) => return Ok(()),
                None => {}
            }
            let heartbeat = v1::WatchHeartbeat {
                last_sequence: self.cursor,
            };
            self.send(Message::Heartbeat(heartbeat)).await?;
        }
    }

    async fn send(&mut self, content: Message) -> Result<(), Ending> {
        self.outlet.send(message(content)).await
    }

    /// The last message.
    async fn end(&self, reason: WatchEndReason) -> Result<v1::WatchEnd, Fault> {
        let execution = match reason {
            WatchEndReason::Terminal => self.execution().await?,
            WatchEndReason::Unspecified
            | WatchEndReason::GoingAway
            | WatchEndReason::MaxAge
            | WatchEndReason::SlowConsumer
            | WatchEndReason::Deleted => None,
        };
        Ok(v1::WatchEnd {
            reason: reason.into(),
            resume_after_sequence: self.cursor,
            retry_delay: outlet::retry_delay(reason),
            execution,
        })
    }

    /// The execution in the FULL view.
    async fn execution(&self) -> Result<Option<v1::Execution>, Fault> {
        let (uid, project, format) = (self.key.uid, self.wish.project.clone(), self.wish.format);
        let kept = self.context.retention.clone();
        let read = self.context.read(move |reader| {
            let found = reader.find_execution_by_uid(&project, uid, Payloads::Include)?;
            let full = Some(format);
            let wire = found.map(|record| lookup::wire_execution(reader, &kept, &record, full));
            wire.transpose()
        });
        read.await
    }
}

fn message(message: Message) -> v1::WatchExecutionResponse {
    v1::WatchExecutionResponse {
        message: Some(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(change: impl FnOnce(&mut v1::WatchExecutionRequest)) -> Result<Wish, Fault> {
        let mut request = v1::WatchExecutionRequest {
            execution_id: "e".into(),
            ..Default::default()
        };
        change(&mut request);
        Wish::of(&request)
    }

    #[test]
    fn a_watch_starts_where_it_is_asked_to() {
        for (after, start_at, expected) in [
            (0, WatchStart::Unspecified, Ok(Some(0))),
            (0, WatchStart::Beginning, Ok(Some(0))),
            (0, WatchStart::Latest, Ok(Some(9))),
            (0, WatchStart::Snapshot, Ok(None)),
            (4, WatchStart::Snapshot, Ok(Some(4))),
            (9, WatchStart::Unspecified, Ok(Some(9))),
            (10, WatchStart::Unspecified, Err(())),
        ] {
            let wish = wish(|request| {
                request.after_sequence = after;
                request.start_at = start_at.into();
            });
            assert_eq!(
                wish.unwrap().cursor(9).map_err(|_| ()),
                expected,
                "{after} {start_at:?}"
            );
        }
        assert!(wish(|request| request.after_sequence = -1).is_err());
    }
}
