//! A model in short, for people to review.

use std::fmt::Write;

use definition::Document;
use definition::model::{Action, Policies, Publish, Target, Task, Transition, Workflow};
use expr::Template;

macro_rules! line {
    ($($argument:tt)*) => {
        writeln!($($argument)*).expect("writing to a string cannot fail")
    };
}

/// One line for each fact of a document.
pub(crate) fn summary(document: &Document) -> String {
    let mut out = String::from("# document\n");
    match document {
        Document::Workflows(workflows) => {
            for one in workflows {
                workflow(&mut out, one);
            }
        }
        Document::Actions(actions) => {
            for one in actions {
                action(&mut out, one);
            }
        }
        Document::Workbook(book) => {
            line!(out, "workbook {} {:?}", book.name, book.tags);
            for one in &book.workflows {
                workflow(&mut out, one);
            }
            for one in &book.actions {
                action(&mut out, one);
            }
        }
    }
    out
}

fn workflow(out: &mut String, workflow: &Workflow) {
    let graph = &workflow.graph;
    line!(
        out,
        "workflow {} {:?}",
        workflow.name,
        workflow.workflow_type
    );
    for parameter in &workflow.input {
        let default = parameter.default.as_ref().map(expr::Value::to_text);
        line!(out, "  input {} = {default:?}", parameter.name);
    }
    template(out, "vars", workflow.vars.as_ref());
    template(out, "output", workflow.output.as_ref());
    template(out, "output-on-error", workflow.output_on_error.as_ref());
    line!(out, "  start {:?} inbound {:?}", graph.start, graph.inbound);
    let on = workflow.rollback_on;
    if on.error || on.cancel {
        line!(out, "  {on:?}");
    }
    if workflow.catch_expression_errors {
        line!(out, "  catches errors of expressions");
    }
    for one in workflow.tasks.values() {
        task(out, workflow, one);
    }
}

fn task(out: &mut String, workflow: &Workflow, task: &Task) {
    let call = text(&task.call.name);
    line!(out, "  task {}: {:?} {call}", task.name, task.body);
    for (name, value) in &task.call.params {
        line!(out, "    param {name} = {}", text(value));
    }
    template(out, "  input", task.input.as_ref());
    for item in &task.with_items {
        line!(out, "    item {} in {}", item.name, text(&item.source));
    }
    policies(out, &task.policies);
    publish(out, "success", &task.publish);
    publish(out, "error", &task.publish_on_error);
    publish(out, "skip", &task.publish_on_skip);
    transitions(out, workflow, "on-success", &task.on_success);
    transitions(out, workflow, "on-error", &task.on_error);
    transitions(out, workflow, "on-complete", &task.on_complete);
    transitions(out, workflow, "on-skip", &task.on_skip);
    if let Some(join) = task.join {
        line!(out, "    join {join:?}");
    }
    template(out, "  target", task.target.as_ref());
    template(out, "  action-version", task.action_version.as_ref());
    template(out, "  affinity-key", task.affinity_key.as_ref());
    template(out, "  keep-result", task.keep_result.as_ref());
    template(out, "  safe-rerun", task.safe_rerun.as_ref());
    if let Some(undo) = &task.rollback {
        line!(
            out,
            "    rollback: {:?} {}",
            undo.body,
            text(&undo.call.name)
        );
        for (name, value) in &undo.call.params {
            line!(out, "      param {name} = {}", text(value));
        }
        template(out, "    input", undo.input.as_ref());
        template(out, "    timeout", undo.policies.timeout.as_ref());
        if let Some(retry) = &undo.policies.retry {
            template(out, "    retry count", Some(&retry.count));
            template(out, "    retry delay", Some(&retry.delay));
        }
        let policies = &undo.policies;
        template(out, "    start-to-close", policies.start_to_close.as_ref());
        template(
            out,
            "    schedule-to-start",
            policies.schedule_to_start.as_ref(),
        );
        template(out, "    heartbeat", policies.heartbeat.as_ref());
        template(out, "    target", undo.target.as_ref());
        template(out, "    action-version", undo.action_version.as_ref());
        template(out, "    affinity-key", undo.affinity_key.as_ref());
    }
    if !task.requires.is_empty() {
        line!(out, "    requires {:?}", task.requires);
    }
}

fn policies(out: &mut String, policies: &Policies) {
    template(out, "  pause-before", policies.pause_before.as_ref());
    template(out, "  wait-before", policies.wait_before.as_ref());
    template(out, "  wait-after", policies.wait_after.as_ref());
    template(out, "  timeout", policies.timeout.as_ref());
    template(out, "  concurrency", policies.concurrency.as_ref());
    template(out, "  start-to-close", policies.start_to_close.as_ref());
    template(
        out,
        "  schedule-to-start",
        policies.schedule_to_start.as_ref(),
    );
    template(out, "  heartbeat", policies.heartbeat.as_ref());
    template(out, "  fail-on", policies.fail_on.as_ref());
    if let Some(retry) = &policies.retry {
        template(out, "  retry count", Some(&retry.count));
        template(out, "  retry delay", Some(&retry.delay));
        template(out, "  retry break-on", retry.break_on.as_ref());
        template(out, "  retry continue-on", retry.continue_on.as_ref());
    }
}

fn publish(out: &mut String, state: &str, publish: &Publish) {
    template(
        out,
        &format!("  publish {state}, branch"),
        publish.branch.as_ref(),
    );
    template(
        out,
        &format!("  publish {state}, global"),
        publish.global.as_ref(),
    );
    template(
        out,
        &format!("  publish {state}, atomic"),
        publish.atomic.as_ref(),
    );
}

fn transitions(out: &mut String, workflow: &Workflow, clause: &str, all: &[Transition]) {
    for transition in all {
        let target = match &transition.target {
            Target::Task(position) => workflow.tasks[*position].name.to_string(),
            Target::Command(command) => {
                let message = command.message.as_ref().map(text);
                format!("{:?} {message:?}", command.kind)
            }
        };
        let condition = transition.condition.as_ref().map(text).unwrap_or_default();
        line!(
            out,
            "    {}",
            format!("{clause} {target} {condition}").trim_end()
        );
    }
}

fn action(out: &mut String, action: &Action) {
    line!(out, "action {}: {}", action.name, text(&action.base.name));
    for (name, value) in &action.base.params {
        line!(out, "  param {name} = {}", text(value));
    }
    for parameter in &action.input {
        let default = parameter.default.as_ref().map(expr::Value::to_text);
        line!(out, "  input {} = {default:?}", parameter.name);
    }
    template(out, "base-input", action.base_input.as_ref());
    template(out, "output", action.output.as_ref());
}

fn template(out: &mut String, what: &str, template: Option<&Template>) {
    if let Some(template) = template {
        line!(out, "  {what} {}", text(template));
    }
}

fn text(template: &Template) -> String {
    template.source().to_text()
}
