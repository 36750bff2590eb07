//! Looking into executions: causes, graphs, and ranges of the history.

use proto::v1::cause::Kind;
use proto::v1::history_event::Event;
use proto::v1::{self, ExecutionState, TaskState, TransitionKind};

use super::{ASYNC, Api, ECHO, reason};

/// A tree: a join that waits, a retry, and a sub-workflow that waits for somebody outside.
const TREE: &str = "
version: '2.0'
tree:
  tasks:
    first:
      action: std.noop
      on-success: [both, again]
    second:
      workflow: held
      on-success: both
    both:
      join: all
      action: std.noop
    again:
      action: std.fail
      retry: {count: 5, delay: 3600}
";

fn explain(id: &str) -> v1::ExplainExecutionRequest {
    v1::ExplainExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    }
}

fn graph(id: &str) -> v1::GetExecutionGraphRequest {
    v1::GetExecutionGraphRequest {
        execution_id: id.into(),
        ..Default::default()
    }
}

fn history(id: &str) -> v1::ListHistoryEventsRequest {
    v1::ListHistoryEventsRequest {
        execution_id: id.into(),
        ..Default::default()
    }
}

impl Api {
    async fn causes(&mut self, request: v1::ExplainExecutionRequest) -> Vec<v1::Cause> {
        let explained = self.executions.explain_execution(request).await;
        explained.expect("it is there").into_inner().causes
    }
}

#[tokio::test]
async fn causes_are_told_down_the_tree() {
    let mut api = Api::with(&[ASYNC, TREE]).await;
    let uid = api.run("tree", "t", "{}").await.uid;
    let causes = api.causes(explain("t")).await;
    let of = |name: &str| {
        let found = causes.iter().find(|cause| cause.task_name == name);
        found.unwrap_or_else(|| panic!("no {name}: {causes:?}"))
    };
    assert_eq!(causes.len(), 3, "{causes:?}");
    let Some(Kind::Join(join)) = &of("both").kind else {
        panic!("{causes:?}")
    };
    assert_eq!((join.needed, &join.arrived[..]), (2, &["first".into()][..]));
    assert_eq!(join.missing[0].task_name, "second");
    assert_eq!(join.missing[0].state(), TaskState::Running);
    assert!(
        of("both")
            .text
            .contains("1 of 2 inbound tasks, missing second (RUNNING)")
    );
    let Some(Kind::Timer(timer)) = &of("again").kind else {
        panic!("{causes:?}")
    };
    assert_eq!((timer.kind(), timer.attempt), (v1::TimerKind::Retry, 2));
    let seconds = |time: Option<prost_types::Timestamp>| time.map(|time| time.seconds);
    assert!(seconds(of("again").until_time) > seconds(of("again").since_time));
    let Some(Kind::Child(child)) = &of("second").kind else {
        panic!("{causes:?}")
    };
    assert_eq!(child.state(), ExecutionState::Running);
    let Some(Kind::Action(action)) = &child.causes[0].kind else {
        panic!("{causes:?}")
    };
    let inner = format!("{}-t1-a1", child.execution_id);
    assert_eq!(action.action_execution_id, inner);
    assert_eq!(action.runner(), v1::ActionRunner::External);

    let mut shallow = explain("t");
    shallow.max_depth = 1;
    let answer = api.executions.explain_execution(shallow).await.unwrap();
    assert!(answer.into_inner().truncated);
    let mut one = explain("");
    one.task_execution_id = format!("{uid}-t2");
    assert_eq!(api.causes(one).await.len(), 1);
    let mut none = explain("t");
    none.task_execution_id = format!("{uid}-t99");
    let refused = api.executions.explain_execution(none).await;
    assert_eq!(reason(refused), "TASK_EXECUTION_NOT_FOUND");
    let refused = api.executions.explain_execution(explain("none")).await;
    assert_eq!(reason(refused), "EXECUTION_NOT_FOUND");
    api.stop().await;
}

#[tokio::test]
async fn a_pause_is_explained_by_its_reason_and_an_end_by_nothing() {
    let mut api = Api::with(&[ASYNC, ECHO]).await;
    api.run("held", "h", "{}").await;
    api.pause("h", "the printer burns").await;
    let causes = api.causes(explain("h")).await;
    let Some(Kind::Paused(paused)) = &causes[0].kind else {
        panic!("{causes:?}")
    };
    assert!(paused.by_verb && paused.reason == "the printer burns");
    assert!(causes[0].text.ends_with(": the printer burns"));
    assert!(matches!(causes[1].kind, Some(Kind::Action(_))));
    api.run("echo", "e", "{\"word\": 1}").await;
    api.finished("e").await;
    let ended = api
        .executions
        .explain_execution(explain("e"))
        .await
        .unwrap();
    let ended = ended.into_inner();
    assert_eq!(
        (ended.state(), ended.causes.len()),
        (ExecutionState::Success, 0)
    );
    api.stop().await;
}

