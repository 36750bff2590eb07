//! Who is there: workers come, say what they provide, and are forgotten.

use std::collections::{BTreeMap, BTreeSet};

use engine::ActionId;

use super::session::{Identity, Offered, Opening, SessionId, WorkerKey};
use super::{Desk, Effect, Timer, WORKER_FORGOTTEN_US, Worker};

impl Desk {
    /// Keeps what a worker provides, if it is news.
    pub(super) fn announce(&mut self, opening: &Opening) {
        let project = &opening.worker.project;
        let mut news = Vec::new();
        let mut unknown = Vec::new();
        for subscription in &opening.subscriptions {
            for Offered { name, provided, .. } in &subscription.actions {
                if !self.registry.knows(project, name) {
                    unknown.push(name.clone());
                }
                let place = (project, name, &subscription.queue);
                news.extend(self.registry.note(place, provided, self.now_us));
            }
        }
        if !news.is_empty() {
            self.effects.push(Effect::Announce(news));
        }
        // Calls that were to fail because nobody knew the action wait for longer now.
        for name in unknown {
            let waiting = self
                .tasks
                .iter()
                .filter(|(_, task)| task.dispatch.name == name);
            let waiting: Vec<ActionId> = waiting.map(|(action, _)| *action).collect();
            for action in waiting {
                self.arm(action);
            }
        }
    }

    pub(super) fn note_worker(&mut self, opening: &Opening, session: SessionId) {
        let now_us = self.now_us;
        let timers = &mut self.timers;
        let worker = self
            .workers
            .entry(opening.worker.clone())
            .or_insert_with(|| {
                let look_us = now_us.saturating_add(WORKER_FORGOTTEN_US);
                timers.insert((look_us, Timer::Worker(opening.worker.clone())));
                Worker::new(now_us)
            });
        worker.seen_us = now_us;
        worker.identity.clone_from(&opening.identity);
        worker.sessions.insert(session);
        for subscription in &opening.subscriptions {
            worker.queues.insert(subscription.queue.clone());
            let actions = subscription.actions.iter();
            let versions = actions.map(|action| (action.name.clone(), action.version.clone()));
            worker.actions.extend(versions);
        }
    }

    /// Takes note that a worker is alive. Whether it gets no more tasks.
    pub(in crate::dispatch) fn seen(&mut self, key: &WorkerKey, now_us: i64) -> bool {
        self.workers.get_mut(key).is_some_and(|worker| {
            worker.seen_us = now_us;
            worker.drained
        })
    }

    /// Forgets a worker that has nothing and says nothing.
    pub(super) fn look_after_worker(&mut self, key: &WorkerKey) {
        let Some(worker) = self.workers.get(key) else {
            return;
        };
        let look_us = worker.seen_us.saturating_add(WORKER_FORGOTTEN_US);
        let is_idle = worker.sessions.is_empty() && worker.leased == 0;
        if is_idle && look_us <= self.now_us {
            self.workers.remove(key);
            return;
        }
        let look_us = look_us.max(self.now_us.saturating_add(WORKER_FORGOTTEN_US / 10));
        self.timers.insert((look_us, Timer::Worker(key.clone())));
    }
}

impl Worker {
    fn new(now_us: i64) -> Self {
        Self {
            identity: Identity::default(),
            queues: BTreeSet::new(),
            actions: BTreeMap::new(),
            sessions: BTreeSet::new(),
            leased: 0,
            drained: false,
            created_us: now_us,
            seen_us: now_us,
        }
    }
}
