//! Leases: accepted, renewed, claimed after a restart, lost, and brought to an end.

use std::sync::Arc;

use engine::{ActionId, Data, LeaseEnd, Loss, Outcome, WorkerFailure, WorkerReport};
use serde::{Deserialize, Serialize};

use super::session::{LeaseNews, SessionId, Status, WorkerKey};
use super::{Desk, Effect, Held, KEPT_AFTER_US, Phase, Token};

/// What must be done with an end that a worker reports.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It is the worker's: write it down under this lease, then say so by [`Desk::finished`].
    Write(ActionId, Box<engine::Lease>),
    /// The desk has no such lease: whoever keeps the action knows whether it has ended under it.
    Ask(ActionId, Box<engine::Lease>),
    /// The lease is over.
    Lost(LeaseEnd),
}

/// What became of an end that was to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finished {
    /// It is, or it never will be.
    Done,
    /// It was not: the worker still has the task, and may report again.
    NotYet,
}

/// Where a task is, for those who ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// It waits.
    Waiting {
        /// Number of sessions that provide the action in the version that is required, in the
        /// queues that it waits in.
        sessions: u32,
        /// Whether all of these queues are paused.
        paused: bool,
        /// Whether any worker has ever provided it.
        known: bool,
        /// The version that is required.
        version: Option<Arc<str>>,
        /// When it fails because nobody has taken it, microseconds since the epoch.
        until_us: Option<i64>,
    },
    /// It waits, and is handed to nobody while its execution is paused.
    HeldBack,
    /// Its worker from before the restart of the server may claim it.
    Claimable {
        /// Until when, microseconds since the epoch.
        until_us: i64,
    },
    /// A worker has it.
    Held {
        /// The lease as it is kept.
        lease: Box<engine::Lease>,
        /// When it ends unless it is renewed, microseconds since the epoch.
        expires_us: i64,
        /// When the worker last said something of it, microseconds since the epoch.
        said_us: i64,
    },
}

impl Desk {
    /// A session takes a task over that it was sent.
    pub(in crate::dispatch) fn accept(&mut self, id: SessionId, token: &str, now_us: i64) {
        let (status, reason) = self.renew(token, Some(id), None, now_us);
        // Only what it does not expect is news.
        if !matches!(status, Status::Held(_)) {
            self.news(id, token, status, reason);
        }
    }

    /// Renews a lease, and keeps what is said of the progress. Given a session, the lease is its
    /// from now on.
    pub(in crate::dispatch) fn renew(
        &mut self,
        token: &str,
        session: Option<SessionId>,
        progress: Option<Data>,
        now_us: i64,
    ) -> (Status, &'static str) {
        self.now_us = now_us;
        match self.touch(token, session, progress) {
            Ok(status @ Status::Cancelled(_)) => (status, LeaseEnd::Cancelled.word()),
            Ok(status) => (status, ""),
            Err(why) => (Status::Lost, why.word()),
        }
    }

    /// Renews a lease for its session, which is told later.
    pub(in crate::dispatch) fn renew_later(
        &mut self,
        id: SessionId,
        token: &str,
        progress: Option<Data>,
        now_us: i64,
    ) {
        let (status, reason) = self.renew(token, Some(id), progress, now_us);
        self.news(id, token, status, reason);
    }

