//! The one connection that writes.
//!
//! Left to others: the SQL of each table (`tables`).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use engine::ExecutionUid;

use crate::batch::{Batch, ExecutionKey, Removal, RequestRecord};
use crate::cluster::{self, Seat};
use crate::commit::Commit;
use crate::connection::Conn;
use crate::definition::{Applied, DefinitionChange, DefinitionKind, Deletion};
use crate::dialect;
use crate::environment::{EnvironmentChange, EnvironmentRow};
use crate::error::{Entity, Error};
use crate::load;
use crate::operation::OperationRow;
use crate::reader::Reader;
use crate::store::Shared;
use crate::tables::definitions::Place;
use crate::tables::{
    actions, changes, counts, definitions, environments, executions, history, ids, labels, meta,
    operations, payloads, requests, sources, tasks, workbooks, workers,
};
use crate::views::{DeletedRow, Loaded, SourceHash};
use crate::worker::{QueueRow, WorkerActionRow};
use rows::Rows;

/// The one connection that writes.
pub struct Writer {
    reader: Reader,
    /// Position of the last commit that changed an execution; found at the first one.
    position: Option<i64>,
    shared: Arc<Shared>,
    /// Since when the connection has been lost.
    lost_since: Option<Instant>,
    /// A commit to which there was no answer: its time, and the executions that it was to change.
    in_doubt: Option<(i64, Vec<ExecutionUid>)>,
}

/// Under which key the changes of definitions are counted.
pub(crate) const DEFINITIONS: &str = "definitions";

/// Under which key writes are counted that only see whether the database is back.
const PROBES: &str = "probes";

/// How long is waited between two tries to connect.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.release_writer();
    }
}

impl Writer {
    pub(crate) fn new(conn: Conn, shared: Arc<Shared>) -> Self {
        Self {
            reader: Reader {
                conn,
                is_used: false,
            },
            position: None,
            shared,
            lost_since: None,
            in_doubt: None,
        }
    }

    /// Writes a batch in one transaction: all of it, or nothing.
    ///
    /// [`Error::Conflict`] names the first new execution whose id is taken; without it the batch
    /// may be committed again.
    pub fn commit(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let pulse = self.shared.pulse.clone();
        pulse.during(|| self.commit_some(batch))
    }

    fn commit_some(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        self.ensure_connected()?;
        match self.try_commit(batch) {
            Err(error) if dialect::is_duplicate(&error) => {
                Err(self.find_taken(batch)?.unwrap_or(error))
            }
            Err(error) if self.reader.conn.is_lost_after(&error) => {
                let before = self.position;
                let uids = batch.executions.iter().map(|changed| changed.record.uid);
                self.in_doubt = Some((batch.time_us, uids.collect()));
                self.ensure_connected()?;
                if self.position > before {
                    return Ok(());
                }
                tracing::warn!("commit is done again on a new connection: {error}");
                self.try_commit(batch)
            }
            done => done,
        }
    }

    fn try_commit(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        let position = self.last_position()? + 1;
        let trims = trims(batch, self.shared.history_kept());
        let at = (self.shared.seat().slot, position);
        let _turn = turn(&self.shared);
        let conn = &mut self.reader.conn;
        let is_changed = match conn {
            // Nothing here reads what another part writes, so one statement is the whole of it.
            Conn::Postgres(..) if is_plain(batch) && trims.is_empty() => {
                write_batch(conn, batch, &trims, at)
            }
            _ => conn.write(|conn| write_batch(conn, batch, &trims, at)),
        }?;
        if is_changed {
            self.position = Some(position);
        }
        Ok(())
    }

    /// Connects anew if the connection is lost. Waits for a database that is away, but not again
    /// and again: once it has been away for long, there is one try.
    fn ensure_connected(&mut self) -> Result<(), Error> {
        if !self.reader.conn.is_lost() {
            return Ok(());
        }
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        let error = loop {
            match self.shared.connect_writer() {
                Ok(mut conn) => {
                    self.position = Some(self.find_position(&mut conn)?);
                    self.reader.conn = conn;
                    self.lost_since = None;
                    self.in_doubt = None;
                    tracing::info!("the database is back");
                    return Ok(());
                }
                Err(error) if since.elapsed() >= self.shared.patience() => break error,
                Err(_) => thread::sleep(RECONNECT_PAUSE),
            }
        };
        tracing::warn!("the database is away: {error}");
        Err(error)
    }

