//! What has a limit: an execution that passes it fails with a message that names it, and takes
//! nobody else's time.

use std::fmt::Write as _;

use definition::Kind;
use engine::{Data, ExecutionState, Limits, Outcome, Verb};

use crate::harness::Harness;

#[track_caller]
fn check(limits: Limits, document: &str, input: &str, expected: &str) {
    let mut harness = Harness::new(Kind::Workflows, document).with_limits(limits);
    let uid = harness.start("wf", input, "{}");
    let record = harness.get(uid).record();
    assert_eq!(record.state, ExecutionState::Error);
    let info = record.state_info.as_deref().unwrap_or_default();
    assert!(info.contains(expected), "{info}");
    // It may be a sub-workflow that has met the limit.
    let failures = harness.executions.values();
    let mut limits = failures.filter_map(|one| one.record().failure.as_ref()?.limit.as_ref());
    let limit = limits.next().expect("a limit was hit");
    let told = format!("[limit={}, value={}]", limit.name, limit.allowed);
    assert!(info.contains(&told), "{told}: {info}");
}

#[test]
fn endless_cycles_end() {
    let limits = Limits {
        tasks_max: 500,
        steps_per_event_max: 50,
        ..Limits::default()
    };
    let document = "version: '2.0'\nwf:\n  tasks:\n    a: {on-success: b}\n    \
                    b: {on-success: c}\n    c: {on-success: b}\n";
    check(
        limits,
        document,
        "{}",
        "[limit=tasks_per_execution_max, value=500]",
    );
}

#[test]
fn endless_recursion_ends() {
    let limits = Limits {
        depth_max: 5,
        ..Limits::default()
    };
    let document = "version: '2.0'\nwf:\n  tasks:\n    a: {workflow: wf}\n";
    check(
        limits,
        document,
        "{}",
        "nested deeper than 5 levels [limit=nesting_max, value=5]",
    );
}

#[test]
fn items_are_bounded() {
    let limits = Limits {
        items_max: 3,
        ..Limits::default()
    };
    let document = "version: '2.0'\nwf:\n  input: [n]\n  tasks:\n    a:\n      \
                    with-items: i in <% range($.n) %>\n      action: std.noop\n";
    check(
        limits,
        document,
        r#"{"n":4}"#,
        "4 items, which is over the limit of 3 [limit=items_per_task_max, value=3]",
    );
}

#[test]
fn results_are_bounded() {
    let limits = Limits {
        data_bytes_max: 100,
        ..Limits::default()
    };
    let document = "version: '2.0'\nwf:\n  tasks:\n    a:\n      \
                    action: std.test_dict size=20 key_prefix=\"key\" val=\"value\"\n";
    check(limits, document, "{}", "[limit=data_bytes_max, value=100]");
}

#[test]
fn expressions_are_bounded() {
    let limits = Limits::default();
    for (expression, expected) in [
        (
            "sequence().len()",
            "[limit=expression_steps, value=1000000]",
        ),
        (
            "'a' =~ '(a{999}){999}'",
            "[limit=expression_regex_bytes, value=4194304]",
        ),
    ] {
        let document = format!(
            "version: '2.0'\nwf:\n  tasks:\n    \
             a: {{action: std.noop, publish: {{x: \"<% {expression} %>\"}}}}\n"
        );
        check(limits, &document, "{}", expected);
    }
}

/// A chain of many inline tasks is one event, without deep recursion and in steps that let others
/// have their turn.
#[test]
fn a_long_chain_is_one_event() {
    let mut document = String::from("version: '2.0'\nwf:\n  tasks:\n");
    for i in 0..3000 {
        let _ = writeln!(document, "    t{i}: {{on-success: t{}}}", i + 1);
    }
    document.push_str("    t3000: {action: std.noop}\n");
    let mut harness = Harness::new(Kind::Workflows, &document);
    let uid = harness.start("wf", "{}", "{}");
    let execution = harness.get(uid);
    assert_eq!(execution.record().state, ExecutionState::Success);
    assert_eq!(execution.record().progress.success, 3001);
}

/// A wide join costs each of its branches little.
#[test]
fn a_wide_join_runs_once() {
    let mut document = String::from("version: '2.0'\nwf:\n  tasks:\n    end: {join: all}\n");
    for i in 0..1000 {
        let _ = writeln!(
            document,
            "    t{i}: {{publish: {{v{i}: {i}}}, on-success: end}}"
        );
    }
    let mut harness = Harness::new(Kind::Workflows, &document);
    let uid = harness.start("wf", "{}", "{}");
    let execution = harness.get(uid);
    assert_eq!(execution.record().state, ExecutionState::Success);
    let output = execution
        .record()
        .output
        .as_ref()
        .unwrap()
        .value()
        .as_dict()
        .unwrap()
        .len();
    assert_eq!(output, 1000);
}

#[test]
fn a_restart_tells_no_second_time_that_nothing_runs() {
    let document = "version: '2.0'\nwf:\n  tasks:\n    \
                    a: {action: std.noop, on-success: [c, d]}\n    \
                    b: {action: std.async_noop, on-success: [c, d]}\n    \
                    c: {join: all, action: std.noop}\n    d: {join: all, action: std.noop}\n";
    let limits = Limits {
        steps_per_event_max: 1,
        ..Limits::default()
    };
    let mut harness = Harness::new(Kind::Workflows, document).with_limits(limits);
    let uid = harness.start("wf", "{}", "{}");
    let timeouts_run = false;
    harness.verb(uid, Verb::Pause { timeouts_run }).unwrap();
    let null = Outcome::Success(Data::parse("null".to_owned()).unwrap());
    harness.end_action(uid, 2, 1, null).unwrap();
    let before = harness.get(uid).record().last_sequence;
    assert!(harness.get(uid).is_drained());
    harness.restart();
    assert_eq!(harness.get(uid).record().last_sequence, before);
}
