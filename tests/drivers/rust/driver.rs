//! Runs one scenario through the Rust SDK.
//!
//! Owns what the drivers of the other languages own in theirs: performing steps and telling what
//! the SDK saw. Knows nothing of what is expected: that is for the runner.

mod look;
mod things;

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result, bail};
use autan::{
    ActionState, Binary, Client, Error, Event, EventKind, Execution, ExecutionHandle,
    ExecutionState, Payload,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

/// What a driver reads.
#[derive(Debug, Deserialize)]
struct Case {
    address: String,
    project: String,
    identity: String,
    source: String,
    steps: Vec<Step>,
}

/// One call; which fields count depends on `call`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they belong to different calls"
)]
struct Step {
    #[serde(rename = "do")]
    call: String,
    kind: String,
    workflow: String,
    input: Option<Value>,
    params: Option<Value>,
    labels: BTreeMap<String, String>,
    id: Option<String>,
    #[serde(rename = "as")]
    name: Option<String>,
    of: Option<String>,
    task: Option<String>,
    state: String,
    item: i32,
    attempt: Option<i32>,
    reset: bool,
    result: Value,
    error: Value,
    env: Option<Value>,
    outcome: String,
    filter: String,
    bytes: Option<String>,
    content_type: String,
    metadata: BTreeMap<String, String>,
    source: Option<String>,
    environment: Option<String>,
    variables: Value,
    set: BTreeMap<String, Value>,
    remove: Vec<String>,
    action: String,
    expression: String,
    context: Option<Value>,
    reason: String,
    description: Option<String>,
    verb: String,
    ids: Vec<String>,
    rate: Option<u32>,
    after: i64,
    before: i64,
    types: Vec<String>,
    newest: bool,
    resume: bool,
    errors: bool,
    force: bool,
    etag: String,
}

/// The executions of one case, by the names that its steps give them.
struct Run {
    client: Client,
    source: String,
    executions: HashMap<String, ExecutionHandle>,
    /// Where the last watch of many ended.
    token: String,
}

/// Runs a case and tells what the SDK saw.
pub(crate) async fn drive(case: &Value) -> Result<Value> {
    let case = Case::deserialize(case).context("reading the case")?;
    let client = Client::builder(format!("http://{}", case.address))
        .project(case.project)
        .identity(case.identity);
    let mut run = Run {
        client: client.connect().await?,
        source: case.source,
        executions: HashMap::new(),
        token: String::new(),
    };
    let mut answers = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        let answer = run.perform(step).await;
        answers.push(answer.with_context(|| format!("step {}, {}", index + 1, step.call))?);
    }
    let mut seen = run.outcome().await?;
    seen["answers"] = answers.into();
    Ok(seen)
}

impl Run {
    /// Makes one call and returns what is worth comparing of its answer.
    async fn perform(&mut self, step: &Step) -> Result<Value> {
        let error = match self.call(step).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let refusal = error.downcast_ref::<Error>().and_then(Error::reason);
        match refusal {
            Some(reason) => Ok(json!({"refused": reason.as_str()})),
            None => Err(error),
        }
    }

    async fn call(&mut self, step: &Step) -> Result<Value> {
        match step.call.as_str() {
            "create" => return self.create(step).await,
            "start" => return self.start(step).await,
            "list" => return self.list(step).await,
            "create_environment" | "update_environment" | "delete_environment" => {
                return self.environment(step).await;
            }
            "run_action" => return Box::pin(self.run_action(step)).await,
            "evaluate" => return self.evaluate(step).await,
            "batch" | "preview" | "batches" => return look::batch(&self.client, step).await,
            "watch_all" => return self.watch_all(step).await,
            "watch_events" => return self.watch_events(step).await,
            _ => {}
        }
        let execution = self.execution(step)?;
        let info = match step.call.as_str() {
            "complete" | "fail" | "cancel_action" | "bytes" => {
                return self.act(&execution, step).await;
            }
            "child" => return self.child(&execution, step).await,
            "explain" | "graph" | "history" | "callers" => {
                return look::inside(&execution, step).await;
            }
            "await" => {
                find(&execution, |event| step.awaits(event)).await?;
                return Ok(Value::Null);
            }
            "result" => return result(&execution).await,
            "delete" => {
                let mut call = execution.delete().reason(&step.reason);
                if step.force {
                    call = call.force();
                }
                call.await?;
                self.executions.remove(step.of.as_deref().unwrap_or("run"));
                return Ok(Value::Null);
            }
            "pause" => execution.pause().await?,
            "resume" => match &step.env {
                Some(env) => execution.resume().env(env)?.await?,
                None => execution.resume().await?,
            },
            "rerun" => self.rerun(&execution, step).await?,
            "rollback" => {
                let mut call = execution.rollback();
                if let Some(name) = &step.task {
                    call = call.to_task(task_id(&execution, name).await?);
                }
                call.await?
            }
            "skip" => return self.skip(&execution, step).await,
            "retry" => {
                let name = step.task.as_deref().context("a retry needs a task")?;
                let id = task_id(&execution, name).await?;
                return Ok(json!({"state": self.client.tasks().retry(id).await?.state}));
            }
            "terminate" | "drained" | "restart" | "update" => {
                return self.control(&execution, step).await;
            }
            "cancel" => execution.cancel().await?,
            "stop" => execution.stop(final_state(&step.outcome)?).await?,
            "wait" => execution.wait().await?,
            other => bail!("there is no step {other:?}"),
        };
        Ok(json!({"state": info.state}))
    }

