//! Tests of running: time, repetition, cancelling, slots, panics, configuration.

use engine::{Delivery, Outcome};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::site::{Gate, Site};
use super::{Bench, error_text, open_config};
use crate::actions::runner::{End, caught};
use crate::actions::{Config, Runner};

/// Runs an action that was created `age_s` seconds ago on a clock that jumps, and checks how long
/// it took, to a second.
async fn check_wait(name: &str, input: &str, age_s: i64, expected_s: u64, output: &str) {
    let bench = Bench::open();
    let mut dispatch = bench.dispatch(name, input);
    dispatch.created_us -= age_s * 1_000_000;
    let begin = Instant::now();
    bench.runner.run(dispatch);
    let (_, outcome) = bench.next().await;
    let took_s = begin.elapsed().as_secs_f64().round();
    assert!(
        (took_s - f64::from(u32::try_from(expected_s).unwrap())).abs() < 1.5,
        "{took_s}"
    );
    assert_eq!(
        outcome,
        Outcome::Success(engine::Data::parse(output).unwrap()),
        "{input}"
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_counts_from_the_creation() {
    check_wait("std.sleep", r#"{"seconds": 100}"#, 0, 100, "null").await;
    check_wait("std.sleep", r#"{"seconds": 100}"#, 70, 30, "null").await;
    check_wait("std.sleep", r#"{"seconds": 100}"#, 200, 0, "null").await;
    check_wait("std.sleep", r#"{"seconds": "50"}"#, 0, 50, "null").await;
    check_wait("std.sleep", r#"{"seconds": "soon"}"#, 0, 0, "null").await;
    check_wait("std.sleep", "{}", 0, 1, "null").await;
    check_wait("std.echo", r#"{"output": [1], "delay": 40}"#, 10, 30, "[1]").await;
    check_wait("std.echo", r#"{"output": null, "delay": []}"#, 0, 0, "null").await;
}

#[tokio::test]
async fn unknown_actions_fail_by_name() {
    let outcome = Bench::open().run("std.nope", "{}").await;
    assert_eq!(
        error_text(&outcome),
        "Failed to find action [action_name=std.nope]"
    );
}

#[tokio::test]
async fn a_repeated_dispatch_is_ignored() {
    let mut site = Site::start().await;
    let bench = Bench::open();
    let dispatch = bench.dispatch("std.http", &format!(r#"{{"url": "{}/gate"}}"#, site.base));
    bench.runner.run(dispatch.clone());
    bench.runner.run(dispatch.clone());
    bench.runner.clone().run(dispatch.clone());
    assert_eq!(site.gate.recv().await, Some(Gate::Entered));
    site.open.add_permits(3);
    assert_eq!(bench.next().await.0, dispatch.action);
    assert_eq!(site.gate.recv().await, Some(Gate::Left));
    assert_eq!(site.open.available_permits(), 2);
    assert!(site.gate.is_empty());
}

#[tokio::test]
async fn an_interrupted_action_runs_again_only_if_it_may() {
    let bench = Bench::open();
    let mut dispatch = bench.dispatch("std.echo", r#"{"output": 1}"#);
    let again = [
        (true, Outcome::Success(engine::Data::parse("1").unwrap())),
        (false, dispatch.unsafe_again()),
    ];
    for (safe, expected) in again {
        dispatch.delivery = Delivery::Again { safe };
        bench.runner.run(dispatch.clone());
        assert_eq!(bench.next().await, (dispatch.action, expected));
    }
}

#[tokio::test]
async fn a_cancelled_action_lets_go_and_reports_nothing() {
    let mut site = Site::start().await;
    let bench = Bench::open();
    let mut dispatch = bench.dispatch("std.http", &format!(r#"{{"url": "{}/gate"}}"#, site.base));
    bench.runner.run(dispatch.clone());
    assert_eq!(site.gate.recv().await, Some(Gate::Entered));
    bench.runner.cancel(dispatch.action);
    assert_eq!(site.gate.recv().await, Some(Gate::Left));
    // The same id may run again, and only this run is reported.
    dispatch.name = "std.echo".into();
    dispatch.input = engine::Data::parse(r#"{"output": "again"}"#).unwrap();
    bench.runner.run(dispatch.clone());
    let again = Outcome::Success(engine::Data::string("again"));
    assert_eq!(bench.next().await, (dispatch.action, again));
    // Cancelling what has ended, or never was, is nothing.
    bench.runner.cancel(dispatch.action);
    bench.runner.cancel(bench.dispatch("std.noop", "{}").action);
    assert!(bench.ended.lock().is_empty());
}

#[tokio::test]
async fn no_more_requests_than_slots() {
    let mut site = Site::start().await;
    let bench = Bench::with(&Config {
        concurrency_max: 2,
        ..open_config()
    });
    for _ in 0..6 {
        bench
            .runner
            .run(bench.dispatch("std.http", &format!(r#"{{"url": "{}/gate"}}"#, site.base)));
    }
    // Sleeping takes no slot, so this ends although both are taken.
    assert_eq!(site.gate.recv().await, Some(Gate::Entered));
    assert_eq!(site.gate.recv().await, Some(Gate::Entered));
    let sleep = bench.dispatch("std.sleep", r#"{"seconds": 0}"#);
    bench.runner.run(sleep.clone());
    assert_eq!(bench.next().await.0, sleep.action);
    let (mut inside, mut most) = (2, 2);
    site.open.add_permits(6);
    for _ in 0..6 + 4 {
        match site.gate.recv().await.unwrap() {
            Gate::Entered => inside += 1,
            Gate::Left => inside -= 1,
        }
        most = most.max(inside);
    }
    assert_eq!((inside, most), (0, 2));
}

#[tokio::test]
async fn a_panic_becomes_an_error() {
    let id = Bench::open().dispatch("std.http", "{}").action;
    let end = caught(id, "std.http", async { panic!("secret") }).await;
    let text = engine::Data::string("the action 'std.http' failed by a defect of the server");
    assert_eq!(end, End::Done(Outcome::Error(text)));
}

#[tokio::test]
async fn mistakes_of_the_configuration_are_named() {
    let cases = [
        (
            "concurrency_max = 0",
            "actions.concurrency_max must be between 1 and 10000, not 0",
        ),
        (
            "http.timeout_s = 0",
            "actions.http.timeout_s must be between 1 and 86400, not 0",
        ),
        (
            "http.response_bytes_max = 99999999",
            "actions.http.response_bytes_max must be between 1 and 67108864, not 99999999",
        ),
        (
            "http.ca_file = '/nowhere/ca.pem'",
            "actions.http.ca_file: cannot read /nowhere/ca.pem: No such file",
        ),
        (
            "http.ca_file = 'Cargo.toml'",
            "actions.http.ca_file: Cargo.toml holds no usable PEM certificates",
        ),
        ("slots = 3", "unknown field `slots`"),
        ("http.verify = false", "unknown field `verify`"),
        (
            "egress.denied_networks = ['10.0.0.0/33']",
            "'10.0.0.0/33' is not a network such as 10.0.0.0/8",
        ),
        (
            "egress.allowed_hosts = ['https://a.test']",
            "'https://a.test' is not a host such as api.example.com or *.example.com",
        ),
    ];
    for (text, expected) in cases {
        let error = match toml::from_str::<Config>(text) {
            Err(error) => error.to_string(),
            Ok(config) => Runner::new(&config, Handle::current())
                .err()
                .unwrap()
                .to_string(),
        };
        assert!(error.contains(expected), "{text}: {error}");
    }
}
