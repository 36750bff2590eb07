//! Workers and queues for those who look after them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gate::Settings;
use super::pending::Route;
use super::registry::Known;
use super::session::{Identity, WorkerKey};
use super::{Desk, QueueKey};

/// A worker.
#[derive(Clone, Debug)]
pub(crate) struct WorkerView {
    pub(crate) key: WorkerKey,
    pub(crate) identity: Identity,
    pub(crate) queues: Vec<Arc<str>>,
    /// With their versions, empty where there is none.
    pub(crate) actions: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) connected: bool,
    pub(crate) drained: bool,
    pub(crate) leased: u32,
    pub(crate) credits: u32,
    pub(crate) created_us: i64,
    pub(crate) seen_us: i64,
}

/// A queue.
#[derive(Clone, Debug)]
pub(crate) struct QueueView {
    pub(crate) project: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) settings: Settings,
    pub(crate) revision: i32,
    pub(crate) backlog: usize,
    pub(crate) oldest_us: Option<i64>,
    pub(crate) leased: u32,
    pub(crate) workers: u32,
    pub(crate) per_second: f64,
}

impl Desk {
    /// A worker.
    pub(in crate::dispatch) fn worker(&self, key: &WorkerKey) -> Option<WorkerView> {
        let worker = self.workers.get(key)?;
        let sessions = worker
            .sessions
            .iter()
            .filter_map(|id| self.sessions.get(id));
        let sessions: Vec<_> = sessions.collect();
        let credits = sessions.iter().flat_map(|session| session.queues.values());
        Some(WorkerView {
            key: key.clone(),
            identity: worker.identity.clone(),
            queues: worker.queues.iter().cloned().collect(),
            actions: worker.actions.clone(),
            connected: sessions.iter().any(|session| session.is_stream),
            drained: worker.drained || sessions.iter().any(|session| session.drained),
            leased: worker.leased,
            credits: credits.fold(0, |sum, serving| sum.saturating_add(serving.credits)),
            created_us: worker.created_us,
            seen_us: worker.seen_us,
        })
    }

    /// Workers of a project by their ids, after one.
    pub(in crate::dispatch) fn workers(
        &self,
        project: &Arc<str>,
        after: &str,
        count: usize,
    ) -> Vec<WorkerView> {
        let from = WorkerKey {
            project: project.clone(),
            id: after.into(),
        };
        let keys = self.workers.range(from.clone()..).map(|(key, _)| key);
        let keys = keys.filter(|key| **key != from);
        let keys = keys.take_while(|key| key.project == *project).take(count);
        keys.filter_map(|key| self.worker(key)).collect()
    }