    fn execution(&self, step: &Step) -> Result<ExecutionHandle> {
        let name = step.of.as_deref().unwrap_or("run");
        let found = self.executions.get(name).cloned();
        found.with_context(|| format!("no execution is called {name:?}"))
    }

    async fn create(&self, step: &Step) -> Result<Value> {
        let source = step.source.as_ref().unwrap_or(&self.source);
        match step.kind.as_str() {
            "workbook" => drop(self.client.workbooks().create(source).await?),
            "actions" => drop(self.client.actions().create(source).await?),
            _ => drop(self.client.workflows().create(source).await?),
        }
        Ok(Value::Null)
    }

    async fn start(&mut self, step: &Step) -> Result<Value> {
        let mut start = self
            .client
            .start(&step.workflow)
            .labels(step.labels.clone());
        if let Some(input) = &step.input {
            start = start.input(input)?;
        }
        if let Some(params) = &step.params {
            start = start.params(params)?;
        }
        if let Some(environment) = &step.environment {
            start = start.environment(environment);
        }
        if let Some(id) = &step.id {
            start = start.id(id);
        }
        let execution = start.send().await?;
        let answer = json!({"started": execution.is_new()});
        let name = step.name.as_deref().unwrap_or("run");
        self.executions.insert(name.to_owned(), execution);
        Ok(answer)
    }

    async fn list(&self, step: &Step) -> Result<Value> {
        let found = self.client.executions().list(&step.filter);
        let found = found.collect().await?.into_iter();
        let mut ids: Vec<_> = found.map(|execution| execution.execution_id).collect();
        ids.sort();
        Ok(json!(ids))
    }

    /// Completes the action of a task that runs outside.
    async fn act(&self, execution: &ExecutionHandle, step: &Step) -> Result<Value> {
        let event = find(execution, |event| step.acts(event)).await?;
        let EventKind::ActionStarted {
            action_execution_id,
            ..
        } = event.kind
        else {
            bail!("found another event");
        };
        let actions = self.client.action_executions();
        match step.call.as_str() {
            "bytes" => {
                let found: Binary = actions
                    .get(action_execution_id)
                    .await?
                    .output
                    .context("the action has no output")?
                    .to()?;
                return Ok(json!({
                    "bytes": std::str::from_utf8(&found.data)?,
                    "content_type": found.content_type,
                    "metadata": found.metadata,
                }));
            }
            "complete" if step.bytes.is_some() => {
                let result = Binary {
                    content_type: step.content_type.clone(),
                    data: step.bytes.clone().unwrap_or_default().into(),
                    metadata: step.metadata.clone(),
                };
                actions.complete(action_execution_id, &result).await?
            }
            "complete" => actions.complete(action_execution_id, &step.result).await?,
            "fail" => actions.fail(action_execution_id, &step.error).await?,
            _ => {
                actions
                    .update(action_execution_id, ActionState::Cancelled)
                    .await?
            }
        };
        Ok(Value::Null)
    }

    async fn rerun(&self, execution: &ExecutionHandle, step: &Step) -> Result<Execution> {
        let mut call = execution.rerun();
        if let Some(name) = &step.task {
            call = call.task(task_id(execution, name).await?);
        }
        if step.reset {
            call = call.reset();
        }
        if let Some(env) = &step.env {
            call = call.env(env)?;
        }
        if let Some(input) = &step.input {
            call = call.input(input)?;
        }
        Ok(call.await?)
    }

