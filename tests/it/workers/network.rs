//! The network between worker and server is cut, and mended.
//!
//! As if for 20 s with leases of 30 s, and with shorter ones: times are a fifth of that.

use std::time::Duration;

use e2e::proxy::Proxy;
use proto::v1;
use proto::v1::history_event::Event;
use serde_json::{Value, json};
use tokio::time::{Instant, Interval, interval, sleep_until};

use super::program::{Language, Program};
use super::{Bench, good, put, seen};
use crate::support::{Findings, PATIENCE};

/// Leases that outlast the cut.
const LONG: &str = "[workers]\nlease_duration_s = 6.0\nheartbeat_interval_s = 2.0\n";
/// Leases that do not.
const SHORT: &str = "[workers]\nlease_duration_s = 1.5\nheartbeat_interval_s = 0.4\n";
/// How long the network is cut.
const CUT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_cut_network_loses_nothing_that_a_lease_outlasts() {
    let scratch = tempfile::tempdir().unwrap();
    let mut runs = tokio::task::JoinSet::new();
    for language in Language::all(scratch.path()).await {
        runs.spawn(outlasted(language.clone()));
        runs.spawn(lost(language));
    }
    let mut findings = Findings::default();
    for found in runs.join_all().await {
        findings.extend(found);
    }
    findings.none();
}

/// The function ends while the network is cut. Its lease is held, and its result counts.
async fn outlasted(language: Language) -> Findings {
    let mut bench = Bench::start_with(language.clone(), LONG).await;
    let (proxy, worker) = behind_proxy(&bench, &language).await;
    let (execution, file) = bench.block().await;
    // The lease lasts its full time from about now.
    renewed(&bench, &execution).await;
    proxy.cut();
    let mended_at = Instant::now() + CUT;
    put(&file, "go");
    sleep_until(mended_at).await;
    let running = bench.api.execution(&execution).await.unwrap();
    let state = running.state().as_str_name();
    bench.compare("cut", &json!(state), &json!("EXECUTION_STATE_RUNNING"));
    proxy.mend();
    let seen = bench.seen(&execution).await;
    bench.compare("a lease outlasts a cut", &seen, &good(&json!("go")));
    worker.terminate().await;
    worker.ended().await;
    bench.findings
}

/// The lease ends before the network is mended. What the function has found is refused, and the
/// task is run again.
async fn lost(language: Language) -> Findings {
    let mut bench = Bench::start_with(language.clone(), SHORT).await;
    let (proxy, worker) = behind_proxy(&bench, &language).await;
    let (execution, file) = bench.block().await;
    proxy.cut();
    put(&file, "first");
    lease_lost(&bench, &execution).await;
    put(&file, "second");
    proxy.mend();
    let seen_ = bench.seen(&execution).await;
    let expected = seen("SUCCESS", &json!("second"), &Value::Null, 1, &["EXPIRED"]);
    bench.compare("a cut outlasts a lease", &seen_, &expected);
    worker.terminate().await;
    worker.ended().await;
    bench.findings
}

async fn behind_proxy(bench: &Bench, language: &Language) -> (Proxy, Program) {
    let proxy = Proxy::start(bench.server.address()).await.unwrap();
    let log = bench.scratch.path().join("log");
    let worker = Program::start(language, &proxy.address(), "workers", &log).await;
    (proxy, worker)
}

/// Waits until the lease of the only action of an execution is renewed.
async fn renewed(bench: &Bench, execution: &str) {
    let mut waiting = Waiting::new("the lease is renewed");
    let first = expiry(&bench.actions(execution).await);
    while expiry(&bench.actions(execution).await) == first {
        waiting.on().await;
    }
}

fn expiry(actions: &[v1::ActionExecution]) -> Option<(i64, i32)> {
    let lease = actions.iter().find_map(|action| action.lease.as_ref())?;
    lease.expire_time.map(|time| (time.seconds, time.nanos))
}

/// Waits until the history of an execution tells of a lost lease.
async fn lease_lost(bench: &Bench, execution: &str) {
    let mut waiting = Waiting::new("the lease is lost");
    loop {
        let history = bench.api.history(execution).await.unwrap();
        let mut events = history.iter();
        if events.any(|event| matches!(event.event, Some(Event::ActionLeaseLost(_)))) {
            return;
        }
        waiting.on().await;
    }
}

/// Looks again now and then, for as long as there is patience.
struct Waiting {
    what: &'static str,
    ticks: Interval,
    deadline: Instant,
}

impl Waiting {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            ticks: interval(Duration::from_millis(20)),
            deadline: Instant::now() + PATIENCE,
        }
    }

    async fn on(&mut self) {
        assert!(
            Instant::now() < self.deadline,
            "waiting until {}",
            self.what
        );
        self.ticks.tick().await;
    }
}
