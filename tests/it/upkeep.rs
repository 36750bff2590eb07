//! Databases without their server: copies made under load, and the move to PostgreSQL of what
//! runs.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use autan::{ActionContext, Client, Worker};
use e2e::api::Api;
use e2e::server::{Options, TestServer, binary};
use proto::v1::{self, ExecutionState};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{PATIENCE, echo, held, step};

fn embedded() -> Options {
    Options {
        embedded: true,
        ..Options::default()
    }
}

/// Where the server has its database.
fn file_of(server: &TestServer) -> String {
    server.data_dir().join("autan.db").display().to_string()
}

/// Runs the program with these words.
async fn run(line: &str) -> Output {
    let mut command = Command::new(binary().unwrap());
    command
        .args(line.split(' '))
        .arg("--json")
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await;
    output.expect("it ends").unwrap()
}

/// Runs it, and gives the objects that it prints.
async fn answer(line: &str) -> Vec<Value> {
    let output = run(line).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// Runs it, and gives what it says when it fails.
async fn refusal(line: &str) -> String {
    let output = run(line).await;
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(output.stdout.is_empty(), "{line}");
    String::from_utf8(output.stderr).unwrap()
}

/// Starts executions without a pause until it is told to stop; each one that is acknowledged is
/// told.
fn load(server: &TestServer, stop: &Arc<AtomicBool>) -> mpsc::UnboundedReceiver<String> {
    let (told, started) = mpsc::unbounded_channel();
    for _ in 0..4 {
        let (api, stop, told) = (server.api("load").apart(), stop.clone(), told.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let execution = api.start("echo", &json!({"x": 1})).await.unwrap();
                if told.send(execution.uid).is_err() {
                    return;
                }
            }
        });
    }
    started
}

#[tokio::test]
async fn a_backup_under_load_is_whole() {
    let server = TestServer::start_with(embedded()).await.unwrap();
    let api = server.api("load");
    api.create_workflow(&echo("echo")).await.unwrap();
    api.create_workflow(&held("held", 1)).await.unwrap();
    let waiting = api.start("held", &json!({})).await.unwrap().uid;
    let stop = Arc::new(AtomicBool::new(false));
    let mut started = load(&server, &stop);
    let mut before = Vec::new();
    while before.len() < 100 {
        before.push(started.recv().await.unwrap());
    }
    while let Ok(uid) = started.try_recv() {
        before.push(uid);
    }

    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).display().to_string();
    let (copy, restored) = (at("copy.db"), at("restored.db"));
    let folder = server.data_dir().display().to_string();
    let copied = answer(&format!("backup --data-dir {folder} --to {copy}")).await;
    let bytes = std::fs::metadata(&copy).unwrap().len();
    assert_eq!(copied[0]["bytes"], bytes);
    assert!(copied[0]["executions"].as_u64().unwrap() >= before.len() as u64);
    // The load goes on through it, and is not held up by it.
    for _ in 0..20 {
        started.recv().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);

    let back = answer(&format!("restore {copy} --to {restored}")).await;
    assert_eq!(back[0]["executions"], copied[0]["executions"]);
    let server = TestServer::start_with(Options {
        database: Some(format!("sqlite:{restored}")),
        ..Options::default()
    });
    let server = server.await.unwrap();
    let api = server.api("load");
    let mut looks = JoinSet::new();
    for uid in before {
        let api = api.clone();
        looks.spawn(async move { api.finished(&uid, PATIENCE).await.unwrap().state() });
    }
    for state in looks.join_all().await {
        assert_eq!(state, ExecutionState::Success);
    }
    step(&api, &waiting).await;
    let ended = api.finished(&waiting, PATIENCE).await.unwrap();
    assert_eq!(ended.state(), ExecutionState::Success);
}

/// Arguments, and what is said to them. `LIVE` is the database of a server, `D` a folder in which
/// `copy` is a copy of it, `taken` a text and `broken` a damaged copy.
const REFUSED: &[(&str, &str)] = &[
    ("backup --database sqlite:LIVE --to D/taken", "exists"),
    ("backup --database sqlite:LIVE --to D/copy", "exists"),
    (
        "backup --database sqlite:D/missing --to D/new",
        "no such file",
    ),
    ("backup --database sqlite::memory: --to D/new", "in memory"),
    ("backup --database postgres://h/d --to D/new", "pg_dump"),
    ("restore D/copy --to LIVE", "in use"),
    ("restore D/copy --to D/taken", "exists"),
    ("restore LIVE --to D/new", "back it up first"),
    ("restore D/broken --to D/new", "damaged"),
    ("restore D/taken --to D/new", "damaged"),
    ("restore D/missing --to D/new", "no such file"),
    (
        "promote --from LIVE --to postgres://127.0.0.1:1/d",
        "in use",
    ),
    (
        "promote --from D/missing --to postgres://h/d",
        "no such file",
    ),
    (
        "promote --from D/copy --to D/new",
        "file of SQLite to PostgreSQL",
    ),
    ("migrate --database sqlite:LIVE", "in use"),
    ("migrate --database mysql://h/d", "scheme is unknown"),
];

