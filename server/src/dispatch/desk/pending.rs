//! The order in which tasks wait: by the priority of their executions, fair between those of the
//! same, first come first served within one. A lower priority waits for as long as there is any of
//! a higher one.
//!
//! Each task gets a tag when it comes: one more than the last tag of its execution, but never less
//! than the tag that was handed out last. The lowest tag goes first. So an execution with a
//! thousand tasks and one with a single task take turns, and one that comes late loses nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine::{ActionId, ExecutionUid};

/// Where tasks wait: in one queue, or in all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Route {
    pub(super) project: Arc<str>,
    /// `None` for calls without `target`.
    pub(super) queue: Option<Arc<str>>,
    pub(super) action: Arc<str>,
    /// The version that is required; `None` where any will do.
    pub(super) version: Option<Arc<str>>,
}

/// Place of a task in the order: priority, tag, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    priority: Reverse<i32>,
    tag: u64,
    number: u64,
}

/// All tasks that wait.
#[derive(Default)]
pub(super) struct Pending {
    routes: HashMap<Route, Line>,
    /// Of executions with waiting tasks: their last tag, and how many wait.
    executions: HashMap<ExecutionUid, (u64, usize)>,
    /// The tag that was handed out last.
    tag: u64,
    number: u64,
}

/// The tasks that wait on one route.
#[derive(Default)]
struct Line {
    order: BTreeMap<Rank, (ActionId, ExecutionUid)>,
    ages: BTreeSet<(i64, ActionId)>,
}

impl Pending {
    /// Adds a task that was called at `created_us`; one that was here before keeps its rank.
    pub(super) fn add(
        &mut self,
        route: &Route,
        task: (ActionId, ExecutionUid, i64),
        priority: i32,
        rank: Option<Rank>,
    ) -> Rank {
        let (action, root, created_us) = task;
        let (last, count) = self.executions.entry(root).or_insert((self.tag, 0));
        *count += 1;
        let rank = rank.unwrap_or_else(|| {
            *last = (*last).max(self.tag) + 1;
            self.number += 1;
            Rank {
                priority: Reverse(priority),
                tag: *last,
                number: self.number,
            }
        });
        let line = self.routes.entry(route.clone()).or_default();
        line.order.insert(rank, (action, root));
        line.ages.insert((created_us, action));
        rank
    }

    /// Takes a task out, handed out or not.
    pub(super) fn remove(&mut self, route: &Route, rank: Rank, created_us: i64, handed_out: bool) {
        let Some(line) = self.routes.get_mut(route) else {
            return;
        };
        let Some((action, root)) = line.order.remove(&rank) else {
            return;
        };
        line.ages.remove(&(created_us, action));
        if line.order.is_empty() {
            self.routes.remove(route);
        }
        if handed_out {
            self.tag = self.tag.max(rank.tag);
        }
        if let Some((_, count)) = self.executions.get_mut(&root) {
            *count -= 1;
            if *count == 0 {
                self.executions.remove(&root);
            }
        }
    }

    /// The first task of a route.
    pub(super) fn first(&self, route: &Route) -> Option<(Rank, ActionId)> {
        let (rank, (action, _)) = self.routes.get(route)?.order.first_key_value()?;
        Some((*rank, *action))
    }

    /// How many wait on a route, and since when the oldest does.
    pub(super) fn backlog(&self, route: &Route) -> (usize, Option<i64>) {
        self.routes.get(route).map_or((0, None), |line| {
            let oldest = line.ages.first().map(|(created_us, _)| *created_us);
            (line.order.len(), oldest)
        })
    }

    pub(super) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.keys()
    }
}
