//! What is kept of the leases under which workers run action executions, and what workers report.
//!
//! A lease itself (who has it, until when) lives outside the engine. An execution keeps what must
//! outlast the server: under which lease an action ended, how often one was lost, how far it was.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::Data;

/// The leases of one action execution; one JSON column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// The present lease, or the one under which the action has ended; `None` if nobody is known to
    /// have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// Worker of that lease, or of the last one.
    #[serde(rename = "w", skip_serializing_if = "is_empty")]
    pub worker: Arc<str>,
    /// The worker, for people.
    #[serde(rename = "who", skip_serializing_if = "is_empty")]
    pub identity: Arc<str>,
    /// Queue that it came from.
    #[serde(rename = "q", skip_serializing_if = "is_empty")]
    pub queue: Arc<str>,
    /// When it was handed out, microseconds since the epoch.
    #[serde(rename = "at")]
    pub started_us: i64,
    /// How many leases have ended before the action did.
    #[serde(skip_serializing_if = "is_zero")]
    pub lost: u32,
    /// How many of them with their worker.
    #[serde(skip_serializing_if = "is_zero")]
    pub crashes: u32,
    /// What the action has said last of its progress.
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub progress: Option<Data>,
    /// Why the action has failed, as the worker says.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    pub failure: Option<WorkerFailure>,
}

impl Lease {
    /// Number of the present delivery, or of the next one, from 1.
    pub fn delivery(&self) -> u32 {
        self.lost.saturating_add(1)
    }
}

/// A failure as the worker says it. Its details are the error result of the action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerFailure {
    /// What kind of failure, such as the name of an exception.
    #[serde(rename = "type", skip_serializing_if = "is_empty")]
    pub kind: Arc<str>,
    /// For people.
    #[serde(skip_serializing_if = "is_empty")]
    pub message: Arc<str>,
    /// Where in its program.
    #[serde(skip_serializing_if = "is_empty")]
    pub stack: Arc<str>,
    /// What caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Self>>,
}

/// What a task says of the times of its calls, where workers run them; seconds. It wins over what
/// the worker says of the action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallTimes {
    /// How long one attempt may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_to_close_s: Option<u64>,
    /// How long a call may wait for a worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_to_start_s: Option<u64>,
    /// How long an attempt may say nothing of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_s: Option<u64>,
}

impl CallTimes {
    pub(crate) fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// What a worker has said of the next attempt.
/// The greater one decides where several are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextAttempt {
    /// Not before this many microseconds have passed.
    After(i64),
    /// None is of use.
    Never,
}

/// A worker's word on the end of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// Under which lease: with its id.
    pub lease: Lease,
    /// Whether it is the server that ends the action, because a time is over: what the worker says
    /// of it later is no repetition.
    pub is_over: bool,
    /// When to try again, if it has failed.
    pub next_attempt: Option<NextAttempt>,
}

/// Why a lease has ended before its action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Its worker did not renew it.
    Expired,
    /// The action has said nothing of itself for too long.
    Silent,
    /// Its worker gave it back.
    Released,
}

fn is_empty(text: &Arc<str>) -> bool {
    text.is_empty()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Why a lease counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseEnd {
    /// It was not renewed in time, or was given back.
    Expired,
    /// The result is no longer wanted.
    Cancelled,
    /// The action has ended without it.
    Ended,
    /// It was never given, or long ago.
    Unknown,
}

impl LeaseEnd {
    /// In a word, as the API says it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Expired => "it was not renewed in time, or was given back",
            Self::Cancelled => "the result is no longer wanted",
            Self::Ended => "somebody else has ended the action",
            Self::Unknown => "the server does not know it",
        }
    }
}
