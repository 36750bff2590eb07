//! Rows of executions: what changes with every step. Payloads and labels lie in tables of their
//! own.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};
use engine::{ActionId, DefinitionRef, ExecutionRecord, ExecutionUid, TaskId};

use crate::batch::ExecutionKey;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::{execution_payloads, executions};
use crate::statement::{insert_statement, update_statement};
use crate::tables::counts::Kind;
use crate::tables::payloads::{self, PayloadRow};
use crate::views::{Payloads, Standing};

/// What is said if an execution that is changed is not there.
const MISSING: &str = "a changed execution has no row";

insert_statement! {
    /// A new execution, without its payloads and labels.
    NewExecution: "executions" {
        shard: SmallInt => i16,
        uid: Binary => &'a [u8],
        project: Text => &'a str,
        execution_id: Nullable<Text> => Option<&'a str>,
        workflow_name: Text => &'a str,
        workflow_namespace: Text => &'a str,
        revision: Integer => i32,
        source_hash: Binary => &'a [u8],
        workbook: Nullable<Text> => Option<&'a str>,
        state: Text => &'a str,
        state_info: Nullable<Text> => Option<&'a str>,
        failure: Nullable<Text> => Option<String>,
        run: Integer => i32,
        description: Text => &'a str,
        labels: Nullable<Text> => Option<String>,
        parent_uid: Nullable<Binary> => Option<&'a [u8]>,
        parent_task: Nullable<BigInt> => Option<i64>,
        parent_action: Nullable<BigInt> => Option<i64>,
        item_index: BigInt => i64,
        root_uid: Nullable<Binary> => Option<&'a [u8]>,
        source_uid: Nullable<Binary> => Option<&'a [u8]>,
        depth: Integer => i32,
        last_sequence: BigInt => i64,
        backlog: Nullable<Text> => Option<String>,
        rollback: Nullable<Text> => Option<String>,
        progress: Text => String,
        created_us: BigInt => i64,
        updated_us: BigInt => i64,
        finished_us: Nullable<BigInt> => Option<i64>,
    }
}

impl<'a> From<&'a ExecutionRecord> for NewExecution<'a> {
    fn from(record: &'a ExecutionRecord) -> Self {
        let parent = record.parent.as_ref();
        Self {
            shard: record.shard,
            uid: record.uid.0.as_bytes(),
            project: &record.project,
            execution_id: record.execution_id.as_deref(),
            workflow_name: &record.definition.name,
            workflow_namespace: &record.definition.namespace,
            revision: record.definition.revision,
            source_hash: &record.definition.source_hash,
            workbook: record.definition.workbook.as_deref(),
            state: record.state.word(),
            state_info: record.state_info.as_deref(),
            failure: record.failure.as_ref().map(ToString::to_string),
            run: record.run,
            description: &record.description,
            labels: (!record.labels.is_empty()).then(|| codec::json(&record.labels)),
            parent_uid: parent.map(|parent| &parent.task.execution.0.as_bytes()[..]),
            parent_task: parent.map(|parent| i64::from(parent.task.number)),
            parent_action: parent.map(|parent| i64::from(parent.number)),
            item_index: i64::from(record.item_index),
            root_uid: (record.root != record.uid).then(|| &record.root.0.as_bytes()[..]),
            source_uid: record
                .source
                .as_ref()
                .map(|source| &source.0.as_bytes()[..]),
            depth: record.depth,
            last_sequence: record.last_sequence,
            backlog: codec::list(&record.backlog),
            rollback: record.rollback.as_ref().map(codec::json),
            progress: codec::progress(&record.progress),
            created_us: record.created_us,
            updated_us: record.updated_us,
            finished_us: record.finished_us,
        }
    }
}

