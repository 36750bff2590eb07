//! Following the events of an execution over any number of broken streams.
//!
//! Owns [`Events`], what the application sees. Left to others: talking to the server (`follower`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tokio::sync::mpsc;

use self::follower::{Delivery, Follower, READ_AHEAD_MAX};
use crate::error::Error;
use crate::event::Event;
use crate::resources::Execution;
use crate::transport::Transport;

mod follower;

/// Events that the server no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// The last sequence that was delivered.
    pub after_sequence: i64,
    /// The first sequence that is still there.
    pub earliest_sequence: i64,
}

/// The events of one execution: stored ones first, then new ones as they happen, each once and in
/// order, until the execution is finished.
///
/// Broken connections and restarts of the server are bridged. The stream fails if the execution
/// does not exist or is deleted, if the call is refused, or if the server stays away for five
/// minutes. It works in a background task, which ends with the stream; poll it in a Tokio runtime.
#[must_use = "streams do nothing unless polled"]
pub struct Events {
    phase: Phase,
    queue: VecDeque<Event>,
    finished: Option<Box<Execution>>,
}

enum Phase {
    Ready(Option<Box<Follower>>),
    Following(mpsc::Receiver<Result<Delivery, Error>>),
    Done,
}

impl Events {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let follower = Follower::new(transport, execution_id);
        Self {
            phase: Phase::Ready(Some(Box::new(follower))),
            queue: VecDeque::new(),
            finished: None,
        }
    }

    /// Begins after this event instead of at the start.
    pub fn after(self, sequence: i64) -> Self {
        self.configure(|follower| follower.last_sequence = Some(sequence))
    }

    /// Leaves out everything that happened before the stream is polled first.
    pub fn only_new(self) -> Self {
        self.configure(|follower| follower.last_sequence = None)
    }

    /// Carries inputs, outputs and results in the events.
    pub fn include_payloads(self) -> Self {
        self.configure(|follower| follower.include_payloads = true)
    }

    /// Goes on with the oldest event there is, after telling `on_gap`, instead of failing when the
    /// server no longer has all of them.
    pub fn on_gap(self, on_gap: impl FnMut(Trimmed) + Send + 'static) -> Self {
        self.configure(|follower| follower.on_gap = Some(Box::new(on_gap)))
    }

    /// The finished execution, when the stream has ended.
    pub fn finished(&self) -> Option<&Execution> {
        self.finished.as_deref()
    }

    pub(crate) fn into_finished(self) -> Option<Execution> {
        self.finished.map(|execution| *execution)
    }

    fn configure(mut self, change: impl FnOnce(&mut Follower)) -> Self {
        // Once it is polled the stream has been pinned, or is at least under way: too late.
        if let Phase::Ready(Some(follower)) = &mut self.phase {
            change(follower);
        }
        self
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match &mut self.phase {
                Phase::Done => return Poll::Ready(None),
                Phase::Ready(follower) => {
                    let follower = follower.take().expect("taken only when leaving this phase");
                    let (sender, receiver) = mpsc::channel(READ_AHEAD_MAX);
                    tokio::spawn(follower.run(sender));
                    self.phase = Phase::Following(receiver);
                }
                Phase::Following(receiver) => match ready!(receiver.poll_recv(cx)) {
                    Some(Ok(Delivery::Events(events))) => self.queue.extend(events),
                    Some(Ok(Delivery::Finished(execution))) => {
                        self.finished = execution;
                        self.phase = Phase::Done;
                    }
                    Some(Err(error)) => {
                        self.phase = Phase::Done;
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => self.phase = Phase::Done,
                },
            }
        }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events")
            .field("queued", &self.queue.len())
            .finish_non_exhaustive()
    }
}
