//! Definitions as the store sees them: named members of documents, in numbered revisions.
//!
//! A revision never changes. Numbers of a name are never used again, also not after the name was
//! deleted, so (name, revision) means one text for ever.
//! Left to others: what a document says (`definition`), SQL (`tables`).

use std::fmt::Write as _;
use std::sync::Arc;

use crate::batch::RequestRecord;
use crate::error::Entity;

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefinitionKind {
    /// A workflow.
    Workflow,
    /// An ad-hoc action.
    Action,
}

impl DefinitionKind {
    /// All.
    pub const ALL: &'static [Self] = &[Self::Workflow, Self::Action];

    /// The word in rows.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Action => "action",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// What errors call it.
    pub const fn entity(self) -> Entity {
        match self {
            Self::Workflow => Entity::Workflow,
            Self::Action => Entity::Action,
        }
    }
}

/// Which of the documents of the language a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// Workflows at the top level.
    Workflows,
    /// Ad-hoc actions at the top level.
    Actions,
    /// A workbook.
    Workbook,
}

impl SourceKind {
    /// All.
    pub const ALL: &'static [Self] = &[Self::Workflows, Self::Actions, Self::Workbook];

    /// The word in rows.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Workflows => "workflows",
            Self::Actions => "actions",
            Self::Workbook => "workbook",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Its text, byte for byte.
    pub text: Arc<str>,
}

impl Source {
    /// The name of its content: SHA-256 of kind and text, since the same text as another kind of
    /// document means something else.
    pub fn hash(&self) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(self.kind.word());
        hasher.update([0]);
        hasher.update(self.text.as_bytes());
        hasher.finalize().into()
    }
}

/// What may, must or must not exist before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApplyMode {
    /// Nothing of these names may exist.
    Create,
    /// Everything of these names must exist.
    Update,
    /// Either.
    Upsert,
}

/// A document that is to be applied, all or nothing.
#[derive(Clone, Debug)]
pub struct DefinitionChange {
    /// Tenant.
    pub project: Arc<str>,
    /// Scope of the names.
    pub namespace: Arc<str>,
    /// The document.
    pub source: Source,
    /// What may exist of the members.
    pub mode: ApplyMode,
    /// The workbook, if the document is one.
    pub workbook: Option<WorkbookChange>,
    /// The members, in document order.
    pub members: Vec<NewDefinition>,
    /// If set: the etag that the workbook, or else the only member, must have now.
    pub expected_etag: Option<Arc<str>>,
    /// The request to remember in the same transaction.
    pub request: Option<RequestRecord>,
    /// Now, microseconds since the epoch.
    pub now_us: i64,
}

/// The head of a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkbookChange {
    /// What may exist of the workbook itself.
    pub mode: ApplyMode,
    /// Its name.
    pub name: Arc<str>,
    /// Free text.
    pub description: Arc<str>,
    /// Tags.
    pub tags: Vec<Arc<str>>,
}

/// One member of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDefinition {
    /// What it defines.
    pub kind: DefinitionKind,
    /// Full name; of a workbook member `workbook.member`.
    pub name: Arc<str>,
    /// Free text.
    pub description: Arc<str>,
    /// Tags.
    pub tags: Vec<Arc<str>>,
    /// JSON of what lists show of it; the store does not look inside.
    pub details: Arc<str>,
}

/// What applying a document led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The latest revisions of the members, in document order.
    pub definitions: Vec<DefinitionRow>,
    /// The workbook, if the document is one.
    pub workbook: Option<WorkbookRow>,
}

/// One revision of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionRow {
    /// Tenant.
    pub project: Arc<str>,
    /// What it defines.
    pub kind: DefinitionKind,
    /// Scope of the name.
    pub namespace: Arc<str>,
    /// Full name.
    pub name: Arc<str>,
    /// Number of the revision, from 1.
    pub revision: i32,
    /// Hash of the document that holds it.
    pub source_hash: [u8; 32],
    /// Name of the workbook that it came with.
    pub workbook: Option<Arc<str>>,
    /// Free text.
    pub description: Arc<str>,
    /// Tags.
    pub tags: Vec<Arc<str>>,
    /// JSON of what lists show of it.
    pub details: Arc<str>,
    /// When the first revision was created, microseconds since the epoch.
    pub first_created_us: i64,
    /// When this revision was created, microseconds since the epoch.
    pub created_us: i64,
}

impl DefinitionRow {
    /// Changes with every revision.
    pub fn etag(&self) -> String {
        etag(self.revision, &self.source_hash)
    }
}

/// A workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkbookRow {
    /// Tenant.
    pub project: Arc<str>,
    /// Scope of the name.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// 1, and one more for each document that differs from the one before.
    pub revision: i32,
    /// Hash of its document.
    pub source_hash: [u8; 32],
    /// Free text.
    pub description: Arc<str>,
    /// Tags.
    pub tags: Vec<Arc<str>>,
    /// Full names of its workflows.
    pub workflow_names: Vec<Arc<str>>,
    /// Full names of its ad-hoc actions.
    pub action_names: Vec<Arc<str>>,
    /// When it was created, microseconds since the epoch.
    pub created_us: i64,
    /// When it was last replaced, microseconds since the epoch.
    pub updated_us: i64,
}

impl WorkbookRow {
    /// Changes with every document.
    pub fn etag(&self) -> String {
        etag(self.revision, &self.source_hash)
    }
}

/// The revision in front: a name that was deleted and made again never gets an etag twice.
fn etag(revision: i32, source_hash: &[u8; 32]) -> String {
    let mut etag = format!("{revision}-");
    for byte in &source_hash[..8] {
        write!(etag, "{byte:02x}").expect("a string takes all text");
    }
    etag
}

/// A definition or workbook that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Tenant.
    pub project: Arc<str>,
    /// Scope of the name.
    pub namespace: Arc<str>,
    /// Full name.
    pub name: Arc<str>,
    /// If set: the etag that it must have now.
    pub expected_etag: Option<Arc<str>>,
    /// The request to remember in the same transaction, also if there was nothing to delete.
    pub request: Option<RequestRecord>,
}
