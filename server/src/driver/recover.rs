//! Executions come back into memory: all unfinished ones when the server starts, single ones when
//! an event is for them, and those whose commit has failed.

use std::sync::Arc;

use engine::{Data, Event, Execution, ExecutionUid};
use store::Loaded;

use super::Error;
use super::isolate::isolated;
use super::lane::{Lane, child_is_gone};

/// Executions that are taken up between two commits at start.
const RECOVERED_PER_COMMIT: usize = 500;

impl Lane {
    /// Takes up all unfinished executions: what was under way goes on.
    pub(super) fn recover(&mut self) -> Result<(), Error> {
        let mut unfinished = Vec::new();
        self.writer
            .borrow_mut()
            .load_unfinished(&mut |loaded| unfinished.push(loaded))?;
        let count = unfinished.len();
        for (index, loaded) in unfinished.into_iter().enumerate() {
            let uid = loaded.execution.uid;
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

    /// Makes sure that an execution is in memory, if it exists.
    pub(super) fn load(&mut self, uid: ExecutionUid) -> Result<(), Error> {
        if self.executions.contains_key(&uid) {
            return Ok(());
        }
        let loaded = {
            let mut writer = self.writer.borrow_mut();
            match writer.read().locate(uid)? {
                Some(key) => writer.load(key)?,
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
            if let Err(error) = self.load(uid) {
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
