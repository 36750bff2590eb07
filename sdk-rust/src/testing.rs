//! A server of one's own for tests.
//!
//! Owns starting and ending the `autan` binary. Left to others: building it; the binary is found
//! by the variable `AUTAN_BINARY`, then in `PATH`, then beside or above the running program, where
//! Cargo puts it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = autan::testing::LocalServer::start().await?;
//! let client = server.client().await?;
//! assert_eq!(client.server_info().await?.storage, "memory");
//! # Ok(())
//! # }
//! ```

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use uuid::Uuid;

use crate::client::Client;

/// Names the binary to start.
const BINARY_VARIABLE: &str = "AUTAN_BINARY";
/// File name of the binary.
const BINARY_NAME: &str = if cfg!(windows) { "autan.exe" } else { "autan" };
/// How long a server may take to serve, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Pauses between looks at a starting server: from this, doubling,
const POLL_FIRST: Duration = Duration::from_millis(2);
/// up to this.
const POLL_MAX: Duration = Duration::from_millis(100);
/// How much of the server's log an error quotes.
const LOG_TAIL_BYTES: usize = 4096;

/// Why no server could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no binary.
    #[error("no `{BINARY_NAME}` found; build it, or name it in {BINARY_VARIABLE}")]
    NoBinary,
    /// The system refused something.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The server ended at once.
    #[error("the server ended with {status}; it said:\n{log}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// End of its log.
        log: String,
    },
    /// The server does not serve.
    #[error("the server did not serve within {START_TIMEOUT:?}; it said:\n{log}")]
    Timeout {
        /// End of its log.
        log: String,
    },
}

/// A server that belongs to this value: it is killed when the value is dropped.
#[derive(Debug)]
pub struct LocalServer {
    options: LocalServerBuilder,
    binary: PathBuf,
    scratch: Scratch,
    child: Child,
    address: String,
}

impl LocalServer {
    /// Starts a server that forgets everything, on a free port.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Prepares a server.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder {
            binary: None,
            data_dir: None,
            args: Vec::new(),
            envs: Vec::new(),
        }
    }

    /// Its address, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A client of it.
    pub async fn client(&self) -> Result<Client, crate::Error> {
        Client::connect(self.url()).await
    }

    /// Id of its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.scratch.log_tail(usize::MAX)
    }

    /// Kills it without a warning, as a crash would, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<(), Error> {
        self.child
            .kill()
            .await
            .map_err(|source| failed("killing the server", source))
    }

    /// Starts it again on the same port, after killing it if it runs. Only a server with a data
    /// folder remembers anything.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.kill().await?;
        let listen = self.address.clone();
        self.child = self.options.spawn(&self.binary, &self.scratch, &listen)?;
        self.address = wait_until_serving(&mut self.child, &self.scratch).await?;
        Ok(())
    }
}

/// A server in preparation.
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `start`"]
pub struct LocalServerBuilder {
    binary: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
}

impl LocalServerBuilder {
    /// Starts this binary instead of searching for one.
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    /// Keeps its data in this folder, which outlives it.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Adds an argument after `autan serve`.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts it and waits until it serves.
    pub async fn start(self) -> Result<LocalServer, Error> {
        let binary = match &self.binary {
            Some(path) => path.clone(),
            None => find_binary().ok_or(Error::NoBinary)?,
        };
        let scratch = Scratch::create()?;
        let mut child = self.spawn(&binary, &scratch, "127.0.0.1:0")?;
        let address = wait_until_serving(&mut child, &scratch).await?;
        Ok(LocalServer {
            options: self,
            binary,
            scratch,
            child,
            address,
        })
    }

    fn spawn(&self, binary: &Path, scratch: &Scratch, listen: &str) -> Result<Child, Error> {
        // A file of an earlier start would be taken for that of this one.
        match fs::remove_file(scratch.port_file()) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(failed("removing the old port file", source));
            }
            _ => {}
        }
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(scratch.log_file())
            .map_err(|source| failed("opening the log of the server", source))?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--dev").args(["--listen", listen]);
        command.arg("--port-file").arg(scratch.port_file());
        if let Some(data_dir) = &self.data_dir {
            command.arg("--data-dir").arg(data_dir);
        }
        command
            .args(&self.args)
            .envs(self.envs.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command
            .spawn()
            .map_err(|source| failed(&format!("starting {}", binary.display()), source))
    }
}

