//! Rows of history: the events of one execution and one commit in each.

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::min;
use diesel::prelude::*;
use engine::HistoryEvent;

use crate::batch::ExecutionKey;
use crate::codec;
use crate::connection::{Conn, both, on};
use crate::dialect::classify;
use crate::error::Error;
use crate::page::Slice;
use crate::schema::history;
use crate::statement::insert_rows;
use crate::views::HistoryRange;

mod packed;

#[derive(Insertable)]
#[diesel(table_name = history, treat_none_as_default_value = false)]
struct NewHistory<'a> {
    shard: i16,
    uid: &'a [u8],
    last_sequence: i64,
    first_sequence: i64,
    events: String,
}

/// Adds the events of a commit, by execution.
pub(crate) fn insert(
    conn: &mut Conn,
    histories: &[(&ExecutionKey, &[HistoryEvent])],
) -> Result<(), Error> {
    let mut rows: Vec<NewHistory<'_>> = Vec::with_capacity(histories.len());
    for (key, events) in histories {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            continue;
        };
        if events
            .windows(2)
            .any(|pair| pair[1].sequence != pair[0].sequence + 1)
        {
            return Err(Error::Invalid("the history of a batch has a hole"));
        }
        rows.push(NewHistory {
            shard: key.shard,
            uid: key.uid.0.as_bytes(),
            last_sequence: last.sequence,
            first_sequence: first.sequence,
            events: codec::json(&packed::pack(events)),
        });
    }
    insert_rows!(conn, history::table, rows)
}

/// Deletes the history of an execution.
pub(crate) fn delete(conn: &mut Conn, key: ExecutionKey) -> Result<(), Error> {
    let rows = history::table.filter(
        history::shard
            .eq(key.shard)
            .and(history::uid.eq(&key.uid.0.as_bytes()[..])),
    );
    both!(conn, |c| diesel::delete(rows).execute(c))?;
    Ok(())
}

/// Lists events.
pub(crate) fn list(
    conn: &mut Conn,
    key: ExecutionKey,
    range: &HistoryRange,
) -> Result<Slice<HistoryEvent>, Error> {
    let last = last_row_before(conn, key, range.before)?;
    let query = history::table
        .filter(
            history::shard
                .eq(key.shard)
                .and(history::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(
            history::last_sequence
                .gt(range.after)
                .and(history::last_sequence.le(last)),
        )
        .limit(i64::from(range.limit) + 1)
        .select((history::first_sequence, history::events));
    on!(conn, |c| {
        if range.descending {
            let query = query.order(history::last_sequence.desc());
            collect(
                query
                    .load_iter::<(i64, String), DefaultLoadingMode>(c)
                    .map_err(classify)?,
                range,
            )
        } else {
            let query = query.order(history::last_sequence);
            collect(
                query
                    .load_iter::<(i64, String), DefaultLoadingMode>(c)
                    .map_err(classify)?,
                range,
            )
        }
    })
}

/// The key of the row that holds the last event before that sequence.
fn last_row_before(conn: &mut Conn, key: ExecutionKey, before: Option<i64>) -> Result<i64, Error> {
    let Some(before) = before else {
        return Ok(i64::MAX);
    };
    let query = history::table
        .filter(
            history::shard
                .eq(key.shard)
                .and(history::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(history::last_sequence.ge(before.saturating_sub(1)))
        .select(min(history::last_sequence));
    let found: Option<i64> = both!(conn, |c| query.get_result(c))?;
    Ok(found.unwrap_or(i64::MAX))
}

/// Takes events out of rows until there are enough.
fn collect(
    rows: impl Iterator<Item = QueryResult<(i64, String)>>,
    range: &HistoryRange,
) -> Result<Slice<HistoryEvent>, Error> {
    let mut slice = Slice {
        rows: Vec::new(),
        more: false,
    };
    let mut bytes = 0usize;
    for row in rows {
        let (first, text) = row.map_err(classify)?;
        let mut events = packed::unpack(codec::from_json(&text, "history.events")?, first);
        if range.descending {
            events.reverse();
        }
        events.retain(|event| {
            event.sequence > range.after && range.before.is_none_or(|end| event.sequence < end)
        });
        if events.is_empty() {
            continue;
        }
        let room = (range.limit as usize).saturating_sub(slice.rows.len());
        if room == 0 || (bytes >= range.max_bytes && !slice.rows.is_empty()) {
            slice.more = true;
            break;
        }
        bytes = bytes.saturating_add(text.len());
        slice.more = events.len() > room;
        slice.rows.extend(events.into_iter().take(room));
        if slice.more {
            break;
        }
    }
    Ok(slice)
}
