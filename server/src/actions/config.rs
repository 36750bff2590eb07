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

/// Most actions at the same time by configuration; each may hold a whole response in memory.
const CONCURRENCY_CAP: usize = 10_000;

/// Longest default timeout by configuration: a day.
const TIMEOUT_S_CAP: u64 = 24 * 60 * 60;

/// Most bytes of a response by configuration.
const RESPONSE_BYTES_CAP: usize = 64 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            concurrency_max: 100,
            egress: egress::Config::default(),
            http: Http::default(),
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

impl Config {
    /// Checks what the types cannot.
    pub(super) fn check(&self) -> Result<(), Error> {
        let in_range = |key, value: u64, max: u64| {
            if (1..=max).contains(&value) {
                return Ok(());
            }
            Err(Error::OutOfRange {
                key,
                min: 1,
                max,
                value,
            })
        };
        let wide = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        in_range(
            "concurrency_max",
            wide(self.concurrency_max),
            wide(CONCURRENCY_CAP),
        )?;
        in_range("http.timeout_s", self.http.timeout_s, TIMEOUT_S_CAP)?;
        let (bytes, cap) = (wide(self.http.response_bytes_max), wide(RESPONSE_BYTES_CAP));
        in_range("http.response_bytes_max", bytes, cap)
    }
}