    /// A worker says how a task has ended. `outcome` comes with [`Self::finished`].
    pub(in crate::dispatch) fn ending(&mut self, token: &str, now_us: i64) -> Ending {
        self.now_us = now_us;
        let Some(read) = self.key.read(token) else {
            return Ending::Lost(LeaseEnd::Unknown);
        };
        let action = read.action;
        let unknown = || {
            // One that is not ours to say yes to: only an action that is known to be under exactly
            // this lease passes.
            let lease = engine::Lease {
                id: Some(format!("{:x}", read.lease).into()),
                lost: u32::MAX,
                ..engine::Lease::default()
            };
            Box::new(lease)
        };
        if self.tasks.contains_key(&action)
            && let Err(why) = self.hold(read, None)
        {
            return Ending::Lost(why);
        }
        let Some(task) = self.tasks.get_mut(&action) else {
            return Ending::Ask(action, unknown());
        };
        let lease = Box::new(task.record());
        match &task.phase {
            // The same end once more, while the first is on its way: the second is none.
            Phase::Ending(_) => return Ending::Write(action, lease),
            Phase::Cancelled(_) => {
                self.forget(action);
                return Ending::Lost(LeaseEnd::Cancelled);
            }
            Phase::Offered(held) | Phase::Leased(held) | Phase::Reserved(held) => {
                task.phase = Phase::Ending(held.clone());
            }
            Phase::Waiting { .. } | Phase::HeldBack { .. } | Phase::Claimable { .. } => {
                return Ending::Lost(LeaseEnd::Expired);
            }
        }
        self.arm(action);
        Ending::Write(action, lease)
    }

    /// What became of an end that was to be written down.
    pub(in crate::dispatch) fn finished(
        &mut self,
        action: ActionId,
        finished: Finished,
        now_us: i64,
    ) {
        self.now_us = now_us;
        let phase = self.tasks.get(&action).map(|task| &task.phase);
        if !matches!(phase, Some(Phase::Ending(_))) {
            return;
        }
        match finished {
            Finished::Done => self.forget(action),
            Finished::NotYet => self.resume(action),
        }
    }

    /// Lets a task go on whose end was not written down.
    pub(super) fn resume(&mut self, action: ActionId) {
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        if let Phase::Ending(held) = &task.phase {
            let mut held = held.clone();
            held.expires_us = self.now_us.saturating_add(self.times.lease);
            task.phase = Phase::Leased(held);
            self.arm(action);
        }
    }

    /// A worker gives a task back.
    pub(in crate::dispatch) fn release(
        &mut self,
        token: &str,
        now_us: i64,
    ) -> Result<(), LeaseEnd> {
        self.now_us = now_us;
        let read = self.key.read(token).ok_or(LeaseEnd::Unknown)?;
        self.hold(read, None)?;
        let phase = self.tasks.get(&read.action).map(|task| &task.phase);
        match phase {
            Some(Phase::Offered(_)) => self.undo(read.action),
            Some(Phase::Leased(_)) => self.lose(read.action, Loss::Released),
            Some(Phase::Cancelled(_)) => self.forget(read.action),
            Some(Phase::Ending(_)) => return Err(LeaseEnd::Ended),
            Some(
                Phase::Waiting { .. }
                | Phase::HeldBack { .. }
                | Phase::Claimable { .. }
                | Phase::Reserved(_),
            )
            | None => return Err(LeaseEnd::Expired),
        }
        Ok(())
    }

