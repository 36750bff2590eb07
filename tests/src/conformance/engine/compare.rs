//! Comparing the executions of a case with the recorded ones.

use anyhow::{Context as _, Result};
use proto::v1;
use serde_json::{Map, Value};

use super::case::{Execution, Task};
use super::follow::{execution_word, task_word};
use super::things::{Thing, Things};
use crate::api::{Api, value};
use crate::conformance::same::{Order, same};

/// What differs, in words; empty if nothing does.
pub(super) async fn differences(
    api: &Api,
    things: &Things,
    recorded: &[Execution],
) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    let ours = api
        .list_executions("kind = WORKFLOW")
        .await
        .context("listing executions")?;
    if ours.len() != recorded.len() {
        differences.push(format!(
            "executions: {} recorded, {} ours",
            recorded.len(),
            ours.len()
        ));
    }
    for execution in recorded {
        let Some(Thing::Execution(found)) = things.find(&execution.reference).await? else {
            differences.push(format!("there is no {:?}", execution.reference));
            continue;
        };
        let tasks = api.list_tasks(&found.uid).await.context("listing tasks")?;
        compare(execution, &found, &tasks, &mut differences)?;
    }
    Ok(differences)
}

fn compare(
    recorded: &Execution,
    ours: &v1::Execution,
    tasks: &[v1::TaskExecution],
    differences: &mut Vec<String>,
) -> Result<()> {
    let name = &ours.workflow_name;
    let state = execution_word(ours.state());
    if recorded.state != state {
        let info = &ours.state_info;
        differences.push(format!(
            "{name}: {} recorded, {state} ours: {info}",
            recorded.state
        ));
    }
    let output = value(ours.output.as_ref())?;
    if !same_output(recorded, &output) {
        let recorded = &recorded.output;
        differences.push(format!(
            "{name}: output\n  recorded {recorded}\n  ours     {output}"
        ));
    }
    let mut rest: Vec<(String, &'static str, Value)> = Vec::new();
    for task in tasks {
        let published = published(task)?;
        rest.push((task.task_name.clone(), task_word(task.state()), published));
    }
    for task in &recorded.tasks {
        match rest.iter().position(|ours| same_task(task, ours)) {
            Some(index) => {
                rest.swap_remove(index);
            }
            None => differences.push(format!(
                "{name}: only recorded: {} {} {}",
                task.name, task.state, task.published
            )),
        }
    }
    for (task, state, published) in rest {
        differences.push(format!("{name}: only ours: {task} {state} {published}"));
    }
    Ok(())
}

/// The outcome of an execution that did not succeed is told in `result`, in words of our own.
fn same_output(recorded: &Execution, ours: &Value) -> bool {
    let told = matches!(recorded.state.as_str(), "ERROR" | "CANCELLED");
    match (&recorded.output, ours) {
        (Value::Object(a), Value::Object(b)) if told => {
            let wordings = [a, b].map(|map| map.get("result").is_some_and(Value::is_string));
            if wordings == [true, true] {
                let rest = |map: &Map<String, Value>| {
                    let mut map = map.clone();
                    map.remove("result");
                    Value::Object(map)
                };
                return same(&rest(a), &rest(b), Order::Kept);
            }
            same(&recorded.output, ours, Order::Kept)
        }
        // An execution that is not finished has no output, or an empty one.
        (a, b) if is_empty(a) && is_empty(b) => true,
        (a, b) => same(a, b, Order::Kept),
    }
}

fn same_task(recorded: &Task, ours: &(String, &'static str, Value)) -> bool {
    let (name, state, published) = ours;
    recorded.name == *name
        && recorded.state == *state
        && (is_empty(&recorded.published) && is_empty(published)
            || same(&recorded.published, published, Order::Kept))
}

/// Mistral keeps one mapping of what was published, whatever the scope.
fn published(task: &v1::TaskExecution) -> Result<Value> {
    value(task.published.as_ref())
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}
