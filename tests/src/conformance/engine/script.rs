//! A stand-in for the worker of recorded cases: it gives the results that a case lists, attempt by
//! attempt.
//!
//! Its action is an ad-hoc one whose result comes from outside, so no other worker is needed.

use anyhow::{Context as _, Result};
use proto::v1;
use serde::Deserialize;
use serde_json::Value;
use tonic::Code;

use super::case::Reference;
use super::things::Things;
use crate::api::{Api, payload};

/// The action that cases with a script call.
const ACTION: &str = "scripted.echo";

const DOCUMENT: &str = "\
version: '2.0'
scripted.echo:
  description: Its results come from the script of the case.
  input: [output: null, delay: 0]
  base: std.async_noop
";

/// The results for one task, or for one of its items.
#[derive(Debug, Deserialize)]
struct Part {
    wf: Reference,
    task: String,
    item: i32,
    results: Vec<Given>,
}

/// The result of one attempt.
#[derive(Debug, Deserialize)]
struct Given {
    state: String,
    output: Value,
}

/// A worker for one case.
#[derive(Debug)]
pub(super) struct Worker {
    api: Api,
    parts: Vec<Part>,
}

impl Worker {
    /// Reads the script of a case, and makes its action known; without a script there is nothing to
    /// do.
    pub(super) async fn hire(api: &Api, script: Option<&Value>) -> Result<Self> {
        let api = api.clone();
        let Some(script) = script else {
            let parts = Vec::new();
            return Ok(Self { api, parts });
        };
        let parts = Deserialize::deserialize(script).context("reading the script")?;
        let request = v1::CreateActionRequest {
            project: api.project(),
            source: DOCUMENT.to_owned(),
            ..Default::default()
        };
        let created = api.actions().create_action(request).await;
        created.context("creating the action of the script")?;
        Ok(Self { api, parts })
    }

    /// Gives the results that are waited for now.
    pub(super) async fn work(&self, things: &Things) -> Result<()> {
        for part in &self.parts {
            let attempts = things.attempts(&part.wf, &part.task, part.item).await?;
            let scripted = attempts.iter().filter(|attempt| attempt.name == ACTION);
            for (attempt, given) in scripted.zip(&part.results) {
                if attempt.state() == v1::ActionState::Running {
                    self.give(&attempt.action_execution_id, given).await?;
                }
            }
        }
        Ok(())
    }

    async fn give(&self, id: &str, given: &Given) -> Result<()> {
        let result = &given.output["result"];
        let answer = if given.state == "SUCCESS" {
            self.api.complete_action(id, result).await
        } else {
            let request = v1::FailActionExecutionRequest {
                project: self.api.project(),
                action_execution_id: id.to_owned(),
                error: Some(payload(result)),
                ..Default::default()
            };
            let mut tasks = self.api.tasks();
            tasks.fail_action_execution(request).await.map(drop)
        };
        match answer {
            // It was cancelled meanwhile.
            Err(status) if status.code() == Code::FailedPrecondition => Ok(()),
            answer => answer.context("giving a result of the script"),
        }
    }
}
