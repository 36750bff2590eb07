//! The client and how it is made.
//!
//! Owns addresses, security and defaults. Left to others: the calls (`workflows`, `executions`,
//! `handle` …) and how each is made (`transport`).

use std::sync::Arc;
use std::time::Duration;

use proto::v1::system_service_client::SystemServiceClient;
use proto::v1::{GetClusterRequest, GetServerInfoRequest};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::actions::Actions;
use crate::batches::Batches;
use crate::environments::Environments;
use crate::error::Error;
use crate::evaluate::EvaluateExpression;
use crate::executions::Executions;
use crate::handle::ExecutionHandle;
use crate::process;
use crate::resources::{Cluster, ServerInfo};
use crate::retry::RetryPolicy;
use crate::run_action::RunAction;
use crate::start::StartExecution;
use crate::tasks::{ActionExecutions, Tasks};
use crate::transport::{Settings, Transport, WatchSettings};
use crate::workbooks::Workbooks;
use crate::worker::{Queues, Workers};
use crate::workflows::Workflows;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A call without an answer for so long has failed, unless it is a wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Finds peers that are gone; only while calls are open, since servers may mind pings otherwise.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_mins(1);
/// How long the answer to such a ping may take.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to a server. Clones are cheap and share it.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
}

impl Client {
    /// Connects with defaults to `http://host:port` or `https://host:port`.
    pub async fn connect(address: impl Into<String>) -> Result<Self, Error> {
        Self::builder(address).connect().await
    }

    /// Prepares a connection.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            address: address.into(),
            project: String::new(),
            token: None,
            certificates: Vec::new(),
            identity: None,
            tls_identity: None,
            server_name: None,
            timeout: CALL_TIMEOUT,
            retry: RetryPolicy::default(),
            watch: WatchSettings::default(),
        }
    }

    /// Version, capabilities and limits of the server.
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        let request = GetServerInfoRequest {
            project: self.transport.project(),
        };
        self.transport
            .unary(request, |channel, request| async move {
                SystemServiceClient::new(channel)
                    .get_server_info(request)
                    .await
            })
            .await
            .map(ServerInfo::from)
    }

    /// The servers that share the database, and what each of them has.
    pub async fn cluster(&self) -> Result<Cluster, Error> {
        self.transport
            .unary(GetClusterRequest {}, |channel, request| async move {
                SystemServiceClient::new(channel).get_cluster(request).await
            })
            .await
            .map(Cluster::from)
    }

    /// Where the server is, as a URL.
    pub fn address(&self) -> String {
        self.transport.address()
    }

    /// Workflow definitions.
    pub fn workflows(&self) -> Workflows {
        Workflows::new(self.transport.clone())
    }

    /// Workbooks.
    pub fn workbooks(&self) -> Workbooks {
        Workbooks::new(self.transport.clone())
    }

    /// Actions: what there is, and ad-hoc ones.
    pub fn actions(&self) -> Actions {
        Actions::new(self.transport.clone())
    }

    /// One verb for many executions.
    pub fn batches(&self) -> Batches {
        Batches::new(self.transport.clone())
    }

    /// Environments: named sets of variables.
    pub fn environments(&self) -> Environments {
        Environments::new(self.transport.clone())
    }

    /// Prepares the start of a workflow.
    pub fn start(&self, workflow_name: impl Into<String>) -> StartExecution {
        StartExecution::new(self.transport.clone(), workflow_name.into())
    }

    /// Prepares one run of an action without a workflow, as durable as an execution: in one line,
    /// `client.run_action("std.echo").input(&json!({"output": 1}))?.result().await?`.
    pub fn run_action(&self, action_name: impl Into<String>) -> RunAction {
        self.actions().run(action_name)
    }

    /// Prepares the evaluation of an expression over given data, as a document would have it. What
    /// looks at a running workflow, such as `task()`, is not known there; `env()` is.
    pub fn evaluate(&self, expression: impl Into<String>) -> EvaluateExpression {
        EvaluateExpression::new(self.transport.clone(), expression.into())
    }

    /// The execution of this id or uid. Nothing is asked yet, so it need not exist.
    pub fn execution(&self, execution_id: impl Into<String>) -> ExecutionHandle {
        ExecutionHandle::new(self.transport.clone(), execution_id.into())
    }

    /// All executions: list and count.
    pub fn executions(&self) -> Executions {
        Executions::new(self.transport.clone())
    }

    /// Task executions by their own id.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.transport.clone())
    }

    /// Action executions by their own id: for what completes asynchronous actions.
    pub fn action_executions(&self) -> ActionExecutions {
        ActionExecutions::new(self.transport.clone())
    }

    /// Workers: who there is.
    pub fn workers(&self) -> Workers {
        Workers::new(self.transport.clone())
    }

    /// Queues, in which calls wait for workers.
    pub fn queues(&self) -> Queues {
        Queues::new(self.transport.clone())
    }

    pub(crate) fn transport(&self) -> &Arc<Transport> {
        &self.transport
    }
}

/// A connection in preparation.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    address: String,
    project: String,
    token: Option<String>,
    certificates: Vec<Vec<u8>>,
    identity: Option<String>,
    tls_identity: Option<(Vec<u8>, Vec<u8>)>,
    server_name: Option<String>,
    timeout: Duration,
    retry: RetryPolicy,
    watch: WatchSettings,
}

