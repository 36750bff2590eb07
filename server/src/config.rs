//! The configuration: typed, read once, checked before anything starts.
//!
//! Flags win over environment variables, these over the file, this over the defaults. Unknown keys
//! are refused, so a misspelt one is not silently without effect.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the gRPC API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of the embedded database; made if it is not there.
    pub data_dir: PathBuf,
    /// The database.
    pub store: Store,
    /// How large things may grow.
    pub limits: Limits,
    /// How long finished executions are kept.
    pub retention: Retention,
    /// The actions that the server runs.
    pub actions: crate::actions::Config,
    /// How patient the server is with workers.
    pub workers: crate::dispatch::Config,
    /// The servers that share the database.
    pub cluster: Cluster,
    /// What is logged, and how.
    pub log: Log,
}

/// The database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE` or `sqlite::memory:`; by default a
    /// file in the data folder.
    pub url: Option<String>,
    /// Whether each commit is flushed to the disk.
    pub synchronous: Synchronous,
}

/// When the database flushes to the disk.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// With each commit: what was answered survives a loss of power.
    #[default]
    Full,
    /// Now and then: the last commits may be lost with the power, but not with the process.
    Normal,
}

/// How large things may grow.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one payload in a request; at most 2 MiB.
    pub payload_bytes_max: usize,
    /// Bytes of one document; at most 1 MiB.
    pub definition_bytes_max: usize,
    /// Task executions of one execution.
    pub tasks_per_execution_max: u32,
    /// Items of one with-items task.
    pub items_per_task_max: u32,
    /// Levels of sub-workflows.
    pub nesting_max: u32,
    /// How many of its last history events are kept of each execution, at least 1,000; older ones
    /// go now and then, whole commits at a time. All are kept if it is not said.
    pub history_events_kept: Option<u32>,
    /// How long an action may take that is run by itself; whole seconds, such as `24h`.
    pub single_action_timeout: Span,
}

/// Fewest events that are kept of an execution.
const HISTORY_KEPT_MIN: u32 = 1_000;

/// How long an action that is run by itself may take if nothing is said.
const SINGLE_ACTION_TIMEOUT: Duration = Duration::from_hours(24);

/// How long finished executions are kept, with all below them and their history. What is not said
/// is for ever.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// In projects that are not named below, such as `30d`.
    pub finished: Option<Span>,
    /// By name of the project.
    pub projects: BTreeMap<String, Span>,
}

impl Retention {
    /// Whether nothing is ever deleted.
    pub fn is_for_ever(&self) -> bool {
        self.finished.is_none() && self.projects.is_empty()
    }

    /// How long finished executions of a project are kept; `None` is for ever.
    pub fn of(&self, project: &str) -> Option<Duration> {
        let own = self.projects.get(project).copied();
        own.or(self.finished).map(|kept| kept.0)
    }
}

/// A length of time: a whole number and one of the units `s`, `m`, `h` and `d`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a length of time such as \"30d\" or \"12h\"");
        let unit = match text.chars().next_back() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        let seconds = count.checked_mul(unit).ok_or_else(wrong)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// The servers that share a database, which is PostgreSQL then.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// Where the others reach this server: `host:port`. By default where it listens; or, if that is
    /// every address of the machine, the machine's name and the port.
    pub advertise: Option<String>,
    /// How long a server that says nothing counts as there; whole seconds, at least `2s`.
    pub lease: Span,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            advertise: None,
            lease: Span(Duration::from_secs(5)),
        }
    }
}

