//! Tests of the builders: the whole text, as an author would read it.

use serde_json::json;

use super::*;

/// Everything that the builders can say, once.
#[test]
fn a_workflow_reads_like_a_written_one() {
    let workflow = Workflow::new("order")
        .description("Charges and ships: an order.")
        .tag("shop")
        .input("order_id")
        .input_with_default("currency", "EUR")
        .var("tries", 3)
        .output("receipt", "<% $.receipt %>")
        .output_on_error("reason", "<% $.why %>")
        .rollback_on("error")
        .catch_expression_errors()
        .task_defaults(
            TaskDefaults::new()
                .timeout(60)
                .on_error(Next::fail("it broke")),
        )
        .task(
            Task::action("charge", "std.http")
                .input(json!({"url": "http://payments", "body": {"id": "<% $.order_id %>"}}))
                .publish("receipt", "<% task().result %>")
                .publish_on_error("why", "<% task().result %>")
                .retry(
                    Retry::times("<% $.tries %>")
                        .delay(5)
                        .break_on("<% $.stop %>"),
                )
                .rollback(
                    Rollback::action("std.http")
                        .input(json!({"url": "http://payments", "method": "DELETE"}))
                        .retry(Retry::times(5).delay(1))
                        .timeout(60)
                        .target("payments"),
                )
                .on_success("pack")
                .on_success(Next::to("gift").when("<% $.gift %>"))
                .on_error(Next::fail("not \"charged\"")),
        )
        .task(
            Task::action("pack", "std.echo")
                .with_items("box", "<% $.boxes %>")
                .concurrency(2)
                .on_complete("ship"),
        )
        .task(Task::noop("gift").wait_before(1).on_complete("ship"))
        .task(
            Task::workflow("ship", "shipping")
                .join_all()
                .discard_result(),
        );
    let expected = include_str!("expected.yaml");
    assert_eq!(workflow.to_yaml(), expected);
}

#[test]
fn a_workbook_holds_workflows_and_actions() {
    let workflow = Workflow::new("main")
        .reverse()
        .task(Task::noop("a").requires("b"));
    let workbook = Workbook::new("shop").workflow(&workflow).action(
        "greet",
        json!({"base": "std.echo", "base-input": {"output": "<% $.who %>"}}),
    );
    let expected = "version: \"2.0\"\nname: shop\nworkflows:\n  main:\n    type: reverse\n    \
                    tasks:\n      a:\n        action: std.noop\n        requires:\n          - b\n\
                    actions:\n  greet:\n    base: std.echo\n    base-input:\n      \
                    output: \"<% $.who %>\"\n";
    assert_eq!(workbook.to_yaml(), expected);
}

#[test]
fn messages_of_commands_keep_their_quotes_where_the_language_can() {
    for (message, expected) in [
        ("it's over", "fail msg=\"it's over\""),
        ("no \"x\"", "fail msg='no \"x\"'"),
        ("it's \"x\"", "fail msg=\"it's 'x'\""),
    ] {
        assert_eq!(Next::fail(message), Next::to(expected));
    }
}
