//! Puts executions together from their rows: a few queries for many executions.

use std::collections::VecDeque;

use engine::{ExecutionRecord, ExecutionUid, TaskRecord};

use crate::batch::ExecutionKey;
use crate::codec;
use crate::connection::Conn;
use crate::error::Error;
use crate::tables::{actions, executions, listing, payloads, tasks};
use crate::views::{ActionRow, Loaded};

/// Executions that are read with one query.
const EXECUTIONS: usize = 128;

/// Tasks whose rows are in memory at the same time, unless one execution has more.
const TASKS: usize = 4096;

/// Loads one execution.
pub(crate) fn load(conn: &mut Conn, key: ExecutionKey) -> Result<Option<Loaded>, Error> {
    let Some(row) = executions::find(conn, key)? else {
        return Ok(None);
    };
    let payload = payloads::find(conn, key)?.ok_or_else(|| codec::missing("execution_payloads"))?;
    let execution = row.into_record(Some(payload))?;
    let uids = [&key.uid.0.as_bytes()[..]];
    let tasks = tasks::load(conn, key.shard, &uids)?;
    let actions = actions::load(conn, key.shard, &uids)?;
    let mut tasks = VecDeque::from(tasks);
    let mut actions = VecDeque::from(actions);
    Ok(Some(assemble(execution, &mut tasks, &mut actions)?))
}

/// Loads all unfinished executions of some shards, some at a time. Their keys alone are held all at
/// once.
pub(crate) fn load_unfinished(
    conn: &mut Conn,
    shards: &[i16],
    each: &mut dyn FnMut(Loaded),
) -> Result<(), Error> {
    let mut keys = listing::list_unfinished(conn)?;
    keys.retain(|key| shards.contains(&key.shard));
    for of_shard in keys.chunk_by(|a, b| a.shard == b.shard) {
        for some in of_shard.chunks(EXECUTIONS) {
            let uids: Vec<&[u8]> = some.iter().map(|key| &key.uid.0.as_bytes()[..]).collect();
            let mut executions = VecDeque::from(listing::load(conn, some[0].shard, &uids)?);
            while !executions.is_empty() {
                let few = take_few(&mut executions);
                load_few(conn, few, each)?;
            }
        }
    }
    Ok(())
}

/// Takes executions until they have many tasks, at least one.
fn take_few(executions: &mut VecDeque<ExecutionRecord>) -> Vec<ExecutionRecord> {
    let mut few = Vec::new();
    let mut tasks = 0usize;
    while let Some(execution) = executions.front() {
        tasks = tasks.saturating_add(execution.progress.total as usize);
        if tasks > TASKS && !few.is_empty() {
            break;
        }
        few.extend(executions.pop_front());
    }
    few
}

/// Loads the rest of executions of one shard, which come in order of their uids.
fn load_few(
    conn: &mut Conn,
    few: Vec<ExecutionRecord>,
    each: &mut dyn FnMut(Loaded),
) -> Result<(), Error> {
    let Some(shard) = few.first().map(|execution| execution.shard) else {
        return Ok(());
    };
    let uids: Vec<ExecutionUid> = few.iter().map(|execution| execution.uid).collect();
    let uids: Vec<&[u8]> = uids.iter().map(|uid| &uid.0.as_bytes()[..]).collect();
    let mut tasks = VecDeque::from(tasks::load(conn, shard, &uids)?);
    let mut actions = VecDeque::from(actions::load(conn, shard, &uids)?);
    for execution in few {
        each(assemble(execution, &mut tasks, &mut actions)?);
    }
    Ok(())
}

/// Takes what belongs to the execution from the front of both queues.
fn assemble(
    execution: ExecutionRecord,
    tasks: &mut VecDeque<(ExecutionUid, TaskRecord)>,
    actions: &mut VecDeque<(ExecutionUid, ActionRow)>,
) -> Result<Loaded, Error> {
    let mut loaded = Loaded {
        execution,
        tasks: Vec::new(),
    };
    let uid = loaded.execution.uid;
    while let Some((_, mut task)) = tasks.pop_front_if(|(of, _)| *of == uid) {
        let number = task.number;
        let own = |(of, row): &mut (ExecutionUid, ActionRow)| *of == uid && row.task == number;
        while let Some((_, row)) = actions.pop_front_if(own) {
            task.actions.push(row.record);
        }
        loaded.tasks.push(task);
    }
    if actions.front().is_some_and(|(of, _)| *of == uid) {
        return Err(codec::missing("tasks"));
    }
    Ok(loaded)
}
