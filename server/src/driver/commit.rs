//! The commit of a batch, and what becomes of it: effects if it holds, a retreat if it does not.

use engine::{ActionId, Dispatch, ExecutionState, ExecutionUid};

use super::Error;
use super::lane::{Batch, Hands, Lane};
use super::watch::News;
use crate::cluster::end_if_fenced;

impl Lane {
    /// Commits the batch; then answers, dispatches and tells.
    pub(super) fn commit(&mut self) {
        let failure = self.failure.borrow_mut().take();
        if let Some(failure) = failure {
            if let Error::Store(error) = &failure {
                end_if_fenced(error);
            }
            self.retreat(&failure);
            return;
        }
        if let Err(error) = self.write() {
            end_if_fenced(&error);
            let error = Error::from(error);
            tracing::error!("commit failed, its executions are loaded again: {error}");
            self.retreat(&error);
            return;
        }
        let batch = self.take_batch();
        for uid in &batch.touched {
            if let Some(slot) = self.executions.get_mut(uid) {
                slot.execution.committed();
            }
        }
        let pauses = self.pauses(&batch);
        self.hands.dispatcher.pause(&pauses);
        // First, so that who is answered finds the work handed out.
        self.hand_on(&batch.cancels, &batch.confirms, batch.dispatches);
        for answer in batch.answers {
            self.answer(answer);
        }
        let position = self.writer.borrow_mut().last_position();
        // It is known since the commit; a failure to find it would have failed that.
        if let Ok(position) = position {
            self.hub.committed(position);
        }
        self.tell(&batch.touched.iter().copied().collect::<Vec<_>>());
        let deleted = batch.deleted.iter();
        let gone = News {
            deleted: true,
            finished: true,
            drained: true,
            last_sequence: i64::MAX,
        };
        self.hub
            .tell(deleted.map(|removal| (removal.key.uid, gone)));
        for uid in &batch.touched {
            if self
                .executions
                .get(uid)
                .is_some_and(|slot| slot.execution.is_finished())
            {
                self.evict(*uid);
            }
        }
    }

    /// Which executions were paused by the batch, and which go on or are no more.
    fn pauses(&mut self, batch: &Batch) -> Vec<(ExecutionUid, bool)> {
        let deleted = batch.deleted.iter().map(|removal| removal.key.uid);
        let all = batch.touched.iter().copied().chain(deleted);
        let mut changes = Vec::new();
        for uid in all {
            let slot = self.executions.get(&uid);
            let is_paused =
                slot.is_some_and(|slot| slot.execution.record().state == ExecutionState::Paused);
            let is_news = if is_paused {
                self.paused.insert(uid)
            } else {
                self.paused.remove(&uid)
            };
            if is_news {
                changes.push((uid, is_paused));
            }
        }
        changes
    }

    /// Lets run, or gives up, what others run.
    fn hand_on(&self, cancels: &[ActionId], confirms: &[ActionId], dispatches: Vec<Dispatch>) {
        let Hands {
            runner, dispatcher, ..
        } = &self.hands;
        for action in cancels {
            runner.cancel(*action);
        }
        dispatcher.cancel(cancels);
        dispatcher.confirm(confirms);
        let is_of_worker = |dispatch: &Dispatch| dispatch.runner == engine::Runner::Worker;
        let (of_workers, of_server) = dispatches.into_iter().partition(is_of_worker);
        dispatcher.offer(of_workers);
        for dispatch in of_server {
            runner.run(dispatch);
        }
    }

    fn write(&self) -> Result<(), store::Error> {
        let batch = &self.batch;
        let slots = batch
            .touched
            .iter()
            .filter_map(|uid| self.executions.get(uid));
        let changed = slots
            .filter(|slot| slot.execution.is_changed())
            .map(|slot| slot.execution.changed());
        let rows = store::Batch {
            executions: changed.collect(),
            deleted: batch.deleted.clone(),
            time_us: self.now_us,
            requests: batch.requests.answered.clone(),
        };
        if rows.is_empty() {
            return Ok(());
        }
        self.writer.borrow_mut().commit(&rows)
    }

    /// Nothing of the batch holds: callers are told, and what is ahead of the store in memory is
    /// dropped and loaded again.
    fn retreat(&mut self, error: &Error) {
        let batch = self.take_batch();
        for answer in batch.answers {
            answer.refuse(error.clone());
        }
        for uid in batch
            .touched
            .iter()
            .chain(batch.deleted.iter().map(|removal| &removal.key.uid))
        {
            self.evict(*uid);
            self.lost.insert(*uid);
        }
    }

    /// Remembers that the batch cannot be committed; found out while it was put together.
    pub(super) fn fail_batch(&self, error: Error) {
        self.failure.borrow_mut().get_or_insert(error);
    }

    /// Begins a new batch. What executions have sent one another and is not delivered yet goes over.
    fn take_batch(&mut self) -> Batch {
        let next = Batch::after(&mut self.batch);
        std::mem::replace(&mut self.batch, next)
    }

    fn tell(&self, touched: &[ExecutionUid]) {
        let news = touched.iter().filter_map(|uid| {
            let execution = &self.executions.get(uid)?.execution;
            let record = execution.record();
            let finished = record.state.is_final();
            let news = News {
                last_sequence: record.last_sequence,
                finished,
                drained: execution.is_drained(),
                deleted: false,
            };
            Some((*uid, news))
        });
        self.hub.tell(news);
    }
}
