//! The events of one commit without what they repeat: a third less bytes of history.
//!
//! The sequence is the place in the row. Time, run and name of the task stand only where they
//! differ from the event before.

#![expect(
    clippy::option_option,
    reason = "absent, null and a name are three things"
)]

use std::sync::Arc;

use engine::{HistoryEvent, HistoryKind};
use serde::{Deserialize, Deserializer, Serialize};

/// An event as it stands in a row.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Packed<K> {
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    time_us: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<i32>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    task: Option<u32>,
    /// Absent: as in the event before. Null: none.
    #[serde(
        rename = "tn",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    task_name: Option<Option<Arc<str>>>,
    #[serde(rename = "by", default, skip_serializing_if = "Option::is_none")]
    principal: Option<Arc<str>>,
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    identity: Option<Arc<str>>,
    #[serde(flatten)]
    kind: K,
}

/// Tells null from absence: asked only about what is there.
#[expect(
    clippy::option_option,
    reason = "absent, null and a name are three things"
)]
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<Arc<str>>>, D::Error> {
    Deserialize::deserialize(value).map(Some)
}

/// What an event may have in common with the one before it.
struct Common {
    time_us: i64,
    run: i32,
    task_name: Option<Arc<str>>,
}

/// Before the first event.
const START: Common = Common {
    time_us: 0,
    run: 1,
    task_name: None,
};

/// Takes out what repeats.
pub(super) fn pack(events: &[HistoryEvent]) -> Vec<Packed<&HistoryKind>> {
    let mut before = START;
    let mut packed = Vec::with_capacity(events.len());
    for event in events {
        // All fields by name: a new one must find its place here.
        let HistoryEvent {
            sequence: _,
            time_us,
            run,
            task,
            task_name,
            principal,
            identity,
            kind,
        } = event;
        packed.push(Packed {
            time_us: (before.time_us != *time_us).then_some(*time_us),
            run: (before.run != *run).then_some(*run),
            task: *task,
            task_name: (before.task_name != *task_name).then(|| task_name.clone()),
            principal: principal.clone(),
            identity: identity.clone(),
            kind,
        });
        before = Common {
            time_us: *time_us,
            run: *run,
            task_name: task_name.clone(),
        };
    }
    packed
}

/// Puts back what was taken out; `first` is the sequence of the first event.
pub(super) fn unpack(events: Vec<Packed<HistoryKind>>, first: i64) -> Vec<HistoryEvent> {
    let mut now = START;
    let unpack_one = |(sequence, event): (i64, Packed<HistoryKind>)| {
        let task_name = event.task_name.unwrap_or_else(|| now.task_name.take());
        now = Common {
            time_us: event.time_us.unwrap_or(now.time_us),
            run: event.run.unwrap_or(now.run),
            task_name: task_name.clone(),
        };
        HistoryEvent {
            sequence,
            time_us: now.time_us,
            run: now.run,
            task: event.task,
            task_name,
            principal: event.principal,
            identity: event.identity,
            kind: event.kind,
        }
    };
    (first..).zip(events).map(unpack_one).collect()
}
