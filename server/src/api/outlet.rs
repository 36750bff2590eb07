//! What all watches have in common: a short way to the client, heartbeats, and an explicit end.
//!
//! **Invariant:** however slow its client is, a watch holds no more than a few messages; whoever
//! leaves the way full for too long is told to come back.
//! **Invariant:** the last message is an end, unless the client has gone or the server has failed;
//! there is always room for it, since its place is reserved from the start.

use std::future::Future;
use std::time::Duration;

use proto::v1::WatchEndReason;
use tokio::sync::mpsc::{self, OwnedPermit, Sender};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::context::Context;
use super::convert::field;
use super::fault::Fault;
use crate::clock;

/// Heartbeats: below the idle timers of common proxies.
const HEARTBEAT_DEFAULT: Duration = Duration::from_secs(15);
const HEARTBEAT_MIN: Duration = Duration::from_secs(5);
const HEARTBEAT_MAX: Duration = Duration::from_mins(1);

/// Age at which a stream ends, so that load can move; give or take a tenth.
const AGE_MAX: Duration = Duration::from_mins(30);

/// How long a client may leave the channel full.
const BLOCKED_MAX: Duration = Duration::from_mins(1);

/// Messages that wait for the client; one more place is kept for the end.
const WAITING_MAX: usize = 2;

/// When a client of a server that goes away should come back.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why a watch ends without a fault.
pub(super) enum Ending {
    /// With a last message.
    Said(WatchEndReason),
    /// The client has gone.
    Unheard,
    /// The server failed.
    Failed(Fault),
}

impl From<Fault> for Ending {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// The place of the last message.
pub(super) type EndPlace<T> = OwnedPermit<Result<T, Status>>;

/// What a client receives.
pub(super) type OutletStream<T> = ReceiverStream<Result<T, Status>>;

/// The way to one client.
pub(super) struct Outlet<T> {
    sender: Sender<Result<T, Status>>,
    going_away: CancellationToken,
    heartbeat: Duration,
    last_sent: Instant,
    ends: Instant,
}

impl<T: Send + 'static> Outlet<T> {
    /// Opens the way.
    pub(super) fn open(
        context: &Context,
        heartbeat: Duration,
    ) -> (Self, EndPlace<T>, OutletStream<T>) {
        Self::new(context.going_away.clone(), heartbeat)
    }

    fn new(
        going_away: CancellationToken,
        heartbeat: Duration,
    ) -> (Self, EndPlace<T>, OutletStream<T>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX + 1);
        let end_place = sender.clone().try_reserve_owned();
        let outlet = Self {
            sender,
            going_away,
            heartbeat,
            last_sent: Instant::now(),
            ends: Instant::now() + age(),
        };
        let end_place = end_place.expect("the channel is empty");
        (outlet, end_place, ReceiverStream::new(receiver))
    }

    /// Whether the stream is so old that it should end where it is.
    pub(super) fn is_old(&self) -> bool {
        Instant::now() >= self.ends
    }

    /// Sends a message, or finds that nobody takes it.
    pub(super) async fn send(&mut self, message: T) -> Result<(), Ending> {
        let place = tokio::select! {
            biased;
            place = timeout(BLOCKED_MAX, self.sender.reserve()) => place,
            () = self.going_away.cancelled() => {
                return Err(Ending::Said(WatchEndReason::GoingAway));
            }
        };
        match place {
            Ok(Ok(place)) => place.send(Ok(message)),
            Ok(Err(_)) => return Err(Ending::Unheard),
            Err(_) => return Err(Ending::Said(WatchEndReason::SlowConsumer)),
        }
        self.last_sent = Instant::now();
        Ok(())
    }

    /// Waits for news; `None` when it is time for a heartbeat.
    pub(super) async fn wait<N>(
        &mut self,
        news: impl Future<Output = N>,
    ) -> Result<Option<N>, Ending> {
        let next_heartbeat = self.last_sent + self.heartbeat;
        tokio::select! {
            news = news => Ok(Some(news)),
            () = self.going_away.cancelled() => Err(Ending::Said(WatchEndReason::GoingAway)),
            () = self.sender.closed() => Err(Ending::Unheard),
            () = sleep_until(self.ends) => Err(Ending::Said(WatchEndReason::MaxAge)),
            () = sleep_until(next_heartbeat) => Ok(None),
        }
    }
}

