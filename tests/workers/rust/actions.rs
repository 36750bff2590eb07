//! What the actions of the scenarios do.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use autan::{ActionContext, ActionError, Cancelled, Client, Deferred, Worker, WorkerAction};
use serde::Deserialize;
use serde_json::{Number, Value, json};

/// How often a file is looked for.
const FILE_PAUSE: Duration = Duration::from_millis(20);

/// An error that passes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Flaky(String);

/// An error with a cause.
#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] Inner);

/// The cause of an error.
#[derive(Debug, thiserror::Error)]
#[error("inner")]
struct Inner;

#[derive(Deserialize)]
struct Echo {
    value: Value,
}

#[derive(Deserialize)]
struct Add {
    a: Number,
    b: Number,
}

#[derive(Deserialize)]
struct SumList {
    items: Vec<Number>,
}

#[derive(Deserialize)]
struct FailNTimes {
    n: i32,
    #[serde(default = "flaky")]
    message: String,
}

fn flaky() -> String {
    "flaky".to_owned()
}

#[derive(Deserialize)]
struct Never {
    #[serde(default = "never")]
    message: String,
}

fn never() -> String {
    "never".to_owned()
}

#[derive(Deserialize)]
struct RetryAfter {
    seconds: f64,
}

#[derive(Deserialize)]
struct Slow {
    seconds: f64,
    heartbeat_every: f64,
}

#[derive(Deserialize)]
struct Block {
    file: String,
}

#[derive(Deserialize)]
struct Big {
    bytes: usize,
}

/// Adds all actions to a worker.
pub(crate) fn provide(worker: Worker, client: &Client) -> Worker {
    provide_calls(provide_ends(provide_values(worker)), client)
        .register(
            WorkerAction::new("test.slow", slow)
                .input("seconds")
                .input("heartbeat_every"),
        )
        .action("test.until_cancelled", until_cancelled)
        .register(
            WorkerAction::blocking("test.block", |input, cx| block(&input, &cx)).input("file"),
        )
}

fn provide_values(worker: Worker) -> Worker {
    let echo = WorkerAction::new("test.echo", |input: Echo, _: ActionContext| async move {
        Ok(input.value)
    });
    let add = WorkerAction::new("test.add", |input: Add, _: ActionContext| async move {
        Ok(sum(&[input.a, input.b]))
    });
    let sum_list = WorkerAction::new(
        "test.sum_list",
        |input: SumList, _: ActionContext| async move { Ok(sum(&input.items)) },
    );
    let big = WorkerAction::new("test.big", |input: Big, _: ActionContext| async move {
        Ok("x".repeat(input.bytes))
    });
    worker
        .register(echo.input("value"))
        .register(add.input("a").input("b"))
        .register(sum_list.input("items"))
        .register(big.input("bytes"))
        .action("test.context", context)
        .register(
            WorkerAction::new("test.where", context)
                .queue("second")
                .version("2"),
        )
}

async fn context((): (), cx: ActionContext) -> Result<Value, ActionError> {
    let mut info = serde_json::to_value(cx.info())?;
    let fields = info.as_object_mut().expect("it is written as an object");
    for name in ["token", "schedule_time", "deadline"] {
        fields.shift_remove(name);
    }
    Ok(info)
}

fn provide_ends(worker: Worker) -> Worker {
    let fail = |input: FailNTimes, cx: ActionContext| async move {
        if cx.attempt() <= input.n {
            return Err(Flaky(input.message).into());
        }
        Ok(json!({"attempt": cx.attempt()}))
    };
    let never = |input: Never, _: ActionContext| async move {
        let error = ActionError::non_retryable(input.message);
        Err::<(), _>(error.with_type("NonRetryable"))
    };
    let later = |input: RetryAfter, cx: ActionContext| async move {
        if cx.attempt() == 1 {
            let delay = Duration::try_from_secs_f64(input.seconds)?;
            return Err(ActionError::retry_after(delay, "not yet").with_type("RetryAfter"));
        }
        Ok(cx.attempt())
    };
    let fail = WorkerAction::new("test.fail_n_times", fail);
    let never = WorkerAction::new("test.non_retryable", never);
    let later = WorkerAction::new("test.retry_after", later);
    worker
        .register(fail.input("n").input_or("message", "flaky"))
        .register(never.input_or("message", "never"))
        .register(later.input("seconds"))
        .action("test.raise_with_cause", |(), _| async {
            Err::<(), _>(Outer(Inner).into())
        })
        .action("test.deferred", |(), _| async { Ok(Deferred) })
        .action("test.die", |(), cx: ActionContext| async move {
            if cx.delivery() == 1 {
                process::exit(9);
            }
            Ok(json!({"delivery": cx.delivery()}))
        })
}