    /// Makes the calls that end, repeat or change an execution.
    async fn control(&mut self, execution: &ExecutionHandle, step: &Step) -> Result<Value> {
        match step.call.as_str() {
            "terminate" => {
                let found = execution.terminate().reason(&step.reason).await?;
                let error = found
                    .error
                    .context("it does not say that it was terminated")?;
                let (state, info) = (found.state, found.state_info);
                Ok(json!({"state": state, "info": info, "type": error.kind}))
            }
            "drained" => {
                let found = execution.wait_drained().await?;
                let running = found.progress.running_actions;
                Ok(json!({"state": found.state, "running": running}))
            }
            "restart" => self.restart(execution, step).await,
            _ => {
                let mut call = execution.update().etag(match step.etag.as_str() {
                    "current" => execution.get().await?.etag,
                    other => other.to_owned(),
                });
                if !step.labels.is_empty() {
                    call = call.labels(step.labels.clone());
                }
                if let Some(description) = &step.description {
                    call = call.description(description);
                }
                if let Some(env) = &step.env {
                    call = call.env(env)?;
                }
                let found = call.await?;
                Ok(json!({"labels": found.labels, "description": found.description}))
            }
        }
    }

    async fn restart(&mut self, source: &ExecutionHandle, step: &Step) -> Result<Value> {
        let mut call = source.restart();
        if let Some(id) = &step.id {
            call = call.id(id);
        }
        if let Some(input) = &step.input {
            call = call.input(input)?;
        }
        if !step.labels.is_empty() {
            call = call.labels(step.labels.clone());
        }
        let execution = call.await?;
        let found = execution.get().await?;
        let repeats = found.source_execution_id == Some(source.get().await?.uid);
        let name = step.name.as_deref().unwrap_or("run");
        self.executions.insert(name.to_owned(), execution);
        let input = value(found.input.as_ref())?;
        Ok(json!({"repeats": repeats, "input": input, "labels": found.labels}))
    }

    async fn skip(&self, execution: &ExecutionHandle, step: &Step) -> Result<Value> {
        let name = step.task.as_deref().context("a skip needs a task")?;
        let id = task_id(execution, name).await?;
        let mut call = self.client.tasks().skip(id);
        if !step.result.is_null() {
            call = call.result(&step.result)?;
        }
        Ok(json!({"state": call.await?.state}))
    }

    /// Gives a name to the sub-workflow that a task started.
    async fn child(&mut self, execution: &ExecutionHandle, step: &Step) -> Result<Value> {
        let started = |event: &Event| {
            event.task_name == step.task && matches!(event.kind, EventKind::ChildStarted { .. })
        };
        let EventKind::ChildStarted {
            child_execution_id, ..
        } = find(execution, started).await?.kind
        else {
            bail!("found another event");
        };
        let name = step.name.clone().context("a child needs a name")?;
        let child = self.client.execution(child_execution_id);
        self.executions.insert(name, child);
        Ok(Value::Null)
    }

    /// What became of the execution that the case is about.
    async fn outcome(&self) -> Result<Value> {
        let Some(execution) = self.executions.get("run") else {
            return Ok(json!({}));
        };
        let info = execution.wait().await?;
        let mut tasks = Vec::new();
        for task in execution.tasks("").full().collect().await? {
            tasks.push(json!({
                "name": task.task_name,
                "state": task.state,
                "published": value(task.published.as_ref())?,
            }));
        }
        let mut watch = Vec::new();
        let mut events = execution.events();
        while let Some(event) = events.try_next().await? {
            watch.push(line(&event));
        }
        let history = execution.history().collect().await?;
        Ok(json!({
            "state": info.state,
            "output": value(info.output.as_ref())?,
            "tasks": tasks,
            "history": history.iter().map(line).collect::<Vec<_>>(),
            "watch": watch,
        }))
    }
}

impl Step {
    /// Tells the start of the action that the step is about.
    fn acts(&self, event: &Event) -> bool {
        let is_meant = |name: &str| self.action.is_empty() || *name == self.action;
        matches!(&event.kind, EventKind::ActionStarted { item_index, attempt, action_name, .. }
            if *item_index == self.item
                && *attempt == self.attempt.unwrap_or(1)
                && is_meant(action_name))
            && event.task_name == self.task
    }

