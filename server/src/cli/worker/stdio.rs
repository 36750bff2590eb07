//! `autan worker stdio`: any program as a worker.
//!
//! Owns the arguments, and the worker that hands its tasks to programs. Left to others: the
//! programs (`program`), what is said to them (`line`), and the worker itself (the SDK).

use std::str::FromStr;
use std::time::Duration;

use autan::{ActionContext, Client, Worker, WorkerAction};
use serde_json::Value;
use serde_json::value::RawValue;

use super::program::{Manner, Pool};
use crate::cli::error::Error;
use crate::cli::input::{label, value};
use crate::cli::output::Output;
use crate::config::Log;
use crate::telemetry;

/// Most tasks at a time: what one grant of the contract can say.
const TASKS_MAX: i64 = 10_000;

/// Most programs at a time.
const PROGRAMS_MAX: i64 = 1_000;

/// Arguments of `stdio`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// An action that the program provides, and if wanted its parameters, for people:
    /// `stock.reserve:sku,count=1`
    #[arg(long = "action", value_name = "NAME[:PARAMS]", required = true)]
    actions: Vec<Offered>,
    /// The queue to take tasks from
    #[arg(long, default_value = "default")]
    queue: String,
    /// Tasks that one program gets at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=TASKS_MAX))]
    max_tasks: u32,
    /// Programs that run at a time
    #[arg(
        long,
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=PROGRAMS_MAX)
    )]
    processes: u32,
    /// Which version of its actions it provides, for tasks that require one
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "",
        hide_default_value = true
    )]
    action_version: String,
    /// How long an attempt may take before it fails
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    start_to_close: Option<Duration>,
    /// How long a call may wait for a worker before it fails
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    schedule_to_start: Option<Duration>,
    /// How long a task may say nothing (`heartbeat`) before it is handed out again
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    heartbeat: Option<Duration>,
    /// How long the end of the worker waits for tasks, before it gives them back
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    drain_timeout: Duration,
    /// How long a program may go on with a task that it was told to stop, before it is killed
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    cancel_grace: Duration,
    /// What people see as its name; host:pid if none is given
    #[arg(long)]
    identity: Option<String>,
    /// Which build of the program it is
    #[arg(long, default_value = "", hide_default_value = true)]
    build_id: String,
    /// A label, for people and tools
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Levels of the log by module, such as info,autan=debug
    #[arg(long, env = "AUTAN_LOG", value_name = "LEVELS", default_value = "info")]
    log: String,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// An action, with its parameters as they are announced.
#[derive(Clone, Debug, PartialEq)]
struct Offered {
    name: String,
    parameters: Vec<(String, Option<Value>)>,
}

impl FromStr for Offered {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
        if name.is_empty() {
            return Err("the name of the action is missing".to_owned());
        }
        let parameters = parameters.split(',').filter(|part| !part.is_empty());
        let parameters = parameters.map(|part| match part.split_once('=') {
            Some((name, default)) => (name.to_owned(), Some(value(default))),
            None => (part.to_owned(), None),
        });
        Ok(Self {
            name: name.to_owned(),
            parameters: parameters.collect(),
        })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Works until it is told to end by a signal, and its programs have.
pub(super) async fn run(client: &Client, args: Args, output: &Output) -> Result<(), Error> {
    telemetry::init(&Log {
        filter: args.log.clone(),
        ..Log::default()
    });
    let manner = Manner {
        command: args.command.clone(),
        tasks_max: args.max_tasks as usize,
        cancel_grace: args.cancel_grace,
    };
    let pool = Pool::start(&manner, args.processes).map_err(|source| Error::Program {
        program: args.command[0].clone(),
        source,
    })?;
    let mut worker = Worker::new(client, &args.queue)
        .max_tasks((args.max_tasks as usize).saturating_mul(args.processes as usize))
        .drain_timeout(args.drain_timeout)
        // The program is killed first.
        .cancel_grace(args.cancel_grace + Duration::from_secs(5))
        .build_id(args.build_id.clone());
    if let Some(identity) = &args.identity {
        worker = worker.identity(identity);
    }
    for (key, value) in &args.labels {
        worker = worker.label(key, value);
    }
    for offered in &args.actions {
        worker = worker.register(args.action(offered, &pool));
    }
    output.note(format!(
        "worker {} takes from queue {}",
        worker.id(),
        args.queue
    ));
    let ended = worker.run().await;
    pool.end().await;
    Ok(ended?)
}

impl Args {
    fn action(&self, offered: &Offered, pool: &Pool) -> WorkerAction {
        let entrance = pool.entrance();
        let function = move |input: Box<RawValue>, context: ActionContext| {
            let entrance = entrance.clone();
            async move { entrance.run(input, context).await }
        };
        let mut action = WorkerAction::new(&offered.name, function).version(&self.action_version);
        for (name, default) in &offered.parameters {
            action = match default {
                Some(default) => action.input_or(name, default.clone()),
                None => action.input(name),
            };
        }
        if let Some(timeout) = self.start_to_close {
            action = action.start_to_close(timeout);
        }
        if let Some(timeout) = self.schedule_to_start {
            action = action.schedule_to_start(timeout);
        }
        if let Some(timeout) = self.heartbeat {
            action = action.heartbeat(timeout);
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_action_may_name_its_parameters() {
        let check = |text: &str, name: &str, parameters: &[(&str, Option<Value>)]| {
            let parameters = parameters.iter().cloned();
            let expected = Offered {
                name: name.to_owned(),
                parameters: parameters
                    .map(|(name, default)| (name.to_owned(), default))
                    .collect(),
            };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        };
        check("a.b", "a.b", &[]);
        check("a:", "a", &[]);
        check(
            "a:x,y=1,z=t",
            "a",
            &[("x", None), ("y", Some(json!(1))), ("z", Some(json!("t")))],
        );
        assert!(":x".parse::<Offered>().is_err());
    }
}
