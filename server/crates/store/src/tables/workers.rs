//! Rows of what workers provide, and of queues that were changed. There are few of both, so they
//! are read all at once.

use diesel::prelude::*;

use crate::codec;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::{queues, worker_actions};
use crate::worker::{QueueRow, WorkerActionRow};

#[derive(Queryable, Selectable)]
#[diesel(table_name = worker_actions)]
struct ActionRow {
    project: String,
    name: String,
    queue: String,
    details: String,
    created_us: i64,
    updated_us: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = queues)]
struct Row {
    project: String,
    name: String,
    revision: i32,
    settings: String,
    updated_us: i64,
}

/// Lists all actions that workers have provided.
pub(crate) fn list_actions(conn: &mut Conn) -> Result<Vec<WorkerActionRow>, Error> {
    let query = worker_actions::table
        .order((
            worker_actions::project,
            worker_actions::name,
            worker_actions::queue,
        ))
        .select(codec::columns::<ActionRow>());
    let rows = both!(conn, |c| query.load::<ActionRow>(c))?;
    let convert = |row: ActionRow| WorkerActionRow {
        project: row.project.into(),
        name: row.name.into(),
        queue: row.queue.into(),
        details: row.details.into(),
        created_us: row.created_us,
        updated_us: row.updated_us,
    };
    Ok(rows.into_iter().map(convert).collect())
}

/// Keeps an action that workers provide; one that is known keeps the time of its creation.
pub(crate) fn put_action(conn: &mut Conn, action: &WorkerActionRow) -> Result<(), Error> {
    both!(conn, |c| diesel::insert_into(worker_actions::table)
        .values((
            worker_actions::project.eq(&*action.project),
            worker_actions::name.eq(&*action.name),
            worker_actions::queue.eq(&*action.queue),
            worker_actions::details.eq(&*action.details),
            worker_actions::created_us.eq(action.created_us),
            worker_actions::updated_us.eq(action.updated_us),
        ))
        .on_conflict((
            worker_actions::project,
            worker_actions::name,
            worker_actions::queue,
        ))
        .do_update()
        .set((
            worker_actions::details.eq(&*action.details),
            worker_actions::updated_us.eq(action.updated_us),
        ))
        .execute(c))?;
    Ok(())
}

/// Lists all queues that were changed.
pub(crate) fn list_queues(conn: &mut Conn) -> Result<Vec<QueueRow>, Error> {
    let query = queues::table
        .order((queues::project, queues::name))
        .select(codec::columns::<Row>());
    let rows = both!(conn, |c| query.load::<Row>(c))?;
    let convert = |row: Row| QueueRow {
        project: row.project.into(),
        name: row.name.into(),
        revision: row.revision,
        settings: row.settings.into(),
        updated_us: row.updated_us,
    };
    Ok(rows.into_iter().map(convert).collect())
}

/// Keeps how a queue is set.
pub(crate) fn put_queue(conn: &mut Conn, queue: &QueueRow) -> Result<(), Error> {
    both!(conn, |c| diesel::insert_into(queues::table)
        .values((
            queues::project.eq(&*queue.project),
            queues::name.eq(&*queue.name),
            queues::revision.eq(queue.revision),
            queues::settings.eq(&*queue.settings),
            queues::updated_us.eq(queue.updated_us),
        ))
        .on_conflict((queues::project, queues::name))
        .do_update()
        .set((
            queues::revision.eq(queue.revision),
            queues::settings.eq(&*queue.settings),
            queues::updated_us.eq(queue.updated_us),
        ))
        .execute(c))?;
    Ok(())
}
