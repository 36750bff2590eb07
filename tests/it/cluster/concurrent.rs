//! Callers who do things to the same executions through different servers, one of which dies: what
//! they are told, and what the history says, is as if one had come after the other.

use std::sync::Arc;
use std::time::Instant;

use e2e::api::Api;
use e2e::refusal::Refusal;
use proto::v1;
use proto::v1::history_event::Event;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

use super::agreement::{Answer, Call, Noted, Table, contradictions};
use super::{Servers, new_schema};
use crate::support::{held, may_be_repeated, sequences, without_holes};

/// Executions that are fought for, the callers, and what each of them does.
const EXECUTIONS: usize = 4;
const CALLERS: usize = 8;
const CALLS: usize = 90;

/// What callers do; looking is done as often as all else together.
const VERBS: [&str; 8] = [
    "pause", "get", "resume", "get", "cancel", "get", "rerun", "get",
];

/// The published table, which is made from the engine's.
const LIFECYCLE: &str = include_str!("../../../docs/lifecycle.md");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_and_history_agree() {
    let Some(database) = new_schema().await else {
        return;
    };
    let mut servers = Servers::start(3, &database, "").await;
    let api = servers.api(0, "p");
    api.create_workflow(&held("held", 2)).await.unwrap();
    let apis: Arc<Vec<Api>> = Arc::new((0..3).map(|number| servers.api(number, "p")).collect());

    let (one, mut made) = mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        callers.spawn(caller(number, apis.clone(), one.clone()));
    }
    for _ in 0..CALLERS * CALLS / 2 {
        made.recv().await.unwrap();
    }
    servers.0[2].kill().await.unwrap();
    servers.0[2].restart().await.unwrap();
    let calls: Vec<_> = callers.join_all().await.into_iter().flatten().collect();

    let table = Table::of(LIFECYCLE);
    let mut faults = Vec::new();
    for number in 0..EXECUTIONS {
        let id = id(number);
        let of = calls.iter().filter(|(execution, _)| *execution == number);
        let of: Vec<Call> = of.map(|(_, call)| call.clone()).collect();
        let events = api.history(&id).await.unwrap();
        let last = api.execution(&id).await.unwrap().last_sequence;
        assert_eq!(sequences(&events), without_holes(last));
        let history: Vec<Noted> = events.iter().map(noted).collect();
        let verbs = history
            .iter()
            .filter(|event| matches!(event, Noted::Verb { .. }))
            .count();
        assert!(verbs > CALLS / 10, "{id}: only {verbs} verbs were applied");
        let found = contradictions(&table, &of, &history);
        faults.extend(found.into_iter().map(|fault| format!("{id}: {fault}")));
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

fn id(number: usize) -> String {
    format!("fought-for-{number}")
}

/// Does one thing after the other to executions of its choice, each through a server of its choice.
async fn caller(
    number: usize,
    apis: Arc<Vec<Api>>,
    one: mpsc::UnboundedSender<()>,
) -> Vec<(usize, Call)> {
    let mut calls = Vec::new();
    for execution in 0..EXECUTIONS {
        let order = Order::new("start", execution);
        calls.push((execution, order.carry_out(&apis, number).await));
    }
    for turn in 0..CALLS {
        // Nobody counts any more when half of them are made.
        let _ = one.send(());
        // Random as ids are; what follows from it is in the message of a failure.
        let dice = usize::try_from(Uuid::new_v4().as_u64_pair().1 >> 8).unwrap();
        let execution = dice % EXECUTIONS;
        let order = Order::new(VERBS[dice / 16 % VERBS.len()], execution);
        let first = dice / 1024 % apis.len();
        if turn % 4 > 0 {
            calls.push((execution, order.carry_out(&apis, first).await));
            continue;
        }
        // The same call through two servers at once is one call.
        let (one, other) = tokio::join!(
            order.carry_out(&apis, first),
            order.carry_out(&apis, first + 1)
        );
        calls.extend([(execution, one), (execution, other)]);
    }
    calls
}

/// One thing to do, however often it has to be asked for.
struct Order {
    verb: &'static str,
    execution_id: String,
    request_id: String,
}

impl Order {
    fn new(verb: &'static str, execution: usize) -> Self {
        Self {
            verb,
            execution_id: id(execution),
            request_id: Uuid::new_v4().to_string(),
        }
    }

    /// Asks until there is an answer.
    async fn carry_out(&self, apis: &[Api], first: usize) -> Call {
        let begun = Instant::now();
        let mut turn = first;
        let answer = loop {
            match self.ask(&apis[turn % apis.len()]).await {
                Ok(execution) => {
                    let state = execution.state().as_str_name();
                    break Answer::Execution {
                        state: state.trim_start_matches("EXECUTION_STATE_").to_owned(),
                        sequence: execution.last_sequence,
                    };
                }
                Err(status) if may_be_repeated(&status) => turn += 1,
                Err(status) => {
                    let refusal = Refusal::of(&status);
                    assert_eq!(
                        refusal.reason, "EXECUTION_STATE",
                        "{}: {refusal}",
                        self.verb
                    );
                    break Answer::Refused {
                        state: refusal.metadata["state"].clone(),
                    };
                }
            }
        };
        Call {
            verb: self.verb,
            request_id: self.request_id.clone(),
            begun,
            ended: Instant::now(),
            answer,
        }
    }

    async fn ask(&self, api: &Api) -> Result<v1::Execution, Status> {
        let mut executions = api.executions();
        macro_rules! ask {
            ($method:ident, $request:ident) => {{
                let request = v1::$request {
                    project: "p".to_owned(),
                    execution_id: self.execution_id.clone(),
                    request_id: self.request_id.clone(),
                    ..Default::default()
                };
                executions.$method(request).await?.into_inner().execution
            }};
        }
        let execution = match self.verb {
            "start" => {
                let request = v1::StartExecutionRequest {
                    execution_id: self.execution_id.clone(),
                    request_id: self.request_id.clone(),
                    ..api.start_request("held", &json!({}))
                };
                executions
                    .start_execution(request)
                    .await?
                    .into_inner()
                    .execution
            }
            "pause" => ask!(pause_execution, PauseExecutionRequest),
            "resume" => ask!(resume_execution, ResumeExecutionRequest),
            "cancel" => ask!(cancel_execution, CancelExecutionRequest),
            "rerun" => ask!(rerun_execution, RerunExecutionRequest),
            _ => return api.execution(&self.execution_id).await,
        };
        Ok(execution.expect("every answer has the execution"))
    }
}

/// What an event says about verbs and states.
fn noted(event: &v1::HistoryEvent) -> Noted {
    match &event.event {
        Some(Event::VerbApplied(applied)) => Noted::Verb {
            verb: applied.verb.clone(),
            request_id: applied.request_id.clone(),
        },
        Some(Event::ExecutionStateChanged(change)) => {
            let name = change.state().as_str_name();
            Noted::State(name.trim_start_matches("EXECUTION_STATE_").to_owned())
        }
        _ => Noted::Other,
    }
}
