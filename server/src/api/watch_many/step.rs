//! One look of a watch of many at the store: the next commits, and what they have changed.
//!
//! Each log is in order by itself. Between logs the clocks of the servers decide, so that the
//! events of an execution stay in order when its shard moves from one server to another: that takes
//! longer than clocks are apart. All is read from one state of the database, since a commit that
//! follows another one may be in another log.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use engine::{ExecutionRecord, ExecutionUid, HistoryEvent};
use proto::v1::{self, PayloadFormat};
use store::{ChangeRow, DeletedRow, ExecutionField, ExecutionKey, Filter, HistoryRange, Reader};

use super::cursor::Cursor;
use crate::api::events::Narrator;
use crate::api::fault::Fault;

/// Commits of a log that are read at once.
const COMMITS_AT_ONCE: u32 = 256;

/// Changed executions that are looked at at once, unless one commit has changed more: with each
/// come a row, or the events that a commit has added to its history.
const STATES_AT_ONCE: usize = 500;
const EVENTS_AT_ONCE: usize = 100;

/// What a watch asks for.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) project: Arc<str>,
    pub(super) filter: Arc<Filter<ExecutionField>>,
    pub(super) mode: Mode,
}

/// What is told of each execution.
#[derive(Clone)]
pub(super) enum Mode {
    /// What it is.
    States,
    /// What happened to it.
    Events {
        /// Words of the wanted types; empty = all.
        kinds: Arc<[&'static str]>,
        /// Arm of the payloads, if they are wanted.
        payloads: Option<PayloadFormat>,
    },
}

/// What was read in one look.
pub(super) struct Step {
    /// The cursor after it.
    pub(super) cursor: Cursor,
    /// Those that have changed and match, in the order of their last changes.
    pub(super) changed: Vec<Told>,
    /// Those of the project that were deleted.
    pub(super) deleted: Vec<DeletedRow>,
}

/// What is told of an execution.
pub(super) struct Told {
    pub(super) record: ExecutionRecord,
    /// What happened to it, if that is told.
    pub(super) events: Option<Vec<v1::HistoryEvent>>,
    /// Where some are not kept any more: the first one that is.
    pub(super) earliest: Option<i64>,
}

/// A change of an execution: the number of the commit among those that are read now, and the last
/// event of it.
struct Change {
    commit: usize,
    last_sequence: Option<i64>,
}

/// Reads on from the cursor.
pub(super) fn next(reader: &mut Reader, asked: &Asked, cursor: &Cursor) -> Result<Step, Fault> {
    let mut step = Step {
        cursor: cursor.clone(),
        changed: Vec::new(),
        deleted: Vec::new(),
    };
    let at_once = match asked.mode {
        Mode::States => STATES_AT_ONCE,
        Mode::Events { .. } => EVENTS_AT_ONCE,
    };
    let mut changes: HashMap<ExecutionUid, Vec<Change>> = HashMap::new();
    let mut count = 0;
    for (commit, (log, row)) in commits_after(reader, cursor)?.into_iter().enumerate() {
        if commit > 0 && count + row.changed.len() > at_once {
            break;
        }
        count += row.changed.len();
        step.cursor.insert(log, row.position);
        for changed in row.changed {
            let last_sequence = changed.last_sequence;
            let change = Change {
                commit,
                last_sequence,
            };
            changes.entry(changed.uid).or_default().push(change);
        }
        let own = row.deleted.into_iter();
        step.deleted
            .extend(own.filter(|row| *row.project == *asked.project));
    }
    for record in matching(reader, asked, &changes)? {
        let changes = &changes[&record.uid];
        step.changed.extend(tell(reader, asked, record, changes)?);
    }
    Ok(step)
}

/// The next commits of all logs, in order.
fn commits_after(reader: &mut Reader, cursor: &Cursor) -> Result<Vec<(i16, ChangeRow)>, Fault> {
    let mut logs = Vec::new();
    for log in reader.logs_of_changes()? {
        let after = cursor.get(&log).copied().unwrap_or(0);
        logs.push((log, reader.list_changes(log, after, COMMITS_AT_ONCE)?));
    }
    Ok(merged(logs, COMMITS_AT_ONCE as usize))
}

/// The commits of several logs by time, as far as all of them were read. A log that has so many may
/// have more, which come before the later ones of others.
fn merged(logs: Vec<(i16, Vec<ChangeRow>)>, at_most: usize) -> Vec<(i16, ChangeRow)> {
    let mut until = i64::MAX;
    let mut commits = Vec::new();
    for (log, rows) in logs {
        let is_cut = rows.len() >= at_most;
        // A clock that was set back must not turn a log round.
        let mut time = i64::MIN;
        for row in rows {
            time = time.max(row.time_us);
            commits.push((time, log, row));
        }
        if is_cut {
            until = until.min(time);
        }
    }
    commits.retain(|(time, ..)| *time <= until);
    commits.sort_by_key(|(time, log, row)| (*time, *log, row.position));
    commits
        .into_iter()
        .map(|(_, log, row)| (log, row))
        .collect()
}

/// Those of the changed executions that match, in the order of their last changes.
fn matching(
    reader: &mut Reader,
    asked: &Asked,
    changes: &HashMap<ExecutionUid, Vec<Change>>,
) -> Result<Vec<ExecutionRecord>, Fault> {
    let order: BTreeSet<(Option<usize>, ExecutionUid)> = changes
        .iter()
        .map(|(uid, changes)| (changes.last().map(|change| change.commit), *uid))
        .collect();
    let uids: Vec<ExecutionUid> = order.into_iter().map(|(_, uid)| uid).collect();
    let mut records = Vec::new();
    for some in uids.chunks(STATES_AT_ONCE) {
        let found = reader.match_executions(&asked.project, &asked.filter, some)?;
        let mut found: HashMap<ExecutionUid, ExecutionRecord> = found
            .into_iter()
            .map(|record| (record.uid, record))
            .collect();
        records.extend(some.iter().filter_map(|uid| found.remove(uid)));
    }
    Ok(records)
}

/// What is told of an execution that has changed; nothing if none of its events is wanted.
fn tell(
    reader: &mut Reader,
    asked: &Asked,
    record: ExecutionRecord,
    changes: &[Change],
) -> Result<Option<Told>, Fault> {
    let Mode::Events { kinds, payloads } = &asked.mode else {
        return Ok(Some(Told {
            record,
            events: None,
            earliest: None,
        }));
    };
    let key = ExecutionKey::from(&record);
    let (found, is_whole) = events_of(reader, key, changes)?;
    let earliest = if is_whole {
        None
    } else {
        Some(earliest_kept(reader, key)?.unwrap_or(record.last_sequence + 1))
    };
    let mut narrator = Narrator::new(key, asked.project.clone(), *payloads);
    let mut events = Vec::new();
    for event in &found {
        if kinds.is_empty() || kinds.contains(&event.kind.word()) {
            events.push(narrator.tell(reader, event)?);
        }
    }
    let is_wanted = !events.is_empty() || earliest.is_some();
    Ok(is_wanted.then_some(Told {
        record,
        events: Some(events),
        earliest,
    }))
}

/// The events that these commits have added, and whether all of them are still kept.
fn events_of(
    reader: &mut Reader,
    key: ExecutionKey,
    changes: &[Change],
) -> Result<(Vec<HistoryEvent>, bool), Fault> {
    let mut ends = BTreeSet::new();
    for change in changes {
        // A version that did not note it has made this commit: there is no telling what is missed.
        let last = change.last_sequence.ok_or(Fault::HistoryTrimmed)?;
        if last > 0 {
            ends.insert(last);
        }
    }
    if ends.is_empty() {
        return Ok((Vec::new(), true));
    }
    let named: Vec<i64> = ends.iter().copied().collect();
    let events = reader.list_commits_of_history(key, &named)?;
    for event in &events {
        ends.remove(&event.sequence);
    }
    Ok((events, ends.is_empty()))
}

fn earliest_kept(reader: &mut Reader, key: ExecutionKey) -> Result<Option<i64>, Fault> {
    let first = HistoryRange {
        after: 0,
        before: None,
        descending: false,
        limit: 1,
        max_bytes: 1,
    };
    let found = reader.list_history(key, &first)?.rows;
    Ok(found.first().map(|event| event.sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commits of a log at these times, numbered from 1.
    fn log(log: i16, times: &[i64]) -> (i16, Vec<ChangeRow>) {
        let rows = (1..).zip(times).map(|(position, time_us)| ChangeRow {
            position,
            time_us: *time_us,
            changed: Vec::new(),
            deleted: Vec::new(),
        });
        (log, rows.collect())
    }

    #[test]
    fn commits_of_several_logs_are_read_by_time() {
        for (logs, expected) in [
            (vec![], &[][..]),
            (vec![log(0, &[3, 4])], &[(0, 1), (0, 2)]),
            (
                vec![log(0, &[1, 4]), log(1, &[2])],
                &[(0, 1), (1, 1), (0, 2)],
            ),
            // A clock that was set back.
            (
                vec![log(0, &[5, 1]), log(1, &[3, 6])],
                &[(1, 1), (0, 1), (0, 2), (1, 2)],
            ),
            // The first log may go on at 4: what is after that waits.
            (
                vec![log(0, &[1, 2, 4]), log(1, &[3, 5])],
                &[(0, 1), (0, 2), (1, 1), (0, 3)],
            ),
            (
                vec![log(0, &[7, 8, 9]), log(1, &[1, 2, 3])],
                &[(1, 1), (1, 2), (1, 3)],
            ),
        ] {
            let found: Vec<_> = merged(logs, 3)
                .into_iter()
                .map(|(log, row)| (log, row.position))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
