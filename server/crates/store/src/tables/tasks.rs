//! Rows of task executions. Each has room for the first action of its task.

use std::sync::Arc;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, SmallInt, Text};
use engine::{ActionRecord, Data, Edge, ExecutionUid, TaskChange, TaskRecord, TaskRuntime};

use crate::batch::ExecutionKey;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both, on};
use crate::error::Error;
use crate::page::{Page, Slice};
use crate::predicate::Predicate;
use crate::schema::tasks;
use crate::statement::{insert_statement, update_statement};
use crate::tables::actions;
use crate::views::Payloads;

insert_statement! {
    /// A new task.
    NewTask: "tasks" {
        shard: SmallInt => i16,
        uid: Binary => &'a [u8],
        number: BigInt => i64,
        name: Text => &'a str,
        is_workflow: Bool => bool,
        state: Text => &'a str,
        state_info: Nullable<Text> => Option<&'a str>,
        processed: Bool => bool,
        error_handled: Bool => bool,
        next_tasks: Nullable<Text> => Option<String>,
        triggered_by: Nullable<Text> => Option<String>,
        published: Nullable<Text> => Option<&'a str>,
        published_global: Nullable<Text> => Option<&'a str>,
        global_order: BigInt => i64,
        runtime: Nullable<Text> => Option<String>,
        created_us: BigInt => i64,
        started_us: Nullable<BigInt> => Option<i64>,
        updated_us: BigInt => i64,
        finished_us: Nullable<BigInt> => Option<i64>,
        action_state: Nullable<Text> => Option<&'a str>,
        action_accepted: Nullable<Bool> => Option<bool>,
        action_runner: Nullable<Text> => Option<&'a str>,
        action_finished_us: Nullable<BigInt> => Option<i64>,
        action_lease: Nullable<Text> => Option<String>,
        action_output: Nullable<Text> => Option<&'a str>,
        action_name: Nullable<Text> => Option<&'a str>,
        action_attempt: Nullable<BigInt> => Option<i64>,
        action_created_us: Nullable<BigInt> => Option<i64>,
        action_input: Nullable<Text> => Option<&'a str>,
    }
}

