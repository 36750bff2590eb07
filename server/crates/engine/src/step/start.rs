//! The beginning of an execution, and its return from the store.

use std::sync::Arc;

use definition::model::{Parameter, WorkflowType};
use expr::{Dict, Template, Value};

use super::transitions::Command;
use super::{Fault, Machine, Work};
use crate::branch::Branch;
use crate::changes::Changes;
use crate::data::Data;
use crate::error::{Error, NotEvaluated};
use crate::event::{Caller, Start};
use crate::execution::{Execution, PRIORITY, PRIORITY_MAX, is_repeated_after_restart, priority_of};
use crate::history::HistoryKind;
use crate::record::{Edge, ExecutionRecord, Progress, TaskRecord, Trigger};
use crate::state::{ActionState, ExecutionState, TaskState};
use crate::task::{Task, after_publishing};
use crate::view::{Layer, Layers};
use crate::world::{Definition, World};

/// Starts an execution: everything that can happen without waiting happens at once.
///
/// Refuses input or start parameters that do not fit the workflow. Faults inside the workflow are
/// not errors: the execution then ends in ERROR.
pub fn start(order: Start, now_us: i64, world: &dyn World) -> Result<(Execution, Changes), Error> {
    let workflow = order.definition.workflow.clone();
    let (input, extra) = bind_order(&order);
    let missing: Vec<String> = missing_inputs(&workflow.input, &input);
    let is_child = order.parent.is_some();
    if !missing.is_empty() || (!is_child && !extra.is_empty()) {
        let unexpected = if is_child { Dict::new() } else { extra };
        let unexpected = unexpected.keys().map(|key| key.to_text()).collect();
        return Err(Error::InputMismatch {
            missing,
            unexpected,
        });
    }
    let params = start_params(&order, &extra)?;
    let params = kept(params, "params")?;
    let input = kept_input(&order.input, input, &extra)?;
    let (root, item_index, depth) = match &order.parent {
        Some(parent) => (parent.root, parent.item_index, parent.depth),
        None => (order.uid, 0, 0),
    };
    let record = ExecutionRecord {
        uid: order.uid,
        shard: order.shard,
        project: order.project,
        execution_id: order.execution_id,
        definition: order.definition.reference.clone(),
        state: ExecutionState::Idle,
        state_info: None,
        failure: None,
        run: 1,
        input,
        params,
        output: None,
        vars: Data::empty_object(),
        description: order.description,
        labels: order.labels,
        parent: order.parent.as_ref().map(|parent| parent.action),
        item_index,
        root,
        source: order.source,
        depth,
        last_sequence: 0,
        backlog: Vec::new(),
        rollback: None,
        created_us: now_us,
        updated_us: now_us,
        finished_us: None,
        progress: Progress::default(),
    };
    let mut execution = Execution::new(record, order.definition);
    let mut machine = Machine::new(&mut execution, world, now_us);
    machine.evaluate_env().map_err(|fault| Error::Params {
        field: "params.env",
        message: fault.into_message(),
    })?;
    machine.evaluate_vars()?;
    machine.begin_execution(&order.caller);
    let changes = machine.run();
    Ok((execution, changes))
}

/// The input as it is kept: as it came, byte for byte, if it needs no defaults and nothing of it is
/// a start parameter.
fn kept_input(given: &Data, bound: Dict, extra: &Dict) -> Result<Data, Error> {
    let asked = given.value().as_dict().map(Dict::len);
    if extra.is_empty() && asked == Some(bound.len()) {
        return Ok(given.clone());
    }
    let hints = given.metadata().cloned().unwrap_or_default();
    Ok(kept(bound, "input")?.with_metadata(hints))
}

/// A start parameter in the form in which it is kept.
fn kept(value: Dict, field: &'static str) -> Result<Data, Error> {
    Data::from_value(Value::Dict(value)).map_err(|error| Error::Params {
        field,
        message: error.to_string(),
    })
}

/// Brings an execution back from its stored records. What was under way goes on: the steps that a
/// commit had left over, inline actions, and those that the server runs (delivered again).
pub fn restore(
    record: ExecutionRecord,
    tasks: Vec<TaskRecord>,
    definition: Arc<Definition>,
    now_us: i64,
    world: &dyn World,
) -> (Execution, Changes) {
    let mut execution = view_of(record, tasks, definition);
    let mut machine = Machine::new(&mut execution, world, now_us);
    if !machine.ex.record.state.is_final() {
        machine.take_up();
    }
    let changes = machine.run();
    (execution, changes)
}

