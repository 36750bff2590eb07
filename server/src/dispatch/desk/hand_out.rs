//! Handing out: sessions come and go, tasks find them.

use std::sync::Arc;

use engine::{ActionId, Loss};

use super::choice::{closeness, places};
use super::gate::Pass;
use super::pending::{Rank, Route};
use super::session::{Offer, Opening, Outbox, Session, SessionId, WorkerKey};
use super::{Desk, Effect, Held, KEPT_AFTER_US, Phase, Queue, QueueKey, Timer, Token};

impl Desk {
    /// Opens a session. What it can take at once is in its outbox.
    pub(in crate::dispatch) fn open(&mut self, opening: &Opening, now_us: i64) -> SessionId {
        self.now_us = now_us;
        self.last_session += 1;
        let id = self.last_session;
        self.announce(opening);
        self.note_worker(opening, id);
        let mut session = Session::new(opening);
        session.drained = self.workers[&opening.worker].drained;
        session.outbox.drained = session.drained;
        let project = &opening.worker.project;
        for (name, serving) in &session.queues {
            let queue = self
                .queues
                .entry((project.clone(), name.clone()))
                .or_default();
            queue.sessions += 1;
            for action in serving.actions.keys() {
                let key = (project.clone(), action.clone());
                *self
                    .providers
                    .entry(key)
                    .or_default()
                    .entry(name.clone())
                    .or_default() += 1;
            }
        }
        self.sessions.insert(id, session);
        self.fill(id);
        self.make_ready(id);
        id
    }

    /// Closes a session. What it was sent and has not accepted is lost with it, unless it has said
    /// that it wants nothing more; what it has stays with its worker.
    pub(in crate::dispatch) fn close(&mut self, id: SessionId, now_us: i64) {
        self.now_us = now_us;
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        let project = &session.worker.project;
        for (name, serving) in &session.queues {
            if let Some(queue) = self.queues.get_mut(&(project.clone(), name.clone())) {
                queue.sessions = queue.sessions.saturating_sub(1);
                queue.ready.retain(|ready| *ready != id);
            }
            for action in serving.actions.keys() {
                let key = (project.clone(), action.clone());
                let Some(queues) = self.providers.get_mut(&key) else {
                    continue;
                };
                if let Some(count) = queues.get_mut(name) {
                    *count -= 1;
                    if *count == 0 {
                        queues.remove(name);
                    }
                }
                if queues.is_empty() {
                    self.providers.remove(&key);
                }
            }
        }
        if let Some(worker) = self.workers.get_mut(&session.worker) {
            worker.sessions.remove(&id);
            worker.seen_us = now_us;
        }
        // What stands in the outbox was never seen by anybody.
        let unseen = session
            .outbox
            .tasks
            .iter()
            .map(|offer| offer.dispatch.action);
        let unseen: Vec<ActionId> = unseen.collect();
        for action in session.held.iter().copied() {
            let Some(task) = self.tasks.get_mut(&action) else {
                continue;
            };
            let is_unseen = unseen.contains(&action);
            match &mut task.phase {
                Phase::Reserved(_) => self.undo(action),
                Phase::Offered(_) | Phase::Leased(_) if is_unseen => self.undo(action),
                Phase::Offered(_) if session.drained => self.undo(action),
                // It was sent, and may have run without a word: perhaps that is why the stream is
                // over. So it counts as handed out.
                Phase::Offered(_) => self.lose(action, Loss::Expired),
                Phase::Leased(held) | Phase::Ending(held) | Phase::Cancelled(held) => {
                    held.session = None;
                }
                Phase::Waiting { .. } | Phase::HeldBack { .. } | Phase::Claimable { .. } => {}
            }
        }
    }

    /// What a session is to be told.
    pub(in crate::dispatch) fn collect(&mut self, id: SessionId) -> Outbox {
        let session = self.sessions.get_mut(&id);
        session.map_or_else(Outbox::default, |session| {
            std::mem::take(&mut session.outbox)
        })
    }

    /// A session takes more tasks from a queue. False if it does not serve that.
    pub(in crate::dispatch) fn grant(
        &mut self,
        id: SessionId,
        queue: &str,
        count: u32,
        now_us: i64,
    ) -> bool {
        self.now_us = now_us;
        let Some(session) = self.sessions.get_mut(&id) else {
            return false;
        };
        let Some(serving) = session.queues.get_mut(queue) else {
            return false;
        };
        serving.credits = serving.credits.saturating_add(count);
        self.fill(id);
        self.make_ready(id);
        true
    }

