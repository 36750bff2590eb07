//! Stored definitions and what the server says about a document.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use super::{non_empty, serialize_time, to_time};
use crate::payload::Payload;

/// Which of the three documents of the language a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// `version` and one or more workflows at the top level.
    #[default]
    Workflows,
    /// `version`, `name`, `workflows`, `actions`.
    Workbook,
    /// `version` and one or more ad-hoc actions at the top level.
    Actions,
}

impl From<DocumentKind> for proto::v1::DocumentKind {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Workflows => Self::Workflows,
            DocumentKind::Workbook => Self::Workbook,
            DocumentKind::Actions => Self::Actions,
        }
    }
}

/// One revision of a workflow.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WorkflowRevision {
    /// Tenant.
    pub project: String,
    /// Scope of the name; empty is the default one.
    pub namespace: String,
    /// Unique in the namespace; members of a workbook are called `workbook.member`.
    pub name: String,
    /// Number of the revision, from 1.
    pub revision: i32,
    /// Hash of the revision's text.
    pub revision_hash: String,
    /// The document that holds it; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Free text from the document.
    pub description: String,
    /// Tags from the document.
    pub tags: Vec<String>,
    /// `direct` or `reverse`.
    #[serde(rename = "type")]
    pub workflow_type: String,
    /// Declared inputs in order.
    pub input: Vec<InputParameter>,
    /// Keys of the declared output.
    pub output_keys: Vec<String>,
    /// Names of the tasks in document order.
    pub task_names: Vec<String>,
    /// Workbook that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workbook: Option<String>,
    /// When the first revision was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When this revision was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<SystemTime>,
    /// Changes with every revision; guards against lost updates.
    pub etag: String,
}

impl From<proto::v1::Workflow> for WorkflowRevision {
    fn from(workflow: proto::v1::Workflow) -> Self {
        Self {
            project: workflow.project,
            namespace: workflow.namespace,
            name: workflow.name,
            revision: workflow.revision,
            revision_hash: workflow.revision_hash,
            source: non_empty(workflow.source),
            description: workflow.description,
            tags: workflow.tags,
            workflow_type: workflow.r#type,
            input: workflow
                .input
                .into_iter()
                .map(InputParameter::from)
                .collect(),
            output_keys: workflow.output_keys,
            task_names: workflow.task_names,
            workbook: non_empty(workflow.workbook),
            create_time: to_time(workflow.create_time),
            update_time: to_time(workflow.update_time),
            etag: workflow.etag,
        }
    }
}

/// One declared input.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InputParameter {
    /// Name of the input.
    pub name: String,
    /// Whether the caller must give it.
    pub required: bool,
    /// Value when the caller gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<Payload>,
}

impl From<proto::v1::InputParameter> for InputParameter {
    fn from(input: proto::v1::InputParameter) -> Self {
        Self {
            name: input.name,
            required: input.required,
            default_value: input.default_value.map(Payload::from),
        }
    }
}

/// A stored workbook.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WorkbookRecord {
    /// Tenant.
    pub project: String,
    /// Scope of the name; empty is the default one.
    pub namespace: String,
    /// Unique in the namespace.
    pub name: String,
    /// The document; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Free text from the document.
    pub description: String,
    /// Tags from the document.
    pub tags: Vec<String>,
    /// Full names of its workflows.
    pub workflow_names: Vec<String>,
    /// Full names of its ad-hoc actions.
    pub action_names: Vec<String>,
    /// When it was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it was last replaced.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<SystemTime>,
    /// Changes with every update.
    pub etag: String,
}

impl From<proto::v1::Workbook> for WorkbookRecord {
    fn from(workbook: proto::v1::Workbook) -> Self {
        Self {
            project: workbook.project,
            namespace: workbook.namespace,
            name: workbook.name,
            source: non_empty(workbook.source),
            description: workbook.description,
            tags: workbook.tags,
            workflow_names: workbook.workflow_names,
            action_names: workbook.action_names,
            create_time: to_time(workbook.create_time),
            update_time: to_time(workbook.update_time),
            etag: workbook.etag,
        }
    }
}

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is accepted, but probably does not do what its author thinks.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// Stable id of the broken rule.
    pub rule: String,
    /// For people.
    pub message: String,
    /// Where in the structure.
    pub path: String,
    /// Line from 1; 0 if unknown.
    pub line: i32,
    /// Column in characters from 1; 0 if unknown.
    pub column: i32,
    /// Line of the end.
    pub end_line: i32,
    /// Column of the end, exclusive.
    pub end_column: i32,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The source line with carets below.
    pub excerpt: String,
}

impl From<proto::v1::Diagnostic> for Diagnostic {
    fn from(diagnostic: proto::v1::Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity() {
                proto::v1::Severity::Warning => Severity::Warning,
                // A kind that is not known yet is better taken too seriously.
                proto::v1::Severity::Unspecified | proto::v1::Severity::Error => Severity::Error,
            },
            rule: diagnostic.rule,
            message: diagnostic.message,
            path: diagnostic.path,
            line: diagnostic.line,
            column: diagnostic.column,
            end_line: diagnostic.end_line,
            end_column: diagnostic.end_column,
            suggestion: non_empty(diagnostic.suggestion),
            excerpt: diagnostic.excerpt,
        }
    }
}

/// What the server says about a document.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Validation {
    /// Whether it would be accepted.
    pub valid: bool,
    /// Everything found, in document order.
    pub diagnostics: Vec<Diagnostic>,
}
