//! Lists and counts of executions.

use std::cmp::Reverse;
use std::sync::Arc;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::count_star;
use diesel::prelude::*;
use engine::{ExecutionRecord, ExecutionState, ExecutionUid};

use crate::batch::ExecutionKey;
use crate::codec;
use crate::connection::{Conn, both, on};
use crate::error::Error;
use crate::page::{Page, Slice};
use crate::predicate::{Node, Predicate, Sign, Test, Unfinished};
use crate::schema::{execution_payloads, executions};
use crate::tables::counts;
use crate::tables::executions::{ExecutionRow, into_key};
use crate::tables::payloads::PayloadRow;
use crate::views::{CountGroup, Counts, Payloads};

/// How far the time of creation may be from the one that a uid says: the uid is made first, and
/// clocks are set.
const UID_SLACK_US: i64 = 10 * 60 * 1_000_000;

/// From which uid on, and before which, everything is that passes: a uid begins with its time.
fn uids_of(predicate: &Predicate) -> ([u8; 16], [u8; 16]) {
    let span = predicate.span_of("executions.created_us");
    let uid_at = |time_us: i64| {
        let time_ms = u128::try_from(time_us / 1000)
            .unwrap_or(0)
            .min((1 << 48) - 1);
        (time_ms << 80).to_be_bytes()
    };
    let from = uid_at(span.start().saturating_sub(UID_SLACK_US));
    let before = match span.end().checked_add(UID_SLACK_US) {
        Some(end) => uid_at(end),
        // A uid says its version in its bytes, so none is as great as this.
        None => [0xff; 16],
    };
    (from, before)
}

/// The same range, for what is read by uid. Leaves only the index that has the uid after what is
/// asked for: what a database thinks of the others depends on what it believes is in them.
fn ordered_by_uid(predicate: &mut Predicate) -> ([u8; 16], [u8; 16]) {
    let range = uids_of(predicate);
    predicate.read_as(CREATED.0, CREATED.1);
    let is_of_state = predicate.equal_to(STATE.0).is_some();
    if !is_of_state || predicate.equal_to(WORKFLOW.0).is_none() {
        predicate.read_as(WORKFLOW.0, WORKFLOW.1);
    }
    if !is_of_state {
        predicate.read_as(STATE.0, STATE.1);
    }
    range
}

/// Columns that have an index, and the same values written so that none can be used.
const STATE: (&str, &str) = ("executions.state", "executions.state || ''");
const WORKFLOW: (&str, &str) = ("executions.workflow_name", "executions.workflow_name || ''");
const CREATED: (&str, &str) = ("executions.created_us", "executions.created_us + 0");

fn equal(column: &'static str, text: &str) -> Node {
    Node::Column(column, Test::Text(Sign::Equal, text.to_owned()))
}

/// What passes, in parts each of which is read by one index. They are the whole only together, read
/// from the same state of the database, as a reader does.
///
/// States are looked at one by one where the index has them before the uid: of one workflow, and
/// where less than half of all executions are in one of them.
fn parts_of(conn: &mut Conn, project: &str, predicate: Predicate) -> Result<Vec<Predicate>, Error> {
    let states = ExecutionState::ALL.iter().copied();
    let (out, wanted): (Vec<_>, Vec<_>) =
        states.partition(|state| predicate.excludes(STATE.0, state.word()));
    let is_apart = predicate.equal_to(STATE.0).is_none()
        && (predicate.equal_to(WORKFLOW.0).is_some() || are_rare(conn, project, &wanted, &out)?);
    if !is_apart {
        return Ok(vec![predicate]);
    }
    let parts = wanted.iter().map(|state| {
        let only = equal(STATE.0, state.word());
        Predicate(Node::All(vec![only, predicate.0.clone()]))
    });
    Ok(parts.collect())
}

/// Whether fewer executions are in one of the first states than in one of the others.
fn are_rare(
    conn: &mut Conn,
    project: &str,
    states: &[ExecutionState],
    others: &[ExecutionState],
) -> Result<bool, Error> {
    if others.is_empty() {
        return Ok(false);
    }
    let mut count = |states: &[ExecutionState]| {
        let tests = states.iter().map(|state| equal(STATE.0, state.word()));
        let any = Predicate(Node::Any(tests.collect()));
        counts::count(conn, project, &any, None, 0).map(|counts| counts.total)
    };
    Ok(count(states)? < count(others)?)
}

/// Those of a project with a uid in that range that pass.
#[diesel::dsl::auto_type]
fn matching<'a>(project: &'a str, from: &'a [u8], before: &'a [u8], predicate: &'a Predicate) -> _ {
    executions::table
        .filter(executions::project.eq(project))
        .filter(executions::uid.ge(from))
        .filter(executions::uid.lt(before))
        .filter(predicate)
}

