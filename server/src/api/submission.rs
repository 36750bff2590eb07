//! Documents on their way into the store: checked, then applied as one, or only tried.
//!
//! Left to others: what each service answers (`workflows`, `workbooks`, `actions`).

use std::sync::Arc;

use definition::{Document, Kind, Options, Severity};
use proto::v1;
use store::{
    Applied, ApplyMode, DefinitionChange, DefinitionKind, DefinitionRow, Entity, NewDefinition,
    Page, Reader, Source, WorkbookChange, WorkbookRow, Writer,
};

use super::built_in;
use super::context::Context;
use super::convert::definition::{NOT_STORED, members, source_kind};
use super::convert::{diagnostic, field};
use super::fault::Fault;
use super::idempotency::{self, ChangeRequest};
use crate::clock;
use crate::driver::RequestKey;

/// Revisions that are looked through for the one that an earlier request made.
const REVISIONS_MAX: u32 = 1000;

/// A document, and what is to become of it.
pub(super) struct Submission {
    pub(super) project: String,
    pub(super) namespace: String,
    pub(super) source: String,
    pub(super) kind: Kind,
    pub(super) strict: bool,
    /// What may exist of the members, and of the workbook.
    pub(super) modes: (ApplyMode, ApplyMode),
    pub(super) etag: String,
    pub(super) validate_only: bool,
    pub(super) request: Option<RequestKey>,
}

/// A request that brings a document.
pub(super) trait DocumentRequest: ChangeRequest {
    /// The document, and what is to become of it; the modes are of its members and its workbook.
    fn submission(self, kind: Kind, modes: (ApplyMode, ApplyMode)) -> Result<Submission, Fault>;
}

macro_rules! document_requests {
    ($($request:ident $($etag:ident)?),* $(,)?) => {$(
        impl DocumentRequest for v1::$request {
            fn submission(
                self,
                kind: Kind,
                modes: (ApplyMode, ApplyMode),
            ) -> Result<Submission, Fault> {
                Ok(Submission {
                    request: idempotency::key(&self)?,
                    project: self.project,
                    namespace: self.namespace,
                    source: self.source,
                    kind,
                    strict: self.strict,
                    modes,
                    etag: String::new() $(+ &self.$etag)?,
                    validate_only: self.validate_only,
                })
            }
        }
    )*};
}

document_requests!(
    CreateWorkflowRequest,
    UpdateWorkflowRequest etag,
    CreateWorkbookRequest,
    UpdateWorkbookRequest etag,
    CreateActionRequest,
    UpdateActionRequest etag,
);

/// What may exist of the members of a document that is created.
pub(super) fn creation(allow_existing: bool) -> ApplyMode {
    if allow_existing {
        ApplyMode::Upsert
    } else {
        ApplyMode::Create
    }
}

/// Checks a document and stores nothing: whether it would be accepted, and what is to be said.
pub(super) async fn validate(
    context: &Context,
    source: String,
    kind: Kind,
    strict: bool,
) -> (bool, Vec<v1::Diagnostic>) {
    let checked = context.compute(move || {
        let actions = engine::catalog::known_actions();
        let checked = definition::check(&source, kind, Options { strict, actions });
        let diagnostics = diagnostic::wire_all(&checked.diagnostics, &source);
        (checked.document.is_some(), diagnostics)
    });
    checked.await
}

/// What became of it.
pub(super) struct Accepted {
    pub(super) applied: Applied,
    pub(super) source: Arc<str>,
    pub(super) warnings: Vec<v1::Diagnostic>,
}

/// Checks a document and applies it.
pub(super) async fn submit(context: &Context, submission: Submission) -> Result<Accepted, Fault> {
    let Submission {
        source,
        kind,
        strict,
        validate_only,
        ..
    } = &submission;
    let project = field::project(&submission.project)?;
    let namespace = field::namespace("namespace", &submission.namespace)?;
    let (actual, limit) = (source.len(), context.limits.definition_bytes_max);
    if actual > limit {
        return Err(Fault::DefinitionTooLarge { limit, actual });
    }
    let source: Arc<str> = source.as_str().into();
    let (document, warnings) = check(context, source.clone(), *kind, *strict).await?;
    let validate_only = *validate_only;
    let change = change(project, namespace, source.clone(), &document, submission)?;
    let applied = if validate_only {
        context.read(move |reader| preview(reader, &change)).await?
    } else {
        context
            .driver
            .write(move |writer| apply(writer, &change))
            .await??
    };
    Ok(Accepted {
        applied,
        source,
        warnings,
    })
}

