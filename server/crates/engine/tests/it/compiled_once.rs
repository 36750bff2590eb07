//! Running compiles nothing: what a definition holds was compiled when it was checked.

use definition::Kind;
use engine::ExecutionState;

use crate::harness::Harness;

/// Expressions of both languages in many places, and a cycle that passes them again and again.
const DOCUMENT: &str = "version: '2.0'
wf:
  input: [count]
  vars: {seen: <% $.count %>, said: \"{{ _.count }} times\"}
  output: {left: <% $.left %>}
  task-defaults:
    on-error: [{again: <% $.left > 100 %>}]
  tasks:
    begin:
      publish: {left: <% $.count %>}
      on-success: again
    again:
      action: std.echo output=<% $.left - 1 %>
      publish: {left: <% task().result %>, text: \"{% if _.left %}{{ _.left }}{% endif %}\"}
      on-success:
        publish: {branch: {text: {deep: <% $.left %>}}}
        next: [{again: <% $.left > 0 %>}, {items: <% $.left = 0 %>}]
    items:
      with-items: i in <% range($.count) %>
      action: std.echo output=\"<% $.i %> of <% $.count %>\"
      retry: {count: 1, delay: 1, break-on: <% $.count > 0 %>}
";

#[test]
fn running_compiles_nothing() {
    let mut harness = Harness::new(Kind::Workflows, DOCUMENT);
    let compiled = expr::compilations();
    assert!(compiled > 10, "checking compiles");
    for count in [1, 20] {
        let uid = harness.start("wf", &format!("{{\"count\": {count}}}"), "{}");
        let record = harness.get(uid).record();
        assert_eq!(record.state, ExecutionState::Success);
    }
    assert_eq!(expr::compilations(), compiled);
}

/// Values of an environment are no part of a definition, so each start compiles them; a start
/// without expressions in them compiles nothing.
#[test]
fn only_an_environment_is_compiled_at_the_start() {
    let mut harness = Harness::new(
        Kind::Workflows,
        "version: '2.0'\nwf: {tasks: {t: {action: std.noop}}}",
    );
    for (env, expected) in [
        (r#"{"a": 1, "b": "text"}"#, 0),
        (r#"{"a": 1, "b": "<% env().a %>"}"#, 1),
    ] {
        let before = expr::compilations();
        harness.start("wf", "{}", &format!("{{\"env\": {env}}}"));
        assert_eq!(expr::compilations() - before, expected, "{env}");
    }
}
