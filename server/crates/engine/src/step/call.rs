//! What a task calls, and with which input: names, inline parameters, defaults of the environment,
//! ad-hoc actions, sub-workflows.

use std::sync::Arc;

use definition::model::{self, Body};
use expr::{Dict, EvalError, Template, Value};

use super::builtin;
use super::start::{bind_input, missing_inputs};
use super::{Fault, Machine, Work};
use crate::catalog::{self, Builtin};
use crate::changes::{Delivery, Dispatch};
use crate::data::Data;
use crate::history::HistoryKind;
use crate::id::{ActionId, ExecutionUid};
use crate::record::{ActionRecord, DefinitionRef, PinnedAction, Runner, TaskRecord};
use crate::resolve::{Action, Base, Resolver};
use crate::state::ActionState;
use crate::view::{Layer, Layers};
use crate::world::{AdHocAction, Definition};

/// What a task calls.
pub(super) struct Call {
    /// The name as the author wrote it, or as its expression gave it.
    pub(super) name: Arc<str>,
    callee: Callee,
}

enum Callee {
    Action(Action),
    Workflow(Arc<Definition>),
}

/// An action whose input is ready for the one at the bottom.
struct Prepared {
    base: Base,
    input: Value,
    routing: Routing,
}

/// Which worker an action is for.
#[derive(Clone, Default)]
struct Routing {
    target: Option<Arc<str>>,
    version: Option<Arc<str>>,
    affinity: Option<Arc<str>>,
}