/// The document and its warnings, or everything that is wrong.
async fn check(
    context: &Context,
    source: Arc<str>,
    kind: Kind,
    strict: bool,
) -> Result<(Document, Vec<v1::Diagnostic>), Fault> {
    let checked = context.compute(move || {
        let checked = definition::check(
            &source,
            kind,
            Options {
                strict,
                actions: engine::catalog::known_actions(),
            },
        );
        let Some(document) = checked.document else {
            return Err(Fault::InvalidDefinition(checked.diagnostics));
        };
        let mut found = checked.diagnostics;
        found.retain(|diagnostic| diagnostic.severity == Severity::Warning);
        Ok((document, diagnostic::wire_all(&found, &source)))
    });
    checked.await
}

fn change(
    project: Arc<str>,
    namespace: Arc<str>,
    text: Arc<str>,
    document: &Document,
    submission: Submission,
) -> Result<DefinitionChange, Fault> {
    let members = members(document);
    check_built_in(&members)?;
    let (mode, book_mode) = submission.modes;
    let workbook = match document {
        Document::Workbook(book) => Some(WorkbookChange {
            mode: book_mode,
            name: book.name.clone(),
            description: book.description.clone().unwrap_or_else(|| "".into()),
            tags: book.tags.clone(),
        }),
        Document::Workflows(_) | Document::Actions(_) => None,
    };
    let expected_etag = field::optional_name("etag", &submission.etag)?;
    if expected_etag.is_some() && workbook.is_none() && members.len() != 1 {
        return Err(Fault::field(
            "etag",
            "needs a document with exactly one member",
        ));
    }
    let now_us = clock::now_us();
    let target = match (&workbook, members.first()) {
        (Some(book), _) => book.name.clone(),
        (None, Some(first)) => first.name.clone(),
        (None, None) => "".into(),
    };
    let request = submission
        .request
        .map(|key| idempotency::record(key, target, now_us));
    let source = Source {
        kind: source_kind(document),
        text,
    };
    Ok(DefinitionChange {
        project,
        namespace,
        source,
        mode,
        workbook,
        members,
        expected_etag,
        request,
        now_us,
    })
}

/// A document cannot take the name of a built-in action.
fn check_built_in(members: &[NewDefinition]) -> Result<(), Fault> {
    let mut actions = members
        .iter()
        .filter(|member| member.kind == DefinitionKind::Action);
    match actions.find(|member| built_in::find(&member.name).is_some()) {
        Some(member) => Err(Fault::ActionIsSystem {
            name: member.name.clone(),
        }),
        None => Ok(()),
    }
}

/// Applies a change, unless its request was answered before.
fn apply(
    writer: &mut Writer,
    change: &DefinitionChange,
) -> Result<Result<Applied, Fault>, store::Error> {
    if let Some(request) = &change.request
        && let Some(kept) = writer
            .read()
            .find_request(&request.project, &request.request_id)?
    {
        if (&kept.method, &kept.body_hash) != (&request.method, &request.body_hash) {
            return Ok(Err(Fault::request_reused(&request.request_id)));
        }
        return Ok(repeat(writer.read(), change));
    }
    writer.apply_definitions(change).map(Ok)
}

/// What the first request of this id made: the latest revisions with its text.
fn repeat(reader: &mut Reader, change: &DefinitionChange) -> Result<Applied, Fault> {
    let hash = change.source.hash();
    let (project, namespace) = (&change.project, &change.namespace);
    let mut definitions = Vec::with_capacity(change.members.len());
    for member in &change.members {
        let page = Page::first(REVISIONS_MAX);
        let slice = reader.list_revisions(project, member.kind, namespace, &member.name, &page)?;
        let mut rows = slice.rows.into_iter();
        let found = rows.find(|row| row.source_hash == hash);
        definitions.push(found.ok_or_else(|| missing(member.kind.entity(), &member.name))?);
    }
    let workbook = match &change.workbook {
        Some(book) => {
            let found = reader.find_workbook(project, namespace, &book.name)?;
            Some(found.ok_or_else(|| missing(Entity::Workbook, &book.name))?)
        }
        None => None,
    };
    Ok(Applied {
        definitions,
        workbook,
    })
}

