//! Whether executions wait while retention deletes others: the same load while many old ones go,
//! and when they are gone.

use std::time::{Duration, Instant};

use anyhow::Result;
use proto::v1::CountExecutionsRequest;
use serde_json::{Value, json};

use super::load::Load;
use super::million::{fill, fillers};
use super::{Rung, document, postgres};
use crate::api::Api;

/// Executions that are too old.
const OLD: usize = 40_000;

/// Clients of the load.
const CLIENTS: usize = 16;

/// How long the load lasts between two looks at what is left, and in all when nothing is.
const TURN: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_secs(6);

/// Everything that has finished is too old at once. What is, is looked for when a server starts.
const CONFIG: &str = "[retention]\nfinished = '1s'\n";

/// The figures on SQLite, and on PostgreSQL where there is one, each a JSON object.
pub async fn figures(say: &mut dyn FnMut(Value)) -> Result<()> {
    of_rung(Rung::embedded().await?, say).await?;
    if let Some(postgres) = postgres(say).await? {
        of_rung(Rung::shared(&postgres, "PostgreSQL", 1).await?, say).await?;
    }
    Ok(())
}

async fn of_rung(mut rung: Rung, say: &mut dyn FnMut(Value)) -> Result<()> {
    let api = rung.servers[0].api("bench");
    api.create_workflow(&document()).await?;
    api.create_workflow(&fillers()).await?;
    fill(&rung, OLD).await?;
    rung.servers[0].kill().await?;
    rung.servers[0].configure(CONFIG);
    rung.servers[0].restart().await?;

    let api = rung.servers[0].api("bench");
    let load = Load {
        servers: &rung.servers,
        workflow: "chain",
        clients: CLIENTS,
    };
    let began = Instant::now();
    let mut times = Vec::new();
    while left(&api).await? > 0 {
        times.extend(load.run_for(Duration::ZERO, TURN).await?.into_times());
    }
    let rate = super::count(OLD) / began.elapsed().as_secs_f64();
    let quiet = load.run_for(TURN, QUIET).await?.into_times();

    let conditions = json!({"clients": CLIENTS, "old executions": OLD, "store": rung.name});
    let figure = |name: &str, value: f64, unit: &str| {
        let value = (value * 1000.0).round() / 1000.0;
        json!({"name": name, "value": value, "unit": unit, "conditions": conditions})
    };
    say(figure("retention: executions deleted", rate, "1/s"));
    for (when, mut times) in [("while it deletes", times), ("afterwards", quiet)] {
        times.sort_unstable();
        for percent in [50, 99] {
            let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            let value = times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
            let name = format!("retention: chain {when}, p{percent}");
            say(figure(&name, value, "ms"));
        }
    }
    Ok(())
}

/// How many of the old executions there are still.
async fn left(api: &Api) -> Result<i64> {
    let request = CountExecutionsRequest {
        project: api.project(),
        filter: "workflow_name = \"job_*\"".to_owned(),
        ..CountExecutionsRequest::default()
    };
    let answer = api.executions().count_executions(request).await?;
    Ok(answer.into_inner().total)
}