update_statement! {
    /// The columns that change.
    UpdateTask: "tasks"
    set {
        state: Text => &'a str,
        state_info: Nullable<Text> => Option<&'a str>,
        processed: Bool => bool,
        error_handled: Bool => bool,
        next_tasks: Nullable<Text> => Option<String>,
        triggered_by: Nullable<Text> => Option<String>,
        published: Nullable<Text> => Option<&'a str>,
        published_global: Nullable<Text> => Option<&'a str>,
        global_order: BigInt => i64,
        runtime: Nullable<Text> => Option<String>,
        started_us: Nullable<BigInt> => Option<i64>,
        updated_us: BigInt => i64,
        finished_us: Nullable<BigInt> => Option<i64>,
        action_state: Nullable<Text> => Option<&'a str>,
        action_accepted: Nullable<Bool> => Option<bool>,
        action_runner: Nullable<Text> => Option<&'a str>,
        action_finished_us: Nullable<BigInt> => Option<i64>,
        action_lease: Nullable<Text> => Option<String>,
        action_output: Nullable<Text> => Option<&'a str>,
    }
    keep {
        action_name: Nullable<Text> => Option<&'a str>,
        action_attempt: Nullable<BigInt> => Option<i64>,
        action_created_us: Nullable<BigInt> => Option<i64>,
        action_input: Nullable<Text> => Option<&'a str>,
    }
    by { shard: SmallInt => i16, uid: Binary => &'a [u8], number: BigInt => i64, }
}

/// A row as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tasks)]
struct TaskRow {
    uid: Vec<u8>,
    number: i64,
    name: String,
    is_workflow: bool,
    state: String,
    state_info: Option<String>,
    processed: bool,
    error_handled: bool,
    next_tasks: Option<String>,
    triggered_by: Option<String>,
    published: Option<String>,
    published_global: Option<String>,
    global_order: i64,
    runtime: Option<String>,
    created_us: i64,
    started_us: Option<i64>,
    updated_us: i64,
    finished_us: Option<i64>,
}

impl TaskRow {
    fn size(&self) -> usize {
        let texts = [
            &self.state_info,
            &self.next_tasks,
            &self.triggered_by,
            &self.published,
            &self.published_global,
            &self.runtime,
        ];
        128 + self.name.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }

    /// Without its actions.
    fn into_record(self) -> Result<TaskRecord, Error> {
        let json = |text: Option<String>| text.map(Data::from_stored);
        Ok(TaskRecord {
            number: codec::number(self.number, "tasks.number")?,
            name: self.name.into(),
            is_workflow: self.is_workflow,
            state: codec::task_state(&self.state)?,
            state_info: self.state_info.map(Into::into),
            processed: self.processed,
            error_handled: self.error_handled,
            next_tasks: codec::from_json_or_default(
                self.next_tasks.as_deref(),
                "tasks.next_tasks",
            )?,
            triggered_by: codec::from_json_or_default(
                self.triggered_by.as_deref(),
                "tasks.triggered_by",
            )?,
            published: json(self.published),
            published_global: json(self.published_global),
            global_order: codec::number(self.global_order, "tasks.global_order")?,
            runtime: codec::from_json_or_default(self.runtime.as_deref(), "tasks.runtime")?,
            created_us: self.created_us,
            started_us: self.started_us,
            updated_us: self.updated_us,
            finished_us: self.finished_us,
            actions: Vec::new(),
        })
    }
}

/// What the policies remember, as JSON; NULL if that is nothing.
fn runtime(runtime: &TaskRuntime) -> Option<String> {
    (*runtime != TaskRuntime::default()).then(|| codec::json(runtime))
}

fn next_tasks(next_tasks: &[(Arc<str>, Edge)]) -> Option<String> {
    codec::list(next_tasks)
}

fn text(data: Option<&Data>) -> Option<&str> {
    data.map(|data| &**data.stored())
}

/// The action that lies in the row of a task.
fn own_action(task: &TaskRecord) -> Option<&ActionRecord> {
    task.actions.first().filter(|action| action.in_task_row)
}

/// Adds tasks, each with the key of its execution.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    tasks: &[(&'a ExecutionKey, &'a TaskRecord)],
) -> Result<(), Error> {
    let rows: Vec<NewTask<'_>> = tasks
        .iter()
        .map(|(key, task)| (key, task, own_action(task)))
        .map(|(key, task, action)| NewTask {
            shard: key.shard,
            uid: key.uid.0.as_bytes(),
            number: i64::from(task.number),
            name: &task.name,
            is_workflow: task.is_workflow,
            state: task.state.word(),
            state_info: task.state_info.as_deref(),
            processed: task.processed,
            error_handled: task.error_handled,
            next_tasks: next_tasks(&task.next_tasks),
            triggered_by: codec::list(&task.triggered_by),
            published: text(task.published.as_ref()),
            published_global: text(task.published_global.as_ref()),
            global_order: i64::from(task.global_order),
            runtime: runtime(&task.runtime),
            created_us: task.created_us,
            started_us: task.started_us,
            updated_us: task.updated_us,
            finished_us: task.finished_us,
            action_state: action.map(|action| action.state.word()),
            action_accepted: action.map(|action| action.accepted),
            action_runner: action.map(|action| codec::runner_word(action.runner)),
            action_finished_us: action.and_then(|action| action.finished_us),
            action_lease: action.and_then(actions::lease),
            action_output: action.and_then(actions::output),
            action_name: action.map(|action| &*action.name),
            action_attempt: action.map(|action| i64::from(action.attempt)),
            action_created_us: action.map(|action| action.created_us),
            action_input: action.map(|action| &**action.input.stored()),
        })
        .collect();
    out.insert(rows)
}

