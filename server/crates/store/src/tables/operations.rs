//! Rows of batch operations.

use std::sync::Arc;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use crate::codec;
use crate::connection::{Conn, both, on};
use crate::error::Error;
use crate::operation::OperationRow;
use crate::page::{Page, Slice};
use crate::schema::batch_operations;

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = batch_operations, treat_none_as_default_value = false)]
struct NewRow<'a> {
    project: &'a str,
    batch_id: &'a str,
    finished: bool,
    request: &'a [u8],
    progress: &'a [u8],
    position: &'a str,
    updated_us: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = batch_operations)]
struct Row {
    project: String,
    batch_id: String,
    finished: bool,
    request: Vec<u8>,
    progress: Vec<u8>,
    position: String,
    updated_us: i64,
}

impl Row {
    fn size(&self) -> usize {
        128 + self.request.len() + self.progress.len()
    }

    fn into_operation(self) -> OperationRow {
        OperationRow {
            project: self.project.into(),
            batch_id: self.batch_id.into(),
            finished: self.finished,
            request: self.request,
            progress: self.progress,
            position: self.position.into(),
            updated_us: self.updated_us,
        }
    }
}

/// Writes an operation as it is now.
pub(crate) fn put(conn: &mut Conn, row: &OperationRow) -> Result<(), Error> {
    let new = NewRow {
        project: &row.project,
        batch_id: &row.batch_id,
        finished: row.finished,
        request: &row.request,
        progress: &row.progress,
        position: &row.position,
        updated_us: row.updated_us,
    };
    both!(conn, |c| diesel::insert_into(batch_operations::table)
        .values(&new)
        .on_conflict((batch_operations::project, batch_operations::batch_id))
        .do_update()
        .set(&new)
        .execute(c))?;
    Ok(())
}

/// Finds an operation.
pub(crate) fn find(
    conn: &mut Conn,
    project: &str,
    batch_id: &str,
) -> Result<Option<OperationRow>, Error> {
    let query = batch_operations::table
        .find((project, batch_id))
        .select(codec::columns::<Row>());
    let found = both!(conn, |c| query.get_result::<Row>(c).optional())?;
    Ok(found.map(Row::into_operation))
}

/// Lists the operations of a project, newest first.
pub(crate) fn list(
    conn: &mut Conn,
    project: &str,
    page: &Page<Arc<str>>,
) -> Result<Slice<OperationRow>, Error> {
    // Every id comes before this one: they are hexadecimal digits and dashes.
    let before = page.after.as_deref().unwrap_or("g");
    let query = batch_operations::table
        .filter(batch_operations::project.eq(project))
        .filter(batch_operations::batch_id.lt(before))
        .order(batch_operations::batch_id.desc())
        .limit(codec::one_more(page))
        .select(codec::columns::<Row>());
    on!(conn, |c| {
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, |row| {
            let size = row.size();
            Ok((row.into_operation(), size))
        })
    })
}

/// Lists the unfinished operations of all projects, oldest first.
pub(crate) fn list_unfinished(conn: &mut Conn) -> Result<Vec<OperationRow>, Error> {
    let query = batch_operations::table
        .filter(batch_operations::finished.eq(false))
        .order(batch_operations::batch_id)
        .select(codec::columns::<Row>());
    let rows = both!(conn, |c| query.load::<Row>(c))?;
    Ok(rows.into_iter().map(Row::into_operation).collect())
}

/// Deletes operations that were finished before.
pub(crate) fn expire(conn: &mut Conn, before_us: i64) -> Result<usize, Error> {
    let old = batch_operations::table
        .filter(batch_operations::finished.eq(true))
        .filter(batch_operations::updated_us.lt(before_us));
    both!(conn, |c| diesel::delete(old).execute(c))
}
