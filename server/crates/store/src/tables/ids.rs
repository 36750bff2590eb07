//! Rows of ids that clients chose for executions: unique in a project, whatever the shard.

use diesel::prelude::*;
use diesel::sql_types::{Binary, SmallInt, Text};
use engine::ExecutionRecord;

use crate::batch::ExecutionKey;
use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::execution_ids;
use crate::statement::insert_statement;
use crate::tables::executions::into_key;

insert_statement! {
    /// An id that a client chose.
    NewId: "execution_ids" {
        project: Text => &'a str,
        execution_id: Text => &'a str,
        uid: Binary => &'a [u8],
        shard: SmallInt => i16,
    }
}

/// Adds the ids of executions that have one.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
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
    out.insert(rows)
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
