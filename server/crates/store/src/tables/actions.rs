//! Rows of action executions. All are read here; left to others: writing the first ones, which lie
//! in the rows of their tasks (`tasks`).

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, SmallInt, Text};
use engine::{ActionRecord, Data, ExecutionUid};

use crate::batch::ExecutionKey;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both, on};
use crate::error::Error;
use crate::page::{Page, Slice};
use crate::schema::{actions, all_actions};
use crate::statement::{insert_statement, update_statement};
use crate::views::{ActionRow, Payloads};

insert_statement! {
    /// A new action.
    NewAction: "actions" {
        shard: SmallInt => i16,
        uid: Binary => &'a [u8],
        task: BigInt => i64,
        number: BigInt => i64,
        name: Text => &'a str,
        state: Text => &'a str,
        input: Text => &'a str,
        output: Nullable<Text> => Option<&'a str>,
        accepted: Bool => bool,
        item: BigInt => i64,
        attempt: BigInt => i64,
        runner: Text => &'a str,
        child: Nullable<Binary> => Option<&'a [u8]>,
        created_us: BigInt => i64,
        finished_us: Nullable<BigInt> => Option<i64>,
        lease: Nullable<Text> => Option<String>,
    }
}

update_statement! {
    /// The columns that change.
    UpdateAction: "actions"
    set {
        state: Text => &'a str,
        output: Nullable<Text> => Option<&'a str>,
        accepted: Bool => bool,
        runner: Text => &'a str,
        child: Nullable<Binary> => Option<&'a [u8]>,
        finished_us: Nullable<BigInt> => Option<i64>,
        lease: Nullable<Text> => Option<String>,
    }
    by {
        shard: SmallInt => i16,
        uid: Binary => &'a [u8],
        task: BigInt => i64,
        number: BigInt => i64,
    }
}

/// A row as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = all_actions)]
struct Row {
    uid: Vec<u8>,
    task: i64,
    number: i64,
    name: String,
    state: String,
    input: String,
    output: Option<String>,
    accepted: bool,
    item: i64,
    attempt: i64,
    runner: String,
    child: Option<Vec<u8>>,
    created_us: i64,
    finished_us: Option<i64>,
    lease: Option<String>,
    in_task: bool,
}

impl Row {
    fn size(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        128 + self.name.len() + self.input.len() + optional(&self.output) + optional(&self.lease)
    }

    fn into_action(self) -> Result<ActionRow, Error> {
        let child = self
            .child
            .as_deref()
            .map(|uid| codec::uid(uid, "actions.child"));
        let lease = self
            .lease
            .map(|lease| codec::from_json(&lease, "actions.lease"));
        Ok(ActionRow {
            task: codec::number(self.task, "actions.task")?,
            record: ActionRecord {
                number: codec::number(self.number, "actions.number")?,
                name: self.name.into(),
                state: codec::action_state(&self.state)?,
                input: Data::from_stored(self.input),
                output: self.output.map(Data::from_stored),
                accepted: self.accepted,
                index: codec::number(self.item, "actions.item")?,
                attempt: codec::number(self.attempt, "actions.attempt")?,
                runner: codec::runner(&self.runner)?,
                child: child.transpose()?,
                lease: lease.transpose()?,
                in_task_row: self.in_task,
                created_us: self.created_us,
                finished_us: self.finished_us,
            },
        })
    }
}

fn child(action: &ActionRecord) -> Option<&[u8]> {
    action.child.as_ref().map(|uid| &uid.0.as_bytes()[..])
}

pub(super) fn output(action: &ActionRecord) -> Option<&str> {
    action.output.as_ref().map(|output| &**output.stored())
}

pub(super) fn lease(action: &ActionRecord) -> Option<String> {
    action.lease.as_ref().map(codec::json)
}

/// Adds actions, each with the key of its execution and the number of its task.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    actions: &[(&'a ExecutionKey, u32, &'a ActionRecord)],
) -> Result<(), Error> {
    let rows: Vec<NewAction<'_>> = actions
        .iter()
        .map(|(key, task, action)| NewAction {
            shard: key.shard,
            uid: key.uid.0.as_bytes(),
            task: i64::from(*task),
            number: i64::from(action.number),
            name: &action.name,
            state: action.state.word(),
            input: action.input.stored(),
            output: output(action),
            accepted: action.accepted,
            item: i64::from(action.index),
            attempt: i64::from(action.attempt),
            runner: codec::runner_word(action.runner),
            child: child(action),
            created_us: action.created_us,
            finished_us: action.finished_us,
            lease: lease(action),
        })
        .collect();
    out.insert(rows)
}

/// Writes what may have changed of actions.
pub(crate) fn update<'a>(
    out: &mut Commit<'_, 'a>,
    actions: &[(&'a ExecutionKey, u32, &'a ActionRecord)],
) -> Result<(), Error> {
    let row = |(key, task, action): &(&'a ExecutionKey, u32, &'a ActionRecord)| UpdateAction {
        state: action.state.word(),
        output: output(action),
        accepted: action.accepted,
        runner: codec::runner_word(action.runner),
        child: child(action),
        finished_us: action.finished_us,
        lease: lease(action),
        shard: key.shard,
        uid: key.uid.0.as_bytes(),
        task: i64::from(*task),
        number: i64::from(action.number),
    };
    let rows = actions.iter().map(row).collect();
    out.update(rows, "a changed action has no row")
}

