//! Rows of history: the events of one execution and one commit in each.

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, SmallInt, Text};
use engine::HistoryEvent;

use crate::batch::ExecutionKey;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both, on};
use crate::dialect::classify;
use crate::error::Error;
use crate::page::Slice;
use crate::schema::history;
use crate::statement::insert_statement;
use crate::views::{HistoryRange, Searched};

mod packed;

insert_statement! {
    /// The events of one execution and one commit.
    NewHistory: "history" {
        shard: SmallInt => i16,
        uid: Binary => &'a [u8],
        last_sequence: BigInt => i64,
        first_sequence: BigInt => i64,
        events: Text => String,
    }
}

/// Adds the events of a commit, by execution.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    histories: &[(&'a ExecutionKey, &'a [HistoryEvent])],
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
    out.insert(rows)
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

/// Deletes the commits of an execution whose events all have at most this sequence.
pub(crate) fn trim(conn: &mut Conn, key: ExecutionKey, until: i64) -> Result<(), Error> {
    let rows = history::table.filter(
        history::shard
            .eq(key.shard)
            .and(history::uid.eq(&key.uid.0.as_bytes()[..]))
            .and(history::last_sequence.le(until)),
    );
    both!(conn, |c| diesel::delete(rows).execute(c))?;
    Ok(())
}

/// Rows that are looked through for one page of wanted events.
const ROWS_SEARCHED_MAX: i64 = 5_000;

/// Lists events.
pub(crate) fn list(
    conn: &mut Conn,
    key: ExecutionKey,
    range: &HistoryRange,
) -> Result<Slice<HistoryEvent>, Error> {
    let rows_max = i64::from(range.limit) + 1;
    Ok(read(conn, key, range, rows_max, &|_| true)?.slice)
}

/// Lists the events of some commits, each of which is named by the sequence of its last event.
pub(crate) fn list_commits(
    conn: &mut Conn,
    key: ExecutionKey,
    last_sequences: &[i64],
) -> Result<Vec<HistoryEvent>, Error> {
    let query = history::table
        .filter(
            history::shard
                .eq(key.shard)
                .and(history::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(history::last_sequence.eq_any(last_sequences))
        .order(history::last_sequence)
        .select((history::first_sequence, history::events));
    let rows = both!(conn, |c| query.load::<(i64, String)>(c))?;
    let mut events = Vec::new();
    for (first, text) in rows {
        events.extend(packed::unpack(
            codec::from_json(&text, "history.events")?,
            first,
        ));
    }
    Ok(events)
}

/// Lists the events that are wanted.
pub(crate) fn search(
    conn: &mut Conn,
    key: ExecutionKey,
    range: &HistoryRange,
    wanted: &dyn Fn(&HistoryEvent) -> bool,
) -> Result<Searched, Error> {
    read(conn, key, range, ROWS_SEARCHED_MAX, wanted)
}

fn read(
    conn: &mut Conn,
    key: ExecutionKey,
    range: &HistoryRange,
    rows_max: i64,
    wanted: &dyn Fn(&HistoryEvent) -> bool,
) -> Result<Searched, Error> {
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
        .limit(rows_max)
        .select((history::first_sequence, history::events));
    on!(conn, |c| {
        if range.descending {
            let query = query.order(history::last_sequence.desc());
            let rows = query.load_iter::<(i64, String), DefaultLoadingMode>(c);
            collect(rows.map_err(classify)?, range, rows_max, wanted)
        } else {
            let query = query.order(history::last_sequence);
            let rows = query.load_iter::<(i64, String), DefaultLoadingMode>(c);
            collect(rows.map_err(classify)?, range, rows_max, wanted)
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
    rows_max: i64,
    wanted: &dyn Fn(&HistoryEvent) -> bool,
) -> Result<Searched, Error> {
    let mut slice = Slice {
        rows: Vec::new(),
        more: false,
    };
    let mut reached = None;
    let (mut bytes, mut looked) = (0usize, 0);
    for row in rows {
        let (first, text) = row.map_err(classify)?;
        looked += 1;
        let mut events = packed::unpack(codec::from_json(&text, "history.events")?, first);
        if range.descending {
            events.reverse();
        }
        events.retain(|event| {
            event.sequence > range.after && range.before.is_none_or(|end| event.sequence < end)
        });
        let Some(end) = events.last().map(|event| event.sequence) else {
            continue;
        };
        events.retain(|event| wanted(event));
        if events.is_empty() {
            reached = Some(end);
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
        reached = Some(end);
    }
    let last = slice.rows.last().map(|event| event.sequence);
    if slice.more {
        // What comes next is after the last event that was taken.
        reached = last;
    } else {
        slice.more = looked >= rows_max && reached.is_some();
    }
    Ok(Searched { slice, reached })
}
