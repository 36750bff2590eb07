//! A server process of one's own: started, ended and crashed as a test likes.
//!
//! Owns the process, its data folder and its log, which is printed when a test fails. Left to
//! others: talking to it (`api`).

use std::collections::VecDeque;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::api::Api;

/// Names the binary to start.
pub const BINARY_VARIABLE: &str = "AUTAN_BINARY";
/// How long a server may take to serve, or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Lines of the log that are kept.
const LOG_LINES_MAX: usize = 2000;
/// What the server says once it listens; the port file is written by then.
const READY: &str = "autan serves on ";

/// Which database servers use whose test does not say: `postgres`, or else the embedded one.
pub const DATABASE_VARIABLE: &str = "AUTAN_TEST_DATABASE";

/// A server process, killed when this value is dropped.
#[derive(Debug)]
pub struct TestServer {
    options: Options,
    scratch: TempDir,
    /// URL of the database, if it is not the embedded one.
    database: Option<String>,
    log: Log,
    child: Child,
    address: String,
}

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Uses the embedded database whatever the variable says: the test is about its files.
    pub embedded: bool,
    /// URL of the database that it uses, if the test has one of its own.
    pub database: Option<String>,
    /// Keeps everything in memory; otherwise in a folder that lives as long as the value.
    pub in_memory: bool,
    /// More arguments of `autan serve`.
    pub args: Vec<String>,
    /// Text of a configuration file, if one is to be used.
    pub config: Option<String>,
}

impl TestServer {
    /// Starts a server with a data folder of its own.
    pub async fn start() -> Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts a server that keeps everything in memory.
    pub async fn start_in_memory() -> Result<Self> {
        let options = Options {
            in_memory: true,
            ..Options::default()
        };
        Self::start_with(options).await
    }

    /// Starts a server on a free port.
    pub async fn start_with(options: Options) -> Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix("autan-e2e-")
            .tempdir()
            .context("making a scratch folder")?;
        let log = Log::default();
        let database = match env::var(DATABASE_VARIABLE).as_deref() {
            _ if options.database.is_some() => options.database.clone(),
            Ok("postgres") if !options.embedded => Some(new_schema().await?),
            _ => None,
        };
        let place = Place {
            scratch: scratch.path(),
            database: database.as_deref(),
            listen: "127.0.0.1:0",
        };
        let (child, address) = spawn(&options, place, &log).await?;
        Ok(Self {
            options,
            scratch,
            database,
            log,
            child,
            address,
        })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Folder of the database.
    pub fn data_dir(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// Clients of this server for one project, on a connection of their own. They survive a
    /// restart of the server, since it gets the same port again.
    pub fn api(&self, project: &str) -> Api {
        Api::connect_lazy(&self.address, project)
    }

    /// Waits until the health service says that the server is ready, or that it is not, and sees
    /// that the process counts as alive all the while.
    pub async fn is_ready(&self, wanted: bool) -> Result<()> {
        let mut health = HealthClient::new(lazy_channel(&self.address));
        let of = |service: &str| HealthCheckRequest {
            service: service.to_owned(),
        };
        let mut said = health.watch(of("")).await?.into_inner();
        let come = async {
            while let Some(answer) = said.message().await? {
                if (answer.status() == ServingStatus::Serving) == wanted {
                    return Ok(());
                }
            }
            bail!("the health service has nothing more to say")
        };
        timeout(PATIENCE, come)
            .await
            .with_context(|| format!("the server does not become ready: {wanted}"))??;
        let alive = health.check(of("liveness")).await?.into_inner();
        if alive.status() != ServingStatus::Serving {
            bail!("the server does not count as alive");
        }
        Ok(())
    }

    /// What the server logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Memory that the process takes up, in bytes; `None` where the system does not say.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?));
        let status = status.ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Ends the process at once, as a crash would, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("killing the server")
    }

    /// Starts it again on the same data and the same port; it must have ended.
    pub async fn restart(&mut self) -> Result<()> {
        self.log.push("--- started again ---".to_owned());
        let listen = self.address.clone();
        let place = Place {
            scratch: self.scratch.path(),
            database: self.database.as_deref(),
            listen: &listen,
        };
        (self.child, self.address) = spawn(&self.options, place, &self.log).await?;
        Ok(())
    }

    /// Gives it another configuration, from the next restart on.
    pub fn configure(&mut self, text: &str) {
        self.options.config = Some(text.to_owned());
    }

