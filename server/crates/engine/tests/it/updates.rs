//! Ad-hoc actions that are updated while executions run: each goes on with what it called first.

use definition::Kind;
use engine::{ExecutionUid, Outcome};

use crate::harness::Harness;

const WORKFLOWS: &str = "
version: '2.0'
outer:
  output:
    said: <% [$.a, $.c, $.e] %>
  tasks:
    a: {action: say, publish: {a: <% task().result %>}, on-success: b}
    b: {action: std.async_noop, on-success: c}
    c: {action: say, publish: {c: <% task().result %>}, on-success: d}
    d: {workflow: inner, publish: {e: <% task().result.said %>}}
inner:
  output: {said: <% $.said %>}
  tasks:
    say: {action: say, publish: {said: <% task().result %>}}
";

/// An ad-hoc action over another one.
fn actions(word: &str) -> String {
    format!(
        "version: '2.0'
say:
  base: word
  output: <% $ + '{word}' %>
word:
  base: std.echo
  base-input: {{output: '{word}'}}
"
    )
}

fn only_action(harness: &Harness, uid: ExecutionUid, name: &str) -> (u32, u32) {
    let mut tasks = harness.get(uid).tasks();
    let task = tasks.find(|task| &*task.name == name).unwrap();
    (task.number, task.actions[0].number)
}

#[track_caller]
fn check(restarts: bool) {
    let mut harness = Harness::new(Kind::Workflows, WORKFLOWS);
    harness.add(Kind::Actions, &actions("old"));
    let first = harness.start("outer", "{}", "{}");
    harness.add(Kind::Actions, &actions("new"));
    if restarts {
        harness.restart();
    }
    let second = harness.start("outer", "{}", "{}");
    for (uid, said) in [
        // A child is an execution of its own, which has called nothing before.
        (first, r#"{"said":["oldold","oldold","newnew"]}"#),
        (second, r#"{"said":["newnew","newnew","newnew"]}"#),
    ] {
        let (task, action) = only_action(&harness, uid, "b");
        let outcome = Outcome::Success(engine::Data::null());
        harness.end_action(uid, task, action, outcome).unwrap();
        let output = harness.get(uid).record().output.clone().unwrap();
        assert_eq!(&**output.text(), said);
    }
    // The revisions stand once in the rows, with the task that called them first.
    let tasks = harness.get(first).tasks();
    let pins: Vec<usize> = tasks.map(|task| task.runtime.pins.len()).collect();
    assert_eq!(pins, [1, 0, 0, 0]);
}

#[test]
fn an_execution_keeps_the_revisions_that_it_called_first() {
    check(false);
    check(true);
}
