//! Definitions in memory: each document is checked once, each name looked up once.

use std::collections::HashMap;
use std::sync::Arc;

use definition::{Document, Kind, Options};
use engine::DefinitionRef;
use engine::world::{AdHocAction, Definition};
use store::{DefinitionKind, DefinitionRow, Reader, SourceHash, SourceKind};

use super::Error;

/// Most documents that are kept; when it is passed, the cache begins anew.
const DOCUMENTS_MAX: usize = 2_000;

/// Most names whose look-up is remembered; when it is passed, the cache begins anew.
const NAMES_MAX: usize = 50_000;

/// Project, namespace and name.
type Key = (Arc<str>, Arc<str>, Arc<str>);

/// What was read so far.
#[derive(Default)]
pub(super) struct Definitions {
    documents: HashMap<SourceHash, Arc<Document>>,
    workflows: HashMap<Key, Option<Arc<Definition>>>,
    actions: HashMap<Key, Option<Arc<AdHocAction>>>,
    /// How often definitions had been written when the latest ones were looked up.
    version: String,
    /// Other servers may have written some since.
    is_doubtful: bool,
}

impl Definitions {
    /// Another server may have written definitions: before one is used as the latest, it is looked
    /// whether it still is.
    pub(super) fn doubt_latest(&mut self) {
        self.is_doubtful = true;
    }

    fn be_sure(&mut self, reader: &mut Reader) -> Result<(), Error> {
        if !self.is_doubtful {
            return Ok(());
        }
        let version = reader.definitions_version()?;
        if version != self.version {
            self.version = version;
            self.forget_latest();
        }
        self.is_doubtful = false;
        Ok(())
    }

    /// Forgets which revision is the latest, after definitions were written.
    pub(super) fn forget_latest(&mut self) {
        self.workflows.clear();
        self.actions.clear();
    }

    /// The latest revision of a workflow.
    pub(super) fn workflow(
        &mut self,
        reader: &mut Reader,
        project: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Definition>>, Error> {
        self.be_sure(reader)?;
        let key: Key = (project.into(), namespace.into(), name.into());
        if let Some(known) = self.workflows.get(&key) {
            return Ok(known.clone());
        }
        let kind = DefinitionKind::Workflow;
        let row = reader.find_definition(project, kind, namespace, name, None)?;
        let found = row
            .map(|row| self.read(reader, &reference(&row)))
            .transpose()?;
        if self.workflows.len() >= NAMES_MAX {
            self.workflows.clear();
        }
        self.workflows.insert(key, found.clone());
        Ok(found)
    }

    /// One revision of a workflow.
    pub(super) fn revision(
        &mut self,
        reader: &mut Reader,
        project: &str,
        namespace: &str,
        name: &str,
        revision: i32,
    ) -> Result<Option<Arc<Definition>>, Error> {
        let kind = DefinitionKind::Workflow;
        let row = reader.find_definition(project, kind, namespace, name, Some(revision))?;
        row.map(|row| self.read(reader, &reference(&row)))
            .transpose()
    }

    /// The latest revision of an ad-hoc action.
    pub(super) fn action(
        &mut self,
        reader: &mut Reader,
        project: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<AdHocAction>>, Error> {
        self.be_sure(reader)?;
        let key: Key = (project.into(), namespace.into(), name.into());
        if let Some(known) = self.actions.get(&key) {
            return Ok(known.clone());
        }
        let kind = DefinitionKind::Action;
        let row = reader.find_definition(project, kind, namespace, name, None)?;
        let found = row
            .map(|row| self.pinned_action(reader, &reference(&row)))
            .transpose()?;
        if self.actions.len() >= NAMES_MAX {
            self.actions.clear();
        }
        self.actions.insert(key, found.clone());
        Ok(found)
    }

    /// The workflow that a stored execution names, or the one behind the action that it names.
    pub(super) fn read(
        &mut self,
        reader: &mut Reader,
        reference: &DefinitionRef,
    ) -> Result<Arc<Definition>, Error> {
        if reference.is_action() {
            return Ok(Arc::new(Definition::of_action(reference.clone())));
        }
        let broken = || Error::BrokenDefinition {
            name: reference.name.clone(),
        };
        let document = self
            .document(reader, &reference.source_hash)?
            .ok_or_else(broken)?;
        let short = short_name(&reference.name, reference.workbook.as_deref());
        let workflows = match &*document {
            Document::Workflows(workflows) => workflows,
            Document::Workbook(workbook) => &workbook.workflows,
            Document::Actions(_) => return Err(broken()),
        };
        let workflow = workflows.iter().find(|workflow| &*workflow.name == short);
        let workflow = workflow.ok_or_else(broken)?.clone();
        Ok(Arc::new(Definition {
            reference: reference.clone(),
            workflow,
        }))
    }

    /// The ad-hoc action that a stored task names.
    pub(super) fn pinned_action(
        &mut self,
        reader: &mut Reader,
        reference: &DefinitionRef,
    ) -> Result<Arc<AdHocAction>, Error> {
        let broken = || Error::BrokenDefinition {
            name: reference.name.clone(),
        };
        let document = self
            .document(reader, &reference.source_hash)?
            .ok_or_else(broken)?;
        let short = short_name(&reference.name, reference.workbook.as_deref());
        let actions = match &*document {
            Document::Actions(actions) => actions,
            Document::Workbook(workbook) => &workbook.actions,
            Document::Workflows(_) => return Err(broken()),
        };
        let action = actions.iter().find(|action| &*action.name == short);
        let action = action.ok_or_else(broken)?.clone();
        Ok(Arc::new(AdHocAction {
            reference: reference.clone(),
            action,
        }))
    }

    fn document(
        &mut self,
        reader: &mut Reader,
        hash: &SourceHash,
    ) -> Result<Option<Arc<Document>>, Error> {
        if let Some(known) = self.documents.get(hash) {
            return Ok(Some(known.clone()));
        }
        let Some(source) = reader.load_source(hash)? else {
            return Ok(None);
        };
        let kind = match source.kind {
            SourceKind::Workflows => Kind::Workflows,
            SourceKind::Workbook => Kind::Workbook,
            SourceKind::Actions => Kind::Actions,
        };
        let checked = definition::check(&source.text, kind, Options::default());
        let Some(document) = checked.document else {
            return Ok(None);
        };
        if self.documents.len() >= DOCUMENTS_MAX {
            self.documents.clear();
        }
        let document = Arc::new(document);
        self.documents.insert(*hash, document.clone());
        Ok(Some(document))
    }
}

fn reference(row: &DefinitionRow) -> DefinitionRef {
    DefinitionRef {
        name: row.name.clone(),
        namespace: row.namespace.clone(),
        revision: row.revision,
        source_hash: row.source_hash,
        workbook: row.workbook.clone(),
    }
}

/// The name of a member inside its document.
fn short_name<'a>(name: &'a str, workbook: Option<&str>) -> &'a str {
    let prefix = workbook.and_then(|workbook| name.strip_prefix(workbook));
    prefix
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(name)
}
