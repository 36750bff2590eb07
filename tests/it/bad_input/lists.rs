//! Filters and pages that are refused.

use e2e::api::Api;
use proto::v1;
use proto::v1::{ErrorReason as R, ListExecutionsRequest};
use serde_json::json;
use tonic::Code;

use super::{server, settle};
use crate::support::Findings;

const FILTERS: [&str; 14] = [
    "state",
    "state =",
    "= ERROR",
    "state = ",
    "colour = red",
    "state = NOSUCH",
    "(state = ERROR",
    "state = ERROR)",
    "state ~ ERROR",
    "create_time > yesterday",
    "state = \"ERROR",
    "labels = x",
    "state = ERROR AND",
    "NOT",
];

#[tokio::test]
async fn filters() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let deep = format!(
        "{}state = ERROR{}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    let long = vec!["state = ERROR"; 20_000].join(" OR ");
    for filter in FILTERS.into_iter().chain([&*deep, &*long]) {
        let answer = api.list_executions(filter).await;
        let what = filter.get(..40).unwrap_or(filter);
        findings.refused(what, answer, Code::InvalidArgument, R::InvalidFilter);
    }
    settle(findings, &api).await;
}

fn page(api: &Api, size: i32, token: &str, filter: &str) -> ListExecutionsRequest {
    ListExecutionsRequest {
        project: api.project(),
        page_size: size,
        page_token: token.to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    }
}

async fn list(
    api: &Api,
    request: ListExecutionsRequest,
) -> Result<v1::ListExecutionsResponse, tonic::Status> {
    api.executions()
        .list_executions(request)
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn pages() {
    let (_server, api) = server().await;
    for _ in 0..3 {
        api.start("echo", &json!({})).await.unwrap();
    }
    let mut findings = Findings::default();
    let answer = list(&api, page(&api, -1, "", "")).await;
    findings.refused("page size", answer, Code::InvalidArgument, R::InvalidField);
    let token = list(&api, page(&api, 1, "", ""))
        .await
        .unwrap()
        .next_page_token;
    let reversed: String = token.chars().rev().collect();
    let elsewhere = ListExecutionsRequest {
        project: "other".to_owned(),
        ..page(&api, 1, &token, "")
    };
    for (what, request) in [
        ("rubbish", page(&api, 1, "rubbish", "")),
        ("reversed", page(&api, 1, &reversed, "")),
        ("of another filter", page(&api, 1, &token, "state = ERROR")),
        ("of another project", elsewhere),
    ] {
        let answer = list(&api, request).await;
        findings.refused(what, answer, Code::InvalidArgument, R::InvalidPageToken);
    }
    settle(findings, &api).await;
}
