//! `autan worker`: those that there are, and one made of any program.

mod line;
mod program;
mod stdio;

use std::time::SystemTime;

use autan::WorkerRecord;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, relative};
use super::output::Output;
use super::show;
use super::table::{Cell, Table, fields};

/// Commands about workers.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List workers that were heard of lately
    List,
    /// Show a worker
    Get {
        /// Id of the worker
        id: String,
    },
    /// Give workers no more tasks; those that they have stay with them
    Drain {
        /// Ids of the workers
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why, for the log of the server
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Make a worker of any program: a JSON line in for each task, one out for its end
    Stdio(Box<stdio::Args>),
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    match command {
        Command::List => {
            let list = client.workers().list().collect().await?;
            output.many(&list, |list| table(list, output.now()))?;
        }
        Command::Get { id } => {
            let worker = client.workers().get(id).await?;
            output.one(&worker, |worker| {
                description(worker, output.now(), output.paint())
            })?;
        }
        Command::Drain { ids, reason } => {
            for id in ids {
                let leased = client.workers().drain(&id, &reason).await?;
                output.note(format!("{id} gets no more tasks; it has {leased}"));
            }
        }
        Command::Stdio(args) => stdio::run(&client, *args, output).await?,
    }
    Ok(Exit::Success)
}

fn table(workers: &[WorkerRecord], now: SystemTime) -> Table {
    let mut table = Table::new([
        "WORKER", "IDENTITY", "STATE", "QUEUES", "ACTIONS", "LEASED", "CREDITS", "SEEN",
    ]);
    for worker in workers {
        table.row([
            worker.worker_id.as_str().into(),
            worker.identity.as_str().into(),
            Cell::state(&state(worker)),
            worker.queues.join(",").into(),
            Cell::number(&worker.actions.len()),
            Cell::number(&worker.leased),
            Cell::number(&worker.credits),
            relative(worker.last_seen_time, now).into(),
        ]);
    }
    table
}

fn description(worker: &WorkerRecord, now: SystemTime, paint: Paint) -> String {
    let labels = worker.labels.iter();
    let labels: Vec<_> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    fields(
        paint,
        [
            ("Worker", worker.worker_id.clone()),
            ("Identity", worker.identity.clone()),
            ("State", state(worker).to_owned()),
            ("SDK", worker.sdk.clone()),
            ("Build", worker.build_id.clone()),
            ("Labels", labels.join(", ")),
            ("Queues", worker.queues.join(", ")),
            ("Actions", actions(worker).join("\n")),
            ("Leased", worker.leased.to_string()),
            ("Credits", worker.credits.to_string()),
            ("First seen", show::at(worker.create_time, now)),
            ("Last seen", show::at(worker.last_seen_time, now)),
        ],
    )
}

fn state(worker: &WorkerRecord) -> &'static str {
    match (worker.draining, worker.connected) {
        (true, _) => "DRAINING",
        (false, true) => "CONNECTED",
        (false, false) => "AWAY",
    }
}

/// Its actions, with their versions.
fn actions(worker: &WorkerRecord) -> Vec<String> {
    let versions = &worker.action_versions;
    let described = worker.actions.iter().map(|name| match versions.get(name) {
        Some(version) => format!("{name}, version {version}"),
        None => name.clone(),
    });
    described.collect()
}
