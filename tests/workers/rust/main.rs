//! Provides the actions of the scenarios for workers through the Rust SDK. Those of the other
//! languages provide the same; `tests/workers/README.md` says what they do.
//!
//! Prints "ready" when the server has welcomed it, logs to stderr, and drains on SIGTERM.

mod actions;

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use autan::{Client, Worker};
use clap::Parser;

#[derive(Debug, Parser)]
struct Options {
    /// Address of the server.
    #[arg(long, env = "AUTAN_SERVER")]
    server: String,
    /// Tenant.
    #[arg(long, env = "AUTAN_PROJECT", default_value = "")]
    project: String,
    /// Queue to take tasks from.
    #[arg(long, default_value = "default")]
    queue: String,
    /// Functions that run at the same time.
    #[arg(long, default_value_t = 50)]
    max_tasks: usize,
    /// Seconds to wait for them at the end.
    #[arg(long, default_value_t = 30.0)]
    drain_timeout: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    tracing_subscriber::fmt()
        .with_env_filter("info,autan=debug")
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    // The server may be away: the worker waits for it.
    let client = Client::builder(options.server)
        .project(options.project)
        .connect_lazy()?;
    let worker = Worker::new(&client, options.queue)
        .max_tasks(options.max_tasks)
        .drain_timeout(Duration::try_from_secs_f64(options.drain_timeout)?)
        .label("language", "rust");
    let worker = actions::provide(worker, &client);
    let mut health = worker.health();
    tokio::spawn(async move {
        if health.connected().await {
            // The scenario waits for it; if nobody reads, nobody waits.
            let _ = writeln!(io::stdout(), "ready");
        }
    });
    Ok(worker.run().await?)
}