/// How long a client should wait before it comes back.
pub(super) fn retry_delay(reason: WatchEndReason) -> Option<prost_types::Duration> {
    let delay = (reason == WatchEndReason::GoingAway).then_some(RETRY_DELAY);
    delay.map(|delay| delay.try_into().expect("a second is a duration"))
}

/// The interval of heartbeats that a request asks for.
pub(super) fn heartbeat(wanted: Option<prost_types::Duration>) -> Result<Duration, Fault> {
    let heartbeat = field::duration("heartbeat_interval", wanted)?;
    let heartbeat = heartbeat.filter(|interval| !interval.is_zero());
    let heartbeat = heartbeat.unwrap_or(HEARTBEAT_DEFAULT);
    if !(HEARTBEAT_MIN..=HEARTBEAT_MAX).contains(&heartbeat) {
        return Err(Fault::field(
            "heartbeat_interval",
            "must be between 5 and 60 s",
        ));
    }
    Ok(heartbeat)
}

/// How old a stream gets: not all of them the same, so that they do not end at once.
fn age() -> Duration {
    let draw = u32::from(clock::new_uid().0.as_bytes()[15]);
    AGE_MAX * (900 + draw * 200 / 255) / 1000
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::*;

    fn seconds(seconds: i64) -> prost_types::Duration {
        prost_types::Duration { seconds, nanos: 0 }
    }

    #[test]
    fn heartbeats_have_a_default_and_limits() {
        for (given, expected) in [
            (None, Some(15)),
            (Some(seconds(0)), Some(15)),
            (Some(seconds(4)), None),
            (Some(seconds(5)), Some(5)),
            (Some(seconds(60)), Some(60)),
            (Some(seconds(61)), None),
            (Some(seconds(-5)), None),
        ] {
            let found = heartbeat(given).ok().map(|interval| interval.as_secs());
            assert_eq!(found, expected, "{given:?}");
        }
    }

    #[test]
    fn streams_end_at_different_ages() {
        let minutes = Duration::from_mins(27)..=Duration::from_mins(33);
        for _ in 0..100 {
            assert!(minutes.contains(&age()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_told_to_come_back() {
        let (mut outlet, end_place, mut stream) =
            Outlet::new(CancellationToken::new(), HEARTBEAT_DEFAULT);
        for message in 0..WAITING_MAX {
            assert!(outlet.send(message).await.is_ok());
        }
        let begun = Instant::now();
        let ending = outlet.send(WAITING_MAX).await;
        assert!(matches!(
            ending,
            Err(Ending::Said(WatchEndReason::SlowConsumer))
        ));
        assert_eq!(begun.elapsed(), BLOCKED_MAX);
        // The end has its place all the same.
        end_place.send(Ok(99));
        drop(outlet);
        let mut received = Vec::new();
        while let Some(message) = stream.next().await {
            received.push(message.expect("no message is an error"));
        }
        assert_eq!(received, [0, 1, 99]);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_for_each_reason() {
        let quiet = std::future::pending::<()>;
        let away = CancellationToken::new();
        let (mut outlet, _end, stream) = Outlet::<()>::new(away.clone(), HEARTBEAT_DEFAULT);
        let begun = Instant::now();
        assert!(matches!(outlet.wait(quiet()).await, Ok(None)));
        assert_eq!(begun.elapsed(), HEARTBEAT_DEFAULT);
        let news = outlet.wait(std::future::ready(7)).await;
        assert!(matches!(news, Ok(Some(7) | None)));
        outlet.ends = Instant::now();
        outlet.last_sent = Instant::now();
        let ending = outlet.wait(quiet()).await;
        assert!(matches!(ending, Err(Ending::Said(WatchEndReason::MaxAge))));
        outlet.ends = Instant::now() + AGE_MAX;
        outlet.last_sent = Instant::now();
        drop(stream);
        assert!(matches!(outlet.wait(quiet()).await, Err(Ending::Unheard)));
    }
}
