//! Workers of the Rust SDK against the real server. What all languages have in common is shown by
//! the scenarios; here is what the SDK itself must be right about.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{ExitStatus, Stdio};

use autan::{
    ActionContext, ActionError, Client, Deferred, Error, ExecutionHandle, ExecutionState, Worker,
};
use e2e::server::TestServer;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::PATIENCE;

/// A worker that runs until the value is told to stop.
struct Job {
    stop: oneshot::Sender<()>,
    handle: JoinHandle<Result<(), Error>>,
}

impl Job {
    async fn start(worker: Worker) -> Self {
        let (stop, stopped) = oneshot::channel();
        let mut health = worker.health();
        let stopped = async {
            let _ = stopped.await;
        };
        let handle = tokio::spawn(worker.run_until(stopped));
        assert!(timeout(PATIENCE, health.connected()).await.unwrap());
        Self { stop, handle }
    }

    async fn stop(self) {
        drop(self.stop);
        timeout(PATIENCE, self.handle)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

/// A workflow of one task that calls an action, and gives its result.
async fn start(client: &Client, name: &str, task: &str) -> ExecutionHandle {
    let source = format!(
        "version: '2.0'
{name}:
  output: {{got: <% task(t).result %>}}
  tasks:
    t: {task}
"
    );
    let create = client.workflows().create(source);
    create.allow_existing().await.unwrap();
    client.start(name).send().await.unwrap()
}

async fn result(run: &ExecutionHandle) -> Result<Value, Error> {
    let output = timeout(PATIENCE, run.result::<Value>()).await;
    output
        .expect("it finishes")
        .map(|output| output["got"].clone())
}

#[derive(Deserialize)]
struct Reserve {
    sku: String,
}

/// Actions that end in every way; tokens of deferred ones are told.
fn shop(client: &Client, tokens: mpsc::UnboundedSender<String>) -> Worker {
    Worker::new(client, "default")
        .action(
            "stock.reserve",
            |input: Reserve, cx: ActionContext| async move {
                Ok(json!({"sku": input.sku, "task": cx.info().task_name}))
            },
        )
        .action("stock.flaky", |(), cx: ActionContext| async move {
            let earlier: Option<Value> = cx.progress()?;
            cx.heartbeat(&cx.attempt())?;
            if cx.attempt() < 3 {
                return Err(ActionError::new("not yet"));
            }
            Ok(json!([cx.attempt(), cx.delivery(), earlier]))
        })
        .action("stock.never", |(), _| async {
            let error = ActionError::non_retryable("no such item");
            Err::<(), _>(
                error
                    .with_type("NoSuchItem")
                    .with_details(&json!({"sku": "?"})),
            )
        })
        .action("stock.ask", move |(), cx: ActionContext| {
            let told = tokens.send(cx.info().token.clone());
            async move {
                told.map_err(|_| ActionError::new("nobody asks"))?;
                Ok(Deferred)
            }
        })
}

#[tokio::test]
async fn actions_run_in_this_program() {
    let server = TestServer::start_in_memory().await.unwrap();
    let client = Client::connect(server.address()).await.unwrap();
    let (tokens, mut token) = mpsc::unbounded_channel();
    let worker = shop(&client, tokens);
    let job = Job::start(worker).await;

    let run = start(
        &client,
        "good",
        "{action: stock.reserve, input: {sku: lamp}}",
    )
    .await;
    assert_eq!(
        result(&run).await.unwrap(),
        json!({"sku": "lamp", "task": "t"})
    );

    let retried = "{action: stock.flaky, retry: count=5 delay=0}";
    let run = start(&client, "flaky", retried).await;
    assert_eq!(result(&run).await.unwrap(), json!([3, 1, 2]));

    let run = start(
        &client,
        "never",
        "{action: stock.never, retry: count=5 delay=0}",
    )
    .await;
    let Err(Error::Execution(failed)) = result(&run).await else {
        panic!("it should fail");
    };
    assert_eq!(failed.state, ExecutionState::Error);
    let tasks = run.tasks("").collect().await.unwrap();
    let actions = client.tasks().actions(&tasks[0].task_execution_id);
    let attempts = actions.full().collect().await.unwrap();
    assert_eq!(attempts.len(), 1, "it was not tried again");
    let failure = attempts[0].failure.as_ref().unwrap();
    assert_eq!(
        (failure.kind.as_str(), failure.message.as_str()),
        ("NoSuchItem", "no such item")
    );

    let run = start(
        &client,
        "wrong",
        "{action: stock.reserve, input: {sku: []}}",
    )
    .await;
    let Err(Error::Execution(failed)) = result(&run).await else {
        panic!("it should fail");
    };
    assert!(failed.state_info.contains("sku: invalid type"), "{failed}");

    let run = start(&client, "later", "{action: stock.ask}").await;
    let token = timeout(PATIENCE, token.recv()).await.unwrap().unwrap();
    // The deferral may be on its way still: the token is good before and after.
    client.complete_task(token, &"answered").await.unwrap();
    assert_eq!(result(&run).await.unwrap(), json!("answered"));
    job.stop().await;
}

#[tokio::test]
async fn cancellation_reaches_the_function() {
    let server = TestServer::start_in_memory().await.unwrap();
    let client = Client::connect(server.address()).await.unwrap();
    let (seen, mut events) = mpsc::unbounded_channel();
    let worker = Worker::new(&client, "default").action("wait", move |(), cx: ActionContext| {
        let seen = seen.clone();
        async move {
            let _ = seen.send("runs".to_owned());
            let cause = cx.cancelled().await;
            let _ = seen.send(cause.to_string());
            Err::<(), _>(cause.into())
        }
    });
    let job = Job::start(worker).await;
    let run = start(&client, "waits", "{action: wait}").await;
    assert_eq!(
        timeout(PATIENCE, events.recv()).await.unwrap().unwrap(),
        "runs"
    );
    run.cancel().await.unwrap();
    let cause = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    assert!(cause.starts_with("cancelled"), "{cause}");
    job.stop().await;
    let workers = client.workers().list().collect().await.unwrap();
    assert_eq!((workers.len(), workers[0].leased), (1, 0), "{workers:?}");
}

/// The program that provides the actions of the scenarios.
async fn program(server: &TestServer) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_scenario-worker"))
        .args(["--server", server.address()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    assert_eq!(line.as_deref(), Some("ready"));
    child
}

async fn ended(child: &mut Child) -> ExitStatus {
    timeout(PATIENCE, child.wait()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_program_drains_when_it_is_told_to_end() {
    let server = TestServer::start_in_memory().await.unwrap();
    let client = Client::connect(server.address()).await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("go");
    let made = Command::new("mkfifo").arg(&file).status().await.unwrap();
    assert!(made.success());
    let mut child = program(&server).await;
    let path = serde_json::to_string(file.to_str().unwrap()).unwrap();
    let task = format!("{{action: test.block, input: {{file: {path}}}}}");
    let run = start(&client, "blocks", &task).await;
    // A pipe opens when somebody reads it: the function runs.
    let open = tokio::task::spawn_blocking(move || OpenOptions::new().write(true).open(file));
    let mut pipe = timeout(PATIENCE, open).await.unwrap().unwrap().unwrap();
    let pid = child.id().unwrap().to_string();
    let told = Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    assert!(told.success());
    pipe.write_all(b"done").unwrap();
    drop(pipe);
    assert_eq!(result(&run).await.unwrap(), json!("done"));
    assert_eq!(ended(&mut child).await.code(), Some(0));
}

#[tokio::test]
async fn a_task_outlives_its_worker() {
    let config = "[workers]\nlease_duration_s = 1.0\nheartbeat_interval_s = 0.3\n";
    let server = TestServer::start_with(e2e::server::Options {
        in_memory: true,
        config: Some(config.to_owned()),
        ..e2e::server::Options::default()
    });
    let server = server.await.unwrap();
    let client = Client::connect(server.address()).await.unwrap();
    let mut first = program(&server).await;
    let run = start(&client, "dies", "{action: test.die}").await;
    assert_eq!(ended(&mut first).await.code(), Some(9));
    let _second = program(&server).await;
    assert_eq!(result(&run).await.unwrap(), json!({"delivery": 2}));
}

#[tokio::test]
async fn a_single_run_goes_to_the_queue_that_it_names() {
    let server = TestServer::start_in_memory().await.unwrap();
    let client = Client::connect(server.address()).await.unwrap();
    let mut jobs = Vec::new();
    for queue in ["here", "there"] {
        let answer = move |(), _: ActionContext| async move { Ok(json!(queue)) };
        let worker = Worker::new(&client, queue).action("stock.where", answer);
        jobs.push(Job::start(worker).await);
    }
    for queue in ["there", "here", "there"] {
        let run = client.run_action("stock.where").target(queue);
        let found = timeout(PATIENCE, run.result::<Value>()).await;
        assert_eq!(found.expect("it finishes").unwrap(), queue);
    }
    for job in jobs {
        job.stop().await;
    }
}