/// Deletes the actions of an execution that have rows of their own.
pub(crate) fn delete(conn: &mut Conn, key: ExecutionKey) -> Result<(), Error> {
    let rows = actions::table.filter(
        actions::shard
            .eq(key.shard)
            .and(actions::uid.eq(&key.uid.0.as_bytes()[..])),
    );
    both!(conn, |c| diesel::delete(rows).execute(c))?;
    Ok(())
}

/// Finds an action.
pub(crate) fn find(
    conn: &mut Conn,
    key: ExecutionKey,
    task: u32,
    number: u32,
) -> Result<Option<ActionRecord>, Error> {
    let query = all_actions::table
        .find((
            key.shard,
            &key.uid.0.as_bytes()[..],
            i64::from(task),
            i64::from(number),
        ))
        .select(codec::columns::<Row>());
    let found = both!(conn, |c| query.get_result(c).optional())?;
    Ok(found
        .map(Row::into_action)
        .transpose()?
        .map(|action| action.record))
}

/// Lists actions, of one task or of all, in order of task and number.
pub(crate) fn list(
    conn: &mut Conn,
    key: ExecutionKey,
    task: Option<u32>,
    page: &Page<(u32, u32)>,
    payloads: Payloads,
) -> Result<Slice<ActionRow>, Error> {
    // Of one task: between its first and its last possible number. So the key finds the start.
    let (first, last) = task.map_or((0, i64::MAX), |task| (i64::from(task), i64::from(task)));
    let after = page.after.map_or((0, 0), |(task, number)| {
        (i64::from(task), i64::from(number))
    });
    let query = all_actions::table
        .filter(
            all_actions::shard
                .eq(key.shard)
                .and(all_actions::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(
            all_actions::task
                .ge(first.max(after.0))
                .and(all_actions::task.le(last)),
        )
        .filter(
            all_actions::task
                .gt(after.0)
                .or(all_actions::number.gt(after.1)),
        )
        .order((all_actions::task, all_actions::number))
        .limit(codec::one_more(page))
        .select(codec::columns::<Row>());
    let convert = |mut row: Row| {
        if payloads == Payloads::Omit {
            (row.input, row.output) = ("{}".to_owned(), None);
        }
        let size = row.size();
        Ok((row.into_action()?, size))
    };
    on!(conn, |c| {
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        codec::fill(page, rows.map_err(crate::dialect::classify)?, convert)
    })
}

/// Goes through all actions of some tasks of an execution, in order, until `each` has enough. It
/// gets the bytes of its texts with each action.
pub(crate) fn each_of_tasks(
    conn: &mut Conn,
    key: ExecutionKey,
    tasks: &[i64],
    mut each: impl FnMut(ActionRow, usize) -> bool,
) -> Result<(), Error> {
    let query = all_actions::table
        .filter(
            all_actions::shard
                .eq(key.shard)
                .and(all_actions::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(all_actions::task.eq_any(tasks))
        .order((all_actions::task, all_actions::number))
        .select(codec::columns::<Row>());
    on!(conn, |c| {
        let rows = query.load_iter::<Row, DefaultLoadingMode>(c);
        for row in rows.map_err(crate::dialect::classify)? {
            let row = row.map_err(crate::dialect::classify)?;
            let size = row.size();
            if !each(row.into_action()?, size) {
                break;
            }
        }
        Ok(())
    })
}

/// Lists the children that the actions of an execution stand for.
pub(crate) fn list_children(
    conn: &mut Conn,
    key: ExecutionKey,
) -> Result<Vec<ExecutionUid>, Error> {
    let query = actions::table
        .filter(
            actions::shard
                .eq(key.shard)
                .and(actions::uid.eq(&key.uid.0.as_bytes()[..])),
        )
        .filter(actions::child.is_not_null())
        .order((actions::task, actions::number))
        .select(actions::child.assume_not_null());
    let uids = both!(conn, |c| query.load::<Vec<u8>>(c))?;
    uids.iter()
        .map(|uid| codec::uid(uid, "actions.child"))
        .collect()
}

/// Loads all actions of executions of one shard, in order of uid, task and number.
pub(crate) fn load(
    conn: &mut Conn,
    shard: i16,
    uids: &[&[u8]],
) -> Result<Vec<(ExecutionUid, ActionRow)>, Error> {
    let query = all_actions::table
        .filter(
            all_actions::shard
                .eq(shard)
                .and(all_actions::uid.eq_any(uids)),
        )
        .order((all_actions::uid, all_actions::task, all_actions::number))
        .select(codec::columns::<Row>());
    let rows = both!(conn, |c| query.load::<Row>(c))?;
    rows.into_iter()
        .map(|row| Ok((codec::uid(&row.uid, "actions.uid")?, row.into_action()?)))
        .collect()
}
