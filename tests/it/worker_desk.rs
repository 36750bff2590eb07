//! Looking after workers and queues from the command line, with a worker that is there; and which
//! calls workers get first, and which not at all.

use std::process::Stdio;
use std::sync::Arc;

use autan::{ActionContext, Client, ExecutionHandle, Worker, WorkerAction};
use e2e::server::{TestServer, binary};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::PATIENCE;

const TURNS: &str = "
version: '2.0'
turn:
  input: [name]
  tasks:
    take:
      action: test.turn name=<% $.name %>
versioned:
  input: [version]
  output: {by: <% task(ask).result %>}
  tasks:
    ask:
      action: test.version
      action-version: <% $.version %>
";

/// A worker with one slot. Each of its tasks says its name, and waits until it may end.
struct Turns {
    server: TestServer,
    client: Client,
    names: mpsc::UnboundedReceiver<String>,
    may_end: Arc<Semaphore>,
    stop: oneshot::Sender<()>,
    job: JoinHandle<Result<(), autan::Error>>,
}

#[derive(Deserialize)]
struct Turn {
    name: String,
}

impl Turns {
    async fn start() -> Self {
        let server = TestServer::start_in_memory().await.unwrap();
        let client = Client::connect(server.address()).await.unwrap();
        client.workflows().create(TURNS).await.unwrap();
        let (told, names) = mpsc::unbounded_channel();
        let may_end = Arc::new(Semaphore::new(0));
        let gate = may_end.clone();
        let worker = Worker::new(&client, "default").max_tasks(1);
        let worker = worker.action("test.turn", move |turn: Turn, _: ActionContext| {
            let (told, gate) = (told.clone(), gate.clone());
            async move {
                let _ = told.send(turn.name);
                gate.acquire().await.unwrap().forget();
                Ok(())
            }
        });
        let mut health = worker.health();
        let (stop, stopped) = oneshot::channel::<()>();
        let job = tokio::spawn(worker.run_until(async {
            let _ = stopped.await;
        }));
        assert!(timeout(PATIENCE, health.connected()).await.unwrap());
        Self {
            server,
            client,
            names,
            may_end,
            stop,
            job,
        }
    }

    async fn begin(&self, name: &str, priority: i32) -> ExecutionHandle {
        let start = self.client.start("turn").input(&json!({"name": name}));
        let start = start.unwrap().params(&json!({"priority": priority}));
        start.unwrap().send().await.unwrap()
    }

    /// The next task that the worker has got.
    async fn next(&mut self) -> String {
        timeout(PATIENCE, self.names.recv()).await.unwrap().unwrap()
    }

    async fn end(self) {
        self.may_end.add_permits(100);
        drop(self.stop);
        timeout(PATIENCE, self.job).await.unwrap().unwrap().unwrap();
    }

