//! What the server keeps, as tables and descriptions.

use std::path::Path;
use std::time::SystemTime;

use autan::{
    ActionExecution, Diagnostic, Event, Execution, InputParameter, Payload, TaskExecution,
    Validation, WorkbookRecord, WorkflowRevision,
};

use super::human::{Paint, between, duration, moment, one_line, relative, state_tone};
use super::live::describe;
use super::table::{Cell, Table, fields};

/// Longer infos are cut in tables.
const INFO_CHARS_MAX: usize = 60;

pub(super) fn executions(executions: &[Execution], now: SystemTime) -> Table {
    let mut table = Table::new([
        "ID", "WORKFLOW", "STATE", "TASKS", "CREATED", "TOOK", "INFO",
    ]);
    for execution in executions {
        let progress = &execution.progress;
        table.row([
            execution.execution_id.as_str().into(),
            execution.workflow_name.as_str().into(),
            Cell::state(&execution.state),
            Cell::number(&format!(
                "{}/{}",
                progress.total - progress.active,
                progress.total
            )),
            relative(execution.create_time, now).into(),
            took(execution.create_time, execution.end_time, now).into(),
            one_line(&execution.state_info, INFO_CHARS_MAX).into(),
        ]);
    }
    table
}

pub(super) fn execution(execution: &Execution, now: SystemTime, paint: Paint) -> String {
    let word = execution.state.to_string();
    let revision = format!(
        "{} (revision {})",
        execution.workflow_name, execution.workflow_revision
    );
    let uid = if execution.uid == execution.execution_id {
        ""
    } else {
        &execution.uid
    };
    let run = if execution.run > 1 {
        execution.run.to_string()
    } else {
        String::new()
    };
    let labels: Vec<_> = execution
        .labels
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let failure = execution.error.as_ref();
    let failure = failure.filter(|failure| failure.message != execution.state_info);
    fields(
        paint,
        [
            ("Execution", execution.execution_id.clone()),
            ("Uid", uid.to_owned()),
            ("Workflow", revision),
            ("Namespace", execution.workflow_namespace.clone()),
            ("State", paint.text(state_tone(&word), &word)),
            ("Info", execution.state_info.clone()),
            (
                "Error",
                failure
                    .map(|f| format!("{}: {}", f.kind, f.message))
                    .unwrap_or_default(),
            ),
            ("Run", run),
            ("Tasks", tasks_by_state(execution)),
            ("Created", at(execution.create_time, now)),
            ("Ended", at(execution.end_time, now)),
            ("Took", took(execution.create_time, execution.end_time, now)),
            ("Expires", at(execution.expire_time, now)),
            ("Labels", labels.join(", ")),
            ("Description", execution.description.clone()),
            ("Etag", execution.etag.clone()),
            (
                "Parent task",
                execution
                    .parent_task_execution_id
                    .clone()
                    .unwrap_or_default(),
            ),
            (
                "Restart of",
                execution.source_execution_id.clone().unwrap_or_default(),
            ),
            ("Input", payload(execution.input.as_ref())),
            ("Parameters", payload(execution.params.as_ref())),
            ("Output", payload(execution.output.as_ref())),
        ],
    )
}