/// Waits for the port file, then for the health service, and returns the address.
async fn wait_until_serving(child: &mut Child, scratch: &Scratch) -> Result<String, Error> {
    let begin = Instant::now();
    let mut pause = POLL_FIRST;
    loop {
        // Read anew each time: the file may have been seen half written.
        if let Some(address) = scratch.read_address()
            && is_serving(&address).await
        {
            return Ok(address);
        }
        let ended = child
            .try_wait()
            .map_err(|source| failed("looking at the server", source))?;
        if let Some(status) = ended {
            return Err(Error::Ended {
                status,
                log: scratch.log_tail(LOG_TAIL_BYTES),
            });
        }
        if begin.elapsed() > START_TIMEOUT {
            return Err(Error::Timeout {
                log: scratch.log_tail(LOG_TAIL_BYTES),
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(POLL_MAX);
    }
}

async fn is_serving(address: &str) -> bool {
    let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) else {
        return false;
    };
    let Ok(channel) = endpoint.connect().await else {
        return false;
    };
    let request = HealthCheckRequest {
        service: String::new(),
    };
    match HealthClient::new(channel).check(request).await {
        Ok(response) => response.into_inner().status() == ServingStatus::Serving,
        Err(_) => false,
    }
}

/// A folder for the port file and the log, removed in the end.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Self, Error> {
        let path = env::temp_dir().join(format!("autan-test-{}", Uuid::new_v4()));
        fs::create_dir_all(&path).map_err(|source| failed("creating a scratch folder", source))?;
        Ok(Self(path))
    }

    fn port_file(&self) -> PathBuf {
        self.0.join("address")
    }

    fn log_file(&self) -> PathBuf {
        self.0.join("log")
    }

    /// What the server has written as its address so far.
    fn read_address(&self) -> Option<String> {
        let text = fs::read_to_string(self.port_file()).ok()?;
        let address = text.trim();
        address
            .parse::<SocketAddr>()
            .is_ok()
            .then(|| address.to_owned())
    }

    fn log_tail(&self, bytes: usize) -> String {
        let log = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(bytes)..]).into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs in a temporary folder are no reason to fail a test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn find_binary() -> Option<PathBuf> {
    if let Some(named) = env::var_os(BINARY_VARIABLE).filter(|value| !value.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let in_path = env::var_os("PATH")
        .into_iter()
        .flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    // A test runs in `target/<profile>/deps`, an example in `target/<profile>/examples`.
    let program = env::current_exe().ok();
    let near = program
        .iter()
        .flat_map(|path| path.ancestors().skip(1).take(2));
    in_path
        .chain(near.map(Path::to_path_buf))
        .map(|dir| dir.join(BINARY_NAME))
        .find(|p| p.is_file())
}

fn failed(what: &str, source: io::Error) -> Error {
    Error::Io {
        what: what.to_owned(),
        source,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A binary that is a script, so that no server has to be built for these tests.
    async fn check(script: &str, expected: &str) {
        let dir = Scratch::create().unwrap();
        let binary = dir.0.join("fake");
        fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let error = LocalServer::builder()
            .binary(binary)
            .arg("--extra")
            .start()
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_does_not_start_says_why() {
        check(
            "echo \"bad config: $*\" >&2; exit 3",
            "bad config: serve --dev --listen",
        )
        .await;
        check("echo \"bad config: $*\" >&2; exit 3", "exit status: 3").await;
        let missing = LocalServer::builder()
            .binary("/nonexistent/autan")
            .start()
            .await;
        assert!(
            missing
                .unwrap_err()
                .to_string()
                .starts_with("starting /nonexistent/autan")
        );
    }

    #[test]
    fn the_port_file_may_not_be_written_yet() {
        let scratch = Scratch::create().unwrap();
        assert_eq!(scratch.read_address(), None);
        for (text, expected) in [
            ("", None),
            ("127.0", None),
            ("[::1]:42\n", Some("[::1]:42")),
        ] {
            fs::write(scratch.port_file(), text).unwrap();
            assert_eq!(scratch.read_address().as_deref(), expected);
        }
    }
}
