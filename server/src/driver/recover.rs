//! Executions come back into memory: all unfinished ones of shards that the server takes over,
//! single ones when an event is for them, and those whose commit has failed. And they leave it with
//! shards that go to another server.

use std::collections::HashSet;
use std::sync::Arc;

use engine::{Data, Event, Execution, ExecutionUid, Runner};
use store::Loaded;

use super::Error;
use super::audit::is_run_by;
use super::isolate::isolated;
use super::lane::{Lane, child_is_gone};

/// Executions that are taken up between two commits at start.
const RECOVERED_PER_COMMIT: usize = 500;

impl Lane {
    /// Owns shards from now on, and takes up their unfinished executions: what was under way goes
    /// on.
    pub(super) fn acquire(&mut self, shards: &[i16]) -> Result<(), Error> {
        let mut unfinished = Vec::new();
        self.writer
            .borrow_mut()
            .load_unfinished(shards, &mut |loaded| unfinished.push(loaded))?;
        self.shards.own(shards);
        let count = unfinished.len();
        for (index, loaded) in unfinished.into_iter().enumerate() {
            let uid = loaded.execution.uid;
            if self.executions.contains_key(&uid) {
                continue;
            }
            if let Err(error) = self.take_up(loaded) {
                // One definition that cannot be read must not keep all others from running.
                tracing::error!(execution.uid = %uid, "execution {uid} cannot be taken up: {error}");
            }
            if index % RECOVERED_PER_COMMIT == RECOVERED_PER_COMMIT - 1 {
                self.deliver();
                self.commit();
            }
        }
        self.deliver();
        self.commit();
        if count > 0 {
            tracing::info!("{count} unfinished executions taken up");
        }
        Ok(())
    }

    /// Owns at most so many shards no longer, and forgets their executions; gives the shards. One
    /// in which an action runs here is kept, for its result would find nobody.
    pub(super) fn release(&mut self, count: usize) -> Vec<i16> {
        self.deliver();
        self.commit();
        let mut busy: HashSet<i16> = self
            .lost
            .iter()
            .map(|uid| self.shards.named_by(*uid))
            .collect();
        for slot in self.executions.values() {
            let shard = slot.execution.record().shard;
            if slot.execution.has_work() || is_run_by(&slot.execution, Runner::Server) {
                busy.insert(shard);
            }
        }
        let free = self.shards.list().iter().rev();
        let given: Vec<i16> = free
            .copied()
            .filter(|shard| !busy.contains(shard))
            .take(count)
            .collect();
        self.shards.disown(&given);
        let slots = self.executions.iter();
        let gone = slots.filter(|(_, slot)| given.contains(&slot.execution.record().shard));
        let gone: Vec<ExecutionUid> = gone.map(|(uid, _)| *uid).collect();
        for uid in gone {
            self.evict(uid);
            self.paused.remove(&uid);
        }
        given
    }

    /// Loads executions again whose actions workers run, which offers these again.
    pub(super) fn offer_again(&mut self) {
        self.deliver();
        self.commit();
        let slots = self.executions.iter();
        let concerned = slots.filter(|(_, slot)| is_run_by(&slot.execution, Runner::Worker));
        let concerned: Vec<ExecutionUid> = concerned.map(|(uid, _)| *uid).collect();
        for uid in concerned {
            self.evict(uid);
            self.lost.insert(uid);
        }
        // What is paused is news to whoever hands out now.
        self.paused.clear();
        self.reload_lost();
    }

    /// Makes sure that an execution is in memory, if it exists.
    pub(super) fn load(&mut self, uid: ExecutionUid) -> Result<(), Error> {
        if self.executions.contains_key(&uid) {
            return Ok(());
        }
        let loaded = {
            let mut writer = self.writer.borrow_mut();
            match writer.read().locate(uid)? {
                Some(key) => {
                    self.shards.check(key.shard)?;
                    writer.load(key)?
                }
                None => None,
            }
        };
        if let Some(loaded) = loaded {
            self.take_up(loaded)?;
        }
        Ok(())
    }

    /// Tries again to load what a failed commit has thrown out of memory.
    pub(super) fn reload_lost(&mut self) {
        while let Some(uid) = self.lost.pop_first() {
            let loaded = self.load(uid);
            if let Err(error) = loaded
                && !matches!(error, Error::NotOwner { .. })
            {
                tracing::warn!(execution.uid = %uid, "execution {uid} cannot be loaded yet: {error}");
                self.lost.insert(uid);
                return;
            }
        }
    }

    fn take_up(&mut self, loaded: Loaded) -> Result<(), Error> {
        let Loaded {
            execution: record,
            tasks,
        } = loaded;
        let uid = record.uid;
        let definition = {
            let mut writer = self.writer.borrow_mut();
            self.definitions
                .borrow_mut()
                .read(writer.read(), &record.definition)?
        };
        // Nothing follows from a finished execution, but results may still come for it.
        if record.state.is_final() {
            let execution: Execution = engine::view_of(record, tasks, Arc::clone(&definition));
            self.insert(execution);
            self.batch.touched.insert(uid);
            return Ok(());
        }
        let now_us = self.now_us;
        let fault = self.broken.remove(&uid);
        let world = self.world();
        let restored = match fault {
            None => {
                let (record, tasks, definition) =
                    (record.clone(), tasks.clone(), definition.clone());
                isolated(|| engine::restore(record, tasks, definition, now_us, &world))
            }
            Some(fault) => Err(fault),
        };
        let restored = restored.or_else(|fault| {
            tracing::error!(execution.uid = %uid, "execution {uid} is ended: {fault}");
            let message =
                "The server has met a fault of its own in this execution; its log says more.";
            isolated(|| engine::abandon(record, tasks, definition, message, now_us, &world))
        });
        let (execution, changes) = restored.map_err(|_| Error::Fault)?;
        let children = execution.active_children();
        self.insert(execution);
        self.absorb(uid, changes);
        for child in self.look_after(&children)? {
            let parent = self.executions.get(&uid).map(|slot| &slot.execution);
            if let Some(action) = parent.and_then(|parent| parent.waits_for(child)) {
                self.send(uid, child_is_gone(child, action));
            }
        }
        Ok(())
    }

    /// Delivers the ends of children that their parents were not told before the server stopped;
    /// gives the children that are not there.
    fn look_after(&mut self, children: &[ExecutionUid]) -> Result<Vec<ExecutionUid>, Error> {
        let mut gone = Vec::new();
        for child in children {
            if self.executions.contains_key(child) {
                continue;
            }
            let record = {
                let mut writer = self.writer.borrow_mut();
                let Some(key) = writer.read().locate(*child)? else {
                    gone.push(*child);
                    continue;
                };
                match writer.read().standing(key)? {
                    Some(standing) if standing.state.is_final() => writer.load(key)?,
                    _ => None,
                }
            };
            let Some(record) = record.map(|loaded| loaded.execution) else {
                continue;
            };
            let Some(parent) = record.parent else {
                continue;
            };
            let event = Event::ChildDone {
                task: parent.task.number,
                action: parent.number,
                state: record.state_for_parent(),
                output: record.output.unwrap_or_else(Data::empty_object),
                info: record.state_info,
            };
            self.send(parent.task.execution, event);
        }
        Ok(gone)
    }
}
