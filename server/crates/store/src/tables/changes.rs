//! Rows of changes: which executions a commit has changed, in the order of the commits. Servers
//! that share a database write a log each, which has the number of their slot.

use std::borrow::Cow;
use std::sync::Arc;

use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt, Text};
use engine::{Caller, ExecutionUid};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::changes;
use crate::statement::insert_statement;
use crate::views::{ChangeRow, ChangedRow, DeletedRow};

/// Bytes of a uid.
const UID_BYTES: usize = 16;

insert_statement! {
    /// What one commit has changed.
    NewChange: "changes" {
        shard: SmallInt => i16,
        position: BigInt => i64,
        time_us: BigInt => i64,
        uids: Binary => Cow<'a, [u8]>,
        deleted: Nullable<Text> => Option<String>,
        sequences: Binary => Cow<'a, [u8]>,
    }
}

/// Adds what one commit has changed: each execution with the last sequence of the events that the
/// commit adds to its history, or 0.
pub(crate) fn insert(
    out: &mut Commit<'_, '_>,
    (log, position): (i16, i64),
    time_us: i64,
    changed: impl Iterator<Item = (ExecutionUid, i64)> + Clone,
    deleted: &[DeletedRow],
) -> Result<(), Error> {
    let uids: Vec<u8> = changed
        .clone()
        .flat_map(|(uid, _)| uid.0.into_bytes())
        .collect();
    let sequences: Vec<u8> = changed
        .flat_map(|(_, sequence)| sequence.to_be_bytes())
        .collect();
    let names: Vec<_> = deleted.iter().map(listed).collect();
    let row = NewChange {
        shard: log,
        position,
        time_us,
        uids: uids.into(),
        deleted: codec::list(&names),
        sequences: sequences.into(),
    };
    out.insert(vec![row])
}

/// How a deleted execution stands in its row: as a list, of which the end may be missing.
#[derive(Deserialize)]
struct Deleted {
    project: Arc<str>,
    execution_id: Arc<str>,
    uid: ExecutionUid,
    #[serde(default)]
    reason: Option<Arc<str>>,
    #[serde(default)]
    principal: Option<Arc<str>>,
    #[serde(default)]
    request_id: Option<Arc<str>>,
    #[serde(default)]
    identity: Option<Arc<str>>,
}

impl Deleted {
    fn into_row(self) -> DeletedRow {
        DeletedRow {
            project: self.project,
            execution_id: self.execution_id,
            uid: self.uid,
            caller: Caller {
                principal: self.principal,
                reason: self.reason,
                request_id: self.request_id,
                identity: self.identity,
            },
        }
    }
}

/// The list that [`Deleted`] reads.
fn listed(row: &DeletedRow) -> impl Serialize {
    let caller = &row.caller;
    (
        &row.project,
        &row.execution_id,
        row.uid,
        &caller.reason,
        &caller.principal,
        &caller.request_id,
        &caller.identity,
    )
}

/// Lists the logs, by jumping from one to the next in the primary key.
pub(crate) fn logs(conn: &mut Conn) -> Result<Vec<i16>, Error> {
    let mut logs = Vec::new();
    loop {
        let after = logs.last().copied().unwrap_or(i16::MIN);
        let next: Option<i16> = both!(&mut *conn, |c| changes::table
            .filter(changes::shard.gt(after))
            .select(min(changes::shard))
            .get_result(c))?;
        let Some(log) = next else { return Ok(logs) };
        logs.push(log);
    }
}

/// The positions of the first and the last commit of a log that are kept.
pub(crate) fn span(conn: &mut Conn, log: i16) -> Result<Option<(i64, i64)>, Error> {
    let rows = || changes::table.filter(changes::shard.eq(log));
    // One at a time: only so does SQLite find each at an end of the index.
    let first: Option<i64> = both!(&mut *conn, |c| rows()
        .select(min(changes::position))
        .get_result(c))?;
    let last: Option<i64> = both!(conn, |c| rows()
        .select(max(changes::position))
        .get_result(c))?;
    Ok(first.zip(last))
}

