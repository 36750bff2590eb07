//! `autan execution`: start, watch and control executions.
//!
//! | file      | owns                                  |
//! |-----------|---------------------------------------|
//! | `start`   | `start`                               |
//! | `look`    | `list`, `get`, `tasks`, `history`, …  |
//! | `inside`  | `explain`, `graph`, `watch-all`       |
//! | `control` | `pause`, `resume`, `cancel`, …        |
//! | `change`  | `restart`, `update`                   |

mod change;
mod control;
mod inside;
mod look;
mod start;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::output::Output;

/// Commands about executions.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Start a workflow
    Start(Box<start::Args>),
    #[command(flatten)]
    Look(look::Command),
    #[command(flatten)]
    Inside(inside::Command),
    #[command(flatten)]
    Control(control::Command),
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    match command {
        Command::Start(args) => start::run(&client, *args, output).await,
        Command::Look(command) => look::run(&client, command, output).await,
        Command::Inside(command) => inside::run(&client, command, output).await,
        Command::Control(command) => control::run(&client, command, output).await,
    }
}