/// How many of a project were created when the predicate says.
#[diesel::dsl::auto_type]
fn created<'a>(project: &'a str, predicate: &'a Predicate) -> _ {
    executions::table
        .filter(executions::project.eq(project))
        .filter(predicate)
        .select(count_star())
}

/// Those that match, newest first.
#[diesel::dsl::auto_type]
fn newest<'a>(
    project: &'a str,
    from: &'a [u8],
    before: &'a [u8],
    predicate: &'a Predicate,
    limit: i64,
) -> _ {
    let newest_first = executions::uid.desc();
    let rows: matching<'a> = matching(project, from, before, predicate);
    rows.order(newest_first).limit(limit)
}

/// Lists executions, newest first.
pub(crate) fn list(
    conn: &mut Conn,
    project: &str,
    predicate: Predicate,
    page: &Page<ExecutionUid>,
    payloads: Payloads,
) -> Result<Slice<ExecutionRecord>, Error> {
    let parts = parts_of(conn, project, predicate)?;
    let parts = parts
        .into_iter()
        .map(|part| list_part(conn, project, part, page, payloads))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.merge(parts, |record| Reverse(record.uid)))
}

/// A part of a page, read by one index. Each row comes with the bytes of its texts.
fn list_part(
    conn: &mut Conn,
    project: &str,
    mut predicate: Predicate,
    page: &Page<ExecutionUid>,
    payloads: Payloads,
) -> Result<Slice<(ExecutionRecord, usize)>, Error> {
    let (from, mut before) = ordered_by_uid(&mut predicate);
    if let Some(after) = page.after {
        before = before.min(after.0.into_bytes());
    }
    let rows = newest(project, &from, &before, &predicate, codec::one_more(page));
    if payloads == Payloads::Omit {
        let query = rows.select(codec::columns::<ExecutionRow>());
        return on!(conn, |c| {
            let rows = query.load_iter::<ExecutionRow, DefaultLoadingMode>(c);
            codec::fill(page, rows.map_err(crate::dialect::classify)?, |row| {
                let size = row.size();
                Ok(((row.into_record(None)?, size), size))
            })
        });
    }
    let same = execution_payloads::shard
        .eq(executions::shard)
        .and(execution_payloads::uid.eq(executions::uid));
    let query = rows.left_join(execution_payloads::table.on(same)).select((
        codec::columns::<ExecutionRow>(),
        codec::columns::<Option<PayloadRow>>(),
    ));
    on!(conn, |c| {
        let rows = query.load_iter::<(ExecutionRow, Option<PayloadRow>), DefaultLoadingMode>(c);
        codec::fill(
            page,
            rows.map_err(crate::dialect::classify)?,
            |(row, payload)| {
                let payload = payload.ok_or_else(|| codec::missing("execution_payloads"))?;
                let size = row.size() + payload.size();
                Ok(((row.into_record(Some(payload))?, size), size))
            },
        )
    })
}

/// Lists those of a few executions that match, without payloads.
pub(crate) fn list_among(
    conn: &mut Conn,
    project: &str,
    predicate: &Predicate,
    uids: &[ExecutionUid],
) -> Result<Vec<ExecutionRecord>, Error> {
    let uids: Vec<&[u8]> = uids.iter().map(|uid| &uid.0.as_bytes()[..]).collect();
    let query = executions::table
        .filter(executions::project.eq(project))
        .filter(executions::uid.eq_any(uids))
        .filter(predicate)
        .select(codec::columns::<ExecutionRow>());
    let rows = both!(conn, |c| query.load::<ExecutionRow>(c))?;
    rows.into_iter().map(|row| row.into_record(None)).collect()
}

/// Lists the projects that have executions: one step in the index for each.
pub(crate) fn list_projects(conn: &mut Conn) -> Result<Vec<Arc<str>>, Error> {
    let mut found: Vec<Arc<str>> = Vec::new();
    loop {
        let last: &str = found.last().map_or("", |last| last);
        let next = executions::table
            .filter(executions::project.gt(last))
            .select(executions::project)
            .order(executions::project)
            .limit(1);
        let next = both!(&mut *conn, |c| next.get_result::<String>(c).optional())?;
        match next {
            Some(project) => found.push(project.into()),
            None => return Ok(found),
        }
    }
}

