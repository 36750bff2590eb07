//! Workers, what they provide and what they report, between the wire and the desk.

use std::sync::Arc;
use std::time::Duration;

use engine::{Data, NextAttempt, Outcome, WorkerFailure};
use prost_types::Timestamp;
use proto::v1::{self, PayloadFormat};
use uuid::Uuid;

use super::{field, payload};
use crate::api::fault::Fault;
use crate::dispatch::{
    Identity, LeaseNews, Limits, Offer, Offered, Opening, Parameter, Provided, QueueView, Report,
    Status, Subscription, WorkerKey, WorkerView,
};

/// Queue of workers that do not name one.
const QUEUE_DEFAULT: &str = "default";

/// Most queues, actions of a queue, and parameters of an action.
const QUEUES_MAX: usize = 100;
const ACTIONS_MAX: usize = 1_000;
const PARAMETERS_MAX: usize = 128;

/// Most tasks that one grant or poll asks for.
pub(crate) const TASKS_MAX: u32 = 10_000;
const POLLED_MAX: u32 = 1_000;

/// Most bytes of what an action says of its progress.
const PROGRESS_BYTES_MAX: usize = 64 << 10;

/// Most bytes of the stack of a failure, and most failures below one another.
const STACK_BYTES_MAX: usize = 16 << 10;
const CAUSES_MAX: usize = 8;

/// Prefix of the names that belong to the server.
const RESERVED: &str = "std.";

/// A worker by its id.
pub(crate) fn key(project: &str, id: &str) -> Result<WorkerKey, Fault> {
    let project = field::project(project)?;
    field::name("worker_id", id)?;
    match Uuid::try_parse(id) {
        Ok(id) => Ok(WorkerKey {
            project,
            id: id.hyphenated().to_string().into(),
        }),
        Err(_) => Err(Fault::field("worker_id", "must be a UUID")),
    }
}

/// The name of a queue.
pub(crate) fn queue(name: &str) -> Result<Arc<str>, Fault> {
    Ok(field::optional_name("queue", name)?.unwrap_or_else(|| QUEUE_DEFAULT.into()))
}

/// A stream that begins.
pub(crate) fn hello(hello: &v1::Hello) -> Result<Opening, Fault> {
    let bytes_max = u64::try_from(hello.max_outstanding_bytes);
    let bytes_max = bytes_max
        .map_err(|_| Fault::field("hello.max_outstanding_bytes", "must not be negative"))?;
    Ok(Opening {
        tasks_max: u32::MAX,
        bytes_max,
        is_stream: true,
        ..opening(&hello.project, hello.worker.as_ref(), &hello.queues, None)?
    })
}

/// A poll that begins, and how long it waits.
pub(crate) fn poll(request: &v1::PollTasksRequest) -> Result<(Opening, Option<Duration>), Fault> {
    let tasks_max = match u32::try_from(request.max_tasks) {
        Ok(0) => 1,
        Ok(count) if count <= POLLED_MAX => count,
        _ => return Err(Fault::field("max_tasks", "must be between 0 and 1000")),
    };
    let wait = field::duration("wait", request.wait)?;
    let worker = request.worker.as_ref();
    let opening = opening(&request.project, worker, &request.queues, Some(tasks_max))?;
    Ok((
        Opening {
            tasks_max,
            ..opening
        },
        wait,
    ))
}

fn opening(
    project: &str,
    worker: Option<&v1::WorkerIdentity>,
    queues: &[v1::QueueSubscription],
    credits: Option<u32>,
) -> Result<Opening, Fault> {
    let worker = worker.ok_or_else(|| Fault::field("worker", "is required"))?;
    if queues.is_empty() || queues.len() > QUEUES_MAX {
        let count = queues.len();
        let description = format!("must have 1 to {QUEUES_MAX} queues, not {count}");
        return Err(Fault::field("queues", description));
    }
    let subscriptions = queues.iter().map(|queue| subscription(queue, credits));
    Ok(Opening {
        worker: key(project, &worker.worker_id)?,
        identity: identity(worker)?,
        subscriptions: subscriptions.collect::<Result<_, _>>()?,
        tasks_max: 0,
        bytes_max: 0,
        is_stream: false,
    })
}

