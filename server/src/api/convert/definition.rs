//! Definitions: checked documents as changes of the store, and its rows on the wire.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use definition::{Document, model};
use engine::Data;
use proto::v1::{self, PayloadFormat};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{DefinitionKind, DefinitionRow, NewDefinition, SourceKind, WorkbookRow};

use super::{field, payload};

/// What is stored of a workflow beside its document, so that lists and answers about its
/// executions need not read the document again. The store does not look inside.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    /// "direct" or "reverse".
    #[serde(rename = "type")]
    kind: String,
    /// Declared inputs in order.
    input: Vec<InputDetails>,
    /// Keys of the declared output.
    output: Vec<String>,
    /// Tasks in document order.
    tasks: Vec<TaskDetails>,
    /// Whether a task can publish to the whole execution.
    pub(crate) publishes_global: bool,
}

/// What is stored of an ad-hoc action beside its document.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct ActionDetails {
    /// Name of the action that it wraps.
    base: String,
    /// Declared inputs in order.
    input: Vec<InputDetails>,
}

/// One declared input.
#[derive(Debug, Serialize, Deserialize)]
struct InputDetails {
    name: String,
    /// JSON of the default; absent if the input is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Box<RawValue>>,
}

/// One task.
#[derive(Debug, Serialize, Deserialize)]
struct TaskDetails {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl Details {
    /// What a row says; nothing if it says what this version does not understand.
    pub(crate) fn of_row(row: &DefinitionRow) -> Self {
        serde_json::from_str(&row.details).unwrap_or_default()
    }

    /// Tags of all tasks that have some, by name of the task.
    pub(crate) fn task_tags(self) -> HashMap<String, Vec<String>> {
        let tagged = self.tasks.into_iter().filter(|task| !task.tags.is_empty());
        tagged.map(|task| (task.name, task.tags)).collect()
    }