/// Counts executions, in groups if asked.
pub(crate) fn count(
    conn: &mut Conn,
    project: &str,
    predicate: Predicate,
    group: Option<CountGroup>,
    max_groups: u32,
) -> Result<Counts, Error> {
    if predicate.reads_only(&counts::COLUMNS) {
        return counts::count(conn, project, &predicate, group, max_groups);
    }
    if group.is_none() && predicate.reads_only(&[CREATED.0]) {
        let of_time = created(project, &predicate);
        let total = both!(conn, |c| of_time.get_result::<i64>(c))?;
        let groups = Vec::new().into_iter().collect();
        return Ok(Counts { total, groups });
    }
    let parts = parts_of(conn, project, predicate)?;
    let mut numbers = Vec::new();
    for part in parts {
        numbers.extend(count_part(conn, project, part, group)?);
    }
    Ok(counts::sum_up(numbers, group, max_groups))
}

/// How many there are of a part, in groups if asked; otherwise in one without a name.
fn count_part(
    conn: &mut Conn,
    project: &str,
    mut predicate: Predicate,
    group: Option<CountGroup>,
) -> Result<Vec<(String, i64)>, Error> {
    let (from, before) = ordered_by_uid(&mut predicate);
    let rows = matching(project, &from, &before, &predicate);
    macro_rules! groups {
        ($column:expr) => {
            both!(conn, |c| rows
                .group_by($column)
                .select(($column, count_star()))
                .load::<(String, i64)>(c))
        };
    }
    match group {
        None => {
            let total = both!(conn, |c| rows.select(count_star()).get_result::<i64>(c))?;
            Ok(vec![(String::new(), total)])
        }
        Some(CountGroup::State) => groups!(executions::state),
        Some(CountGroup::WorkflowName) => groups!(executions::workflow_name),
    }
}

/// Counts the unfinished executions of a workflow.
pub(crate) fn count_running(
    conn: &mut Conn,
    project: &str,
    namespace: &str,
    name: &str,
) -> Result<i64, Error> {
    let query = executions::table
        .filter(Unfinished)
        .filter(
            executions::project
                .eq(project)
                .and(executions::workflow_name.eq(name)),
        )
        .filter(executions::workflow_namespace.eq(namespace))
        .select(count_star());
    both!(conn, |c| query.get_result(c))
}

/// Lists the keys of all unfinished executions, by shard and uid.
pub(crate) fn list_unfinished(conn: &mut Conn) -> Result<Vec<ExecutionKey>, Error> {
    let query = executions::table
        .filter(Unfinished)
        .select((executions::shard, executions::uid));
    let rows = both!(conn, |c| query.load::<(i16, Vec<u8>)>(c))?;
    let mut keys: Vec<ExecutionKey> = rows.into_iter().map(into_key).collect::<Result<_, _>>()?;
    keys.sort_unstable();
    Ok(keys)
}

/// Lists finished executions without parent that ended before that time, oldest first. Uids are
/// ordered by time, so only what was created before that time is looked at.
pub(crate) fn list_expired(
    conn: &mut Conn,
    project: &str,
    before_us: i64,
    limit: u32,
) -> Result<Vec<ExecutionKey>, Error> {
    let millis = u64::try_from(before_us / 1000)
        .unwrap_or(0)
        .saturating_add(1);
    let created_before = (millis << 16).to_be_bytes();
    let query = executions::table
        .filter(executions::project.eq(project))
        .filter(executions::uid.lt(&created_before[..]))
        .filter(executions::finished_us.lt(before_us))
        .filter(executions::root_uid.is_null())
        .order(executions::uid)
        .limit(i64::from(limit))
        .select((executions::shard, executions::uid));
    both!(conn, |c| query.load::<(i16, Vec<u8>)>(c))?
        .into_iter()
        .map(into_key)
        .collect()
}

/// Loads executions of one shard with their payloads, by uid.
pub(crate) fn load(
    conn: &mut Conn,
    shard: i16,
    uids: &[&[u8]],
) -> Result<Vec<ExecutionRecord>, Error> {
    let same = execution_payloads::shard
        .eq(executions::shard)
        .and(execution_payloads::uid.eq(executions::uid));
    let query = executions::table
        .left_join(execution_payloads::table.on(same))
        .filter(
            executions::shard
                .eq(shard)
                .and(executions::uid.eq_any(uids)),
        )
        .order(executions::uid)
        .select((
            codec::columns::<ExecutionRow>(),
            codec::columns::<Option<PayloadRow>>(),
        ));
    let rows = both!(conn, |c| query
        .load::<(ExecutionRow, Option<PayloadRow>)>(c))?;
    rows.into_iter()
        .map(|(row, payload)| {
            row.into_record(Some(
                payload.ok_or_else(|| codec::missing("execution_payloads"))?,
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests;
