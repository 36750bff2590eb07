//! Values of policies, with their checks, and the policies that come after a task.

use definition::model;
use expr::{Template, Value};

use super::{Fault, Machine};
use crate::history::TimerKind;
use crate::lease::NextAttempt;
use crate::state::TaskState;

impl Machine<'_> {
    /// A whole number of at least 0; a policy that is absent counts as 0, a null is no number.
    pub(super) fn seconds(
        &self,
        template: Option<&Template>,
        task: u32,
        policy: &str,
    ) -> Result<u64, Fault> {
        let Some(template) = template else {
            return Ok(0);
        };
        match self.eval_for(template, task)? {
            Value::Int(number) if number >= 0 => Ok(number.unsigned_abs()),
            // A float that is whole is an integer to Mistral's schema.
            Value::Float(number) if is_whole(number) => {
                Ok(format!("{number}").parse().unwrap_or(u64::MAX))
            }
            other => Err(invalid(policy, &other, "a whole number of at least 0")),
        }
    }

    /// A boolean; a policy that is absent counts as false.
    pub(super) fn flag(
        &self,
        template: Option<&Template>,
        task: u32,
        policy: &str,
    ) -> Result<bool, Fault> {
        let Some(template) = template else {
            return Ok(false);
        };
        match self.eval_for(template, task)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(invalid(policy, &other, "a boolean")),
        }
    }

    /// Count and delay of a retry policy.
    pub(super) fn retry_numbers(
        &self,
        retry: Option<&model::Retry>,
        task: u32,
    ) -> Result<(u64, u64), Fault> {
        let Some(retry) = retry else {
            return Ok((0, 0));
        };
        let count = self.seconds(Some(&retry.count), task, "retry count")?;
        Ok((
            count,
            self.seconds(Some(&retry.delay), task, "retry delay")?,
        ))
    }

    /// Applies `wait-after`, `fail-on` and `retry` to a task that has reached a final state. They
    /// may bring it back to a state that is not final.
    pub(super) fn after_task(&mut self, task: u32) -> Result<(), Fault> {
        // Nothing is waited for or tried again in an execution that has ended.
        if self.ex.record.state.is_final() {
            return Ok(());
        }
        let workflow = self.ex.workflow().clone();
        let policies = &self.ex.spec_in(&workflow, task).policies;
        if self.wait_after(task, policies)? {
            return Ok(());
        }
        let state = self.ex.task(task).record.state;
        if state == TaskState::Success
            && let Some(fail_on) = &policies.fail_on
            && self.eval_after(fail_on, task)?.truthy()
        {
            let info = "Failed by 'fail-on' policy";
            self.set_task_state(task, TaskState::Error, Some(info.into()));
        }
        match &policies.retry {
            Some(retry) => self.retry(task, retry),
            None => Ok(()),
        }
    }

    /// Holds a task back for a while after its first attempt.
    fn wait_after(&mut self, task: u32, policies: &model::Policies) -> Result<bool, Fault> {
        let record = &self.ex.task(task).record;
        let is_cancelled = record.state == TaskState::Cancelled;
        // Where nothing can follow there is nothing to wait for.
        if record.runtime.waited_after || is_cancelled || self.ex.record.state.is_final() {
            return Ok(false);
        }
        let wait = self.seconds(policies.wait_after.as_ref(), task, "wait-after")?;
        if wait == 0 {
            return Ok(false);
        }
        let record = &mut self.ex.task_mut(task).record;
        record.runtime.waited_after = true;
        record.runtime.after_wait = Some((record.state, record.state_info.clone()));
        let info = format!("Delayed by 'wait-after' policy [delay={wait}]");
        self.set_task_state(task, TaskState::Delayed, Some(info.into()));
        self.wait(task, TimerKind::WaitAfter, wait);
        Ok(true)
    }

    fn retry(&mut self, task: u32, retry: &model::Retry) -> Result<(), Fault> {
        let (count, delay) = self.retry_numbers(Some(retry), task)?;
        if count == 0 {
            return Ok(());
        }
        // Both conditions are evaluated after every attempt, so an error in one always shows.
        let condition = |template: &Option<Template>| match template {
            Some(template) => self
                .eval_after(template, task)
                .map(|value| Some(value.truthy())),
            None => Ok(None),
        };
        let goes_on = condition(&retry.continue_on)?;
        let breaks = condition(&retry.break_on)?;
        let record = &self.ex.task(task).record;
        let done = u64::from(record.runtime.retry_no);
        let state = record.state;
        let said = record.runtime.next_attempt;
        if !matches!(state, TaskState::Success | TaskState::Error)
            || done >= count
            || record.runtime.timed_out
        {
            return Ok(());
        }
        let goes_on = goes_on.unwrap_or(state == TaskState::Error);
        let is_broken = state == TaskState::Error && breaks == Some(true);
        let is_useless = state == TaskState::Error && said == Some(NextAttempt::Never);
        if !goes_on || is_broken || is_useless {
            return Ok(());
        }
        self.retry_later(task, delay);
        Ok(())
    }

    fn retry_later(&mut self, task: u32, delay: u64) {
        let is_undo = self.is_undo(task);
        if is_undo {
            self.forget_failures(task);
        } else {
            self.forget_results(task);
        }
        let runtime = &mut self.ex.task_mut(task).record.runtime;
        runtime.retry_no += 1;
        let said = runtime.next_attempt.take();
        if is_undo {
            self.ex.task_memory(task).recount();
        }
        let is_join = self.ex.spec(task).join.is_some();
        let state = if is_join {
            TaskState::Waiting
        } else {
            TaskState::Delayed
        };
        if let Some(NextAttempt::After(delay_us)) = said {
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let delay = delay_us as f64 / 1e6;
            let info = format!("Delayed as its worker asked for [delay={delay}]");
            self.set_task_state(task, state, Some(info.into()));
            self.wait_until(task, TimerKind::Retry, self.now.saturating_add(delay_us));
            return;
        }
        let info = format!("Delayed by 'retry' policy [delay={delay}]");
        self.set_task_state(task, state, Some(info.into()));
        self.wait(task, TimerKind::Retry, delay);
    }

    /// The results so far no longer count.
    pub(super) fn forget_results(&mut self, task: u32) {
        let accepted: Vec<u32> = {
            let actions = self.ex.task(task).record.actions.iter();
            actions
                .filter(|action| action.accepted)
                .map(|action| action.number)
                .collect()
        };
        for action in accepted {
            self.ex
                .change_action(task, action, |record| record.accepted = false);
        }
        let memory = self.ex.task_memory(task);
        memory.next_item = 0;
        memory.kept_items.clear();
        memory.items = None;
    }
}

fn is_whole(number: f64) -> bool {
    number >= 0.0 && number.fract() == 0.0 && number.is_finite()
}

fn invalid(policy: &str, value: &Value, wanted: &str) -> Fault {
    let (text, kind) = (value.to_text(), value.type_name());
    Fault::Force(format!(
        "Invalid value of '{policy}': {text} ({kind}); it must be {wanted}"
    ))
}
