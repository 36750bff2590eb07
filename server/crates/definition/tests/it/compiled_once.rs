//! Checking a document compiles every expression in it once: what it gives is ready to run.

use definition::{Kind, Options, check};

/// Expressions wherever the language takes them, also where clauses are laid over one another.
const WORKBOOK: &str = r#"
version: '2.0'
name: wb
actions:
  greet:
    base: std.echo output="<% $.hello %> world"
    base-input: {more: [{deep: <% $.deep %>}]}
    input: [hello, deep: 1]
    output: {said: <% $ %>}
workflows:
  wf:
    input: [list, default: 1]
    vars: {one: <% $.list.len() %>, two: "{{ _.list | length }}"}
    output: {all: [<% $.a %>, "x <% $.b %> y <% $.c %>"]}
    output-on-error: {why: <% task(t).result %>}
    task-defaults:
      wait-before: <% $.before %>
      retry: {count: <% $.count %>, delay: 1, continue-on: <% $.go %>}
      on-error: [{rescue: <% $.is_bad %>}, 'fail msg="no <% $.good %>"']
    tasks:
      t:
        with-items: ['i in <% $.list %>', 'j in ["<% $.first %>", 2]']
        action: greet hello=<% $.i %>
        input: {deep: <% $.j %>}
        wait-after: <% $.after %>
        publish: {p: <% task().result %>, same: {kept: <% $.kept %>}}
        publish-on-error: {q: <% task().result.error %>}
        on-success:
          publish: {branch: {same: {other: <% $.other %>}}, global: {g: <% $.global %>}}
          next: [{rescue: "{{ _.p }}"}]
        on-complete:
          publish: {branch: {same: {third: <% $.third %>}}}
      rescue:
        join: 1
        workflow: <% $.name %> argument=<% $.argument %>
        input: {whole: "{% if _.p %}{{ _.p }}{% endif %}"}
        pause-before: <% $.pause %>
        fail-on: <% $.fail %>
"#;

fn check_once(text: &str, kind: Kind, expected: usize) {
    let before = expr::compilations();
    let checked = check(text, kind, Options::default());
    let compiled = expr::compilations() - before;
    assert!(checked.document.is_some(), "{:?}", checked.diagnostics);
    assert_eq!(compiled, expected as u64, "{text}");
    // What is done with the model compiles nothing more.
    drop(checked.document.clone());
    assert_eq!(expr::compilations() - before, compiled);
}

#[test]
fn every_expression_is_compiled_once() {
    let expressions = |text: &str| text.matches("<%").count() + text.matches("{{").count();
    let everything = include_str!("../valid/everything.yaml");
    check_once(everything, Kind::Workflows, expressions(everything));
    check_once(WORKBOOK, Kind::Workbook, expressions(WORKBOOK));
    let none =
        "version: '2.0'\nwf: {input: [x: '<% $.not_evaluated %>'], tasks: {t: {action: std.noop}}}";
    check_once(none, Kind::Workflows, 0);
}
