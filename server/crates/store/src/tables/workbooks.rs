//! Rows of workbooks: which document is the latest of a name.

use std::sync::Arc;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use crate::codec;
use crate::connection::{Conn, both, on};
use crate::definition::{
    ApplyMode, DefinitionChange, DefinitionKind, Deletion, WorkbookChange, WorkbookRow,
};
use crate::error::{Entity, Error};
use crate::page::{Page, Slice};
use crate::schema::workbooks;
use crate::views::{DefinitionName, SourceHash};

#[derive(Insertable, AsChangeset)]
#[diesel(
    table_name = workbooks,
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
struct NewRow<'a> {
    project: &'a str,
    name: &'a str,
    namespace: &'a str,
    revision: i32,
    source_hash: &'a [u8],
    description: &'a str,
    tags: Option<String>,
    workflow_names: String,
    action_names: String,
    created_us: i64,
    updated_us: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = workbooks)]
struct Row {
    project: String,
    name: String,
    namespace: String,
    revision: i32,
    source_hash: Vec<u8>,
    description: String,
    tags: Option<String>,
    workflow_names: String,
    action_names: String,
    created_us: i64,
    updated_us: i64,
}

impl Row {
    fn size(&self) -> usize {
        let tags = self.tags.as_ref().map_or(0, String::len);
        let names = self.workflow_names.len() + self.action_names.len();
        128 + self.name.len() + self.description.len() + tags + names
    }

    fn into_workbook(self) -> Result<WorkbookRow, Error> {
        Ok(WorkbookRow {
            project: self.project.into(),
            namespace: self.namespace.into(),
            name: self.name.into(),
            revision: self.revision,
            source_hash: codec::hash(&self.source_hash, "workbooks.source_hash")?,
            description: self.description.into(),
            tags: codec::from_tags(self.tags.as_deref())?,
            workflow_names: codec::from_json(&self.workflow_names, "workbooks.workflow_names")?,
            action_names: codec::from_json(&self.action_names, "workbooks.action_names")?,
            created_us: self.created_us,
            updated_us: self.updated_us,
        })
    }
}

/// Finds a workbook.
pub(crate) fn find(
    conn: &mut Conn,
    project: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<WorkbookRow>, Error> {
    let query = workbooks::table
        .find((project, name, namespace))
        .select(codec::columns::<Row>());
    let row = both!(conn, |c| query.get_result::<Row>(c).optional())?;
    row.map(Row::into_workbook).transpose()
}

/// Lists workbooks, by name and namespace.
pub(crate) fn list(
    conn: &mut Conn,
    project: &str,
    namespace: Option<&str>,
    page: &Page<DefinitionName>,
) -> Result<Slice<WorkbookRow>, Error> {
    // No name is empty, so every name comes after the empty one.
    let (after, after_namespace) = page
        .after
        .as_ref()
        .map_or(("", ""), |after| (&after.name, &after.namespace));
    on!(conn, |c| {
        let mut query = workbooks::table
            .filter(workbooks::project.eq(project))
            .filter(workbooks::name.ge(after))
            .filter(
                workbooks::name
                    .gt(after)
                    .or(workbooks::namespace.gt(after_namespace)),
            )
            .order((workbooks::name, workbooks::namespace))
            .limit(codec::one_more(page))
            .select(codec::columns::<Row>())
            .into_boxed();
        if let Some(namespace) = namespace {
            query = query.filter(workbooks::namespace.eq(namespace));
        }
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, |row| {
            let size = row.size();
            Ok((row.into_workbook()?, size))
        })
    })
}

/// Makes a document the latest of its workbook. One equal to the latest changes nothing.
pub(crate) fn apply(
    conn: &mut Conn,
    change: &DefinitionChange,
    workbook: &WorkbookChange,
    hash: &SourceHash,
) -> Result<WorkbookRow, Error> {
    let name = workbook.name.to_string();
    let present = find(conn, &change.project, &change.namespace, &name)?;
    match (workbook.mode, &present) {
        (ApplyMode::Create, Some(_)) => {
            return Err(Error::Conflict {
                entity: Entity::Workbook,
                name,
            });
        }
        (ApplyMode::Update, None) => {
            return Err(Error::NotFound {
                entity: Entity::Workbook,
                name,
            });
        }
        _ => {}
    }
    check_etag(&name, change.expected_etag.as_deref(), present.as_ref())?;
    if let Some(present) = &present
        && present.source_hash == *hash
    {
        return Ok(present.clone());
    }
    let names = |kind: DefinitionKind| -> Vec<Arc<str>> {
        let members = change.members.iter().filter(|member| member.kind == kind);
        members.map(|member| member.name.clone()).collect()
    };
    let row = WorkbookRow {
        project: change.project.clone(),
        namespace: change.namespace.clone(),
        name: workbook.name.clone(),
        revision: present.as_ref().map_or(0, |present| present.revision) + 1,
        source_hash: *hash,
        description: workbook.description.clone(),
        tags: workbook.tags.clone(),
        workflow_names: names(DefinitionKind::Workflow),
        action_names: names(DefinitionKind::Action),
        created_us: present
            .as_ref()
            .map_or(change.now_us, |present| present.created_us),
        updated_us: change.now_us,
    };
    put(conn, &row)?;
    Ok(row)
}

fn put(conn: &mut Conn, row: &WorkbookRow) -> Result<(), Error> {
    let new = NewRow {
        project: &row.project,
        name: &row.name,
        namespace: &row.namespace,
        revision: row.revision,
        source_hash: &row.source_hash,
        description: &row.description,
        tags: codec::tags(&row.tags),
        workflow_names: codec::json(&row.workflow_names),
        action_names: codec::json(&row.action_names),
        created_us: row.created_us,
        updated_us: row.updated_us,
    };
    both!(conn, |c| diesel::insert_into(workbooks::table)
        .values(&new)
        .on_conflict((workbooks::project, workbooks::name, workbooks::namespace))
        .do_update()
        .set(&new)
        .execute(c))?;
    Ok(())
}

fn check_etag(
    name: &str,
    expected: Option<&str>,
    present: Option<&WorkbookRow>,
) -> Result<(), Error> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let found = present.map(WorkbookRow::etag).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    Err(Error::EtagMismatch {
        entity: Entity::Workbook,
        name: name.to_owned(),
        expected: expected.to_owned(),
        found,
    })
}

/// Deletes a workbook; its members stay.
pub(crate) fn delete(conn: &mut Conn, deletion: &Deletion) -> Result<(), Error> {
    let present = find(conn, &deletion.project, &deletion.namespace, &deletion.name)?;
    let name = deletion.name.to_string();
    let Some(present) = present else {
        return Err(Error::NotFound {
            entity: Entity::Workbook,
            name,
        });
    };
    check_etag(&name, deletion.expected_etag.as_deref(), Some(&present))?;
    let row = workbooks::table.find((&*deletion.project, &*name, &*deletion.namespace));
    both!(conn, |c| diesel::delete(row).execute(c))?;
    Ok(())
}
