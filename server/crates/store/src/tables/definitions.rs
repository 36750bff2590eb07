//! Rows of definitions: revisions, and for each name the head that counts them.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use crate::codec;
use crate::connection::{Conn, both, on};
use crate::definition::{
    ApplyMode, DefinitionChange, DefinitionKind, DefinitionRow, NewDefinition,
};
use crate::error::Error;
use crate::page::{Page, Slice};
use crate::predicate::Predicate;
use crate::schema::{definition_heads, definitions};
use crate::views::{DefinitionName, SourceHash};

#[derive(Insertable)]
#[diesel(table_name = definitions, treat_none_as_default_value = false)]
struct NewRow<'a> {
    project: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    revision: i32,
    source_hash: &'a [u8],
    workbook: Option<&'a str>,
    description: &'a str,
    tags: Option<String>,
    details: &'a str,
    first_created_us: i64,
    created_us: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = definitions)]
struct Row {
    project: String,
    kind: String,
    namespace: String,
    name: String,
    revision: i32,
    source_hash: Vec<u8>,
    workbook: Option<String>,
    description: String,
    tags: Option<String>,
    details: String,
    first_created_us: i64,
    created_us: i64,
}

impl Row {
    fn size(&self) -> usize {
        let tags = self.tags.as_ref().map_or(0, String::len);
        128 + self.name.len() + self.description.len() + self.details.len() + tags
    }

    fn into_definition(self) -> Result<DefinitionRow, Error> {
        Ok(DefinitionRow {
            project: self.project.into(),
            kind: codec::word(&self.kind, DefinitionKind::from_word, "definitions.kind")?,
            namespace: self.namespace.into(),
            name: self.name.into(),
            revision: self.revision,
            source_hash: codec::hash(&self.source_hash, "definitions.source_hash")?,
            workbook: self.workbook.map(Into::into),
            description: self.description.into(),
            tags: codec::from_tags(self.tags.as_deref())?,
            details: self.details.into(),
            first_created_us: self.first_created_us,
            created_us: self.created_us,
        })
    }
}

/// Whose definition it is.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) project: &'a str,
    pub(crate) kind: DefinitionKind,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// The last revision that a name gave, and whether the name is in use.
fn find_head(conn: &mut Conn, place: Place<'_>) -> Result<Option<(i32, bool)>, Error> {
    let query = definition_heads::table
        .find((
            place.project,
            place.kind.word(),
            place.name,
            place.namespace,
        ))
        .select((definition_heads::last_revision, definition_heads::live));
    both!(conn, |c| query.get_result::<(i32, bool)>(c).optional())
}

fn set_head(conn: &mut Conn, place: Place<'_>, revision: i32, live: bool) -> Result<(), Error> {
    use definition_heads::{kind, last_revision, name, namespace, project};
    both!(conn, |c| diesel::insert_into(definition_heads::table)
        .values((
            project.eq(place.project),
            kind.eq(place.kind.word()),
            name.eq(place.name),
            namespace.eq(place.namespace),
            last_revision.eq(revision),
            definition_heads::live.eq(live),
        ))
        .on_conflict((project, kind, name, namespace))
        .do_update()
        .set((last_revision.eq(revision), definition_heads::live.eq(live)))
        .execute(c))?;
    Ok(())
}

/// Finds a revision, the latest unless one is named.
pub(crate) fn find(
    conn: &mut Conn,
    place: Place<'_>,
    revision: Option<i32>,
) -> Result<Option<DefinitionRow>, Error> {
    let revision = match revision {
        Some(revision) => revision,
        None => match find_head(conn, place)? {
            Some((last, true)) => last,
            _ => return Ok(None),
        },
    };
    let query = definitions::table
        .find((
            place.project,
            place.kind.word(),
            place.namespace,
            place.name,
            revision,
        ))
        .select(codec::columns::<Row>());
    let row = both!(conn, |c| query.get_result::<Row>(c).optional())?;
    row.map(Row::into_definition).transpose()
}

/// Lists latest revisions, by name and namespace.
pub(crate) fn list(
    conn: &mut Conn,
    project: &str,
    kind: DefinitionKind,
    predicate: &Predicate,
    page: &Page<DefinitionName>,
) -> Result<Slice<DefinitionRow>, Error> {
    // No name is empty, so every name comes after the empty one.
    let (name, namespace) = page
        .after
        .as_ref()
        .map_or(("", ""), |after| (&after.name, &after.namespace));
    let same = definitions::project
        .eq(definition_heads::project)
        .and(definitions::kind.eq(definition_heads::kind))
        .and(definitions::namespace.eq(definition_heads::namespace))
        .and(definitions::name.eq(definition_heads::name))
        .and(definitions::revision.eq(definition_heads::last_revision));
    let query = definition_heads::table
        .inner_join(definitions::table.on(same))
        .filter(definition_heads::project.eq(project))
        .filter(definition_heads::kind.eq(kind.word()))
        .filter(definition_heads::live.eq(true))
        .filter(definition_heads::name.ge(name))
        .filter(
            definition_heads::name
                .gt(name)
                .or(definition_heads::namespace.gt(namespace)),
        )
        .filter(predicate)
        .order((definition_heads::name, definition_heads::namespace))
        .limit(codec::one_more(page))
        .select(codec::columns::<Row>());
    on!(conn, |c| {
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, |row| {
            let size = row.size();
            Ok((row.into_definition()?, size))
        })
    })
}

