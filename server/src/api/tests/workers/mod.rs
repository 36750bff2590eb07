//! Workers over a real connection, by calls and by streams.

mod streams;

use proto::v1;
use proto::v1::worker_service_client::WorkerServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Api, json};
use crate::Config;

const RESERVE: &str = "
version: '2.0'
reserve:
  input: [count]
  output:
    got: <% task(hold).result %>
  tasks:
    hold:
      action: stock.reserve count=<% $.count %>
      retry:
        count: 2
        delay: 0
";

/// A server whose workers are looked after quickly.
async fn quick() -> Api {
    quick_for(60.0).await
}

/// The same, where an action that nobody knows fails after so many seconds.
async fn quick_for(unknown_action_wait_s: f64) -> Api {
    let mut config = Config::in_memory();
    config.workers.lease_duration_s = 1.0;
    config.workers.heartbeat_interval_s = 0.2;
    config.workers.accept_timeout_s = 0.3;
    config.workers.unknown_action_wait_s = unknown_action_wait_s;
    let mut api = Api::on(&config).await;
    api.workflows
        .create_workflow(super::create(RESERVE))
        .await
        .expect("the workflow is right");
    api
}

fn reason_of(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.expect("every refusal has a reason").reason
}

impl Api {
    async fn action(&mut self, id: &str) -> v1::ActionExecution {
        let request = v1::GetActionExecutionRequest {
            action_execution_id: id.into(),
            ..v1::GetActionExecutionRequest::default()
        };
        let found = self.tasks.get_action_execution(request).await;
        let found = found.expect("it is there").into_inner();
        found.action_execution.expect("it is there")
    }

    async fn only_action(&mut self, execution: &str) -> v1::ActionExecution {
        let parent = v1::list_action_executions_request::Parent::ExecutionId(execution.into());
        let request = v1::ListActionExecutionsRequest {
            parent: Some(parent),
            ..v1::ListActionExecutionsRequest::default()
        };
        let listed = self.tasks.list_action_executions(request).await;
        let listed = listed.expect("it is there").into_inner().action_executions;
        assert_eq!(listed.len(), 1);
        self.action(&listed[0].action_execution_id).await
    }

    async fn history(&mut self, execution: &str) -> Vec<v1::HistoryEvent> {
        let request = v1::ListHistoryEventsRequest {
            execution_id: execution.into(),
            ..v1::ListHistoryEventsRequest::default()
        };
        let listed = self.executions.list_history_events(request).await;
        listed.expect("it is there").into_inner().events
    }
}

fn worker(api: &Api) -> WorkerServiceClient<Channel> {
    WorkerServiceClient::new(api.channel.clone())
}

fn identity(number: u8) -> v1::WorkerIdentity {
    v1::WorkerIdentity {
        worker_id: format!("01920000-0000-7000-8000-0000000000{number:02x}"),
        identity: format!("test-{number}"),
        ..v1::WorkerIdentity::default()
    }
}

fn queues(credits: i32) -> Vec<v1::QueueSubscription> {
    vec![v1::QueueSubscription {
        queue: String::new(),
        actions: vec![v1::WorkerAction {
            name: "stock.reserve".into(),
            description: "Takes things out of the stock.".into(),
            ..v1::WorkerAction::default()
        }],
        credits,
    }]
}

async fn poll(worker: &mut WorkerServiceClient<Channel>, number: u8) -> Vec<v1::WorkerTask> {
    poll_for(worker, number, None).await
}

async fn poll_for(
    worker: &mut WorkerServiceClient<Channel>,
    number: u8,
    wait: Option<prost_types::Duration>,
) -> Vec<v1::WorkerTask> {
    let request = v1::PollTasksRequest {
        wait,
        worker: Some(identity(number)),
        queues: queues(0),
        max_tasks: 10,
        ..v1::PollTasksRequest::default()
    };
    let polled = worker.poll_tasks(request).await.expect("it may poll");
    polled.into_inner().tasks
}

fn complete(number: u8, token: &str, result: &str) -> v1::CompleteTaskRequest {
    v1::CompleteTaskRequest {
        worker_id: identity(number).worker_id,
        token: token.to_owned(),
        result: Some(json(result)),
        ..v1::CompleteTaskRequest::default()
    }
}

fn fail(number: u8, token: &str, failure: v1::TaskFailure) -> v1::FailTaskRequest {
    v1::FailTaskRequest {
        worker_id: identity(number).worker_id,
        token: token.to_owned(),
        failure: Some(failure),
        ..v1::FailTaskRequest::default()
    }
}

