//! Workers and queues, as the server knows them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::{non_empty, serialize_time, to_time};

/// A worker.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WorkerRecord {
    /// Tenant.
    pub project: String,
    /// Id that its process made for itself.
    pub worker_id: String,
    /// For people, such as "host:pid".
    pub identity: String,
    /// Name and version of its SDK.
    pub sdk: String,
    /// Which build of the program it is.
    pub build_id: String,
    /// For people and tools.
    pub labels: BTreeMap<String, String>,
    /// Names of the queues that it serves.
    pub queues: Vec<String>,
    /// Names of the actions that it provides.
    pub actions: Vec<String>,
    /// Versions of those of its actions that have one, by name.
    pub action_versions: BTreeMap<String, String>,
    /// Whether it has a stream open.
    pub connected: bool,
    /// Whether it gets no more tasks.
    pub draining: bool,
    /// Tasks that it has.
    pub leased: i32,
    /// Tasks that it could take besides.
    pub credits: i32,
    /// When it was first heard of.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it was last heard of.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_seen_time: Option<SystemTime>,
}

impl From<proto::v1::Worker> for WorkerRecord {
    fn from(worker: proto::v1::Worker) -> Self {
        let identity = worker.worker.unwrap_or_default();
        Self {
            project: worker.project,
            worker_id: identity.worker_id,
            identity: identity.identity,
            sdk: identity.sdk,
            build_id: identity.build_id,
            labels: identity.labels,
            queues: worker.queues,
            actions: worker.actions,
            action_versions: worker.action_versions,
            connected: worker.connected,
            draining: worker.draining,
            leased: worker.leased,
            credits: worker.credits,
            create_time: to_time(worker.create_time),
            last_seen_time: to_time(worker.last_seen_time),
        }
    }
}

/// Where an action execution is that workers run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkerWait {
    /// Worker that has it; `None` if it waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// The worker, for people.
    pub worker_identity: String,
    /// Queue that it came from.
    pub queue: String,
    /// How often it was handed out.
    pub delivery: i32,
    /// When its lease ends unless it is renewed; or, of one that was handed out before the server
    /// started, until when its worker may claim it.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub lease_expire_time: Option<SystemTime>,
    /// When its worker was last heard of, for this action execution.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_heartbeat_time: Option<SystemTime>,
    /// If it waits: sessions of workers that provide the action now.
    pub sessions: i32,
    /// If it waits: whether its queues are paused.
    pub queue_paused: bool,
    /// If it waits: whether no worker has ever provided the action. It fails then, in time.
    pub unknown_action: bool,
}

impl From<proto::v1::WorkerWait> for WorkerWait {
    fn from(wait: proto::v1::WorkerWait) -> Self {
        Self {
            worker_id: non_empty(wait.worker_id),
            worker_identity: wait.worker_identity,
            queue: wait.queue,
            delivery: wait.delivery,
            lease_expire_time: to_time(wait.lease_expire_time),
            last_heartbeat_time: to_time(wait.last_heartbeat_time),
            sessions: wait.sessions,
            queue_paused: wait.queue_paused,
            unknown_action: wait.unknown_action,
        }
    }
}

/// A queue.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Queue {
    /// Tenant.
    pub project: String,
    /// Name.
    #[serde(rename = "queue")]
    pub name: String,
    /// Whether nothing is handed out.
    pub paused: bool,
    /// Limits of all its tasks together.
    pub limits: QueueLimits,
    /// Limits of single actions in it, by name.
    pub action_limits: BTreeMap<String, QueueLimits>,
    /// Tasks that wait. One that waits in several queues is counted in each.
    pub backlog: i64,
    /// When the oldest of them was called.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub oldest_schedule_time: Option<SystemTime>,
    /// Tasks that workers have.
    pub leased: i32,
    /// Workers that serve it.
    pub workers: i32,
    /// Tasks handed out per second, over the last minute.
    pub tasks_per_second: f64,
    /// Changes with every update; guards against lost updates.
    pub etag: String,
}

impl From<proto::v1::Queue> for Queue {
    fn from(queue: proto::v1::Queue) -> Self {
        let limits = queue.action_limits.into_iter();
        Self {
            project: queue.project,
            name: queue.queue,
            paused: queue.paused,
            limits: queue.limits.map(QueueLimits::from).unwrap_or_default(),
            action_limits: limits
                .map(|(action, limits)| (action, limits.into()))
                .collect(),
            backlog: queue.backlog,
            oldest_schedule_time: to_time(queue.oldest_schedule_time),
            leased: queue.leased,
            workers: queue.workers,
            tasks_per_second: queue.tasks_per_second,
            etag: queue.etag,
        }
    }
}

/// Limits of what is handed out; the default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct QueueLimits {
    /// Most tasks that workers have at the same time; 0 = no limit.
    pub concurrency: i32,
    /// Most tasks that are handed out per second, on average; 0 = no limit.
    pub rate_per_second: f64,
    /// Most tasks that are handed out at once within the rate; 0 = as many as in one second.
    pub burst: i32,
}

impl From<proto::v1::QueueLimits> for QueueLimits {
    fn from(limits: proto::v1::QueueLimits) -> Self {
        Self {
            concurrency: limits.concurrency,
            rate_per_second: limits.rate_per_second,
            burst: limits.burst,
        }
    }
}

impl From<QueueLimits> for proto::v1::QueueLimits {
    fn from(limits: QueueLimits) -> Self {
        Self {
            concurrency: limits.concurrency,
            rate_per_second: limits.rate_per_second,
            burst: limits.burst,
        }
    }
}