#[tokio::test]
async fn what_cannot_be_copied_is_refused() {
    let server = TestServer::start_with(embedded()).await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let (live, folder) = (file_of(&server), scratch.path().display().to_string());
    // The word that looks least like the name of a folder comes last: names are made by chance.
    let filled = |line: &str| {
        line.replace("D/", &format!("{folder}/"))
            .replace("LIVE", &live)
    };
    answer(&filled("backup --database sqlite:LIVE --to D/copy")).await;
    let mut damaged = std::fs::read(at("copy")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0xAB);
    std::fs::write(at("broken"), damaged).unwrap();
    std::fs::write(
        at("taken"),
        "no database, but long enough to be looked at as one",
    )
    .unwrap();
    for (line, said) in REFUSED {
        let found = refusal(&filled(line)).await;
        assert!(found.contains(said), "{line}: {found}");
    }
    // What was refused has left nothing behind.
    let mut left: Vec<String> = std::fs::read_dir(scratch.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.contains(".lock"))
        .collect();
    left.sort();
    assert_eq!(left, ["broken", "copy", "taken"]);
}

#[tokio::test]
async fn a_schema_is_brought_up_to_date() {
    let scratch = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", scratch.path().join("new.db").display());
    let migrate = format!("migrate --database {url}");
    let made = answer(&migrate).await;
    assert_eq!(made[0].get("from"), None);
    let again = answer(&migrate).await;
    assert_eq!(again[0]["from"], made[0]["to"]);
    assert_eq!(again[0]["to"], made[0]["to"]);
}

/// Executions in all states of waiting: for an answer from outside, for a time, paused, for a
/// worker; and finished ones.
const RUNNING: &str = "version: '2.0'
late:
  output: {said: <% task(t).result %>}
  tasks:
    t: {action: std.echo output='late', wait-before: 3}
working:
  output: {said: <% task(t).result %>}
  tasks:
    t: {action: stock.reserve}
failed:
  input: [why]
  tasks:
    t:
      action: std.noop
      on-success: fail msg=<% $.why %>
";

/// Starts one of each; gives their uids by name.
async fn start_all(api: &Api) -> Vec<(&'static str, String)> {
    api.create_workflow(RUNNING).await.unwrap();
    api.create_workflow(&held("held", 2)).await.unwrap();
    api.create_workflow(&echo("echo")).await.unwrap();
    let mut all = Vec::new();
    for (name, workflow, input) in [
        ("waiting", "held", json!({})),
        ("paused", "held", json!({})),
        ("late", "late", json!({})),
        ("working", "working", json!({})),
        ("failed", "failed", json!({"why": "a\u{0}b"})),
        ("done", "echo", json!({"x": "a\u{0}b"})),
    ] {
        all.push((name, api.start(workflow, &input).await.unwrap().uid));
    }
    for _ in 0..50 {
        api.start("echo", &json!({"x": "more"})).await.unwrap();
    }
    let request = v1::PauseExecutionRequest {
        project: api.project(),
        execution_id: all[1].1.clone(),
        ..Default::default()
    };
    api.executions().pause_execution(request).await.unwrap();
    for at in [4, 5] {
        api.finished(&all[at].1, PATIENCE).await.unwrap();
    }
    all
}

/// Provides the action that an execution waits for, until it is dropped.
async fn provide(server: &TestServer) -> oneshot::Sender<()> {
    let client = Client::connect(server.address()).await.unwrap();
    let reserve = |(), _: ActionContext| async { Ok(json!("reserved")) };
    let worker = Worker::new(&client, "default").action("stock.reserve", reserve);
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(worker.run_until(async {
        let _ = stopped.await;
    }));
    stop
}

