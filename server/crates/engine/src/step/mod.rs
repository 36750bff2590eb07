//! What an event does: the one door to the rules, and the loop that follows their consequences.
//!
//! An event does its own work and leaves steps behind (begin a task, run an inline action, look at
//! a join); the loop takes them first in, first out, until none is left or the limit is reached.
//! So a chain of a thousand inline tasks is one event, one commit, and no deep recursion.

mod active_join;
mod begin;
pub(crate) mod builtin;
mod call;
mod child;
mod complete;
mod done;
mod fault;
mod finish;
mod items;
mod join;
mod lease;
mod policies;
mod publish;
mod rerun;
mod reverse;
mod rollback;
mod start;
mod timers;
mod transitions;
mod undo;
mod verbs;

use std::cell::Cell;
use std::sync::Arc;

use expr::{Context, EvalError, Template, Value};

use crate::catalog::Builtin;
use crate::changes::Changes;
use crate::data::Data;
use crate::error::Error;
use crate::event::{Caller, Event};
use crate::execution::Execution;
use crate::host::EngineHost;
use crate::state::{ExecutionState, TaskState};
use crate::view::{Layer, Layers};
use crate::world::World;

pub(crate) use fault::Fault;
pub(crate) use join::{Inbound, join_needs};
pub use rerun::check_ancestor;
pub(crate) use reverse::Wanted;
pub use start::{abandon, restore, start, view_of};
pub(crate) use start::{bind_input, missing_inputs};
pub(crate) use undo::Units;

/// A step that is left to do; numbers are those of task executions.
#[derive(Debug)]
pub(crate) enum Work {
    /// Begin a task that was created.
    Begin(u32),
    /// Run an inline action.
    Inline {
        /// The task.
        task: u32,
        /// Its action.
        action: u32,
        /// What it runs in the end.
        base: &'static Builtin,
        /// The input of that.
        input: Value,
    },
    /// Look whether a join can run.
    Refresh(u32),
}

/// The rules at work on one execution.
pub(crate) struct Machine<'a> {
    pub(crate) ex: &'a mut Execution,
    pub(crate) world: &'a dyn World,
    pub(crate) now: i64,
    pub(crate) out: Changes,
    draws: Cell<u64>,
    /// Of what undoes a task: the action execution of that task that is being undone.
    unit: Cell<Option<u32>>,
    /// Whether nothing ran in it any more before the event.
    was_drained: bool,
    /// Who has called the verb that is being applied; those below hear of it in that name.
    caller: Caller,
}

/// Applies an event: changes the execution and says what must be done besides.
///
/// `now_us` is microseconds since the epoch and never goes back for one execution. A refused event
/// changes nothing.
pub fn apply(
    execution: &mut Execution,
    event: Event,
    now_us: i64,
    world: &dyn World,
) -> Result<Changes, Error> {
    let mut machine = Machine::new(execution, world, now_us);
    match event {
        Event::Continue => {}
        Event::TimeReached => machine.time_reached(),
        Event::ActionDone {
            task,
            action,
            outcome,
            source,
        } => {
            machine.action_done(task, action, outcome, source)?;
        }
        Event::ActionHeld {
            task,
            action,
            lease,
        } => machine.action_held(task, action, *lease)?,
        Event::ActionLost {
            task,
            action,
            lease,
            loss,
        } => machine.action_lost(task, action, *lease, loss)?,
        Event::ActionHandedOver {
            task,
            action,
            lease: None,
        } => machine.action_handed_over(task, action)?,
        Event::ActionHandedOver {
            task,
            action,
            lease: Some(lease),
        } => machine.worker_deferred(task, action, *lease)?,
        Event::ActionVerb {
            task,
            action,
            verb,
            caller,
        } => {
            machine.action_verb(task, action, verb, &caller)?;
        }
        Event::ChildDone {
            task,
            action,
            state,
            output,
            info,
        } => {
            machine.child_done(task, action, state, output, info);
        }
        Event::ChildPaused {
            task,
            action,
            paused,
            timeouts_run,
        } => machine.child_paused(task, action, paused, timeouts_run),
        Event::ChildDrained {
            task,
            action,
            drained,
        } => machine.child_drained(task, action, drained),
        Event::ChildReopened { task, action } => machine.child_reopened(task, action),
        Event::RollBack { .. } => machine.roll_back_for_parent(),
        Event::Verb { verb, caller } => {
            machine.caller = caller.clone();
            machine.verb(&verb, &caller)?;
        }
    }
    Ok(machine.run())
}

