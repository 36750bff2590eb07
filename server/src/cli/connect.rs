//! Which server is meant, and as whom.

use std::path::PathBuf;

use autan::Client;

use super::error::Error;
use super::input::read_file;

/// Where a server listens if nobody says otherwise.
const DEFAULT_SERVER: &str = "http://127.0.0.1:7233";

/// Arguments of every command.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Globals {
    /// Address of the server; `http://127.0.0.1:7233` if none is given
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "AUTAN_SERVER",
        value_name = "URL"
    )]
    pub server: Option<String>,
    /// Project (tenant) to work in; "default" if none is given
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "AUTAN_PROJECT",
        value_name = "NAME"
    )]
    pub project: Option<String>,
    /// Token to show to the server
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "AUTAN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// How to name yourself in the history of what you change; user@host/pid if none is given
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "AUTAN_IDENTITY",
        value_name = "TEXT"
    )]
    pub identity: Option<String>,
    /// Certificates (PEM) to trust, for https
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "AUTAN_TLS_CA",
        value_name = "FILE"
    )]
    pub tls_ca: Option<PathBuf>,
    /// Print JSON for scripts
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
}

impl Globals {
    /// Connects to the named server, or to the usual one.
    pub(super) async fn connect(&self) -> Result<Client, Error> {
        let address = self.server.as_deref().unwrap_or(DEFAULT_SERVER);
        self.connect_to(address).await
    }

    /// Connects to a server at this address.
    pub(super) async fn connect_to(&self, address: &str) -> Result<Client, Error> {
        let mut builder = Client::builder(address);
        if let Some(project) = &self.project {
            builder = builder.project(project);
        }
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity);
        }
        if let Some(path) = &self.tls_ca {
            builder = builder.tls_ca(read_file(path)?);
        }
        builder
            .connect()
            .await
            .map_err(|source| match source.rpc() {
                Some(rpc) if rpc.disconnected => Error::Unreachable {
                    address: address.to_owned(),
                    message: rpc.message.clone(),
                },
                _ => Error::Client(source),
            })
    }
}