    /// Asks the process to end.
    pub async fn terminate(&self) -> Result<()> {
        let pid = self.child.id().context("the server has ended already")?;
        // The standard library cannot send signals; the tool can.
        let status = Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .await
            .context("sending SIGTERM")?;
        if !status.success() {
            bail!("kill -TERM {pid} failed");
        }
        Ok(())
    }

    /// Number of the process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        timeout(PATIENCE, self.child.wait())
            .await
            .context("the server does not end")?
            .context("waiting for the server")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log.text());
        }
    }
}

/// Where a server keeps things, and where it listens.
#[derive(Clone, Copy)]
struct Place<'a> {
    scratch: &'a Path,
    database: Option<&'a str>,
    listen: &'a str,
}

/// An empty place on the server that all tests of this process share.
async fn new_schema() -> Result<String> {
    let made = tokio::task::spawn_blocking(|| {
        let server = postgres_fixture::shared().context("PostgreSQL is missing")?;
        server.new_schema()
    });
    made.await.context("making a schema")?
}

/// Starts the process and returns once it serves.
async fn spawn(options: &Options, place: Place<'_>, log: &Log) -> Result<(Child, String)> {
    let Place {
        scratch,
        database,
        listen,
    } = place;
    let port_file = scratch.join("address");
    // That of an earlier start would be taken for this one's.
    if port_file.exists() {
        std::fs::remove_file(&port_file).context("removing the old port file")?;
    }
    let binary = binary()?;
    let mut command = Command::new(&binary);
    command.args(["serve", "--listen", listen, "--port-file"]);
    command.arg(&port_file);
    if let Some(url) = database {
        command.args(["--database", url]);
    } else if options.in_memory {
        command.arg("--dev");
    } else {
        command.arg("--data-dir").arg(scratch.join("data"));
    }
    if let Some(text) = &options.config {
        let path = scratch.join("autan.toml");
        std::fs::write(&path, text).context("writing the configuration")?;
        command.arg("--config").arg(path);
    }
    let mut child = command
        .args(&options.args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", binary.display()))?;
    let stderr = child.stderr.take().context("no pipe to the server")?;
    let ready = log.follow(stderr);
    let listens = timeout(PATIENCE, ready).await;
    if !matches!(listens, Ok(Ok(()))) {
        bail!("the server did not start; it said:\n{}", log.text());
    }
    let address = std::fs::read_to_string(&port_file).context("reading the port file")?;
    let address = address.trim().to_owned();
    healthy(&address).await?;
    Ok((child, address))
}

/// Asks the health service once: who listens, serves.
async fn healthy(address: &str) -> Result<()> {
    let channel = endpoint(address).connect().await.context("connecting")?;
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let answer = timeout(PATIENCE, HealthClient::new(channel).check(request))
        .await
        .context("no answer about the health")?
        .context("asking for the health")?;
    if answer.into_inner().status() != ServingStatus::Serving {
        bail!("the server listens, but does not serve");
    }
    Ok(())
}

fn endpoint(address: &str) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).expect("an address makes a URL")
}

/// A connection that is made when it is first used, and again after it broke.
pub(crate) fn lazy_channel(address: &str) -> Channel {
    endpoint(address)
        .connect_timeout(Duration::from_secs(5))
        .connect_lazy()
}

/// Path of the binary: the one that is named, or else the one that Cargo built beside this program.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = env::var_os(BINARY_VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let program = env::current_exe().context("finding this program")?;
    // Tests run in `target/<profile>/deps`, binaries in `target/<profile>`.
    program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("autan"))
        .find(|path| path.is_file())
        .with_context(|| {
            format!(
                "no binary `autan` beside {}: build it with `cargo build -p server`, or name it \
                 in {BINARY_VARIABLE}",
                program.display()
            )
        })
}

/// The last lines that a server said.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect()
    }

    /// Collects what the process says until it ends. The receiver hears when it is ready, and an
    /// error when it ended before.
    fn follow(&self, stderr: ChildStderr) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let log = self.clone();
        tokio::spawn(async move {
            let mut sender = Some(sender);
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains(READY)
                    && let Some(sender) = sender.take()
                {
                    // Nobody waits any more when the start timed out.
                    let _ = sender.send(());
                }
                log.push(line);
            }
        });
        receiver
    }
}
