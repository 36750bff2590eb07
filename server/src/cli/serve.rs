//! `autan serve`: the server itself.
//!
//! Owns the flags of a server and its end by a signal. Left to others: what can be configured
//! (`crate::config`) and serving (`crate::Server`).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Exit;
use super::error::Error;
use super::output::Output;
use crate::config::LogFormat;
use crate::{Config, Server, telemetry};

/// Arguments of `autan serve`. Flags win over variables, these over the file.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file (TOML)
    #[arg(long, env = "AUTAN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "AUTAN_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Folder of the embedded database
    #[arg(long, env = "AUTAN_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Database, such as `postgres://user:password@host/autan`; else a file in the data folder
    #[arg(
        long,
        env = "AUTAN_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<String>,
    /// For development: keep everything in memory, unless --data-dir or --database is given
    #[arg(long)]
    dev: bool,
    /// Write the address to this file once the server listens
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// Levels of the log by module, such as info,server=debug
    #[arg(long, env = "AUTAN_LOG", value_name = "LEVELS")]
    log: Option<String>,
    /// Form of the log
    #[arg(long, env = "AUTAN_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

pub(super) async fn serve(args: Args, output: &Output) -> Result<Exit, Error> {
    let config = args
        .configure()
        .map_err(|error| Error::Server(error.into()))?;
    telemetry::init(&config.log);
    survive_full_files();
    let server = Server::start(&config).await.map_err(Error::Server)?;
    if let Some(path) = &args.port_file {
        write_address(path, server.address()).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
    }
    output.note(format!("autan serves on {}", server.address()));
    let stop = server.stop_token();
    tokio::spawn(async move {
        stop_signal().await;
        stop.cancel();
    });
    server.stopped().await.map_err(Error::Server)?;
    Ok(Exit::Success)
}

impl Args {
    fn configure(&self) -> Result<Config, crate::config::Error> {
        let mut config = match &self.config {
            Some(path) => Config::from_file(path)?,
            None => Config::default(),
        };
        if self.dev && self.data_dir.is_none() {
            config.store.url = Config::in_memory().store.url;
        }
        if let Some(database) = &self.database {
            config.store.url = Some(database.clone());
        }
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        if let Some(data_dir) = &self.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        if let Some(log) = &self.log {
            config.log.filter.clone_from(log);
        }
        if let Some(format) = self.log_format {
            config.log.format = format;
        }
        Ok(config)
    }
}

/// Who waits for the file must not find half an address in it.
fn write_address(path: &Path, address: SocketAddr) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".tmp");
    let draft = PathBuf::from(draft);
    fs::write(&draft, format!("{address}\n"))?;
    fs::rename(&draft, path)
}

/// A file that may not grow any more is to the database what a full disk is, instead of the end of
/// the process.
fn survive_full_files() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        // The handler stays although nobody listens.
        if let Err(error) = signal(kind) {
            tracing::warn!("a file that is too large will end the server: {error}");
        }
    }
}

/// The system, or whoever sits at the terminal, wants the server to end.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // A server without signals can only be killed, which it survives as well.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
