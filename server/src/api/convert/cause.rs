//! Causes on the wire: the typed fields, and the one place where their sentences are made.

use std::sync::Arc;

use engine::{
    ActionId, ActionState, Caller, Cause, CauseKind, ExecutionState, ExecutionUid, TaskId,
};
use engine::{Runner, TaskState, TimerKind};
use jiff::Timestamp;
use proto::v1::{self, cause::Kind};

use super::{field, state};

/// How an execution came to be paused.
pub(crate) struct Pause {
    /// Since when, microseconds since the epoch.
    pub(crate) since_us: i64,
    /// Of a pause by a verb.
    pub(crate) by: Option<Caller>,
}

/// A cause of an execution; children and pauses, of which there is more to say, go other ways.
pub(crate) fn wire(uid: ExecutionUid, cause: &Cause, task_name: Option<&Arc<str>>) -> v1::Cause {
    let task = cause.task.map(|number| TaskId {
        execution: uid,
        number,
    });
    let (what, kind) = described(task, cause);
    let text = match task_name {
        Some(name) if cause.undo => format!("undo of task {name}: {what}"),
        Some(name) => format!("task {name}: {what}"),
        None => what,
    };
    v1::Cause {
        text,
        task_execution_id: task.map(|task| task.to_string()).unwrap_or_default(),
        task_name: field::optional(task_name),
        undo: cause.undo,
        since_time: Some(field::timestamp(cause.since_us)),
        until_time: cause.until_us.map(field::timestamp),
        kind: Some(kind),
    }
}

/// A child that is not finished, with its state and what it waits for, if it was looked at.
pub(crate) fn child(
    uid: ExecutionUid,
    cause: &Cause,
    task_name: Option<&Arc<str>>,
    inside: Option<(ExecutionState, Vec<v1::Cause>)>,
) -> v1::Cause {
    let mut wire = wire(uid, cause, task_name);
    if let (Some(Kind::Child(child)), Some((inner, causes))) = (&mut wire.kind, inside) {
        child.state = state::execution(inner).into();
        child.causes = causes;
        wire.text = format!("{}, which is {}", wire.text, inner.word());
    }
    wire
}

/// A pause of the whole execution.
pub(crate) fn paused(
    cause: &Cause,
    pause: Option<Pause>,
    state_info: Option<&Arc<str>>,
) -> v1::Cause {
    let (since_us, by) = match pause {
        Some(pause) => (pause.since_us, pause.by),
        None => (cause.since_us, None),
    };
    let by_verb = by.is_some();
    let by = by.unwrap_or_else(|| Caller {
        reason: state_info.cloned(),
        ..Caller::default()
    });
    let mut text = match by.name() {
        Some(name) => format!("paused by {name} until it is resumed"),
        None if by_verb => "paused until it is resumed".to_owned(),
        None => "paused by its own definition, or with a part of its tree, until it is resumed"
            .to_owned(),
    };
    if let Some(reason) = &by.reason {
        text = format!("{text}: {reason}");
    }
    v1::Cause {
        text,
        since_time: Some(field::timestamp(since_us)),
        kind: Some(Kind::Paused(v1::PausedCause {
            principal: field::optional(by.principal.as_ref()),
            reason: field::optional(by.reason.as_ref()),
            by_verb,
            identity: field::optional(by.identity.as_ref()),
        })),
        ..v1::Cause::default()
    }
}