    /// Tells the change of state that the step waits for.
    fn awaits(&self, event: &Event) -> bool {
        let state = match &event.kind {
            EventKind::TaskCreated { state, .. } | EventKind::TaskStateChanged { state, .. } => {
                state.to_string()
            }
            EventKind::ExecutionStateChanged { state, .. } => state.to_string(),
            _ => return false,
        };
        event.task_name == self.task && state == self.state
    }
}

/// The id of the latest execution of a task.
async fn task_id(execution: &ExecutionHandle, name: &str) -> Result<String> {
    let tasks = execution.tasks("").collect().await?.into_iter();
    let mut found = tasks.filter(|task| task.task_name == name);
    let latest = found
        .next_back()
        .with_context(|| format!("no task {name}"))?;
    Ok(latest.task_execution_id)
}

/// Follows an execution until something happens.
async fn find(execution: &ExecutionHandle, wanted: impl Fn(&Event) -> bool) -> Result<Event> {
    let mut events = execution.events();
    while let Some(event) = events.try_next().await? {
        if wanted(&event) {
            return Ok(event);
        }
    }
    bail!("the execution ended before it happened")
}

async fn result(execution: &ExecutionHandle) -> Result<Value> {
    ending(execution.result().await)
}

/// How an execution, or a single action, ended.
fn ending(result: Result<Value, Error>) -> Result<Value> {
    match result {
        Ok(output) => Ok(json!({"result": output})),
        Err(Error::Execution(ended)) => {
            let output = value(ended.output.as_ref())?;
            match ended.state {
                ExecutionState::Cancelled => Ok(json!({"cancelled": output})),
                _ => Ok(json!({"failed": output})),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn final_state(word: &str) -> Result<ExecutionState> {
    match word {
        "SUCCESS" => Ok(ExecutionState::Success),
        "ERROR" => Ok(ExecutionState::Error),
        "CANCELLED" => Ok(ExecutionState::Cancelled),
        other => bail!("{other:?} is not a final state"),
    }
}

fn value(payload: Option<&Payload>) -> Result<Value> {
    Ok(payload
        .map(Payload::to_value)
        .transpose()?
        .unwrap_or_default())
}

/// An event as `task event detail`, without what differs from run to run.
fn line(event: &Event) -> String {
    let task = event.task_name.as_deref().unwrap_or(".");
    let line = format!("{task} {} {}", event.kind.name(), detail(&event.kind));
    line.trim_end().to_owned()
}

fn detail(kind: &EventKind) -> String {
    match kind {
        EventKind::ExecutionStarted { workflow_name, .. } => workflow_name.clone(),
        EventKind::ExecutionStateChanged {
            previous_state,
            state,
            ..
        } => {
            format!("{previous_state} -> {state}")
        }
        EventKind::TaskCreated {
            state,
            triggered_by,
            undo_of,
        } => {
            let state = std::iter::once(state.to_string());
            let undo = undo_of.iter().map(|_| "undo".to_owned());
            state
                .chain(undo)
                .chain(triggered_by.iter().cloned())
                .collect::<Vec<_>>()
                .join(" ")
        }
        EventKind::TaskStateChanged {
            previous_state,
            state,
            ..
        } => {
            format!("{previous_state} -> {state}")
        }
        EventKind::ActionStarted {
            action_name,
            item_index,
            attempt,
            ..
        } => {
            format!("{action_name} item {item_index} attempt {attempt}")
        }
        EventKind::ActionStateChanged { state, .. } => state.to_string(),
        EventKind::VariablesPublished { branch, global } => {
            let global = global.iter().map(|name| format!("global:{name}"));
            branch
                .iter()
                .cloned()
                .chain(global)
                .collect::<Vec<_>>()
                .join(" ")
        }
        EventKind::TimerStarted { kind, .. } | EventKind::TimerFired { kind } => kind.to_string(),
        EventKind::ChildStarted {
            workflow_name,
            item_index,
            ..
        } => {
            format!("{workflow_name} item {item_index}")
        }
        EventKind::VerbApplied { verb, .. } => verb.clone(),
        EventKind::EnvironmentChanged { names } | EventKind::TaskInputChanged { names } => {
            names.join(" ")
        }
        _ => String::new(),
    }
}
