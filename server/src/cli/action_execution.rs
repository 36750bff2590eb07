//! `autan action-execution`: completing what runs outside.

use std::path::PathBuf;

use autan::ActionState;
use serde_json::Value;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::input::{read_text, value};
use super::output::Output;
use super::show;

/// Commands about action executions.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show an action execution
    Get {
        /// Id of the action execution
        id: String,
    },
    /// Complete an action with its result
    Complete {
        /// Id of the action execution
        id: String,
        #[command(flatten)]
        value: ValueArgs,
    },
    /// Complete an action with an error
    Fail {
        /// Id of the action execution
        id: String,
        #[command(flatten)]
        value: ValueArgs,
    },
    /// Pause, resume or cancel an action
    Update {
        /// Id of the action execution
        id: String,
        /// The new state
        #[arg(long, value_enum)]
        state: StateArg,
        /// Why, for the record
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
}

/// A result or an error.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ValueArgs {
    /// The value: JSON if it parses, else text; null if none is given
    #[arg(value_name = "VALUE", conflicts_with = "file")]
    value: Option<String>,
    /// A file with the value (`-` is standard input)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl ValueArgs {
    fn read(&self) -> Result<Value, Error> {
        match (&self.value, &self.file) {
            (Some(text), _) => Ok(value(text)),
            (None, Some(path)) => Ok(value(&read_text(path)?)),
            (None, None) => Ok(Value::Null),
        }
    }
}

/// States that can be set from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum StateArg {
    /// It goes on
    Running,
    /// It pauses
    Paused,
    /// It is cancelled
    Cancelled,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let actions = globals.connect().await?.action_executions();
    let action = match command {
        Command::Get { id } => actions.get(id).await?,
        Command::Complete { id, value } => actions.complete(id, &value.read()?).await?,
        Command::Fail { id, value } => actions.fail(id, &value.read()?).await?,
        Command::Update { id, state, reason } => {
            let state = match state {
                StateArg::Running => ActionState::Running,
                StateArg::Paused => ActionState::Paused,
                StateArg::Cancelled => ActionState::Cancelled,
            };
            actions.update(id, state).reason(reason).await?
        }
    };
    output.one(&action, |action| show::action(action, output.paint()))?;
    Ok(Exit::Success)
}
