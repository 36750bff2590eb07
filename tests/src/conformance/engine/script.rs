//! The worker of recorded cases: it gives the results that a case lists, attempt by attempt.
//!
//! It takes its tasks by unary calls, when the runner lets it: so it can look up which part of the
//! script each belongs to.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use proto::v1;
use proto::v1::worker_service_client::WorkerServiceClient;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use super::case::Reference;
use super::things::Things;
use crate::api::{Api, payload};

/// The action that cases with a script call.
const ACTION: &str = "scripted.echo";

/// How long a poll waits: just so long that the server looks.
const WAIT: Duration = Duration::from_millis(1);

/// Tasks that it takes at a time.
const TASKS_MAX: i32 = 1_000;

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
    id: String,
    parts: Vec<Part>,
    /// Tokens of the tasks that it has, by their action executions.
    held: Mutex<BTreeMap<String, String>>,
}

impl Worker {
    /// Reads the script of a case, and says what it provides; without a script there is nothing to
    /// do.
    pub(super) async fn hire(api: &Api, script: Option<&Value>) -> Result<Self> {
        let parts = match script {
            Some(script) => Deserialize::deserialize(script).context("reading the script")?,
            None => Vec::new(),
        };
        let worker = Self {
            api: api.clone(),
            id: Uuid::new_v4().to_string(),
            parts,
            held: Mutex::default(),
        };
        worker.take().await?;
        Ok(worker)
    }

    /// Gives the results that are waited for now.
    pub(super) async fn work(&self, things: &Things) -> Result<()> {
        self.take().await?;
        for part in &self.parts {
            let attempts = things.attempts(&part.wf, &part.task, part.item).await?;
            let scripted = attempts.iter().filter(|attempt| attempt.name == ACTION);
            for (attempt, given) in scripted.zip(&part.results) {
                let id = &attempt.action_execution_id;
                if let Some(token) = self.held.lock().await.remove(id) {
                    self.give(token, given).await?;
                }
            }
        }
        Ok(())
    }

    fn calls(&self) -> WorkerServiceClient<Channel> {
        WorkerServiceClient::new(self.api.channel())
    }

    /// Takes the tasks that wait, and keeps those that it has.
    async fn take(&self) -> Result<()> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let request = v1::PollTasksRequest {
            project: self.api.project(),
            worker: Some(v1::WorkerIdentity {
                worker_id: self.id.clone(),
                ..Default::default()
            }),
            queues: vec![v1::QueueSubscription {
                actions: vec![v1::WorkerAction {
                    name: ACTION.to_owned(),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            max_tasks: TASKS_MAX,
            wait: Some(WAIT.try_into().context("a short time")?),
        };
        let polled = self.calls().poll_tasks(request).await;
        let tasks = polled.context("taking tasks")?.into_inner().tasks;
        let mut held = self.held.lock().await;
        let heartbeat = |token: &String| v1::TaskHeartbeat {
            token: token.clone(),
            ..Default::default()
        };
        let request = v1::HeartbeatTasksRequest {
            project: self.api.project(),
            worker_id: self.id.clone(),
            tasks: held.values().map(heartbeat).collect(),
        };
        // What has become of each is found out when its result is given.
        let renewed = self.calls().heartbeat_tasks(request).await;
        renewed.context("keeping tasks")?;
        held.extend(
            tasks
                .into_iter()
                .map(|task| (task.action_execution_id, task.token)),
        );
        Ok(())
    }

    async fn give(&self, token: String, given: &Given) -> Result<()> {
        match self.end(token, given).await {
            // It was cancelled meanwhile.
            Err(status) if status.code() == Code::FailedPrecondition => Ok(()),
            answer => answer.context("giving a result of the script"),
        }
    }

    async fn end(&self, token: String, given: &Given) -> Result<(), Status> {
        let (project, worker_id) = (self.api.project(), self.id.clone());
        let result = payload(&given.output["result"]);
        if given.state == "SUCCESS" {
            let request = v1::CompleteTaskRequest {
                project,
                worker_id,
                token,
                result: Some(result),
                deferred: false,
            };
            return self.calls().complete_task(request).await.map(drop);
        }
        let request = v1::FailTaskRequest {
            project,
            worker_id,
            token,
            failure: Some(v1::TaskFailure {
                failure: Some(v1::Failure {
                    r#type: "Scripted".to_owned(),
                    message: "the script says so".to_owned(),
                    details: Some(result),
                    ..Default::default()
                }),
                ..Default::default()
            }),
        };
        self.calls().fail_task(request).await.map(drop)
    }
}
