//! What workflows and ad-hoc actions have in common as resources: named members of documents, in
//! revisions that are read, listed and deleted alike.
//!
//! Left to others: how documents come in (`submission`), what each service answers (`workflows`,
//! `actions`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use prost::Message;
use store::{
    DefinitionField, DefinitionKind, DefinitionName, DefinitionRow, Filter, Reader, SourceHash,
};

use super::context::Context;
use super::convert::field;
use super::fault::Fault;
use super::page::{ListRequest, Paging};
use crate::driver;

/// Most texts that a page keeps in memory, so as not to read them twice.
const SOURCES_MAX: usize = 100;

/// A kind of definition, and how it looks on the wire.
pub(super) trait Family: 'static {
    /// Its kind in the store.
    const KIND: DefinitionKind;

    /// One revision on the wire.
    type Wire: Message + Default;

    /// A row on the wire, with its document in the FULL view.
    fn wire(row: &DefinitionRow, source: Option<&str>) -> Self::Wire;

    /// There is no such definition, or no such revision of it.
    fn not_found(place: &Place, revision: Option<i32>) -> Fault;
}

/// Where a definition is looked for.
pub(super) struct Place {
    pub(super) project: Arc<str>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Place {
    /// Checks the fields of a request.
    pub(super) fn new(project: &str, namespace: &str, name: &str) -> Result<Self, Fault> {
        Ok(Self {
            project: field::project(project)?,
            namespace: field::namespace("namespace", namespace)?,
            name: field::name("name", name)?,
        })
    }
}

/// A revision of a definition, the latest unless one is named; `None` if there is none.
pub(super) fn find<F: Family>(
    reader: &mut Reader,
    place: &Place,
    revision: Option<i32>,
    full: bool,
) -> Result<Option<F::Wire>, Fault> {
    let Place {
        project,
        namespace,
        name,
    } = place;
    let row = reader.find_definition(project, F::KIND, namespace, name, revision)?;
    row.map(|row| Sources::new(full).wire::<F>(reader, &row))
        .transpose()
}

/// The page of a list of definitions: the request's namespace and filter, its page, its view.
pub(super) async fn list<F: Family>(
    context: &Context,
    project: &str,
    selection: Selection,
    paging: Paging<DefinitionName>,
    full: bool,
) -> Result<(Vec<F::Wire>, String), Fault> {
    let project = field::project(project)?;
    let read = context.read(move |reader| {
        let slice = selection.list::<F>(reader, &project, &paging.page)?;
        let mut sources = Sources::new(full);
        paging.fill(slice, name_of, |row| sources.wire::<F>(reader, &row))
    });
    read.await
}

/// Which definitions a list holds.
pub(super) struct Selection {
    /// Only this namespace.
    pub(super) namespace: Option<Arc<str>>,
    pub(super) filter: Filter<DefinitionField>,
}

impl Selection {
    /// Checks the fields of a request.
    pub(super) fn new(namespace: Option<&str>, filter: &str) -> Result<Self, Fault> {
        let namespace = namespace.map(|text| field::namespace("namespace", text));
        Ok(Self {
            namespace: namespace.transpose()?,
            filter: super::filter::parse(filter)?,
        })
    }

    /// Reads a page of them.
    pub(super) fn list<F: Family>(
        &self,
        reader: &mut Reader,
        project: &str,
        page: &store::Page<DefinitionName>,
    ) -> Result<store::Slice<DefinitionRow>, Fault> {
        let namespace = self.namespace.as_deref();
        Ok(reader.list_definitions(project, F::KIND, namespace, &self.filter, page)?)
    }
}

/// The page of a list of one definition's revisions, newest first.
pub(super) async fn list_revisions<F: Family>(
    context: &Context,
    place: Place,
    request: &impl ListRequest,
    full: bool,
) -> Result<(Vec<F::Wire>, String), Fault> {
    let paging = Paging::of(request)?;
    let read = context.read(move |reader| {
        let Place {
            project,
            namespace,
            name,
        } = &place;
        let slice = reader.list_revisions(project, F::KIND, namespace, name, &paging.page)?;
        if slice.rows.is_empty() && paging.page.after.is_none() {
            return Err(F::not_found(&place, None));
        }
        let mut sources = Sources::new(full);
        let key = |row: &DefinitionRow| row.revision;
        paging.fill(slice, key, |row| sources.wire::<F>(reader, &row))
    });
    read.await
}

/// The place of a row in lists.
pub(super) fn name_of(row: &DefinitionRow) -> DefinitionName {
    DefinitionName {
        name: row.name.clone(),
        namespace: row.namespace.clone(),
    }
}

/// The texts of a page's rows: several definitions often lie in one document.
pub(super) struct Sources {
    full: bool,
    texts: HashMap<SourceHash, Arc<str>>,
}

impl Sources {
    /// None yet; in the BASIC view there never are any.
    pub(super) fn new(full: bool) -> Self {
        Self {
            full,
            texts: HashMap::new(),
        }
    }

    /// A row on the wire, with its document in the FULL view.
    pub(super) fn wire<F: Family>(
        &mut self,
        reader: &mut Reader,
        row: &DefinitionRow,
    ) -> Result<F::Wire, Fault> {
        if !self.full {
            return Ok(F::wire(row, None));
        }
        if self.texts.len() >= SOURCES_MAX {
            self.texts.clear();
        }
        let text = match self.texts.entry(row.source_hash) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let found = reader.load_source(&row.source_hash)?;
                let name = row.name.clone();
                let broken = || driver::Error::BrokenDefinition { name };
                place.insert(found.ok_or_else(broken)?.text)
            }
        };
        Ok(F::wire(row, Some(text)))
    }
}
