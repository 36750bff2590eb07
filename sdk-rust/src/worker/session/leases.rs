//! All tasks that this worker holds, and what is to be said of them.
//!
//! Owns the bookkeeping between functions and streams: pure, with the time as an argument. Left to
//! others: streams and functions themselves (`mod`), and the states of one task (`held`).

use std::collections::{HashMap, VecDeque};
use std::mem;

use proto::v1::task_result::Outcome;
use proto::v1::{ConnectRequest, LeaseStatus, TaskHeartbeatResult, TaskResult, TaskResultAck};
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::Timing;
use super::held::{Held, Sent, State};
use crate::retry::RetryPolicy;
use crate::worker::context::{Cancelled, PROGRESS_BYTES_MAX};
use crate::worker::function::Ended;

/// About how many bytes a message has at most, if it is not one result alone that has more.
const MESSAGE_BYTES: usize = 1024 * 1024;
/// Why a lease is lost whose attempt has taken too long.
const DEADLINE: &str = "deadline";
/// Reason of an answer that a lease has ended.
const LEASE_LOST: &str = "TASK_LEASE_LOST";

pub(super) struct Leases {
    held: HashMap<String, Held>,
    accepts: Vec<String>,
    releases: Vec<String>,
    /// Tokens of those whose end may be due.
    results: VecDeque<String>,
    /// Tokens of those with progress that is due.
    beats: Vec<String>,
    timing: Timing,
    /// When `tick` has something to do.
    wake: Option<Instant>,
    running: usize,
    /// The same of each queue.
    by_queue: HashMap<String, usize>,
    retry: RetryPolicy,
}

