//! Plain fields of requests: names, ids, texts, numbers and times, each with its limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{ActionId, TaskId};
use prost_types::Timestamp;
use proto::v1::{PayloadFormat, View};
use uuid::Uuid;

use crate::api::fault::Fault;

/// Most bytes of a name or id.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// Most bytes of a reason or description.
pub(crate) const TEXT_BYTES_MAX: usize = 4 << 10;

/// Most labels of an execution, bytes of a key, bytes of a value.
pub(crate) const LABELS_MAX: usize = 64;
const LABEL_KEY_BYTES_MAX: usize = 63;
const LABEL_VALUE_BYTES_MAX: usize = 255;

/// The tenant; empty means the default one.
pub(crate) fn project(text: &str) -> Result<Arc<str>, Fault> {
    if text.is_empty() {
        return Ok("default".into());
    }
    printable("project", text)
}

/// A scope of names; empty is the default one.
pub(crate) fn namespace(field: &'static str, text: &str) -> Result<Arc<str>, Fault> {
    printable(field, text)
}

/// A name or id that must be given.
pub(crate) fn name(field: &'static str, text: &str) -> Result<Arc<str>, Fault> {
    if text.is_empty() {
        return Err(Fault::field(field, "is required"));
    }
    printable(field, text)
}

/// A name or id that may be absent.
pub(crate) fn optional_name(field: &'static str, text: &str) -> Result<Option<Arc<str>>, Fault> {
    if text.is_empty() {
        Ok(None)
    } else {
        printable(field, text).map(Some)
    }
}

fn printable(field: &'static str, text: &str) -> Result<Arc<str>, Fault> {
    at_most(field, text, NAME_BYTES_MAX)?;
    if text.chars().any(char::is_control) {
        return Err(Fault::field(field, "must have printable characters only"));
    }
    Ok(text.into())
}

/// A free text.
pub(crate) fn text(field: &'static str, text: &str) -> Result<Arc<str>, Fault> {
    at_most(field, text, TEXT_BYTES_MAX)?;
    Ok(text.into())
}

/// A free text that may be absent.
pub(crate) fn optional_text(field: &'static str, value: &str) -> Result<Option<Arc<str>>, Fault> {
    if value.is_empty() {
        Ok(None)
    } else {
        text(field, value).map(Some)
    }
}

fn at_most(field: &str, text: &str, bytes_max: usize) -> Result<(), Fault> {
    if text.len() > bytes_max {
        let actual = text.len();
        let description = format!("has {actual} bytes, {bytes_max} are allowed");
        return Err(Fault::field(field, description));
    }
    Ok(())
}

/// Labels of an execution.
pub(crate) fn labels(
    labels: BTreeMap<String, String>,
) -> Result<BTreeMap<Arc<str>, Arc<str>>, Fault> {
    if labels.len() > LABELS_MAX {
        let count = labels.len();
        let description = format!("has {count} labels, {LABELS_MAX} are allowed");
        return Err(Fault::field("labels", description));
    }
    let checked = labels.into_iter().map(|(key, value)| {
        if key.is_empty() || key.chars().any(char::is_control) {
            return Err(Fault::field(
                "labels",
                "keys must have printable characters",
            ));
        }
        at_most("labels", &key, LABEL_KEY_BYTES_MAX)?;
        at_most(&format!("labels.{key}"), &value, LABEL_VALUE_BYTES_MAX)?;
        Ok((key.into(), value.into()))
    });
    checked.collect()
}

/// The id that makes a request idempotent.
pub(crate) fn request_id(text: &str) -> Result<Option<Arc<str>>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    match Uuid::try_parse(text) {
        // One spelling of the same id must not be another id.
        Ok(id) => Ok(Some(id.hyphenated().to_string().into())),
        Err(_) => Err(Fault::field("request_id", "must be a UUID")),
    }
}

/// The number of a revision; 0 means the latest.
pub(crate) fn revision(field: &'static str, number: i32) -> Result<Option<i32>, Fault> {
    match number {
        0 => Ok(None),
        1.. => Ok(Some(number)),
        _ => Err(Fault::field(field, "must not be negative")),
    }
}

/// The id of a task execution. A malformed one cannot name any.
pub(crate) fn task_id(text: &str) -> Result<TaskId, Fault> {
    name("task_execution_id", text)?;
    text.parse().map_err(|_| Fault::TaskNotFound {
        id: text.to_owned(),
    })
}