    /// The position on a new connection. The session that was lost is over, so what it was about to
    /// commit is there, or never will be. Anything else was written by somebody else: what this
    /// server has in memory is of the past, and must not be written.
    fn find_position(&self, conn: &mut Conn) -> Result<i64, Error> {
        let log = self.shared.seat().slot;
        let found = changes::last(conn, log)?;
        let Some(known) = self.position.filter(|known| *known != found) else {
            return Ok(found);
        };
        let is_next = found == known + 1;
        if is_next && self.in_doubt.is_some() && changes::find(conn, (log, found))? == self.in_doubt
        {
            return Ok(found);
        }
        Err(self.shared.fenced())
    }

    /// The place among all commits of this seat of the last one that changed or deleted an
    /// execution; 0 if there was none yet. It goes up, and no place is given twice.
    pub fn last_position(&mut self) -> Result<i64, Error> {
        if let Some(position) = self.position {
            return Ok(position);
        }
        let position = changes::last(&mut self.reader.conn, self.shared.seat().slot)?;
        self.position = Some(position);
        Ok(position)
    }

    /// Looks whether this server still has its seat, and takes it again if only the connection was
    /// lost. Fails with [`Error::Fenced`] if others have
    /// taken it for dead.
    pub fn check_seat(&mut self) -> Result<(), Error> {
        let pulse = self.shared.pulse.clone();
        pulse.during(|| self.look_for_seat())
    }

