//! What follows from a task: which transitions it takes, and the commands that come of them.

use std::sync::Arc;

use definition::model::{self, CommandKind, Target, Transition, WorkflowType};

use super::{Fault, Machine, Work};
use crate::branch::Branch;
use crate::failure::FailureKind;
use crate::history::HistoryKind;
use crate::places::Places;
use crate::record::{BackloggedCommand, Edge, TaskRecord, TaskRuntime, Trigger};
use crate::state::TaskState;
use crate::task::Task;

/// Something to do next.
#[derive(Clone, Debug)]
pub(super) struct Command {
    target: CommandTarget,
    /// What led here: nothing at the start of the execution, one task in a direct workflow, all the
    /// required ones in a reverse workflow.
    triggers: Vec<Trigger>,
}

#[derive(Clone, Debug)]
enum CommandTarget {
    /// Run a task of the workflow, by position.
    Task(usize),
    /// Begin a task execution that was held back.
    Existing(u32),
    /// Change the state of the execution.
    State(CommandKind, Option<Arc<str>>),
}

impl Command {
    /// Run a task at the start of the execution.
    pub(super) fn first(spec: usize) -> Self {
        Self::required(spec, Vec::new())
    }

    /// Run a task that these have led to.
    pub(super) fn required(spec: usize, triggers: Vec<Trigger>) -> Self {
        Self {
            target: CommandTarget::Task(spec),
            triggers,
        }
    }

    /// Begin a task execution that was held back.
    pub(super) fn existing(task: u32) -> Self {
        Self {
            target: CommandTarget::Existing(task),
            triggers: Vec::new(),
        }
    }

    pub(super) fn is_pause(&self) -> bool {
        matches!(self.target, CommandTarget::State(CommandKind::Pause, _))
    }
}

/// What a completed task leads to.
#[derive(Default)]
pub(super) struct Next {
    pub(super) commands: Vec<Command>,
    /// Whether an `on-error` transition was taken.
    pub(super) handles_error: bool,
}