#[tokio::test]
async fn a_task_goes_to_a_worker_and_its_result_comes_back() {
    let mut api = quick().await;
    let mut worker = worker(&api);
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let task = poll(&mut worker, 1).await.remove(0);
    assert_eq!((&*task.action, &*task.task_name), ("stock.reserve", "hold"));
    assert_eq!(task.input, Some(json(r#"{"count":3}"#)));
    assert_eq!((task.attempt, task.delivery), (1, 1));

    let lost = worker
        .complete_task(complete(1, "made.up.token", "1"))
        .await;
    let lost = lost.unwrap_err();
    assert_eq!(
        (lost.code(), &*reason_of(&lost)),
        (Code::FailedPrecondition, "TASK_LEASE_LOST")
    );

    let request = || complete(1, &task.token, r#"{"left": 4}"#);
    worker
        .complete_task(request())
        .await
        .expect("it has the lease");
    worker
        .complete_task(request())
        .await
        .expect("the same again is the same");
    let execution = api.finished("r").await;
    assert_eq!(execution.state, v1::ExecutionState::Success as i32);
    assert_eq!(execution.output, Some(json(r#"{"got":{"left":4}}"#)));
    let other = worker.complete_task(complete(1, &task.token, "5")).await;
    other.expect("what is recorded under this lease stays, and that is no error");
    let action = api.only_action("r").await;
    assert_eq!(action.output, Some(json(r#"{"left": 4}"#)));
    let lease = action.lease.expect("it was handed out");
    assert_eq!((&*lease.worker_identity, lease.delivery), ("test-1", 1));
}

#[tokio::test]
async fn failures_are_typed_and_the_retry_of_the_task_asks_them() {
    let mut api = quick().await;
    let mut worker = worker(&api);
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let first = poll(&mut worker, 1).await.remove(0);
    let cause = v1::Failure {
        r#type: "Inner".into(),
        message: "deep".into(),
        ..v1::Failure::default()
    };
    let failure = v1::Failure {
        r#type: "Outer".into(),
        message: "it broke".into(),
        stack: "line 1".into(),
        cause: Some(Box::new(cause)),
        ..v1::Failure::default()
    };
    let plain = v1::TaskFailure {
        failure: Some(failure.clone()),
        ..v1::TaskFailure::default()
    };
    worker
        .fail_task(fail(1, &first.token, plain))
        .await
        .expect("it has the lease");
    let second = poll(&mut worker, 1).await.remove(0);
    assert_eq!(second.attempt, 2);
    assert_eq!(second.idempotency_key, first.idempotency_key);
    assert_ne!(second.action_execution_id, first.action_execution_id);
    let never = v1::TaskFailure {
        failure: Some(failure.clone()),
        non_retryable: true,
        ..v1::TaskFailure::default()
    };
    worker
        .fail_task(fail(1, &second.token, never))
        .await
        .expect("it has the lease");
    let execution = api.finished("r").await;
    assert_eq!(
        execution.state,
        v1::ExecutionState::Error as i32,
        "the third is not made"
    );
    let id = second.action_execution_id;
    let action = api.action(&id).await;
    assert_eq!(action.failure, Some(failure));
    assert_eq!(action.output, Some(json(r#""it broke""#)));
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_goes_to_another() {
    let mut api = quick().await;
    let mut worker = worker(&api);
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let lost = poll(&mut worker, 1).await.remove(0);
    let progress = v1::HeartbeatTasksRequest {
        worker_id: identity(1).worker_id,
        tasks: vec![v1::TaskHeartbeat {
            token: lost.token.clone(),
            progress: Some(json(r#"{"step": 2}"#)),
        }],
        ..v1::HeartbeatTasksRequest::default()
    };
    let renewed = worker.heartbeat_tasks(progress).await.unwrap().into_inner();
    assert_eq!(renewed.tasks[0].status, v1::LeaseStatus::Held as i32);
    let again = poll(&mut worker, 2).await.remove(0);
    assert_eq!(
        (again.attempt, again.delivery),
        (1, 2),
        "no attempt is used up"
    );
    assert_eq!(again.progress, Some(json(r#"{"step": 2}"#)));
    assert_eq!(again.action_execution_id, lost.action_execution_id);
    let late = worker
        .complete_task(complete(1, &lost.token, "1"))
        .await
        .unwrap_err();
    assert_eq!(reason_of(&late), "TASK_LEASE_LOST");
    worker
        .complete_task(complete(2, &again.token, "2"))
        .await
        .expect("it has the lease");
    let execution = api.finished("r").await;
    assert_eq!(execution.output, Some(json(r#"{"got":2}"#)));
    let history = api.history("r").await;
    let lost = history.iter().find_map(|event| match &event.event {
        Some(v1::history_event::Event::ActionLeaseLost(lost)) => Some(lost.clone()),
        _ => None,
    });
    let lost = lost.expect("it is recorded");
    assert_eq!((&*lost.worker, lost.delivery), ("test-1", 1));
    assert_eq!(lost.reason, v1::LeaseLoss::Expired as i32);
}

#[tokio::test]
async fn a_paused_execution_keeps_its_calls_to_itself() {
    let mut api = quick().await;
    let mut worker = worker(&api);
    // It is known from now on.
    let soon = Some(prost_types::Duration {
        seconds: 0,
        nanos: 1_000_000,
    });
    assert_eq!(poll_for(&mut worker, 1, soon).await, []);
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let pause = v1::PauseExecutionRequest {
        execution_id: "r".into(),
        ..v1::PauseExecutionRequest::default()
    };
    api.executions.pause_execution(pause).await.unwrap();
    assert_eq!(poll_for(&mut worker, 1, soon).await, []);
    let explain = v1::ExplainExecutionRequest {
        execution_id: "r".into(),
        ..v1::ExplainExecutionRequest::default()
    };
    let explained = api.executions.explain_execution(explain).await.unwrap();
    let causes = explained.into_inner().causes;
    let texts: Vec<&str> = causes.iter().map(|cause| &*cause.text).collect();
    let text = "task hold: action stock.reserve is handed to no worker while the execution is \
                paused";
    assert!(texts.contains(&text), "{texts:?}");
    let resume = v1::ResumeExecutionRequest {
        execution_id: "r".into(),
        ..v1::ResumeExecutionRequest::default()
    };
    api.executions.resume_execution(resume).await.unwrap();
    let task = poll(&mut worker, 1).await.remove(0);
    let done = complete(1, &task.token, "3");
    worker.complete_task(done).await.unwrap();
    assert_eq!(api.finished("r").await.state(), v1::ExecutionState::Success);
    api.stop().await;
}

#[tokio::test]
async fn an_action_that_nobody_provides_fails_in_time() {
    let mut api = quick_for(1.0).await;
    api.run("reserve", "r", r#"{"count": 3}"#).await;
    let request = v1::ExplainExecutionRequest {
        execution_id: "r".into(),
        ..v1::ExplainExecutionRequest::default()
    };
    let explained = api
        .executions
        .explain_execution(request)
        .await
        .unwrap()
        .into_inner();
    let text = &explained.causes[0].text;
    assert!(text.contains("no worker has ever provided it"), "{text}");
    let execution = api.finished("r").await;
    assert_eq!(execution.state, v1::ExecutionState::Error as i32);
    let info = execution.state_info;
    assert!(
        info.contains("Failed to find action [action_name=stock.reserve]"),
        "{info}"
    );
}

#[tokio::test]
async fn a_deferred_task_is_completed_by_its_token_or_by_its_id() {
    let mut api = quick().await;
    let mut worker = worker(&api);
    for (id, by_token) in [("by-token", true), ("by-id", false)] {
        api.run("reserve", id, r#"{"count": 3}"#).await;
        let task = poll(&mut worker, 1).await.remove(0);
        let deferred = v1::CompleteTaskRequest {
            deferred: true,
            result: None,
            ..complete(1, &task.token, "0")
        };
        worker
            .complete_task(deferred)
            .await
            .expect("it has the lease");
        // No lease runs, so nobody else gets it when one would have ended.
        let longer = Some(prost_types::Duration {
            seconds: 1,
            nanos: 200_000_000,
        });
        assert_eq!(poll_for(&mut worker, 2, longer).await, []);
        if by_token {
            worker
                .complete_task(complete(1, &task.token, "5"))
                .await
                .expect("it is its own");
        } else {
            let request = v1::CompleteActionExecutionRequest {
                action_execution_id: task.action_execution_id.clone(),
                result: Some(json("5")),
                ..v1::CompleteActionExecutionRequest::default()
            };
            api.tasks
                .complete_action_execution(request)
                .await
                .expect("it waits for that");
        }
        assert_eq!(api.finished(id).await.output, Some(json(r#"{"got":5}"#)));
    }
}

#[tokio::test]
async fn what_workers_say_of_themselves_is_checked() {
    let api = quick().await;
    let right = || v1::PollTasksRequest {
        worker: Some(identity(1)),
        queues: queues(0),
        wait: Some(prost_types::Duration::default()),
        ..v1::PollTasksRequest::default()
    };
    let named = |name: &str| {
        let mut request = right();
        name.clone_into(&mut request.queues[0].actions[0].name);
        request
    };
    let mut nobody = right();
    nobody.worker = None;
    let mut without_id = right();
    without_id.worker.as_mut().unwrap().worker_id = "me".into();
    let mut idle = right();
    idle.queues.clear();
    for (request, message) in [
        (nobody, "worker: is required"),
        (without_id, "worker_id: must be a UUID"),
        (idle, "queues: must have 1 to 100 queues, not 0"),
        (named(""), "queues.actions.name: is required"),
        (
            named("std.http"),
            "queues.actions.name: must not begin with \"std.\", as \"std.http\" does",
        ),
        (
            v1::PollTasksRequest {
                max_tasks: 1_001,
                ..right()
            },
            "max_tasks: must be between 0 and 1000",
        ),
    ] {
        let refused = worker(&api).poll_tasks(request).await.unwrap_err();
        assert_eq!(refused.message(), message);
    }
    worker(&api)
        .poll_tasks(right())
        .await
        .expect("this one is right");
}
