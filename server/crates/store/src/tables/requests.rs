//! Rows of requests that were answered.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};

use crate::batch::RequestRecord;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::dialect;
use crate::error::Error;
use crate::schema::requests;
use crate::statement::insert_statement;

insert_statement! {
    /// A request that was answered; one that is known keeps its first answer.
    NewRequest: "requests" "ON CONFLICT DO NOTHING" {
        project: Text => &'a str,
        request_id: Text => &'a str,
        method: Text => &'a str,
        body_hash: Binary => &'a [u8],
        target: Text => &'a str,
        created_us: BigInt => i64,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = requests)]
struct RequestRow {
    project: String,
    request_id: String,
    method: String,
    body_hash: Vec<u8>,
    target: String,
    created_us: i64,
}

/// Remembers requests; one that is known keeps its first answer.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    records: &'a [RequestRecord],
) -> Result<(), Error> {
    let row = |record: &'a RequestRecord| NewRequest {
        project: &record.project,
        request_id: &record.request_id,
        method: &record.method,
        body_hash: &record.body_hash,
        target: &record.target,
        created_us: record.created_us,
    };
    out.insert(records.iter().map(row).collect())
}

/// Finds a request.
pub(crate) fn find(
    conn: &mut Conn,
    project: &str,
    request_id: &str,
) -> Result<Option<RequestRecord>, Error> {
    let query = requests::table
        .find((project, request_id))
        .select(codec::columns::<RequestRow>());
    let row = both!(conn, |c| query.get_result::<RequestRow>(c).optional())?;
    row.map(into_record).transpose()
}

/// Finds those that there are of some requests: with one question to a database behind a network.
pub(crate) fn find_some(
    conn: &mut Conn,
    project: &str,
    request_ids: &[&str],
) -> Result<Vec<RequestRecord>, Error> {
    let Conn::Postgres(c, _) = conn else {
        let mut found = Vec::new();
        for id in request_ids {
            found.extend(find(conn, project, id)?);
        }
        return Ok(found);
    };
    let query = requests::table
        .filter(
            requests::project
                .eq(project)
                .and(requests::request_id.eq_any(request_ids)),
        )
        .select(codec::columns::<RequestRow>());
    let rows = query.load::<RequestRow>(&mut **c);
    let rows = rows.map_err(dialect::classify)?;
    rows.into_iter().map(into_record).collect()
}

fn into_record(row: RequestRow) -> Result<RequestRecord, Error> {
    Ok(RequestRecord {
        project: row.project.into(),
        request_id: row.request_id.into(),
        method: row.method.into(),
        body_hash: codec::hash(&row.body_hash, "requests.body_hash")?,
        target: row.target.into(),
        created_us: row.created_us,
    })
}

/// Deletes about `limit` requests that are older than `before_us`: those of the same microsecond
/// go together.
pub(crate) fn expire(conn: &mut Conn, before_us: i64, limit: u32) -> Result<usize, Error> {
    if limit == 0 {
        return Ok(0);
    }
    let query = requests::table
        .filter(requests::created_us.lt(before_us))
        .order(requests::created_us)
        .offset(i64::from(limit) - 1)
        .limit(1)
        .select(requests::created_us);
    let last = both!(&mut *conn, |c| query.first::<i64>(c).optional())?;
    let until = last.unwrap_or_else(|| before_us.saturating_sub(1));
    let rows = requests::table.filter(requests::created_us.le(until));
    both!(conn, |c| diesel::delete(rows).execute(c))
}