/// What a change would lead to, with everything that could refuse it.
fn preview(reader: &mut Reader, change: &DefinitionChange) -> Result<Applied, Fault> {
    let workbook = match &change.workbook {
        Some(book) => Some(preview_workbook(reader, change, book)?),
        None => None,
    };
    let mut definitions = Vec::with_capacity(change.members.len());
    for member in &change.members {
        definitions.push(preview_member(reader, change, member)?);
    }
    Ok(Applied {
        definitions,
        workbook,
    })
}

fn preview_workbook(
    reader: &mut Reader,
    change: &DefinitionChange,
    book: &WorkbookChange,
) -> Result<WorkbookRow, Fault> {
    let found = reader.find_workbook(&change.project, &change.namespace, &book.name)?;
    let entity = Entity::Workbook;
    check_mode(book.mode, found.is_some(), entity, &book.name)?;
    if let Some(row) = &found {
        check_etag(change, &row.etag(), entity, &book.name)?;
    }
    let names = |kind: DefinitionKind| {
        let members = change
            .members
            .iter()
            .filter(move |member| member.kind == kind);
        members.map(|member| member.name.clone()).collect()
    };
    Ok(WorkbookRow {
        project: change.project.clone(),
        namespace: change.namespace.clone(),
        name: book.name.clone(),
        revision: NOT_STORED,
        source_hash: change.source.hash(),
        description: book.description.clone(),
        tags: book.tags.clone(),
        workflow_names: names(DefinitionKind::Workflow),
        action_names: names(DefinitionKind::Action),
        created_us: 0,
        updated_us: 0,
    })
}

fn preview_member(
    reader: &mut Reader,
    change: &DefinitionChange,
    member: &NewDefinition,
) -> Result<DefinitionRow, Fault> {
    let (project, namespace, kind) = (&change.project, &change.namespace, member.kind);
    let found = reader.find_definition(project, kind, namespace, &member.name, None)?;
    check_mode(change.mode, found.is_some(), kind.entity(), &member.name)?;
    let source_hash = change.source.hash();
    if let Some(row) = found {
        if change.workbook.is_none() {
            check_etag(change, &row.etag(), kind.entity(), &member.name)?;
        }
        // The same text adds no revision.
        if row.source_hash == source_hash {
            return Ok(row);
        }
    }
    Ok(DefinitionRow {
        project: project.clone(),
        kind,
        namespace: namespace.clone(),
        name: member.name.clone(),
        revision: NOT_STORED,
        source_hash,
        workbook: change.workbook.as_ref().map(|book| book.name.clone()),
        description: member.description.clone(),
        tags: member.tags.clone(),
        details: member.details.clone(),
        first_created_us: 0,
        created_us: 0,
    })
}

fn check_mode(mode: ApplyMode, exists: bool, entity: Entity, name: &str) -> Result<(), Fault> {
    match mode {
        ApplyMode::Create if exists => Err(store::Error::Conflict {
            entity,
            name: name.to_owned(),
        }
        .into()),
        ApplyMode::Update if !exists => Err(missing(entity, name)),
        ApplyMode::Create | ApplyMode::Update | ApplyMode::Upsert => Ok(()),
    }
}

fn check_etag(
    change: &DefinitionChange,
    found: &str,
    entity: Entity,
    name: &str,
) -> Result<(), Fault> {
    match &change.expected_etag {
        Some(expected) if **expected != *found => {
            let (expected, found) = (expected.to_string(), found.to_owned());
            Err(store::Error::EtagMismatch {
                entity,
                name: name.to_owned(),
                expected,
                found,
            }
            .into())
        }
        _ => Ok(()),
    }
}

fn missing(entity: Entity, name: &str) -> Fault {
    store::Error::NotFound {
        entity,
        name: name.to_owned(),
    }
    .into()
}
