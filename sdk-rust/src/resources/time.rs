//! Times and durations of the wire as those of the standard library, and as text in JSON.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;
use serde::Serializer;

/// The time, if it is one that the platform can express.
pub(crate) fn to_time(timestamp: Option<Timestamp>) -> Option<SystemTime> {
    timestamp.and_then(|timestamp| SystemTime::try_from(timestamp).ok())
}

/// The duration, if it is not negative.
pub(crate) fn to_duration(duration: Option<prost_types::Duration>) -> Option<Duration> {
    duration.and_then(|duration| Duration::try_from(duration).ok())
}

/// Writes RFC 3339 text.
#[expect(clippy::ref_option, reason = "the signature is given by serde")]
pub(crate) fn serialize_time<S: Serializer>(
    time: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&Timestamp::from(*time)),
        None => serializer.serialize_none(),
    }
}