/// Ends an execution on whose stored records the rules have failed, so that it stands in nobody's
/// way: it is in ERROR with this message, and its parent is told. What was under way is left alone.
pub fn abandon(
    record: ExecutionRecord,
    tasks: Vec<TaskRecord>,
    definition: Arc<Definition>,
    message: &str,
    now_us: i64,
    world: &dyn World,
) -> (Execution, Changes) {
    let mut execution = Execution::stored(record, definition);
    for task in tasks {
        let number = task.number as usize;
        let spec = execution.workflow().tasks.get_index_of(&task.name);
        // Where the numbers do not fit together, the rest cannot be held.
        if let Some(spec) = spec.filter(|_| number == execution.tasks.len() + 1) {
            execution.restore_task(Task::new(task, spec, Branch::default()));
        }
    }
    let mut machine = Machine::new(&mut execution, world, now_us);
    machine.abandoned(message.into());
    let changes = std::mem::take(&mut machine.out);
    (execution, changes)
}

/// An execution as it is stored, to be read only: nothing goes on.
pub fn view_of(
    record: ExecutionRecord,
    tasks: Vec<TaskRecord>,
    definition: Arc<Definition>,
) -> Execution {
    let mut execution = Execution::stored(record, definition);
    restore_tasks(&mut execution, tasks);
    execution
}

fn restore_tasks(execution: &mut Execution, tasks: Vec<TaskRecord>) {
    if let Value::Dict(vars) = execution.record.vars.value() {
        execution.globals = vars.clone();
    }
    let workflow = execution.definition.workflow.clone();
    for record in tasks {
        // The definition of a stored execution is found by its content, so its tasks are there.
        let Some(spec) = workflow.tasks.get_index_of(&record.name) else {
            continue;
        };
        execution.restore_task(Task::new(record, spec, Branch::default()));
    }
    restore_contexts(execution);
    let mut published: Vec<(u32, Data)> = execution
        .tasks()
        .filter(|record| record.global_order > 0)
        .filter_map(|record| Some((record.global_order, record.published_global.clone()?)))
        .collect();
    published.sort_by_key(|(order, _)| *order);
    execution.globals_published = published.last().map_or(0, |(order, _)| *order);
    for (_, data) in published {
        if let Value::Dict(dict) = data.value() {
            super::publish::merge_deep(&mut execution.globals, dict);
        }
    }
}

/// Contexts follow from what was published and by what each task was triggered. A join can have
/// triggers with higher numbers than its own, so the order is found by a walk without recursion. A
/// task that was taken back has several contexts, one a generation.
fn restore_contexts(execution: &mut Execution) {
    let count = execution.tasks.len();
    // How many generations of each task the walk has come to, and how many it is done with.
    let (mut entered, mut done) = (vec![0; count], vec![0; count]);
    for first in 0..count {
        let mut stack = vec![(
            first,
            execution.tasks[first].record.runtime.earlier.len(),
            false,
        )];
        while let Some((index, generation, expanded)) = stack.pop() {
            if expanded {
                if done[index] == generation {
                    restore_context(execution, index, generation);
                    done[index] += 1;
                }
                continue;
            }
            if entered[index] > generation {
                continue;
            }
            entered[index] = generation + 1;
            for one in (done[index]..=generation).rev() {
                stack.push((index, one, true));
                let triggers = triggers_of(execution, index, one).into_iter();
                let triggers = triggers.map(|t| (t.task as usize - 1, t.generation as usize));
                let known = triggers.filter(|(task, _)| *task < count);
                stack.extend(known.map(|(task, generation)| (task, generation, false)));
            }
        }
    }
}

/// What had led to a task in one of its generations.
fn triggers_of(execution: &Execution, index: usize, generation: usize) -> Vec<Trigger> {
    let record = &execution.tasks[index].record;
    // What undoes a task sees what the task has seen and published.
    if let Some(undone) = record.runtime.undo_of.and_then(|task| execution.find(task)) {
        return vec![Trigger {
            task: undone.record.number,
            event: Edge::OnSuccess,
            generation: undone.generation(),
        }];
    }
    let earlier = record.runtime.earlier.get(generation);
    let triggers = earlier.map_or(&record.triggered_by, |earlier| &earlier.triggered_by);
    triggers.clone()
}

