//! Steps about what is not an execution: environments, single actions, expressions.

use anyhow::{Context as _, Result};
use autan::Error;
use serde_json::{Value, json};

use super::{Run, Step, ending, value};

impl Run {
    /// Creates, changes or deletes an environment.
    pub(super) async fn environment(&self, step: &Step) -> Result<Value> {
        let name = step.environment.as_deref();
        let name = name.context("an environment needs a name")?;
        let environments = self.client.environments();
        let found = match step.call.as_str() {
            "create_environment" => environments.create(name, &step.variables)?.await?,
            "update_environment" => {
                let mut change = environments.update(name);
                for (name, value) in &step.set {
                    change = change.set(name, value)?;
                }
                for name in &step.remove {
                    change = change.remove(name);
                }
                change.await?
            }
            _ => {
                environments.delete(name).await?;
                return Ok(Value::Null);
            }
        };
        value(found.variables.as_ref())
    }

    /// Runs one action without a workflow.
    pub(super) async fn run_action(&self, step: &Step) -> Result<Value> {
        let mut run = self.client.run_action(&step.action);
        if let Some(input) = &step.input {
            run = run.input(input)?;
        }
        if let Some(environment) = &step.environment {
            run = run.environment(environment);
        }
        ending(run.result().await)
    }

    pub(super) async fn evaluate(&self, step: &Step) -> Result<Value> {
        let mut call = self.client.evaluate(&step.expression);
        if let Some(context) = &step.context {
            call = call.context(context)?;
        }
        match call.await {
            Ok(found) => Ok(json!({"value": found.to_value()?})),
            Err(Error::Expression(error)) => Ok(json!({"error": {
                "syntax": error.syntax,
                "offset": error.offset,
                "length": error.length,
                "line": error.line,
                "column": error.column,
            }})),
            Err(error) => Err(error.into()),
        }
    }
}