    fn look_for_seat(&mut self) -> Result<(), Error> {
        loop {
            self.ensure_connected()?;
            let seat = self.shared.seat();
            let Conn::Postgres(c, _) = &mut self.reader.conn else {
                return Ok(());
            };
            match cluster::is_live(c, seat) {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(self.shared.fenced()),
                // A loss is found out by asking.
                Err(error) if self.reader.conn.is_lost_after(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where this server sits.
    pub fn seat(&self) -> Seat {
        self.shared.seat()
    }

    /// Forgets at most `limit` of the oldest changes of this seat before that time; says how many.
    pub fn trim_changes(&mut self, before_us: i64, limit: u32) -> Result<usize, Error> {
        let log = self.shared.seat().slot;
        self.write(|conn| changes::trim(conn, log, before_us, limit))
    }

    /// The first new execution of a batch whose chosen id is taken, by a row or in the batch.
    fn find_taken(&mut self, batch: &Batch<'_>) -> Result<Option<Error>, Error> {
        let mut seen = BTreeSet::new();
        for changed in batch.executions.iter().filter(|changed| changed.is_new) {
            let Some(id) = &changed.record.execution_id else {
                continue;
            };
            let project = &changed.record.project;
            let taken = !seen.insert((project, id))
                || ids::find(&mut self.reader.conn, project, id)?.is_some();
            if taken {
                let (entity, name) = (Entity::Execution, id.to_string());
                return Ok(Some(Error::Conflict { entity, name }));
            }
        }
        Ok(None)
    }

    /// Loads all unfinished executions of these shards one after the other. Only their keys are in
    /// memory all at once.
    pub fn load_unfinished(
        &mut self,
        shards: &[i16],
        each: &mut dyn FnMut(Loaded),
    ) -> Result<(), Error> {
        self.ensure_connected()?;
        load::load_unfinished(&mut self.reader.conn, shards, each)
    }

    /// Loads an execution with its tasks and actions.
    pub fn load(&mut self, key: ExecutionKey) -> Result<Option<Loaded>, Error> {
        self.read().load(key)
    }

    /// Applies a document, all or nothing. A text equal to the latest revision adds none.
    pub fn apply_definitions(&mut self, change: &DefinitionChange) -> Result<Applied, Error> {
        if change.expected_etag.is_some() && change.workbook.is_none() && change.members.len() != 1
        {
            return Err(Error::Invalid("an etag needs a document with one member"));
        }
        let hash = change.source.hash();
        self.write(|conn| {
            meta::count_up(conn, DEFINITIONS)?;
            sources::insert(conn, &hash, &change.source)?;
            let workbook = match &change.workbook {
                Some(workbook) => Some(workbooks::apply(conn, change, workbook, &hash)?),
                None => None,
            };
            // Of a workbook the etag is its own.
            let etag = change
                .expected_etag
                .as_deref()
                .filter(|_| workbook.is_none());
            let mut definitions = Vec::with_capacity(change.members.len());
            for member in &change.members {
                definitions.push(definitions::apply(conn, change, &hash, member, etag)?);
            }
            remember(conn, change.request.as_slice())?;
            Ok(Applied {
                definitions,
                workbook,
            })
        })
    }

    /// Deletes a definition with all its revisions. Sources stay, for the executions that refer to
    /// them. Fails with [`Error::NotFound`] if there is none.
    pub fn delete_definition(
        &mut self,
        kind: DefinitionKind,
        deletion: &Deletion,
    ) -> Result<(), Error> {
        let (project, namespace, name) =
            (&*deletion.project, &*deletion.namespace, &*deletion.name);
        let place = Place {
            project,
            kind,
            namespace,
            name,
        };
        self.write(|conn| {
            meta::count_up(conn, DEFINITIONS)?;
            definitions::delete(conn, place, deletion.expected_etag.as_deref())?;
            remember(conn, deletion.request.as_slice())
        })
    }

    /// Deletes a workbook; its members stay. Fails with [`Error::NotFound`] if there is none.
    pub fn delete_workbook(&mut self, deletion: &Deletion) -> Result<(), Error> {
        self.write(|conn| {
            workbooks::delete(conn, deletion)?;
            remember(conn, deletion.request.as_slice())
        })
    }

    /// Makes an environment what the change says.
    pub fn put_environment(&mut self, change: &EnvironmentChange) -> Result<EnvironmentRow, Error> {
        self.write(|conn| {
            let row = environments::put(conn, change)?;
            remember(conn, change.request.as_slice())?;
            Ok(row)
        })
    }

    /// Deletes an environment; its deletion has no namespace. Fails with [`Error::NotFound`] if
    /// there is none.
    pub fn delete_environment(&mut self, deletion: &Deletion) -> Result<(), Error> {
        self.write(|conn| {
            environments::delete(conn, deletion)?;
            remember(conn, deletion.request.as_slice())
        })
    }

    /// Writes a batch operation as it is now, with the request that it came by.
    pub fn put_operation(
        &mut self,
        row: &OperationRow,
        request: Option<&RequestRecord>,
    ) -> Result<(), Error> {
        self.write(|conn| {
            operations::put(conn, row)?;
            remember(conn, request.cloned().as_slice())
        })
    }

    /// Deletes batch operations that were finished before; says how many.
    pub fn expire_operations(&mut self, before_us: i64) -> Result<usize, Error> {
        self.write(|conn| operations::expire(conn, before_us))
    }

    /// Forgets about `limit` requests that were answered before; says how many.
    pub fn expire_requests(&mut self, before_us: i64, limit: u32) -> Result<usize, Error> {
        self.write(|conn| requests::expire(conn, before_us, limit))
    }

    /// Deletes documents that nobody referred to when all executions were looked through, if no
    /// definition and no unfinished execution does now; says how many.
    pub fn delete_unused_sources(&mut self, hashes: &[SourceHash]) -> Result<usize, Error> {
        self.write(|conn| sources::delete_unused(conn, hashes))
    }

    /// Keeps actions that workers provide, and forgets nothing of others.
    pub fn put_worker_actions(&mut self, actions: &[WorkerActionRow]) -> Result<(), Error> {
        self.write(|conn| {
            let mut actions = actions.iter();
            actions.try_for_each(|action| workers::put_action(conn, action))
        })
    }

    /// Keeps how a queue of workers is set.
    pub fn put_queue(&mut self, queue: &QueueRow) -> Result<(), Error> {
        self.write(|conn| workers::put_queue(conn, queue))
    }

    /// Remembers something for all servers of the database, unless something is remembered already;
    /// gives what is.
    pub fn keep_meta(&mut self, key: &str, value: &str) -> Result<String, Error> {
        self.write(|conn| {
            if let Some(kept) = meta::find(conn, key)? {
                return Ok(kept);
            }
            meta::set(conn, key, value)?;
            Ok(value.to_owned())
        })
    }

    /// The reading functions, on this connection: they see what was just committed.
    pub fn read(&mut self) -> &mut Reader {
        // If the database is away, the questions themselves are answered by that.
        let _ = self.ensure_connected();
        &mut self.reader
    }

    /// Whether the last write has failed for a reason that lies with the database.
    pub fn is_failing(&self) -> bool {
        self.shared.pulse.is_failing()
    }

    /// Writes something of no account, to see whether the database takes it again.
    pub fn probe(&mut self) -> Result<(), Error> {
        self.write(|conn| meta::count_up(conn, PROBES))
    }

    fn write<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
        let pulse = self.shared.pulse.clone();
        pulse.during(|| {
            self.ensure_connected()?;
            let _turn = turn(&self.shared);
            self.reader.conn.write(|conn| {
                dialect::lock_common(conn)?;
                work(conn)
            })
        })
    }
}

fn turn(shared: &Shared) -> Option<RwLockWriteGuard<'_, ()>> {
    let turns = shared.turns.as_ref();
    turns.map(|turns| turns.write().unwrap_or_else(PoisonError::into_inner))
}

/// Writes a batch; says whether it changed an execution. `at` is its place: log and position.
fn write_batch(
    conn: &mut Conn,
    batch: &Batch<'_>,
    trims: &[(ExecutionKey, i64)],
    at: (i16, i64),
) -> Result<bool, Error> {
    let keys: Vec<ExecutionKey> = batch
        .executions
        .iter()
        .map(|changed| changed.record.into())
        .collect();
    let rows = Rows::of(batch, &keys);
    let mut gone: Vec<executions::Names> = Vec::new();
    let out = &mut Commit::new(conn);
    executions::insert(out, &rows.new_executions)?;
    payloads::insert(out, &rows.new_executions)?;
    ids::insert(out, &rows.new_executions)?;
    labels::insert(out, &rows.new_executions)?;
    executions::update(out, &rows.executions)?;
    executions::step(out, &rows.steps)?;
    payloads::update(out, &rows.payloads)?;
    tasks::insert(out, &rows.new_tasks)?;
    tasks::update(out, &rows.tasks)?;
    actions::insert(out, &rows.new_actions)?;
    actions::update(out, &rows.actions)?;
    history::insert(out, &rows.history)?;
    requests::insert(out, &batch.requests)?;
    for (key, record) in rows.described {
        let conn = out.flush()?;
        let known = executions::describe(conn, record)?;
        labels::delete(conn, *key, &record.project, known.as_deref())?;
        labels::insert(out, &[record])?;
    }
    for (key, until) in trims {
        history::trim(out.flush()?, *key, *until)?;
    }
    let mut deleted = Vec::new();
    for removal in &batch.deleted {
        if let Some(names) = delete(out.flush()?, removal)? {
            deleted.push(deleted_row(removal, &names));
            gone.push(names);
        }
    }
    let mut counts = counts::Changes::of(batch.executions.iter());
    for names in &gone {
        counts.add(names.kind(), -1);
    }
    counts.write(out, at.0)?;
    let is_changed = !keys.is_empty() || !deleted.is_empty();
    if is_changed {
        let changed = batch.executions.iter().map(|changed| {
            let last = changed.history.last();
            (changed.record.uid, last.map_or(0, |event| event.sequence))
        });
        changes::insert(out, at, batch.time_us, changed, &deleted)?;
    }
    out.flush()?;
    Ok(is_changed)
}

/// How many events pass between two looks at what is too old of an execution.
const TRIM_STEP: i64 = 1_000;

/// The executions of which too many events are kept, and up to which sequence they go. So that no
/// commit deletes many, it is looked at with each thousandth event.
fn trims(batch: &Batch<'_>, kept: Option<i64>) -> Vec<(ExecutionKey, i64)> {
    let Some(kept) = kept else {
        return Vec::new();
    };
    let mut trims = Vec::new();
    for changed in &batch.executions {
        let (Some(first), Some(last)) = (changed.history.first(), changed.history.last()) else {
            continue;
        };
        let until = last.sequence - kept;
        if until > 0 && (first.sequence - 1) / TRIM_STEP != last.sequence / TRIM_STEP {
            trims.push((changed.record.into(), until));
        }
    }
    trims
}

/// Whether a batch is written without looking at what is there.
fn is_plain(batch: &Batch<'_>) -> bool {
    let is_described = |changed: &engine::Changed<'_>| changed.details_changed && !changed.is_new;
    batch.deleted.is_empty() && !batch.executions.iter().any(is_described)
}

/// Remembers requests that were answered by a change which is no batch.
fn remember(conn: &mut Conn, requests: &[RequestRecord]) -> Result<(), Error> {
    let mut out = Commit::new(conn);
    requests::insert(&mut out, requests)?;
    out.flush().map(drop)
}

/// Deletes an execution with all that belongs to it. One that is gone already is no error: a
/// deletion may come twice.
fn delete(conn: &mut Conn, removal: &Removal) -> Result<Option<executions::Names>, Error> {
    let key = removal.key;
    let Some(names) = executions::delete(conn, key)? else {
        return Ok(None);
    };
    if let Some(id) = &names.execution_id {
        ids::delete(conn, &names.project, id)?;
    }
    labels::delete(conn, key, &names.project, names.labels.as_deref())?;
    payloads::delete(conn, key)?;
    tasks::delete(conn, key)?;
    actions::delete(conn, key)?;
    history::delete(conn, key)?;
    Ok(Some(names))
}

/// What is kept of a deleted execution.
fn deleted_row(removal: &Removal, names: &executions::Names) -> DeletedRow {
    let uid = removal.key.uid;
    let chosen = names.execution_id.as_deref().map(Arc::from);
    DeletedRow {
        project: names.project.as_str().into(),
        execution_id: chosen.unwrap_or_else(|| uid.to_string().into()),
        uid,
        caller: removal.caller.clone(),
    }
}

mod rows;
#[cfg(test)]
mod tests;
