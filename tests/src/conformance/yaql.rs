//! YAQL expressions and what they evaluate to.
//!
//! Each is evaluated by itself, as `EvaluateExpression` does it; `$` may be any value at all.

use anyhow::{Result, bail};
use proto::v1;
use proto::v1::evaluate_expression_response::Result as Evaluated;
use serde::Deserialize;
use serde_json::Value;

use super::same::{Order, same};
use super::{Options, Outcome, Ran, read_lines, run_all};
use crate::api::{Api, payload, value};
use crate::server::TestServer;

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
    let address = server.address().to_owned();
    let api = Api::connect_lazy(&address, "");
    run_all(cases, options.jobs, move |(id, case): (String, Case)| {
        let api = api.clone();
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
    })
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
    let request = v1::EvaluateExpressionRequest {
        project: api.project(),
        expression: case.expr.clone(),
        language: v1::ExpressionLanguage::Yaql.into(),
        context: Some(payload(&case.data)),
        ..Default::default()
    };
    let answer = api.workflows().evaluate_expression(request).await?;
    match answer.into_inner().result {
        Some(Evaluated::Value(found)) => value(Some(&found)).map(Ok),
        Some(Evaluated::Error(error)) => Ok(Err(error.message)),
        None => bail!("the answer is empty"),
    }
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
