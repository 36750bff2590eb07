//! `autan batch`: one verb for many executions.

use std::fmt::Write as _;
use std::time::SystemTime;

use autan::{BatchOperation, BatchPreview, BatchState, BatchVerb, Client, Payload};
use futures_util::TryStreamExt as _;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, one_line, relative};
use super::input::{Pair, object, pair};
use super::output::Output;
use super::show;
use super::table::{Cell, Table, fields};

/// Longer filters are cut in tables.
const FILTER_CHARS_MAX: usize = 60;

/// Commands about batch operations.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Pause executions: what runs goes on, nothing new starts
    Pause {
        #[command(flatten)]
        target: Target,
        /// Let timeouts of tasks go on meanwhile
        #[arg(long)]
        timeouts_run: bool,
    },
    /// Resume paused executions
    Resume {
        #[command(flatten)]
        target: Target,
        /// Change a variable of the environment; JSON if it parses, else text
        #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
        env: Vec<Pair>,
    },
    /// Cancel executions with their actions and sub-workflows
    Cancel(Target),
    /// End executions and all below them at once
    Terminate(Target),
    /// Run again, in place, what has failed or was cancelled
    Rerun {
        #[command(flatten)]
        target: Target,
        /// Run all items of with-items tasks, not only those that failed or never began
        #[arg(long)]
        reset: bool,
        /// Change a variable of the environment; JSON if it parses, else text
        #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
        env: Vec<Pair>,
    },
    /// Undo what the tasks of executions have done, in reverse order
    Rollback(Target),
    /// Delete finished executions with everything that belongs to them
    Delete {
        #[command(flatten)]
        target: Target,
        /// In any state
        #[arg(long)]
        force: bool,
    },
    /// Show how far a batch operation is
    Get {
        /// Id of the operation
        id: String,
    },
    /// Wait until a batch operation is finished
    Wait {
        /// Id of the operation
        id: String,
    },
    /// List batch operations, newest first
    List,
    /// End a batch operation; what was done stays
    Abort {
        /// Id of the operation
        id: String,
    },
}

/// Which executions, how fast and why.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(super) struct Target {
    /// Ids or uids of executions, at most 1000
    #[arg(group = "which", value_name = "ID")]
    ids: Vec<String>,
    /// As of `execution list`, such as: `state = ERROR AND workflow_name = "order*"`
    #[arg(long, group = "which")]
    filter: Option<String>,
    /// Most executions a second, up to 1000
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// Only say how many executions it would come to, and some of them
    #[arg(long)]
    dry_run: bool,
    /// Return at once instead of when it is finished
    #[arg(long)]
    detach: bool,
    /// Why, for the record of each execution
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    let (target, verb) = match command {
        Command::Pause {
            target,
            timeouts_run,
        } => (target, BatchVerb::Pause { timeouts_run }),
        Command::Resume { target, env } => (target, BatchVerb::Resume { env: changed(env)? }),
        Command::Cancel(target) => (target, BatchVerb::Cancel),
        Command::Terminate(target) => (target, BatchVerb::Terminate),
        Command::Rerun { target, reset, env } => {
            let env = changed(env)?;
            (target, BatchVerb::Rerun { reset, env })
        }
        Command::Rollback(target) => (target, BatchVerb::Rollback),
        Command::Delete { target, force } => (target, BatchVerb::Delete { force }),
        Command::Get { id } => return report(&client.batches().get(id).await?, output),
        Command::Wait { id } => return report(&client.batches().wait(id).await?, output),
        Command::Abort { id } => return report(&client.batches().cancel(id).await?, output),
        Command::List => return list(&client, output).await,
    };
    start(&client, target, verb, output).await
}

fn changed(env: Vec<Pair>) -> Result<Option<Payload>, Error> {
    if env.is_empty() {
        return Ok(None);
    }
    Ok(Some(Payload::json(&object(env))?))
}

async fn start(
    client: &Client,
    target: Target,
    verb: BatchVerb,
    output: &Output,
) -> Result<Exit, Error> {
    let batches = client.batches();
    let call = match target.filter {
        Some(filter) => batches.filtered(verb, filter),
        None => batches.named(verb, target.ids),
    };
    let call = call.rate(target.rate).reason(target.reason);
    if target.dry_run {
        let preview = call.preview().await?;
        output.one(&preview, sample)?;
        return Ok(Exit::Success);
    }
    let begun = call.await?;
    if target.detach {
        return report(&begun, output);
    }
    output.note(format!("batch operation {} begins", begun.batch_id));
    report(&batches.wait(begun.batch_id).await?, output)
}

async fn list(client: &Client, output: &Output) -> Result<Exit, Error> {
    let found: Vec<BatchOperation> = client.batches().list().stream().try_collect().await?;
    output.many(&found, |found| table(found, output.now()))?;
    Ok(Exit::Success)
}

/// Shows an operation; some executions that it failed for are a failure.
fn report(batch: &BatchOperation, output: &Output) -> Result<Exit, Error> {
    output.one(batch, |batch| {
        description(batch, output.now(), output.paint())
    })?;
    Ok(match batch.state {
        BatchState::Cancelled => Exit::Cancelled,
        _ if batch.failed > 0 => Exit::Failure,
        _ => Exit::Success,
    })
}

fn sample(preview: &BatchPreview) -> String {
    let mut text = format!("{} executions", preview.matched);
    for id in &preview.sample {
        text.push_str("\n  ");
        text.push_str(id);
    }
    text.push('\n');
    text
}

fn description(batch: &BatchOperation, now: SystemTime, paint: Paint) -> String {
    let mut text = fields(
        paint,
        [
            ("Batch", batch.batch_id.clone()),
            ("Verb", batch.verb.clone()),
            ("State", batch.state.to_string()),
            ("Filter", batch.filter.clone()),
            ("Reason", batch.reason.clone()),
            ("By", batch.identity.clone()),
            ("Cancelled by", batch.cancelled_by.clone()),
            ("Matched", batch.matched.to_string()),
            ("Done", batch.done.to_string()),
            ("Skipped", batch.skipped.to_string()),
            ("Failed", batch.failed.to_string()),
            ("Created", show::at(batch.create_time, now)),
            ("Ended", show::at(batch.end_time, now)),
        ],
    );
    for error in &batch.errors {
        let (id, reason, message) = (&error.execution_id, &error.reason, &error.message);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {id}: {reason}: {message}");
    }
    text
}

fn table(batches: &[BatchOperation], now: SystemTime) -> Table {
    let mut table = Table::new([
        "BATCH", "VERB", "STATE", "MATCHED", "DONE", "SKIPPED", "FAILED", "CREATED", "FILTER",
    ]);
    for batch in batches {
        table.row([
            batch.batch_id.as_str().into(),
            batch.verb.as_str().into(),
            Cell::state(&batch.state),
            Cell::number(&batch.matched),
            Cell::number(&batch.done),
            Cell::number(&batch.skipped),
            Cell::number(&batch.failed),
            relative(batch.create_time, now).into(),
            one_line(&batch.filter, FILTER_CHARS_MAX).into(),
        ]);
    }
    table
}
