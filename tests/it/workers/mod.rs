//! Workers in every language against the real server: the same is seen of each.
//!
//! Owns the scenarios of workers: what tasks call, what is done to worker and server meanwhile, and
//! what is seen in the end. The programs are in `tests/workers`; they know nothing of this.

mod ends;
mod network;
pub(crate) mod program;
mod soak;
mod stdio;

use std::path::Path;
use std::time::Duration;

use e2e::api::{Api, value};
use e2e::server::{Options, TestServer};
use proto::v1;
use proto::v1::history_event::Event;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::support::{Findings, PATIENCE};
use program::{Language, Program};

/// Leases are short, so that what depends on their end does not take long.
const CONFIG: &str = "[workers]\nlease_duration_s = 1.5\nheartbeat_interval_s = 0.4\n";

/// Executions that are under way or wait while a worker is told to end.
const LOAD: usize = 30;

/// A task, and what is seen of its execution in the end. FILE stands for a path that is not there.
struct Case {
    name: &'static str,
    task: &'static str,
    expected: fn() -> Value,
}

/// What needs nothing but a worker.
const PLAIN: &[Case] = &[
    Case {
        name: "echo",
        task: r#"{action: test.echo, input: {value: {a: [1, "x", null, 1.5, 9007199254740993]}}}"#,
        expected: || good(&json!({"a": [1, "x", null, 1.5, 9_007_199_254_740_993_i64]})),
    },
    Case {
        name: "add",
        task: "{action: test.add, input: {a: 2, b: 3}}",
        expected: || good(&json!(5)),
    },
    Case {
        name: "sum_list",
        task: "{action: test.sum_list, input: {items: [1, 2, 3, 4]}}",
        expected: || good(&json!(10)),
    },
    Case {
        name: "fail_n_times",
        task: "{action: test.fail_n_times, input: {n: 2, message: again}, retry: count=3 delay=0}",
        expected: || seen("SUCCESS", &json!({"attempt": 3}), &Value::Null, 3, &[]),
    },
    Case {
        name: "too_often",
        task: "{action: test.fail_n_times, input: {n: 5, message: again}, retry: count=1 delay=0}",
        expected: || {
            let failure = json!({"type": "Flaky", "message": "again", "cause": null});
            seen("ERROR", &Value::Null, &failure, 2, &[])
        },
    },
    Case {
        name: "slow with heartbeats",
        task: "{action: test.slow, input: {seconds: 1.0, heartbeat_every: 0.25}, heartbeat: 20}",
        expected: || good(&json!({"steps": 4, "earlier": null})),
    },
    Case {
        name: "non_retryable",
        task: "{action: test.non_retryable, input: {message: never}, retry: {count: 3, delay: 0}}",
        expected: || {
            let failure = json!({"type": "NonRetryable", "message": "never", "cause": null});
            seen("ERROR", &Value::Null, &failure, 1, &[])
        },
    },
    Case {
        name: "retry_after",
        // If the delay of the policy counted, it would take too long.
        task: "{action: test.retry_after, input: {seconds: 0.2}, retry: {count: 2, delay: 3600}}",
        expected: || seen("SUCCESS", &json!(2), &Value::Null, 2, &[]),
    },
    Case {
        name: "retry_after without retry",
        task: "{action: test.retry_after, input: {seconds: 0.2}}",
        expected: || {
            let failure = json!({"type": "RetryAfter", "message": "not yet", "cause": null});
            seen("ERROR", &Value::Null, &failure, 1, &[])
        },
    },
    Case {
        name: "cause",
        task: "{action: test.raise_with_cause}",
        expected: || {
            let cause = json!({"type": "Inner", "message": "inner"});
            let failure = json!({"type": "Outer", "message": "outer", "cause": cause});
            seen("ERROR", &Value::Null, &failure, 1, &[])
        },
    },
    Case {
        name: "wrong_input",
        task: "{action: test.add, input: {a: 2}, retry: {count: 3, delay: 0}}",
        expected: || {
            let failure = json!({"type": "InvalidInput", "message": "…", "cause": null});
            seen("ERROR", &Value::Null, &failure, 1, &[])
        },
    },
];

fn good(result: &Value) -> Value {
    seen("SUCCESS", result, &Value::Null, 1, &[])
}

/// What is seen: state, result, failure of the last attempt, attempts, and why leases were lost.
fn seen(state: &str, result: &Value, failure: &Value, attempts: usize, lost: &[&str]) -> Value {
    json!({
        "state": state, "result": result, "failure": failure, "attempts": attempts, "lost": lost,
    })
}

