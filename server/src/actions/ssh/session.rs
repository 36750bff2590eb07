//! One connection to one host: login, and a command with what it writes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Config, Handle, Handler};
use russh::keys::{
    PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, check_known_hosts_path,
};
use russh::{ChannelMsg, Disconnect};
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::Problem;
use crate::actions::address::Address;

/// How often a silent host is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A host that lets the user in. Dropping it closes the connection.
pub(super) struct Session(Handle<Host>);

/// As whom to log in.
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) key: Option<Arc<PrivateKey>>,
}

/// What a command has written, and how it ended.
pub(super) struct Done {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) end: End,
}

/// How a command ended.
pub(super) enum End {
    Code(u32),
    Signal(String),
}

/// The host as the protocol asks about it.
struct Host {
    address: Address,
    known_hosts: Option<PathBuf>,
}

impl Handler for Host {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        // As in Mistral hosts are believed, unless the server knows which to believe.
        let Some(path) = self.known_hosts.clone() else {
            return Ok(true);
        };
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        let Address { host, port } = &self.address;
        // A key that has changed is an error there, and as unknown here.
        Ok(check_known_hosts_path(host, *port, key, path).unwrap_or(false))
    }
}

impl Session {
    /// Greets the host over a stream that leads to it, and logs in: with the key, if there is one,
    /// then with the password.
    pub(super) async fn open<S>(
        stream: S,
        address: Address,
        known_hosts: Option<PathBuf>,
        login: &Login<'_>,
    ) -> Result<Self, Problem>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let config = Config {
            keepalive_interval: Some(KEEPALIVE),
            ..Config::default()
        };
        let host = Host {
            address,
            known_hosts,
        };
        let mut handle = russh::client::connect_stream(Arc::new(config), stream, host).await?;
        let mut result = None;
        if let Some(key) = &login.key {
            let hash = handle.best_supported_rsa_hash().await?.flatten();
            let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
            result = Some(handle.authenticate_publickey(login.user, key).await?);
        }
        if !result.as_ref().is_some_and(AuthResult::success) && !login.password.is_empty() {
            let tried = handle.authenticate_password(login.user, login.password);
            result = Some(tried.await?);
        }
        let result = match result {
            Some(result) => result,
            None => handle.authenticate_none(login.user).await?,
        };
        if result.success() {
            Ok(Self(handle))
        } else {
            Err(Problem::Login {
                user: login.user.into(),
            })
        }
    }

    /// A way from this host to another one.
    pub(super) async fn tunnel(
        &self,
        to: &Address,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, Problem> {
        let port = u32::from(to.port);
        let channel = self
            .0
            .channel_open_direct_tcpip(to.host.as_str(), port, "127.0.0.1", 0)
            .await?;
        Ok(channel.into_stream())
    }

    /// Runs a command to its end. It gets no input.
    pub(super) async fn execute(&self, cmd: &str, max: usize) -> Result<Done, Problem> {
        let mut channel = self.0.channel_open_session().await?;
        channel.exec(true, cmd).await?;
        channel.eof().await?;
        let (mut stdout, mut stderr, mut end) = (Vec::new(), Vec::new(), None);
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => stdout.extend_from_slice(&data),
                ChannelMsg::ExtendedData { data, .. } => stderr.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => end = Some(End::Code(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    end = Some(End::Signal(format!("{signal_name:?}")));
                }
                ChannelMsg::Failure => return Err(Problem::NoCommand),
                _ => {}
            }
            if stdout.len() + stderr.len() > max {
                return Err(Problem::TooLarge { max });
            }
        }
        let end = end.ok_or(Problem::Lost)?;
        Ok(Done {
            stdout,
            stderr,
            end,
        })
    }

    /// Says farewell.
    pub(super) async fn close(self) {
        // The command has ended; how the host takes it changes nothing.
        let _ = self.0.disconnect(Disconnect::ByApplication, "", "").await;
    }
}