fn identity(worker: &v1::WorkerIdentity) -> Result<Identity, Fault> {
    let text = |name, text| {
        let text = field::optional_name(name, text)?;
        Ok::<_, Fault>(text.unwrap_or_else(|| "".into()))
    };
    let labels = field::labels(worker.labels.clone().into_iter().collect())?;
    let labels = labels
        .into_iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    Ok(Identity {
        name: text("worker.identity", &worker.identity)?,
        sdk: text("worker.sdk", &worker.sdk)?,
        build_id: text("worker.build_id", &worker.build_id)?,
        labels: labels.collect(),
    })
}

fn subscription(
    given: &v1::QueueSubscription,
    credits: Option<u32>,
) -> Result<Subscription, Fault> {
    let count = given.actions.len();
    if count == 0 || count > ACTIONS_MAX {
        let description = format!("must have 1 to {ACTIONS_MAX} actions, not {count}");
        return Err(Fault::field("queues.actions", description));
    }
    let granted = u32::try_from(given.credits)
        .ok()
        .filter(|count| *count <= TASKS_MAX);
    let description = format!("must be between 0 and {TASKS_MAX}");
    let granted = granted.ok_or_else(|| Fault::field("queues.credits", description))?;
    let actions = given.actions.iter().map(provided);
    Ok(Subscription {
        queue: queue(&given.queue)?,
        actions: actions.collect::<Result<_, _>>()?,
        credits: credits.unwrap_or(granted),
    })
}

fn provided(action: &v1::WorkerAction) -> Result<Offered, Fault> {
    let name = field::name("queues.actions.name", &action.name)?;
    if name.starts_with(RESERVED) {
        let description = format!("must not begin with {RESERVED:?}, as {name:?} does");
        return Err(Fault::field("queues.actions.name", description));
    }
    if action.input.len() > PARAMETERS_MAX {
        let description = format!("must have at most {PARAMETERS_MAX} parameters");
        return Err(Fault::field("queues.actions.input", description));
    }
    let micros = |name, given| {
        let time = field::duration(name, given)?.filter(|time| !time.is_zero());
        Ok::<_, Fault>(time.map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX)))
    };
    let parameters = action.input.iter().map(|parameter| {
        let default = parameter.default_value.clone();
        let default = default.map(|value| payload::any("default_value", Some(value), 64 << 10));
        let default = default.transpose()?;
        Ok::<_, Fault>(Parameter {
            name: field::name("queues.actions.input.name", &parameter.name)?.to_string(),
            required: parameter.required,
            default_json: default.map(|value| value.text().to_string()),
        })
    });
    let provided = Provided {
        description: field::text("queues.actions.description", &action.description)?.to_string(),
        input: parameters.collect::<Result<_, _>>()?,
        start_to_close_us: micros("start_to_close_timeout", action.start_to_close_timeout)?,
        schedule_to_start_us: micros(
            "schedule_to_start_timeout",
            action.schedule_to_start_timeout,
        )?,
        heartbeat_us: micros("heartbeat_timeout", action.heartbeat_timeout)?,
    };
    let version = field::optional_name("queues.actions.version", &action.version)?;
    Ok(Offered {
        name,
        version: version.unwrap_or_default(),
        provided: Arc::new(provided),
    })
}

/// What actions say of their progress.
pub(crate) fn heartbeats(
    tasks: Vec<v1::TaskHeartbeat>,
) -> Result<Vec<(String, Option<Data>)>, Fault> {
    let tasks = tasks.into_iter().map(|task| {
        let progress = task.progress;
        let progress =
            progress.map(|value| payload::any("progress", Some(value), PROGRESS_BYTES_MAX));
        Ok((task.token, progress.transpose()?))
    });
    tasks.collect()
}

/// A result.
pub(crate) fn result(given: Option<v1::Payload>, bytes_max: usize) -> Result<Report, Fault> {
    let outcome = Outcome::Success(payload::any("result", given, bytes_max)?);
    Ok(Report::End {
        outcome,
        failure: None,
        next_attempt: None,
    })
}