/// The id of an action execution. A malformed one cannot name any.
pub(crate) fn action_id(text: &str) -> Result<ActionId, Fault> {
    name("action_execution_id", text)?;
    text.parse().map_err(|_| Fault::ActionNotFound {
        id: text.to_owned(),
    })
}

/// A value of an enum that this server knows.
pub(crate) fn known<E: TryFrom<i32>>(field: &'static str, number: i32) -> Result<E, Fault> {
    E::try_from(number).map_err(|_| Fault::field(field, format!("has no value {number}")))
}

/// The wanted view, if one is named: whether it is the full one.
pub(crate) fn full_view(number: i32, default: bool) -> Result<bool, Fault> {
    Ok(match known("view", number)? {
        View::Unspecified => default,
        View::Basic => false,
        View::Full => true,
    })
}

/// The wanted arm of payloads.
pub(crate) fn payload_format(number: i32) -> Result<PayloadFormat, Fault> {
    known("payload_format", number)
}

/// A length of time that is not negative.
pub(crate) fn duration(
    field: &'static str,
    given: Option<prost_types::Duration>,
) -> Result<Option<Duration>, Fault> {
    let refuse = |_| Fault::field(field, "must not be negative");
    given
        .map(|given| Duration::try_from(given).map_err(refuse))
        .transpose()
}

/// A time on the wire.
pub(crate) fn timestamp(time_us: i64) -> Timestamp {
    let nanos = time_us.rem_euclid(1_000_000) * 1000;
    let nanos = i32::try_from(nanos).expect("a fraction of a second in nanoseconds fits");
    Timestamp {
        seconds: time_us.div_euclid(1_000_000),
        nanos,
    }
}

/// A text that may be absent, on the wire.
pub(crate) fn optional(text: Option<&Arc<str>>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Texts on the wire.
pub(crate) fn strings(texts: &[Arc<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// A count on the wire.
pub(crate) fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_limits() {
        let long = "x".repeat(256);
        let longer = "x".repeat(TEXT_BYTES_MAX + 1);
        let many = (0..65).map(|n| (n.to_string(), String::new())).collect();
        let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        for (given, fault) in [
            (project("").map(drop), None),
            (project(&long[..255]).map(drop), None),
            (
                project(&long).map(drop),
                Some("project: has 256 bytes, 255 are allowed"),
            ),
            (name("name", "").map(drop), Some("name: is required")),
            (
                name("name", "a\nb").map(drop),
                Some("name: must have printable characters only"),
            ),
            (name("name", "größe 1.0").map(drop), None),
            (
                text("reason", &longer).map(drop),
                Some("reason: has 4097 bytes, 4096 are allowed"),
            ),
            (
                labels(many).map(drop),
                Some("labels: has 65 labels, 64 are allowed"),
            ),
            (
                labels(one("", "")).map(drop),
                Some("labels: keys must have printable characters"),
            ),
            (
                labels(one(&long[..64], "")).map(drop),
                Some("labels: has 64 bytes, 63 are allowed"),
            ),
            (
                labels(one("team", &long)).map(drop),
                Some("labels.team: has 256 bytes, 255 are allowed"),
            ),
            (labels(one("team", "eu")).map(drop), None),
            (request_id("").map(drop), None),
            (
                request_id("01920000-0000-7000-8000-000000000001").map(drop),
                None,
            ),
            (
                request_id("again").map(drop),
                Some("request_id: must be a UUID"),
            ),
            (
                revision("revision", -1).map(drop),
                Some("revision: must not be negative"),
            ),
            (full_view(9, true).map(drop), Some("view: has no value 9")),
            (
                task_id("t1").map(drop),
                Some("task execution \"t1\" not found"),
            ),
            (
                action_id("").map(drop),
                Some("action_execution_id: is required"),
            ),
        ] {
            let found = given.err().map(|fault| fault.to_string());
            assert_eq!(found.as_deref(), fault);
        }
    }

    #[test]
    fn one_request_id_has_one_spelling() {
        let upper = request_id("01920000-0000-7000-8000-00000000000A").unwrap();
        let bare = request_id("0192000000007000800000000000000a").unwrap();
        assert_eq!(upper, bare);
    }

    #[test]
    fn times_have_positive_fractions() {
        for (time_us, seconds, nanos) in [
            (0, 0, 0),
            (1_500_000, 1, 500_000_000),
            (-1, -1, 999_999_000),
        ] {
            assert_eq!(timestamp(time_us), Timestamp { seconds, nanos });
        }
    }
}
