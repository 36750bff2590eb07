//! Several servers on one PostgreSQL are one: whichever is asked, whichever dies.

mod agreement;
mod concurrent;
mod soak;

use std::collections::BTreeMap;
use std::time::Duration;

use autan::Client;
use e2e::api::{Api, payload, value};
use e2e::server::{DATABASE_VARIABLE, Options, TestServer};
use proto::v1::{self, ExecutionState};
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_stream::StreamExt as _;
use uuid::Uuid;

use crate::support::{PATIENCE, held, may_be_repeated, running_action, sequences, without_holes};
use crate::workers::program::{Language, Program};

/// Servers that share a database.
struct Servers(Vec<TestServer>);

impl Servers {
    /// Starts some, one after the other, and waits until all have their part.
    async fn start(count: usize, database: &str, config: &str) -> Self {
        let mut servers = Vec::new();
        for _ in 0..count {
            let options = Options {
                database: Some(database.to_owned()),
                config: Some(config.to_owned()),
                ..Options::default()
            };
            servers.push(TestServer::start_with(options).await.unwrap());
        }
        let servers = Self(servers);
        servers.are_settled().await;
        servers
    }

    fn api(&self, server: usize, project: &str) -> Api {
        self.0[server % self.0.len()].api(project)
    }

    /// Waits until each has its part of the shards.
    async fn are_settled(&self) {
        let all = self.0.len();
        let settled = async {
            loop {
                let parts = parts(&self.api(0, "default")).await;
                let most = parts.values().copied().max().unwrap_or(0);
                let sum: usize = parts.values().sum();
                if parts.len() == all && sum == 256 && most <= 256_usize.div_ceil(all) {
                    return;
                }
                // The servers tell nobody when they are done.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, settled).await.expect("shards are shared");
    }
}

/// How many shards each server has that is there.
async fn parts(api: &Api) -> BTreeMap<String, usize> {
    let request = v1::GetClusterRequest {};
    let cluster = api
        .system()
        .get_cluster(request)
        .await
        .unwrap()
        .into_inner();
    let servers = cluster.servers.into_iter();
    let live = servers.filter(|server| server.state() == v1::ServerState::Live);
    live.map(|server| (server.address, usize::try_from(server.shards).unwrap()))
        .collect()
}

/// These tests need PostgreSQL whatever the rest of the run is about, so the run that is about it
/// has them, and the other one need not.
fn is_turn() -> bool {
    let is_turn = std::env::var(DATABASE_VARIABLE).as_deref() == Ok("postgres");
    if !is_turn {
        eprintln!("skipped: several servers are tested with {DATABASE_VARIABLE}=postgres");
    }
    is_turn && postgres_fixture::shared().is_some()
}

async fn new_schema() -> Option<String> {
    if !is_turn() {
        return None;
    }
    let made = tokio::task::spawn_blocking(|| {
        let server = postgres_fixture::shared()?;
        Some(server.new_schema().unwrap())
    });
    made.await.unwrap()
}

/// Workflows that need their owner in many ways.
const WORKFLOWS: &str = "
version: '2.0'
inner:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    t: {action: test.add a=<% $.n %> b=1, publish: {v: <% task().result %>}}
outer:
  input: [n]
  output: {v: <% $.v %>}
  tasks:
    s: {action: std.echo output=<% $.n %>, publish: {n: <% task().result %>}, on-success: c}
    c: {workflow: inner n=<% $.n %>, publish: {v: <% task().result.v %>}}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_server_does_what_is_asked() {
    let Some(database) = new_schema().await else {
        return;
    };
    let servers = Servers::start(3, &database, "").await;
    let scratch = tempfile::tempdir().unwrap();
    let languages = Language::all(scratch.path()).await;
    // A worker that is connected to one server gets the work of all.
    let log = scratch.path().join("log");
    let worker = Program::start(&languages[0], servers.0[2].address(), "p", &log).await;
    let source = format!(
        "{WORKFLOWS}{}",
        held("held", 2).replace("version: '2.0'\n", "")
    );
    servers.api(1, "p").create_workflow(&source).await.unwrap();

    runs_are_seen_everywhere(&servers).await;
    let id = one_request_is_one_execution(&servers).await;
    verbs_go_to_the_owner(&servers, &id).await;
    worker.terminate().await;
}

/// What is written by one server is there for the next at once.
async fn runs_are_seen_everywhere(servers: &Servers) {
    for number in 0..12 {
        let api = servers.api(number, "p");
        let request = v1::StartExecutionRequest {
            execution_id: format!("e{number}"),
            ..api.start_request("outer", &json!({"n": number}))
        };
        api.executions().start_execution(request).await.unwrap();
        let other = servers.api(number + 1, "p");
        let done = other
            .finished(&format!("e{number}"), PATIENCE)
            .await
            .unwrap();
        assert_eq!(done.state(), ExecutionState::Success, "{done:?}");
        assert_eq!(
            value(done.output.as_ref()).unwrap(),
            json!({"v": number + 1})
        );
    }
}

/// The same request, sent to several servers, is one. Gives the execution's id.
async fn one_request_is_one_execution(servers: &Servers) -> String {
    let request_id = Uuid::new_v4().to_string();
    let mut uids = Vec::new();
    for server in 0..3 {
        let api = servers.api(server, "p");
        let request = v1::StartExecutionRequest {
            request_id: request_id.clone(),
            ..api.start_request("held", &json!({}))
        };
        let started = api.executions().start_execution(request).await.unwrap();
        uids.push(started.into_inner().execution.unwrap().uid);
    }
    assert_eq!(uids[0], uids[1]);
    assert_eq!(uids[0], uids[2]);
    uids.remove(0)
}

/// Each verb through another server than the one before; a watcher hears of all.
async fn verbs_go_to_the_owner(servers: &Servers, id: &str) {
    let address = servers.0[2].address().to_owned();
    let client = Client::builder(&*address)
        .project("p")
        .connect_lazy()
        .unwrap();
    let mut watch = client.execution(id).events();
    let pause = v1::PauseExecutionRequest {
        project: "p".into(),
        execution_id: id.to_owned(),
        ..Default::default()
    };
    let paused = servers
        .api(0, "p")
        .executions()
        .pause_execution(pause)
        .await;
    assert_eq!(
        paused.unwrap().into_inner().execution.unwrap().state(),
        ExecutionState::Paused
    );
    let resume = v1::ResumeExecutionRequest {
        project: "p".into(),
        execution_id: id.to_owned(),
        ..Default::default()
    };
    let resumed = servers
        .api(1, "p")
        .executions()
        .resume_execution(resume)
        .await;
    assert_eq!(
        resumed.unwrap().into_inner().execution.unwrap().state(),
        ExecutionState::Running
    );
    for server in 0..2 {
        let action = running_action(&servers.api(server, "p"), id).await.unwrap();
        servers
            .api(server + 1, "p")
            .complete_action(&action.action_execution_id, &json!(1))
            .await
            .unwrap();
    }
    let done = servers.api(2, "p").finished(id, PATIENCE).await.unwrap();
    assert_eq!(done.state(), ExecutionState::Success);
    let mut seen = Vec::new();
    while let Some(event) = timeout(PATIENCE, watch.next()).await.unwrap() {
        seen.push(event.unwrap().sequence);
    }
    assert_eq!(seen, without_holes(done.last_sequence));
}

/// The longest that a dead server's executions wait for another one. Generous: the machine may be
/// slow, and others work on it.
const TAKEN_OVER_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_go_on_when_their_server_is_gone() {
    let Some(database) = new_schema().await else {
        return;
    };
    let mut servers = Servers::start(2, &database, "").await;
    let api = servers.api(0, "p");
    api.create_workflow(&held("held", 2)).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..8 {
        let started = servers
            .api(number, "p")
            .start("held", &json!({}))
            .await
            .unwrap();
        ids.push(started.uid);
    }
    for orderly in [false, true] {
        if orderly {
            servers.0[1].terminate().await.unwrap();
            servers.0[1].ended().await.unwrap();
        } else {
            servers.0[1].kill().await.unwrap();
        }
        let gone = Instant::now();
        let api = servers.api(0, "p");
        for id in &ids {
            let action = running_action(&api, id).await.unwrap();
            let request = v1::CompleteActionExecutionRequest {
                project: "p".into(),
                action_execution_id: action.action_execution_id,
                result: Some(payload(&json!(1))),
                request_id: Uuid::new_v4().to_string(),
            };
            loop {
                match api.tasks().complete_action_execution(request.clone()).await {
                    Ok(_) => break,
                    Err(status) => assert!(may_be_repeated(&status), "{status}"),
                }
                assert!(gone.elapsed() < TAKEN_OVER_MAX, "nobody takes over");
            }
        }
        eprintln!("taken over after {:?}, in order: {orderly}", gone.elapsed());
        servers.0[1].restart().await.unwrap();
        servers.are_settled().await;
    }
    for id in &ids {
        let done = servers.api(1, "p").finished(id, PATIENCE).await.unwrap();
        assert_eq!(done.state(), ExecutionState::Success);
        let history = servers.api(0, "p").history(id).await.unwrap();
        assert_eq!(sequences(&history), without_holes(done.last_sequence));
    }
}

/// How long servers are watched that have nothing to do: longer than one counts as there.
const IDLE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_servers_outlast_a_restart_of_the_database() {
    if !is_turn() {
        return;
    }
    let mut database = postgres_fixture::Server::start(&[]).unwrap();
    let mut servers = Servers::start(2, &database.url(), "").await;
    let before = ids(&servers.api(0, "p")).await;
    for crash in [false, true] {
        tokio::task::block_in_place(|| {
            if crash {
                database.crash().unwrap();
            } else {
                database.shut_down().unwrap();
            }
            database.resume().unwrap();
        });
        let until = Instant::now() + IDLE;
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(servers.0.iter_mut().all(|server| !server.has_ended()));
        }
        assert_eq!(ids(&servers.api(1, "p")).await, before);
    }
    servers
        .api(0, "p")
        .create_workflow(&held("held", 1))
        .await
        .unwrap();
    servers.api(1, "p").start("held", &json!({})).await.unwrap();
}

/// The servers that are there, by what they call themselves.
async fn ids(api: &Api) -> Vec<String> {
    let request = v1::GetClusterRequest {};
    let cluster = api.system().get_cluster(request).await.unwrap();
    let servers = cluster.into_inner().servers.into_iter();
    let live = servers.filter(|server| server.state() == v1::ServerState::Live);
    live.map(|server| server.server_id).collect()
}