    /// A queue, if there is anything to say of it.
    pub(in crate::dispatch) fn queue(
        &self,
        project: &Arc<str>,
        name: &Arc<str>,
        now_us: i64,
    ) -> Option<QueueView> {
        let key = (project.clone(), name.clone());
        let queue = self.queues.get(&key);
        let mut backlog = 0;
        let mut oldest: Option<i64> = None;
        for route in self.routes_of(&key) {
            let (count, since) = self.pending.backlog(&route);
            backlog += count;
            oldest = match (oldest, since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        if backlog == 0 && queue.is_none_or(super::Queue::is_plain) {
            return None;
        }
        let workers = self.workers.iter().filter(|(key, worker)| {
            key.project == *project && !worker.sessions.is_empty() && worker.queues.contains(name)
        });
        Some(QueueView {
            project: project.clone(),
            name: name.clone(),
            settings: queue
                .map(|queue| queue.settings.clone())
                .unwrap_or_default(),
            revision: queue.map_or(0, |queue| queue.revision),
            backlog,
            oldest_us: oldest,
            leased: queue.map_or(0, |queue| queue.leased),
            workers: u32::try_from(workers.count()).unwrap_or(u32::MAX),
            per_second: queue.map_or(0.0, |queue| queue.meter.per_second(now_us)),
        })
    }

    /// Where tasks wait that a queue may hand out.
    fn routes_of(&self, key: &QueueKey) -> Vec<Route> {
        let (project, name) = key;
        let is_ours = |route: &&Route| {
            let provided = || self.registry.find(project, &route.action, name).is_some();
            route.project == *project
                && match &route.queue {
                    Some(queue) => queue == name,
                    None => provided(),
                }
        };
        self.pending.routes().filter(is_ours).cloned().collect()
    }

    /// Names of all queues of a project of which there is anything to say.
    pub(in crate::dispatch) fn queue_names(&self, project: &Arc<str>) -> BTreeSet<Arc<str>> {
        let set = self.queues.iter().filter(|(_, queue)| !queue.is_plain());
        let set = set.map(|((of, name), _)| (of, name));
        let mut names: BTreeSet<Arc<str>> = set
            .filter(|(of, _)| *of == project)
            .map(|(_, name)| name.clone())
            .collect();
        for route in self
            .pending
            .routes()
            .filter(|route| route.project == *project)
        {
            match &route.queue {
                Some(queue) => drop(names.insert(queue.clone())),
                None => names.extend(self.queues_that_know(project, &route.action)),
            }
        }
        names
    }

    fn queues_that_know(&self, project: &Arc<str>, action: &Arc<str>) -> Vec<Arc<str>> {
        let known = self.registry.of_name(project, action);
        known
            .map(|queues| queues.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// How a queue is set, and how often that was changed.
    pub(in crate::dispatch) fn settings(
        &self,
        project: &Arc<str>,
        name: &Arc<str>,
    ) -> (Settings, i32) {
        let queue = self.queues.get(&(project.clone(), name.clone()));
        queue
            .map(|queue| (queue.settings.clone(), queue.revision))
            .unwrap_or_default()
    }

    /// Sets a queue, after that was kept.
    pub(in crate::dispatch) fn set_queue(
        &mut self,
        key: &QueueKey,
        settings: Settings,
        revision: i32,
        now_us: i64,
    ) {
        self.now_us = now_us;
        let mut counts: BTreeMap<Arc<str>, u32> = BTreeMap::new();
        for task in self.tasks.values() {
            if let Some(held) = task.held()
                && (&task.dispatch.project, &held.queue) == (&key.0, &key.1)
            {
                *counts.entry(task.dispatch.name.clone()).or_default() += 1;
            }
        }
        let queue = self.queues.entry(key.clone()).or_default();
        if queue.revision >= revision {
            return;
        }
        queue.revision = revision;
        queue.gate.set(settings.limits, now_us);
        queue.gate.leased = counts.values().sum();
        let mut gates = BTreeMap::new();
        for (action, limits) in &settings.actions {
            let mut gate = queue.gates.remove(action).unwrap_or_default();
            gate.set(*limits, now_us);
            gate.leased = counts.get(action).copied().unwrap_or(0);
            gates.insert(action.clone(), gate);
        }
        queue.gates = gates;
        queue.settings = settings;
        self.pump(key);
    }

    /// A worker has a task of a queue, though it was not handed out just now.
    pub(super) fn queue_holds(&mut self, key: &QueueKey, action: &Arc<str>) {
        let queue = self.queues.entry(key.clone()).or_default();
        queue.leased += 1;
        queue.gate.leased += 1;
        if let Some(gate) = queue.gates.get_mut(action) {
            gate.leased += 1;
        }
    }

    /// An action that was provided, as its first queue has it.
    pub(in crate::dispatch) fn known_action(&self, project: &str, name: &str) -> Option<Known> {
        let queues = self.registry.of_name(project, name)?;
        queues.values().next().cloned()
    }

    /// All actions that were ever provided: their projects and names.
    pub(in crate::dispatch) fn known_names(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.registry.names()
    }

    /// All actions that were provided in a project, each as its first queue has it.
    pub(in crate::dispatch) fn known_actions(&self, project: &str) -> Vec<(Arc<str>, Known)> {
        let all = self.registry.of_project(project);
        let first = |(name, queues): (&Arc<str>, &BTreeMap<Arc<str>, Known>)| {
            let known = queues.values().next()?;
            Some((name.clone(), known.clone()))
        };
        all.filter_map(first).collect()
    }
}
