//! A real PostgreSQL for tests: a cluster in a temporary folder, on a port of its own.
//!
//! **Invariant:** it ends with the process that started it, however that ends: a shell watches over
//! it, and waits for its standard input to close.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

mod proxy;

pub use proxy::Proxy;

/// How long the server may take to start or stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is written is not flushed: tests kill processes, not machines.
const UNSAFE_AND_FAST: &[&str] = &["fsync=off", "full_page_writes=off"];

/// Runs the server, and ends it when nobody holds the other end of the line any more; then the
/// folder, which comes first, goes too.
const GUARD: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{
    read -r _ <&3
    touch "$folder/over"
    kill -QUIT $server
} &
reader=$!
wait $server
kill $reader 2>/dev/null
[ -e "$folder/over" ] && rm -rf "$folder"
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
    owner: Option<(u32, u32)>,
    port: u16,
    settings: Vec<String>,
    running: Option<Running>,
    schemas: AtomicU32,
}

#[derive(Debug)]
struct Running {
    guard: Child,
    /// Closed to stop the server.
    _line: ChildStdin,
}

/// A server for all tests of this process, or `None` if PostgreSQL is not installed. Then a run
/// that says `CI=true` fails, and another says loudly what it skips.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        if find_programs().is_none() {
            assert!(
                std::env::var_os("CI").is_none(),
                "PostgreSQL is missing: install the package postgresql"
            );
            return None;
        }
        Some(Server::start(UNSAFE_AND_FAST).expect("PostgreSQL starts"))
    });
    if shared.is_none() {
        eprintln!("SKIPPED on PostgreSQL, which is not installed");
    }
    shared.as_ref()
}

impl Server {
    /// Makes a cluster and starts its server. Settings are `name=value`.
    pub fn start(settings: &[&str]) -> Result<Self> {
        let mut server = Self::make(settings)?;
        server.resume()?;
        Ok(server)
    }

    /// The same, with encryption for who asks for it. The certificate is for `localhost`; gives the
    /// file of the one to trust.
    pub fn start_encrypted() -> Result<(Self, PathBuf)> {
        let mut server = Self::make(&["ssl=on"])?;
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let trusted = server.data().join("server.crt");
        server.write_own(&trusted, &certificate.cert.pem())?;
        let key = server.data().join("server.key");
        server.write_own(&key, &certificate.signing_key.serialize_pem())?;
        server.resume()?;
        Ok((server, trusted))
    }