/// What a cause says of its task, in words and in fields.
fn described(task: Option<TaskId>, cause: &Cause) -> (String, Kind) {
    let until = cause.until_us.map(time).unwrap_or_default();
    match &cause.kind {
        CauseKind::Steps { count } => {
            let count = i32::try_from(*count).unwrap_or(i32::MAX);
            let text = "goes on by itself: its next steps are done soon".to_owned();
            (text, Kind::Steps(v1::StepsCause { count }))
        }
        CauseKind::Paused => {
            let text = "paused until it is resumed".to_owned();
            (text, Kind::Paused(v1::PausedCause::default()))
        }
        CauseKind::Held { pause_before } => {
            let by = if *pause_before {
                " by pause-before"
            } else {
                ""
            };
            let pause_before = *pause_before;
            let text = format!("held back{by} until the execution is resumed");
            (text, Kind::Held(v1::HeldCause { pause_before }))
        }
        CauseKind::Timer { timer, attempt } => of_timer(*timer, *attempt, &until),
        CauseKind::Action { .. } => action(task, cause, &until),
        CauseKind::Child {
            child,
            workflow,
            index,
        } => {
            let text = format!("waits for sub-workflow {workflow} ({child})");
            let kind = v1::ChildCause {
                execution_id: child.to_string(),
                workflow_name: workflow.to_string(),
                state: v1::ExecutionState::Unspecified.into(),
                item_index: field::count(*index),
                causes: Vec::new(),
            };
            (text, Kind::Child(kind))
        }
        CauseKind::Items {
            running,
            waiting,
            concurrency,
        } => {
            let text = format!("{waiting} items wait for one of {concurrency} slots (concurrency)");
            let kind = v1::ItemsCause {
                running: field::count(*running),
                waiting: field::count(*waiting),
                concurrency: field::count(*concurrency),
            };
            (text, Kind::Items(kind))
        }
        CauseKind::Join {
            needed,
            arrived,
            missing,
        } => join(*needed, arrived, missing),
        CauseKind::Unknown => {
            let text = "nothing is known that would move it on: a fault of the server, which \
                        loads it again by itself";
            (text.to_owned(), Kind::Unknown(v1::UnknownCause {}))
        }
    }
}

fn of_timer(timer: TimerKind, attempt: u32, until: &str) -> (String, Kind) {
    let text = match timer {
        TimerKind::WaitBefore => format!("begins at {until} (wait-before)"),
        TimerKind::WaitAfter => format!("ends at {until} (wait-after)"),
        TimerKind::Retry => format!("retry at {until}, which is attempt {attempt}"),
        TimerKind::Timeout => format!("gives up at {until} (timeout)"),
    };
    let kind = v1::TimerCause {
        kind: state::timer(timer).into(),
        attempt: field::count(attempt),
    };
    (text, Kind::Timer(kind))
}

fn action(task: Option<TaskId>, cause: &Cause, until: &str) -> (String, Kind) {
    let CauseKind::Action {
        number,
        name,
        runner,
        state: at,
        attempt,
        index,
    } = &cause.kind
    else {
        return (String::new(), Kind::Unknown(v1::UnknownCause {}));
    };
    let id = task.map(|task| ActionId {
        task,
        number: *number,
    });
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    let since = time(cause.since_us);
    let (who, runner) = match runner {
        Runner::External => (
            "which somebody outside completes",
            v1::ActionRunner::External,
        ),
        Runner::Worker => ("which a worker runs", v1::ActionRunner::Worker),
        Runner::Inline | Runner::Server | Runner::Child => {
            ("which the server runs", v1::ActionRunner::Server)
        }
    };
    let mut text = format!("waits for action {name} ({id}), {who}, since {since}");
    if *at == ActionState::Paused {
        text = format!("{text}; it is paused");
    }
    if !until.is_empty() {
        text = format!("{text}; the task gives up at {until}");
    }
    let kind = v1::ActionCause {
        action_execution_id: id,
        action_name: name.to_string(),
        runner: runner.into(),
        state: state::action(*at).into(),
        attempt: field::count(*attempt),
        item_index: field::count(*index),
        worker: None,
    };
    (text, Kind::Action(kind))
}

fn join(
    needed: u32,
    arrived: &[Arc<str>],
    missing: &[(Arc<str>, Option<TaskState>)],
) -> (String, Kind) {
    let names: Vec<String> = missing
        .iter()
        .map(|(name, state)| format!("{name} ({})", state.map_or("not created", |s| s.word())))
        .collect();
    let text = format!(
        "the join has {} of {needed} inbound tasks, missing {}",
        arrived.len(),
        names.join(", ")
    );
    let missing = missing.iter().map(|(name, at)| v1::MissingTask {
        task_name: name.to_string(),
        state: at.map_or(v1::TaskState::Unspecified, state::task).into(),
    });
    let kind = v1::JoinCause {
        needed: field::count(needed),
        arrived: field::strings(arrived),
        missing: missing.collect(),
    };
    (text, Kind::Join(kind))
}

/// A time as people read it.
pub(super) fn time(time_us: i64) -> String {
    let seconds = time_us.div_euclid(1_000_000);
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}