/// Lists revisions, newest first.
pub(crate) fn list_revisions(
    conn: &mut Conn,
    place: Place<'_>,
    page: &Page<i32>,
) -> Result<Slice<DefinitionRow>, Error> {
    let query = definitions::table
        .filter(definitions::project.eq(place.project))
        .filter(definitions::kind.eq(place.kind.word()))
        .filter(definitions::namespace.eq(place.namespace))
        .filter(definitions::name.eq(place.name))
        .filter(definitions::revision.lt(page.after.unwrap_or(i32::MAX)))
        .order(definitions::revision.desc())
        .limit(codec::one_more(page))
        .select(codec::columns::<Row>());
    on!(conn, |c| {
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, |row| {
            let size = row.size();
            Ok((row.into_definition()?, size))
        })
    })
}

/// Gives a member the revision of a document. A document equal to that of the latest revision adds
/// none.
pub(crate) fn apply(
    conn: &mut Conn,
    change: &DefinitionChange,
    hash: &SourceHash,
    member: &NewDefinition,
    expected_etag: Option<&str>,
) -> Result<DefinitionRow, Error> {
    let place = Place {
        project: &change.project,
        kind: member.kind,
        namespace: &change.namespace,
        name: &member.name,
    };
    let (entity, name) = (member.kind.entity(), member.name.to_string());
    let head = find_head(conn, place)?;
    let latest = match head {
        Some((last, true)) => find(conn, place, Some(last))?,
        _ => None,
    };
    match (change.mode, &latest) {
        (ApplyMode::Create, Some(_)) => return Err(Error::Conflict { entity, name }),
        (ApplyMode::Update, None) => return Err(Error::NotFound { entity, name }),
        _ => {}
    }
    check_etag(member.kind, &name, expected_etag, latest.as_ref())?;
    if let Some(latest) = &latest
        && latest.source_hash == *hash
    {
        return Ok(latest.clone());
    }
    let row = DefinitionRow {
        project: change.project.clone(),
        kind: member.kind,
        namespace: change.namespace.clone(),
        name: member.name.clone(),
        revision: head.map_or(0, |(last, _)| last) + 1,
        source_hash: *hash,
        workbook: change
            .workbook
            .as_ref()
            .map(|workbook| workbook.name.clone()),
        description: member.description.clone(),
        tags: member.tags.clone(),
        details: member.details.clone(),
        first_created_us: latest
            .as_ref()
            .map_or(change.now_us, |latest| latest.first_created_us),
        created_us: change.now_us,
    };
    insert(conn, &row)?;
    set_head(conn, place, row.revision, true)?;
    Ok(row)
}

fn insert(conn: &mut Conn, row: &DefinitionRow) -> Result<(), Error> {
    let new = NewRow {
        project: &row.project,
        kind: row.kind.word(),
        namespace: &row.namespace,
        name: &row.name,
        revision: row.revision,
        source_hash: &row.source_hash,
        workbook: row.workbook.as_deref(),
        description: &row.description,
        tags: codec::tags(&row.tags),
        details: &row.details,
        first_created_us: row.first_created_us,
        created_us: row.created_us,
    };
    both!(conn, |c| diesel::insert_into(definitions::table)
        .values(&new)
        .execute(c))?;
    Ok(())
}

fn check_etag(
    kind: DefinitionKind,
    name: &str,
    expected: Option<&str>,
    latest: Option<&DefinitionRow>,
) -> Result<(), Error> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let found = latest.map(DefinitionRow::etag).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    Err(Error::EtagMismatch {
        entity: kind.entity(),
        name: name.to_owned(),
        expected: expected.to_owned(),
        found,
    })
}

/// Deletes all revisions; the head stays and counts on.
pub(crate) fn delete(
    conn: &mut Conn,
    place: Place<'_>,
    expected_etag: Option<&str>,
) -> Result<(), Error> {
    let Some(latest) = find(conn, place, None)? else {
        return Err(Error::NotFound {
            entity: place.kind.entity(),
            name: place.name.to_owned(),
        });
    };
    check_etag(place.kind, place.name, expected_etag, Some(&latest))?;
    let rows = definitions::table
        .filter(definitions::project.eq(place.project))
        .filter(definitions::kind.eq(place.kind.word()))
        .filter(definitions::namespace.eq(place.namespace))
        .filter(definitions::name.eq(place.name));
    both!(&mut *conn, |c| diesel::delete(rows).execute(c))?;
    set_head(conn, place, latest.revision, false)
}