/// The position of the last commit that is kept, which is the last of its log; 0 before the first.
pub(crate) fn last(conn: &mut Conn, log: i16) -> Result<i64, Error> {
    Ok(span(conn, log)?.map_or(0, |(_, last)| last))
}

/// When a commit was made, and the executions that it has changed.
pub(crate) fn find(
    conn: &mut Conn,
    at: (i16, i64),
) -> Result<Option<(i64, Vec<ExecutionUid>)>, Error> {
    let query = changes::table
        .find(at)
        .select((changes::time_us, changes::uids));
    let found = both!(conn, |c| query.get_result::<(i64, Vec<u8>)>(c).optional())?;
    found
        .map(|(time_us, uids)| Ok((time_us, into_uids(&uids)?)))
        .transpose()
}

/// Lists the changes of a log after a position.
pub(crate) fn list(
    conn: &mut Conn,
    log: i16,
    after: i64,
    limit: u32,
) -> Result<Vec<ChangeRow>, Error> {
    let query = changes::table
        .filter(changes::shard.eq(log).and(changes::position.gt(after)))
        .order(changes::position)
        .limit(i64::from(limit))
        .select(codec::columns::<StoredChange>());
    let rows = both!(conn, |c| query.load::<StoredChange>(c))?;
    rows.into_iter().map(StoredChange::into_row).collect()
}

/// A row as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = changes)]
struct StoredChange {
    position: i64,
    time_us: i64,
    uids: Vec<u8>,
    deleted: Option<String>,
    sequences: Option<Vec<u8>>,
}

impl StoredChange {
    fn into_row(self) -> Result<ChangeRow, Error> {
        let deleted: Vec<Deleted> =
            codec::from_json_or_default(self.deleted.as_deref(), "changes.deleted")?;
        let uids = into_uids(&self.uids)?;
        let sequences = match &self.sequences {
            Some(bytes) => into_sequences(bytes, uids.len())?,
            None => vec![None; uids.len()],
        };
        let changed = uids.into_iter().zip(sequences);
        Ok(ChangeRow {
            position: self.position,
            time_us: self.time_us,
            changed: changed
                .map(|(uid, last_sequence)| ChangedRow { uid, last_sequence })
                .collect(),
            deleted: deleted.into_iter().map(Deleted::into_row).collect(),
        })
    }
}

fn into_sequences(bytes: &[u8], count: usize) -> Result<Vec<Option<i64>>, Error> {
    match bytes.as_chunks() {
        (sequences, []) if sequences.len() == count => Ok(sequences
            .iter()
            .map(|bytes| Some(i64::from_be_bytes(*bytes)))
            .collect()),
        _ => Err(codec::missing("changes.sequences")),
    }
}

fn into_uids(uids: &[u8]) -> Result<Vec<ExecutionUid>, Error> {
    const PLACE: &str = "changes.uids";
    if !uids.len().is_multiple_of(UID_BYTES) {
        return Err(codec::missing(PLACE));
    }
    let uids = uids.chunks(UID_BYTES);
    uids.map(|uid| codec::uid(uid, PLACE)).collect()
}

/// Deletes at most `limit` of the oldest changes of a log that are older than that time; never the
/// last one.
pub(crate) fn trim(conn: &mut Conn, log: i16, before_us: i64, limit: u32) -> Result<usize, Error> {
    let Some((_, last)) = span(conn, log)? else {
        return Ok(0);
    };
    let oldest = changes::table
        .filter(changes::shard.eq(log).and(changes::position.lt(last)))
        .order(changes::position)
        .limit(i64::from(limit))
        .select((changes::position, changes::time_us));
    let oldest = both!(&mut *conn, |c| oldest.load::<(i64, i64)>(c))?;
    let old = oldest
        .iter()
        .take_while(|(_, time_us)| *time_us < before_us);
    let Some((until, _)) = old.last() else {
        return Ok(0);
    };
    let rows = changes::table.filter(changes::shard.eq(log).and(changes::position.le(*until)));
    both!(conn, |c| diesel::delete(rows).execute(c))
}
