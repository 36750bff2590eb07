//! Steps that look into executions, watch many of them, or change many at once.

use anyhow::{Context as _, Result, bail};
use autan::{
    BatchVerb, Cause, CauseKind, Change, Client, EventKind, ExecutionHandle, ExecutionNode,
    HistoryQuery,
};
use serde_json::{Value, json};

use super::{Run, Step, line, task_id};

/// Most executions a second of a batch that says nothing.
const RATE: u32 = 1000;

/// Performs a batch operation to its end, previews one, or lists them.
pub(super) async fn batch(client: &Client, step: &Step) -> Result<Value> {
    let batches = client.batches();
    if step.call == "batches" {
        let found = batches.list().collect().await?;
        return Ok(found.into_iter().map(|batch| batch.verb).collect());
    }
    let verb = verb(&step.verb)?;
    let call = if step.ids.is_empty() {
        batches.filtered(verb, &step.filter)
    } else {
        batches.named(verb, &step.ids)
    };
    if step.call == "preview" {
        let mut found = call.preview().await?;
        found.sample.sort();
        return Ok(json!({"matched": found.matched, "sample": found.sample}));
    }
    let begun = call.rate(step.rate.unwrap_or(RATE)).await?;
    let found = batches.wait(&begun.batch_id).await?;
    let cancelled = batches.cancel(&begun.batch_id).await?;
    if cancelled.state != found.state {
        bail!("a finished operation was cancelled");
    }
    Ok(json!({
        "verb": found.verb,
        "state": found.state,
        "done": found.done,
        "skipped": found.skipped,
        "failed": found.failed,
    }))
}

fn verb(word: &str) -> Result<BatchVerb> {
    Ok(match word {
        "pause" => BatchVerb::Pause {
            timeouts_run: false,
        },
        "resume" => BatchVerb::Resume { env: None },
        "cancel" => BatchVerb::Cancel,
        "terminate" => BatchVerb::Terminate,
        "rerun" => BatchVerb::Rerun {
            reset: true,
            env: None,
        },
        "rollback" => BatchVerb::Rollback,
        "delete" => BatchVerb::Delete { force: true },
        other => bail!("there is no verb {other:?}"),
    })
}

/// Looks into one execution.
pub(super) async fn inside(execution: &ExecutionHandle, step: &Step) -> Result<Value> {
    match step.call.as_str() {
        "explain" => {
            let mut call = execution.explain();
            if let Some(name) = &step.task {
                call = call.task(task_id(execution, name).await?);
            }
            let found = call.await?;
            let mut lines = Vec::new();
            causes(&found.causes, "", &mut lines)?;
            Ok(json!({"state": found.state, "causes": lines}))
        }
        "callers" => {
            let events = execution
                .find_history(HistoryQuery::new())
                .collect()
                .await?;
            let named = events.iter().filter_map(|event| {
                let identity = event.identity.as_ref()?;
                Some(format!("{} {identity}", event.kind.name()))
            });
            let causes = execution.explain().await?.causes;
            let is_pause = |cause: &Cause| matches!(cause.kind, CauseKind::Paused { .. });
            let texts = causes.into_iter().filter(is_pause).map(|cause| cause.text);
            let (history, paused): (Vec<_>, Vec<_>) = (named.collect(), texts.collect());
            Ok(json!({"history": history, "paused": paused}))
        }
        "graph" => {
            let call = execution.graph();
            let found = if step.errors {
                call.errors_only().await?
            } else {
                call.await?
            };
            let root = found.root.context("a graph has a root")?;
            let mut lines = Vec::new();
            nodes(&root, "", &mut lines);
            let counts = &found.statistics;
            Ok(json!({"nodes": lines, "executions": counts.executions, "tasks": counts.tasks}))
        }
        _ => {
            let mut query = HistoryQuery::new().after(step.after).before(step.before);
            for name in &step.types {
                query = query.event_type(name);
            }
            if step.newest {
                query = query.newest_first();
            }
            if let Some(name) = &step.task {
                query = query.task(task_id(execution, name).await?);
            }
            let events = execution.find_history(query).collect().await?;
            Ok(events.iter().map(line).collect())
        }
    }
}

/// One line for each cause: the task, and the kind of the cause.
fn causes(all: &[Cause], indent: &str, lines: &mut Vec<Value>) -> Result<()> {
    for cause in all {
        let undo = if cause.undo { "undo " } else { "" };
        let task = cause.task_name.as_deref().unwrap_or(".");
        let kind = serde_json::to_value(&cause.kind)?;
        let kind = match &kind {
            Value::String(kind) => Some(kind),
            Value::Object(fields) => fields.keys().next(),
            _ => None,
        };
        let kind = kind.context("a cause has a kind")?;
        lines.push(format!("{indent}{undo}{task} {kind}").into());
        if let CauseKind::Child { causes: inside, .. } = &cause.kind {
            causes(inside, &format!("{indent}  "), lines)?;
        }
    }
    Ok(())
}

/// One line for each task: its name, state and the number of its actions.
fn nodes(execution: &ExecutionNode, indent: &str, lines: &mut Vec<String>) {
    for task in &execution.tasks {
        let undo = task.undo_of.as_ref().map_or("", |_| "undo ");
        let (name, state, actions) = (&task.task_name, &task.state, task.actions.len());
        lines.push(format!("{indent}{undo}{name} {state} {actions}"));
        for child in &task.children {
            nodes(child, &format!("{indent}  "), lines);
        }
    }
}

impl Run {
    /// Watches all executions until one is in a state, and remembers where that was.
    pub(super) async fn watch_all(&mut self, step: &Step) -> Result<Value> {
        let mut watch = self.client.executions().watch(&step.filter).from_retained();
        if step.resume {
            watch = watch.resume(&self.token);
        }
        let wanted = step.id.as_deref().context("a watch needs an id")?;
        loop {
            let (id, state, answer) = match watch.next().await? {
                Change::Changed(execution) => {
                    let (id, state) = (execution.execution_id, execution.state.to_string());
                    (id, state, json!({"seen": wanted}))
                }
                Change::Deleted {
                    execution_id,
                    reason,
                    ..
                } => {
                    let answer = json!({"seen": wanted, "reason": reason});
                    (execution_id, "DELETED".to_owned(), answer)
                }
                _ => continue,
            };
            if id == wanted && state == step.state {
                watch.token().clone_into(&mut self.token);
                return Ok(answer);
            }
        }
    }
    /// Watches what happens to all executions until one comes into a state, and tells what happened
    /// to that one.
    pub(super) async fn watch_events(&mut self, step: &Step) -> Result<Value> {
        let mut watch = self.client.executions().watch(&step.filter).from_retained();
        watch = watch.events();
        for name in &step.types {
            watch = watch.event_type(name);
        }
        if step.resume {
            watch = watch.resume(&self.token);
        }
        let wanted = step.id.as_deref().context("a watch needs an id")?;
        let mut told = Vec::new();
        loop {
            let Change::Happened { execution, event } = watch.next().await? else {
                continue;
            };
            if execution.execution_id != wanted {
                continue;
            }
            told.push(line(&event));
            if let EventKind::ExecutionStateChanged { state, .. } = event.kind
                && state.to_string() == step.state
            {
                watch.token().clone_into(&mut self.token);
                return Ok(json!(told));
            }
        }
    }
}
