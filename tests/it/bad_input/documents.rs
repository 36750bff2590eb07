//! Documents that are refused, and ones that would be too much for a naive reader.

use std::fmt::Write as _;

use e2e::api::{Api, value};
use proto::v1;
use proto::v1::ErrorReason as R;
use serde_json::json;
use tonic::Code;

use super::{MIB, server, settle};
use crate::support::{Findings, PATIENCE, echo};

/// Whole documents.
const DOCUMENTS: [(&str, &str); 10] = [
    ("nothing", ""),
    ("no mapping", "- 1\n- 2\n"),
    ("malformed", "version: '2.0'\nwf: [\n"),
    ("tabs", "version: '2.0'\nwf:\n\ttasks: {}\n"),
    ("no version", "wf: {tasks: {t: {action: std.noop}}}"),
    ("no tasks", "version: '2.0'\nwf: {}"),
    ("tasks is a list", "version: '2.0'\nwf: {tasks: [1, 2]}"),
    ("control characters", "version: '2.0'\nwf: \u{0}\u{7}\n"),
    (
        "two documents",
        "version: '2.0'\na: {tasks: {t: {}}}\n---\nversion: '2.0'\n",
    ),
    ("no text", "\u{feff}\u{fffe}"),
];

/// Tasks of an otherwise good workflow.
const TASKS: [(&str, &str); 7] = [
    ("unknown key", "{action: std.noop, on-succes: x}"),
    ("unknown task", "{action: std.noop, on-success: nowhere}"),
    ("wrong type", "{action: [1]}"),
    ("action and workflow", "{action: std.noop, workflow: wf}"),
    (
        "bad expression",
        "{action: std.noop, publish: {x: <% 1 + %>}}",
    ),
    ("bad retry", "{action: std.noop, retry: {count: many}}"),
    ("bad join", "{action: std.noop, join: some}"),
];

fn workflow(task: &str) -> String {
    format!("version: '2.0'\nwf:\n  tasks:\n    t: {task}\n")
}

fn nested(depth: usize) -> String {
    let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    format!("version: '2.0'\nwf: {{vars: {{deep: {value}}}, tasks: {{t: {{action: std.noop}}}}}}\n")
}

async fn check(findings: &mut Findings, api: &Api, (what, source): (&str, String), reason: R) {
    let answer = api.create_workflow(&source).await;
    let refusal = findings.refused(what, answer, Code::InvalidArgument, reason);
    if let Some(refusal) = refusal.filter(|_| reason == R::InvalidDefinition) {
        findings.holds(&format!("{what}: no fields"), !refusal.fields.is_empty());
        let told = refusal.metadata.contains_key("violations_total");
        findings.holds(&format!("{what}: no violations_total"), told);
    }
    // The same faults are an answer, not an error, of a validation.
    let request = v1::ValidateWorkflowRequest {
        source,
        ..Default::default()
    };
    match api.workflows().validate_workflow(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let good = !answer.valid && !answer.diagnostics.is_empty();
            findings.holds(&format!("{what}: valid: {answer:?}"), good);
        }
        Err(status) => findings.holds(&format!("{what}: validation: {status}"), false),
    }
}

#[tokio::test]
async fn faulty_documents() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let documents = DOCUMENTS.map(|(what, source)| (what, source.to_owned()));
    let tasks = TASKS.map(|(what, task)| (what, workflow(task)));
    let deep = [
        ("200 levels", nested(200)),
        ("100,000 levels", nested(100_000)),
    ];
    for case in documents.into_iter().chain(tasks).chain(deep) {
        check(&mut findings, &api, case, R::InvalidDefinition).await;
    }
    let long = (
        "2 MiB",
        format!("{}# {}\n", echo("long"), "x".repeat(2 * MIB)),
    );
    check(&mut findings, &api, long, R::DefinitionTooLarge).await;
    let huge = format!("{}# {}\n", echo("huge"), "x".repeat(10 * MIB));
    let answer = api.create_workflow(&huge).await;
    findings.refused("10 MiB", answer, Code::InvalidArgument, R::PayloadTooLarge);
    settle(findings, &api).await;
}

#[tokio::test]
async fn many_faults_fit_into_an_answer() {
    let (_server, api) = server().await;
    let mut source = workflow("{action: std.noop}");
    for number in 0..500 {
        let _ = writeln!(
            source,
            "    t{number}: {{action: std.noop, on-success: nowhere}}"
        );
    }
    let mut findings = Findings::default();
    let answer = api.create_workflow(&source).await;
    let refusal = findings.refused(
        "500 faults",
        answer,
        Code::InvalidArgument,
        R::InvalidDefinition,
    );
    if let Some(refusal) = refusal {
        let shown = refusal.fields.len();
        findings.holds(&format!("{shown} fields"), (1..=20).contains(&shown));
        let total = refusal.metadata.get("violations_total").map(String::as_str);
        findings.holds(&format!("{total:?} in all"), total == Some("500"));
    }
    settle(findings, &api).await;
}

/// Ten lines that would mean 10^11 values if the language had aliases, and a workflow that does
/// something with them.
fn alias_bomb(name: &str, output: &str, task: &str) -> String {
    let mut text =
        format!("version: '2.0'\n{name}:\n  output: {output}\n  vars:\n    a0: &a0 [x, x, x]\n");
    for level in 1..12 {
        let refs = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "    a{level}: &a{level} [{refs}]");
    }
    format!("{text}  tasks:\n    t: {task}\n")
}

#[tokio::test]
async fn an_alias_bomb_harms_nobody() {
    let (_server, api) = server().await;
    let (none, noop) = ("{}", "{action: std.noop}");
    for (name, output, task) in [
        ("kept", none, noop),
        ("shown", "{x: <% $.a11 %>}", noop),
        ("echoed", none, "{action: std.echo output=<% $.a11 %>}"),
        (
            "written",
            none,
            "{action: std.noop, publish: {y: '<% $.a11 %> and <% $.a11 %>'}}",
        ),
        (
            "walked",
            none,
            "{action: std.noop, publish: {y: <% $.a11.flatten().len() %>}}",
        ),
        (
            "items",
            none,
            "{with-items: i in <% $.a11 %>, action: std.echo output=<% $.i %>}",
        ),
    ] {
        let Ok(workflows) = api.create_workflow(&alias_bomb(name, output, task)).await else {
            continue;
        };
        let started = api.start(&workflows[0].name, &json!({})).await.unwrap();
        let finished = api.finished(&started.uid, PATIENCE).await.unwrap();
        let size = value(finished.output.as_ref()).unwrap().to_string().len();
        assert!(size < 4 * MIB, "{name}: an output of {size} bytes");
        api.history(&started.uid).await.unwrap();
        api.list_tasks(&started.uid).await.unwrap();
    }
    settle(Findings::default(), &api).await;
}