/// Actions that end their tasks by calls.
fn provide_calls(worker: Worker, client: &Client) -> Worker {
    let (by_call, too_late) = (client.clone(), client.clone());
    let twice = move |(), cx: ActionContext| {
        let client = by_call.clone();
        async move {
            for _ in 0..2 {
                client.complete_task(&cx.info().token, "by call").await?;
            }
            Ok("by return")
        }
    };
    let late = move |input: Block, cx: ActionContext| {
        let client = too_late.clone();
        async move {
            while !Path::new(&input.file).exists() {
                tokio::time::sleep(FILE_PAUSE).await;
            }
            let answer = client.complete_task(&cx.info().token, "late").await;
            let refusal = answer.as_ref().err();
            let reason = refusal.and_then(|error| error.reason());
            let reason = reason.map_or("", |reason| reason.as_str());
            note(format!("late {reason}").trim_end())?;
            Ok("late")
        }
    };
    worker
        .action("test.complete_twice", twice)
        .register(WorkerAction::new("test.late", late).input("file"))
}

/// Appends a line to the log of the scenario, if it wants one.
fn log() -> Option<PathBuf> {
    let path = env::var_os("AUTAN_TEST_LOG").filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// Says that an action runs.
fn begun() -> io::Result<()> {
    let path = log().map(|path| path.with_extension("begun"));
    path.map_or(Ok(()), |path| std::fs::write(path, ""))
}

fn note(line: &str) -> io::Result<()> {
    let Some(path) = log() else {
        return Ok(());
    };
    let mut log = OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(log, "{line}")
}

/// Adds exactly, as long as all are integers.
fn sum(items: &[Number]) -> Value {
    let whole = items
        .iter()
        .try_fold(0_i64, |sum, item| sum.checked_add(item.as_i64()?));
    if let Some(whole) = whole {
        return json!(whole);
    }
    let total: f64 = items.iter().filter_map(Number::as_f64).sum();
    json!(total)
}

async fn slow(input: Slow, cx: ActionContext) -> Result<Value, ActionError> {
    let every = Duration::try_from_secs_f64(input.heartbeat_every)?;
    let earlier: Option<Value> = cx.progress()?;
    let mut steps = 0;
    while steps == 0 || f64::from(steps) * input.heartbeat_every < input.seconds {
        tokio::select! {
            cause = cx.cancelled() => return Err(cause.into()),
            () = tokio::time::sleep(every) => {}
        }
        steps += 1;
        cx.heartbeat(&json!({"step": steps}))?;
    }
    Ok(json!({"steps": steps, "earlier": earlier}))
}

async fn until_cancelled((): (), cx: ActionContext) -> Result<(), ActionError> {
    begun()?;
    let cause = cx.cancelled().await;
    if matches!(cause, Cancelled::Requested { .. }) {
        note(&format!("cancelled {}", cx.idempotency_key()))?;
    }
    Err(cause.into())
}

fn block(input: &Block, cx: &ActionContext) -> Result<String, ActionError> {
    begun()?;
    loop {
        match std::fs::read_to_string(Path::new(&input.file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            text => return Ok(text?),
        }
        if let Some(cause) = cx.cancel_cause() {
            return Err(cause.into());
        }
        std::thread::sleep(FILE_PAUSE);
    }
}