/// A failure.
pub(crate) fn failure(given: v1::TaskFailure, bytes_max: usize) -> Result<Report, Fault> {
    let mut wire = given.failure.unwrap_or_default();
    let details = wire.details.take();
    let failure = worker_failure(wire, CAUSES_MAX);
    let error = if details.is_some() {
        payload::any("failure.details", details, bytes_max)?
    } else if failure.message.is_empty() {
        Data::string(&failure.kind)
    } else {
        Data::string(&failure.message)
    };
    let after = field::duration("failure.retry_after", given.retry_after)?;
    let after = after.map(|after| i64::try_from(after.as_micros()).unwrap_or(i64::MAX));
    let next_attempt = match (given.non_retryable, after) {
        (true, _) => Some(NextAttempt::Never),
        (false, Some(micros)) => Some(NextAttempt::After(micros)),
        (false, None) => None,
    };
    Ok(Report::End {
        outcome: Outcome::Error(error),
        failure: Some(failure),
        next_attempt,
    })
}

/// A failure as a worker says it; what is too long is cut, since nobody could say it shorter.
fn worker_failure(wire: v1::Failure, deep: usize) -> WorkerFailure {
    let cut = |text: &str, bytes_max| engine::limits::truncate(text, bytes_max).into();
    let cause = wire.cause.filter(|_| deep > 1);
    WorkerFailure {
        kind: cut(&wire.r#type, field::NAME_BYTES_MAX),
        message: cut(&wire.message, field::TEXT_BYTES_MAX),
        stack: cut(&wire.stack, STACK_BYTES_MAX),
        cause: cause.map(|cause| Box::new(worker_failure(*cause, deep - 1))),
    }
}

/// A failure on the wire.
pub(crate) fn wire_failure(failure: &WorkerFailure) -> v1::Failure {
    v1::Failure {
        r#type: failure.kind.to_string(),
        message: failure.message.to_string(),
        stack: failure.stack.to_string(),
        details: None,
        cause: failure
            .cause
            .as_deref()
            .map(|cause| Box::new(wire_failure(cause))),
        limit: None,
    }
}

/// A task on the wire.
pub(crate) fn task(offer: &Offer) -> v1::WorkerTask {
    let dispatch = &offer.dispatch;
    let task_id = dispatch.action.task;
    v1::WorkerTask {
        token: offer.token.clone(),
        action: dispatch.name.to_string(),
        input: Some(payload::wire(&dispatch.input, PayloadFormat::Json)),
        queue: offer.queue.to_string(),
        attempt: field::count(dispatch.attempt),
        delivery: field::count(offer.delivery),
        idempotency_key: format!("{task_id}-i{}", dispatch.index),
        progress: payload::wire_optional(offer.progress.as_ref(), PayloadFormat::Json),
        schedule_time: Some(field::timestamp(dispatch.created_us)),
        lease_expire_time: Some(field::timestamp(offer.expires_us)),
        deadline: offer.deadline_us.map(field::timestamp),
        heartbeat_timeout: offer.silence_us.map(wire_duration),
        project: dispatch.project.to_string(),
        execution_uid: task_id.execution.to_string(),
        workflow_name: dispatch.workflow_name.to_string(),
        task_name: dispatch.task_name.to_string(),
        task_execution_id: task_id.to_string(),
        action_execution_id: dispatch.action.to_string(),
        item_index: field::count(dispatch.index),
        required_version: field::optional(dispatch.version.as_ref()),
        affinity_key: field::optional(dispatch.affinity.as_ref()),
    }
}

/// What became of a lease, on the wire.
pub(crate) fn lease(news: LeaseNews) -> v1::TaskHeartbeatResult {
    let (status, until) = match news.status {
        Status::Held(until) => (v1::LeaseStatus::Held, Some(until)),
        Status::Cancelled(until) => (v1::LeaseStatus::CancelRequested, Some(until)),
        Status::Lost => (v1::LeaseStatus::Lost, None),
    };
    v1::TaskHeartbeatResult {
        token: news.token,
        status: status.into(),
        lease_expire_time: until.map(field::timestamp),
        reason: news.reason.to_owned(),
    }
}

/// A worker on the wire.
pub(crate) fn worker(view: WorkerView) -> v1::Worker {
    let versions = view
        .actions
        .iter()
        .filter(|(_, version)| !version.is_empty());
    let versions = versions.map(|(name, version)| (name.to_string(), version.to_string()));
    v1::Worker {
        project: view.key.project.to_string(),
        worker: Some(v1::WorkerIdentity {
            worker_id: view.key.id.to_string(),
            identity: view.identity.name.to_string(),
            sdk: view.identity.sdk.to_string(),
            build_id: view.identity.build_id.to_string(),
            labels: view.identity.labels.into_iter().collect(),
        }),
        queues: field::strings(&view.queues),
        actions: view.actions.keys().map(ToString::to_string).collect(),
        action_versions: versions.collect(),
        connected: view.connected,
        draining: view.drained,
        leased: field::count(view.leased),
        credits: field::count(view.credits),
        create_time: Some(field::timestamp(view.created_us)),
        last_seen_time: Some(field::timestamp(view.seen_us)),
    }
}

/// A queue on the wire.
pub(crate) fn wire_queue(view: &QueueView) -> v1::Queue {
    let actions = view.settings.actions.iter();
    let action_limits = actions.map(|(name, limits)| (name.to_string(), wire_limits(*limits)));
    v1::Queue {
        project: view.project.to_string(),
        queue: view.name.to_string(),
        paused: view.settings.paused,
        limits: Some(wire_limits(view.settings.limits)),
        action_limits: action_limits.collect(),
        backlog: i64::try_from(view.backlog).unwrap_or(i64::MAX),
        oldest_schedule_time: view.oldest_us.map(field::timestamp),
        leased: field::count(view.leased),
        workers: field::count(view.workers),
        tasks_per_second: view.per_second,
        etag: view.revision.to_string(),
    }
}

fn wire_limits(limits: Limits) -> v1::QueueLimits {
    v1::QueueLimits {
        concurrency: field::count(limits.concurrency),
        rate_per_second: limits.rate,
        burst: field::count(limits.burst),
    }
}

/// Limits of a queue.
pub(crate) fn limits(place: &str, given: &v1::QueueLimits) -> Result<Limits, Fault> {
    let refuse =
        |part: &str, description: &str| Err(Fault::field(format!("{place}.{part}"), description));
    let rate = given.rate_per_second;
    // One in a year is as good as a pause.
    let is_rate = rate == 0.0 || (1e-8..=1e6).contains(&rate);
    if !is_rate {
        return refuse(
            "rate_per_second",
            "must be 0, or between 0.00000001 and 1000000",
        );
    }
    let Ok(concurrency) = u32::try_from(given.concurrency) else {
        return refuse("concurrency", "must not be negative");
    };
    let Ok(burst) = u32::try_from(given.burst) else {
        return refuse("burst", "must not be negative");
    };
    Ok(Limits {
        concurrency,
        rate,
        burst,
    })
}

/// An action that workers provide, on the wire.
pub(crate) fn action(project: &str, name: &str, known: &crate::dispatch::Known) -> v1::Action {
    let provided = &known.provided;
    let input = provided.input.iter().map(|parameter| {
        let default = parameter.default_json.clone().map(Data::from_stored);
        v1::InputParameter {
            name: parameter.name.clone(),
            required: parameter.required,
            default_value: payload::wire_optional(default.as_ref(), PayloadFormat::Json),
        }
    });
    v1::Action {
        project: project.to_owned(),
        name: name.to_owned(),
        kind: v1::ActionKind::Worker.into(),
        description: provided.description.clone(),
        input: input.collect(),
        create_time: Some(field::timestamp(known.created_us)),
        update_time: Some(field::timestamp(known.updated_us)),
        ..v1::Action::default()
    }
}

/// A time on the wire.
pub(crate) fn wire_duration(micros: i64) -> prost_types::Duration {
    let micros = u64::try_from(micros).unwrap_or(0);
    let duration = prost_types::Duration::try_from(Duration::from_micros(micros));
    duration.unwrap_or_default()
}

/// Seconds of the configuration on the wire.
pub(crate) fn wire_seconds(seconds: f64) -> prost_types::Duration {
    let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    prost_types::Duration::try_from(duration).unwrap_or_default()
}

/// A time so far from now, on the wire.
pub(crate) fn wire_deadline(now_us: i64, after: Duration) -> Timestamp {
    let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
    field::timestamp(now_us.saturating_add(micros))
}