    /// Writes a file that nobody but the server's user may read.
    fn write_own(&self, path: &Path, text: &str) -> Result<()> {
        fs::write(path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }

    fn make(settings: &[&str]) -> Result<Self> {
        let programs = find_programs().context("PostgreSQL is not installed")?;
        let folder = tempfile::Builder::new().prefix("pg-").tempdir()?;
        // PostgreSQL refuses to run as root.
        let owner = unprivileged()?;
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let server = Self {
            programs,
            folder,
            owner,
            port: free_port()?,
            settings: settings.iter().map(ToString::to_string).collect(),
            running: None,
            schemas: AtomicU32::new(0),
        };
        let made = server
            .command("initdb")
            .args([
                "--username=autan",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
            ])
            .arg("--locale=C.UTF-8")
            .arg("--pgdata")
            .arg(server.data())
            .stdin(Stdio::null())
            .output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(server)
    }

    /// The URL of the database that every cluster has.
    pub fn url(&self) -> String {
        format!("postgres://autan@127.0.0.1:{}/postgres", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a new, empty schema.
    pub fn new_schema(&self) -> Result<String> {
        let name = format!("s{}", self.schemas.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE SCHEMA {name}"))?;
        Ok(format!("{}?options=-csearch_path%3D{name}", self.url()))
    }

    /// Runs statements as the owner of everything.
    pub fn execute(&self, sql: &str) -> Result<()> {
        execute(&self.url(), sql)
    }

    /// Stops the server: at once and without a farewell, as a crash does.
    pub fn crash(&mut self) -> Result<()> {
        self.stop("immediate")
    }

    /// Stops the server in an orderly way; sessions are ended.
    pub fn shut_down(&mut self) -> Result<()> {
        self.stop("fast")
    }

    fn stop(&mut self, mode: &str) -> Result<()> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        let stopped = self
            .command("pg_ctl")
            .args(["stop", "-w", "-m", mode, "-D"])
            .arg(self.data())
            .stdin(Stdio::null())
            .output()?;
        running.guard.wait()?;
        if !stopped.status.success() {
            bail!("pg_ctl stop: {}", String::from_utf8_lossy(&stopped.stderr));
        }
        Ok(())
    }

    /// Puts all processes of the server to sleep, so that it answers nothing, or wakes them.
    pub fn freeze(&self, is_frozen: bool) -> Result<()> {
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        let noted = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let first = noted.lines().next().context("the file names the process")?;
        let children = ["-P", first];
        for (program, whom) in [("kill", &children[1..]), ("pkill", &children[..])] {
            let sent = Command::new(program).arg(signal).args(whom).status()?;
            if !sent.success() {
                bail!("{program} {signal} {}: {sent}", whom.join(" "));
            }
        }
        Ok(())
    }

    /// Starts the server again where it was.
    pub fn resume(&mut self) -> Result<()> {
        let program = self.programs.join("postgres");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        let mut guard = Command::new("sh");
        if let Some((user, group)) = self.owner {
            guard.uid(user).gid(group);
        }
        guard
            .args(["-c", GUARD, "sh"])
            .arg(self.folder.path())
            .arg(&program)
            .arg("-D")
            .arg(self.data())
            .args(["-c", &format!("port={}", self.port)])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .current_dir(self.folder.path());
        for setting in &self.settings {
            guard.args(["-c", setting]);
        }
        let mut started = guard
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let line = started.stdin.take().context("the guard has a line")?;
        self.running = Some(Running {
            guard: started,
            _line: line,
        });
        let deadline = Instant::now() + PATIENCE;
        while self.execute("SELECT 1").is_err() {
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.path().join("log"))?;
                bail!("PostgreSQL does not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What is left over is not worth a panic in a drop.
        let _ = self.crash();
    }
}

/// Runs statements on a database. Blocks, also where a runtime is under way.
pub fn execute(url: &str, sql: &str) -> Result<()> {
    outside(|| async {
        let client = connect(url).await?;
        client.batch_execute(sql).await?;
        Ok(())
    })
}

/// Asks a database for one whole number. Blocks, also where a runtime is under way.
#[expect(clippy::cast_precision_loss, reason = "for counts that are compared")]
pub fn number(url: &str, sql: &str) -> Result<f64> {
    outside(|| async {
        let client = connect(url).await?;
        let row = client.query_one(sql, &[]).await?;
        Ok(row.try_get::<_, i64>(0)? as f64)
    })
}

/// A connection, which is carried until the client is dropped.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // How it ends is seen by whoever uses the client.
    tokio::spawn(connection);
    Ok(client)
}

/// Waits for something on a thread of its own, outside of any runtime.
fn outside<T: Send, F: Future<Output = Result<T>>>(work: impl FnOnce() -> F + Send) -> Result<T> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(work())
    };
    let done = std::thread::scope(|scope| scope.spawn(run).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Debian keeps the programs of each version out of the path.
fn find_programs() -> Option<PathBuf> {
    let has = |folder: &Path| {
        let has = |program: &str| folder.join(program).is_file();
        has("initdb") && has("postgres") && has("pg_ctl")
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(|folder| has(folder)) {
        return Some(folder);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| has(folder))
        .collect();
    folders.sort();
    folders.pop()
}

/// The user and group to run as, if this process is root's.
fn unprivileged() -> Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let found = ids("postgres").or_else(|| ids("nobody"));
    found
        .context("no unprivileged user to run PostgreSQL as")
        .map(Some)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
