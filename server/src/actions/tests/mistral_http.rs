//! Tests of `std.mistral_http`: the ids that it sends, and who ends it.

use engine::Outcome;

use super::Bench;
use super::site::Site;
use super::web::Web;
use crate::actions::runner::End;

#[tokio::test]
async fn ids_are_sent_and_a_good_answer_leaves_the_action_open() {
    // What the other side saw comes back only as an error result, so it answers with one.
    let web = Web::start().await;
    let mut dispatch = web.bench.dispatch(
        "std.mistral_http",
        &format!(
            r#"{{"url": "{}/echo?status=500", "headers": {{"Mistral-Task-Id": "mine", "X": 1}}}}"#,
            web.site.base
        ),
    );
    dispatch.workflow_name = "wörk".into();
    let action = dispatch.action;
    web.bench.runner.run(dispatch.clone());
    let (ended, outcome) = web.bench.next().await;
    assert_eq!(ended, action);
    let Outcome::Error(data) = outcome else {
        panic!("{outcome:?}");
    };
    let expected = [
        ("mistral-workflow-name", "wörk".to_owned()),
        (
            "mistral-workflow-execution-id",
            action.task.execution.to_string(),
        ),
        ("mistral-task-id", action.task.to_string()),
        ("mistral-action-execution-id", action.to_string()),
        (
            "mistral-callback-url",
            format!("/v2/action_executions/{action}"),
        ),
        ("x", "1".to_owned()),
    ];
    for (name, value) in expected {
        let pointer = format!("/content/headers/{name}");
        let value = serde_json::Value::from(value).to_string();
        web.compare(name, data.text(), &[(&pointer, &value)]);
    }
}

#[tokio::test]
async fn only_errors_end_it() {
    let site = Site::start().await;
    let bench = Bench::open();
    let cases = [
        ("/status/200", false),
        ("/status/202", false),
        ("/redirect/302?to=/echo", false),
        ("/status/404", true),
        ("/status/500", true),
    ];
    for (path, ends) in cases {
        let input = format!(r#"{{"url": "{}{path}"}}"#, site.base);
        bench.runner.run(bench.dispatch("std.mistral_http", &input));
        let (_, end) = bench.next_end().await;
        match end {
            End::HandedOver => assert!(!ends, "{path}"),
            End::Done(Outcome::Error(_)) => assert!(ends, "{path}"),
            other @ End::Done(_) => panic!("{path}: {other:?}"),
        }
    }
    let outcome = bench
        .run("std.mistral_http", r#"{"url": "ftp://a.test/"}"#)
        .await;
    assert!(super::error_text(&outcome).starts_with("Failed to send HTTP request: "));
}