    /// A session takes nothing more, and gives back what it has not accepted.
    pub(in crate::dispatch) fn drain(&mut self, id: SessionId, now_us: i64) {
        self.now_us = now_us;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.drained = true;
        session.outbox.drained = true;
        let held: Vec<ActionId> = session.held.iter().copied().collect();
        self.effects.push(Effect::Wake(id));
        for action in held {
            let phase = self.tasks.get(&action).map(|task| &task.phase);
            if matches!(phase, Some(Phase::Offered(_) | Phase::Reserved(_))) {
                self.undo(action);
            }
        }
    }

    /// A worker gets nothing more. The tasks that it has; `None` if it is not known.
    pub(in crate::dispatch) fn drain_worker(
        &mut self,
        key: &WorkerKey,
        now_us: i64,
    ) -> Option<u32> {
        self.now_us = now_us;
        let worker = self.workers.get_mut(key)?;
        worker.drained = true;
        for session in worker.sessions.clone() {
            self.drain(session, now_us);
        }
        self.workers.get(key).map(|worker| worker.leased)
    }

    /// What must be handed out after it was written down.
    pub(in crate::dispatch) fn confirm(&mut self, action: ActionId, now_us: i64) {
        self.now_us = now_us;
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        let Phase::Reserved(held) = &task.phase else {
            return;
        };
        let mut held = held.clone();
        held.keep_us = None;
        self.send(action, held);
    }

    /// Finds a worker for a task, or lets it wait.
    pub(super) fn place(&mut self, action: ActionId, rank: Option<Rank>) {
        let Some(task) = self.tasks.get(&action) else {
            return;
        };
        if self.paused.contains(&action.task.execution) {
            self.hold_back(action, rank);
            return;
        }
        let (dispatch, route) = (task.dispatch.clone(), task.route());
        let bytes = task.bytes;
        if let Some((session, queue)) = self.find_session(&dispatch, bytes) {
            self.assign(action, session, queue, rank);
            return;
        }
        let place = (action, dispatch.root, dispatch.created_us);
        let rank = self.pending.add(&route, place, dispatch.priority, rank);
        if let Some(task) = self.tasks.get_mut(&action) {
            task.phase = Phase::Waiting { rank };
        }
        self.arm(action);
    }

    /// A session that takes a task now.
    fn find_session(
        &mut self,
        dispatch: &engine::Dispatch,
        bytes: u64,
    ) -> Option<(SessionId, Arc<str>)> {
        let (project, action) = (&dispatch.project, &dispatch.name);
        let served = self.providers.get(&(project.clone(), action.clone()))?;
        let is_asked = |queue: &&Arc<str>| {
            dispatch
                .target
                .as_ref()
                .is_none_or(|target| target == *queue)
        };
        let names: Vec<Arc<str>> = served.keys().filter(is_asked).cloned().collect();
        for name in names {
            let key = (project.clone(), name.clone());
            if !self.passes(&key, action) {
                continue;
            }
            let queue = self.queues.get(&key)?;
            let sessions = &self.sessions;
            let takes = |id: &&SessionId| {
                let session = sessions.get(id);
                session.is_some_and(|session| {
                    session.takes(&name)
                        && session.serves(&name, action, dispatch.version.as_deref())
                        && session.has_room(bytes)
                })
            };
            let mut free = queue.ready.iter().filter(takes);
            let chosen = match &dispatch.affinity {
                None => free.next(),
                Some(affinity) => free.max_by_key(|id| closeness(affinity, &sessions[id].worker)),
            };
            if let Some(id) = chosen {
                return Some((*id, name));
            }
        }
        None
    }

    /// Whether a queue lets a task of an action through now. If it will later, it is looked at
    /// then.
    fn passes(&mut self, key: &QueueKey, action: &Arc<str>) -> bool {
        let now_us = self.now_us;
        let Some(queue) = self.queues.get_mut(key) else {
            return false;
        };
        if queue.settings.paused {
            return false;
        }
        let of_action = queue.gates.get_mut(action).map(|gate| gate.ask(now_us));
        let passes = [queue.gate.ask(now_us), of_action.unwrap_or(Pass::Open)];
        let mut open = true;
        for pass in passes {
            match pass {
                Pass::Open => {}
                Pass::Full => open = false,
                Pass::Until(time) => {
                    open = false;
                    if queue.armed.is_none_or(|armed| armed > time) {
                        if let Some(armed) = queue.armed.replace(time) {
                            self.timers.remove(&(armed, Timer::Queue(key.clone())));
                        }
                        self.timers.insert((time, Timer::Queue(key.clone())));
                    }
                }
            }
        }
        open
    }

