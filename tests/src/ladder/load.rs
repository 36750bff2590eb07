//! Closed loops of clients that start executions: each makes one call at a time.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use proto::v1::{ExecutionState, StartExecutionRequest};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::server::TestServer;

/// How long each load lasts; the first part is not counted.
const WARM_UP: Duration = Duration::from_secs(1);
pub(super) const MEASURED: Duration = Duration::from_secs(6);

/// Clients that share one connection; more connections than cores gain nothing.
const CLIENTS_PER_CONNECTION: usize = 16;

/// Who starts what.
pub(super) struct Load<'a> {
    pub(super) servers: &'a [TestServer],
    pub(super) workflow: &'static str,
    pub(super) clients: usize,
}

/// What came of it.
pub(super) struct Done {
    /// How long each counted execution took, from the shortest.
    times: Vec<Duration>,
    /// For how long they were counted.
    measured: Duration,
    /// All that were started, those of the first part too.
    pub(super) started: usize,
}

impl Load<'_> {
    /// Starts executions as fast as the clients can; each must be finished when it is answered.
    pub(super) async fn run(&self) -> Result<Done> {
        self.run_for(WARM_UP, MEASURED).await
    }

    pub(super) async fn run_for(&self, warm_up: Duration, measured: Duration) -> Result<Done> {
        let from = Instant::now() + warm_up;
        let until = from + measured;
        let mut loops = JoinSet::new();
        let mut apis = Vec::new();
        for client in 0..self.clients {
            if client % CLIENTS_PER_CONNECTION == 0 {
                let servers = self.servers.iter();
                apis = servers.map(|server| server.api("bench").apart()).collect();
            }
            let api = apis[client % apis.len()].clone();
            let workflow = self.workflow;
            loops.spawn(async move {
                let mut times = Vec::new();
                let mut executions = api.executions();
                let order = api.start_request(workflow, &json!({"x": 1}));
                let mut started = 0;
                while Instant::now() < until {
                    let request = StartExecutionRequest {
                        request_id: Uuid::now_v7().to_string(),
                        ..order.clone()
                    };
                    let sent = Instant::now();
                    let answer = executions.start_execution(request).await?.into_inner();
                    started += 1;
                    let state = answer.execution.map(|execution| execution.state());
                    ensure!(
                        state == Some(ExecutionState::Success),
                        "the answer came before the end: {state:?}"
                    );
                    if sent >= from {
                        times.push(sent.elapsed());
                    }
                }
                anyhow::Ok((times, started))
            });
        }
        let (mut times, mut started) = (Vec::new(), 0);
        while let Some(done) = loops.join_next().await {
            let (some, count) = done??;
            times.extend(some);
            started += count;
        }
        times.sort_unstable();
        Ok(Done {
            times,
            measured,
            started,
        })
    }
}

impl Done {
    pub(super) fn per_second(&self) -> f64 {
        super::count(self.times.len()) / self.measured.as_secs_f64()
    }

    pub(super) fn quantile_ms(&self, percent: usize) -> f64 {
        let at = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times
            .get(at)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    /// All times.
    pub(super) fn into_times(self) -> Vec<Duration> {
        self.times
    }
}
