//! How long leases last, and how patient the server is with workers.

use serde::Deserialize;

/// The part `[workers]` of the configuration; all times in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a lease lasts unless it is renewed.
    pub lease_duration_s: f64,
    /// How often workers are asked to renew, and to say that they are alive.
    pub heartbeat_interval_s: f64,
    /// How long a task may wait to be accepted by the worker that it was sent to.
    pub accept_timeout_s: f64,
    /// How long a worker may go on with a task whose result is no longer wanted.
    pub cancel_grace_s: f64,
    /// How long a call of an action that no worker has ever provided waits for one before it fails;
    /// 0 = it fails at once, and its execution with it, as in Mistral.
    pub unknown_action_wait_s: f64,
    /// How often an action execution is handed out to workers that are lost with it.
    pub deliveries_max: u32,
    /// How long a stream lasts before its worker is asked to open another one.
    pub stream_age_max_s: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease_duration_s: 30.0,
            heartbeat_interval_s: 10.0,
            accept_timeout_s: 5.0,
            cancel_grace_s: 30.0,
            unknown_action_wait_s: 60.0,
            deliveries_max: engine::Limits::default().deliveries_max,
            stream_age_max_s: 1_800.0,
        }
    }
}

/// The key and the fault of a value that cannot be used.
pub(crate) type Wrong = (&'static str, String);

impl Config {
    /// Checks what the types cannot.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let within = |key, value: f64, least: f64| {
            if value.is_finite() && (least..=86_400.0).contains(&value) {
                return Ok(());
            }
            Err((
                key,
                format!("must be between {least} and 86400, not {value}"),
            ))
        };
        within("workers.lease_duration_s", self.lease_duration_s, 0.1)?;
        within(
            "workers.heartbeat_interval_s",
            self.heartbeat_interval_s,
            0.01,
        )?;
        within("workers.accept_timeout_s", self.accept_timeout_s, 0.1)?;
        within("workers.cancel_grace_s", self.cancel_grace_s, 0.0)?;
        within(
            "workers.unknown_action_wait_s",
            self.unknown_action_wait_s,
            0.0,
        )?;
        within("workers.stream_age_max_s", self.stream_age_max_s, 1.0)?;
        if self.heartbeat_interval_s * 2.0 > self.lease_duration_s {
            let message = format!(
                "must be at most half of workers.lease_duration_s ({}), not {}",
                self.lease_duration_s, self.heartbeat_interval_s
            );
            return Err(("workers.heartbeat_interval_s", message));
        }
        if self.deliveries_max == 0 {
            return Err(("workers.deliveries_max", "must be at least 1, not 0".into()));
        }
        Ok(())
    }
}

/// Seconds as microseconds.
pub(super) fn micros(seconds: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the configuration is checked: at most a day"
    )]
    let micros = (seconds * 1e6) as i64;
    micros
}