impl Machine<'_> {
    /// Finds out what the task calls.
    pub(super) fn prepare(&self, task: u32, spec: &model::Task) -> Result<Call, Fault> {
        let name = self.eval_for(&spec.call.name, task);
        let name = if spec.with_items.is_empty() {
            name?
        } else {
            name.map_err(|error| Fault::Task(error.to_string()))?
        };
        let name: Arc<str> = match name {
            Value::Str(name) if !name.is_empty() => name,
            value if !value.truthy() && spec.body == Body::Action => "std.noop".into(),
            other if spec.body == Body::Action => {
                let text = other.to_text();
                return Err(Fault::Force(format!(
                    "the name of the action is not a text: {text}"
                )));
            }
            // No workflow has such a name, which is the task's own failure.
            other => other.to_text().into(),
        };
        let callee = match spec.body {
            Body::Action => match self.find_action(&name) {
                Ok(action) => Callee::Action(action),
                // Of a task with items, a name that means nothing is the task's own failure.
                Err(fault) if spec.with_items.is_empty() => return Err(fault),
                Err(fault) => return Err(Fault::Task(fault.into_message())),
            },
            Body::Workflow => Callee::Workflow(self.find_workflow(&name)?),
        };
        Ok(Call { name, callee })
    }

    /// The input of a call: the task's own over the defaults of the environment; inline parameters
    /// win.
    pub(super) fn call_input(
        &self,
        task: u32,
        spec: &model::Task,
        call: &Call,
        items: Option<&Dict>,
    ) -> Result<Dict, Fault> {
        if self.ex.record.definition.is_action() {
            let input = self.ex.record.input.value().as_dict();
            return Ok(self.patched(task, input.cloned().unwrap_or_default()));
        }
        let layers = || {
            let context = self.ex.task(task).context.clone();
            let mut layers = vec![Layer::Branch(context)];
            layers.extend(items.map(|items| Layer::Value(Value::Dict(items.clone()))));
            // What the task has published does not stand in front of its items.
            if self.is_undo(task) {
                layers.reverse();
            }
            layers
        };
        let mut input = match &spec.input {
            None => Dict::new(),
            Some(template) => match self.eval(template, Some(task), layers())? {
                Value::Dict(dict) => dict,
                other => {
                    let (name, kind, text) = (&spec.name, other.type_name(), other.to_text());
                    return Err(Fault::Force(format!(
                        "Wrong dynamic input for task: {name}. Dict type is expected. \
                         Actual type: {kind}. Actual value: {text}"
                    )));
                }
            },
        };
        for (name, template) in &spec.call.params {
            input.insert(name.clone(), self.eval(template, Some(task), layers())?);
        }
        let defaults = self
            .ex
            .env()
            .get("__actions")
            .and_then(|all| all.get(&call.name));
        if let Some(Value::Dict(defaults)) = defaults {
            let mut merged = defaults;
            super::publish::merge_deep(&mut merged, &input);
            input = merged;
        }
        Ok(self.patched(task, input))
    }

    /// The input with the fields that a rerun has given for its first attempt.
    fn patched(&self, task: u32, mut input: Dict) -> Dict {
        let runtime = &self.ex.task(task).record.runtime;
        let patch = runtime
            .input_patch
            .as_ref()
            .filter(|_| runtime.retry_no == 0);
        let Some(patch) = patch.map(|text| Data::from_checked_text(text.clone())) else {
            return input;
        };
        if let Value::Dict(fields) = patch.value() {
            for (name, value) in fields.iter() {
                input.insert(name, value);
            }
        }
        input
    }

    /// Creates the action execution and lets it run.
    pub(super) fn run_call(
        &mut self,
        task: u32,
        call: &Call,
        input: Dict,
        index: u32,
    ) -> Result<(), Fault> {
        let routing = self.routing(task, &input)?;
        match &call.callee {
            Callee::Workflow(definition) => self.run_child(task, definition.clone(), input, index),
            Callee::Action(action) => {
                let mut prepared = self.prepare_action(task, action, input.clone())?;
                prepared.routing = routing;
                self.pin(task, &call.name, action);
                let runner = prepared.base.runner(&prepared.input);
                let input = self.data(Value::Dict(input), "the input of the action")?;
                let number = self.new_action(task, call.name.clone(), input, index, runner, None);
                self.give_to_runner(task, number, &prepared, runner, Delivery::First);
                Ok(())
            }
        }
    }

    /// Lets an action execution run again that was under way when the server stopped.
    pub(super) fn run_action(&mut self, task: u32, action: u32) {
        let record = self
            .ex
            .task(task)
            .action(action)
            .expect("active actions exist")
            .clone();
        let input = record.input.value().as_dict().cloned().unwrap_or_default();
        self.set_unit(task, record.index);
        // It was evaluated without fault before.
        let routing = self.routing(task, &input).unwrap_or_default();
        let prepared = self
            .find_action(&record.name)
            .and_then(|found| self.prepare_action(task, &found, input))
            .and_then(|mut prepared| {
                prepared.routing = routing;
                let safe = self.is_safe_again(task, &prepared.base)?;
                Ok((prepared, Delivery::Again { safe }))
            });
        self.unit.set(None);
        match prepared {
            Ok((prepared, delivery)) => {
                self.give_to_runner(task, action, &prepared, record.runner, delivery);
            }
            Err(fault) => self.fault(task, fault),
        }
    }

    /// Whether an action may run twice: one that touches nothing outside always, else as
    /// `safe-rerun` says.
    fn is_safe_again(&self, task: u32, base: &Base) -> Result<bool, Fault> {
        if matches!(base, Base::Builtin(_)) && base.is_repeatable() {
            return Ok(true);
        }
        match &self.ex.spec(task).safe_rerun {
            Some(safe) => Ok(self.eval_for(safe, task)?.truthy()),
            None => Ok(base.is_repeatable()),
        }
    }

    /// Whether an action of workers may be handed out again after its worker was lost. An
    /// expression that fails says no.
    pub(super) fn is_repeatable(&mut self, task: u32, action: u32) -> bool {
        let workflow = self.ex.workflow().clone();
        let Some(safe) = &self.ex.spec_in(&workflow, task).safe_rerun else {
            return true;
        };
        let outer = self.unit.get();
        let item = self.ex.task(task).action(action).map(|record| record.index);
        self.set_unit(task, item.unwrap_or(0));
        let safe = self.eval_for(safe, task).is_ok_and(|safe| safe.truthy());
        self.unit.set(outer);
        safe
    }

    fn give_to_runner(
        &mut self,
        task: u32,
        action: u32,
        prepared: &Prepared,
        runner: Runner,
        delivery: Delivery,
    ) {
        match runner {
            Runner::Inline => {
                if let Base::Builtin(base) = prepared.base {
                    let input = prepared.input.clone();
                    self.later(Work::Inline {
                        task,
                        action,
                        base,
                        input,
                    });
                }
            }
            Runner::External | Runner::Child => {}
            Runner::Server | Runner::Worker => {
                let is_repeatable = runner == Runner::Worker && self.is_repeatable(task, action);
                let record = &self.ex.task(task).record;
                let attempt = self
                    .ex
                    .task(task)
                    .action(action)
                    .expect("it was just found");
                let dispatch = Dispatch {
                    action: ActionId {
                        task: self.ex.task_id(task),
                        number: action,
                    },
                    name: prepared.base.name(),
                    // It was kept as JSON once already, as the input of the action execution.
                    input: Data::from_value(prepared.input.clone())
                        .unwrap_or_else(|_| Data::null()),
                    created_us: attempt.created_us,
                    attempt: attempt.attempt,
                    timeout_s: record.runtime.timeout_s,
                    times: record.runtime.call_times,
                    priority: self.ex.priority(),
                    target: prepared.routing.target.clone(),
                    version: prepared.routing.version.clone(),
                    affinity: prepared.routing.affinity.clone(),
                    runner,
                    root: self.ex.record.root,
                    index: attempt.index,
                    lease: attempt.lease.clone(),
                    progress: last_progress(record, attempt.index),
                    delivery,
                    is_repeatable,
                    project: self.ex.record.project.clone(),
                    workflow_name: self.ex.record.definition.name.clone(),
                    task_name: record.name.clone(),
                };
                self.out.dispatches.push(dispatch);
            }
        }
    }

    /// Which worker an action is for.
    fn routing(&self, task: u32, input: &Dict) -> Result<Routing, Fault> {
        let spec = self.ex.spec(task);
        Ok(Routing {
            target: self.worker_text(task, spec.target.as_ref(), input)?,
            version: self.worker_text(task, spec.action_version.as_ref(), input)?,
            affinity: self.worker_text(task, spec.affinity_key.as_ref(), input)?,
        })
    }

    /// A text about the worker. The expression sees the input of the action before all else.
    fn worker_text(
        &self,
        task: u32,
        template: Option<&Template>,
        input: &Dict,
    ) -> Result<Option<Arc<str>>, Fault> {
        let Some(template) = template else {
            return Ok(None);
        };
        let spec = self.ex.spec(task);
        let context = self.ex.task(task).context.clone();
        let layers = vec![
            Layer::Value(Value::Dict(input.clone())),
            Layer::Branch(context),
        ];
        match self.eval(template, Some(task), layers) {
            Ok(value) => Ok(value.truthy().then(|| value.to_text().into())),
            Err(error) if spec.with_items.is_empty() => Err(error.into()),
            Err(error) => Err(Fault::Task(error.to_string())),
        }
    }

    /// Runs an inline action, now that it is its turn.
    pub(super) fn run_inline(
        &mut self,
        task: u32,
        action: u32,
        base: &'static Builtin,
        input: &Value,
    ) {
        let record = self.ex.task(task).action(action);
        if record.is_some_and(|record| !record.state.is_final()) {
            let outcome = builtin::run_inline(base, input);
            self.action_ended(task, action, outcome);
        }
    }

    /// Creates the record of an action execution.
    pub(super) fn new_action(
        &mut self,
        task: u32,
        name: Arc<str>,
        input: Data,
        index: u32,
        runner: Runner,
        child: Option<ExecutionUid>,
    ) -> u32 {
        let record = &self.ex.task(task).record;
        let number = u32::try_from(record.actions.len()).unwrap_or(u32::MAX - 1) + 1;
        let attempt = record.runtime.attempt();
        let in_task_row = number == 1 && record.runtime.items.is_none() && child.is_none();
        let record = ActionRecord {
            number,
            name: name.clone(),
            state: ActionState::Running,
            input,
            output: None,
            accepted: false,
            index,
            attempt,
            runner,
            child,
            lease: None,
            in_task_row,
            created_us: self.now,
            finished_us: None,
        };
        self.ex.push_action(task, record);
        if child.is_none() {
            let kind = HistoryKind::ActionStarted {
                action: number,
                name,
                index,
                attempt,
            };
            self.ex.log(self.now, Some(task), kind);
        }
        number
    }

    /// An action by its name. Ad-hoc actions that the execution has called before stay as they were
    /// then.
    fn find_action(&self, name: &str) -> Result<Action, Fault> {
        if let Some(chain) = self.ex.pins.get(name)
            && let Some(action) = self.pinned_action(chain)
        {
            return Ok(action);
        }
        let found = self.resolver().action(name);
        found.map_err(|unresolved| Fault::Force(unresolved.to_string()))
    }

    fn pinned_action(&self, chain: &[DefinitionRef]) -> Option<Action> {
        let chain = chain.iter().map(|one| self.world.pinned_action(one));
        let chain: Vec<_> = chain.collect::<Option<_>>()?;
        let base = self.resolver().base(&chain.last()?.base_name())?;
        let base = Ok(base);
        Some(Action { chain, base })
    }

    /// Remembers which revisions of ad-hoc actions the execution calls: the task that is the first
    /// to call one keeps them in its row.
    fn pin(&mut self, task: u32, call: &Arc<str>, action: &Action) {
        if action.chain.is_empty() || self.ex.pins.contains_key(call) {
            return;
        }
        let chain = action.chain.iter().map(|one| one.reference.clone());
        let chain: Vec<DefinitionRef> = chain.collect();
        self.ex.pins.insert(call.clone(), chain.clone());
        let call = call.clone();
        let pinned = PinnedAction { call, chain };
        self.ex.task_mut(task).record.runtime.pins.push(pinned);
    }

    fn find_workflow(&self, name: &str) -> Result<Arc<Definition>, Fault> {
        self.resolver().workflow(name).ok_or_else(|| {
            let namespace = self.namespace();
            Fault::Task(format!(
                "Failed to find workflow [name={name}] [namespace={namespace}]"
            ))
        })
    }

    /// How names are looked up in this execution.
    fn resolver(&self) -> Resolver<'_> {
        let record = &self.ex.record;
        Resolver {
            world: self.world,
            project: &record.project,
            namespace: self.namespace(),
            workbook: record.definition.workbook.clone(),
        }
    }

    pub(super) fn namespace(&self) -> Arc<str> {
        match self.ex.record.params.value().get("namespace") {
            Some(Value::Str(namespace)) => namespace,
            _ => "".into(),
        }
    }

    /// Takes the input through the ad-hoc actions down to the one at the bottom. What the task
    /// itself gives must fit, or the execution fails; below that, the action has failed.
    fn prepare_action(&self, task: u32, action: &Action, input: Dict) -> Result<Prepared, Fault> {
        let base = || action.base.clone();
        let Some(outermost) = action.chain.first() else {
            let base = base().map_err(|unresolved| Fault::Force(unresolved.to_string()))?;
            base.check_input(&input).map_err(Fault::Force)?;
            return Ok(Prepared {
                base,
                input: Value::Dict(input),
                routing: Routing::default(),
            });
        };
        let (mut input, extra) = Self::bound(outermost, &input).map_err(Fault::Force)?;
        if !extra.is_empty() {
            let message = unfitting(outermost, Vec::new(), &extra);
            return Err(Fault::Force(message));
        }
        let failed = |why: String| Fault::Task(unmade(&outermost.reference.name, &why));
        let base = base().map_err(|unresolved| failed(unresolved.to_string()))?;
        for (index, ad_hoc) in action.chain.iter().enumerate() {
            if index > 0 {
                // What an ad-hoc action gives another one beyond its inputs is there all the same.
                let (bound, extra) = Self::bound(ad_hoc, &input).map_err(failed)?;
                input = extra;
                super::publish::merge_deep(&mut input, &bound);
            }
            let made = self.base_input(task, ad_hoc, &input);
            input = made.map_err(|error| failed(error.to_string()))?;
        }
        base.check_input(&input).map_err(failed)?;
        Ok(Prepared {
            base,
            input: Value::Dict(input),
            routing: Routing::default(),
        })
    }

    /// The input of an ad-hoc action with its defaults, and what is not declared, if nothing is
    /// missing.
    fn bound(ad_hoc: &AdHocAction, given: &Dict) -> Result<(Dict, Dict), String> {
        let declared = &ad_hoc.action.input;
        let (input, extra) = bind_input(declared, &Value::Dict(given.clone()));
        let missing = missing_inputs(declared, &input);
        if missing.is_empty() {
            return Ok((input, extra));
        }
        let missing = missing.into_iter().map(Value::from).collect();
        Err(unfitting(ad_hoc, missing, &extra))
    }

    /// The input of the base of an ad-hoc action. It sees the variables of the task, not the input
    /// of its workflow.
    fn base_input(&self, task: u32, ad_hoc: &AdHocAction, input: &Dict) -> Result<Dict, EvalError> {
        let evaluate = |template: &Template| {
            let context = self.ex.task(task).context.clone();
            let layers = vec![
                Layer::Value(Value::Dict(input.clone())),
                Layer::Branch(context),
                Layer::Value(Value::Dict(self.ex.globals.clone())),
            ];
            self.eval_in(
                template,
                Some(task),
                Layers::into_value(layers, self.ex.env()),
            )
        };
        let mut base = match &ad_hoc.action.base_input {
            None => Dict::new(),
            Some(template) => evaluate(template)?.as_dict().cloned().unwrap_or_default(),
        };
        for (name, template) in &ad_hoc.action.base.params {
            base.insert(name.clone(), evaluate(template)?);
        }
        Ok(base)
    }

    /// Takes the result of the action at the bottom up through the ad-hoc actions.
    pub(super) fn ad_hoc_output(
        &self,
        task: u32,
        name: &str,
        result: Value,
    ) -> Result<Value, Fault> {
        let action = self.find_action(name)?;
        let mut result = result;
        for ad_hoc in action.chain.iter().rev() {
            if let Some(output) = &ad_hoc.action.output {
                let data = match result {
                    Value::Dict(dict) => {
                        Layers::into_value(vec![Layer::Value(Value::Dict(dict))], self.ex.env())
                    }
                    other => other,
                };
                result = self.eval_in(output, Some(task), data)?;
            }
        }
        Ok(result)
    }
}

/// What is said of an ad-hoc action that cannot be made of what it names.
fn unmade(name: &str, why: &str) -> String {
    format!("Failed to instantiate an action [action_name={name}]: {why}")
}

/// What is said of an input that does not fit an ad-hoc action.
fn unfitting(ad_hoc: &AdHocAction, missing: Vec<Value>, extra: &Dict) -> String {
    let class = "mistral.actions.adhoc.AdHocAction";
    let unexpected = extra.keys().collect();
    catalog::invalid_input(&ad_hoc.reference.name, class, missing, unexpected)
}

/// What the attempts of an item have said last of their progress.
fn last_progress(record: &TaskRecord, index: u32) -> Option<Data> {
    let mut attempts = record.actions.iter().rev();
    attempts.find_map(|action| {
        let lease = action.lease.as_ref().filter(|_| action.index == index)?;
        lease.progress.clone()
    })
}
