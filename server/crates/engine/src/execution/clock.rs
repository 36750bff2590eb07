//! The times of an execution: what its tasks wait for, and when they give up.

use super::Execution;
use crate::commit::TaskChange;
use crate::history::TimerKind;
use crate::state::ExecutionState;

impl Execution {
    /// When [`crate::Event::TimeReached`] must be applied next; microseconds since the epoch. Only
    /// for a running execution: nothing is due while one is paused.
    pub fn next_due_us(&self) -> Option<i64> {
        let goes_on = [ExecutionState::Running, ExecutionState::RollingBack];
        if !goes_on.contains(&self.record.state) {
            return None;
        }
        let mut timers = self.timers.iter();
        let next = timers.find(|(_, number)| self.is_timed(*number));
        next.map(|(time, _)| *time)
    }

    /// Whether what a task waits for can come now. In a rollback only undoing goes on.
    pub(crate) fn is_timed(&self, number: u32) -> bool {
        match self.record.state {
            ExecutionState::Running => true,
            ExecutionState::RollingBack => self.task(number).record.is_undo(),
            ExecutionState::Idle
            | ExecutionState::Paused
            | ExecutionState::Success
            | ExecutionState::Error
            | ExecutionState::Cancelled
            | ExecutionState::RolledBack => false,
        }
    }

    /// Tasks that are due at `now`, with what is due, in order of time.
    pub(crate) fn due(&self, now_us: i64) -> Vec<(u32, TimerKind)> {
        let due = self.timers.iter().take_while(|(time, _)| *time <= now_us);
        due.filter_map(|(time, number)| {
            let runtime = &self.task(*number).record.runtime;
            match runtime.due {
                Some((kind, at)) if at == *time => Some((*number, kind)),
                _ if runtime.timeout_us == Some(*time) => Some((*number, TimerKind::Timeout)),
                _ => None,
            }
        })
        .collect()
    }

    /// Sets or clears what a task waits for.
    pub(crate) fn set_timer(&mut self, number: u32, due: Option<(TimerKind, i64)>) {
        let index = number as usize - 1;
        let runtime = &mut self.tasks[index].record.runtime;
        if runtime.due == due {
            return;
        }
        if let Some((_, time)) = runtime.due.take()
            && runtime.timeout_us != Some(time)
        {
            self.timers.remove(&(time, number));
        }
        runtime.due = due;
        self.timers.extend(due.map(|(_, time)| (time, number)));
        self.changed.task(number, TaskChange::Known);
    }

    /// Sets or clears the time at which a task gives up.
    pub(crate) fn set_timeout(&mut self, number: u32, timeout_us: Option<i64>) {
        let index = number as usize - 1;
        let runtime = &mut self.tasks[index].record.runtime;
        if runtime.timeout_left_us.take().is_some() {
            self.changed.task(number, TaskChange::Known);
        }
        if runtime.timeout_us == timeout_us {
            return;
        }
        if let Some(time) = runtime.timeout_us.take()
            && runtime.due.map(|(_, time)| time) != Some(time)
        {
            self.timers.remove(&(time, number));
        }
        runtime.timeout_us = timeout_us;
        self.timers.extend(timeout_us.map(|time| (time, number)));
        self.changed.task(number, TaskChange::Known);
    }

    /// Lets all timeouts stand still, with what is left of each.
    pub(crate) fn hold_timeouts(&mut self, now_us: i64) {
        for number in self.active.iter().copied().collect::<Vec<_>>() {
            if let Some(at) = self.task(number).record.runtime.timeout_us {
                self.set_timeout(number, None);
                let left = at.saturating_sub(now_us).max(0);
                self.task_mut(number).record.runtime.timeout_left_us = Some(left);
            }
        }
    }

    /// Lets the timeouts count on that stood still.
    pub(crate) fn release_timeouts(&mut self, now_us: i64) {
        for number in self.active.iter().copied().collect::<Vec<_>>() {
            if let Some(left) = self.task(number).record.runtime.timeout_left_us {
                self.set_timeout(number, Some(now_us.saturating_add(left)));
            }
        }
    }
}
