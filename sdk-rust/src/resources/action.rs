//! Actions: what tasks do.

use std::time::SystemTime;

use serde::Serialize;

use super::{InputParameter, non_empty, serialize_time, to_time};
use crate::kind::ActionKind;

/// An action; of an ad-hoc one, one revision.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Action {
    /// Tenant; empty for built-in ones.
    pub project: String,
    /// Scope of the name; empty is the default one.
    pub namespace: String,
    /// Unique in the namespace; members of a workbook are called `workbook.member`.
    pub name: String,
    /// Where it comes from.
    pub kind: ActionKind,
    /// Of an ad-hoc action: number of the revision, from 1.
    pub revision: i32,
    /// Of an ad-hoc action: hash of the revision's text.
    pub revision_hash: String,
    /// Of an ad-hoc action: the document that holds it; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Free text.
    pub description: String,
    /// Tags from the document.
    pub tags: Vec<String>,
    /// Declared inputs in order.
    pub input: Vec<InputParameter>,
    /// Of an ad-hoc action: name of the action that it wraps, as the document has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Whether it ends only when somebody completes it from outside; of an ad-hoc action unknown.
    pub asynchronous: bool,
    /// Workbook that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workbook: Option<String>,
    /// Of an ad-hoc action: when the first revision was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// Of an ad-hoc action: when this revision was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<SystemTime>,
    /// Of an ad-hoc action: changes with every revision; guards against lost updates.
    pub etag: String,
}

impl From<proto::v1::Action> for Action {
    fn from(action: proto::v1::Action) -> Self {
        Self {
            project: action.project,
            namespace: action.namespace,
            name: action.name,
            kind: ActionKind::from_number(action.kind),
            revision: action.revision,
            revision_hash: action.revision_hash,
            source: non_empty(action.source),
            description: action.description,
            tags: action.tags,
            input: action.input.into_iter().map(InputParameter::from).collect(),
            base: non_empty(action.base),
            asynchronous: action.asynchronous,
            workbook: non_empty(action.workbook),
            create_time: to_time(action.create_time),
            update_time: to_time(action.update_time),
            etag: action.etag,
        }
    }
}
