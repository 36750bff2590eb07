//! Executions that are paused: what of them waits for a worker goes on waiting.
//!
//! What a worker has stays with it, and the time that a call may wait stands still.

use engine::{ActionId, ExecutionUid, TaskId};

use super::pending::Rank;
use super::{Desk, Phase};

impl Desk {
    /// An execution was paused, or goes on.
    pub(in crate::dispatch) fn pause(
        &mut self,
        execution: ExecutionUid,
        paused: bool,
        now_us: i64,
    ) {
        self.now_us = now_us;
        let is_news = if paused {
            self.paused.insert(execution)
        } else {
            self.paused.remove(&execution)
        };
        if !is_news {
            return;
        }
        for action in self.actions_of(execution) {
            match (&self.tasks[&action].phase, paused) {
                (Phase::Waiting { rank }, true) => {
                    let rank = *rank;
                    self.let_go(action);
                    self.hold_back(action, Some(rank));
                }
                // It is not handed out before that is written down.
                (Phase::Reserved(_), true) => self.undo(action),
                (Phase::HeldBack { rank, since_us }, false) => {
                    let (rank, waited_us) = (*rank, now_us.saturating_sub(*since_us));
                    if let Some(task) = self.tasks.get_mut(&action) {
                        task.held_back_us = task.held_back_us.saturating_add(waited_us);
                    }
                    self.place(action, rank);
                }
                _ => {}
            }
        }
    }

    /// Lets a task wait until its execution goes on.
    pub(super) fn hold_back(&mut self, action: ActionId, rank: Option<Rank>) {
        let since_us = self.now_us;
        if let Some(task) = self.tasks.get_mut(&action) {
            task.phase = Phase::HeldBack { rank, since_us };
        }
        self.arm(action);
    }

    fn actions_of(&self, execution: ExecutionUid) -> Vec<ActionId> {
        let task = TaskId {
            execution,
            number: 0,
        };
        let first = ActionId { task, number: 0 };
        let from = self.tasks.range(first..).map(|(action, _)| *action);
        from.take_while(|action| action.task.execution == execution)
            .collect()
    }
}