    /// Where a task is.
    pub(in crate::dispatch) fn standing(&self, action: ActionId) -> Option<Standing> {
        let task = self.tasks.get(&action)?;
        if let Some(held) = task.held() {
            return Some(Standing::Held {
                lease: Box::new(task.record()),
                expires_us: held.expires_us,
                said_us: held.said_us,
            });
        }
        if let Phase::Claimable { until_us } = task.phase {
            return Some(Standing::Claimable { until_us });
        }
        if let Phase::HeldBack { .. } = task.phase {
            return Some(Standing::HeldBack);
        }
        let dispatch = &task.dispatch;
        let (project, name) = (&dispatch.project, &dispatch.name);
        let served = self.providers.get(&(project.clone(), name.clone()));
        let served = served.into_iter().flatten();
        let is_asked = |queue: &&Arc<str>| {
            let target = dispatch.target.as_ref();
            target.is_none_or(|target| target == *queue)
        };
        let asked: Vec<(&Arc<str>, u32)> = served
            .map(|(queue, _)| queue)
            .filter(is_asked)
            .map(|queue| (queue, self.count_serving(dispatch, queue)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let is_paused = |queue: &Arc<str>| {
            let queue = self.queues.get(&(project.clone(), queue.clone()));
            queue.is_some_and(|queue| queue.settings.paused)
        };
        Some(Standing::Waiting {
            sessions: asked.iter().map(|(_, sessions)| *sessions).sum(),
            paused: !asked.is_empty() && asked.iter().all(|(queue, _)| is_paused(queue)),
            known: self.registry.knows(project, name),
            version: dispatch.version.clone(),
            until_us: self.due(action),
        })
    }

    /// Sessions of a queue that provide what a task asks for.
    fn count_serving(&self, dispatch: &engine::Dispatch, queue: &str) -> u32 {
        let version = dispatch.version.as_deref();
        let serving = self.sessions.values().filter(|session| {
            session.worker.project == dispatch.project
                && session.serves(queue, &dispatch.name, version)
        });
        u32::try_from(serving.count()).unwrap_or(u32::MAX)
    }

    /// Renews a lease that is held, or may be claimed.
    fn touch(
        &mut self,
        token: &str,
        session: Option<SessionId>,
        progress: Option<Data>,
    ) -> Result<Status, LeaseEnd> {
        let read = self.key.read(token).ok_or(LeaseEnd::Unknown)?;
        self.hold(read, session)?;
        let (now_us, lease_us) = (self.now_us, self.times.lease);
        let action = read.action;
        let task = self.tasks.get_mut(&action).ok_or(LeaseEnd::Ended)?;
        if let Phase::Offered(held) = &task.phase {
            task.phase = Phase::Leased(held.clone());
        }
        let is_cancelled = matches!(task.phase, Phase::Cancelled(_));
        let held = task.held_mut().ok_or(LeaseEnd::Expired)?;
        if !is_cancelled {
            held.expires_us = now_us.saturating_add(lease_us);
        }
        if progress.is_some() {
            held.said_us = now_us;
            held.progress = progress;
            // Said often, it is written down now and then.
            let soon_us = now_us.saturating_add(KEPT_AFTER_US);
            held.keep_us = Some(held.keep_us.map_or(soon_us, |at| at.min(soon_us)));
        }
        let expires_us = held.expires_us;
        self.arm(action);
        Ok(if is_cancelled {
            Status::Cancelled(expires_us)
        } else {
            Status::Held(expires_us)
        })
    }

    /// Makes sure that a lease is held: it is, or it is from before the server started and nobody
    /// else has the task.
    fn hold(&mut self, token: Token, session: Option<SessionId>) -> Result<(), LeaseEnd> {
        let task = self.tasks.get_mut(&token.action).ok_or(LeaseEnd::Ended)?;
        let claim = match &task.phase {
            Phase::Waiting { .. } | Phase::HeldBack { .. } => {
                task.claimable && token.lost == task.lost()
            }
            Phase::Claimable { .. } => {
                let kept = task
                    .dispatch
                    .lease
                    .as_ref()
                    .and_then(|lease| lease.id.as_deref());
                kept == Some(&*format!("{:x}", token.lease))
            }
            _ => false,
        };
        if claim {
            self.claim(token, session);
        }
        let task = self.tasks.get_mut(&token.action).ok_or(LeaseEnd::Ended)?;
        let lost = task.lost();
        let Some(held) = task.held_mut() else {
            return Err(LeaseEnd::Expired);
        };
        if held.lease != token.lease || lost != token.lost {
            return Err(LeaseEnd::Expired);
        }
        let before = held.session;
        if let Some(id) = session.filter(|id| before != Some(*id)) {
            held.session = Some(id);
            let bytes = task.bytes;
            for (session, is_new) in [(before, false), (Some(id), true)] {
                let Some(session) = session.and_then(|id| self.sessions.get_mut(&id)) else {
                    continue;
                };
                if is_new {
                    session.held.insert(token.action);
                    session.bytes = session.bytes.saturating_add(bytes);
                } else {
                    session.held.remove(&token.action);
                    session.bytes = session.bytes.saturating_sub(bytes);
                }
            }
        }
        Ok(())
    }

    /// A worker goes on with what it had before the server started.
    fn claim(&mut self, token: Token, session: Option<SessionId>) {
        let action = token.action;
        self.let_go(action);
        let now_us = self.now_us;
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        task.claimable = false;
        let mut kept = task.dispatch.lease.as_deref().cloned().unwrap_or_default();
        if kept.id.is_none() {
            // It ran so shortly that nothing was written down.
            let session = session.and_then(|id| self.sessions.get(&id));
            kept.worker = session.map_or_else(|| "".into(), |session| session.worker.id.clone());
            kept.identity = session.map_or_else(|| "".into(), |session| session.identity.clone());
            let queue = session.and_then(|session| session.queues.keys().next());
            let target = task.dispatch.target.as_ref();
            kept.queue = target
                .or(queue)
                .cloned()
                .unwrap_or_else(|| "default".into());
        }
        let dispatch = task.dispatch.clone();
        let (start_to_close_us, silence_us) = self.registry.limits(&dispatch, &kept.queue);
        let started_us = if kept.id.is_some() {
            kept.started_us
        } else {
            now_us
        };
        let worker = WorkerKey {
            project: dispatch.project.clone(),
            id: kept.worker,
        };
        let held = Held {
            lease: token.lease,
            worker,
            identity: kept.identity,
            queue: kept.queue.clone(),
            session: None,
            rank: None,
            started_us,
            expires_us: now_us.saturating_add(self.times.lease),
            said_us: now_us,
            silence_us,
            deadline_us: start_to_close_us.map(|most| started_us.saturating_add(most)),
            progress: None,
            keep_us: kept
                .id
                .is_none()
                .then(|| now_us.saturating_add(KEPT_AFTER_US)),
        };
        if let Some(worker) = self.workers.get_mut(&held.worker) {
            worker.leased += 1;
        }
        task.phase = Phase::Leased(held);
        self.queue_holds(&(dispatch.project.clone(), kept.queue), &dispatch.name);
        self.arm(action);
    }

    /// The worker from before the restart has not come back for its task.
    pub(super) fn claim_is_over(&mut self, action: ActionId) {
        let Some(task) = self.tasks.get(&action) else {
            return;
        };
        let lease = Box::new(task.record());
        self.forget(action);
        let loss = Loss::Expired;
        self.effects.push(Effect::Lost {
            action,
            lease,
            loss,
        });
    }

    /// A lease ends before its action: the engine decides what follows.
    pub(super) fn lose(&mut self, action: ActionId, loss: Loss) {
        let Some(task) = self.tasks.get(&action) else {
            return;
        };
        let lease = Box::new(task.record());
        if let Some(held) = task.held().cloned()
            && loss != Loss::Released
        {
            let reason = match loss {
                Loss::Silent => "silent",
                Loss::Expired | Loss::Released => LeaseEnd::Expired.word(),
            };
            self.tell(action, &held, Status::Lost, reason);
        }
        self.forget(action);
        self.effects.push(Effect::Lost {
            action,
            lease,
            loss,
        });
    }

    /// An attempt has taken longer than it may.
    pub(super) fn took_too_long(&mut self, action: ActionId) {
        let Some(task) = self.tasks.get(&action) else {
            return;
        };
        let mut lease = task.record();
        let name = task.dispatch.name.clone();
        if let Some(held) = task.held().cloned() {
            self.tell(action, &held, Status::Lost, "deadline");
        }
        self.forget(action);
        let message = format!("Action {name} has taken longer than it may.");
        lease.failure = Some(WorkerFailure {
            kind: "Timeout".into(),
            message: message.as_str().into(),
            ..WorkerFailure::default()
        });
        let report = WorkerReport {
            lease,
            is_over: true,
            next_attempt: None,
        };
        self.effects.push(Effect::End {
            action,
            outcome: Outcome::Error(Data::string(&message)),
            report: Some(Box::new(report)),
        });
    }

    fn news(&mut self, id: SessionId, token: &str, status: Status, reason: &'static str) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.outbox.leases.push(LeaseNews {
            token: token.to_owned(),
            status,
            reason,
        });
        self.effects.push(Effect::Wake(id));
    }
}