fn restore_context(execution: &mut Execution, index: usize, generation: usize) {
    let count = execution.tasks.len();
    let triggers = triggers_of(execution, index, generation).into_iter();
    let branches = triggers
        .filter(|trigger| (trigger.task as usize) <= count)
        .map(|trigger| execution.seen_through(trigger));
    let context = branches
        .reduce(|left, right| left.merge(&right))
        .unwrap_or_default();
    let task = &mut execution.tasks[index];
    if let Some(earlier) = task.record.runtime.earlier.get(generation) {
        let seen = after_publishing(&context, earlier.published.as_ref());
        task.earlier.push(seen);
    } else {
        task.context = context;
        task.outbound = Some(task.outbound());
    }
}

impl Machine<'_> {
    fn begin_execution(&mut self, caller: &Caller) {
        let record = &self.ex.record;
        let is_restart = record.source.is_some();
        let kind = HistoryKind::ExecutionStarted {
            workflow: record.definition.name.clone(),
            revision: record.definition.revision,
            parent_task: record.parent.map(|parent| parent.task.to_string().into()),
            source: record.source.map(|source| source.to_string().into()),
        };
        self.ex.log_by(self.now, None, caller, kind);
        if is_restart {
            self.record_caller("restart", None, caller);
        }
        self.ex.set_state(ExecutionState::Running, None, self.now);
        if let Err(fault) = self.try_begin() {
            self.fail(fault.failure(), Some(fault.into_message().into()));
        }
    }

    fn try_begin(&mut self) -> Result<(), Fault> {
        let record = &self.ex.record;
        let limits = self.world.limits();
        if u32::try_from(record.depth).unwrap_or(u32::MAX) > limits.depth_max {
            let most = limits.depth_max;
            let message = format!("sub-workflows are nested deeper than {most} levels");
            return Err(Fault::limit(&message, "nesting_max", most.into()));
        }
        self.check_size(&record.input.clone(), "the input")?;
        let workflow = self.ex.workflow().clone();
        match workflow.workflow_type {
            WorkflowType::Direct => {
                let start = workflow.graph.start.iter().copied();
                self.dispatch(start.map(Command::first).collect());
                Ok(())
            }
            WorkflowType::Reverse => self.start_reverse(),
        }
    }

    /// The variables that the workflow sets at its start. Where they fail, nothing starts.
    fn evaluate_vars(&mut self) -> Result<(), Error> {
        let workflow = self.ex.workflow().clone();
        let Some(vars) = &workflow.vars else {
            return Ok(());
        };
        let refused = |fault: NotEvaluated| Error::NotEvaluated {
            field: "vars",
            fault: Box::new(fault),
        };
        let vars = self.eval(vars, None, Vec::new());
        let vars = vars.map_err(|error| refused(error.into()))?;
        let vars = self.data(vars, "the value of vars");
        let vars = vars.map_err(|fault| {
            refused(NotEvaluated {
                failure: fault.failure(),
                message: fault.into_message(),
                expression: None,
                span: None,
            })
        })?;
        if let Value::Dict(dict) = vars.value() {
            self.ex.globals = dict.clone();
        }
        self.ex.payloads_mut().vars = vars;
        Ok(())
    }

    /// Values of the environment may be expressions over the environment itself.
    fn evaluate_env(&mut self) -> Result<(), Fault> {
        let Value::Dict(params) = self.ex.record.params.value().clone() else {
            return Ok(());
        };
        let asked = params.get("evaluate_env").is_none_or(|flag| flag.truthy());
        let Some(env) = params.get("env") else {
            return Ok(());
        };
        if !asked || self.ex.record.parent.is_some() {
            return Ok(());
        }
        let (template, _) = Template::compile(&env);
        if template.is_literal() {
            return Ok(());
        }
        let data = Layers::into_value(vec![Layer::Value(Value::Null)], env);
        let env = self.eval_in(&template, None, data)?;
        let mut params = params;
        params.insert("env", env);
        let params = self.data(Value::Dict(params), "the environment")?;
        self.ex.payloads_mut().params = params;
        Ok(())
    }

    /// Finds again what was under way when the server stopped.
    fn take_up(&mut self) {
        if self.ex.record.state == ExecutionState::Idle {
            self.begin_execution(&Caller::default());
            return;
        }
        for number in self.ex.active.iter().copied().collect::<Vec<_>>() {
            let record = &self.ex.task(number).record;
            match record.state {
                // One that `pause-before` holds back begins once the execution is resumed.
                TaskState::Idle if !record.runtime.paused_before || self.is_running() => {
                    self.later(Work::Begin(number));
                }
                // Its time had come already.
                TaskState::Delayed if record.runtime.due.is_none() => {
                    self.later(Work::Begin(number));
                }
                // What is paused looks at its joins when it is resumed.
                TaskState::Waiting if self.is_running() => self.refresh_later(number),
                TaskState::Running => self.take_up_actions(number),
                TaskState::Idle
                | TaskState::Waiting
                | TaskState::Delayed
                | TaskState::Paused
                | TaskState::Success
                | TaskState::Error
                | TaskState::Cancelled
                | TaskState::Skipped => {}
            }
        }
    }

    /// Lets the actions of a task run again that cannot have gone on by themselves.
    pub(super) fn take_up_actions(&mut self, task: u32) {
        let active: Vec<u32> = self.ex.task(task).active_actions.iter().copied().collect();
        for action in active {
            let record = self
                .ex
                .task(task)
                .action(action)
                .expect("active actions exist");
            if record.state == ActionState::Running && is_repeated_after_restart(record.runner) {
                self.run_action(task, action);
            }
        }
    }
}