impl Machine<'_> {
    /// Decides what follows from a completed task, and records which tasks it led to.
    pub(super) fn next_of(&mut self, task: u32) -> Result<Next, Fault> {
        let workflow = self.ex.workflow().clone();
        if workflow.workflow_type == WorkflowType::Reverse {
            return Ok(Next {
                commands: self.satisfied_tasks(Some(task)),
                handles_error: false,
            });
        }
        let spec = &workflow.tasks[self.ex.task(task).spec];
        let state = self.ex.task(task).record.state;
        let mut taken = match state {
            TaskState::Success => self.taken(task, &spec.on_success, Edge::OnSuccess)?,
            TaskState::Error => self.taken(task, &spec.on_error, Edge::OnError)?,
            TaskState::Skipped => {
                let skip = self.taken(task, &spec.on_skip, Edge::OnSkip)?;
                if skip.is_empty() {
                    self.taken(task, &spec.on_success, Edge::OnSuccess)?
                } else {
                    skip
                }
            }
            TaskState::Idle
            | TaskState::Waiting
            | TaskState::Running
            | TaskState::Delayed
            | TaskState::Paused
            | TaskState::Cancelled => Vec::new(),
        };
        let handles_error = state == TaskState::Error && !taken.is_empty();
        if matches!(state, TaskState::Success | TaskState::Error) {
            taken.extend(self.taken(task, &spec.on_complete, Edge::OnComplete)?);
        }
        // Tasks after `fail` and `succeed` are never created, and yet the task counts as one that
        // leads to others: what it published is no output of the execution.
        let next_tasks =
            taken.iter().filter_map(
                |command| match (&command.target, command.triggers.first()) {
                    (CommandTarget::Task(spec), Some(trigger)) => {
                        Some((workflow.tasks[*spec].name.clone(), trigger.event))
                    }
                    _ => None,
                },
            );
        self.ex.task_mut(task).record.next_tasks = next_tasks.collect();
        Ok(Next {
            commands: taken,
            handles_error,
        })
    }

    /// The transitions of one clause whose conditions hold.
    fn taken(
        &self,
        task: u32,
        transitions: &[Transition],
        event: Edge,
    ) -> Result<Vec<Command>, Fault> {
        let mut taken = Vec::new();
        for transition in transitions {
            if let Some(condition) = &transition.condition
                && !self.eval_after(condition, task)?.truthy()
            {
                continue;
            }
            let target = match &transition.target {
                Target::Task(spec) => CommandTarget::Task(*spec),
                Target::Command(command) => {
                    let message = match &command.message {
                        Some(message) => Some(self.eval_after(message, task)?.to_text().into()),
                        None => None,
                    };
                    CommandTarget::State(command.kind, message)
                }
            };
            taken.push(Command {
                target,
                triggers: vec![self.ex.edge_from(task, event)],
            });
        }
        Ok(taken)
    }

    /// Carries commands out. A state command cuts the list: after `fail` and `succeed` the rest is
    /// dropped, and everything if one of them comes first; after `pause` the rest waits until the
    /// execution is resumed.
    pub(super) fn dispatch(&mut self, commands: Vec<Command>) {
        let is_noop = |command: &Command| {
            matches!(command.target, CommandTarget::State(CommandKind::Noop, _))
        };
        let mut commands = commands.into_iter().filter(|command| !is_noop(command));
        while let Some(command) = commands.next() {
            match command.target {
                CommandTarget::Task(spec) => self.run_task(spec, command.triggers),
                CommandTarget::Existing(task) => self.later(Work::Begin(task)),
                CommandTarget::State(CommandKind::Noop, _) => {}
                CommandTarget::State(CommandKind::Fail, message) => {
                    self.fail(FailureKind::FailCommand.into(), message);
                    return;
                }
                CommandTarget::State(CommandKind::Succeed, message) => {
                    self.succeed_or_fail(message);
                    return;
                }
                CommandTarget::State(CommandKind::Pause, message) => {
                    self.pause_self(message, false);
                    let rest: Vec<_> = commands.filter_map(|rest| self.backlogged(&rest)).collect();
                    if !rest.is_empty() {
                        self.ex.record_mut().backlog.extend(rest);
                    }
                    return;
                }
            }
        }
    }

    fn backlogged(&self, command: &Command) -> Option<BackloggedCommand> {
        let (target, message) = match &command.target {
            CommandTarget::Task(spec) => (self.ex.workflow().tasks[*spec].name.clone(), None),
            CommandTarget::Existing(_) => return None,
            CommandTarget::State(kind, message) => (command_word(*kind).into(), message.clone()),
        };
        Some(BackloggedCommand {
            target,
            message,
            trigger: *command.triggers.first()?,
        })
    }

    /// The commands that waited for the execution to be resumed.
    pub(super) fn take_backlog(&mut self) -> Vec<Command> {
        if self.ex.record.backlog.is_empty() {
            return Vec::new();
        }
        let backlog = std::mem::take(&mut self.ex.record_mut().backlog);
        let tasks = &self.ex.workflow().tasks;
        let commands = backlog.into_iter().filter_map(|saved| {
            let target = match command_of(&saved.target) {
                Some(kind) => CommandTarget::State(kind, saved.message),
                None => CommandTarget::Task(tasks.get_index_of(&saved.target)?),
            };
            Some(Command {
                target,
                triggers: vec![saved.trigger],
            })
        });
        commands.collect()
    }

    /// Creates the execution of a task, or tells a join that one more inbound task has arrived.
    fn run_task(&mut self, spec: usize, triggers: Vec<Trigger>) {
        if self.ex.record.is_in_rollback() {
            return;
        }
        let workflow = self.ex.workflow().clone();
        let task = &workflow.tasks[spec];
        let is_join = task.join.is_some();
        if is_join
            && let Some(trigger) = triggers.first()
            && self.arrived_at_join(spec, *trigger)
        {
            return;
        }
        let limit = self.world.limits().tasks_max;
        if self.ex.record.progress.total >= limit {
            let message = format!("the execution has more than {limit} tasks");
            let fault = Fault::limit(&message, "tasks_per_execution_max", limit.into());
            self.fail(fault.failure(), Some(fault.into_message().into()));
            return;
        }
        let number = self.create_task(spec, task, triggers);
        if is_join {
            self.refresh_later(number);
        } else {
            self.later(Work::Begin(number));
        }
    }

    /// Tells the present execution of a join about an arrival. False if a new one must be made:
    /// there is none, or it is done and the inbound task comes round again.
    ///
    /// A join of N that has run takes no notice of the inbound tasks that come after the Nth: it
    /// fires once for each round. Of what goes that way, joins of all active branches no longer
    /// have to expect anything.
    fn arrived_at_join(&mut self, spec: usize, trigger: Trigger) -> bool {
        let Some(number) = self.ex.latest[spec] else {
            return false;
        };
        let from = self.ex.task(trigger.task).spec;
        let record = &self.ex.task(number).record;
        let waits = record.state == TaskState::Waiting;
        // One of all active branches has run only once nothing else could come: this is new.
        let is_all_active = self.ex.spec(number).join == Some(model::Join::AllActive);
        if is_all_active && !waits {
            return false;
        }
        if record.runtime.join_seen.contains(from) {
            if !waits {
                let is_ignored = self.is_impossible_again(number);
                self.refresh_active_joins();
                return is_ignored;
            }
        } else {
            let runtime = &mut self.ex.task_mut(number).record.runtime;
            runtime.join_seen.insert(from);
        }
        if waits {
            // Of many inbound tasks, not each is a reason to look at all the others.
            let awaited = &mut self.ex.task_memory(number).awaited;
            *awaited = awaited.saturating_sub(1);
            if *awaited == 0 {
                self.refresh_later(number);
            }
        } else {
            self.refresh_active_joins();
        }
        true
    }

    /// Whether a join has failed without having run, and what has come since changes nothing.
    fn is_impossible_again(&self, join: u32) -> bool {
        let record = &self.ex.task(join).record;
        record.state == TaskState::Error && !record.runtime.begun && !self.may_run(join)
    }

    fn create_task(&mut self, spec: usize, task: &model::Task, triggers: Vec<Trigger>) -> u32 {
        let number = self.ex.next_number();
        let is_join = task.join.is_some();
        let mut context = Branch::default();
        let mut join_seen = Places::default();
        for trigger in &triggers {
            context = context.merge(&self.ex.seen_through(*trigger));
            if is_join {
                join_seen.insert(self.ex.task(trigger.task).spec);
            }
        }
        let state = if is_join {
            TaskState::Waiting
        } else {
            TaskState::Idle
        };
        let record = TaskRecord {
            number,
            name: task.name.clone(),
            is_workflow: task.body == model::Body::Workflow,
            state,
            state_info: is_join.then(|| "Task is waiting.".into()),
            processed: false,
            error_handled: false,
            next_tasks: Vec::new(),
            triggered_by: triggers,
            published: None,
            published_global: None,
            global_order: 0,
            runtime: TaskRuntime {
                join_seen,
                ..TaskRuntime::default()
            },
            created_us: self.now,
            started_us: None,
            updated_us: self.now,
            finished_us: None,
            actions: Vec::new(),
        };
        let triggered_by = record
            .triggered_by
            .iter()
            .map(|trigger| trigger.task)
            .collect();
        self.ex.push_task(Task::new(record, spec, context));
        if is_join {
            let kind = HistoryKind::TaskCreated {
                state,
                triggered_by,
                undo_of: None,
            };
            self.ex.log(self.now, Some(number), kind);
        }
        number
    }
}

const fn command_word(kind: CommandKind) -> &'static str {
    match kind {
        CommandKind::Noop => "noop",
        CommandKind::Fail => "fail",
        CommandKind::Succeed => "succeed",
        CommandKind::Pause => "pause",
    }
}

/// The engine command of that name; it wins over a task of the same name.
fn command_of(word: &str) -> Option<CommandKind> {
    match word {
        "noop" => Some(CommandKind::Noop),
        "fail" => Some(CommandKind::Fail),
        "succeed" => Some(CommandKind::Succeed),
        "pause" => Some(CommandKind::Pause),
        _ => None,
    }
}
