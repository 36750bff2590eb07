//! What workers have of an execution: leases that are taken, lost, and brought to an end.
//!
//! Who may have a lease, and until when, is decided outside. Here a lease that is over stays over,
//! and a result counts once.

use super::Machine;
use crate::changes::unsafe_again;
use crate::data::Data;
use crate::error::Error;
use crate::event::Outcome;
use crate::history::HistoryKind;
use crate::id::ActionId;
use crate::lease::{Lease, LeaseEnd, Loss, WorkerReport};
use crate::record::{ActionRecord, Runner};
use crate::state::ActionState;

impl Machine<'_> {
    /// Takes note of who has the action, and how far it is.
    pub(super) fn action_held(
        &mut self,
        task: u32,
        action: u32,
        lease: Lease,
    ) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        if record.state.is_final() || record.runner != Runner::Worker || !is_present(record, &lease)
        {
            return Err(lost(record));
        }
        self.keep_lease(task, action, lease);
        Ok(())
    }

    /// The lease is over, the action is not: it is handed out again, unless that is not safe or was
    /// done too often.
    pub(super) fn action_lost(
        &mut self,
        task: u32,
        action: u32,
        lease: Lease,
        loss: Loss,
    ) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        if record.state.is_final() || record.runner != Runner::Worker || !is_present(record, &lease)
        {
            return Err(lost(record));
        }
        let name = record.name.clone();
        let worker = match &lease.identity {
            none if none.is_empty() => lease.worker.clone(),
            identity => identity.clone(),
        };
        let released = loss == Loss::Released;
        self.keep_lease(task, action, Lease { id: None, ..lease });
        let kind = HistoryKind::ActionLeaseLost {
            action,
            worker: worker.clone(),
            delivery: self.lease_of(task, action).delivery(),
            loss,
        };
        self.ex.log(self.now, Some(task), kind);
        self.ex.change_action(task, action, |record| {
            let lease = record.lease.get_or_insert_default();
            lease.lost = lease.lost.saturating_add(1);
            lease.crashes = lease.crashes.saturating_add(u32::from(!released));
        });
        let crashes = self.lease_of(task, action).crashes;
        if !released && crashes >= self.world.limits().deliveries_max {
            let message = format!(
                "Action {name} was handed out {crashes} times, and each time its worker was lost \
                 with it; the last was {worker}."
            );
            self.action_ended(task, action, Outcome::Error(Data::string(&message)));
        } else if released || self.is_repeatable(task, action) {
            self.run_action(task, action);
        } else {
            let id = ActionId {
                task: self.ex.task_id(task),
                number: action,
            };
            self.action_ended(task, action, unsafe_again(id, &name));
        }
        Ok(())
    }

    /// Takes the end of an action from a worker. The same end under the same lease again is none.
    pub(super) fn worker_done(
        &mut self,
        task: u32,
        action: u32,
        outcome: Outcome,
        report: WorkerReport,
    ) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        if record.state.is_final() && is_same(record, &report.lease) {
            return match record.state {
                ActionState::Cancelled => Err(lost(record)),
                _ => Ok(()),
            };
        }
        if record.state.is_final() || !is_present(record, &report.lease) {
            return Err(lost(record));
        }
        let is_present_attempt = record.attempt == self.ex.task(task).record.runtime.attempt();
        let mut lease = report.lease;
        if report.is_over {
            lease.id = None;
        }
        self.keep_lease(task, action, lease);
        if report.next_attempt.is_some() && is_present_attempt {
            let runtime = &mut self.ex.task_mut(task).record.runtime;
            // Of several items the one that rules attempts out decides, else the one that wants the
            // longest wait.
            runtime.next_attempt = runtime.next_attempt.max(report.next_attempt);
        }
        self.action_ended(task, action, outcome);
        Ok(())
    }

    /// The worker has done its part, and somebody ends the action later.
    pub(super) fn worker_deferred(
        &mut self,
        task: u32,
        action: u32,
        lease: Lease,
    ) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        if record.runner == Runner::External && is_same(record, &lease) {
            return Ok(());
        }
        if record.state.is_final() || !is_present(record, &lease) {
            return Err(lost(record));
        }
        self.keep_lease(task, action, lease);
        self.ex
            .change_action(task, action, |record| record.runner = Runner::External);
        Ok(())
    }

    fn lease_of(&self, task: u32, action: u32) -> &Lease {
        let record = self.ex.task(task).action(action);
        let lease = record.and_then(|record| record.lease.as_deref());
        lease.expect("it was just kept")
    }

    /// Keeps what is known of a lease. What was known before stays, where nothing new is said.
    fn keep_lease(&mut self, task: u32, action: u32, mut lease: Lease) {
        self.ex.change_action(task, action, |record| {
            if let Some(known) = &record.lease {
                (lease.lost, lease.crashes) = (known.lost, known.crashes);
                lease.progress = lease.progress.take().or_else(|| known.progress.clone());
            }
            record.lease = Some(Box::new(lease));
        });
    }
}

/// Whether it is the lease under which the action is: the one that is kept, or, if none is, the
/// one after those that were lost.
fn is_present(record: &ActionRecord, lease: &Lease) -> bool {
    match record.lease.as_deref() {
        None => lease.lost == 0,
        Some(known) if known.id.is_none() => lease.lost == known.lost,
        Some(known) => known.id == lease.id,
    }
}

/// Whether the action is known to be under exactly this lease.
fn is_same(record: &ActionRecord, lease: &Lease) -> bool {
    let known = record.lease.as_ref().and_then(|known| known.id.as_ref());
    known.is_some() && known == lease.id.as_ref()
}

fn lost(record: &ActionRecord) -> Error {
    let why = match record.state {
        ActionState::Cancelled => LeaseEnd::Cancelled,
        state if state.is_final() => LeaseEnd::Ended,
        _ => LeaseEnd::Expired,
    };
    let number = record.number;
    Error::LeaseLost { number, why }
}