    /// What a command prints as JSON: an object a line.
    async fn cli(&self, arguments: &[&str]) -> Vec<Value> {
        let output = Command::new(binary().unwrap())
            .args(["--json", "--server", self.server.address()])
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        let output = timeout(PATIENCE, output).await.unwrap().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        let lines = str::from_utf8(&output.stdout).unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[tokio::test]
async fn what_is_more_urgent_goes_first() {
    let mut turns = Turns::start().await;
    turns.begin("first", 0).await;
    assert_eq!(turns.next().await, "first");
    for (name, priority) in [("low", -5), ("usual", 0), ("high", 10), ("higher", 20)] {
        turns.begin(name, priority).await;
    }
    for expected in ["higher", "high", "usual", "low"] {
        turns.may_end.add_permits(1);
        assert_eq!(turns.next().await, expected);
    }
    turns.end().await;
}

#[tokio::test]
async fn workers_and_queues_are_looked_after_from_the_command_line() {
    let mut turns = Turns::start().await;
    turns.begin("held", 0).await;
    assert_eq!(turns.next().await, "held");
    let listed = turns.cli(&["worker", "list"]).await;
    let id = listed[0]["worker_id"].as_str().unwrap().to_owned();
    let worker = &turns.cli(&["worker", "get", &id]).await[0];
    for (field, expected) in [
        ("actions", json!(["test.turn"])),
        ("queues", json!(["default"])),
        ("connected", json!(true)),
        ("draining", json!(false)),
        ("leased", json!(1)),
    ] {
        assert_eq!(worker[field], expected, "{field}");
    }

    let paused = turns.cli(&["queue", "pause", "default"]).await;
    assert_eq!(paused[0]["paused"], json!(true));
    turns.begin("waits", 0).await;
    turns.may_end.add_permits(1);
    let queue = &turns.cli(&["queue", "get", "default"]).await[0];
    assert_eq!(
        (&queue["backlog"], &queue["workers"]),
        (&json!(1), &json!(1))
    );
    let listed = turns.cli(&["queue", "list"]).await;
    assert_eq!(listed[0]["queue"], json!("default"));
    let resumed = turns.cli(&["queue", "resume", "default"]).await;
    assert_eq!(resumed[0]["paused"], json!(false));
    assert_eq!(turns.next().await, "waits", "it goes on");

    let limit = [
        "queue",
        "limit",
        "default",
        "--concurrency",
        "3",
        "--rate",
        "2.5",
    ];
    let limited = turns.cli(&limit).await;
    let limits = &limited[0]["limits"];
    assert_eq!(
        (&limits["concurrency"], &limits["rate_per_second"]),
        (&json!(3), &json!(2.5))
    );
    turns
        .cli(&["worker", "drain", &id, "--reason", "a test"])
        .await;
    let drained = turns.cli(&["worker", "get", &id]).await;
    assert_eq!(drained[0]["draining"], json!(true));
    turns.begin("nobody", 0).await;
    turns.may_end.add_permits(1);
    let queue = &turns.cli(&["queue", "get", "default"]).await[0];
    assert_eq!(queue["backlog"], json!(1), "it gets nothing more");
    turns.end().await;
}

#[tokio::test]
async fn a_task_is_run_by_the_version_that_it_requires() {
    let turns = Turns::start().await;
    let run = |version: &'static str| {
        let start = turns.client.start("versioned");
        start.input(&json!({"version": version})).unwrap().send()
    };
    let waiting = run("2").await.unwrap();
    let why = waiting.explain().await.unwrap();
    assert!(!why.causes.is_empty());
    let mut jobs = Vec::new();
    for version in ["1", "2"] {
        let action = WorkerAction::new("test.version", move |(), _: ActionContext| async move {
            Ok(version)
        });
        let worker = Worker::new(&turns.client, "default").register(action.version(version));
        let mut health = worker.health();
        let (stop, stopped) = oneshot::channel::<()>();
        let job = tokio::spawn(worker.run_until(async {
            let _ = stopped.await;
        }));
        assert!(timeout(PATIENCE, health.connected()).await.unwrap());
        jobs.push((stop, job));
        if version == "1" {
            let why = waiting.explain().await.unwrap();
            let said = &why.causes[0].text;
            assert!(
                said.contains("of version 2: no worker provides it now"),
                "{said}"
            );
        }
    }
    let mut runs = vec![("2", waiting)];
    for version in ["1", "2", "1", "2"] {
        runs.push((version, run(version).await.unwrap()));
    }
    for (version, run) in runs {
        let output = timeout(PATIENCE, run.result::<Value>()).await.unwrap();
        assert_eq!(output.unwrap(), json!({"by": version}));
    }
    let listed = turns.cli(&["worker", "list"]).await;
    let mut versions: Vec<&Value> = listed
        .iter()
        .filter_map(|worker| worker["action_versions"].get("test.version"))
        .collect();
    versions.sort_by_key(ToString::to_string);
    assert_eq!(versions, [&json!("1"), &json!("2")]);
    for (stop, job) in jobs {
        drop(stop);
        timeout(PATIENCE, job).await.unwrap().unwrap().unwrap();
    }
    turns.end().await;
}