impl<'a> Machine<'a> {
    pub(crate) fn new(ex: &'a mut Execution, world: &'a dyn World, now: i64) -> Self {
        let was_drained = ex.is_drained();
        Self {
            ex,
            world,
            now,
            out: Changes::default(),
            draws: Cell::new(0),
            unit: Cell::new(None),
            was_drained,
            caller: Caller::default(),
        }
    }

    /// Does the steps that are left. An execution of which nothing is under way any more is
    /// finished here, whatever the event was: none can stay RUNNING without a cause. A rollback
    /// goes on here for the same reason.
    pub(crate) fn run(mut self) -> Changes {
        let mut steps = self.world.limits().steps_per_event_max;
        // Whether a rollback is at its end is found out by a step, too.
        let mut is_cut = false;
        loop {
            if self.ex.work.is_empty() && self.is_running() && self.ex.record.progress.active == 0 {
                self.finish();
            }
            if steps == 0 {
                is_cut = self.is_rolling_back();
                break;
            }
            steps -= 1;
            match self.ex.work.pop_front() {
                Some(Work::Begin(task)) => self.begin(task),
                Some(Work::Inline {
                    task,
                    action,
                    base,
                    input,
                }) => self.run_inline(task, action, base, &input),
                Some(Work::Refresh(task)) => self.refresh(task, false),
                None => match self.ex.late.pop_first() {
                    Some((_, task)) => self.refresh(task, true),
                    None if self.is_rolling_back() && self.unwind() => {}
                    None => break,
                },
            }
        }
        self.out.more = is_cut || self.ex.has_work();
        let (was, is) = (self.was_drained, self.ex.is_drained());
        // One that goes on has said so.
        if was != is && self.ex.record.state == ExecutionState::Paused {
            self.drained(is);
        }
        self.out
    }

    pub(crate) fn later(&mut self, work: Work) {
        self.ex.work.push_back(work);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.ex.record.state == ExecutionState::Running
    }

    pub(crate) fn is_rolling_back(&self) -> bool {
        self.ex.record.state == ExecutionState::RollingBack
    }

    /// Whether a task undoes another one.
    pub(crate) fn is_undo(&self, task: u32) -> bool {
        self.ex.task(task).record.is_undo()
    }

    pub(crate) fn set_task_state(&mut self, task: u32, state: TaskState, info: Option<Arc<str>>) {
        self.ex.set_task_state(task, state, info, self.now);
    }

    /// Evaluates with the given layers above `vars`, globals and input.
    pub(crate) fn eval(
        &self,
        template: &Template,
        task: Option<u32>,
        mut layers: Vec<Layer>,
    ) -> Result<Value, EvalError> {
        if template.is_literal() {
            return Ok(template.source().clone());
        }
        layers.push(Layer::Value(Value::Dict(self.ex.globals.clone())));
        layers.push(Layer::Value(self.ex.record.input.value().clone()));
        self.eval_in(template, task, Layers::into_value(layers, self.ex.env()))
    }

    /// Evaluates with exactly this as `$`.
    pub(crate) fn eval_in(
        &self,
        template: &Template,
        task: Option<u32>,
        data: Value,
    ) -> Result<Value, EvalError> {
        let host = EngineHost {
            execution: self.ex,
            task,
            world: self.world,
            now_us: self.now,
            draws: &self.draws,
            unit: self.unit.get(),
        };
        template.eval(&Context::new(data, &host))
    }

    /// Evaluates as the task sees it before it runs.
    pub(crate) fn eval_for(&self, template: &Template, task: u32) -> Result<Value, EvalError> {
        let context = self.ex.task(task).context.clone();
        self.eval(template, Some(task), vec![Layer::Branch(context)])
    }

    /// Evaluates as the task sees it after it has published.
    pub(crate) fn eval_after(&self, template: &Template, task: u32) -> Result<Value, EvalError> {
        let context = self.ex.task(task).outbound();
        self.eval(template, Some(task), vec![Layer::Branch(context)])
    }

    /// A value in the form in which it is stored; `what` names it in the error.
    pub(crate) fn data(&self, value: Value, what: &str) -> Result<Data, Fault> {
        let data = Data::from_value(value)
            .map_err(|error| Fault::Force(format!("{what} cannot be kept as JSON: {error}")))?;
        self.check_size(&data, what)?;
        Ok(data)
    }

    pub(crate) fn check_size(&self, data: &Data, what: &str) -> Result<(), Fault> {
        let (limit, actual) = (self.world.limits().data_bytes_max, data.text().len());
        if actual > limit {
            let message =
                format!("{what} has {actual} bytes as JSON, which is over the limit of {limit}");
            let allowed = u64::try_from(limit).unwrap_or(u64::MAX);
            return Err(Fault::limit(&message, "data_bytes_max", allowed));
        }
        Ok(())
    }
}
