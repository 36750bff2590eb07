//! The beginning of a task: the policies that come before it, then its actions.

use definition::model;

use super::{Fault, Machine};
use crate::history::{HistoryKind, TimerKind};
use crate::lease::CallTimes;
use crate::state::TaskState;

impl Machine<'_> {
    /// Begins a task, or goes on with one whose time has come.
    pub(super) fn begin(&mut self, task: u32) {
        let state = self.ex.task(task).record.state;
        if !matches!(
            state,
            TaskState::Idle | TaskState::Waiting | TaskState::Delayed
        ) {
            return;
        }
        // In a rollback nothing runs forward, and nothing is undone while it is paused.
        let may_begin = if self.is_undo(task) {
            self.is_rolling_back()
        } else {
            !self.ex.record.is_in_rollback()
        };
        if !may_begin {
            return;
        }
        if let Err(fault) = self.try_begin_task(task) {
            self.fault(task, fault);
        }
    }

    fn try_begin_task(&mut self, task: u32) -> Result<(), Fault> {
        if !self.ex.task(task).record.runtime.begun && !self.before_task(task)? {
            return Ok(());
        }
        self.set_task_state(task, TaskState::Running, None);
        self.ex.task_mut(task).record.runtime.begun = true;
        self.call(task)
    }

    /// Applies the policies that come before the first attempt. False if one of them holds the task
    /// back.
    fn before_task(&mut self, task: u32) -> Result<bool, Fault> {
        let workflow = self.ex.workflow().clone();
        let policies = &self.ex.spec_in(&workflow, task).policies;
        let held_before = self.ex.task(task).record.runtime.paused_before;
        if !held_before && self.flag(policies.pause_before.as_ref(), task, "pause-before")? {
            self.ex.task_mut(task).record.runtime.paused_before = true;
            self.set_task_state(
                task,
                TaskState::Idle,
                Some("Paused by 'pause-before' policy".into()),
            );
            if self.is_running() {
                self.pause_self(None, false);
            }
            return Ok(false);
        }
        let wait = self.seconds(policies.wait_before.as_ref(), task, "wait-before")?;
        // These are evaluated here so that a wrong value fails the task before it does anything.
        self.seconds(policies.wait_after.as_ref(), task, "wait-after")?;
        self.retry_numbers(policies.retry.as_ref(), task)?;
        let timeout = self.seconds(policies.timeout.as_ref(), task, "timeout")?;
        let concurrency = self.seconds(policies.concurrency.as_ref(), task, "concurrency")?;
        let times = self.call_times(task, policies)?;
        self.ex.task_mut(task).record.runtime.call_times = times;
        if concurrency > 0 {
            let most = u32::try_from(concurrency).unwrap_or(u32::MAX);
            self.ex.task_mut(task).record.runtime.concurrency = most;
        }
        if timeout > 0 {
            let due = self.after(timeout);
            self.ex.task_mut(task).record.runtime.timeout_s = Some(timeout);
            self.ex.set_timeout(task, Some(due));
        }
        // One that was held back by `pause-before` has waited long enough.
        if wait == 0 || held_before {
            return Ok(true);
        }
        let info = format!("Delayed by 'wait-before' policy [delay={wait}]");
        self.set_task_state(task, TaskState::Delayed, Some(info.into()));
        self.ex.task_mut(task).record.runtime.begun = true;
        self.wait(task, TimerKind::WaitBefore, wait);
        Ok(false)
    }

    fn call_times(&self, task: u32, policies: &model::Policies) -> Result<CallTimes, Fault> {
        let seconds = |template: &Option<_>, policy| {
            let seconds = self.seconds(template.as_ref(), task, policy)?;
            Ok::<_, Fault>(Some(seconds).filter(|seconds| *seconds > 0))
        };
        Ok(CallTimes {
            start_to_close_s: seconds(&policies.start_to_close, "start-to-close")?,
            schedule_to_start_s: seconds(&policies.schedule_to_start, "schedule-to-start")?,
            heartbeat_s: seconds(&policies.heartbeat, "heartbeat")?,
        })
    }

    /// Sets the timer of a task.
    pub(super) fn wait(&mut self, task: u32, timer: TimerKind, seconds: u64) {
        self.wait_until(task, timer, self.after(seconds));
    }

    /// Lets a task wait until a time, microseconds since the epoch.
    pub(super) fn wait_until(&mut self, task: u32, timer: TimerKind, due_us: i64) {
        self.ex.set_timer(task, Some((timer, due_us)));
        self.ex.log(
            self.now,
            Some(task),
            HistoryKind::TimerStarted { timer, due_us },
        );
    }

    /// The time after so many seconds.
    fn after(&self, seconds: u64) -> i64 {
        let micros = i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000);
        self.now.saturating_add(micros)
    }

    /// Runs what the task is there for.
    pub(super) fn call(&mut self, task: u32) -> Result<(), Fault> {
        if self.is_undo(task) {
            return self.call_undo(task);
        }
        let workflow = self.ex.workflow().clone();
        let spec: &model::Task = self.ex.spec_in(&workflow, task);
        if spec.with_items.is_empty() {
            let call = self.prepare(task, spec)?;
            let input = self.call_input(task, spec, &call, None)?;
            self.run_call(task, &call, input, 0)
        } else {
            self.run_items(task, spec)
        }
    }
}