/// Lets what waits go on, and looks how everything ends.
async fn finish_all(server: &TestServer, all: &[(&str, String)]) {
    let api = server.api("default");
    let _worker = provide(server).await;
    let request = v1::ResumeExecutionRequest {
        project: api.project(),
        execution_id: all[1].1.clone(),
        ..Default::default()
    };
    api.executions().resume_execution(request).await.unwrap();
    for (_, uid) in &all[..2] {
        step(&api, uid).await;
        step(&api, uid).await;
    }
    for (name, uid) in all {
        let ended = api.finished(uid, PATIENCE).await.unwrap();
        let expected = match *name {
            "failed" => ExecutionState::Error,
            _ => ExecutionState::Success,
        };
        let why = ended.state_info.as_str();
        assert_eq!(ended.state(), expected, "{name}: {why}");
        assert!(*name != "failed" || why.contains("a\u{FFFD}b"), "{why}");
    }
}

/// The URL of an empty schema, if there is PostgreSQL.
/// Of a file of which the rows were committed elsewhere when the promotion was interrupted: it may
/// not be used, and the next attempt finds out that all is there.
async fn finish_a_promotion(moved: &str, interrupted: &str, url: &str, tables: &[Value]) {
    let said = refusal(&format!("migrate --database sqlite:{moved}")).await;
    let to = said.split("was moved to ").nth(1).unwrap();
    let to = to.split(';').next().unwrap();
    let note = format!("{interrupted}.moving");
    let migrate = format!("migrate --database sqlite:{interrupted}");
    std::fs::write(&note, "postgres://elsewhere/").unwrap();
    let promote = format!("promote --from {interrupted} --to {url}");
    for line in [&promote, &migrate] {
        let said = refusal(line).await;
        assert!(
            said.contains("postgres://elsewhere/ was not finished"),
            "{said}"
        );
    }
    std::fs::write(&note, to).unwrap();
    assert!(refusal(&migrate).await.contains("was not finished"));
    assert_eq!(answer(&promote).await, tables);
    assert!(!std::fs::exists(&note).unwrap());
    assert!(refusal(&migrate).await.contains("was moved to"));
}

async fn new_schema() -> Option<String> {
    let made = tokio::task::spawn_blocking(|| {
        let server = postgres_fixture::shared()?;
        Some(server.new_schema().unwrap())
    });
    made.await.unwrap()
}

#[tokio::test]
async fn what_runs_goes_on_after_a_promotion() {
    let Some(url) = new_schema().await else {
        return;
    };
    let config = Some("[workers]\nunknown_action_wait_s = 600\n".to_owned());
    let options = Options {
        config: config.clone(),
        ..embedded()
    };
    let mut server = TestServer::start_with(options).await.unwrap();
    let api = server.api("default");
    let all = start_all(&api).await;
    let history = api.history(&all[0].1).await.unwrap().len();
    let file = file_of(&server);
    let scratch = tempfile::tempdir().unwrap();
    let copy = scratch.path().join("copy.db").display().to_string();
    answer(&format!("backup --database sqlite:{file} --to {copy}")).await;
    let promote = format!("promote --from {file} --to {url}");
    assert!(refusal(&promote).await.contains("in use"));
    server.terminate().await.unwrap();
    server.ended().await.unwrap();

    let interrupted = scratch.path().join("interrupted.db").display().to_string();
    std::fs::copy(&file, &interrupted).unwrap();
    let tables = answer(&promote).await;
    for name in ["executions", "execution_payloads"] {
        let table = tables.iter().find(|table| table["table"] == name).unwrap();
        assert_eq!(table["rows"], 56, "{name}");
    }
    let mut checksums = tables
        .iter()
        .map(|table| table["checksum"].as_str().unwrap());
    assert!(checksums.all(|checksum| checksum.len() == 64));
    // It goes on neither where it was nor a second time.
    let migrate = format!("migrate --database sqlite:{file}");
    for line in [promote, migrate] {
        assert!(refusal(&line).await.contains("was moved to"), "{line}");
    }
    finish_a_promotion(&file, &interrupted, &url, &tables).await;

    let options = Options {
        database: Some(url.clone()),
        config,
        ..Options::default()
    };
    let mut moved = TestServer::start_with(options).await.unwrap();
    let api = moved.api("default");
    assert_eq!(api.history(&all[0].1).await.unwrap().len(), history);
    finish_all(&moved, &all).await;
    assert_eq!(api.list_executions("").await.unwrap().len(), 56);
    moved.terminate().await.unwrap();
    moved.ended().await.unwrap();
    let again = refusal(&format!("promote --from {copy} --to {url}")).await;
    assert!(again.contains("is not empty"), "{again}");
}
