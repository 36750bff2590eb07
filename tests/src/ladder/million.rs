//! Whether a database that is full of finished executions is as fast as an empty one: starts, and
//! lists and counts with filters.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use proto::v1;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::load::Load;
use super::{Rung, document, postgres};
use crate::api::Api;

/// Clients that fill the database.
const FILLERS: usize = 128;

/// Kinds of executions that it is filled with, labels of each kind, and how seldom one fails.
const WORKFLOWS: usize = 10;
const CUSTOMERS: usize = 1_000;
const FAILS_ONE_OF: usize = 200;

/// Rounds in which the full and the empty database take turns, and how long each turn lasts.
const ROUNDS: usize = 8;
const TURN: Duration = Duration::from_millis(1_500);
const WARM_UP: Duration = Duration::from_millis(200);

/// How often each question is asked.
const QUESTIONS: usize = 15;

/// Rows of a page.
const PAGE: i32 = 100;

/// Figures of databases with so many finished executions, beside empty ones.
pub async fn figures(executions: usize, say: &mut dyn FnMut(Value)) -> Result<()> {
    let pair = [Rung::embedded().await?, Rung::embedded().await?];
    compare(&pair, executions, say).await?;
    drop(pair);
    if let Some(postgres) = postgres(say).await? {
        let one = || Rung::shared(&postgres, "PostgreSQL", 1);
        let pair = [one().await?, one().await?];
        compare(&pair, executions, say).await?;
    }
    Ok(())
}

async fn compare(
    [full, empty]: &[Rung; 2],
    executions: usize,
    say: &mut dyn FnMut(Value),
) -> Result<()> {
    for rung in [full, empty] {
        let api = rung.servers[0].api("bench");
        api.create_workflow(&document()).await?;
        api.create_workflow(&fillers()).await?;
    }
    let conditions = json!({"executions": executions, "store": full.name});
    let figure = |name: &str, value: f64, unit: &str, limit: Option<f64>| {
        let value = (value * 1000.0).round() / 1000.0;
        json!({
            "name": name, "value": value, "unit": unit, "limit": limit, "conditions": conditions,
        })
    };
    let before = full.census.take().await?;
    let began = Instant::now();
    fill(full, executions).await?;
    let filled = super::count(executions);
    say(figure(
        "filled",
        filled / began.elapsed().as_secs_f64(),
        "1/s",
        None,
    ));
    let spent = full.census.take().await?.since(&before);
    say(figure(
        "bytes per execution of 1 task",
        spent.bytes / filled,
        "B",
        None,
    ));
    for clients in [1, 16] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (rung, times) in [full, empty].into_iter().zip(&mut times) {
                let load = Load {
                    servers: &rung.servers,
                    workflow: "chain",
                    clients,
                };
                times.extend(load.run_for(WARM_UP, TURN).await?.into_times());
            }
        }
        let [full, empty] = times.map(|mut times| {
            times.sort_unstable();
            times
                .get(times.len() / 2)
                .map_or(0.0, |time| time.as_secs_f64() * 1e3)
        });
        let of = |which: &str| format!("chain, {clients} clients, p50 with {which}");
        say(figure(&of("a full database"), full, "ms", None));
        say(figure(&of("an empty database"), empty, "ms", None));
        say(figure(
            &of("a full one, of an empty one"),
            full / empty,
            "1",
            Some(1.1),
        ));
    }
    let api = full.servers[0].api("bench");
    for filter in filters() {
        let (listed, counted) = ask(&api, &filter).await?;
        let of = |what: &str| format!("{what} of {filter:?}, slowest of {QUESTIONS}");
        say(figure(&of("page"), listed, "ms", Some(50.0)));
        say(figure(&of("count"), counted, "ms", Some(50.0)));
    }
    Ok(())
}

/// Filters that match many, few or none, by one field and by several.
fn filters() -> Vec<String> {
    let now = time_ago(Duration::from_secs(5));
    [
        "",
        "state = SUCCESS",
        "state = ERROR",
        "state = PAUSED",
        "workflow_name = job_3",
        "workflow_name = job_3 AND state = ERROR",
        "workflow_name = \"job_1*\" AND state = ERROR",
        "labels.customer = c7",
        "labels.customer = c7 AND state = ERROR",
        "NOT state = SUCCESS",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([format!("create_time > \"{now}\"")])
    .collect()
}

/// A time that long ago, as filters take it.
fn time_ago(ago: Duration) -> String {
    let at = std::time::SystemTime::now() - ago;
    prost_types::Timestamp::from(at).to_string()
}

/// How long the slowest page and the slowest count took, in milliseconds. The pages are the first
/// ones, one after the other.
async fn ask(api: &Api, filter: &str) -> Result<(f64, f64)> {
    let (mut listed, mut counted) = (Duration::ZERO, Duration::ZERO);
    let mut page_token = String::new();
    for _ in 0..QUESTIONS {
        let request = v1::ListExecutionsRequest {
            project: api.project(),
            filter: filter.to_owned(),
            page_size: PAGE,
            page_token,
            ..Default::default()
        };
        let began = Instant::now();
        let page = api
            .executions()
            .list_executions(request)
            .await?
            .into_inner();
        listed = listed.max(began.elapsed());
        page_token = page.next_page_token;
        let request = v1::CountExecutionsRequest {
            project: api.project(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        let began = Instant::now();
        api.executions().count_executions(request).await?;
        counted = counted.max(began.elapsed());
    }
    Ok((listed.as_secs_f64() * 1e3, counted.as_secs_f64() * 1e3))
}

/// Workflows of one task each, and one that fails.
pub(super) fn fillers() -> String {
    let mut text = String::from("version: '2.0'\n");
    for number in 0..WORKFLOWS {
        let _ = writeln!(
            text,
            "job_{number}:\n  input: [fails]\n  tasks:\n    t:\n      \
             action: <% switch($.fails => 'std.fail', true => 'std.noop') %>"
        );
    }
    text
}

/// Runs executions until there are so many.
pub(super) async fn fill(rung: &Rung, executions: usize) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut loops = JoinSet::new();
    for _ in 0..FILLERS {
        let (api, next) = (rung.servers[0].api("bench"), next.clone());
        loops.spawn(async move {
            let mut service = api.executions();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= executions {
                    return anyhow::Ok(());
                }
                let workflow = format!("job_{}", number % WORKFLOWS);
                let fails = number % FAILS_ONE_OF == 0;
                let customer = format!("c{}", number / WORKFLOWS % CUSTOMERS);
                let request = v1::StartExecutionRequest {
                    request_id: Uuid::now_v7().to_string(),
                    labels: [("customer".to_owned(), customer)].into(),
                    ..api.start_request(&workflow, &json!({"fails": fails}))
                };
                let answer = service.start_execution(request).await?.into_inner();
                let state = answer.execution.unwrap_or_default().state();
                ensure!(
                    state
                        .as_str_name()
                        .ends_with(if fails { "ERROR" } else { "SUCCESS" })
                );
            }
        });
    }
    while let Some(done) = loops.join_next().await {
        done??;
    }
    Ok(())
}
