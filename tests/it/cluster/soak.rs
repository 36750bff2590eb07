//! Servers that die, sleep and come back under load, and a database that does: nothing is lost,
//! nothing happens twice, and who watches misses nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use autan::{Changes, Client};
use e2e::api::{Api, value};
use e2e::server::TestServer;
use proto::v1;
use proto::v1::history_event::Event;
use serde_json::json;
use tokio::process::Command;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::{Servers, is_turn};
use crate::support::{PATIENCE, sequences, without_holes};
use crate::workers::program::{Language, Program};

/// How long there is load, in seconds, unless the variable says something else.
const SECONDS: u64 = 120;
const SECONDS_VARIABLE: &str = "AUTAN_CLUSTER_SECONDS";

/// Servers, and workers of mixed languages.
const SERVERS: usize = 3;
const WORKERS: usize = 4;

/// Clients, each of which has one execution under way.
const CLIENTS: usize = 12;

const CONFIG: &str = "[workers]\nlease_duration_s = 3\nheartbeat_interval_s = 0.5\n";

/// Actions of workers, of the engine, a timer and a sub-workflow.
const WORKFLOW: &str = "
version: '2.0'
inner:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    t: {action: test.add a=<% $.n %> b=1, publish: {v: <% task().result %>}}
mixed:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    a: {action: std.echo output=<% $.n %>, publish: {n: <% task().result %>}, on-success: [b, c]}
    b: {action: test.add a=<% $.n %> b=2, publish: {b: <% task().result %>}, on-success: j}
    c: {workflow: inner n=<% $.n %>, publish: {c: <% task().result.v %>}, on-success: j}
    j:
      join: all
      wait-before: 1
      action: test.add a=<% $.b %> b=<% $.c %>
      publish: {v: <% task().result %>}
";

