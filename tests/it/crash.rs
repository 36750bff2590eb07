//! Crashes: what was accepted is finished, once, however often the server or its database is killed
//! meanwhile.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use e2e::api::{Api, payload, value};
use e2e::http::HttpServer;
use e2e::server::{Options, TestServer};
use proto::v1;
use proto::v1::history_event::Event;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

use crate::support::{may_be_repeated, running_action, sequences, without_holes};

/// Executions that are started.
const ALL: usize = 500;
/// Calls at once.
const CALLS: usize = 24;
/// The server is killed, twice in a row, when so many starts were accepted.
const KILLS: [usize; 3] = [120, 300, ALL];
/// How long everything may take in the end.
const PATIENCE: Duration = Duration::from_mins(2);
/// Attempts of one call; more means that the server refuses it for good.
const ATTEMPTS: usize = 50;

/// Workflows of many kinds; each returns what `expected` says.
const WORKFLOWS: &str = "
version: '2.0'
chain:
  input: [n]
  output: {v: <% $.e %>}
  tasks:
    a: {action: std.echo output=<% $.n %>, publish: {a: <% task().result %>}, on-success: b}
    b: {action: std.echo output=<% $.a + 1 %>, publish: {b: <% task().result %>}, on-success: c}
    c: {action: std.echo output=<% $.b + 1 %>, publish: {c: <% task().result %>}, on-success: d}
    d: {action: std.echo output=<% $.c + 1 %>, publish: {d: <% task().result %>}, on-success: e}
    e: {action: std.echo output=<% $.d + 1 %>, publish: {e: <% task().result %>}}
fan:
  input: [n]
  output: {v: <% $.sum %>}
  tasks:
    s: {action: std.noop, on-success: [x, y, z]}
    x: {action: std.echo output=<% $.n %>, publish: {x: <% task().result %>}, on-success: j}
    y: {action: std.echo output=1 delay=0.2, publish: {y: <% task().result %>}, on-success: j}
    z: {action: std.echo output=2, publish: {z: <% task().result %>}, on-success: j}
    j: {join: all, action: std.noop, publish: {sum: <% $.x + $.y + $.z %>}}
items:
  input: [n]
  output: {v: <% $.all %>}
  tasks:
    t:
      with-items: i in <% list(0, 1, 2, 3, 4) %>
      concurrency: 2
      action: std.echo output=<% $.i + $.n %> delay=0.05
      publish: {all: <% task().result %>}
inner:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    t: {action: std.echo output=<% $.n %> delay=0.1, publish: {v: <% task().result %>}}
outer:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    t: {workflow: inner n=<% $.n %>, publish: {v: <% task().result.v %>}}
sleepy:
  input: [n]
  output: {v: <% $.n %>}
  tasks:
    a: {action: std.echo output=1, wait-before: 1, on-success: b}
    b: {action: std.sleep seconds=1, wait-after: 1}
external:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    t: {action: std.async_noop, publish: {v: <% task().result %>}}
fetch:
  input: [n, url]
  output: {v: <% $.path %>}
  tasks:
    t:
      action: std.http url=<% $.url %>
      safe-rerun: true
      publish: {path: <% task().result.content.path %>}
";

const KINDS: [&str; 7] = [
    "chain", "fan", "items", "outer", "sleepy", "external", "fetch",
];

fn expected(number: usize) -> Value {
    match KINDS[number % KINDS.len()] {
        "chain" => json!(number + 4),
        "fan" => json!(number + 3),
        "items" => json!([number, number + 1, number + 2, number + 3, number + 4]),
        "fetch" => json!(format!("/{number}")),
        _ => json!(number),
    }
}

/// The tests' side of a server that comes and goes.
#[derive(Clone)]
struct Caller {
    api: Api,
    up: watch::Receiver<bool>,
    calls: Arc<Semaphore>,
}

impl Caller {
    /// Makes a call, again and again while the server is away.
    async fn call<A, F, Fut>(&self, what: &str, send: F) -> A
    where
        F: Fn(Api) -> Fut,
        Fut: Future<Output = Result<A, Status>>,
    {
        let _permit = self.calls.acquire().await.unwrap();
        let mut up = self.up.clone();
        for _ in 0..ATTEMPTS {
            up.wait_for(|up| *up).await.unwrap();
            match send(self.api.clone()).await {
                Ok(answer) => return answer,
                Err(status) if may_be_repeated(&status) => {}
                Err(status) => panic!("{what}: {status}"),
            }
        }
        panic!("{what}: no answer in {ATTEMPTS} attempts");
    }

    /// Starts one execution and gives it what it waits for.
    async fn run(&self, number: usize, base: &str) -> String {
        let kind = KINDS[number % KINDS.len()];
        let input = match kind {
            "fetch" => json!({"n": number, "url": format!("{base}/{number}")}),
            _ => json!({"n": number}),
        };
        let request = v1::StartExecutionRequest {
            labels: BTreeMap::from([("number".to_owned(), number.to_string())]),
            request_id: Uuid::new_v4().to_string(),
            ..self.api.start_request(kind, &input)
        };
        let start = |api: Api| {
            let request = request.clone();
            async move { api.executions().start_execution(request).await }
        };
        let started = self.call("start", start).await.into_inner();
        let uid = started.execution.unwrap().uid;
        if kind == "external" {
            self.complete(&uid, number).await;
        }
        uid
    }

