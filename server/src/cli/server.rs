//! `autan server`: what the server says about itself.

use autan::ServerInfo;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, between, duration, moment};
use super::output::Output;
use super::table::fields;

/// Commands about the server.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show version, storage and limits
    Info,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    match command {
        Command::Info => {
            let info = globals.connect().await?.server_info().await?;
            output.one(&info, |info| describe(info, output.paint()))?;
            Ok(Exit::Success)
        }
    }
}

fn describe(info: &ServerInfo, paint: Paint) -> String {
    let up = between(info.start_time, info.current_time)
        .map(duration)
        .unwrap_or_default();
    let limits: Vec<_> = info
        .limits
        .iter()
        .map(|(name, limit)| format!("{name} = {limit}"))
        .collect();
    fields(
        paint,
        [
            ("Version", info.version.clone()),
            ("Storage", info.storage.clone()),
            ("Started", info.start_time.map(moment).unwrap_or_default()),
            ("Up", up),
            ("Capabilities", info.capabilities.join(", ")),
            ("Limits", limits.join("\n")),
        ],
    )
}