update_statement! {
    /// The columns that change while an execution goes on in the same state. SQLite writes each
    /// index that names a column of an UPDATE anew, whatever the value: none names one of these.
    StepExecution: "executions"
    set {
        state_info: Nullable<Text> => Option<&'a str>,
        failure: Nullable<Text> => Option<String>,
        run: Integer => i32,
        last_sequence: BigInt => i64,
        backlog: Nullable<Text> => Option<String>,
        rollback: Nullable<Text> => Option<String>,
        progress: Text => String,
        updated_us: BigInt => i64,
        finished_us: Nullable<BigInt> => Option<i64>,
    }
    by { shard: SmallInt => i16, uid: Binary => &'a [u8], }
}

update_statement! {
    /// All columns that change.
    UpdateExecution: "executions"
    set {
        state: Text => &'a str,
        state_info: Nullable<Text> => Option<&'a str>,
        failure: Nullable<Text> => Option<String>,
        run: Integer => i32,
        last_sequence: BigInt => i64,
        backlog: Nullable<Text> => Option<String>,
        rollback: Nullable<Text> => Option<String>,
        progress: Text => String,
        updated_us: BigInt => i64,
        finished_us: Nullable<BigInt> => Option<i64>,
    }
    by { shard: SmallInt => i16, uid: Binary => &'a [u8], }
}

/// A row as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = executions)]
pub(crate) struct ExecutionRow {
    shard: i16,
    uid: Vec<u8>,
    project: String,
    execution_id: Option<String>,
    workflow_name: String,
    workflow_namespace: String,
    revision: i32,
    source_hash: Vec<u8>,
    workbook: Option<String>,
    state: String,
    state_info: Option<String>,
    failure: Option<String>,
    run: i32,
    description: String,
    labels: Option<String>,
    parent_uid: Option<Vec<u8>>,
    parent_task: Option<i64>,
    parent_action: Option<i64>,
    item_index: i64,
    root_uid: Option<Vec<u8>>,
    source_uid: Option<Vec<u8>>,
    depth: i32,
    last_sequence: i64,
    backlog: Option<String>,
    rollback: Option<String>,
    progress: String,
    created_us: i64,
    updated_us: i64,
    finished_us: Option<i64>,
}

impl ExecutionRow {
    /// About how many bytes of text it holds.
    pub(crate) fn size(&self) -> usize {
        let texts = [
            &self.state_info,
            &self.labels,
            &self.backlog,
            &self.rollback,
        ];
        let optional: usize = texts.into_iter().flatten().map(String::len).sum();
        256 + self.workflow_name.len() + self.description.len() + optional
    }

    /// With its payloads, or with empty ones where they were not asked for.
    pub(crate) fn into_record(
        self,
        payloads: Option<PayloadRow>,
    ) -> Result<ExecutionRecord, Error> {
        let uid = codec::uid(&self.uid, "executions.uid")?;
        let root = match &self.root_uid {
            Some(root) => codec::uid(root, "executions.root_uid")?,
            None => uid,
        };
        let source = self.source_uid.as_deref();
        let source = source.map(|source| codec::uid(source, "executions.source_uid"));
        let parent = self.parent()?;
        let payloads = payloads::into_data(payloads);
        Ok(ExecutionRecord {
            uid,
            shard: self.shard,
            project: self.project.into(),
            execution_id: self.execution_id.map(Into::into),
            definition: DefinitionRef {
                name: self.workflow_name.into(),
                namespace: self.workflow_namespace.into(),
                revision: self.revision,
                source_hash: codec::hash(&self.source_hash, "executions.source_hash")?,
                workbook: self.workbook.map(Into::into),
            },
            state: codec::execution_state(&self.state)?,
            state_info: self.state_info.map(Into::into),
            failure: codec::failure(self.failure.as_deref())?,
            run: self.run,
            input: payloads.input,
            params: payloads.params,
            output: payloads.output,
            vars: payloads.vars,
            description: self.description.into(),
            labels: codec::from_json_or_default(self.labels.as_deref(), "executions.labels")?,
            parent,
            item_index: codec::number(self.item_index, "executions.item_index")?,
            root,
            source: source.transpose()?,
            depth: self.depth,
            last_sequence: self.last_sequence,
            backlog: codec::from_json_or_default(self.backlog.as_deref(), "executions.backlog")?,
            rollback: codec::from_json_or_default(self.rollback.as_deref(), "executions.rollback")?,
            created_us: self.created_us,
            updated_us: self.updated_us,
            finished_us: self.finished_us,
            progress: codec::from_progress(&self.progress)?,
        })
    }

    fn parent(&self) -> Result<Option<ActionId>, Error> {
        const PLACE: &str = "executions.parent";
        match (&self.parent_uid, self.parent_task, self.parent_action) {
            (None, None, None) => Ok(None),
            (Some(uid), Some(task), Some(action)) => Ok(Some(ActionId {
                task: TaskId {
                    execution: codec::uid(uid, PLACE)?,
                    number: codec::number(task, PLACE)?,
                },
                number: codec::number(action, PLACE)?,
            })),
            _ => Err(codec::missing(PLACE)),
        }
    }
}

/// Adds executions, without their payloads and labels.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
    let rows: Vec<NewExecution<'_>> = records.iter().map(|record| (*record).into()).collect();
    out.insert(rows)
}

/// The row of an update, from a record.
macro_rules! changed {
    ($row:ident, $record:ident $(, $state:ident)?) => {
        $row {
            $($state: $record.state.word(),)?
            state_info: $record.state_info.as_deref(),
            failure: $record.failure.as_ref().map(ToString::to_string),
            run: $record.run,
            last_sequence: $record.last_sequence,
            backlog: codec::list(&$record.backlog),
            rollback: $record.rollback.as_ref().map(codec::json),
            progress: codec::progress(&$record.progress),
            updated_us: $record.updated_us,
            finished_us: $record.finished_us,
            shard: $record.shard,
            uid: $record.uid.0.as_bytes(),
        }
    };
}

/// Writes what may have changed of executions whose rows have their state already.
pub(crate) fn step<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
    let rows = records.iter().map(|record| changed!(StepExecution, record));
    out.update(rows.collect(), MISSING)
}

/// Writes what may have changed of executions.
pub(crate) fn update<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
    let rows = records
        .iter()
        .map(|record| changed!(UpdateExecution, record, state));
    out.update(rows.collect(), MISSING)
}