#[tokio::test]
async fn workers_are_the_same_in_every_language() {
    let scratch = tempfile::tempdir().unwrap();
    let languages = Language::all(scratch.path()).await;
    let runs = languages.into_iter().map(|language| {
        tokio::spawn(async move {
            let mut bench = Bench::start(language).await;
            bench.plain().await;
            bench.cancelled().await;
            bench.deferred().await;
            bench.completed_twice().await;
            bench.completed_late().await;
            bench.undone_too_slowly().await;
            bench.died().await;
            bench.killed().await;
            bench.drained().await;
            bench.drained_under_load().await;
            bench.server_killed().await;
            bench.findings
        })
    });
    let mut findings = Findings::default();
    for run in runs.collect::<Vec<_>>() {
        findings.extend(run.await.unwrap());
    }
    findings.none();
}

/// One language with a server of its own.
struct Bench {
    language: Language,
    server: TestServer,
    api: Api,
    scratch: tempfile::TempDir,
    findings: Findings,
    started: u32,
}

impl Bench {
    async fn start(language: Language) -> Self {
        Self::start_with(language, CONFIG).await
    }

    async fn start_with(language: Language, config: &str) -> Self {
        let options = Options {
            config: Some(config.to_owned()),
            ..Options::default()
        };
        let server = TestServer::start_with(options).await.unwrap();
        let api = server.api("workers");
        Self {
            language,
            server,
            api,
            scratch: tempfile::tempdir().unwrap(),
            findings: Findings::default(),
            started: 0,
        }
    }

    async fn worker(&self) -> Program {
        let log = self.scratch.path().join("log");
        Program::start(&self.language, self.server.address(), "workers", &log).await
    }

    /// Starts a workflow of one task.
    async fn run(&mut self, task: &str) -> String {
        self.started += 1;
        let name = format!("w{}", self.started);
        let source = format!(
            "version: '2.0'
{name}:
  output: {{got: <% task(t).result %>}}
  tasks:
    t: {task}
"
        );
        self.api.create_workflow(&source).await.unwrap();
        self.api.start(&name, &json!({})).await.unwrap().uid
    }

    /// A task that waits for a file, and that file.
    async fn block(&mut self) -> (String, std::path::PathBuf) {
        let file = self.scratch.path().join(format!("go{}", self.started));
        let path = serde_json::to_string(file.to_str().unwrap()).unwrap();
        let task = format!("{{action: test.block, input: {{file: {path}}}}}");
        let execution = self.run_until_begun(&task).await;
        (execution, file)
    }

    /// Starts a workflow of one task whose action says when it has begun, and waits for that: what
    /// a worker was sent and has not begun goes to another one when it ends.
    async fn run_until_begun(&mut self, task: &str) -> String {
        let begun = self.scratch.path().join("log.begun");
        let _ = std::fs::remove_file(&begun);
        let execution = self.run(task).await;
        let mut ticks = interval(Duration::from_millis(20));
        let deadline = Instant::now() + PATIENCE;
        while !begun.exists() {
            ticks.tick().await;
            assert!(Instant::now() < deadline, "no worker begins the action");
        }
        execution
    }

    /// Waits until a worker has the action of an execution.
    async fn taken(&self, execution: &str) -> v1::ActionExecution {
        let mut ticks = interval(Duration::from_millis(20));
        let deadline = Instant::now() + PATIENCE;
        loop {
            ticks.tick().await;
            let actions = self.actions(execution).await;
            let held = actions.into_iter().find(|action| action.lease.is_some());
            if let Some(action) = held {
                return action;
            }
            assert!(Instant::now() < deadline, "no worker takes the action");
        }
    }

    async fn actions(&self, execution: &str) -> Vec<v1::ActionExecution> {
        let parent = v1::list_action_executions_request::Parent::ExecutionId(execution.to_owned());
        self.api.list_actions(parent).await.unwrap()
    }

