//! The end of an execution: its outcome, its output, and the message to its parent.

use std::fmt::Write as _;
use std::sync::Arc;

use definition::model::WorkflowType;
use expr::{Dict, Template, Value};

use super::{Fault, Machine};
use crate::branch::Branch;
use crate::changes::Message;
use crate::data::Data;
use crate::event::Event;
use crate::failure::{Failure, FailureKind};
use crate::history::TimerKind;
use crate::id::{ActionId, TaskId};
use crate::record::TaskRecord;
use crate::state::{ActionState, ExecutionState, TaskState};
use crate::task::Task;
use crate::view::Layer;

/// Most tasks that a failure message describes, and most actions of each.
const FAILURES_SHOWN_MAX: usize = 20;

impl Machine<'_> {
    /// Ends an execution none of whose tasks is under way.
    pub(super) fn finish(&mut self) {
        let progress = self.ex.record.progress;
        if progress.cancelled > 0 {
            let names = self.names_of(|record| record.state == TaskState::Cancelled);
            self.cancelled(Some(format!("Cancelled tasks: {names}").into()));
            return;
        }
        let unhandled =
            |record: &TaskRecord| record.state == TaskState::Error && !record.error_handled;
        if progress.error > 0 && self.ex.forward().any(unhandled) {
            let message = self.failure_message(unhandled);
            self.fail(FailureKind::Task.into(), Some(message.into()));
            return;
        }
        self.succeed_or_fail(None);
    }

    /// Ends in SUCCESS; or in ERROR, if the output cannot be evaluated.
    pub(super) fn succeed_or_fail(&mut self, info: Option<Arc<str>>) {
        match self.success_output() {
            Ok(output) => self.end_with_waits(ExecutionState::Success, None, info, output),
            Err(fault) => {
                let failure = fault.failure();
                let message = format!("Failed to evaluate the output: {}", fault.into_message());
                self.fail(failure, Some(message.into()));
            }
        }
    }

    /// Ends in ERROR.
    pub(super) fn fail(&mut self, failure: Failure, message: Option<Arc<str>>) {
        if self.ex.record.state.is_final() {
            return;
        }
        let context = self.final_context();
        let workflow = self.ex.workflow().clone();
        let evaluated = self.output_from(workflow.output_on_error.as_ref(), &context);
        let (message, extra) = match evaluated {
            Ok(extra) => (message, extra),
            Err(fault) => {
                let error = fault.into_message();
                let cause = message.as_deref().unwrap_or_default();
                let text = format!(
                    "Failed to evaluate expression in output-on-error! (exception: '{error}' \
                     Cause: '{cause}')"
                );
                (Some(text.into()), Dict::new())
            }
        };
        let output = self.output_with_result(message.as_ref(), &extra);
        let on_error = workflow.rollback_on.error && failure.kind != FailureKind::Stopped;
        if on_error && self.ex.record.rollback.is_none() {
            self.roll_back_instead(ExecutionState::Error, message, Some(failure), output);
            return;
        }
        self.end_with_waits(ExecutionState::Error, Some(failure), message, output);
    }

    /// Ends in ERROR because the rules themselves have failed on it: nothing is evaluated.
    pub(super) fn abandoned(&mut self, message: Arc<str>) {
        self.ex.drop_work();
        let output = self.output_with_result(Some(&message), &Dict::new());
        let failure = Some(FailureKind::Internal.into());
        self.end(ExecutionState::Error, failure, Some(message), Some(output));
    }

    /// Ends in CANCELLED.
    pub(super) fn cancelled(&mut self, message: Option<Arc<str>>) {
        let output = self.output_with_result(message.as_ref(), &Dict::new());
        let on_cancel = self.ex.workflow().rollback_on.cancel;
        if on_cancel && self.ex.record.rollback.is_none() {
            self.roll_back_instead(ExecutionState::Cancelled, message, None, output);
            return;
        }
        self.end_with_waits(ExecutionState::Cancelled, None, message, output);
    }

    /// Ends at once in CANCELLED, with all tasks and actions: nothing is evaluated, and nobody is
    /// waited for. There is no output.
    pub(super) fn terminated(&mut self, message: Option<&Arc<str>>) {
        self.ex.drop_work();
        self.ex.record_mut().backlog.clear();
        for task in self.ex.under_way() {
            self.abandon_actions(task);
            if self.ex.task(task).record.state.is_final() {
                continue;
            }
            self.ex.set_timer(task, None);
            self.ex.set_timeout(task, None);
            let info = "The execution was terminated.";
            self.set_task_state(task, TaskState::Cancelled, Some(info.into()));
            let now = self.now;
            let record = &mut self.ex.task_mut(task).record;
            record.finished_us = Some(now);
            record.processed = true;
        }
        let info = message.map_or_else(|| "Terminated.".into(), |why| format!("Terminated: {why}"));
        let failure = Some(FailureKind::Terminated.into());
        self.end(ExecutionState::Cancelled, failure, Some(info.into()), None);
    }

    /// Makes a state the last one.
    pub(super) fn end(
        &mut self,
        state: ExecutionState,
        failure: Option<Failure>,
        info: Option<Arc<str>>,
        output: Option<Data>,
    ) {
        self.ex.payloads_mut().output = output;
        self.ex.set_state(state, info, self.now);
        self.ex.record_mut().failure = failure;
        self.tell_parent_of_end();
    }

    /// Ends, and with it the tasks that only `wait-after` holds back: nothing is left to follow.
    fn end_with_waits(
        &mut self,
        state: ExecutionState,
        failure: Option<Failure>,
        info: Option<Arc<str>>,
        output: Data,
    ) {
        self.end(state, failure, info, Some(output));
        for (task, timer) in self.ex.due(i64::MAX) {
            let is_held = self.ex.task(task).record.state == TaskState::Delayed;
            if timer == TimerKind::WaitAfter && is_held {
                self.ex.set_timer(task, None);
                self.complete_after_wait(task);
            }
        }
    }

    /// Tells the parent, if there is one, how this execution has ended.
    pub(super) fn tell_parent_of_end(&mut self) {
        let state = self.ex.record.state_for_parent();
        let output = self.ex.record.output.clone();
        let output = output.unwrap_or_else(Data::empty_object);
        let info = self.ex.record.state_info.clone();
        if let Some(parent) = self.ex.record.parent {
            let (task, action) = (parent.task.number, parent.number);
            let event = Event::ChildDone {
                task,
                action,
                state,
                output,
                info,
            };
            self.out.messages.push(Message {
                to: parent.task.execution,
                event,
            });
        }
    }

    fn success_output(&self) -> Result<Data, Fault> {
        let context = self.final_context();
        let workflow = self.ex.workflow().clone();
        let output = self.output_from(workflow.output.as_ref(), &context)?;
        self.data(Value::Dict(output), "the output")
    }

    /// The evaluated output; without one, or if it is empty, the whole final context.
    fn output_from(&self, template: Option<&Template>, context: &Branch) -> Result<Dict, Fault> {
        let evaluated = match template {
            Some(template) => self.eval(template, None, vec![Layer::Branch(context.clone())])?,
            None => Value::Null,
        };
        match evaluated {
            Value::Dict(dict) if !dict.is_empty() => Ok(dict),
            _ => Ok(context.to_dict()),
        }
    }

    /// `{result: message}` with more keys; what cannot be kept is left out rather than lost with
    /// the message.
    pub(super) fn output_with_result(&self, message: Option<&Arc<str>>, extra: &Dict) -> Data {
        let result = |extra: &Dict| {
            let mut output = Dict::new();
            output.insert("result", Value::from(message.cloned()));
            for (key, value) in extra.iter() {
                output.insert(key, value);
            }
            self.data(Value::Dict(output), "the output")
        };
        result(extra)
            .or_else(|_| result(&Dict::new()))
            .unwrap_or_else(|_| Data::empty_object())
    }

    /// What the last tasks of all branches have left.
    fn final_context(&self) -> Branch {
        let workflow = self.ex.workflow();
        if workflow.workflow_type == WorkflowType::Reverse {
            let target = self.target_task().and_then(|spec| self.ex.latest[spec]);
            return target
                .map(|number| self.ex.task(number).outbound())
                .unwrap_or_default();
        }
        let last = self
            .ex
            .tasks
            .iter()
            .filter(|task| task.record.counts())
            .filter(|task| task.record.state.is_final() && task.record.next_tasks.is_empty());
        last.map(Task::outbound)
            .reduce(|left, right| left.merge(&right))
            .unwrap_or_default()
    }

    fn names_of(&self, wanted: impl Fn(&TaskRecord) -> bool) -> String {
        let mut names: Vec<&str> = self
            .ex
            .forward()
            .filter(|record| wanted(record))
            .map(|record| &*record.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    fn failure_message(&self, wanted: impl Fn(&TaskRecord) -> bool + Copy) -> String {
        let names = self.names_of(wanted);
        let mut message = format!("Failure caused by error in tasks: {names}\n");
        let mut failed: Vec<&TaskRecord> = self.ex.forward().filter(|r| wanted(r)).collect();
        failed.sort_by(|a, b| a.name.cmp(&b.name));
        for record in failed.iter().take(FAILURES_SHOWN_MAX) {
            let id = self.ex.task_id(record.number);
            let info = record.state_info.as_deref().unwrap_or("no message");
            let _ = write!(message, "\n  {} [task_ex_id={id}] -> {info}\n", record.name);
            describe_actions(&mut message, record, id);
        }
        if failed.len() > FAILURES_SHOWN_MAX {
            let _ = write!(
                message,
                "\n  … and {} more\n",
                failed.len() - FAILURES_SHOWN_MAX
            );
        }
        message
    }
}

/// Tells of the failed actions of a task and of its failed sub-workflows, in the words of Mistral.
fn describe_actions(message: &mut String, record: &TaskRecord, task: TaskId) {
    let actions = record.actions.iter().enumerate();
    let failed = actions.filter(|(_, action)| action.state == ActionState::Error);
    for (place, action) in failed.take(FAILURES_SHOWN_MAX) {
        let number = action.number;
        let own = || ("action_ex_id", ActionId { task, number }.to_string());
        let child = action.child.map(|child| ("wf_ex_id", child.to_string()));
        let (kind, id) = child.unwrap_or_else(own);
        let output = action.output.as_ref().map(Data::value);
        let result = match (output, action.child) {
            (Some(output), None) => output.to_text(),
            (Some(output), Some(_)) => {
                let result = output.get("result");
                result.map_or_else(|| "Unknown".to_owned(), |result| result.to_text())
            }
            (None, _) => "Unknown".to_owned(),
        };
        let _ = writeln!(message, "    [{kind}={id}, idx={place}]: {result}");
    }
}
