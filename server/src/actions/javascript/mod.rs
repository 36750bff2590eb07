//! `std.javascript`, also called `std.js`: a script as an action.
//!
//! Each run has an engine of its own that knows the language and nothing else: no files, no
//! network, no modules. Time, memory and stack are limited. `values` takes the context in and the
//! result out; how large the limits are is left to the configuration.

mod error;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::{Data, Outcome};
use expr::Value;
use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt as _, Context, Ctx, Runtime};
use tokio::sync::Semaphore;

use super::config::Javascript as Config;
use error::Problem;

/// The name under which stacks show the script.
const SCRIPT: &str = "script";

/// Runs scripts.
pub(super) struct Javascript {
    config: Config,
    slots: Semaphore,
}

/// Tells a script that nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Javascript {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            slots: Semaphore::new(config.concurrency_max),
        }
    }

    /// Runs the action. If it is cancelled, the script is stopped.
    pub(super) async fn run(&self, input: &Value) -> Outcome {
        let failed = |problem: Problem| {
            Outcome::Error(Data::string(&format!("JavaScriptAction failed: {problem}")))
        };
        let Some(Value::Str(script)) = input.get("script") else {
            return failed(Problem::NoScript);
        };
        let context = input.get("context").unwrap_or_default();
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let stopped = Arc::new(AtomicBool::new(false));
        let _stop = StopOnDrop(stopped.clone());
        let config = self.config.clone();
        let run = move || {
            let value = evaluate(&script, &context, &config, &stopped)?;
            Data::from_value(value).map_err(|error| Problem::NoResult(error.to_string()))
        };
        match tokio::task::spawn_blocking(run).await {
            Ok(Ok(data)) => Outcome::Success(data),
            Ok(Err(problem)) => failed(problem),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// Runs the script in an engine of its own.
fn evaluate(
    script: &str,
    context: &Value,
    config: &Config,
    stopped: &Arc<AtomicBool>,
) -> Result<Value, Problem> {
    let set_up = |error: rquickjs::Error| Problem::NoEngine(error.to_string());
    let runtime = Runtime::new().map_err(set_up)?;
    runtime.set_memory_limit(config.memory_bytes_max);
    runtime.set_max_stack_size(config.stack_bytes_max);
    let late = Arc::new(AtomicBool::new(false));
    let end = Instant::now() + Duration::from_secs(config.timeout_s);
    runtime.set_interrupt_handler(Some(Box::new({
        let (late, stopped) = (late.clone(), stopped.clone());
        move || {
            if Instant::now() >= end {
                late.store(true, Ordering::Relaxed);
            }
            late.load(Ordering::Relaxed) || stopped.load(Ordering::Relaxed)
        }
    })));
    let engine = Context::full(&runtime).map_err(set_up)?;
    let result = engine.with(|js| run_in(&js, script, context));
    match result {
        Err(_) if late.load(Ordering::Relaxed) => Err(Problem::TimedOut {
            seconds: config.timeout_s,
        }),
        Err(Problem::OutOfMemory { .. }) => Err(Problem::OutOfMemory {
            bytes: config.memory_bytes_max,
        }),
        other => other,
    }
}

fn run_in(js: &Ctx<'_>, script: &str, context: &Value) -> Result<Value, Problem> {
    let thrown = |error| error::thrown(js, error);
    let given = values::give(js, context)?;
    js.globals().set("$", given).catch(js).map_err(thrown)?;
    let mut options = EvalOptions::default();
    // As in Mistral: names may be assigned that were never declared.
    options.strict = false;
    options.filename = Some(SCRIPT.into());
    // The body begins on the first line, so that lines are those of the script.
    let text = format!("(function () {{ {script}\n}})()");
    let result = js
        .eval_with_options(text, options)
        .catch(js)
        .map_err(thrown)?;
    values::take(js, &result)
}