    /// Gives a session as many of the tasks that wait as it takes.
    pub(super) fn fill(&mut self, id: SessionId) {
        while let Some((action, queue)) = self.next_for(id) {
            let task = self.tasks.get(&action);
            let task = task.expect("what waits is known");
            let (route, created_us) = (task.route(), task.dispatch.created_us);
            let Phase::Waiting { rank } = task.phase else {
                unreachable!("what waits is in this phase")
            };
            self.pending.remove(&route, rank, created_us, true);
            self.assign(action, id, queue, Some(rank));
        }
    }

    /// The first of all tasks that a session may take now, and from which queue.
    fn next_for(&mut self, id: SessionId) -> Option<(ActionId, Arc<str>)> {
        let session = self.sessions.get(&id)?;
        let project = session.worker.project.clone();
        let mut heads = Vec::new();
        for (name, serving) in &session.queues {
            if !session.takes(name) {
                continue;
            }
            for (action, version) in &serving.actions {
                let versions = [Some(version.clone()).filter(|own| !own.is_empty()), None];
                for (queue, version) in places(name, &versions) {
                    let route = Route {
                        project: project.clone(),
                        queue,
                        action: action.clone(),
                        version,
                    };
                    if let Some((rank, task)) = self.pending.first(&route)
                        && session.has_room(self.tasks[&task].bytes)
                    {
                        heads.push((rank, task, name.clone(), action.clone()));
                    }
                }
            }
        }
        heads.sort_by_key(|(rank, ..)| *rank);
        heads.into_iter().find_map(|(_, task, queue, action)| {
            let key = (project.clone(), queue.clone());
            self.passes(&key, &action).then_some((task, queue))
        })
    }

    /// Lets all sessions of a queue take what they can.
    pub(super) fn pump(&mut self, key: &QueueKey) {
        let Some(queue) = self.queues.get(key) else {
            return;
        };
        for id in queue.ready.iter().copied().collect::<Vec<_>>() {
            self.fill(id);
            self.make_ready(id);
        }
    }

    /// Puts a session in line where it can take something, and out of it where it cannot.
    pub(super) fn make_ready(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        for name in session.queues.keys() {
            let key = (session.worker.project.clone(), name.clone());
            let Some(queue) = self.queues.get_mut(&key) else {
                continue;
            };
            let place = queue.ready.iter().position(|ready| *ready == id);
            match (place, session.takes(name)) {
                (None, true) => queue.ready.push_back(id),
                (Some(place), false) => {
                    queue.ready.remove(place);
                }
                (None, false) | (Some(_), true) => {}
            }
        }
    }

    /// Hands a task out to a session that takes it.
    fn assign(&mut self, action: ActionId, id: SessionId, queue: Arc<str>, rank: Option<Rank>) {
        let now_us = self.now_us;
        self.last_lease += 1;
        let (Some(task), Some(session)) = (self.tasks.get_mut(&action), self.sessions.get_mut(&id))
        else {
            return;
        };
        task.claimable = false;
        session.held.insert(action);
        session.bytes += task.bytes;
        session.tasks_left = session.tasks_left.saturating_sub(1);
        if let Some(serving) = session.queues.get_mut(&queue) {
            serving.credits = serving.credits.saturating_sub(1);
        }
        let dispatch = task.dispatch.clone();
        let (start_to_close_us, silence_us) = self.registry.limits(&dispatch, &queue);
        let held = Held {
            lease: self.last_lease,
            worker: session.worker.clone(),
            identity: session.identity.clone(),
            queue: queue.clone(),
            session: Some(id),
            rank,
            started_us: now_us,
            expires_us: now_us.saturating_add(self.times.lease),
            said_us: now_us,
            silence_us,
            deadline_us: start_to_close_us.map(|most| now_us.saturating_add(most)),
            progress: None,
            keep_us: Some(now_us.saturating_add(KEPT_AFTER_US)),
        };
        if let Some(worker) = self.workers.get_mut(&held.worker) {
            worker.leased += 1;
        }
        let key = (dispatch.project.clone(), queue);
        self.queue_takes(&key, &dispatch.name);
        self.rotate(&key, id);
        if dispatch.is_repeatable {
            self.send(action, held);
            return;
        }
        // Who has it must be known for sure before it is run.
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        task.phase = Phase::Reserved(held);
        let lease = Box::new(task.record());
        self.effects.push(Effect::Hold {
            action,
            lease,
            confirm: true,
        });
        self.arm(action);
    }

    fn queue_takes(&mut self, key: &QueueKey, action: &Arc<str>) {
        let now_us = self.now_us;
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        queue.leased += 1;
        queue.gate.take();
        queue.meter.count(now_us);
        if let Some(gate) = queue.gates.get_mut(action) {
            gate.take();
        }
    }

