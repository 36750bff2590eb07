//! `autan queue`: in which calls wait for workers.

use std::fmt::Write as _;
use std::time::SystemTime;

use autan::{Client, Queue, QueueLimits};

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, relative};
use super::output::Output;
use super::show;
use super::table::{Cell, Table, fields};

/// Commands about queues.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List queues: what waits, for how long, and how fast it goes
    List,
    /// Show a queue
    Get {
        /// Name of the queue
        name: String,
    },
    /// Hand nothing out from now on; what workers have stays with them
    Pause(Change),
    /// Go on handing out
    Resume(Change),
    /// Limit how much of a queue workers have at a time, or how fast they get it
    Limit(Limit),
}

/// A change of a queue.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Change {
    /// Name of the queue; it need not exist
    name: String,
    /// Fail if the queue no longer has this etag
    #[arg(long)]
    etag: Option<String>,
}

/// Arguments of `limit`. What is not given stays as it is.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("limit").required(true).multiple(true))]
pub(super) struct Limit {
    #[command(flatten)]
    change: Change,
    /// Limit only this action in the queue
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Most tasks that workers have at the same time; 0 is no limit
    #[arg(long, value_name = "TASKS", group = "limit")]
    concurrency: Option<i32>,
    /// Most tasks handed out per second, on average; 0 is no limit
    #[arg(long, value_name = "PER_SECOND", group = "limit")]
    rate: Option<f64>,
    /// Most tasks handed out at once within the rate; 0 is as many as in one second
    #[arg(long, value_name = "TASKS", group = "limit")]
    burst: Option<i32>,
    /// Take the limits away
    #[arg(long, group = "limit", conflicts_with_all = ["concurrency", "rate", "burst"])]
    none: bool,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    let queue = match command {
        Command::List => {
            let list = client.queues().list().collect().await?;
            output.many(&list, |list| table(list, output.now()))?;
            return Ok(Exit::Success);
        }
        Command::Get { name } => client.queues().get(name).await?,
        Command::Pause(change) => change.of(&client).pause().await?,
        Command::Resume(change) => change.of(&client).resume().await?,
        Command::Limit(args) => limit(&client, args).await?,
    };
    output.one(&queue, |queue| {
        description(queue, output.now(), output.paint())
    })?;
    Ok(Exit::Success)
}

impl Change {
    fn of(self, client: &Client) -> autan::UpdateQueue {
        let update = client.queues().update(self.name);
        match self.etag {
            Some(etag) => update.etag(etag),
            None => update,
        }
    }
}

async fn limit(client: &Client, args: Limit) -> Result<Queue, Error> {
    let known = known_limits(client, &args).await?;
    let (limits, etag) = known.unwrap_or_default();
    let limits = QueueLimits {
        concurrency: args.concurrency.unwrap_or(limits.concurrency),
        rate_per_second: args.rate.unwrap_or(limits.rate_per_second),
        burst: args.burst.unwrap_or(limits.burst),
    };
    // What was read is what is changed, unless the caller knows better.
    let change = Change {
        etag: args.change.etag.or(etag),
        ..args.change
    };
    let update = change.of(client);
    Ok(match args.action {
        Some(action) => update.action_limits(action, limits).await?,
        None => update.limits(limits).await?,
    })
}

/// The limits that there are, and the etag of the queue; `None` if all are taken away, or there is
/// no such queue.
async fn known_limits(
    client: &Client,
    args: &Limit,
) -> Result<Option<(QueueLimits, Option<String>)>, Error> {
    if args.none {
        return Ok(None);
    }
    let queue = match client.queues().get(&args.change.name).await {
        Ok(queue) => queue,
        Err(error) if error.reason() == Some(&autan::Reason::QueueNotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let limits = match &args.action {
        Some(action) => queue.action_limits.get(action).copied(),
        None => Some(queue.limits),
    };
    Ok(Some((limits.unwrap_or_default(), Some(queue.etag))))
}

fn table(queues: &[Queue], now: SystemTime) -> Table {
    let mut table = Table::new([
        "QUEUE", "STATE", "BACKLOG", "OLDEST", "LEASED", "WORKERS", "RATE/S", "LIMITS",
    ]);
    for queue in queues {
        table.row([
            queue.name.as_str().into(),
            Cell::state(&state(queue)),
            Cell::number(&queue.backlog),
            relative(queue.oldest_schedule_time, now).into(),
            Cell::number(&queue.leased),
            Cell::number(&queue.workers),
            Cell::number(&rate(queue)),
            limits(queue.limits).into(),
        ]);
    }
    table
}

fn description(queue: &Queue, now: SystemTime, paint: Paint) -> String {
    let mut of_actions = String::new();
    for (action, limited) in &queue.action_limits {
        // Writing to a text cannot fail.
        let _ = writeln!(of_actions, "{action}: {}", limits(*limited));
    }
    fields(
        paint,
        [
            ("Queue", queue.name.clone()),
            ("State", state(queue).to_owned()),
            ("Backlog", queue.backlog.to_string()),
            ("Oldest", show::at(queue.oldest_schedule_time, now)),
            ("Leased", queue.leased.to_string()),
            ("Workers", queue.workers.to_string()),
            ("Rate", format!("{}/s", rate(queue))),
            ("Limits", limits(queue.limits)),
            ("Of actions", of_actions),
            ("Etag", queue.etag.clone()),
        ],
    )
}

fn state(queue: &Queue) -> &'static str {
    if queue.paused { "PAUSED" } else { "OPEN" }
}

fn rate(queue: &Queue) -> String {
    format!("{:.2}", queue.tasks_per_second)
}

/// In words; empty if there is none.
fn limits(limits: QueueLimits) -> String {
    let mut words = Vec::new();
    if limits.concurrency > 0 {
        words.push(format!("{} at a time", limits.concurrency));
    }
    if limits.rate_per_second > 0.0 {
        words.push(format!("{}/s", limits.rate_per_second));
    }
    if limits.burst > 0 {
        words.push(format!("{} at once", limits.burst));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_words() {
        let all = QueueLimits {
            concurrency: 4,
            rate_per_second: 0.5,
            burst: 2,
        };
        assert_eq!(limits(all), "4 at a time, 0.5/s, 2 at once");
        assert_eq!(limits(QueueLimits::default()), "");
    }
}