/// The input of a start, and what of it is not declared.
fn bind_order(order: &Start) -> (Dict, Dict) {
    if order.definition.reference.is_action() {
        // The input is the action's, which has been checked; the workflow behind declares none.
        let input = order.input.value().as_dict().cloned();
        return (input.unwrap_or_default(), Dict::new());
    }
    bind_input(&order.definition.workflow.input, order.input.value())
}

/// Sorts given inputs into declared ones, with defaults filled in, and others.
pub(crate) fn bind_input(declared: &[Parameter], given: &Value) -> (Dict, Dict) {
    let empty = Dict::new();
    let given = given.as_dict().unwrap_or(&empty);
    let mut input = Dict::new();
    for parameter in declared {
        let value = given
            .get(&parameter.name)
            .or_else(|| parameter.default.clone());
        if let Some(value) = value {
            input.insert(parameter.name.clone(), value);
        }
    }
    let is_declared = |key: &Value| declared.iter().any(|p| key.as_str() == Some(&*p.name));
    let extra = given.iter().filter(|(key, _)| !is_declared(key)).collect();
    (input, extra)
}

/// Names of the required inputs that are not there.
pub(crate) fn missing_inputs(declared: &[Parameter], input: &Dict) -> Vec<String> {
    let missing = declared
        .iter()
        .filter(|parameter| !input.contains_key(&parameter.name));
    missing
        .map(|parameter| parameter.name.to_string())
        .collect()
}

/// The start parameters as they are kept: with namespace and environment always there.
fn start_params(order: &Start, extra: &Dict) -> Result<Dict, Error> {
    let mut params = order.params.value().as_dict().cloned().unwrap_or_default();
    for (key, value) in extra.iter() {
        params.insert(key, value);
    }
    params.insert("namespace", Value::from(order.namespace.clone()));
    let refuse = |field, message: String| Err(Error::Params { field, message });
    // Of a child it may be an input that the workflow does not declare, and means something else.
    if let (Some(given), None) = (params.get(PRIORITY), &order.parent)
        && priority_of(&given).is_none()
    {
        let (most, text) = (PRIORITY_MAX, given.to_text());
        let message = format!("must be an integer from -{most} to {most}, not {text}");
        return refuse("params.priority", message);
    }
    match params.get("env") {
        None | Some(Value::Null) => {
            params.insert("env", Value::Dict(Dict::new()));
        }
        Some(Value::Dict(_)) => {}
        Some(other) => {
            let kind = other.type_name();
            return refuse("params.env", format!("must be an object, not {kind}"));
        }
    }
    if order.definition.workflow.workflow_type == WorkflowType::Reverse {
        let tasks = &order.definition.workflow.tasks;
        let target = params.get("task_name");
        let known = target
            .as_ref()
            .and_then(Value::as_str)
            .is_some_and(|t| tasks.contains_key(t));
        if !known {
            let given = target.map_or_else(|| "none".to_owned(), |target| target.to_text());
            let message =
                format!("a reverse workflow needs the name of one of its tasks, got {given}");
            return refuse("params.task_name", message);
        }
    }
    Ok(params)
}