fn tasks_by_state(execution: &Execution) -> String {
    let progress = &execution.progress;
    let parts: Vec<_> = [
        (progress.success, "success"),
        (progress.active, "active"),
        (progress.error, "error"),
        (progress.cancelled, "cancelled"),
        (progress.skipped, "skipped"),
        (progress.rolled_back, "rolled back"),
        (progress.undoing, "undoing"),
        (progress.undo_failed, "not undone"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if parts.is_empty() {
        return progress.total.to_string();
    }
    format!("{} ({})", progress.total, parts.join(", "))
}

pub(super) fn tasks(tasks: &[TaskExecution], now: SystemTime) -> Table {
    let mut table = Table::new(["TASK", "STATE", "ATTEMPTS", "CREATED", "TOOK", "ID", "INFO"]);
    for task in tasks {
        let undo = task.undo_of.as_ref().map_or("", |_| "undo ");
        table.row([
            format!("{undo}{}", task.task_name).into(),
            Cell::state(&task.state),
            Cell::number(&task.attempts),
            relative(task.create_time, now).into(),
            took(task.start_time.or(task.create_time), task.end_time, now).into(),
            task.task_execution_id.as_str().into(),
            one_line(&task.state_info, INFO_CHARS_MAX).into(),
        ]);
    }
    table
}

pub(super) fn actions(actions: &[ActionExecution], now: SystemTime) -> Table {
    let mut table = Table::new([
        "ID", "TASK", "ACTION", "STATE", "ATTEMPT", "ITEM", "CREATED",
    ]);
    for action in actions {
        table.row([
            action.action_execution_id.as_str().into(),
            action.task_name.as_str().into(),
            action.name.as_str().into(),
            Cell::state(&action.state),
            Cell::number(&action.attempt),
            Cell::number(&action.item_index),
            relative(action.create_time, now).into(),
        ]);
    }
    table
}

pub(super) fn action(action: &ActionExecution, paint: Paint) -> String {
    let word = action.state.to_string();
    fields(
        paint,
        [
            ("Action", action.action_execution_id.clone()),
            ("Name", action.name.clone()),
            ("Task", action.task_name.clone()),
            ("State", paint.text(state_tone(&word), &word)),
            ("Output", payload(action.output.as_ref())),
        ],
    )
}

/// What was found in a document, and the verdict.
pub(super) fn validation(validation: &Validation, path: &Path) -> String {
    let verdict = if validation.valid {
        "valid"
    } else {
        "not valid"
    };
    let mut lines: Vec<_> = validation.diagnostics.iter().map(diagnostic).collect();
    lines.push(format!("{}: {verdict}", path.display()));
    lines.join("\n")
}

pub(super) fn history(events: &[Event]) -> Table {
    let mut table = Table::new(["SEQ", "TIME", "TASK", "EVENT", "STATE", "DETAIL"]);
    for event in events {
        table.row([
            Cell::number(&event.sequence),
            event.time.map(moment).unwrap_or_default().into(),
            event.task_name.clone().unwrap_or_default().into(),
            event.kind.name().into(),
            Cell::state(&state_of(event)),
            one_line(&describe(event), INFO_CHARS_MAX).into(),
        ]);
    }
    table
}

fn state_of(event: &Event) -> String {
    use autan::EventKind;
    match &event.kind {
        EventKind::ExecutionStateChanged { state, .. } => state.to_string(),
        EventKind::TaskCreated { state, .. } | EventKind::TaskStateChanged { state, .. } => {
            state.to_string()
        }
        EventKind::ActionStateChanged { state, .. } => state.to_string(),
        _ => String::new(),
    }
}

pub(super) fn workflows(workflows: &[WorkflowRevision], now: SystemTime) -> Table {
    let mut table = Table::new(["NAME", "REVISION", "TYPE", "INPUT", "TASKS", "UPDATED"]);
    for workflow in workflows {
        table.row([
            qualified(&workflow.namespace, &workflow.name).into(),
            Cell::number(&workflow.revision),
            workflow.workflow_type.as_str().into(),
            inputs(&workflow.input).into(),
            Cell::number(&workflow.task_names.len()),
            relative(workflow.update_time, now).into(),
        ]);
    }
    table
}

pub(super) fn workflow(workflow: &WorkflowRevision, now: SystemTime, paint: Paint) -> String {
    fields(
        paint,
        [
            ("Workflow", qualified(&workflow.namespace, &workflow.name)),
            (
                "Revision",
                format!("{} ({})", workflow.revision, workflow.revision_hash),
            ),
            ("Type", workflow.workflow_type.clone()),
            ("Description", workflow.description.clone()),
            ("Tags", workflow.tags.join(", ")),
            ("Workbook", workflow.workbook.clone().unwrap_or_default()),
            ("Input", inputs(&workflow.input)),
            ("Output", workflow.output_keys.join(", ")),
            ("Tasks", workflow.task_names.join(", ")),
            ("Created", at(workflow.create_time, now)),
            ("Updated", at(workflow.update_time, now)),
            ("Etag", workflow.etag.clone()),
        ],
    )
}

/// Names of the inputs, with the defaults of those that have one.
pub(super) fn inputs(declared: &[InputParameter]) -> String {
    let inputs: Vec<_> = declared
        .iter()
        .map(|input| match &input.default_value {
            Some(value) => {
                let text = value.json_text().unwrap_or("(binary)");
                format!("{}={}", input.name, one_line(text, 20))
            }
            None => input.name.clone(),
        })
        .collect();
    inputs.join(", ")
}

pub(super) fn workbooks(workbooks: &[WorkbookRecord], now: SystemTime) -> Table {
    let mut table = Table::new(["NAME", "WORKFLOWS", "ACTIONS", "UPDATED"]);
    for workbook in workbooks {
        table.row([
            qualified(&workbook.namespace, &workbook.name).into(),
            Cell::number(&workbook.workflow_names.len()),
            Cell::number(&workbook.action_names.len()),
            relative(workbook.update_time, now).into(),
        ]);
    }
    table
}

pub(super) fn workbook(workbook: &WorkbookRecord, now: SystemTime, paint: Paint) -> String {
    fields(
        paint,
        [
            ("Workbook", qualified(&workbook.namespace, &workbook.name)),
            ("Description", workbook.description.clone()),
            ("Tags", workbook.tags.join(", ")),
            ("Workflows", workbook.workflow_names.join(", ")),
            ("Actions", workbook.action_names.join(", ")),
            ("Created", at(workbook.create_time, now)),
            ("Updated", at(workbook.update_time, now)),
            ("Etag", workbook.etag.clone()),
        ],
    )
}

/// A diagnostic of the server, in the form of `autan validate`.
pub(super) fn diagnostic(diagnostic: &Diagnostic) -> String {
    let head = format!(
        "{}[{}]: {}",
        diagnostic.severity, diagnostic.rule, diagnostic.message
    );
    let excerpt = diagnostic.excerpt.trim_end();
    if excerpt.starts_with(&head) {
        // The server has set it out already.
        return excerpt.to_owned();
    }
    let mut lines = vec![head];
    if diagnostic.line > 0 {
        lines.push(format!(" --> {}:{}", diagnostic.line, diagnostic.column));
    }
    if !excerpt.is_empty() {
        lines.push(excerpt.to_owned());
    }
    if !diagnostic.path.is_empty() {
        lines.push(format!("  = at: {}", diagnostic.path));
    }
    if let Some(suggestion) = &diagnostic.suggestion {
        lines.push(format!("  = help: {suggestion}"));
    }
    lines.join("\n")
}

pub(super) fn qualified(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

/// A moment and how long ago it was.
pub(super) fn at(time: Option<SystemTime>, now: SystemTime) -> String {
    time.map(|time| format!("{} ({})", moment(time), relative(Some(time), now)))
        .unwrap_or_default()
}

/// How long something took, or has taken so far.
fn took(from: Option<SystemTime>, to: Option<SystemTime>, now: SystemTime) -> String {
    between(from, to.or(Some(now)))
        .map(duration)
        .unwrap_or_default()
}

/// JSON, set out for reading.
pub(super) fn payload(payload: Option<&Payload>) -> String {
    let Some(payload) = payload else {
        return String::new();
    };
    match (payload.to_value(), payload.binary_data()) {
        (Ok(value), _) => format!("{value:#}"),
        (Err(_), Some((content_type, data))) => format!("{} bytes of {content_type}", data.len()),
        (Err(error), None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use autan::raw::v1;

    use super::*;

    fn time(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn sample() -> Execution {
        Execution::from(v1::Execution {
            execution_id: "ship-42".to_owned(),
            uid: "u-1".to_owned(),
            workflow_name: "ship".to_owned(),
            workflow_revision: 3,
            state: v1::ExecutionState::Error.into(),
            state_info: "Failure caused by error in tasks: charge\n\n  charge: no money".to_owned(),
            run: 1,
            create_time: Some(time(1_000).into()),
            end_time: Some(time(1_012).into()),
            progress: Some(v1::Progress {
                total: 3,
                success: 2,
                error: 1,
                ..Default::default()
            }),
            output: Some(v1::Payload {
                encoding: Some(v1::payload::Encoding::Json("{\"n\":1}".to_owned())),
                ..Default::default()
            }),
            ..v1::Execution::default()
        })
    }

    #[test]
    fn an_execution_is_a_row() {
        let expected = "ID       WORKFLOW  STATE  TASKS  CREATED  TOOK    INFO\n\
                        ship-42  ship      ERROR    3/3  3m ago   12.00s  \
                        Failure caused by error in tasks: charge…\n";
        assert_eq!(
            executions(&[sample()], time(1_200)).render(Paint::new(false)),
            expected
        );
    }

    #[test]
    fn an_execution_is_described() {
        let expected = "Execution  ship-42\n\
                        Uid        u-1\n\
                        Workflow   ship (revision 3)\n\
                        State      ERROR\n\
                        Info       Failure caused by error in tasks: charge\n           \n             \
                        charge: no money\n\
                        Tasks      3 (2 success, 1 error)\n\
                        Created    1970-01-01 00:16:40Z (3m ago)\n\
                        Ended      1970-01-01 00:16:52Z (3m ago)\n\
                        Took       12.00s\n\
                        Output     {\n             \"n\": 1\n           }\n";
        assert_eq!(
            execution(&sample(), time(1_200), Paint::new(false)),
            expected
        );
    }

    #[test]
    fn workflows_show_what_they_want() {
        let input = |name: &str, default: Option<&str>| v1::InputParameter {
            name: name.to_owned(),
            required: default.is_none(),
            default_value: default.map(|text| v1::Payload {
                encoding: Some(v1::payload::Encoding::Json(text.to_owned())),
                ..Default::default()
            }),
        };
        let workflow = WorkflowRevision::from(v1::Workflow {
            namespace: "eu".to_owned(),
            name: "ship".to_owned(),
            revision: 3,
            r#type: "direct".to_owned(),
            input: vec![input("order_id", None), input("currency", Some("\"EUR\""))],
            task_names: vec!["a".to_owned(), "b".to_owned()],
            ..v1::Workflow::default()
        });
        let expected = "NAME     REVISION  TYPE    INPUT                     TASKS  UPDATED\n\
                        eu/ship         3  direct  order_id, currency=\"EUR\"      2  -\n";
        assert_eq!(
            workflows(&[workflow], time(0)).render(Paint::new(false)),
            expected
        );
    }

    #[test]
    fn diagnostics_read_like_those_of_validate() {
        let head = "warning[unreachable-task]: nothing leads to t2";
        for (excerpt, expected) in [
            ("", format!("{head}\n --> 7:5\n  = at: wf.tasks.t2")),
            (
                "  t2:\n  ^^\n",
                format!("{head}\n --> 7:5\n  t2:\n  ^^\n  = at: wf.tasks.t2"),
            ),
            (
                &format!("{head}\n --> x:7:5\n"),
                format!("{head}\n --> x:7:5"),
            ),
        ] {
            let found = Diagnostic::from(v1::Diagnostic {
                severity: v1::Severity::Warning.into(),
                rule: "unreachable-task".to_owned(),
                message: "nothing leads to t2".to_owned(),
                path: "wf.tasks.t2".to_owned(),
                line: 7,
                column: 5,
                excerpt: excerpt.to_owned(),
                ..v1::Diagnostic::default()
            });
            assert_eq!(diagnostic(&found), expected);
        }
    }
}
