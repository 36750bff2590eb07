//! Lists: pages, filters and counts over some hundreds of executions, and how much they carry.

use std::collections::{BTreeMap, HashSet};

use e2e::api::Api;
use e2e::server::TestServer;
use proto::v1;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Findings, echo, held};

const ALL: usize = 300;
const FAILING: &str = "version: '2.0'\nfailing: {tasks: {t: {action: std.fail}}}\n";

/// 100 each of finished, failed and running executions, with labels by number.
async fn filled() -> (TestServer, Api) {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("lists");
    for source in [echo("echo"), FAILING.to_owned(), held("held", 1)] {
        api.create_workflow(&source).await.unwrap();
    }
    let mut starts = JoinSet::new();
    for number in 0..ALL {
        let api = api.clone();
        starts.spawn(async move {
            let workflow = ["echo", "failing", "held"][number % 3];
            let request = v1::StartExecutionRequest {
                execution_id: format!("order-{number:03}"),
                labels: BTreeMap::from([("tens".to_owned(), format!("{}", number / 10))]),
                description: format!("number {number}"),
                ..api.start_request(workflow, &json!({}))
            };
            api.executions().start_execution(request).await.unwrap();
        });
    }
    while let Some(started) = starts.join_next().await {
        started.unwrap();
    }
    (server, api)
}

#[tokio::test]
async fn pages_filters_and_counts() {
    let (_server, api) = filled().await;
    pages(&api).await;
    let mut findings = Findings::default();
    for (filter, expected) in [
        ("", 300),
        ("state = ERROR", 100),
        ("state != ERROR", 200),
        ("NOT state = ERROR", 200),
        ("state = ERROR OR state = RUNNING", 200),
        ("workflow_name = echo", 100),
        ("workflow_name = \"echo\" AND state = SUCCESS", 100),
        ("workflow_name = echo AND state = ERROR", 0),
        ("workflow_name = \"e*\"", 100),
        ("workflow_name = \"*d\"", 100),
        ("execution_id = \"order-00*\"", 10),
        ("labels.tens = 7", 10),
        ("labels.tens = 7 AND state = ERROR", 4),
        ("labels.tens:*", 300),
        ("labels.none:*", 0),
        // OR binds tighter than AND.
        ("state = SUCCESS AND labels.tens = 0 OR labels.tens = 1", 7),
        (
            "(state = SUCCESS AND labels.tens = 0) OR labels.tens = 1",
            14,
        ),
        ("create_time > \"2020-01-01T00:00:00Z\"", 300),
        ("create_time < \"2020-01-01T00:00:00Z\"", 0),
        ("description = \"number 17\"", 1),
    ] {
        match api.list_executions(filter).await {
            Err(status) => findings.holds(&format!("{filter}: {status}"), false),
            Ok(found) => {
                let found = found.len();
                findings.holds(
                    &format!("{filter}: {found}, not {expected}"),
                    found == expected,
                );
            }
        }
        let request = v1::CountExecutionsRequest {
            project: api.project(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        let counted = api.executions().count_executions(request).await;
        let counted = counted.map(|answer| answer.into_inner().total);
        let good = counted
            .as_ref()
            .is_ok_and(|total| usize::try_from(*total) == Ok(expected));
        findings.holds(&format!("count {filter}: {counted:?}"), good);
    }
    groups(&api, &mut findings).await;
    findings.none();
}

/// Every row once, newest first, whatever the size of the pages.
async fn pages(api: &Api) {
    for size in [7, 50, 299, 300, 5000] {
        let mut request = v1::ListExecutionsRequest {
            project: api.project(),
            page_size: size,
            ..Default::default()
        };
        let mut rows = Vec::new();
        loop {
            let answer = api
                .executions()
                .list_executions(request.clone())
                .await
                .unwrap();
            let answer = answer.into_inner();
            assert!(answer.executions.len() <= size.unsigned_abs() as usize);
            rows.extend(answer.executions);
            if answer.next_page_token.is_empty() {
                break;
            }
            request.page_token = answer.next_page_token;
        }
        assert_eq!(rows.len(), ALL, "pages of {size}");
        let ids: HashSet<&str> = rows.iter().map(|row| row.execution_id.as_str()).collect();
        assert_eq!(ids.len(), ALL, "pages of {size}");
        let times = rows.iter().map(|row| {
            let time = row.create_time.unwrap();
            (time.seconds, time.nanos)
        });
        assert!(
            times.is_sorted_by(|newer, older| newer >= older),
            "pages of {size}"
        );
    }
}

async fn groups(api: &Api, findings: &mut Findings) {
    for (group_by, expected) in [
        (v1::CountGroup::State, ["ERROR", "RUNNING", "SUCCESS"]),
        (v1::CountGroup::WorkflowName, ["echo", "failing", "held"]),
    ] {
        let request = v1::CountExecutionsRequest {
            project: api.project(),
            group_by: group_by.into(),
            ..Default::default()
        };
        let answer = api
            .executions()
            .count_executions(request)
            .await
            .unwrap()
            .into_inner();
        let expected = expected
            .map(|group| (group.to_owned(), 100))
            .into_iter()
            .collect();
        findings.holds(
            &format!("{group_by:?}: {answer:?}"),
            answer.groups == expected,
        );
    }
}

#[tokio::test]
async fn views_carry_what_they_promise() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("views");
    api.create_workflow(&echo("echo")).await.unwrap();
    let started = api.start("echo", &json!({"x": "payload"})).await.unwrap();
    let get = |view: v1::View| v1::GetExecutionRequest {
        project: api.project(),
        execution_id: started.uid.clone(),
        view: view.into(),
        ..Default::default()
    };
    for (view, full) in [
        (v1::View::Unspecified, true),
        (v1::View::Basic, false),
        (v1::View::Full, true),
    ] {
        let answer = api
            .executions()
            .get_execution(get(view))
            .await
            .unwrap()
            .into_inner();
        let execution = answer.execution.unwrap();
        assert_eq!(execution.input.is_some(), full, "{view:?}");
        assert_eq!(execution.output.is_some(), full, "{view:?}");
        assert!(execution.last_sequence > 0);
        assert_eq!(execution.progress.unwrap().success, 1);
    }
    for (view, full) in [
        (v1::View::Unspecified, false),
        (v1::View::Basic, false),
        (v1::View::Full, true),
    ] {
        let request = v1::ListExecutionsRequest {
            project: api.project(),
            view: view.into(),
            ..Default::default()
        };
        let answer = api
            .executions()
            .list_executions(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.executions[0].input.is_some(), full, "{view:?}");
        let request = v1::ListWorkflowsRequest {
            project: api.project(),
            view: view.into(),
            ..Default::default()
        };
        let answer = api
            .workflows()
            .list_workflows(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(!answer.workflows[0].source.is_empty(), full, "{view:?}");
    }
}

#[tokio::test]
async fn pages_are_bounded_by_bytes() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("bytes");
    api.create_workflow(&echo("echo")).await.unwrap();
    for _ in 0..12 {
        api.start("echo", &json!({"x": "y".repeat(500_000)}))
            .await
            .unwrap();
    }
    let mut request = v1::ListExecutionsRequest {
        project: api.project(),
        page_size: 100,
        view: v1::View::Full.into(),
        ..Default::default()
    };
    let mut rows = 0;
    loop {
        // A client of the default size must be able to read every page.
        let mut client = v1::execution_service_client::ExecutionServiceClient::new(api.channel());
        let answer = client
            .list_executions(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(!answer.executions.is_empty() || answer.next_page_token.is_empty());
        rows += answer.executions.len();
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    assert_eq!(rows, 12);
}
