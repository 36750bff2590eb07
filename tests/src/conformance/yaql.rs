//! YAQL expressions and what they evaluate to.
//!
//! The contract has no call that evaluates an expression, so each runs as the output of an ad-hoc
//! action: there `$` is what the base action returned, which may be any value at all.

use std::time::Duration;

use anyhow::{Context as _, Result};
use proto::v1;
use serde::Deserialize;
use serde_json::{Value, json};

use super::same::{Order, same};
use super::{Options, Outcome, Ran, read_lines, run_all};
use crate::api::{Api, value};
use crate::server::TestServer;

/// How long an expression may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One recorded evaluation.
#[derive(Debug, Deserialize)]
struct Case {
    expr: String,
    data: Value,
    /// Absent where there was an error; a recorded null is `Some(Null)`.
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
}

fn present<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(source).map(Some)
}

pub(super) async fn run(server: &TestServer, options: &Options) -> Result<Vec<Ran>> {
    let cases = read_lines::<Case>(&options.folder, "yaql", options)?;
    let cases = cases.into_iter().enumerate().collect();
    let address = server.address().to_owned();
    let shared = Api::connect_lazy(&address, "");
    run_all(
        cases,
        options.jobs,
        move |(index, (id, case)): (usize, (String, Case))| {
            // The workbooks have one name, so each case has a project.
            let api = shared.within(&format!("yaql-{index}"));
            async move {
                let group = if case.value.is_some() {
                    "values"
                } else {
                    "errors"
                };
                let outcome = match evaluate(&api, &case).await {
                    Ok(ours) => judge(&case, &ours),
                    Err(error) => Outcome::Failed(format!("{}: {error:#}", case.expr)),
                };
                Ran { id, group, outcome }
            }
        },
    )
    .await
}

fn judge(case: &Case, ours: &Result<Value, String>) -> Outcome {
    let expr = &case.expr;
    match (&case.value, ours) {
        (Some(recorded), Ok(ours)) if same(recorded, ours, order(expr)) => Outcome::Passed,
        (Some(recorded), Ok(ours)) => {
            Outcome::Failed(format!("{expr}\nMistral: {recorded}\nours:    {ours}"))
        }
        (Some(recorded), Err(error)) => Outcome::Failed(format!(
            "{expr}\nMistral: {recorded}\nours:    error: {error}"
        )),
        (None, Err(_)) => Outcome::Passed,
        (None, Ok(ours)) => Outcome::Failed(format!("{expr}\nMistral: an error\nours:    {ours}")),
    }
}

/// Sets and the views of mappings have no order in YAQL.
fn order(expr: &str) -> Order {
    const UNORDERED: [&str; 7] = [
        "set(",
        "toSet(",
        "keys(",
        "values(",
        "items(",
        "union(",
        "symmetricDifference(",
    ];
    if UNORDERED.iter().any(|word| expr.contains(word)) {
        Order::Free
    } else {
        Order::Kept
    }
}

/// The value, or the text of the error that the evaluation ended with.
async fn evaluate(api: &Api, case: &Case) -> Result<Result<Value, String>> {
    let source = json!({
        "version": "2.0",
        "name": "probe",
        "actions": {"evaluate": {
            "base": "std.echo",
            "base-input": {"output": case.data},
            "output": format!("<% {} %>", case.expr),
        }},
        "workflows": {"run": {"tasks": {"evaluate": {"action": "evaluate"}}}},
    });
    let request = v1::CreateWorkbookRequest {
        project: api.project(),
        // JSON is YAML, and spares us its rules of quoting.
        source: source.to_string(),
        ..Default::default()
    };
    if let Err(status) = api.workbooks().create_workbook(request).await {
        return match status.code() {
            tonic::Code::InvalidArgument => Ok(Err(status.message().to_owned())),
            _ => Err(status).context("creating the workbook"),
        };
    }
    let started = api
        .start("probe.run", &json!({}))
        .await
        .context("starting")?;
    let execution = api.finished(&started.uid, PATIENCE).await?;
    if execution.state() != v1::ExecutionState::Success {
        return Ok(Err(execution.state_info));
    }
    let tasks = api
        .list_tasks(&started.uid)
        .await
        .context("reading the task")?;
    let task = tasks.first().context("there is no task")?;
    value(task.result.as_ref()).map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_null_is_a_value() {
        let read = |text| serde_json::from_str::<Case>(text).unwrap().value;
        assert_eq!(
            read(r#"{"expr": "null", "data": null, "value": null}"#),
            Some(Value::Null)
        );
        assert_eq!(read(r#"{"expr": "1 +", "data": null, "error": "x"}"#), None);
    }
}