impl Cluster {
    /// Where the others reach a server that listens there.
    pub(crate) fn address(&self, listen: SocketAddr) -> String {
        if let Some(address) = &self.advertise {
            return address.clone();
        }
        if !listen.ip().is_unspecified() {
            return listen.to_string();
        }
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
        let name = name.unwrap_or_default();
        let name = match name.trim() {
            "" => "localhost",
            name => name,
        };
        format!("{name}:{}", listen.port())
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Levels by module, such as `info,autan=debug`.
    pub filter: String,
    /// Form of the lines.
    pub format: LogFormat,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be; the text names line, column and key.
    #[error("configuration {}: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("configuration: {key}: {message}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// Most bytes that a payload may have by configuration.
const PAYLOAD_BYTES_CAP: usize = 2 << 20;

/// Most bytes that a document may have by configuration.
const DEFINITION_BYTES_CAP: usize = 1 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7233)),
            data_dir: "autan-data".into(),
            store: Store::default(),
            limits: Limits::default(),
            retention: Retention::default(),
            actions: crate::actions::Config::default(),
            workers: crate::dispatch::Config::default(),
            cluster: Cluster::default(),
            log: Log::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let engine = engine::Limits::default();
        Self {
            payload_bytes_max: 1 << 20,
            definition_bytes_max: DEFINITION_BYTES_CAP,
            tasks_per_execution_max: engine.tasks_max,
            items_per_task_max: engine.items_max,
            nesting_max: engine.depth_max,
            history_events_kept: None,
            single_action_timeout: Span(SINGLE_ACTION_TIMEOUT),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Reads a file.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.into(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| Error::Parse {
            path: path.into(),
            source: Box::new(source),
        })
    }

    /// A server for development and tests: everything in memory, on a free port.
    pub fn in_memory() -> Self {
        let store = Store {
            url: Some("sqlite::memory:".into()),
            ..Store::default()
        };
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            store,
            ..Self::default()
        }
    }

    /// Checks what the types cannot.
    pub fn check(&self) -> Result<(), Error> {
        let at_most = |key, value: usize, cap: usize| {
            if (1..=cap).contains(&value) {
                return Ok(());
            }
            let message = format!("must be between 1 and {cap}, not {value}");
            Err(Error::Value { key, message })
        };
        let limits = &self.limits;
        at_most(
            "limits.payload_bytes_max",
            limits.payload_bytes_max,
            PAYLOAD_BYTES_CAP,
        )?;
        at_most(
            "limits.definition_bytes_max",
            limits.definition_bytes_max,
            DEFINITION_BYTES_CAP,
        )?;
        if let Some(kept) = limits
            .history_events_kept
            .filter(|kept| *kept < HISTORY_KEPT_MIN)
        {
            let key = "limits.history_events_kept";
            let message = format!("must be at least {HISTORY_KEPT_MIN}, not {kept}");
            return Err(Error::Value { key, message });
        }
        if limits.single_action_timeout.0.is_zero() {
            let (key, message) = ("limits.single_action_timeout", "must not be 0".to_owned());
            return Err(Error::Value { key, message });
        }
        let workers = self.workers.check();
        workers.map_err(|(key, message)| Error::Value { key, message })
    }

    /// URL of the database.
    pub fn store_url(&self) -> String {
        let default = || format!("sqlite:{}", self.data_dir.join("autan.db").display());
        self.store.url.clone().unwrap_or_else(default)
    }

    /// The limits as the engine takes them.
    pub fn engine_limits(&self) -> engine::Limits {
        engine::Limits {
            tasks_max: self.limits.tasks_per_execution_max,
            items_max: self.limits.items_per_task_max,
            depth_max: self.limits.nesting_max,
            deliveries_max: self.workers.deliveries_max,
            ..engine::Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = toml::from_str::<Config>(text)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn mistakes_are_named() {
        check("lisen = '1.2.3.4:5'", "unknown field `lisen`");
        check("listen = 'here'", "invalid socket address");
        check(
            "[retention]\nfinished = '5 days'",
            "is not a length of time",
        );
        check(
            "[retention.projects]\na = '1.5d'",
            "is not a length of time",
        );
        check("[store]\nsynchronous = 'maybe'", "unknown variant `maybe`");
        let mut config = Config::default();
        config.limits.payload_bytes_max = 3 << 20;
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "configuration: limits.payload_bytes_max: must be between 1 and 2097152, not 3145728"
        );
    }
}
