//! `std.ssh` and `std.ssh_proxied`: a command on other machines.
//!
//! `order` reads the input, `session` is one connection, `error` says what went wrong. Hosts are
//! reached one after the other, directly or through a gateway, within the egress policy. Dropping
//! the action closes its connections.

mod error;
mod order;
mod session;

use std::sync::Arc;
use std::time::Duration;

use engine::{Data, Outcome};
use expr::{Dict, Value};
use russh::keys::PrivateKey;

use super::Error;
use super::address::Address;
use super::config::Ssh as Config;
use super::egress::Policy;
use super::error::read_file;
use error::{Failure, Problem};
use order::Order;
use session::{Done, End, Login, Session};

/// Runs commands on other machines.
pub(super) struct Ssh {
    config: Config,
    policy: Policy,
}

impl Ssh {
    /// Checks that what the configuration names is there.
    pub(super) fn new(config: &Config, policy: &Policy) -> Result<Self, Error> {
        if let Some(path) = &config.known_hosts {
            read_file("ssh.known_hosts", path)?;
        }
        if let Some(path) = &config.key_folder {
            std::fs::read_dir(path).map_err(|source| Error::Read {
                key: "ssh.key_folder",
                path: path.clone(),
                source,
            })?;
        }
        Ok(Self {
            config: config.clone(),
            policy: policy.clone(),
        })
    }

    /// Runs the action.
    pub(super) async fn run(&self, input: &Value, is_proxied: bool) -> Outcome {
        let done = self.run_all(input, is_proxied).await;
        match done.map(Data::from_value) {
            Ok(Ok(data)) => Outcome::Success(data),
            Ok(Err(error)) => Outcome::Error(Data::string(&error.to_string())),
            Err(failure) => Outcome::Error(Data::string(&failure.to_string())),
        }
    }

    /// One result, or a list if there are several hosts. The first failure ends it.
    async fn run_all(&self, input: &Value, is_proxied: bool) -> Result<Value, Failure> {
        let key_folder = self.config.key_folder.as_deref();
        let order = Order::from_input(input, is_proxied, key_folder).map_err(Failure::Input)?;
        let seconds = self.config.timeout_s;
        let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
        let order = Arc::new(order);
        let key = read_key(&order).await.map_err(Failure::Input)?;
        let mut results = Vec::new();
        for (name, host) in &order.hosts {
            let run = self.run_on(&order, host, key.clone());
            let result = tokio::time::timeout_at(end, run).await;
            let result = result.unwrap_or(Err(Problem::TimedOut { seconds }));
            results.push(result.map_err(|problem| Failure::On {
                cmd: order.cmd.clone(),
                host: name.clone(),
                problem,
            })?);
        }
        Ok(match <[Value; 1]>::try_from(results) {
            Ok([one]) => one,
            Err(several) => Value::from(several),
        })
    }

    async fn run_on(
        &self,
        order: &Order,
        host: &Address,
        key: Option<Arc<PrivateKey>>,
    ) -> Result<Value, Problem> {
        let max = self.config.output_bytes_max;
        let login = Login {
            user: &order.user,
            password: &order.password,
            key,
        };
        let (gateway, session) = self.connected(order, host, &login).await?;
        let done = session.execute(&order.cmd, max).await?;
        session.close().await;
        if let Some(gateway) = gateway {
            gateway.close().await;
        }
        result(done, order.return_result)
    }

    /// A session at the host, and the one at the gateway that it goes through.
    async fn connected(
        &self,
        order: &Order,
        host: &Address,
        login: &Login<'_>,
    ) -> Result<(Option<Session>, Session), Problem> {
        let seconds = self.config.connect_timeout_s;
        let connect = async {
            let known_hosts = || self.config.known_hosts.clone();
            let Some(gateway) = &order.gateway else {
                let stream = self.policy.connect(&host.host, host.port).await?;
                let session = Session::open(stream, host.clone(), known_hosts(), login).await?;
                return Ok((None, session));
            };
            // The gateway resolves the name, so what it stands for here is all that can be checked.
            self.policy.check_plain_host(&host.host)?;
            self.policy.check_remote_name(&host.host).await?;
            let Address { host: name, port } = &gateway.address;
            let stream = self.policy.connect(name, *port).await?;
            let at_gateway = Login {
                user: &gateway.user,
                password: login.password,
                key: login.key.clone(),
            };
            let place = gateway.address.clone();
            let first = Session::open(stream, place, known_hosts(), &at_gateway).await?;
            let stream = first.tunnel(host).await?;
            let second = Session::open(stream, host.clone(), known_hosts(), login).await?;
            Ok((Some(first), second))
        };
        // Boxed, since the handshakes together are a large future.
        let connected = tokio::time::timeout(Duration::from_secs(seconds), Box::pin(connect));
        connected
            .await
            .unwrap_or(Err(Problem::NotConnected { seconds }))
    }
}

/// Reads the key of the order on another thread.
async fn read_key(order: &Arc<Order>) -> Result<Option<Arc<PrivateKey>>, Problem> {
    if order.key.is_none() {
        return Ok(None);
    }
    let order = order.clone();
    let read = move || {
        order
            .key
            .as_ref()
            .map(|key| key.read(&order.password))
            .transpose()
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn result(done: Done, return_result: bool) -> Result<Value, Problem> {
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
    if return_result {
        let code = match done.end {
            End::Code(code) => i64::from(code),
            End::Signal(_) => -1,
        };
        let result: Dict = [
            ("stdout", text(&done.stdout)),
            ("stderr", text(&done.stderr)),
            ("exit_code", Value::from(code)),
        ]
        .into_iter()
        .collect();
        return Ok(Value::Dict(result));
    }
    match done.end {
        End::Code(0) => Ok(text(&done.stdout)),
        End::Code(code) => Err(Problem::ExitCode { code }),
        End::Signal(signal) => Err(Problem::Signal { signal }),
    }
}
