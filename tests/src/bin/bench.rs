//! `make bench`: figures of a server, one JSON object a line: name, value, unit, conditions, and the
//! limit where one must hold.
//!
//! Starts the binary that `AUTAN_BINARY` names, with an SQLite file or a PostgreSQL beside it and a
//! flush for each commit, and loads it with clients of this process over loopback: closed loops,
//! each client one call at a time.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::server::{Options, TestServer};
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::workflow_service_client::WorkflowServiceClient;
use proto::v1::{CreateWorkflowRequest, ExecutionState, StartExecutionRequest};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// Tasks of the chain.
const CHAIN: usize = 10;

/// How long each load lasts; the first part is not counted.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(6);

/// Clients that share one connection; more connections than cores gain nothing.
const CLIENTS_PER_CONNECTION: usize = 16;

#[tokio::main]
async fn main() -> Result<()> {
    // `bench large`, `bench workers` and `bench databases` give only a part.
    let part = std::env::args().nth(1);
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("common") {
        common()?;
    }
    if wanted("databases") {
        databases().await?;
    }
    if wanted("workers") {
        for figure in e2e::worker_load::figures().await? {
            say(&figure.to_string());
        }
    }
    if wanted("large") {
        for figure in e2e::large::figures().await? {
            say(&figure.to_string());
        }
    }
    Ok(())
}

/// What needs no server.
fn common() -> Result<()> {
    for figure in e2e::definitions::figures()? {
        say(&figure.to_string());
    }
    for figure in e2e::expressions::figures()? {
        say(&figure.to_string());
    }
    Ok(())
}

/// The same load on both databases, one right after the other.
async fn databases() -> Result<()> {
    let embedded = Options {
        embedded: true,
        ..Options::default()
    };
    let mut loaded = vec![Loaded {
        server: TestServer::start_with(embedded).await?,
        store: "SQLite file, WAL, synchronous=FULL",
    }];
    let postgres =
        match tokio::task::spawn_blocking(|| postgres_fixture::Server::start(&[])).await? {
            Ok(postgres) => {
                let options = Options {
                    database: Some(postgres.url()),
                    ..Options::default()
                };
                loaded.push(Loaded {
                    server: TestServer::start_with(options).await?,
                    store: "PostgreSQL on the same machine, synchronous_commit=on",
                });
                Some(postgres)
            }
            Err(error) => {
                say(&json!({"skipped": "PostgreSQL", "why": format!("{error:#}")}).to_string());
                None
            }
        };
    for one in &loaded {
        create(connect(&one.server).await?, document()).await?;
    }
    for (workflow, clients) in [
        ("chain", 1),
        ("chain", 16),
        ("chain", 128),
        ("single", 1),
        ("single", 128),
    ] {
        for one in &loaded {
            load(one, clients, workflow).await?;
        }
    }
    drop(loaded);
    drop(postgres);
    Ok(())
}

/// A server under load.
struct Loaded {
    server: TestServer,
    store: &'static str,
}

/// A workflow with a chain of tasks, and one with a single task.
fn document() -> String {
    let mut text = String::from("version: '2.0'\n\nchain:\n  input: [x]\n  tasks:\n");
    for task in 1..=CHAIN {
        let _ = writeln!(
            text,
            "    t{task}:\n      action: std.echo output=<% $.x %>"
        );
        if task < CHAIN {
            let _ = writeln!(text, "      on-success: t{}", task + 1);
        }
    }
    text + "\nsingle:\n  input: [x]\n  tasks:\n    t1:\n      action: std.noop\n"
}

async fn connect(server: &TestServer) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address()))?;
    endpoint
        .tcp_nodelay(true)
        .connect()
        .await
        .context("connecting")
}

async fn create(channel: Channel, source: String) -> Result<()> {
    let request = CreateWorkflowRequest {
        source,
        ..Default::default()
    };
    WorkflowServiceClient::new(channel)
        .create_workflow(request)
        .await?;
    Ok(())
}

/// Starts executions as fast as the clients can, and prints what came of it.
async fn load(loaded: &Loaded, clients: usize, workflow: &'static str) -> Result<()> {
    let server = &loaded.server;
    let begin = Instant::now();
    let from = begin + WARM_UP;
    let until = from + MEASURED;
    let unfinished = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    let mut channel = connect(server).await?;
    for client in 0..clients {
        if client % CLIENTS_PER_CONNECTION == 0 && client > 0 {
            channel = connect(server).await?;
        }
        let unfinished = unfinished.clone();
        let mut service = ExecutionServiceClient::new(channel.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let request = StartExecutionRequest {
                    workflow_name: workflow.to_owned(),
                    input: Some(proto::v1::Payload {
                        encoding: Some(proto::v1::payload::Encoding::Json(r#"{"x":1}"#.into())),
                        ..Default::default()
                    }),
                    request_id: Uuid::new_v4().to_string(),
                    ..Default::default()
                };
                let sent = Instant::now();
                let answer = service.start_execution(request).await?.into_inner();
                let state = answer.execution.map(|execution| execution.state());
                if state != Some(ExecutionState::Success) {
                    unfinished.fetch_add(1, Ordering::Relaxed);
                }
                if sent >= from {
                    times.push(sent.elapsed());
                }
            }
            Ok::<_, tonic::Status>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    ensure!(
        unfinished.load(Ordering::Relaxed) == 0,
        "the answer came before the end of the chain"
    );
    times.sort_unstable();
    report(loaded.store, clients, workflow, &times);
    Ok(())
}

fn report(store: &str, clients: usize, workflow: &str, times: &[Duration]) {
    let tasks = if workflow == "chain" { CHAIN } else { 1 };
    let conditions = json!({
        "clients": clients,
        "workflow": if tasks == 1 { "1 × std.noop".to_owned() } else { format!("{tasks} × std.echo, in a chain") },
        "store": store,
        "seconds": MEASURED.as_secs(),
        "each start": "durable and finished when it is answered",
    });
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a few seconds fit a float exactly"
    )]
    let per_second = times.len() as f64 / MEASURED.as_secs_f64();
    let quantile = |q: usize| {
        let at = (times.len() * q / 100).min(times.len().saturating_sub(1));
        times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    #[expect(clippy::cast_precision_loss, reason = "a chain is short")]
    let tasks_per_second = per_second * tasks as f64;
    for (name, value, unit) in [
        ("executions", per_second, "1/s"),
        ("tasks", tasks_per_second, "1/s"),
        ("start to finished, p50", quantile(50), "ms"),
        ("start to finished, p99", quantile(99), "ms"),
    ] {
        let value = (value * 1000.0).round() / 1000.0;
        say(
            &json!({"name": name, "value": value, "unit": unit, "conditions": conditions})
                .to_string(),
        );
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
fn say(line: &str) {
    println!("{line}");
}
