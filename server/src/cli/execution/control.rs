//! Commands that change executions.

use autan::{Client, ExecutionState};

use super::super::Exit;
use super::super::error::Error;
use super::super::input::{Pair, object, pair};
use super::super::output::Output;
use super::super::show;

/// Commands that change something.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Pause an execution: what runs goes on, nothing new starts
    Pause(Target),
    /// Resume a paused execution
    Resume {
        #[command(flatten)]
        target: Target,
        /// Change a variable of the environment; JSON if it parses, else text
        #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
        env: Vec<Pair>,
    },
    /// Cancel an execution with its actions and sub-workflows
    Cancel(Target),
    /// End an execution now in a state of your choice
    Stop {
        #[command(flatten)]
        target: Target,
        /// The final state
        #[arg(long, value_enum)]
        state: OutcomeArg,
    },
    /// Delete a finished execution with everything that belongs to it
    Delete {
        #[command(flatten)]
        target: Target,
        /// In any state
        #[arg(long)]
        force: bool,
        /// Be content if it does not exist
        #[arg(long)]
        allow_missing: bool,
    },
}

/// Which execution, and why.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Target {
    /// Id or uid of the execution
    id: String,
    /// Why, for the record
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

/// Final states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutcomeArg {
    /// As if it had succeeded; its output is evaluated
    Success,
    /// As if it had failed
    Error,
    /// Cancelled
    Cancelled,
}

pub(super) async fn run(client: &Client, command: Command, output: &Output) -> Result<Exit, Error> {
    let execution = match command {
        Command::Pause(target) => {
            client
                .execution(target.id)
                .pause()
                .reason(target.reason)
                .await?
        }
        Command::Resume { target, env } => {
            let mut call = client.execution(target.id).resume().reason(target.reason);
            if !env.is_empty() {
                call = call.env(&object(env))?;
            }
            call.await?
        }
        Command::Cancel(target) => {
            client
                .execution(target.id)
                .cancel()
                .reason(target.reason)
                .await?
        }
        Command::Stop { target, state } => {
            let outcome = match state {
                OutcomeArg::Success => ExecutionState::Success,
                OutcomeArg::Error => ExecutionState::Error,
                OutcomeArg::Cancelled => ExecutionState::Cancelled,
            };
            client
                .execution(target.id)
                .stop(outcome)
                .reason(target.reason)
                .await?
        }
        Command::Delete {
            target,
            force,
            allow_missing,
        } => {
            let mut call = client.execution(&target.id).delete().reason(target.reason);
            if force {
                call = call.force();
            }
            if allow_missing {
                call = call.allow_missing();
            }
            call.await?;
            output.note(format!("deleted {}", target.id));
            return Ok(Exit::Success);
        }
    };
    output.one(&execution, |e| {
        show::execution(e, output.now(), output.paint())
    })?;
    Ok(Exit::Success)
}
