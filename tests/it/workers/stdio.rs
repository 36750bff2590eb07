//! `autan worker stdio`: a shell script as a worker.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use proto::v1;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use super::program::{Language, Program};
use super::{Bench, good, seen};
use crate::support::PATIENCE;

/// Answers by the action, and by what stands in its line.
const SCRIPT: &str = r#"
while read -r line; do
    case "$line" in
    *'"type":"cancel"'*) ;;
    *'"action":"sh.told"'*) printf '{"result": %s}\n' "$line" ;;
    *'"action":"sh.null"'*) echo '{"log": "here"}'; echo '{"result": null}' ;;
    *'"action":"sh.fail"'*) echo '{"failure": "broken"}' ;;
    *'"action":"sh.never"'*)
        echo '{"failure": {"type": "Wrong", "message": "never", "non_retryable": true}}' ;;
    *'"action":"sh.die"'*'"attempt":1,'*) echo '{"heartbeat": {"step": 1}}'; exit 9 ;;
    *'"action":"sh.die"'*'"progress":{"step": 1}'*) echo '{"result": "again"}' ;;
    *'"action":"sh.stray"'*) echo hello ;;
    *'"action":"sh.later"'*) echo '{"deferred": true}' ;;
    *'"action":"sh.wait"'*) : > "$AUTAN_TEST_LOG.begun"
        while [ ! -e "$AUTAN_TEST_LOG.go" ]; do sleep 0.05; done
        echo '{"result": "went"}' ;;
    *'"action":"sh.tree"'*) sleep 1000 > "$AUTAN_TEST_LOG.pipe" & wait ;;
    *) echo '{"failure": {"type": "Unexpected", "message": "no such line"}}' ;;
    esac
done
"#;

const ACTIONS: [&str; 9] = [
    "sh.told:x,y=1",
    "sh.null",
    "sh.fail",
    "sh.never",
    "sh.die",
    "sh.stray",
    "sh.later",
    "sh.wait",
    "sh.tree",
];

fn failed(kind: &str, message: &str, attempts: usize) -> Value {
    let failure = json!({"type": kind, "message": message, "cause": null});
    seen("ERROR", &Value::Null, &failure, attempts, &[])
}

#[tokio::test]
async fn any_program_can_be_a_worker() {
    let scratch = tempfile::tempdir().unwrap();
    let script = scratch.path().join("worker.sh");
    std::fs::write(&script, SCRIPT).unwrap();
    let mut arguments = vec!["--cancel-grace", "0.3"];
    arguments.extend(ACTIONS.iter().flat_map(|action| ["--action", action]));
    let language = Language::stdio(&arguments, &script);
    let mut bench = Bench::start(language.clone()).await;
    let log = bench.scratch.path().join("log");
    let worker = Program::begin(&language, bench.server.address(), "workers", &log);

    told(&mut bench).await;
    for (name, task, expected) in [
        ("null", "{action: sh.null}", good(&Value::Null)),
        (
            "fail",
            "{action: sh.fail, retry: count=1 delay=0}",
            failed("Failure", "broken", 2),
        ),
        (
            "never",
            "{action: sh.never, retry: count=1 delay=0}",
            failed("Wrong", "never", 1),
        ),
        (
            "die",
            "{action: sh.die, retry: count=1 delay=0}",
            seen("SUCCESS", &json!("again"), &Value::Null, 2, &[]),
        ),
        (
            "stray",
            "{action: sh.stray, retry: count=1 delay=0}",
            failed(
                "InvalidOutput",
                "the program says \"hello\": expected value at line 1 column 1",
                1,
            ),
        ),
    ] {
        let execution = bench.run(task).await;
        let seen = bench.seen(&execution).await;
        bench.compare(name, &seen, &expected);
    }
    later(&mut bench).await;
    cancelled(&mut bench).await;
    family(&mut bench, &log).await;

    // What it has it finishes, before it ends.
    let execution = bench.run_until_begun("{action: sh.wait}").await;
    worker.terminate().await;
    std::fs::write(log.with_extension("go"), "").unwrap();
    let seen = bench.seen(&execution).await;
    bench.compare("drained", &seen, &good(&json!("went")));
    let code = worker.ended().await;
    bench.compare("drained", &json!(code), &json!(0));
    bench.findings.none();
}

/// What stands in the line of a task.
async fn told(bench: &mut Bench) {
    let execution = bench.run("{action: sh.told, input: {x: [1, 2.50]}}").await;
    let result = bench.seen(&execution).await["result"].clone();
    let action = &bench.actions(&execution).await[0];
    for (key, expected) in [
        ("type", json!("task")),
        ("input", json!({"x": [1, 2.5]})),
        ("action", json!("sh.told")),
        ("queue", json!("default")),
        ("attempt", json!(1)),
        ("delivery", json!(1)),
        ("progress", Value::Null),
        ("execution_uid", json!(execution)),
        ("task_name", json!("t")),
        ("action_execution_id", json!(action.action_execution_id)),
    ] {
        bench.compare(&format!("told {key}"), &result[key], &expected);
    }
    let request = v1::GetActionRequest {
        project: bench.api.project(),
        name: "sh.told".to_owned(),
        ..Default::default()
    };
    let known = bench.api.actions().get_action(request).await.unwrap();
    let input = known.into_inner().action.unwrap().input;
    let names: Vec<(&str, bool)> = input
        .iter()
        .map(|parameter| (&*parameter.name, parameter.required))
        .collect();
    let expected = json!([["x", true], ["y", false]]);
    bench.compare("its parameters", &json!(names), &expected);
}

async fn later(bench: &mut Bench) {
    let execution = bench.run("{action: sh.later}").await;
    let action = bench.taken(&execution).await;
    let id = &action.action_execution_id;
    bench.api.complete_action(id, &json!("now")).await.unwrap();
    let seen = bench.seen(&execution).await;
    bench.compare("later", &seen, &good(&json!("now")));
}

/// A program that does not stop is killed, and another one takes its place.
async fn cancelled(bench: &mut Bench) {
    let execution = bench.run_until_begun("{action: sh.wait}").await;
    let request = v1::CancelExecutionRequest {
        project: bench.api.project(),
        execution_id: execution.clone(),
        ..Default::default()
    };
    let mut executions = bench.api.executions();
    executions.cancel_execution(request).await.unwrap();
    let execution = bench.run("{action: sh.null}").await;
    let seen = bench.seen(&execution).await;
    bench.compare("after one was killed", &seen, &good(&Value::Null));
}

/// What a program has started is killed with it: it would keep the pipe open.
async fn family(bench: &mut Bench, log: &Path) {
    let path = log.with_extension("pipe");
    let made = Command::new("mkfifo").arg(&path).status().await.unwrap();
    assert!(made.success());
    let execution = bench.run("{action: sh.tree}").await;
    bench.taken(&execution).await;
    let open = tokio::task::spawn_blocking(move || File::open(path));
    let mut pipe = timeout(PATIENCE, open).await.unwrap().unwrap().unwrap();
    let request = v1::CancelExecutionRequest {
        project: bench.api.project(),
        execution_id: execution.clone(),
        ..Default::default()
    };
    let mut executions = bench.api.executions();
    executions.cancel_execution(request).await.unwrap();
    let end = tokio::task::spawn_blocking(move || pipe.read_to_end(&mut Vec::new()));
    let read = timeout(PATIENCE, end).await.expect("it is killed").unwrap();
    assert_eq!(read.unwrap(), 0);
}
