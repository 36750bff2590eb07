//! Figures of the store ladder, side by side in one run: SQLite, PostgreSQL, two servers on one
//! PostgreSQL; what a task costs in each, and what the machine could do at most.

mod ceiling;
mod census;
mod load;
mod million;
mod retention;
mod workers;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use proto::v1::GetClusterRequest;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::server::{Options, TestServer};
use census::Census;
use load::Load;
pub use million::figures as of_a_million;
pub use retention::figures as of_retention;
pub use workers::figures as of_workers;

/// Tasks of the chain.
const CHAIN: usize = 10;

/// How long servers may take to share their work out.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shards of a PostgreSQL.
const SHARDS: u32 = 256;

/// The figures, each a JSON object; `say` gets each as soon as it is there.
pub async fn figures(say: &mut dyn FnMut(Value)) -> Result<()> {
    let mut rungs = vec![Rung::embedded().await?];
    let postgres = postgres(say).await?;
    if let Some(postgres) = &postgres {
        for (name, servers) in [("PostgreSQL", 1), ("PostgreSQL", 2)] {
            rungs.push(Rung::shared(postgres, name, servers).await?);
        }
    }
    for rung in &rungs {
        rung.servers[0]
            .api("bench")
            .create_workflow(&document())
            .await?;
    }
    for (workflow, clients) in [
        ("chain", 1),
        ("chain", 16),
        ("chain", 128),
        ("single", 1),
        ("single", 128),
    ] {
        for rung in &rungs {
            rung.measure(workflow, clients, say).await?;
        }
    }
    drop(rungs);
    drop(postgres);
    Ok(())
}

/// A PostgreSQL that flushes each commit, where there is one.
async fn postgres(say: &mut dyn FnMut(Value)) -> Result<Option<postgres_fixture::Server>> {
    let started = tokio::task::spawn_blocking(|| postgres_fixture::Server::start(&[])).await?;
    match started {
        Ok(postgres) => Ok(Some(postgres)),
        Err(error) => {
            say(json!({"skipped": "PostgreSQL", "why": format!("{error:#}")}));
            Ok(None)
        }
    }
}

/// Servers with a database.
struct Rung {
    name: String,
    servers: Vec<TestServer>,
    census: Census,
}

impl Rung {
    async fn embedded() -> Result<Self> {
        let options = Options {
            embedded: true,
            ..Options::default()
        };
        let server = TestServer::start_with(options).await?;
        Ok(Self {
            name: "SQLite file, WAL, synchronous=FULL".to_owned(),
            census: Census::Sqlite(server.data_dir().join("autan.db")),
            servers: vec![server],
        })
    }

    /// A schema of its own, for as many servers as it says.
    async fn shared(postgres: &postgres_fixture::Server, name: &str, count: usize) -> Result<Self> {
        let url = tokio::task::block_in_place(|| postgres.new_schema())?;
        let mut servers = Vec::new();
        for _ in 0..count {
            let options = Options {
                database: Some(url.clone()),
                ..Options::default()
            };
            servers.push(TestServer::start_with(options).await?);
        }
        settled(&servers).await?;
        let word = if count == 1 { "server" } else { "servers" };
        Ok(Self {
            name: format!("{name} on the same machine, synchronous_commit=on, {count} {word}"),
            servers,
            census: Census::Postgres(url),
        })
    }

    /// Loads the servers and says what came of it, what it cost, and what was possible.
    async fn measure(
        &self,
        workflow: &'static str,
        clients: usize,
        say: &mut dyn FnMut(Value),
    ) -> Result<()> {
        let tasks = if workflow == "chain" { CHAIN } else { 1 };
        let before = self.census.take().await?;
        let load = Load {
            servers: &self.servers,
            workflow,
            clients,
        };
        let done = load.run().await?;
        let after = self.census.take().await?;
        let conditions = json!({
            "clients": clients,
            "workflow": workflow_text(tasks),
            "store": self.name,
            "seconds": load::MEASURED.as_secs(),
            "each start": "durable and finished when it is answered",
        });
        let figure = |name: &str, value: f64, unit: &str| {
            let value = (value * 1000.0).round() / 1000.0;
            json!({"name": name, "value": value, "unit": unit, "conditions": conditions})
        };
        let per_second = done.per_second();
        say(figure("executions", per_second, "1/s"));
        say(figure("tasks", per_second * count(tasks), "1/s"));
        say(figure("start to finished, p50", done.quantile_ms(50), "ms"));
        say(figure("start to finished, p99", done.quantile_ms(99), "ms"));
        let all_tasks = count(done.started * tasks);
        let spent = after.since(&before);
        say(figure("commits per task", spent.commits / all_tasks, "1"));
        say(figure("bytes per task", spent.bytes / all_tasks, "B"));
        if let Some(rows) = spent.rows {
            say(figure("rows written per task", rows / all_tasks, "1"));
        }
        // SQLite does not count rows; they are those that PostgreSQL gets.
        let rows = spent.rows.unwrap_or(all_tasks * ROWS_PER_TASK);
        let raw = ceiling::Commit {
            rows: (rows / spent.commits).round().max(1.0),
            bytes: spent.bytes / rows,
        };
        let most = raw.per_second(&self.census, self.servers.len()).await?;
        let most = most * raw.rows / (rows / all_tasks);
        say(figure("ceiling: tasks", most, "1/s"));
        say(figure(
            "part of the ceiling",
            per_second * count(tasks) / most,
            "1",
        ));
        Ok(())
    }
}

/// Rows that a task of these workflows costs, about.
const ROWS_PER_TASK: f64 = 2.6;

/// Waits until servers that share a database have shared its work out.
async fn settled(servers: &[TestServer]) -> Result<()> {
    let share = SHARDS / u32::try_from(servers.len())?;
    let until = Instant::now() + PATIENCE;
    loop {
        let mut system = servers[0].api("bench").system();
        let cluster = system.get_cluster(GetClusterRequest {}).await?.into_inner();
        let fair = cluster
            .servers
            .iter()
            .filter(|server| server.shards >= share);
        if fair.count() == servers.len() {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < until,
            "the servers do not share: {cluster:?}"
        );
        // The servers tell nobody when they are done.
        sleep(Duration::from_millis(50)).await;
    }
}

fn workflow_text(tasks: usize) -> String {
    if tasks == 1 {
        "1 × std.noop".to_owned()
    } else {
        format!("{tasks} × std.echo, in a chain")
    }
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

/// A number of things as a float.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark fit a float"
)]
fn count(things: usize) -> f64 {
    things as f64
}
