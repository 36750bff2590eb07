//! What happens when a time comes.

use super::{Machine, Work};
use crate::data::Data;
use crate::history::{HistoryKind, TimerKind};
use crate::state::{ActionState, TaskState};

impl Machine<'_> {
    /// Does all that is due. While the execution is paused, nothing is.
    pub(super) fn time_reached(&mut self) {
        for (task, timer) in self.ex.due(self.now) {
            if self.ex.task(task).record.state.is_final() || !self.ex.is_timed(task) {
                continue;
            }
            self.time_came(task, timer);
        }
    }

    /// Does what a task has waited for.
    pub(super) fn time_came(&mut self, task: u32, timer: TimerKind) {
        self.ex
            .log(self.now, Some(task), HistoryKind::TimerFired { timer });
        match timer {
            TimerKind::Timeout => self.timed_out(task),
            TimerKind::WaitBefore | TimerKind::Retry => {
                self.ex.set_timer(task, None);
                let waits = self.ex.task(task).record.state == TaskState::Waiting;
                if waits {
                    self.refresh_later(task);
                } else {
                    self.later(Work::Begin(task));
                }
            }
            TimerKind::WaitAfter => {
                self.ex.set_timer(task, None);
                self.complete_after_wait(task);
            }
        }
    }

    /// The whole task, with all its attempts, has taken too long: nothing is attempted again, and
    /// what still runs is given up.
    fn timed_out(&mut self, task: u32) {
        let runtime = &mut self.ex.task_mut(task).record.runtime;
        runtime.timed_out = true;
        let seconds = runtime.timeout_s.unwrap_or(0);
        self.ex.set_timeout(task, None);
        self.ex.set_timer(task, None);
        let info = format!("Task timed out [timeout(s)={seconds}].");
        self.give_up_actions(task, ActionState::Error, Some(&Data::string(&info)));
        self.complete(task, TaskState::Error, Some(info.into()));
    }
}
