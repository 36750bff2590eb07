//! Logs: readable messages with the key id in them and dotted fields beside; no payloads.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Sets logging up for the process; lines go to standard error. A filter that does not parse is
/// reported and replaced by `info`.
pub fn init(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|error| {
        eprintln!(
            "autan: log filter {:?}: {error}; using \"info\"",
            log.filter
        );
        EnvFilter::new("info")
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Only the first call in a process has an effect: tests start several servers in one.
    let _ = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
