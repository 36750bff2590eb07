//! Rows of ids that clients chose for executions: unique in a project, whatever the shard.

use diesel::prelude::*;
use engine::ExecutionRecord;

use crate::batch::ExecutionKey;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::execution_ids;
use crate::statement::insert_rows;
use crate::tables::executions::into_key;

#[derive(Insertable)]
#[diesel(table_name = execution_ids, treat_none_as_default_value = false)]
struct NewId<'a> {
    project: &'a str,
    execution_id: &'a str,
    uid: &'a [u8],
    shard: i16,
}

/// Adds the ids of executions that have one.
pub(crate) fn insert(conn: &mut Conn, records: &[&ExecutionRecord]) -> Result<(), Error> {
    let rows: Vec<NewId<'_>> = records
        .iter()
        .filter_map(|record| {
            Some(NewId {
                project: &record.project,
                execution_id: record.execution_id.as_deref()?,
                uid: record.uid.0.as_bytes(),
                shard: record.shard,
            })
        })
        .collect();
    insert_rows!(conn, execution_ids::table, rows)
}

/// Finds where the execution of that id lies.
pub(crate) fn find(
    conn: &mut Conn,
    project: &str,
    id: &str,
) -> Result<Option<ExecutionKey>, Error> {
    let query = execution_ids::table
        .find((project, id))
        .select((execution_ids::shard, execution_ids::uid));
    let found = both!(conn, |c| query.get_result::<(i16, Vec<u8>)>(c).optional())?;
    found.map(into_key).transpose()
}

/// Frees an id.
pub(crate) fn delete(conn: &mut Conn, project: &str, id: &str) -> Result<(), Error> {
    let row = execution_ids::table.find((project, id));
    both!(conn, |c| diesel::delete(row).execute(c))?;
    Ok(())
}