/// Writes what may have changed of tasks, and the new actions that lie in their rows.
pub(crate) fn update<'a>(
    out: &mut Commit<'_, 'a>,
    tasks: &[(&'a ExecutionKey, &'a TaskRecord, TaskChange)],
) -> Result<(), Error> {
    let row = |(key, task, change): &(&'a ExecutionKey, &'a TaskRecord, TaskChange)| {
        let action = own_action(task);
        let new = action.filter(|_| *change == TaskChange::NewAction);
        UpdateTask {
            state: task.state.word(),
            state_info: task.state_info.as_deref(),
            processed: task.processed,
            error_handled: task.error_handled,
            next_tasks: next_tasks(&task.next_tasks),
            triggered_by: codec::list(&task.triggered_by),
            published: text(task.published.as_ref()),
            published_global: text(task.published_global.as_ref()),
            global_order: i64::from(task.global_order),
            runtime: runtime(&task.runtime),
            started_us: task.started_us,
            updated_us: task.updated_us,
            finished_us: task.finished_us,
            action_state: action.map(|action| action.state.word()),
            action_accepted: action.map(|action| action.accepted),
            action_runner: action.map(|action| codec::runner_word(action.runner)),
            action_finished_us: action.and_then(|action| action.finished_us),
            action_lease: action.and_then(actions::lease),
            action_output: action.and_then(actions::output),
            action_name: new.map(|action| &*action.name),
            action_attempt: new.map(|action| i64::from(action.attempt)),
            action_created_us: new.map(|action| action.created_us),
            action_input: new.map(|action| &**action.input.stored()),
            shard: key.shard,
            uid: key.uid.0.as_bytes(),
            number: i64::from(task.number),
        }
    };
    let rows = tasks.iter().map(row).collect();
    out.update(rows, "a changed task has no row")
}

/// Deletes the tasks of an execution.
pub(crate) fn delete(conn: &mut Conn, key: ExecutionKey) -> Result<(), Error> {
    let rows = tasks::table.filter(
        tasks::shard
            .eq(key.shard)
            .and(tasks::uid.eq(&key.uid.0.as_bytes()[..])),
    );
    both!(conn, |c| diesel::delete(rows).execute(c))?;
    Ok(())
}

/// Finds a task, without its actions.
pub(crate) fn find(
    conn: &mut Conn,
    key: ExecutionKey,
    number: u32,
) -> Result<Option<TaskRecord>, Error> {
    let query = tasks::table
        .find((key.shard, &key.uid.0.as_bytes()[..], i64::from(number)))
        .select(codec::columns::<TaskRow>());
    both!(conn, |c| query.get_result(c).optional())?
        .map(TaskRow::into_record)
        .transpose()
}

/// Lists tasks of an execution, without their actions.
pub(crate) fn list(
    conn: &mut Conn,
    key: ExecutionKey,
    predicate: &Predicate,
    page: &Page<u32>,
    payloads: Payloads,
) -> Result<Slice<TaskRecord>, Error> {
    let query = tasks::table
        .filter(
            tasks::shard
                .eq(key.shard)
                .and(tasks::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(tasks::number.gt(i64::from(page.after.unwrap_or(0))))
        .filter(predicate)
        .order(tasks::number)
        .limit(codec::one_more(page))
        .select(codec::columns::<TaskRow>());
    let convert = |mut row: TaskRow| {
        if payloads == Payloads::Omit {
            (row.published, row.published_global) = (None, None);
        }
        let size = row.size();
        Ok((row.into_record()?, size))
    };
    on!(conn, |c| {
        let rows = query.load_iter::<TaskRow, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, convert)
    })
}

/// Loads all tasks of executions of one shard, in order of uid and number, without their actions.
pub(crate) fn load(
    conn: &mut Conn,
    shard: i16,
    uids: &[&[u8]],
) -> Result<Vec<(ExecutionUid, TaskRecord)>, Error> {
    let query = tasks::table
        .filter(tasks::shard.eq(shard).and(tasks::uid.eq_any(uids)))
        .order((tasks::uid, tasks::number))
        .select(codec::columns::<TaskRow>());
    let rows = both!(conn, |c| query.load::<TaskRow>(c))?;
    rows.into_iter()
        .map(|row| Ok((codec::uid(&row.uid, "tasks.uid")?, row.into_record()?)))
        .collect()
}