    fn of_workflow(workflow: &model::Workflow) -> Self {
        let output = workflow
            .output
            .as_ref()
            .and_then(|output| output.source().as_dict());
        let tasks = workflow.tasks.values().map(|task| TaskDetails {
            name: task.name.to_string(),
            tags: field::strings(&task.tags),
        });
        let kind = match workflow.workflow_type {
            model::WorkflowType::Direct => "direct",
            model::WorkflowType::Reverse => "reverse",
        };
        Self {
            kind: kind.to_owned(),
            input: inputs(&workflow.input),
            output: output
                .map(|dict| dict.keys().map(|key| key.to_text()).collect())
                .unwrap_or_default(),
            tasks: tasks.collect(),
            publishes_global: workflow.tasks.values().any(publishes_global),
        }
    }
}

fn inputs(declared: &[model::Parameter]) -> Vec<InputDetails> {
    let inputs = declared.iter().map(|parameter| InputDetails {
        name: parameter.name.to_string(),
        default: parameter.default.as_ref().map(raw_json),
    });
    inputs.collect()
}

fn raw_json(value: &expr::Value) -> Box<RawValue> {
    // A default comes from YAML, which has more kinds than JSON; what has no JSON form is text.
    let json = value
        .to_json()
        .or_else(|_| expr::Value::from(value.to_text()).to_json());
    let json = json.expect("a text has a JSON form");
    RawValue::from_string(json).expect("what is written as JSON is JSON")
}

fn publishes_global(task: &model::Task) -> bool {
    [&task.publish, &task.publish_on_error, &task.publish_on_skip]
        .into_iter()
        .any(|publish| publish.global.is_some() || publish.atomic.is_some())
}

/// The members of a document under their full names, in document order.
pub(crate) fn members(document: &Document) -> Vec<NewDefinition> {
    let plain = |name: &Arc<str>| name.clone();
    match document {
        Document::Workflows(workflows) => workflows
            .iter()
            .map(|workflow| of_workflow(workflow, plain))
            .collect(),
        Document::Actions(actions) => actions.iter().map(|a| of_action(a, plain)).collect(),
        Document::Workbook(book) => {
            let full = |name: &Arc<str>| format!("{}.{name}", book.name).into();
            let workflows = book
                .workflows
                .iter()
                .map(|workflow| of_workflow(workflow, full));
            let actions = book.actions.iter().map(|action| of_action(action, full));
            workflows.chain(actions).collect()
        }
    }
}

fn of_workflow(
    workflow: &model::Workflow,
    full_name: impl Fn(&Arc<str>) -> Arc<str>,
) -> NewDefinition {
    let details = serde_json::to_string(&Details::of_workflow(workflow));
    NewDefinition {
        kind: DefinitionKind::Workflow,
        name: full_name(&workflow.name),
        description: workflow.description.clone().unwrap_or_else(|| "".into()),
        tags: workflow.tags.clone(),
        details: details
            .expect("strings and JSON are written as JSON")
            .into(),
    }
}

fn of_action(action: &model::Action, full_name: impl Fn(&Arc<str>) -> Arc<str>) -> NewDefinition {
    let details = serde_json::to_string(&ActionDetails {
        base: action.base.name.source().to_text(),
        input: inputs(&action.input),
    });
    NewDefinition {
        kind: DefinitionKind::Action,
        name: full_name(&action.name),
        description: action.description.clone().unwrap_or_else(|| "".into()),
        tags: action.tags.clone(),
        details: details
            .expect("strings and JSON are written as JSON")
            .into(),
    }
}

/// The kind of a document, for the store.
pub(crate) fn source_kind(document: &Document) -> SourceKind {
    match document {
        Document::Workflows(_) => SourceKind::Workflows,
        Document::Actions(_) => SourceKind::Actions,
        Document::Workbook(_) => SourceKind::Workbook,
    }
}

/// The kind of a document that a request names.
pub(crate) fn document_kind(kind: v1::DocumentKind) -> definition::Kind {
    match kind {
        v1::DocumentKind::Unspecified | v1::DocumentKind::Workflows => definition::Kind::Workflows,
        v1::DocumentKind::Workbook => definition::Kind::Workbook,
        v1::DocumentKind::Actions => definition::Kind::Actions,
    }
}

/// Revision of a row that would be made, and is not: it has neither etag nor times.
pub(crate) const NOT_STORED: i32 = 0;

/// A revision of a workflow on the wire, with its source in the FULL view.
pub(crate) fn wire_workflow(row: &DefinitionRow, source: Option<&str>) -> v1::Workflow {
    let details = Details::of_row(row);
    let is_stored = row.revision != NOT_STORED;
    v1::Workflow {
        project: row.project.to_string(),
        namespace: row.namespace.to_string(),
        name: row.name.to_string(),
        revision: row.revision,
        revision_hash: hex(&row.source_hash),
        source: source.unwrap_or_default().to_owned(),
        description: row.description.to_string(),
        tags: field::strings(&row.tags),
        r#type: details.kind,
        input: details.input.into_iter().map(wire_input).collect(),
        output_keys: details.output,
        task_names: details.tasks.into_iter().map(|task| task.name).collect(),
        workbook: field::optional(row.workbook.as_ref()),
        create_time: is_stored.then(|| field::timestamp(row.first_created_us)),
        update_time: is_stored.then(|| field::timestamp(row.created_us)),
        etag: if is_stored { row.etag() } else { String::new() },
    }
}

/// A revision of an ad-hoc action on the wire, with its source in the FULL view.
pub(crate) fn wire_action(row: &DefinitionRow, source: Option<&str>) -> v1::Action {
    let details: ActionDetails = serde_json::from_str(&row.details).unwrap_or_default();
    let is_stored = row.revision != NOT_STORED;
    v1::Action {
        project: row.project.to_string(),
        namespace: row.namespace.to_string(),
        name: row.name.to_string(),
        kind: v1::ActionKind::Adhoc.into(),
        revision: row.revision,
        revision_hash: hex(&row.source_hash),
        source: source.unwrap_or_default().to_owned(),
        description: row.description.to_string(),
        tags: field::strings(&row.tags),
        input: details.input.into_iter().map(wire_input).collect(),
        base: details.base,
        asynchronous: false,
        workbook: field::optional(row.workbook.as_ref()),
        create_time: is_stored.then(|| field::timestamp(row.first_created_us)),
        update_time: is_stored.then(|| field::timestamp(row.created_us)),
        etag: if is_stored { row.etag() } else { String::new() },
    }
}

fn wire_input(input: InputDetails) -> v1::InputParameter {
    let default = input
        .default
        .map(|json| Data::from_checked_text(json.get()));
    v1::InputParameter {
        name: input.name,
        required: default.is_none(),
        default_value: payload::wire_optional(default.as_ref(), PayloadFormat::Json),
    }
}

/// A workbook on the wire, with its source in the FULL view.
pub(crate) fn wire_workbook(row: &WorkbookRow, source: Option<&str>) -> v1::Workbook {
    let is_stored = row.revision != NOT_STORED;
    v1::Workbook {
        project: row.project.to_string(),
        namespace: row.namespace.to_string(),
        name: row.name.to_string(),
        source: source.unwrap_or_default().to_owned(),
        description: row.description.to_string(),
        tags: field::strings(&row.tags),
        workflow_names: field::strings(&row.workflow_names),
        action_names: field::strings(&row.action_names),
        create_time: is_stored.then(|| field::timestamp(row.created_us)),
        update_time: is_stored.then(|| field::timestamp(row.updated_us)),
        etag: if is_stored { row.etag() } else { String::new() },
    }
}

/// Bytes as hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes all text");
    }
    text
}

