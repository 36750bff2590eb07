//! Figures of work through one Rust worker: how many tasks pass it, and how soon each begins.
//!
//! The worker, its clients, the server and its database share the machine and talk over loopback.
//! The functions do nothing, so that what is measured is the way there and back.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use autan::{Client, Worker, WorkerAction};
use proto::v1::{self, ExecutionState};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Rung;
use super::census::Counts;
use crate::api::{Api, payload};

/// Tasks of the chain.
const CHAIN: usize = 10;

/// Tasks side by side, between a first one and a join.
const WIDE: usize = 50;

/// Items of one task.
const ITEMS: usize = 1_000;

/// Clients of each load of chains.
const CLIENTS: [usize; 4] = [1, 16, 64, 256];

/// How long each load lasts; the first part is not counted.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

/// Times that the shapes that are run one by one are run.
const RUNS: usize = 100;

/// Clients that share one connection; more connections than cores gain nothing.
const CLIENTS_PER_CONNECTION: usize = 16;

/// How long one execution may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Tasks that the worker takes at a time.
const MAX_TASKS: usize = 2_000;

/// The figures on SQLite, and on PostgreSQL where there is one, each a JSON object; `say` gets each
/// as soon as it is there.
pub async fn figures(say: &mut dyn FnMut(Value)) -> Result<()> {
    of_rung(&Rung::embedded().await?, say).await?;
    if let Some(postgres) = super::postgres(say).await? {
        of_rung(&Rung::shared(&postgres, "PostgreSQL", 1).await?, say).await?;
    }
    Ok(())
}

async fn of_rung(rung: &Rung, say: &mut dyn FnMut(Value)) -> Result<()> {
    let api = rung.servers[0].api("bench");
    api.create_workflow(&document()).await?;
    let bench = Bench::start(rung, api).await?;
    let name = "start to finished";
    bench.alone("single", name, "1 task", RUNS, say).await?;
    for clients in CLIENTS {
        bench.chains(clients, say).await?;
    }
    let wide = format!("1 → {WIDE} side by side → join");
    bench.alone("wide", name, &wide, RUNS, say).await?;
    let items = format!("with-items of {ITEMS}");
    bench.alone("items", name, &items, RUNS / 10, say).await?;
    bench.end().await
}

/// A chain, tasks side by side with a join, items, and a single task.
fn document() -> String {
    let mut text = String::from("version: '2.0'\n\nchain:\n  input: [x]\n  tasks:\n");
    for task in 1..=CHAIN {
        let _ = writeln!(text, "    t{task}:\n      action: bench.echo x=<% $.x %>");
        if task < CHAIN {
            let _ = writeln!(text, "      on-success: t{}", task + 1);
        }
    }
    text.push_str("\nwide:\n  input: [x]\n  tasks:\n    first:\n      action: bench.echo x=1\n");
    let names: Vec<String> = (1..=WIDE).map(|task| format!("t{task}")).collect();
    let _ = writeln!(text, "      on-success: [{}]", names.join(", "));
    for name in names {
        let _ = writeln!(
            text,
            "    {name}:\n      action: bench.echo x=<% $.x %>\n      on-success: last"
        );
    }
    text.push_str("    last:\n      join: all\n      action: bench.echo x=1\n");
    text.push_str("\nitems:\n  input: [x]\n  tasks:\n    each:\n");
    let _ = writeln!(text, "      with-items: i in <% range({ITEMS}) %>");
    text.push_str("      action: bench.echo x=<% $.i %>\n");
    text + "\nsingle:\n  input: [x]\n  tasks:\n    t1:\n      action: bench.echo x=<% $.x %>\n"
}

/// A server with its worker.
struct Bench<'r> {
    rung: &'r Rung,
    api: Api,
    /// From the call of each task until its function began.
    starts: Arc<Mutex<Vec<Duration>>>,
    stop: oneshot::Sender<()>,
    worker: tokio::task::JoinHandle<Result<(), autan::Error>>,
}

impl<'r> Bench<'r> {
    async fn start(rung: &'r Rung, api: Api) -> Result<Self> {
        let client = Client::builder(rung.servers[0].address()).project("bench");
        let client = client.connect().await?;
        let starts = Arc::new(Mutex::new(Vec::new()));
        let noted = starts.clone();
        let echo = move |input: Value, cx: autan::ActionContext| {
            let waited = cx.info().schedule_time;
            let waited = waited.and_then(|at| SystemTime::now().duration_since(at).ok());
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.extend(waited);
            async move { Ok(input) }
        };
        let worker = Worker::new(&client, "default")
            .register(WorkerAction::new("bench.echo", echo))
            .max_tasks(MAX_TASKS);
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(worker.run_until(async move {
            // It ends as well when this program gives up.
            let _ = stopped.await;
        }));
        Ok(Self {
            rung,
            api,
            starts,
            stop,
            worker,
        })
    }

    async fn end(self) -> Result<()> {
        drop(self.stop);
        self.worker.await?.context("the worker")
    }