impl Leases {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            held: HashMap::new(),
            accepts: Vec::new(),
            releases: Vec::new(),
            results: VecDeque::new(),
            beats: Vec::new(),
            timing,
            wake: None,
            running: 0,
            by_queue: HashMap::new(),
            retry: RetryPolicy::default(),
        }
    }

    /// Functions that run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Functions that run of a queue.
    pub(super) fn running_of(&self, queue: &str) -> usize {
        self.by_queue.get(queue).copied().unwrap_or(0)
    }

    /// A function of a queue runs no more.
    fn leave(&mut self, queue: &str) {
        self.running -= 1;
        if let Some(count) = self.by_queue.get_mut(queue) {
            *count -= 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn holds(&self, token: &str) -> bool {
        self.held.contains_key(token)
    }

    /// Whether anything waits to be sent or answered.
    pub(super) fn is_settled(&self) -> bool {
        self.held.is_empty() && self.releases.is_empty() && self.accepts.is_empty()
    }

    /// Whether the end of any task is to be sent.
    pub(super) fn has_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// Tokens of all leases that are not known to have ended.
    pub(super) fn tokens(&self) -> Vec<String> {
        let leased = self.held.iter().filter(|(_, held)| held.is_leased());
        leased.map(|(token, _)| token.clone()).collect()
    }

    /// Takes a task over.
    pub(super) fn begin(&mut self, token: String, held: Held) {
        self.accepts.push(token.clone());
        self.wake_at(held.expires);
        if let Some(deadline) = held.deadline {
            self.wake_at(deadline);
        }
        self.running += 1;
        *self.by_queue.entry(held.queue.clone()).or_default() += 1;
        self.held.insert(token, held);
    }

    /// Remembers how to abort the function of a task.
    pub(super) fn set_abort(&mut self, token: &str, abort: tokio::task::AbortHandle) {
        if let Some(held) = self.held.get_mut(token) {
            held.abort = Some(abort);
        }
    }

    /// Gives a task back that was not begun.
    pub(super) fn refuse(&mut self, token: String) {
        self.releases.push(token);
    }

    /// Gives a task back whose function is no more; the queue in which a place is free now.
    pub(super) fn release(&mut self, token: String) -> Option<String> {
        let held = self.held.remove(&token)?;
        self.releases.push(token);
        if !matches!(held.state, State::Ended(_)) {
            self.leave(&held.queue);
        }
        Some(held.queue)
    }

    /// A function has ended; the queue in which a place is free now.
    pub(super) fn ended(&mut self, now: Instant, token: &str, ended: Ended) -> Option<String> {
        let held = self.held.get_mut(token)?;
        let queue = held.queue.clone();
        match held.state {
            State::Running => {
                held.abort = None;
                held.end(now, ended);
                self.results.push_back(token.to_owned());
            }
            State::Lost => {
                warn!(
                    task.token = token,
                    "the end of {} is dropped: its lease was lost", held.place
                );
                self.held.remove(token);
            }
            State::Ended(_) => return None,
        }
        self.leave(&queue);
        Some(queue)
    }

    /// A function has said something.
    pub(super) fn beat(&mut self, now: Instant, token: &str) {
        let Some(held) = self.held.get_mut(token) else {
            return;
        };
        held.dirty = true;
        match held.beat_due(&self.timing).filter(|due| *due > now) {
            Some(due) => self.wake_at(due),
            None if !held.queued => {
                held.queued = true;
                self.beats.push(token.to_owned());
            }
            None => {}
        }
    }

    /// A new stream is open.
    pub(super) fn welcomed(&mut self, timing: Timing, lost: &[String]) {
        self.timing = timing;
        for token in lost {
            self.lost(token, "it has ended while there was no stream");
        }
        self.accepts = Vec::new();
        for (token, held) in &mut self.held {
            held.unanswered();
            if held.is_leased() && !held.confirmed {
                self.accepts.push(token.clone());
            }
            if held.dirty && !held.queued {
                held.queued = true;
                self.beats.push(token.clone());
            }
        }
    }

    /// A stream is gone: what was sent over it and not answered is to be sent again.
    pub(super) fn disconnected(&mut self, link: u64) {
        for (token, held) in &mut self.held {
            if let State::Ended(ending) = &mut held.state
                && ending.sent == Sent::OnStream(link)
            {
                ending.sent = Sent::Due;
                self.results.push_back(token.clone());
            }
        }
    }

    /// What the server says of a lease.
    pub(super) fn lease(&mut self, result: &TaskHeartbeatResult) {
        let token = result.token.as_str();
        if result.status() == LeaseStatus::Lost {
            self.lost(token, &result.reason);
            return;
        }
        let Some(held) = self.held.get_mut(token) else {
            return;
        };
        held.renewed(&self.timing);
        if result.status() == LeaseStatus::CancelRequested && matches!(held.state, State::Running) {
            held.cancellation.cancel(Cancelled::Requested {
                reason: result.reason.clone(),
            });
        }
    }

    fn lost(&mut self, token: &str, reason: &str) {
        let Some(held) = self.held.get_mut(token) else {
            return;
        };
        match &held.state {
            State::Running => {
                warn!(
                    task.token = token,
                    "the lease of {} is lost: {reason}", held.place
                );
                held.state = State::Lost;
                held.cancellation.cancel(if reason == DEADLINE {
                    Cancelled::Deadline
                } else {
                    Cancelled::LeaseLost {
                        reason: reason.to_owned(),
                    }
                });
            }
            // The lease may have ended because of the result: its answer tells.
            State::Ended(_) | State::Lost => {}
        }
    }

    /// What the server says of the end of a task.
    pub(super) fn ack(&mut self, now: Instant, ack: &TaskResultAck) {
        let token = ack.token.as_str();
        let Some(held) = self.held.get_mut(token) else {
            return;
        };
        let State::Ended(ending) = &mut held.state else {
            return;
        };
        let reason = ack.error_reason.as_str();
        if reason.is_empty() {
            self.held.remove(token);
        } else if reason == LEASE_LOST {
            let (place, message) = (&held.place, &ack.error_message);
            if held.cancellation.cause().is_some() {
                debug!(
                    task.token = token,
                    "{place} was cancelled, and has ended: {message}"
                );
            } else {
                warn!(
                    task.token = token,
                    "the result of {place} is dropped: {message}"
                );
            }
            self.held.remove(token);
        } else if ack.retryable {
            ending.attempts += 1;
            let at = now + self.retry.delay(ending.attempts, None);
            ending.sent = Sent::At(at);
            self.wake_at(at);
        } else if ending.refuse(reason, &ack.error_message) {
            self.results.push_back(token.to_owned());
        } else {
            let message = &ack.error_message;
            error!(
                task.token = token,
                "the failure of {} is refused: {message}", held.place
            );
            self.held.remove(token);
        }
    }

    /// What is to be done because of the time.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.wake.is_none_or(|wake| now < wake) {
            return;
        }
        self.wake = None;
        let mut wakes = Vec::new();
        for (token, held) in &mut self.held {
            match &mut held.state {
                State::Running if held.expires <= now => {
                    warn!(
                        task.token = token,
                        "the lease of {} has run out", held.place
                    );
                    held.state = State::Lost;
                    let reason = "it was not renewed in time".to_owned();
                    held.cancellation.cancel(Cancelled::LeaseLost { reason });
                }
                State::Running => wakes.push(held.expires),
                State::Ended(ending) => match ending.sent {
                    Sent::At(at) if at <= now => {
                        ending.sent = Sent::Due;
                        self.results.push_back(token.clone());
                    }
                    Sent::At(at) => wakes.push(at),
                    // An answer that takes so long was forgotten.
                    Sent::OnStream(_) if ending.sent_at + self.timing.lease <= now => {
                        ending.sent = Sent::Due;
                        self.results.push_back(token.clone());
                    }
                    Sent::OnStream(_) => wakes.push(ending.sent_at + self.timing.lease),
                    Sent::Due | Sent::ByCall => {}
                },
                State::Lost => {}
            }
            match held.deadline {
                Some(deadline) if deadline <= now => {
                    held.deadline = None;
                    held.cancellation.cancel(Cancelled::Deadline);
                }
                Some(deadline) => wakes.push(deadline),
                None => {}
            }
            if held.dirty && !held.queued && matches!(held.state, State::Running) {
                if let Some(due) = held.beat_due(&self.timing).filter(|due| *due > now) {
                    wakes.push(due);
                } else {
                    held.queued = true;
                    self.beats.push(token.clone());
                }
            }
        }
        self.wake = wakes.into_iter().min();
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        self.wake
    }

    fn wake_at(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    /// Whether there is anything to be said before the next renewal.
    pub(super) fn has_news(&self) -> bool {
        let queues = [&self.accepts, &self.releases, &self.beats];
        queues.iter().any(|queue| !queue.is_empty()) || !self.results.is_empty()
    }

    /// The next message over this stream.
    pub(super) fn message(&mut self, now: Instant, link: u64, renew: bool) -> ConnectRequest {
        let mut message = ConnectRequest {
            accepts: mem::take(&mut self.accepts),
            releases: mem::take(&mut self.releases),
            ..ConnectRequest::default()
        };
        let mut room = MESSAGE_BYTES;
        for token in mem::take(&mut self.beats) {
            let Some(held) = self.held.get_mut(&token) else {
                continue;
            };
            if !held.dirty || !held.is_leased() {
                held.queued = false;
            } else if room < PROGRESS_BYTES_MAX {
                self.beats.push(token);
            } else {
                held.queued = false;
                room -= PROGRESS_BYTES_MAX;
                message.heartbeats.push(held.renewal(now, &token, true));
            }
        }
        if renew {
            for (token, held) in &mut self.held {
                if held.wants_renewal()
                    && !message.heartbeats.iter().any(|beat| beat.token == *token)
                {
                    message.heartbeats.push(held.renewal(now, token, false));
                }
            }
        }
        self.add_results(now, link, room, &mut message);
        message
    }

    fn add_results(
        &mut self,
        now: Instant,
        link: u64,
        mut room: usize,
        message: &mut ConnectRequest,
    ) {
        let forgotten_at = now + self.timing.lease;
        while let Some(token) = self.results.pop_front() {
            let Some(held) = self.held.get_mut(&token) else {
                continue;
            };
            let dirty = held.dirty;
            let State::Ended(ending) = &mut held.state else {
                continue;
            };
            if ending.sent != Sent::Due {
                continue;
            }
            ending.limit(self.timing.payload_bytes_max);
            let bytes = ending.bytes();
            if bytes > room && room < MESSAGE_BYTES {
                self.results.push_front(token);
                return;
            }
            room = room.saturating_sub(bytes);
            ending.sent = Sent::OnStream(link);
            ending.sent_at = now;
            let outcome = ending.outcome.clone();
            // The next attempt gets the progress of this one.
            if dirty && matches!(outcome, Outcome::Failure(_)) {
                message.heartbeats.push(held.renewal(now, &token, true));
            }
            message.results.push(TaskResult {
                token,
                outcome: Some(outcome),
            });
            self.wake = Some(
                self.wake
                    .map_or(forgotten_at, |wake| wake.min(forgotten_at)),
            );
        }
    }

    /// Ends to be sent by calls: all, or those whose lease is nearly over.
    pub(super) fn stranded(&mut self, now: Instant, all: bool) -> Vec<(String, Outcome)> {
        let near = now + self.timing.lease / 3;
        let payload_bytes_max = self.timing.payload_bytes_max;
        let mut stranded = Vec::new();
        for (token, held) in &mut self.held {
            if let State::Ended(ending) = &mut held.state
                && ending.sent == Sent::Due
                && (all || held.expires <= near)
            {
                ending.limit(payload_bytes_max);
                ending.sent = Sent::ByCall;
                stranded.push((token.clone(), ending.outcome.clone()));
            }
        }
        self.results
            .retain(|token| !stranded.iter().any(|(sent, _)| sent == token));
        stranded
    }

    /// Tokens to be given back by calls.
    pub(super) fn take_releases(&mut self) -> Vec<String> {
        mem::take(&mut self.releases)
    }

    /// Ends all functions and gives their tasks back.
    pub(super) fn release_running(&mut self) {
        self.held.retain(|token, held| {
            if matches!(held.state, State::Ended(_)) {
                return true;
            }
            held.cancellation.cancel(Cancelled::Drained);
            if let Some(abort) = &held.abort {
                abort.abort();
            }
            if held.is_leased() {
                self.releases.push(token.clone());
            }
            false
        });
        self.accepts.retain(|token| self.held.contains_key(token));
        self.running = 0;
        self.by_queue.clear();
    }
}
