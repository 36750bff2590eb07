//! Rows of environments: the latest of each name, and how often it was changed.

use std::sync::Arc;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use crate::codec;
use crate::connection::{Conn, both, on};
use crate::definition::{ApplyMode, Deletion};
use crate::environment::{EnvironmentChange, EnvironmentRow};
use crate::error::{Entity, Error};
use crate::page::{Page, Slice};
use crate::predicate::Predicate;
use crate::schema::environments;

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = environments, treat_none_as_default_value = false)]
struct NewRow<'a> {
    project: &'a str,
    name: &'a str,
    revision: i32,
    live: bool,
    description: &'a str,
    variables: &'a str,
    created_us: i64,
    updated_us: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = environments)]
struct Row {
    project: String,
    name: String,
    revision: i32,
    live: bool,
    description: String,
    variables: String,
    created_us: i64,
    updated_us: i64,
}

impl Row {
    fn size(&self) -> usize {
        128 + self.name.len() + self.description.len() + self.variables.len()
    }

    fn into_environment(self) -> EnvironmentRow {
        EnvironmentRow {
            project: self.project.into(),
            name: self.name.into(),
            revision: self.revision,
            description: self.description.into(),
            variables: self.variables.into(),
            created_us: self.created_us,
            updated_us: self.updated_us,
        }
    }
}

/// Finds an environment.
pub(crate) fn find(
    conn: &mut Conn,
    project: &str,
    name: &str,
) -> Result<Option<EnvironmentRow>, Error> {
    let row = find_row(conn, project, name)?.filter(|row| row.live);
    Ok(row.map(Row::into_environment))
}

fn find_row(conn: &mut Conn, project: &str, name: &str) -> Result<Option<Row>, Error> {
    let query = environments::table
        .find((project, name))
        .select(codec::columns::<Row>());
    both!(conn, |c| query.get_result::<Row>(c).optional())
}

/// Lists environments by name.
pub(crate) fn list(
    conn: &mut Conn,
    project: &str,
    predicate: &Predicate,
    page: &Page<Arc<str>>,
) -> Result<Slice<EnvironmentRow>, Error> {
    // No name is empty, so every name comes after the empty one.
    let after = page.after.as_deref().unwrap_or_default();
    let query = environments::table
        .filter(environments::project.eq(project))
        .filter(environments::name.gt(after))
        .filter(environments::live.eq(true))
        .filter(predicate)
        .order(environments::name)
        .limit(codec::one_more(page))
        .select(codec::columns::<Row>());
    on!(conn, |c| {
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, |row| {
            let size = row.size();
            Ok((row.into_environment(), size))
        })
    })
}

/// Makes an environment what the change says. One that is so already stays as it is.
pub(crate) fn put(conn: &mut Conn, change: &EnvironmentChange) -> Result<EnvironmentRow, Error> {
    let found = find_row(conn, &change.project, &change.name)?;
    let last_revision = found.as_ref().map_or(0, |row| row.revision);
    let present = found.filter(|row| row.live).map(Row::into_environment);
    let (entity, name) = (Entity::Environment, change.name.to_string());
    match (change.mode, &present) {
        (ApplyMode::Create, Some(_)) => return Err(Error::Conflict { entity, name }),
        (ApplyMode::Update, None) => return Err(Error::NotFound { entity, name }),
        _ => {}
    }
    check_etag(name, change.expected_etag.as_deref(), present.as_ref())?;
    if let Some(present) = &present
        && (&present.description, &present.variables) == (&change.description, &change.variables)
    {
        return Ok(present.clone());
    }
    let row = EnvironmentRow {
        project: change.project.clone(),
        name: change.name.clone(),
        revision: last_revision + 1,
        description: change.description.clone(),
        variables: change.variables.clone(),
        created_us: present.map_or(change.now_us, |present| present.created_us),
        updated_us: change.now_us,
    };
    write(conn, &row, true)?;
    Ok(row)
}

fn write(conn: &mut Conn, row: &EnvironmentRow, live: bool) -> Result<(), Error> {
    let new = NewRow {
        project: &row.project,
        name: &row.name,
        revision: row.revision,
        live,
        description: &row.description,
        variables: &row.variables,
        created_us: row.created_us,
        updated_us: row.updated_us,
    };
    both!(conn, |c| diesel::insert_into(environments::table)
        .values(&new)
        .on_conflict((environments::project, environments::name))
        .do_update()
        .set(&new)
        .execute(c))?;
    Ok(())
}

fn check_etag(
    name: String,
    expected: Option<&str>,
    present: Option<&EnvironmentRow>,
) -> Result<(), Error> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let found = present.map(EnvironmentRow::etag).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    Err(Error::EtagMismatch {
        entity: Entity::Environment,
        name,
        expected: expected.to_owned(),
        found,
    })
}

/// Deletes an environment. What stays is its name and revision, so that none is given twice.
pub(crate) fn delete(conn: &mut Conn, deletion: &Deletion) -> Result<(), Error> {
    let name = deletion.name.to_string();
    let Some(present) = find(conn, &deletion.project, &name)? else {
        return Err(Error::NotFound {
            entity: Entity::Environment,
            name,
        });
    };
    check_etag(name, deletion.expected_etag.as_deref(), Some(&present))?;
    let gone = EnvironmentRow {
        description: "".into(),
        variables: "{}".into(),
        ..present
    };
    write(conn, &gone, false)
}
