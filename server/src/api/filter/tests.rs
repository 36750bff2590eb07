//! Filters that are read, and filters that are refused with their place.

use store::{DefinitionField, ExecutionField, Filter, FilterValue, Operator, TaskField};

use super::fields::Field;
use super::parse;

/// A short form of a filter, for tables.
fn show<F: std::fmt::Debug>(filter: &Filter<F>) -> String {
    let all = |parts: &[Filter<F>], word: &str| {
        let parts: Vec<_> = parts.iter().map(show).collect();
        format!("({})", parts.join(word))
    };
    match filter {
        Filter::And(parts) if parts.is_empty() => "all".into(),
        Filter::And(parts) => all(parts, " & "),
        Filter::Or(parts) => all(parts, " | "),
        Filter::Not(part) => format!("!{}", show(part)),
        Filter::Compare {
            field,
            operator,
            value,
        } => {
            let sign = match operator {
                Operator::Equal => "=",
                Operator::NotEqual => "!=",
                Operator::Less => "<",
                Operator::LessOrEqual => "<=",
                Operator::Greater => ">",
                Operator::GreaterOrEqual => ">=",
                Operator::Has => ":",
            };
            let value = match value {
                FilterValue::Text(text) => text.clone(),
                FilterValue::StartsWith(text) => format!("{text}…"),
                FilterValue::EndsWith(text) => format!("…{text}"),
                FilterValue::Contains(text) => format!("…{text}…"),
                FilterValue::Present => "any".into(),
                FilterValue::Time(time_us) => format!("@{time_us}"),
            };
            format!("{field:?}{sign}{value}")
        }
    }
}

fn check<F: Field + std::fmt::Debug>(text: &str, expected: &str) {
    let found = match parse::<F>(text) {
        Ok(filter) => show(&filter),
        Err(error) => format!("{}: {}, {}", error.position, error.expected, error.found),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn filters_on_executions_are_read() {
    for (text, expected) in [
        ("", "all"),
        ("  ", "all"),
        ("state = ERROR", "State=ERROR"),
        ("state=ERROR", "State=ERROR"),
        (
            "state = ERROR AND (workflow_name = \"order*\" OR labels.team = \"eu\")",
            "(State=ERROR & (WorkflowName=order… | Label(\"team\")=eu))",
        ),
        // OR binds tighter than AND.
        (
            "state = ERROR AND workflow_name=a OR workflow_name=b",
            "(State=ERROR & (WorkflowName=a | WorkflowName=b))",
        ),
        ("NOT state = ERROR", "!State=ERROR"),
        ("NOT NOT (state = ERROR)", "!!State=ERROR"),
        ("-state = ERROR", "!State=ERROR"),
        ("workflow_name = *", "WorkflowName=any"),
        ("workflow_name = '*mid*'", "WorkflowName=…mid…"),
        ("workflow_name = *.main", "WorkflowName=….main"),
        (
            "workflow_name = \"a \\\"b\\\" \\* \\\\\"",
            "WorkflowName=a \"b\" * \\",
        ),
        ("workflow_name = \"\"", "WorkflowName="),
        (
            "create_time >= 1970-01-01T00:00:01Z",
            "CreateTime>=@1000000",
        ),
        (
            "create_time<\"1970-01-01T01:00:01+01:00\"",
            "CreateTime<@1000000",
        ),
        ("start_time > 1970-01-01T00:00:00.5Z", "CreateTime>@500000"),
        ("NOT end_time = *", "!EndTime=any"),
        ("parent_task_execution_id = *", "ParentTask=any"),
        ("kind = ACTION", "Kind=ACTION"),
        ("labels:team", "Label(\"team\"):any"),
        ("labels.team : eu", "Label(\"team\"):eu"),
        ("labels.\"a key\" != x", "Label(\"a key\")!=x"),
        (
            "labels.app.kubernetes.io/name = x",
            "Label(\"app.kubernetes.io/name\")=x",
        ),
        ("description : größe", "Description:größe"),
        (
            "uid = 01920000-0000-7000-8000-000000000001",
            "Uid=01920000-0000-7000-8000-000000000001",
        ),
    ] {
        check::<ExecutionField>(text, expected);
    }
}

#[test]
fn wrong_filters_are_refused_with_their_place() {
    const FIELDS: &str = "one of the fields execution_id, uid, state, workflow_name, \
        workflow_namespace, create_time, update_time, start_time, end_time, description, \
        root_execution_id, parent_task_execution_id, kind, labels.KEY";
    const WORDS: &str = "one of IDLE, RUNNING, PAUSED, SUCCESS, ERROR, CANCELLED";
    let stars = "`*` only at the start or end of a value; quote and write \\* for a star";
    let deep = format!("{}state=ERROR", "(".repeat(13));
    let many = vec!["state=ERROR"; 101].join(" AND ");
    let long = "x".repeat(9000);
    for (text, expected) in [
        ("state", "6: one of = != < <= > >= :, the end".to_owned()),
        ("state =", "8: a value, the end".into()),
        ("state == ERROR", "8: a value, `=`".into()),
        ("state = error", format!("9: {WORDS}, `error`")),
        ("state = *", format!("9: {WORDS}, `*`")),
        ("state < ERROR", "7: = or != for this field, `<`".into()),
        ("status = ERROR", format!("1: {FIELDS}, `status`")),
        ("state.x = ERROR", format!("1: {FIELDS}, `state.x`")),
        ("labels = x", format!("1: {FIELDS}, `labels`")),
        ("labels. = x", "8: a name after the dot, `=`".into()),
        (
            "state = ERROR state = IDLE",
            "15: AND, OR or the end, `state`".into(),
        ),
        ("(state = ERROR", "15: AND, OR or ), the end".into()),
        ("state = ERROR)", "14: AND, OR or the end, `)`".into()),
        (
            "größe = \"x",
            "11: the closing quote of a string, the end".into(),
        ),
        (
            "description = \"\\x\"",
            "17: \\, *, or a quote after \\, `x\"`".into(),
        ),
        ("workflow_name = a*b", format!("17: {stars}, `a*b`")),
        (
            "workflow_name > a*",
            "15: =, != or : with a pattern, `>`".into(),
        ),
        (
            "create_time > soon",
            "15: a time such as 2026-01-31T12:00:00Z, `soon`".into(),
        ),
        (
            "create_time > *",
            "13: =, != or : with a pattern, `>`".into(),
        ),
        ("uid = x", "7: a uid, `x`".into()),
        ("AND", "4: one of = != < <= > >= :, the end".into()),
        (
            &deep,
            "13: at most 12 levels of parentheses and NOT, `(state=ERROR`".into(),
        ),
        (&many, "1601: at most 100 comparisons, `state=ERROR`".into()),
        (&long, "1: at most 8192 bytes, 9000 bytes".into()),
    ] {
        check::<ExecutionField>(text, &expected);
    }
}

#[test]
fn each_list_has_its_fields() {
    check::<TaskField>(
        "task_name = t* AND type = WORKFLOW",
        "(Name=t… & Type=WORKFLOW)",
    );
    check::<TaskField>("state = SKIPPED", "State=SKIPPED");
    check::<TaskField>(
        "name = t",
        "1: one of the fields task_name, state, type, `name`",
    );
    check::<DefinitionField>(
        "tag : nightly AND workbook = b",
        "(Tag:nightly & Workbook=b)",
    );
    check::<DefinitionField>("update_time > 1970-01-01T00:00:00Z", "UpdateTime>@0");
}
