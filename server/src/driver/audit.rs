//! The auditor: looks whether what a running execution waits for is really under way.
//!
//! A few executions at a time, between two commits. One in which something is missing is dropped
//! from memory and loaded again from its rows, which finds everything that is to be done. An action
//! of it that runs goes on; one that is lost runs again where that is safe, else it fails.
//!
//! Something is missing only if nothing has happened to the execution for a while, and everything
//! was taken meanwhile that had been on its way to the lane.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::{ActionId, ActionState, Execution, ExecutionUid, Runner};

use super::lane::Lane;

/// How often the auditor looks, while there are executions.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);

/// Executions that it looks at then.
const LOOKED_AT_MAX: usize = 50;

/// Actions and children of one execution that it looks at.
const PARTS_MAX: usize = 50;

/// How long something must be missing at least; microseconds.
const MISSING_US: i64 = 2_000_000;

/// What the auditor has found since the server started.
#[derive(Debug, Default)]
pub struct Audit {
    /// Executions in which something was missing.
    violations: AtomicU64,
    /// Of these, those in which it was missing again after they were loaded again.
    failures: AtomicU64,
}

impl Audit {
    /// Executions that were found running without anything that would move them.
    pub fn violations(&self) -> u64 {
        self.violations.load(Ordering::Relaxed)
    }

    /// Those of them that loading again has not mended.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// What the auditor remembers.
#[derive(Debug, Default)]
pub(super) struct Auditor {
    /// What it has found.
    pub(super) found: Arc<Audit>,
    /// Executions that are left to look at in this round.
    round: Vec<ExecutionUid>,
    looked_us: i64,
    /// When the lane last had taken everything that was on its way to it.
    pub(super) drained_us: i64,
    /// Those in which something was missing.
    suspects: HashMap<ExecutionUid, Suspect>,
    /// Those that were loaded again: their last sequence then, and whether that did not help.
    repaired: HashMap<ExecutionUid, (i64, bool)>,
}

/// An execution in which something was missing.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    /// Its last event then.
    sequence: i64,
    since_us: i64,
}

impl Lane {
    /// Looks at the next executions, if it is time.
    pub(super) fn audit(&mut self) {
        let interval = i64::try_from(INTERVAL.as_micros()).unwrap_or(i64::MAX);
        if self.now_us < self.auditor.looked_us.saturating_add(interval) || self.has_mail() {
            return;
        }
        self.auditor.looked_us = self.now_us;
        if self.auditor.round.is_empty() {
            self.auditor.round = self.executions.keys().copied().collect();
            let known = &self.executions;
            self.auditor
                .suspects
                .retain(|uid, _| known.contains_key(uid));
            self.auditor
                .repaired
                .retain(|uid, _| known.contains_key(uid));
        }
        let left = self.auditor.round.len().saturating_sub(LOOKED_AT_MAX);
        let mut some = self.auditor.round.split_off(left);
        some.extend(self.auditor.suspects.keys().take(LOOKED_AT_MAX));
        for uid in some {
            self.look_at(uid);
        }
    }

    fn look_at(&mut self, uid: ExecutionUid) {
        let Some(slot) = self.executions.get(&uid) else {
            return;
        };
        let sequence = slot.execution.record().last_sequence;
        let Some(missing) = self.missing(&slot.execution) else {
            self.auditor.suspects.remove(&uid);
            return;
        };
        let since_us = self.now_us;
        let now = Suspect { sequence, since_us };
        let suspect = self.auditor.suspects.entry(uid).or_insert(now);
        if suspect.sequence != sequence {
            *suspect = now;
        }
        let first_us = suspect.since_us;
        if self.now_us < first_us + MISSING_US || self.auditor.drained_us <= first_us {
            return;
        }
        self.auditor.suspects.remove(&uid);
        let found = &self.auditor.found;
        if let Some((at, is_told)) = self.auditor.repaired.get_mut(&uid)
            && *at == sequence
        {
            // Loading it once more would not help.
            if !std::mem::replace(is_told, true) {
                found.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    execution.uid = %uid,
                    audit.failures = found.failures(),
                    "execution {uid} still runs although {missing}"
                );
            }
            return;
        }
        found.violations.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            execution.uid = %uid,
            audit.violations = found.violations(),
            "execution {uid} runs although {missing}: it is loaded again"
        );
        self.repair(uid);
    }

    /// Loads an execution and its missing children again.
    fn repair(&mut self, uid: ExecutionUid) {
        let slot = self.executions.get(&uid);
        let children = slot.map(|slot| slot.execution.active_children());
        self.evict(uid);
        let all = children.unwrap_or_default().into_iter().chain([uid]);
        for each in all {
            if let Err(error) = self.load(each) {
                tracing::warn!(execution.uid = %each, "{each} cannot be loaded yet: {error}");
                self.lost.insert(each);
            }
        }
        self.deliver();
        self.commit();
        if let Some(slot) = self.executions.get(&uid) {
            let sequence = slot.execution.record().last_sequence;
            self.auditor.repaired.insert(uid, (sequence, false));
        }
    }

    /// What should be under way and is not, in words.
    fn missing(&self, execution: &Execution) -> Option<String> {
        let uid = execution.uid();
        if execution.record().state.is_final() || self.lost.contains(&uid) {
            return None;
        }
        if execution.has_work() {
            let is_planned = self.continued.contains(&uid);
            return (!is_planned).then(|| "its next steps are not planned".to_owned());
        }
        if !engine::is_moving(execution) {
            return Some("it waits for nothing".to_owned());
        }
        if let Some(due) = execution.next_due_us()
            && !self.timers.contains(&(due, uid))
        {
            return Some("its timer is not set".to_owned());
        }
        let children = execution.active_children();
        let mut children = children.iter().take(PARTS_MAX);
        if let Some(child) = children.find(|child| !self.executions.contains_key(child)) {
            return Some(format!("its sub-workflow {child} does not"));
        }
        let mut actions = execution.active_actions().take(PARTS_MAX);
        let hands = &self.hands;
        let lost = actions.find(|id| match runner_of(execution, *id) {
            Some(Runner::Server) => !hands.runner.is_running(*id),
            Some(Runner::Worker) => hands.dispatcher.is_lost(*id),
            Some(Runner::Inline | Runner::External | Runner::Child) | None => false,
        });
        lost.map(|action| format!("its action {action} does not"))
    }
}

/// Whether an action of an execution is run by that.
pub(super) fn is_run_by(execution: &Execution, runner: Runner) -> bool {
    let mut actions = execution.active_actions();
    actions.any(|id| runner_of(execution, id) == Some(runner))
}

/// Who has an action under way, by its record.
fn runner_of(execution: &Execution, id: ActionId) -> Option<Runner> {
    let task = execution.task_record(id.task.number)?;
    let record = task.actions.iter().find(|one| one.number == id.number)?;
    (record.state == ActionState::Running).then_some(record.runner)
}