    /// The session that was just given something comes last.
    fn rotate(&mut self, key: &QueueKey, id: SessionId) {
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        if queue.ready.front() == Some(&id) {
            queue.ready.rotate_left(1);
        }
        self.make_ready(id);
    }

    /// Puts a task into the outbox of its session.
    fn send(&mut self, action: ActionId, mut held: Held) {
        let (Some(id), Some(task)) = (held.session, self.tasks.get_mut(&action)) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let expires_us = held.expires_us;
        let (lease, lost) = (held.lease, task.lost());
        let token = self.key.write(Token {
            action,
            lost,
            lease,
        });
        let dispatch = task.dispatch.clone();
        let kept = dispatch
            .lease
            .as_ref()
            .and_then(|lease| lease.progress.clone());
        session.outbox.tasks.push(Offer {
            token,
            queue: held.queue.clone(),
            delivery: lost.saturating_add(1),
            progress: kept.or_else(|| dispatch.progress.clone()),
            expires_us,
            deadline_us: held.deadline_us,
            silence_us: held.silence_us,
            dispatch,
        });
        task.phase = if session.is_stream {
            held.expires_us = self.now_us.saturating_add(self.times.accept);
            Phase::Offered(held)
        } else {
            Phase::Leased(held)
        };
        self.effects.push(Effect::Wake(id));
        self.arm(action);
    }

    /// Takes a task back that was handed out and not accepted: it is as it was before.
    pub(super) fn undo(&mut self, action: ActionId) {
        let Some(held) = self
            .tasks
            .get(&action)
            .and_then(|task| task.held().cloned())
        else {
            return;
        };
        let was_sent = self.withdraw(action, &held);
        self.let_go(action);
        // One that was sent and not accepted has used its credit up: its worker is slow or deaf.
        if let Some(id) = held.session.filter(|_| !was_sent)
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.tasks_left = session.tasks_left.saturating_add(1);
            if let Some(serving) = session.queues.get_mut(&held.queue) {
                serving.credits = serving.credits.saturating_add(1);
            }
            self.make_ready(id);
        }
        self.place(action, held.rank);
    }

    /// Takes a task out of the outbox of its session. Whether it was sent already.
    fn withdraw(&mut self, action: ActionId, held: &Held) -> bool {
        let session = held.session.and_then(|id| self.sessions.get_mut(&id));
        let Some(session) = session else { return true };
        let count = session.outbox.tasks.len();
        let is_other = |offer: &Offer| offer.dispatch.action != action;
        session.outbox.tasks.retain(is_other);
        let is_reserved = matches!(self.tasks[&action].phase, Phase::Reserved(_));
        count == session.outbox.tasks.len() && !is_reserved
    }

    /// Frees what a task takes up: its place in the line, or in limits and sessions.
    pub(super) fn let_go(&mut self, action: ActionId) {
        let Some(task) = self.tasks.get(&action) else {
            return;
        };
        let (project, name) = (task.dispatch.project.clone(), task.dispatch.name.clone());
        if let Phase::Waiting { rank } = task.phase {
            let (route, created_us) = (task.route(), task.dispatch.created_us);
            self.pending.remove(&route, rank, created_us, false);
            return;
        }
        let bytes = task.bytes;
        let Some(held) = task.held().cloned() else {
            return;
        };
        if let Some(session) = held.session.and_then(|id| self.sessions.get_mut(&id)) {
            session.held.remove(&action);
            session.bytes = session.bytes.saturating_sub(bytes);
        }
        if let Some(worker) = self.workers.get_mut(&held.worker) {
            worker.leased = worker.leased.saturating_sub(1);
        }
        let key = (project, held.queue);
        let mut was_limited = false;
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.leased = queue.leased.saturating_sub(1);
            queue.gate.give_back();
            was_limited = queue.gate.is_limited();
            if let Some(gate) = queue.gates.get_mut(&name) {
                gate.give_back();
                was_limited = true;
            }
        }
        if let Some(task) = self.tasks.get_mut(&action) {
            let until_us = self.now_us;
            task.phase = Phase::Claimable { until_us };
        }
        // Its own session may have been full of bytes; others wait only where there is a limit.
        if let Some(id) = held.session {
            self.fill(id);
            self.make_ready(id);
        }
        if was_limited {
            self.pump(&key);
        }
    }
}

impl Queue {
    /// Whether there is anything to say of it.
    pub(super) fn is_plain(&self) -> bool {
        self.revision == 0 && self.sessions == 0 && self.leased == 0
    }
}