    async fn complete(&self, uid: &str, number: usize) {
        let parent = || v1::list_action_executions_request::Parent::ExecutionId(uid.to_owned());
        let list = |api: Api| async move { api.list_actions(parent()).await };
        let actions = self.call("list actions", list).await;
        let request = v1::CompleteActionExecutionRequest {
            project: self.api.project(),
            action_execution_id: actions[0].action_execution_id.clone(),
            result: Some(payload(&json!(number))),
            request_id: Uuid::new_v4().to_string(),
        };
        let complete = |api: Api| {
            let request = request.clone();
            async move { api.tasks().complete_action_execution(request).await }
        };
        self.call("complete", complete).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_accepted_is_finished_once() {
    let mut server = TestServer::start_with(options()).await.unwrap();
    let api = server.api("crash");
    // The second time it strikes while the server takes up what the first one interrupted.
    all_finish(&api, async || {
        for _ in 0..2 {
            server.kill().await.unwrap();
            server.restart().await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_accepted_is_finished_once_on_a_database_that_crashes() {
    if postgres_fixture::shared().is_none() {
        return;
    }
    let mut database = postgres_fixture::Server::start(&[]).unwrap();
    let options = Options {
        database: Some(database.url()),
        ..options()
    };
    let server = TestServer::start_with(options).await.unwrap();
    let mut crashes = 0;
    all_finish(&server.api("crash"), async || {
        crashes += 1;
        tokio::task::block_in_place(|| {
            match crashes {
                2 => database.shut_down().unwrap(),
                _ => database.crash().unwrap(),
            }
            database.resume().unwrap();
        });
    })
    .await;
}

fn options() -> Options {
    Options {
        // The web server of these tests is on this machine.
        config: Some("[actions.egress]\ndenied_networks = []\n".to_owned()),
        ..Options::default()
    }
}

/// Starts executions of every kind, disturbs the server now and then, and checks that all end as
/// they should.
async fn all_finish(api: &Api, mut disturb: impl AsyncFnMut()) {
    let web = HttpServer::start().await.unwrap();
    api.create_workflow(WORKFLOWS).await.unwrap();
    let (up, up_receiver) = watch::channel(true);
    let caller = Caller {
        api: api.clone(),
        up: up_receiver,
        calls: Arc::new(Semaphore::new(CALLS)),
    };
    let mut runs = JoinSet::new();
    for number in 0..ALL {
        let (caller, base) = (caller.clone(), web.url());
        runs.spawn(async move { (number, caller.run(number, &base).await) });
    }
    let mut uids = HashMap::new();
    while let Some(run) = runs.join_next().await {
        let (number, uid) = run.unwrap();
        uids.insert(number, uid);
        if KILLS.contains(&uids.len()) {
            up.send(false).unwrap();
            disturb().await;
            up.send(true).unwrap();
        }
    }
    check(api, &uids, &web).await;
}

async fn check(api: &Api, uids: &HashMap<usize, String>, web: &HttpServer) {
    let mut checks = JoinSet::new();
    let permits = Arc::new(Semaphore::new(CALLS));
    for (number, uid) in uids.clone() {
        let (api, permits) = (api.clone(), permits.clone());
        checks.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            check_one(&api, number, &uid).await
        });
    }
    let faults: Vec<String> = checks.join_all().await.into_iter().flatten().collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );

    // One execution for each request, and no other.
    let all = api.list_executions("labels.number:*").await.unwrap();
    let listed: HashSet<&String> = all.iter().map(|execution| &execution.uid).collect();
    assert_eq!(all.len(), ALL);
    assert_eq!(listed, uids.values().collect::<HashSet<_>>());
    // A request of `std.http` may have been sent again after a crash: `safe-rerun` allows it.
    let fetched = (0..ALL).filter(|number| KINDS[number % KINDS.len()] == "fetch");
    let fetched: HashSet<String> = fetched.map(|number| format!("/{number}")).collect();
    assert_eq!(web.counts().into_keys().collect::<HashSet<_>>(), fetched);
}

/// What is wrong with an execution.
async fn check_one(api: &Api, number: usize, uid: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = format!("{} {number}", KINDS[number % KINDS.len()]);
    let done = match api.finished(uid, PATIENCE).await {
        Ok(done) => done,
        Err(error) => return vec![format!("{name}: {error:#}")],
    };
    let output = value(done.output.as_ref()).unwrap();
    if output != json!({"v": expected(number)}) {
        faults.push(format!(
            "{name}: {:?} {} {output}",
            done.state(),
            done.state_info
        ));
    }
    let events = api.history(uid).await.unwrap();
    if sequences(&events) != without_holes(done.last_sequence) {
        faults.push(format!(
            "{name}: holes in the history: {:?}",
            sequences(&events)
        ));
    }
    let mut results: HashMap<&str, usize> = HashMap::new();
    let mut ends = 0;
    for event in &events {
        match &event.event {
            Some(Event::ActionStateChanged(change)) => {
                *results.entry(&change.action_execution_id).or_default() += 1;
            }
            Some(Event::ExecutionStateChanged(change)) => {
                ends += usize::from(change.state() == v1::ExecutionState::Success);
            }
            _ => {}
        }
    }
    if ends != 1 {
        faults.push(format!("{name}: it ended {ends} times"));
    }
    for (action, count) in results {
        if count != 1 {
            faults.push(format!("{name}: action {action} got {count} results"));
        }
    }
    if running_action(api, uid).await.is_some() {
        faults.push(format!("{name}: an action still runs"));
    }
    faults
}