fn load_time() -> Duration {
    let named = env::var(SECONDS_VARIABLE).ok();
    Duration::from_secs(named.and_then(|text| text.parse().ok()).unwrap_or(SECONDS))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_whoever_dies() {
    if !is_turn() {
        return;
    }
    let mut database = postgres_fixture::Server::start(&[]).unwrap();
    let mut servers = Servers::start(SERVERS, &database.url(), CONFIG).await;
    let addresses: Vec<String> = servers.0.iter().map(|s| s.address().to_owned()).collect();
    servers
        .api(0, "soak")
        .create_workflow(WORKFLOW)
        .await
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let languages = Language::all(scratch.path()).await;
    let log = scratch.path().join("log");
    let workers: Vec<Program> = (0..WORKERS)
        .map(|number| {
            let language = &languages[number % languages.len()];
            Program::begin(language, &addresses[number % SERVERS], "soak", &log)
        })
        .collect();

    let observers = Observers::begin(&addresses).await;
    let count = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    let until = Instant::now() + load_time();
    for number in 0..CLIENTS {
        let (addresses, count) = (addresses.clone(), count.clone());
        clients.spawn(async move { load(number, &addresses, &count, until).await });
    }
    let chaos = disturb(&mut servers, &mut database).await;
    let done = clients.join_all().await;
    // One that its server has left waits for the next owner: the longest says how long that took.
    let slowest = done.iter().map(|(_, slowest)| *slowest).max().unwrap();
    let started: Vec<(String, i64)> = done.into_iter().flat_map(|(ids, _)| ids).collect();
    servers.are_settled().await;

    let api = servers.api(0, "soak");
    let mut faults = Vec::new();
    for (id, n) in &started {
        faults.extend(check(&api, id, *n).await);
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let listed = api.list_executions("state = SUCCESS").await.unwrap();
    let top = listed
        .iter()
        .filter(|execution| execution.execution_id.starts_with("m-"));
    assert_eq!(top.count(), started.len(), "one execution for each request");

    counts_are_what_there_is(&api).await;
    observers.have_seen(&started, &listed).await;
    eprintln!(
        "{} executions, disturbed {chaos} times; the slowest took {slowest:?}",
        started.len()
    );
    drop(workers);
}

/// What is counted along with each commit is what a list finds.
async fn counts_are_what_there_is(api: &Api) {
    let request = v1::CountExecutionsRequest {
        project: "soak".to_owned(),
        ..Default::default()
    };
    let counted = api.executions().count_executions(request).await.unwrap();
    let all = api.list_executions("").await.unwrap().len();
    assert_eq!(counted.into_inner().total, i64::try_from(all).unwrap());
}

/// Every server is killed twice, the database is started again once, and a server is put to sleep
/// for longer than it counts as there.
async fn disturb(servers: &mut Servers, database: &mut postgres_fixture::Server) -> usize {
    let pause = load_time() / 9;
    let mut count = 0;
    for round in 0..2 {
        for number in 0..SERVERS {
            sleep(pause).await;
            servers.0[number].kill().await.unwrap();
            sleep(pause / 3).await;
            servers.0[number].restart().await.unwrap();
            count += 1;
        }
        if round == 0 {
            sleep(pause).await;
            tokio::task::block_in_place(|| {
                database.shut_down().unwrap();
                database.resume().unwrap();
            });
            count += 1;
            // Servers that were cut off for too long have ended, to begin anew.
            revive(servers).await;
        }
    }
    signal(&servers.0[1], "-STOP").await;
    sleep(Duration::from_secs(8)).await;
    signal(&servers.0[1], "-CONT").await;
    let status = servers.0[1].ended().await.unwrap();
    assert_eq!(
        status.code(),
        Some(75),
        "it has seen that it was taken for dead"
    );
    servers.0[1].restart().await.unwrap();
    count + 1
}

/// Starts servers again that have ended by themselves.
async fn revive(servers: &mut Servers) {
    for server in &mut servers.0 {
        if server.has_ended() {
            server.restart().await.unwrap();
        }
    }
}

async fn signal(server: &TestServer, signal: &str) {
    let pid = server.pid().unwrap().to_string();
    let status = Command::new("kill").args([signal, &pid]).status().await;
    assert!(status.unwrap().success());
}

/// Starts executions one after the other, through whichever server answers, and waits for each.
async fn load(
    client: usize,
    addresses: &[String],
    count: &AtomicUsize,
    until: Instant,
) -> (Vec<(String, i64)>, Duration) {
    let mut ids = Vec::new();
    let mut slowest = Duration::ZERO;
    let clients: Vec<Client> = addresses.iter().map(|address| connect(address)).collect();
    let mut turn = client;
    while Instant::now() < until {
        let n = i64::try_from(count.fetch_add(1, Ordering::Relaxed)).unwrap();
        let id = format!("m-{n}");
        loop {
            turn += 1;
            let order = clients[turn % clients.len()].start("mixed").id(&*id);
            match order.input(&json!({"n": n})).unwrap().send().await {
                Ok(_) => break,
                Err(error) => assert!(error.retryable(), "{id}: {error}"),
            }
        }
        let started = Instant::now();
        let given_up = started + PATIENCE * 2;
        loop {
            turn += 1;
            let handle = clients[turn % clients.len()].execution(&*id);
            match handle.result::<serde_json::Value>().await {
                Ok(_) => break,
                Err(error) => assert!(error.retryable(), "{id}: {error}"),
            }
            assert!(Instant::now() < given_up, "{id} does not finish");
        }
        slowest = slowest.max(started.elapsed());
        ids.push((id, n));
    }
    (ids, slowest)
}

fn connect(address: &str) -> Client {
    let client = Client::builder(address).project("soak");
    let client = client.timeout(Duration::from_secs(15));
    client.connect_lazy().unwrap()
}

/// Two watches of all executions, by their states and by their events.
struct Observers {
    over: Arc<AtomicBool>,
    /// The ids of those that were seen to end.
    finished: JoinHandle<HashSet<String>>,
    /// The last event that was told of each execution.
    heard: JoinHandle<HashMap<String, i64>>,
}

impl Observers {
    /// Both are open when it returns: what is started from then on is theirs to tell.
    async fn begin(addresses: &[String]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let states = place_of(&addresses[0], |watch| watch).await;
        let events = place_of(&addresses[0], Changes::events).await;
        Self {
            finished: tokio::spawn(watch_states(addresses.to_vec(), states, over.clone())),
            heard: tokio::spawn(watch_events(addresses.to_vec(), events, over.clone())),
            over,
        }
    }

    /// Nothing of what was `started` or is `listed` was missed.
    async fn have_seen(self, started: &[(String, i64)], listed: &[v1::Execution]) {
        self.over.store(true, Ordering::Relaxed);
        let finished = self.finished.await.unwrap();
        let ids = started.iter().map(|(id, _)| id);
        let missed: Vec<&String> = ids.filter(|id| !finished.contains(*id)).collect();
        assert!(missed.is_empty(), "the watcher has missed {missed:?}");
        let heard = self.heard.await.unwrap();
        for execution in listed {
            let (id, last) = (&execution.execution_id, execution.last_sequence);
            assert_eq!(heard.get(id), Some(&last), "events of {id} that were told");
        }
    }
}

/// Where a watch begins that is opened now: the server says it at once.
async fn place_of(address: &str, opened: fn(Changes) -> Changes) -> String {
    let mut watch = opened(connect(address).executions().watch(""));
    while watch.token().is_empty() {
        let _ = tokio::time::timeout(Duration::from_millis(50), watch.next()).await;
    }
    watch.token().to_owned()
}

/// Follows all executions through one server after the other until nothing comes any more.
async fn watch(
    addresses: Vec<String>,
    mut token: String,
    over: Arc<AtomicBool>,
    opened: fn(Changes) -> Changes,
    mut see: impl FnMut(autan::Change),
) {
    let mut turn = 0;
    loop {
        let client = connect(&addresses[turn % addresses.len()]);
        turn += 1;
        let mut watch = opened(client.executions().watch("").resume(&*token));
        loop {
            // Without news for long, what is over is over.
            let next = tokio::time::timeout(Duration::from_secs(3), watch.next()).await;
            match next {
                Ok(Ok(change)) => see(change),
                Ok(Err(error)) => {
                    assert!(error.retryable(), "{error}");
                    break;
                }
                Err(_) if over.load(Ordering::Relaxed) => return,
                Err(_) => break,
            }
        }
        token = watch.token().to_owned();
    }
}

/// Sees executions finish by their states.
async fn watch_states(
    addresses: Vec<String>,
    token: String,
    over: Arc<AtomicBool>,
) -> HashSet<String> {
    let mut finished = HashSet::new();
    let see = |change| {
        if let autan::Change::Changed(execution) = change
            && execution.state.is_final()
        {
            finished.insert(execution.execution_id.clone());
        }
    };
    watch(addresses, token, over, |watch| watch, see).await;
    finished
}

/// Sees all that happens: every event of every execution in order, and again only what was there.
async fn watch_events(
    addresses: Vec<String>,
    token: String,
    over: Arc<AtomicBool>,
) -> HashMap<String, i64> {
    let mut last: HashMap<String, i64> = HashMap::new();
    let see = |change| {
        if let autan::Change::Happened { execution, event } = change {
            let id = &execution.execution_id;
            let last = last.entry(id.clone()).or_default();
            assert!(
                event.sequence <= *last + 1,
                "{id}: event {} after {last}",
                event.sequence
            );
            *last = event.sequence.max(*last);
        }
    };
    watch(addresses, token, over, Changes::events, see).await;
    last
}

/// What is wrong with an execution.
async fn check(api: &Api, id: &str, n: i64) -> Vec<String> {
    let mut faults = Vec::new();
    let done = match api.finished(id, PATIENCE).await {
        Ok(done) => done,
        Err(error) => return vec![format!("{id}: {error:#}")],
    };
    let output = value(done.output.as_ref()).unwrap();
    if output != json!({"v": 2 * n + 3}) {
        faults.push(format!(
            "{id}: {:?} {} {output}",
            done.state(),
            done.state_info
        ));
    }
    let events = api.history(id).await.unwrap();
    if sequences(&events) != without_holes(done.last_sequence) {
        faults.push(format!(
            "{id}: holes in the history: {:?}",
            sequences(&events)
        ));
    }
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    let mut states: HashMap<i32, usize> = HashMap::new();
    for event in &events {
        match &event.event {
            Some(Event::ActionStateChanged(change)) => {
                *results.entry(&change.action_execution_id).or_default() += 1;
            }
            Some(Event::ExecutionStateChanged(change)) => {
                *states.entry(change.state).or_default() += 1;
            }
            _ => {}
        }
    }
    if states.get(&v1::ExecutionState::Success.into()) != Some(&1) {
        faults.push(format!("{id}: its ends are {states:?}"));
    }
    for (action, count) in results.into_iter().filter(|(_, count)| *count != 1) {
        faults.push(format!("{id}: action {action} got {count} results"));
    }
    faults
}
