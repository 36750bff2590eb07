//! Commands that only look at executions.

use std::time::Duration;

use autan::{Client, Error as ClientError, ExecutionHandle, HistoryQuery, Listing};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use super::super::Exit;
use super::super::error::Error;
use super::super::follow::{Format, OnInterrupt, finish, follow};
use super::super::live::{Detail, Live};
use super::super::output::Output;
use super::super::show;
use super::super::table::{Cell, Table};

/// Commands that only look.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List executions, newest first
    List {
        /// Such as: `state = ERROR AND (workflow_name = "order*" OR labels.team = "eu")`
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// At most so many; 0 is all
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Count executions
    Count {
        /// As of `list`
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// Count in groups
        #[arg(long, value_enum)]
        by: Option<GroupArg>,
    },
    /// Show an execution
    Get {
        /// Id or uid of the execution
        id: String,
    },
    /// Show what happens to an execution until it is finished
    Watch {
        /// Id or uid of the execution
        id: String,
        #[command(flatten)]
        watch: WatchArgs,
    },
    /// Wait until an execution is finished and print its output
    Wait {
        /// Id or uid of the execution
        id: String,
        /// Give up after so many seconds
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
        /// How to print the output
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// List the events of an execution
    History {
        /// Id or uid of the execution
        id: String,
        /// Newest first
        #[arg(long)]
        reverse: bool,
        #[command(flatten)]
        chosen: HistoryArgs,
        /// With inputs, outputs and results (for --json)
        #[arg(long)]
        payloads: bool,
        /// At most so many; 0 is all
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        limit: usize,
    },
    /// List the tasks of an execution
    Tasks {
        /// Id or uid of the execution
        id: String,
        /// Such as: state = ERROR
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// With results and published variables (for --json)
        #[arg(long)]
        payloads: bool,
    },
    /// List the action executions of an execution
    Actions {
        /// Id or uid of the execution
        id: String,
        /// With inputs and outputs (for --json)
        #[arg(long)]
        payloads: bool,
    },
}

/// How to watch.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct WatchArgs {
    /// Only events after this sequence
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "SEQUENCE"
    )]
    after: i64,
    /// With inputs, outputs and results (for --json)
    #[arg(long)]
    payloads: bool,
    /// Show everything, not only changes of state
    #[arg(short, long)]
    verbose: bool,
}

/// Which events of a history.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Only events after this sequence
    #[arg(long, value_name = "SEQUENCE")]
    after: Option<i64>,
    /// Only events before this sequence
    #[arg(long, value_name = "SEQUENCE")]
    before: Option<i64>,
    /// Only events of this type, such as `task_state_changed`; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events of this task execution
    #[arg(long, value_name = "ID")]
    task: Option<String>,
}

impl HistoryArgs {
    fn query(self) -> HistoryQuery {
        let mut query = HistoryQuery::new();
        if let Some(sequence) = self.after {
            query = query.after(sequence);
        }
        if let Some(sequence) = self.before {
            query = query.before(sequence);
        }
        for name in self.types {
            query = query.event_type(name);
        }
        match self.task {
            Some(task) => query.task(task),
            None => query,
        }
    }
}

/// By what to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum GroupArg {
    /// By state
    State,
    /// By name of the workflow
    Workflow,
}

pub(super) async fn run(client: &Client, command: Command, output: &Output) -> Result<Exit, Error> {
    match command {
        Command::List { filter, limit } => {
            let list = take(client.executions().list(filter), limit).await?;
            output.many(&list, |list| show::executions(list, output.now()))?;
        }
        Command::Count { filter, by } => count(client, filter, by, output).await?,
        Command::Get { id } => {
            let execution = client.execution(id).get().await?;
            output.one(&execution, |e| {
                show::execution(e, output.now(), output.paint())
            })?;
        }
        Command::Watch { id, watch: how } => {
            return watch(&client.execution(id), how, output).await;
        }
        Command::Wait {
            id,
            timeout,
            output: format,
        } => {
            return wait(&client.execution(id), timeout, format, output).await;
        }
        Command::History {
            id,
            reverse,
            chosen,
            payloads,
            limit,
        } => {
            let mut query = chosen.query();
            if reverse {
                query = query.newest_first();
            }
            let list = client.execution(id).find_history(query);
            let events = take(with_payloads(list, payloads), limit).await?;
            output.many(&events, show::history)?;
        }
        Command::Tasks {
            id,
            filter,
            payloads,
        } => {
            let list = with_payloads(client.execution(id).tasks(filter), payloads);
            output.many(&list.collect().await?, |list| {
                show::tasks(list, output.now())
            })?;
        }
        Command::Actions { id, payloads } => {
            let list = with_payloads(client.execution(id).actions(), payloads);
            output.many(&list.collect().await?, |list| {
                show::actions(list, output.now())
            })?;
        }
    }
    Ok(Exit::Success)
}

/// Shows the events of an execution as lines, for scripts as objects.
pub(super) async fn watch(
    handle: &ExecutionHandle,
    how: WatchArgs,
    output: &Output,
) -> Result<Exit, Error> {
    let mut events = handle.events().after(how.after);
    if how.payloads {
        events = events.include_payloads();
    }
    let detail = if how.verbose {
        Detail::All
    } else {
        Detail::Changes
    };
    let mut live = Live::new(output.paint(), detail);
    let finished = follow(handle, events, OnInterrupt::Leave, output, |event| {
        if output.is_json() {
            return output.json_line(event);
        }
        live.line(event).map_or(Ok(()), |line| output.line(line))
    })
    .await?;
    match finished {
        // Events are what was asked for; the execution in full would be another kind of object.
        Some(execution) if output.is_json() => Ok(super::super::follow::exit(execution.state)),
        Some(execution) => finish(&execution, Format::Json, output),
        None => Ok(Exit::Success),
    }
}

async fn wait(
    handle: &ExecutionHandle,
    timeout: Option<u64>,
    format: Format,
    output: &Output,
) -> Result<Exit, Error> {
    let limit = timeout.map_or(Duration::MAX, Duration::from_secs);
    let Ok(execution) = tokio::time::timeout(limit, handle.wait()).await else {
        let state = handle.state().await?;
        output.note(format!("still {state} after {limit:?}"));
        return Ok(Exit::Failure);
    };
    finish(&execution?, format, output)
}

async fn count(
    client: &Client,
    filter: String,
    by: Option<GroupArg>,
    output: &Output,
) -> Result<(), Error> {
    let group = match by {
        None => {
            let total = client.executions().count(filter).await?;
            return output.one(&json!({"total": total}), |_| total.to_string());
        }
        Some(GroupArg::State) => autan::CountGroup::State,
        Some(GroupArg::Workflow) => autan::CountGroup::WorkflowName,
    };
    let counts = client.executions().count_by(group, filter).await?;
    let value = json!({"total": counts.total, "groups": counts.groups});
    output.one(&value, |_| {
        let mut table = Table::new(["GROUP", "COUNT"]);
        for (name, count) in &counts.groups {
            table.row([Cell::state(name), Cell::number(count)]);
        }
        table.row(["all".into(), Cell::number(&counts.total)]);
        table.render(output.paint())
    })
}

fn with_payloads<T: Send + 'static>(list: Listing<T>, payloads: bool) -> Listing<T> {
    if payloads { list.full() } else { list }
}

/// The first rows of a list, or all.
async fn take<T: Send + 'static>(list: Listing<T>, limit: usize) -> Result<Vec<T>, ClientError> {
    match limit {
        0 => list.collect().await,
        limit => list.stream().take(limit).try_collect().await,
    }
}