    /// What was measured since this was asked last.
    fn take_starts(&self) -> Vec<Duration> {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *starts)
    }

    /// One execution after the other.
    async fn alone(
        &self,
        workflow: &str,
        name: &str,
        shape: &str,
        runs: usize,
        say: &mut dyn FnMut(Value),
    ) -> Result<()> {
        // The first ones read the definition, and fill what is kept.
        for _ in 0..=runs / 10 {
            run(&self.api, workflow).await?;
        }
        self.take_starts();
        let mut times = Vec::new();
        for _ in 0..runs {
            times.push(run(&self.api, workflow).await?);
        }
        let conditions = self.conditions(1, shape);
        quantiles(name, times, &conditions, say);
        quantiles("call to begin", self.take_starts(), &conditions, say);
        Ok(())
    }

    /// Chains, as fast as the clients can.
    async fn chains(&self, clients: usize, say: &mut dyn FnMut(Value)) -> Result<()> {
        let before = self.rung.census.take().await?;
        let from = Instant::now() + WARM_UP;
        let until = from + MEASURED;
        let mut loops = JoinSet::new();
        let server = &self.rung.servers[0];
        let mut api = server.api("bench");
        for client in 0..clients {
            if client % CLIENTS_PER_CONNECTION == 0 && client > 0 {
                api = server.api("bench");
            }
            loops.spawn(run_until(api.clone(), from, until));
        }
        tokio::time::sleep_until((from).into()).await;
        self.take_starts();
        tokio::time::sleep_until((until).into()).await;
        let starts = self.take_starts();
        let mut times = Vec::new();
        let mut runs = 0;
        while let Some(done) = loops.join_next().await {
            let (some, count) = done??;
            times.extend(some);
            runs += count;
        }
        let spent = self.rung.census.take().await?.since(&before);
        let conditions = self.conditions(clients, &format!("{CHAIN} in a chain"));
        let per_second = super::count(starts.len()) / MEASURED.as_secs_f64();
        say(figure("tasks", per_second, "1/s", &conditions));
        quantiles("start to finished", times, &conditions, say);
        quantiles("call to begin", starts, &conditions, say);
        costs(&spent, super::count(runs * CHAIN), &conditions, say);
        Ok(())
    }

    fn conditions(&self, clients: usize, shape: &str) -> Value {
        json!({
            "clients": clients,
            "tasks": shape,
            "worker": "one, Rust, over loopback, its functions do nothing",
            "store": self.rung.name,
        })
    }
}

/// What a task costs the database, its part of its execution included.
fn costs(spent: &Counts, tasks: f64, conditions: &Value, say: &mut dyn FnMut(Value)) {
    let commits = spent.commits / tasks;
    say(figure("commits per task", commits, "1", conditions));
    let bytes = spent.bytes / tasks;
    say(figure("bytes per task", bytes, "B", conditions));
    if let Some(rows) = spent.rows {
        let rows = rows / tasks;
        say(figure("rows written per task", rows, "1", conditions));
    }
}

/// Runs chains one after the other; how long those took that were run within these times, and how
/// many there were in all.
async fn run_until(api: Api, from: Instant, until: Instant) -> Result<(Vec<Duration>, usize)> {
    let mut times = Vec::new();
    let mut runs = 0;
    while Instant::now() < until {
        let begin = Instant::now();
        let took = run(&api, "chain").await?;
        runs += 1;
        if begin >= from && Instant::now() <= until {
            times.push(took);
        }
    }
    Ok((times, runs))
}

/// Runs one execution to its end; how long that took.
async fn run(api: &Api, workflow: &str) -> Result<Duration> {
    let begin = Instant::now();
    let request = v1::StartExecutionRequest {
        input: Some(payload(&json!({"x": 1}))),
        request_id: Uuid::now_v7().to_string(),
        ..api.start_request(workflow, &Value::Null)
    };
    let answer = api.executions().start_execution(request).await?;
    let uid = answer.into_inner().execution.unwrap_or_default().uid;
    let done = api.finished(&uid, PATIENCE).await?;
    ensure!(
        done.state() == ExecutionState::Success,
        "{workflow} ended in {:?}: {}",
        done.state(),
        done.state_info
    );
    Ok(begin.elapsed())
}

fn figure(name: &str, value: f64, unit: &str, conditions: &Value) -> Value {
    let value = (value * 1000.0).round() / 1000.0;
    json!({
        "name": format!("worker: {name}"),
        "value": value,
        "unit": unit,
        "conditions": conditions,
    })
}

fn quantiles(name: &str, mut times: Vec<Duration>, conditions: &Value, say: &mut dyn FnMut(Value)) {
    times.sort_unstable();
    for q in [50, 99] {
        let at = (times.len() * q / 100).min(times.len().saturating_sub(1));
        let value = times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
        say(figure(&format!("{name}, p{q}"), value, "ms", conditions));
    }
}
