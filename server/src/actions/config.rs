//! The configuration of the actions: section `actions` of the file. What the egress part means is
//! left to `egress`.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Error, egress};

/// The configuration of the actions that the server runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Most actions that use the network at the same time; more wait. Sleeping ones do not count.
    pub concurrency_max: usize,
    /// Where requests may go.
    pub egress: egress::Config,
    /// `std.http`.
    pub http: Http,
    /// `std.javascript`.
    pub javascript: Javascript,
    /// `std.email`.
    pub email: Email,
    /// `std.ssh` and `std.ssh_proxied`.
    pub ssh: Ssh,
}

/// The configuration of `std.http`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Seconds for an exchange whose action names no `timeout`.
    pub timeout_s: u64,
    /// Most bytes of the body of a response.
    pub response_bytes_max: usize,
    /// PEM file with certificates to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The configuration of `std.javascript`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Javascript {
    /// Most scripts at the same time; more wait. Each may keep one core busy.
    pub concurrency_max: usize,
    /// Seconds that a script may run.
    pub timeout_s: u64,
    /// Most bytes that a script may hold at a time.
    pub memory_bytes_max: usize,
    /// Most bytes of the stack of a script.
    pub stack_bytes_max: usize,
}

/// The configuration of `std.email`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Email {
    /// Seconds for one message, from connecting to the server's word that it has it.
    pub timeout_s: u64,
    /// PEM file with certificates to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The configuration of `std.ssh` and `std.ssh_proxied`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ssh {
    /// Seconds for connecting to one host and logging in, through the gateway or not.
    pub connect_timeout_s: u64,
    /// Seconds for the whole action, all hosts together.
    pub timeout_s: u64,
    /// Most bytes that a command may write on one host.
    pub output_bytes_max: usize,
    /// Folder of the private keys that workflows may name.
    pub key_folder: Option<PathBuf>,
    /// File of the hosts to believe; without it all are believed.
    pub known_hosts: Option<PathBuf>,
}

/// Most actions at the same time by configuration; each may hold a whole response in memory.
const CONCURRENCY_CAP: usize = 10_000;

/// Longest default timeout by configuration: a day.
const TIMEOUT_S_CAP: u64 = 24 * 60 * 60;

/// Most bytes of a response, or of what a command writes, by configuration.
const RESPONSE_BYTES_CAP: usize = 64 << 20;

/// Most bytes of memory of a script by configuration.
const SCRIPT_MEMORY_BYTES_CAP: usize = 1 << 30;

/// Most bytes of the stack of a script by configuration: half of what its thread has.
const SCRIPT_STACK_BYTES_CAP: usize = 1 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            concurrency_max: 100,
            egress: egress::Config::default(),
            http: Http::default(),
            javascript: Javascript::default(),
            email: Email::default(),
            ssh: Ssh::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            timeout_s: 60,
            response_bytes_max: 5 << 20,
            ca_file: None,
        }
    }
}

impl Default for Javascript {
    fn default() -> Self {
        Self {
            concurrency_max: 2,
            timeout_s: 10,
            memory_bytes_max: 64 << 20,
            stack_bytes_max: 512 << 10,
        }
    }
}

impl Default for Email {
    fn default() -> Self {
        Self {
            timeout_s: 60,
            ca_file: None,
        }
    }
}

impl Default for Ssh {
    fn default() -> Self {
        Self {
            connect_timeout_s: 30,
            timeout_s: 600,
            output_bytes_max: 1 << 20,
            key_folder: None,
            known_hosts: None,
        }
    }
}

impl Config {
    /// Checks what the types cannot.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Self {
            http,
            javascript,
            ssh,
            ..
        } = self;
        at_most("concurrency_max", self.concurrency_max, CONCURRENCY_CAP)?;
        seconds("http.timeout_s", http.timeout_s)?;
        let key = "http.response_bytes_max";
        at_most(key, http.response_bytes_max, RESPONSE_BYTES_CAP)?;
        let key = "javascript.concurrency_max";
        at_most(key, javascript.concurrency_max, CONCURRENCY_CAP)?;
        seconds("javascript.timeout_s", javascript.timeout_s)?;
        let key = "javascript.memory_bytes_max";
        at_most(key, javascript.memory_bytes_max, SCRIPT_MEMORY_BYTES_CAP)?;
        let key = "javascript.stack_bytes_max";
        at_most(key, javascript.stack_bytes_max, SCRIPT_STACK_BYTES_CAP)?;
        seconds("email.timeout_s", self.email.timeout_s)?;
        seconds("ssh.connect_timeout_s", ssh.connect_timeout_s)?;
        seconds("ssh.timeout_s", ssh.timeout_s)?;
        let key = "ssh.output_bytes_max";
        at_most(key, ssh.output_bytes_max, RESPONSE_BYTES_CAP)
    }
}

fn at_most(key: &'static str, value: usize, max: usize) -> Result<(), Error> {
    let wide = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    in_range(key, wide(value), wide(max))
}

fn seconds(key: &'static str, value: u64) -> Result<(), Error> {
    in_range(key, value, TIMEOUT_S_CAP)
}

fn in_range(key: &'static str, value: u64, max: u64) -> Result<(), Error> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        key,
        min: 1,
        max,
        value,
    })
}