    /// What is seen of an execution in the end.
    async fn seen(&self, execution: &str) -> Value {
        let finished = match self.api.finished(execution, PATIENCE).await {
            Ok(finished) => finished,
            Err(error) => panic!(
                "{}: {error}: {}",
                self.language.name(),
                self.why(execution).await
            ),
        };
        let state = finished.state().as_str_name();
        let actions = self.actions(execution).await;
        let failure = actions.last().and_then(|action| action.failure.as_ref());
        let short = |failure: &v1::Failure| {
            let message = match &*failure.r#type {
                // Each language has its own words for these.
                "InvalidInput" => "…",
                _ => &failure.message,
            };
            json!({"type": failure.r#type, "message": message})
        };
        let failure = failure.map_or(Value::Null, |failure| {
            let mut shown = short(failure);
            shown["cause"] = failure.cause.as_deref().map_or(Value::Null, short);
            shown
        });
        let result = match finished.state() {
            v1::ExecutionState::Success => value(finished.output.as_ref()).unwrap()["got"].clone(),
            _ => Value::Null,
        };
        let history = self.api.history(execution).await.unwrap();
        let lost = history.iter().filter_map(|event| match &event.event {
            Some(Event::ActionLeaseLost(lost)) => Some(lost.reason().as_str_name()),
            _ => None,
        });
        let lost: Vec<&str> = lost
            .map(|name| name.trim_start_matches("LEASE_LOSS_"))
            .collect();
        let state = state.trim_start_matches("EXECUTION_STATE_");
        seen(state, &result, &failure, actions.len(), &lost)
    }

    /// Why an execution is not finished.
    async fn why(&self, execution: &str) -> String {
        let request = v1::ExplainExecutionRequest {
            project: self.api.project(),
            execution_id: execution.to_owned(),
            ..Default::default()
        };
        let explained = self.api.executions().explain_execution(request).await;
        let causes = explained.map(|answer| answer.into_inner().causes);
        let texts = causes.map(|causes| causes.into_iter().map(|cause| cause.text).collect());
        texts.map_or_else(
            |error| error.to_string(),
            |texts: Vec<String>| texts.join("; "),
        )
    }

    fn compare(&mut self, name: &str, seen: &Value, expected: &Value) {
        let language = self.language.name();
        let what = format!("{language} {name}: {seen}\n  wanted {expected}");
        self.findings.holds(&what, seen == expected);
    }

    async fn plain(&mut self) {
        let worker = self.worker().await;
        let mut started = Vec::new();
        for case in PLAIN {
            started.push((case, self.run(case.task).await));
        }
        for (case, execution) in started {
            let seen = self.seen(&execution).await;
            self.compare(case.name, &seen, &(case.expected)());
        }
        // A result of a megabyte, less what stands around it.
        let execution = self
            .run("{action: test.big, input: {bytes: 1000000}}")
            .await;
        let seen = self.seen(&execution).await;
        let length = seen["result"].as_str().map(str::len);
        self.compare("big", &json!(length), &json!(1_000_000));
        self.context().await;
        self.second_queue().await;
        worker.terminate().await;
        let code = worker.ended().await;
        self.compare("drained without work", &json!(code), &json!(0));
    }

    /// The same worker serves another queue, and its function knows what was asked for.
    async fn second_queue(&mut self) {
        let task = "{action: test.where, target: second, action-version: '2', affinity-key: blue}";
        let execution = self.run(task).await;
        let seen = self.seen(&execution).await;
        let shown = &seen["result"];
        let keys = ["queue", "required_version", "affinity_key"];
        let shown = json!(keys.map(|key| shown[key].clone()));
        self.compare("second queue", &shown, &json!(["second", "2", "blue"]));
    }

    /// The function knows what it works for.
    async fn context(&mut self) {
        let execution = self.run("{action: test.context}").await;
        let seen = self.seen(&execution).await;
        let action = &self.actions(&execution).await[0];
        let shown = &seen["result"];
        for (key, expected) in [
            ("execution_uid", json!(execution)),
            ("task_name", json!("t")),
            ("task_execution_id", json!(action.task_execution_id)),
            ("action_execution_id", json!(action.action_execution_id)),
            ("attempt", json!(1)),
            ("delivery", json!(1)),
            ("item_index", json!(0)),
        ] {
            self.compare(&format!("context {key}"), &shown[key], &expected);
        }
        let key = shown["idempotency_key"].as_str().unwrap_or_default();
        let is_of_task = key.starts_with(&*action.task_execution_id);
        self.compare("context idempotency_key", &json!(is_of_task), &json!(true));
    }

    async fn cancelled(&mut self) {
        let worker = self.worker().await;
        let execution = self.run_until_begun("{action: test.until_cancelled}").await;
        let request = v1::CancelExecutionRequest {
            project: self.api.project(),
            execution_id: execution.clone(),
            ..Default::default()
        };
        self.api
            .executions()
            .cancel_execution(request)
            .await
            .unwrap();
        let log = until_written(&self.scratch.path().join("log")).await;
        let is_told = log.starts_with("cancelled ");
        self.compare("cancelled", &json!(is_told), &json!(true));
        let seen_ = self.seen(&execution).await;
        self.compare(
            "cancelled",
            &seen_,
            &seen("CANCELLED", &Value::Null, &Value::Null, 1, &[]),
        );
        worker.terminate().await;
        worker.ended().await;
    }

    async fn deferred(&mut self) {
        let worker = self.worker().await;
        let execution = self.run("{action: test.deferred}").await;
        let action = self.taken(&execution).await;
        let id = &action.action_execution_id;
        self.api.complete_action(id, &json!("later")).await.unwrap();
        let seen = self.seen(&execution).await;
        self.compare("deferred", &seen, &good(&json!("later")));
        worker.terminate().await;
        worker.ended().await;
    }

    /// The action ends its process; another one takes it over.
    async fn died(&mut self) {
        let first = self.worker().await;
        let execution = self.run("{action: test.die}").await;
        let code = first.ended().await;
        self.compare("died", &json!(code), &json!(9));
        let second = self.worker().await;
        let seen_ = self.seen(&execution).await;
        let expected = seen(
            "SUCCESS",
            &json!({"delivery": 2}),
            &Value::Null,
            1,
            &["EXPIRED"],
        );
        self.compare("died", &seen_, &expected);
        second.terminate().await;
        second.ended().await;
    }

    async fn killed(&mut self) {
        let mut first = self.worker().await;
        let (execution, file) = self.block().await;
        first.kill().await;
        let second = self.worker().await;
        put(&file, "go");
        let seen_ = self.seen(&execution).await;
        let expected = seen("SUCCESS", &json!("go"), &Value::Null, 1, &["EXPIRED"]);
        self.compare("killed", &seen_, &expected);
        second.terminate().await;
        second.ended().await;
    }

    /// A worker that is told to end finishes what it has, and takes nothing more.
    async fn drained(&mut self) {
        let worker = self.worker().await;
        let (execution, file) = self.block().await;
        worker.terminate().await;
        let waiting = self.run("{action: test.echo, input: {value: 1}}").await;
        put(&file, "go");
        let seen_ = self.seen(&execution).await;
        self.compare("drained", &seen_, &good(&json!("go")));
        let code = worker.ended().await;
        self.compare("drained", &json!(code), &json!(0));
        let next = self.worker().await;
        let seen_ = self.seen(&waiting).await;
        self.compare("after the drain", &seen_["result"], &json!(1));
        next.terminate().await;
        next.ended().await;
    }

    /// A worker is told to end while it has much to do, and another one comes: all is done, and
    /// nothing is done twice.
    async fn drained_under_load(&mut self) {
        let first = self.worker().await;
        let mut executions = Vec::new();
        for _ in 0..LOAD {
            let task = "{action: test.slow, input: {seconds: 0.4, heartbeat_every: 0.2}}";
            executions.push(self.run(task).await);
        }
        first.terminate().await;
        let second = self.worker().await;
        let expected = good(&json!({"steps": 2, "earlier": null}));
        for execution in executions {
            let seen = self.seen(&execution).await;
            self.compare("drained under load", &seen, &expected);
        }
        let code = first.ended().await;
        self.compare("drained under load", &json!(code), &json!(0));
        second.terminate().await;
        second.ended().await;
    }

    /// The server goes and comes back; the function runs on, and nobody runs it again.
    async fn server_killed(&mut self) {
        let worker = self.worker().await;
        let (execution, file) = self.block().await;
        self.server.kill().await.unwrap();
        self.server.restart().await.unwrap();
        put(&file, "go");
        let seen_ = self.seen(&execution).await;
        self.compare("server killed", &seen_, &good(&json!("go")));
        worker.terminate().await;
        worker.ended().await;
    }
}

/// Puts a file there with all of its text at once.
fn put(file: &Path, text: &str) {
    let draft = file.with_extension("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(&draft, file).unwrap();
}

/// Waits for a whole line in a file.
async fn until_written(path: &Path) -> String {
    let mut ticks = interval(Duration::from_millis(20));
    let deadline = Instant::now() + PATIENCE;
    loop {
        ticks.tick().await;
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => assert!(Instant::now() < deadline, "nothing is written"),
        }
    }
}
