//! Many executions through workers of all languages, which are killed, as the server is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use autan::Client;
use e2e::api::{Api, value};
use e2e::server::{Options, TestServer};
use proto::v1;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::program::{Language, Program};
use crate::support::{PATIENCE, sequences, without_holes};

/// Executions, of five actions each.
const ALL: usize = 2_000;
/// Starts at once.
const STARTS: usize = 16;
/// Workers at the same time, of the languages in turn.
const WORKERS: usize = 4;
/// How often one of them is killed.
const KILL_EVERY: Duration = Duration::from_secs(2);
/// The server is killed when so many executions were started.
const SERVER_KILLS: [usize; 3] = [300, 900, 1_500];
/// What the server may keep of memory while it runs, besides half as much as it has; bytes.
const MEMORY_KEPT: u64 = 32 << 20;
/// Executions that are looked at closely.
const LOOKED_AT: usize = 50;

const CONFIG: &str = "[workers]\nlease_duration_s = 1.5\nheartbeat_interval_s = 0.4\n";

/// Adds 1 + 2 + 3 + 4 + 5, one action after the other.
const WORKFLOW: &str = "
version: '2.0'
sum:
  input: [n]
  output: {sum: <% $.sum %>}
  tasks:
    a:
      action: test.add
      input: {a: <% $.n %>, b: 1}
      publish: {sum: <% task().result %>}
      on-success: b
    b:
      action: test.add
      input: {a: <% $.sum %>, b: 2}
      publish: {sum: <% task().result %>}
      on-success: c
    c:
      action: test.add
      input: {a: <% $.sum %>, b: 3}
      publish: {sum: <% task().result %>}
      on-success: d
    d:
      action: test.add
      input: {a: <% $.sum %>, b: 4}
      publish: {sum: <% task().result %>}
      on-success: e
    e:
      action: test.add
      input: {a: <% $.sum %>, b: 5}
      publish: {sum: <% task().result %>}
";

#[tokio::test]
async fn nothing_is_lost_and_nothing_counts_twice() {
    let scratch = tempfile::tempdir().unwrap();
    let languages = Language::all(scratch.path()).await;
    let options = Options {
        config: Some(CONFIG.to_owned()),
        ..Options::default()
    };
    let mut server = TestServer::start_with(options).await.unwrap();
    let api = server.api("soak");
    api.create_workflow(WORKFLOW).await.unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let address = server.address().to_owned();
    let log = scratch.path().join("log");
    let chaos = tokio::spawn(kill_workers(languages, address.clone(), log, over.clone()));

    let started = Arc::new(AtomicUsize::new(0));
    let client = Client::builder(&*address)
        .project("soak")
        .connect_lazy()
        .unwrap();
    let mut starts = JoinSet::new();
    for part in 0..STARTS {
        let (client, started) = (client.clone(), started.clone());
        starts.spawn(async move {
            for n in (part..ALL).step_by(STARTS) {
                start(&client, n).await;
                started.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for at in SERVER_KILLS {
        let mut ticks = interval(Duration::from_millis(10));
        while started.load(Ordering::Relaxed) < at {
            ticks.tick().await;
        }
        server.kill().await.unwrap();
        server.restart().await.unwrap();
    }
    starts.join_all().await;

    let mut memory = Memory::default();
    for n in 0..ALL {
        memory.look(&server);
        let id = format!("sum-{n}");
        let finished = api.finished(&id, PATIENCE).await.unwrap();
        assert_eq!(
            finished.state(),
            v1::ExecutionState::Success,
            "{id}: {finished:?}"
        );
        let output = value(finished.output.as_ref()).unwrap();
        assert_eq!(output, json!({"sum": n + 15}), "{id}");
    }
    over.store(true, Ordering::Relaxed);
    chaos.await.unwrap();

    memory.is_flat();
    look_closely(&api, &client).await;
}

/// What the server takes up, from its last start to the end.
#[derive(Default)]
struct Memory(Vec<u64>);

impl Memory {
    fn look(&mut self, server: &TestServer) {
        self.0.extend(server.resident_bytes());
    }

    /// In the second half it takes up no more than in the first. What is kept for later, such as
    /// prepared statements and pages of the database, is allowed for.
    fn is_flat(&self) {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        let (first, second) = (first.iter().max(), second.iter().max());
        if let (Some(first), Some(second)) = (first, second) {
            let most = first + first / 2 + MEMORY_KEPT;
            assert!(second <= &most, "{first} bytes, and then {second}");
        }
    }
}

/// Histories without holes, each result once, and nothing left behind.
async fn look_closely(api: &Api, client: &Client) {
    for n in (0..ALL).step_by(ALL / LOOKED_AT) {
        let id = format!("sum-{n}");
        let execution = api.execution(&id).await.unwrap();
        let history = api.history(&id).await.unwrap();
        assert_eq!(
            sequences(&history),
            without_holes(execution.last_sequence),
            "{id}"
        );
        let parent = v1::list_action_executions_request::Parent::ExecutionId(id.clone());
        let actions = api.list_actions(parent).await.unwrap();
        let accepted = actions.iter().filter(|action| action.accepted).count();
        assert_eq!(
            (actions.len(), accepted),
            (5, 5),
            "{id}: each result counts once"
        );
    }
    // Without workers, a queue is there only as long as something is in it.
    let queues = client.queues().list().collect().await.unwrap();
    assert!(
        queues
            .iter()
            .all(|queue| (queue.backlog, queue.leased) == (0, 0))
    );
}

/// Starts an execution, however often the server is away.
async fn start(client: &Client, n: usize) {
    loop {
        let order = client.start("sum").id(format!("sum-{n}"));
        let order = order.input(&json!({"n": n})).unwrap();
        match order.send().await {
            Ok(_) => return,
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
}

/// Keeps some workers running, and kills one of them now and then.
async fn kill_workers(
    languages: Vec<Language>,
    address: String,
    log: std::path::PathBuf,
    over: Arc<AtomicBool>,
) {
    let begin = |turn: usize| {
        let language = &languages[turn % languages.len()];
        Program::begin(language, &address, "soak", &log)
    };
    let mut workers: Vec<Program> = (0..WORKERS).map(begin).collect();
    let mut ticks = interval(KILL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut turn = WORKERS;
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let place = turn % WORKERS;
        workers[place].kill().await;
        workers[place] = begin(turn);
        turn += 1;
    }
}
