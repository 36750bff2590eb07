//! What of a recorded case belongs to the machine that it was recorded on, put into terms of ours.
//!
//! Owns two things. Ids of Mistral's executions in an input become those of our executions: the
//! rows of `tasks()` among the recorded values tell which is which. And where a verb came while
//! Mistral was still running an action that takes us no time, the action is given time.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::case::{Case, Do, Execution, Reference, Step};
use super::things::Things;

/// How long `std.echo` takes where a verb must find it running, seconds. Mistral's tests take about
/// so long for one step.
const ECHO_S: u64 = 2;

/// The start at this step as it is to be made here.
pub(super) async fn start(case: &Case, index: usize, step: &Do, things: &Things) -> Result<Do> {
    let mut step = step.clone();
    if let Some(input) = &mut step.input {
        translate(input, case, things).await?;
    }
    let next = case.steps.get(index + 1);
    let verb = |next: &Step| match next {
        Step::Do(next) => matches!(next.call.as_str(), "pause" | "stop"),
        Step::Await(_) => false,
    };
    if next.is_some_and(verb) {
        give_time(&mut step.params);
    }
    Ok(step)
}

/// Lets `std.echo` take some time, by what the language has for it: defaults of the environment.
/// A case that names a stored environment is left alone.
fn give_time(params: &mut Option<Value>) {
    let Some(params) = params.get_or_insert_with(|| json!({})).as_object_mut() else {
        return;
    };
    let env = params.entry("env").or_insert_with(|| json!({}));
    let Some(env) = env.as_object_mut() else {
        return;
    };
    let all = env.entry("__actions").or_insert_with(|| json!({}));
    let Some(all) = all.as_object_mut() else {
        return;
    };
    let echo = all.entry("std.echo").or_insert_with(|| json!({}));
    if let Some(echo) = echo.as_object_mut() {
        echo.entry("delay").or_insert_with(|| json!(ECHO_S));
    }
}

/// Replaces the ids of recorded executions by those of ours, where it is known what they mean.
async fn translate(input: &mut Value, case: &Case, things: &Things) -> Result<()> {
    for text in texts(input) {
        if Uuid::try_parse(text).is_err() {
            continue;
        }
        let Some(reference) = meaning(text, &case.executions) else {
            continue;
        };
        if let Some(thing) = things.find(reference).await? {
            thing.id().clone_into(text);
        }
    }
    Ok(())
}

/// The execution that a recorded id stands for: the one with the tasks that rows give to the id.
fn meaning<'a>(id: &str, executions: &'a [Execution]) -> Option<&'a Reference> {
    let mut names = BTreeSet::new();
    for execution in executions {
        tasks_of(id, &execution.output, &mut names);
        for task in &execution.tasks {
            tasks_of(id, &task.published, &mut names);
        }
    }
    let own = |execution: &'a Execution| -> BTreeSet<&str> {
        execution.tasks.iter().map(|task| &*task.name).collect()
    };
    let mut fitting = executions.iter().filter(|one| own(one) == names);
    let found = fitting.next()?;
    // What could be either is left as it is.
    fitting.next().is_none().then_some(&found.reference)
}

/// Names of the tasks of an execution, from the rows of tasks in a value.
fn tasks_of<'a>(id: &str, value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| tasks_of(id, item, names)),
        Value::Object(fields) => {
            if fields.get("workflow_execution_id").and_then(Value::as_str) == Some(id) {
                names.extend(fields.get("name").and_then(Value::as_str));
            }
            fields.values().for_each(|field| tasks_of(id, field, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every text in a value.
fn texts(value: &mut Value) -> Vec<&mut String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter_mut().flat_map(texts).collect(),
        Value::Object(fields) => fields.values_mut().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// An ad-hoc action in the place of one that the recorded test brought with it: it takes the
/// recorded input, and gives what was recorded.
pub(super) fn stand_in(name: &str, input: &Map<String, Value>, result: &Value) -> String {
    let parameters: Vec<&String> = input.keys().collect();
    let action = json!({
        "base": "std.echo",
        "input": parameters,
        "base-input": {"output": result},
    });
    let mut document = json!({"version": "2.0"});
    document[name] = action;
    // JSON is YAML.
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_the_execution_whose_tasks_it_has() {
        let row = |id: &str, name: &str| json!({"workflow_execution_id": id, "name": name});
        let execution = |root: usize, tasks: &[&str], output: Value| {
            let tasks = tasks.iter();
            let tasks: Vec<Value> = tasks
                .map(|name| json!({"name": name, "state": "SUCCESS"}))
                .collect();
            let whole = json!({
                "ref": {"root": root}, "state": "SUCCESS", "output": output, "tasks": tasks,
            });
            serde_json::from_value::<Execution>(whole).unwrap()
        };
        let rows = json!({"all": [row("x", "a"), row("y", "c"), row("x", "b"), row("z", "d")]});
        let recorded = [
            execution(0, &["a", "b"], json!({})),
            execution(1, &["c"], json!({})),
            execution(2, &["d"], rows),
            execution(3, &["d"], json!({})),
        ];
        let root = |id| match meaning(id, &recorded) {
            Some(Reference::Root { root }) => Some(*root),
            _ => None,
        };
        assert_eq!(
            ["x", "y", "z", "unknown"].map(root),
            [Some(0), Some(1), None, None]
        );
    }

    #[test]
    fn time_is_given_only_where_nothing_else_was_said() {
        let given = |params: Value| {
            let mut params = (!params.is_null()).then_some(params);
            give_time(&mut params);
            params.unwrap()
        };
        let delayed = json!({"std.echo": {"delay": ECHO_S}});
        assert_eq!(given(json!(null)), json!({"env": {"__actions": delayed}}));
        assert_eq!(
            given(json!({"env": {"a": 1}})),
            json!({"env": {"a": 1, "__actions": delayed}})
        );
        let said = json!({"env": {"__actions": {"std.echo": {"delay": 0}}}});
        assert_eq!(given(said.clone()), said);
        assert_eq!(given(json!({"env": "stored"})), json!({"env": "stored"}));
    }
}
