//! Tests of the actions against real servers on free loopback ports. This file owns what they
//! share: a runner whose ends of actions can be waited for.

mod docs;
mod egress;
mod email;
mod failures;
mod javascript;
mod mistral_http;
mod parameters;
mod raw;
mod redirects;
mod results;
mod runner;
mod site;
#[cfg(feature = "ssh")]
mod ssh;
#[cfg(feature = "ssh")]
mod ssh_password;
mod tls;
mod web;

use std::sync::atomic::{AtomicU32, Ordering};

use engine::{ActionId, Data, Delivery, Dispatch, ExecutionUid, Outcome, TaskId};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::runner::End;
use super::{Config, Runner};
use crate::clock;

/// A runner and what it reports.
pub(super) struct Bench {
    runner: Runner,
    ended: Mutex<mpsc::UnboundedReceiver<(ActionId, End)>>,
    last: AtomicU32,
}

impl Bench {
    /// With a policy that lets requests reach the tests' own servers.
    pub(super) fn open() -> Self {
        Self::with(&open_config())
    }

    pub(super) fn with(config: &Config) -> Self {
        let runner = Runner::new(config, Handle::current()).unwrap();
        let (sender, ended) = mpsc::unbounded_channel();
        runner.report_with(Box::new(move |action, end| {
            sender.send((action, end)).unwrap();
        }));
        Self {
            runner,
            ended: Mutex::new(ended),
            last: AtomicU32::new(0),
        }
    }

    /// A dispatch of a new action.
    pub(super) fn dispatch(&self, name: &str, input: &str) -> Dispatch {
        let execution = ExecutionUid(uuid::Uuid::from_u128(7));
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        Dispatch {
            action: ActionId {
                task: TaskId {
                    execution,
                    number: 1,
                },
                number,
            },
            name: name.into(),
            input: Data::parse(input).unwrap(),
            created_us: clock::now_us(),
            attempt: 1,
            timeout_s: None,
            times: engine::CallTimes::default(),
            priority: 0,
            target: None,
            version: None,
            affinity: None,
            runner: engine::Runner::Server,
            root: execution,
            index: 0,
            lease: None,
            progress: None,
            is_repeatable: false,
            delivery: Delivery::First,
            project: "default".into(),
            workflow_name: "w".into(),
            task_name: "t".into(),
        }
    }

    /// The next end of an action.
    pub(super) async fn next(&self) -> (ActionId, Outcome) {
        match self.next_end().await {
            (action, End::Done(outcome)) => (action, outcome),
            (action, end) => panic!("{action}: {end:?}"),
        }
    }

    /// The next end of the server's part of an action.
    pub(super) async fn next_end(&self) -> (ActionId, End) {
        std::future::poll_fn(|context| self.ended.lock().poll_recv(context))
            .await
            .unwrap()
    }

    /// Runs one action to its end.
    pub(super) async fn run(&self, name: &str, input: &str) -> Outcome {
        let dispatch = self.dispatch(name, input);
        let action = dispatch.action;
        self.runner.run(dispatch);
        let (ended, outcome) = self.next().await;
        assert_eq!(ended, action);
        outcome
    }
}

pub(super) fn open_config() -> Config {
    let mut config = Config::default();
    config.egress.denied_networks = Vec::new();
    config
}

/// The text of an error outcome.
#[track_caller]
pub(super) fn error_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Error(data) => data.value().as_str().expect("a text").to_owned(),
        other => panic!("not an error: {other:?}"),
    }
}

/// Says that a test cannot be done without a tool. On the machines that check changes that is an
/// error, elsewhere a test less.
fn missing_tool<T>(tool: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{tool} is missing");
    #[expect(clippy::print_stderr, reason = "who runs the tests should know")]
    {
        eprintln!("SKIPPED: {tool} is missing");
    }
    None
}