#[cfg(test)]
mod tests {
    use definition::{Kind, Options, check};

    use super::*;

    const WORKBOOK: &str = "\
version: '2.0'
name: book
workflows:
  main:
    tags: [nightly]
    input:
      - who
      - greeting: {text: hi}
    output:
      said: <% $.said %>
    tasks:
      say:
        tags: [loud]
        action: std.echo output=<% $.who %>
        publish-on-error:
          x: 1
        on-success:
          publish:
            global:
              said: <% task().result %>
actions:
  shout:
    base: std.echo
";

    #[test]
    fn members_say_what_lists_show() {
        let checked = check(WORKBOOK, Kind::Workbook, Options::default());
        let members = members(&checked.document.expect("the workbook has no errors"));
        let named: Vec<_> = members.iter().map(|m| (m.kind, &*m.name)).collect();
        let (workflow, action) = (DefinitionKind::Workflow, DefinitionKind::Action);
        assert_eq!(named, [(workflow, "book.main"), (action, "book.shout")]);
        assert_eq!(
            &*members[0].details,
            "{\"type\":\"direct\",\
             \"input\":[{\"name\":\"who\"},\
             {\"name\":\"greeting\",\"default\":{\"text\":\"hi\"}}],\
             \"output\":[\"said\"],\
             \"tasks\":[{\"name\":\"say\",\"tags\":[\"loud\"]}],\
             \"publishes_global\":true}",
        );
        let row = DefinitionRow {
            project: "default".into(),
            kind: workflow,
            namespace: "".into(),
            name: members[0].name.clone(),
            revision: 3,
            source_hash: [171; 32],
            workbook: Some("book".into()),
            description: members[0].description.clone(),
            tags: members[0].tags.clone(),
            details: members[0].details.clone(),
            first_created_us: 0,
            created_us: 1,
        };
        let wire = wire_workflow(&row, None);
        assert_eq!(wire.task_names, ["say"]);
        assert_eq!(wire.tags, ["nightly"]);
        assert_eq!(
            (wire.input[0].required, wire.input[1].required),
            (true, false)
        );
        assert!(wire.revision_hash.starts_with("abab"));
        assert_eq!(Details::of_row(&row).task_tags()["say"], ["loud"]);
    }
}
