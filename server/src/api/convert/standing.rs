//! Where actions are that workers run, as a part of the causes why executions wait.

use engine::{ActionId, Cause, CauseKind, ExecutionUid, Runner, TaskId};
use proto::v1::{self, cause::Kind};

use super::cause::time;
use super::field;
use crate::dispatch::Standing;

/// The action execution that a cause names, if workers run it.
pub(crate) fn of_worker(execution: ExecutionUid, cause: &Cause) -> Option<ActionId> {
    match cause.kind {
        CauseKind::Action {
            number,
            runner: Runner::Worker,
            ..
        } => {
            let task = TaskId {
                execution,
                number: cause.task?,
            };
            Some(ActionId { task, number })
        }
        _ => None,
    }
}

/// A cause with where its action is, as the desk knows it.
pub(crate) fn with_standing(mut wire: v1::Cause, standing: Option<Standing>) -> v1::Cause {
    let (Some(Kind::Action(action)), Some(standing)) = (&mut wire.kind, standing) else {
        return wire;
    };
    let (text, worker) = described(&action.action_name, standing);
    action.worker = Some(worker);
    wire.text = match &*wire.task_name {
        "" => text,
        task => format!("task {task}: {text}"),
    };
    wire
}

/// Where an action is, in words and in fields.
fn described(name: &str, standing: Standing) -> (String, v1::WorkerWait) {
    match standing {
        Standing::Held {
            lease,
            expires_us,
            said_us,
        } => {
            let who = if lease.identity.is_empty() {
                &lease.worker
            } else {
                &lease.identity
            };
            let text = format!(
                "waits for action {name} on worker {who} since {}, last heard of at {}",
                time(lease.started_us),
                time(said_us)
            );
            let worker = v1::WorkerWait {
                worker_id: lease.worker.to_string(),
                worker_identity: lease.identity.to_string(),
                queue: lease.queue.to_string(),
                delivery: field::count(lease.delivery()),
                lease_expire_time: Some(field::timestamp(expires_us)),
                last_heartbeat_time: Some(field::timestamp(said_us)),
                ..v1::WorkerWait::default()
            };
            (text, worker)
        }
        Standing::HeldBack => {
            let text =
                format!("action {name} is handed to no worker while the execution is paused");
            (text, v1::WorkerWait::default())
        }
        Standing::Claimable { until_us } => {
            let text = format!(
                "waits until {} for the worker that had action {name} before the server started",
                time(until_us)
            );
            let worker = v1::WorkerWait {
                lease_expire_time: Some(field::timestamp(until_us)),
                ..v1::WorkerWait::default()
            };
            (text, worker)
        }
        Standing::Waiting {
            sessions,
            paused,
            known,
            version,
            until_us,
        } => {
            let why = why_it_waits(known, sessions, paused);
            let until = until_us.map(|until| format!("; it fails at {}", time(until)));
            let until = until.unwrap_or_default();
            let of = version.as_ref();
            let of = of.map_or_else(String::new, |version| format!(" of version {version}"));
            let text = format!("waits for a worker that runs action {name}{of}: {why}{until}");
            let worker = v1::WorkerWait {
                sessions: field::count(sessions),
                queue_paused: paused,
                unknown_action: !known,
                required_version: field::optional(version.as_ref()),
                ..v1::WorkerWait::default()
            };
            (text, worker)
        }
    }
}

fn why_it_waits(known: bool, sessions: u32, paused: bool) -> &'static str {
    match (known, sessions, paused) {
        (false, ..) => "no worker has ever provided it",
        (true, 0, _) => "no worker provides it now",
        (true, _, true) => "its queue is paused",
        (true, _, false) => "all workers that provide it are busy",
    }
}