impl ClientBuilder {
    /// The tenant of all calls; "default" if none is given.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = project.into();
        self
    }

    /// Sends `authorization: Bearer <token>` with every call.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How this program names itself to people: what it starts and steers has that in its history,
    /// for example in "paused by …". Printable ASCII, at most 200 bytes; `user@host/pid` if none is
    /// given.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Trusts these certificates (PEM) of an `https` server. Without any, those of the system or of
    /// the `webpki-roots` crate are trusted, if that feature of this crate is on.
    pub fn tls_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// Proves who the client is by a certificate and its key (PEM).
    pub fn tls_identity(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.tls_identity = Some((certificate.into(), key.into()));
        self
    }

    /// Expects this name in the server's certificate instead of that of the address.
    pub fn tls_server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Deadline of each attempt of a call; 10 seconds if none is given.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How failed calls are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long an event stream keeps trying to reach the server; 5 minutes if none is given.
    pub fn stream_patience(mut self, patience: Duration) -> Self {
        self.watch.patience = patience;
        self
    }

    /// Heartbeats faster than the contract allows, for tests against a fake server.
    #[cfg(test)]
    pub(crate) fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.watch.heartbeat = heartbeat;
        self
    }

    /// Connects and asks the server for its version, so that a wrong address or a refused token
    /// shows here.
    pub async fn connect(self) -> Result<Client, Error> {
        let client = self.connect_lazy()?;
        client.server_info().await?;
        Ok(client)
    }

    /// Connects with the first call. Needs a Tokio runtime.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let endpoint = self.endpoint()?;
        let authorization = self.token.as_deref().map(bearer).transpose()?;
        let settings = Settings {
            project: self.project,
            authorization,
            identity: caller(self.identity)?,
            timeout: self.timeout,
            retry: self.retry,
            watch: self.watch,
        };
        let channel = endpoint.connect_lazy();
        Ok(Client {
            transport: Transport::new(endpoint, channel, settings),
        })
    }

    fn endpoint(&self) -> Result<Endpoint, Error> {
        // "localhost:7233" would parse as a scheme.
        let uri = if self.address.contains("://") {
            self.address.clone()
        } else {
            format!("http://{}", self.address)
        };
        let wrong = |source: tonic::transport::Error| Error::Address {
            address: self.address.clone(),
            source: source.into(),
        };
        let endpoint = Endpoint::from_shared(uri.clone())
            .map_err(wrong)?
            .user_agent(concat!("autan-rust/", env!("CARGO_PKG_VERSION")))
            .map_err(wrong)?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
        if uri.starts_with("https://") {
            return endpoint.tls_config(self.tls()).map_err(wrong);
        }
        Ok(endpoint)
    }

    fn tls(&self) -> ClientTlsConfig {
        let mut tls = ClientTlsConfig::new();
        if self.certificates.is_empty() {
            tls = tls.with_enabled_roots();
        }
        for pem in &self.certificates {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        if let Some((certificate, key)) = &self.tls_identity {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        if let Some(name) = &self.server_name {
            tls = tls.domain_name(name);
        }
        tls
    }
}

fn caller(identity: Option<String>) -> Result<AsciiMetadataValue, Error> {
    let identity = identity.unwrap_or_else(process::caller);
    let is_fit = identity.len() <= process::CALLER_BYTES_MAX
        && identity.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    match AsciiMetadataValue::try_from(&*identity) {
        Ok(value) if is_fit => Ok(value),
        Ok(_) | Err(_) => Err(Error::Identity { identity }),
    }
}

fn bearer(token: &str) -> Result<AsciiMetadataValue, Error> {
    let mut value =
        AsciiMetadataValue::try_from(format!("Bearer {token}")).map_err(|_| Error::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_name_themselves_in_printable_ascii() {
        let long = "x".repeat(201);
        for (identity, is_fit) in [
            ("the night shift", true),
            ("", true),
            (&long[1..], true),
            (&long, false),
            ("zo\u{eb}", false),
            ("a\tb", false),
        ] {
            let client = Client::builder("localhost:1").identity(identity);
            assert_eq!(client.connect_lazy().is_ok(), is_fit, "{identity:?}");
        }
        Client::builder("localhost:1")
            .connect_lazy()
            .expect("the default is fit");
    }

    #[tokio::test]
    async fn addresses_and_tokens_are_checked() {
        for (address, token, error) in [
            ("http://localhost:7233", "t", None),
            ("localhost:7233", "t", None),
            ("[::1]:7233", "t", None),
            ("https://autan.example", "t", None),
            ("", "t", Some("\"\" is not an address of a server")),
            (
                "http://a b",
                "t",
                Some("\"http://a b\" is not an address of a server"),
            ),
            ("localhost:1", "a\nb", Some("the token holds characters")),
        ] {
            let client = Client::builder(address).token(token).connect_lazy();
            match (client, error) {
                (Ok(_), None) => {}
                (Err(found), Some(expected)) => {
                    assert!(found.to_string().starts_with(expected), "{found}");
                }
                (found, expected) => panic!("{address}: {found:?} instead of {expected:?}"),
            }
        }
    }
}