/// Writes the labels and the description of an execution; gives the labels that it had, as its row
/// said them.
pub(crate) fn describe(conn: &mut Conn, record: &ExecutionRecord) -> Result<Option<String>, Error> {
    let row = executions::table.find((record.shard, &record.uid.0.as_bytes()[..]));
    let known = row.select(executions::labels);
    let known = both!(&mut *conn, |c| known.get_result::<Option<String>>(c))?;
    let labels = (!record.labels.is_empty()).then(|| codec::json(&record.labels));
    let change = diesel::update(row).set((
        executions::labels.eq(labels),
        executions::description.eq(&*record.description),
    ));
    both!(conn, |c| change.execute(c))?;
    Ok(known)
}

/// What else is kept of an execution, found by what its row says.
#[derive(Queryable)]
pub(crate) struct Names {
    pub(crate) project: String,
    pub(crate) execution_id: Option<String>,
    pub(crate) labels: Option<String>,
    pub(crate) workflow_name: String,
    pub(crate) workflow_namespace: String,
    pub(crate) state: String,
}

impl Names {
    /// As what it is counted.
    pub(crate) fn kind(&self) -> Kind<'_> {
        Kind {
            project: &self.project,
            name: &self.workflow_name,
            namespace: &self.workflow_namespace,
            state: &self.state,
        }
    }
}

/// Deletes the row; gives what it said about rows elsewhere.
pub(crate) fn delete(conn: &mut Conn, key: ExecutionKey) -> Result<Option<Names>, Error> {
    let row = executions::table.find((key.shard, &key.uid.0.as_bytes()[..]));
    let names = row.select((
        executions::project,
        executions::execution_id,
        executions::labels,
        executions::workflow_name,
        executions::workflow_namespace,
        executions::state,
    ));
    let found = both!(&mut *conn, |c| names.get_result(c).optional())?;
    both!(conn, |c| diesel::delete(row).execute(c))?;
    Ok(found)
}

/// Finds where the execution of that uid lies, if it is in the project.
pub(crate) fn find_key_by_uid(
    conn: &mut Conn,
    project: &str,
    uid: ExecutionUid,
) -> Result<Option<ExecutionKey>, Error> {
    let query = executions::table
        .filter(
            executions::project
                .eq(project)
                .and(executions::uid.eq(&uid.0.as_bytes()[..])),
        )
        .select(executions::shard);
    let found = both!(conn, |c| query.get_result::<i16>(c).optional())?;
    Ok(found.map(|shard| ExecutionKey { shard, uid }))
}

/// Finds the row of that uid, if it is in the project; with its payloads, if asked.
pub(crate) fn find_by_uid(
    conn: &mut Conn,
    project: &str,
    uid: ExecutionUid,
    payloads: Payloads,
) -> Result<Option<ExecutionRecord>, Error> {
    let uid = &uid.0.as_bytes()[..];
    let is_it = executions::project.eq(project).and(executions::uid.eq(uid));
    if payloads == Payloads::Omit {
        let query = executions::table
            .filter(is_it)
            .select(codec::columns::<ExecutionRow>());
        let found = both!(conn, |c| query.get_result::<ExecutionRow>(c).optional())?;
        return found.map(|row| row.into_record(None)).transpose();
    }
    let same = execution_payloads::shard
        .eq(executions::shard)
        .and(execution_payloads::uid.eq(executions::uid));
    let query = executions::table
        .left_join(execution_payloads::table.on(same))
        .filter(is_it)
        .select((
            codec::columns::<ExecutionRow>(),
            codec::columns::<Option<PayloadRow>>(),
        ));
    let found = both!(conn, |c| query
        .get_result::<(ExecutionRow, Option<PayloadRow>)>(c)
        .optional())?;
    let Some((row, payload)) = found else {
        return Ok(None);
    };
    let payload = payload.ok_or_else(|| codec::missing("execution_payloads"))?;
    row.into_record(Some(payload)).map(Some)
}

/// How far an execution is.
pub(crate) fn standing(conn: &mut Conn, key: ExecutionKey) -> Result<Option<Standing>, Error> {
    let query = executions::table
        .find((key.shard, &key.uid.0.as_bytes()[..]))
        .select((
            executions::state,
            executions::last_sequence,
            executions::run,
        ));
    let found = both!(conn, |c| query
        .get_result::<(String, i64, i32)>(c)
        .optional())?;
    found
        .map(|(state, last_sequence, run)| {
            Ok(Standing {
                state: codec::execution_state(&state)?,
                last_sequence,
                run,
            })
        })
        .transpose()
}

/// Finds a row, without its payloads.
pub(crate) fn find(conn: &mut Conn, key: ExecutionKey) -> Result<Option<ExecutionRow>, Error> {
    let query = executions::table
        .find((key.shard, &key.uid.0.as_bytes()[..]))
        .select(codec::columns::<ExecutionRow>());
    both!(conn, |c| query.get_result(c).optional())
}

/// Reads a key.
pub(crate) fn into_key((shard, uid): (i16, Vec<u8>)) -> Result<ExecutionKey, Error> {
    Ok(ExecutionKey {
        shard,
        uid: codec::uid(&uid, "executions.uid")?,
    })
}