#[tokio::test]
async fn the_graph_is_a_tree_with_edges_and_counts() {
    let mut api = Api::with(&[ASYNC, TREE]).await;
    api.run("tree", "t", "{}").await;
    let answer = api
        .executions
        .get_execution_graph(graph("t"))
        .await
        .unwrap();
    let answer = answer.into_inner();
    let root = answer.root.unwrap();
    let task = |name: &str| {
        let found = root.tasks.iter().find(|task| task.task_name == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    assert!(task("first").triggered_by.is_empty());
    let edge = &task("again").triggered_by[0];
    assert_eq!(edge.task_execution_id, task("first").task_execution_id);
    assert_eq!(edge.kind(), TransitionKind::OnSuccess);
    assert_eq!(task("again").attempts, 2);
    assert_eq!(task("again").actions[0].action_name, "std.fail");
    assert_eq!(task("second").children[0].workflow_name, "held");
    assert_eq!(task("second").children[0].tasks[0].task_name, "hold");
    let counts = answer.statistics.unwrap();
    assert_eq!((counts.executions, counts.tasks, counts.active), (2, 5, 4));
    assert!(!answer.truncated && !root.truncated);

    for (change, tasks, truncated) in [
        ((1, 0, false, false), Some(4), true),
        ((0, 3, false, false), Some(2), true),
        ((0, 0, true, false), Some(0), false),
        ((0, 0, false, true), None, false),
    ] {
        let (max_depth, max_nodes, errors_only, statistics_only) = change;
        let request = v1::GetExecutionGraphRequest {
            max_depth,
            max_nodes,
            errors_only,
            statistics_only,
            ..graph("t")
        };
        let answer = api.executions.get_execution_graph(request).await.unwrap();
        let answer = answer.into_inner();
        let found = answer.root.map(|root| root.tasks.len());
        assert_eq!((found, answer.truncated), (tasks, truncated), "{change:?}");
        let all = answer.statistics.unwrap().executions;
        assert_eq!(all, if max_depth == 1 { 1 } else { 2 }, "{change:?}");
    }
    let refused = api.executions.get_execution_graph(graph("none")).await;
    assert_eq!(reason(refused), "EXECUTION_NOT_FOUND");
    api.stop().await;
}

/// All events that a request lists, in pages of two, either way round.
async fn listed(
    api: &mut Api,
    request: &v1::ListHistoryEventsRequest,
    descending: bool,
) -> Vec<v1::HistoryEvent> {
    let mut request = v1::ListHistoryEventsRequest {
        page_size: 2,
        descending,
        ..request.clone()
    };
    let mut found = Vec::new();
    loop {
        let page = api.executions.list_history_events(request.clone()).await;
        let page = page.unwrap().into_inner();
        found.extend(page.events);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn history_is_chosen_by_range_type_and_task() {
    type Wanted = fn(&v1::HistoryEvent) -> bool;
    let mut api = Api::with(&[ECHO]).await;
    let uid = api.run("echo", "e", "{\"word\": 1}").await.uid;
    let last = api.finished("e").await.last_sequence;
    let all = listed(&mut api, &history("e"), false).await;
    assert_eq!(all.len(), usize::try_from(last).unwrap());
    let chosen = |change: fn(&mut v1::ListHistoryEventsRequest)| {
        let mut request = history("e");
        change(&mut request);
        request
    };
    let mut of_task = history("e");
    of_task.task_execution_id = format!("{uid}-t2");
    let cases: [(v1::ListHistoryEventsRequest, Wanted); 4] = [
        (
            chosen(|request| (request.after_sequence, request.before_sequence) = (2, 7)),
            |event| (3..7).contains(&event.sequence),
        ),
        (
            chosen(|request| {
                request.event_types = vec!["task_created".into(), "action_started".into()];
            }),
            |event| {
                let event = event.event.as_ref();
                matches!(event, Some(Event::TaskCreated(_) | Event::ActionStarted(_)))
            },
        ),
        (of_task, |event| event.task_execution_id.ends_with("-t2")),
        (
            chosen(|request| request.event_types = vec!["verb_applied".into()]),
            |_| false,
        ),
    ];
    for (request, wanted) in cases {
        for descending in [false, true] {
            let mut expected: Vec<_> = all.iter().filter(|event| wanted(event)).cloned().collect();
            if descending {
                expected.reverse();
            }
            let found = listed(&mut api, &request, descending).await;
            assert_eq!(found, expected, "{request:?}");
        }
    }
    let wrong = chosen(|request| request.event_types = vec!["task_eaten".into()]);
    let refused = api.executions.list_history_events(wrong).await;
    assert_eq!(reason(refused), "INVALID_FIELD");
    api.stop().await;
}
