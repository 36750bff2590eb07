//! Rows of sources: documents by content.

use diesel::dsl::{exists, min, not};
use diesel::prelude::*;
use engine::TaskRuntime;

use crate::batch::ExecutionKey;
use crate::codec;
use crate::connection::{Conn, both};
use crate::definition::{Source, SourceKind};
use crate::error::Error;
use crate::predicate::Unfinished;
use crate::schema::{definitions, executions, sources, tasks, workbooks};
use crate::views::{SourceHash, SourceUses};

#[derive(Insertable)]
#[diesel(table_name = sources, treat_none_as_default_value = false)]
struct NewSource<'a> {
    hash: &'a [u8],
    kind: &'a str,
    text: &'a str,
}

/// Keeps a document, if it is not there already.
pub(crate) fn insert(conn: &mut Conn, hash: &SourceHash, source: &Source) -> Result<(), Error> {
    let row = NewSource {
        hash,
        kind: source.kind.word(),
        text: &source.text,
    };
    both!(conn, |c| diesel::insert_into(sources::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Loads a document.
pub(crate) fn load(conn: &mut Conn, hash: &SourceHash) -> Result<Option<Source>, Error> {
    let query = sources::table
        .find(&hash[..])
        .select((sources::kind, sources::text));
    let Some((kind, text)) = both!(conn, |c| query.get_result::<(String, String)>(c).optional())?
    else {
        return Ok(None);
    };
    let kind = codec::word(&kind, SourceKind::from_word, "sources.kind")?;
    Ok(Some(Source {
        kind,
        text: text.into(),
    }))
}

/// Lists documents that no definition and no workbook refers to, by hash, those after one.
pub(crate) fn list_undefined(
    conn: &mut Conn,
    after: Option<&SourceHash>,
    limit: u32,
) -> Result<Vec<SourceHash>, Error> {
    let after = after.map_or(&[][..], |hash| &hash[..]);
    let query = sources::table
        .filter(sources::hash.gt(after))
        .filter(not(exists(
            definitions::table.filter(definitions::source_hash.eq(sources::hash)),
        )))
        .filter(not(exists(
            workbooks::table.filter(workbooks::source_hash.eq(sources::hash)),
        )))
        .order(sources::hash)
        .limit(i64::from(limit))
        .select(sources::hash);
    both!(conn, |c| query.load::<Vec<u8>>(c))?
        .iter()
        .map(|hash| codec::hash(hash, "sources.hash"))
        .collect()
}

/// Which documents the next executions refer to, from the first one of all or after one.
pub(crate) fn uses(
    conn: &mut Conn,
    after: Option<ExecutionKey>,
    limit: u32,
) -> Result<SourceUses, Error> {
    let mut uses = SourceUses::default();
    let after = match after {
        Some(after) => after,
        None => match first_after(conn, i16::MIN)? {
            Some(first) => first,
            None => return Ok(uses),
        },
    };
    let query = executions::table
        .filter(executions::shard.eq(after.shard))
        .filter(executions::uid.gt(&after.uid.0.as_bytes()[..]))
        .order(executions::uid)
        .limit(i64::from(limit))
        .select((executions::uid, executions::source_hash));
    let rows = both!(&mut *conn, |c| query.load::<(Vec<u8>, Vec<u8>)>(c))?;
    for (_, hash) in &rows {
        uses.hashes
            .insert(codec::hash(hash, "executions.source_hash")?);
    }
    if let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) {
        let pins = tasks::table
            .filter(tasks::shard.eq(after.shard))
            .filter(tasks::uid.between(&first[..], &last[..]))
            .filter(tasks::runtime.like("%\"pins\":%"))
            .select(tasks::runtime);
        for runtime in both!(&mut *conn, |c| pins.load::<Option<String>>(c))? {
            let runtime: TaskRuntime =
                codec::from_json_or_default(runtime.as_deref(), "tasks.runtime")?;
            let chains = runtime.pins.iter().flat_map(|pin| &pin.chain);
            uses.hashes.extend(chains.map(|one| one.source_hash));
        }
    }
    uses.next = match rows.last() {
        Some((last, _)) if rows.len() >= limit as usize => Some(ExecutionKey {
            shard: after.shard,
            uid: codec::uid(last, "executions.uid")?,
        }),
        _ => first_after(conn, after.shard)?,
    };
    Ok(uses)
}

/// The place before the first execution of the next shard that has any.
fn first_after(conn: &mut Conn, shard: i16) -> Result<Option<ExecutionKey>, Error> {
    let query = executions::table
        .filter(executions::shard.gt(shard))
        .select(min(executions::shard));
    let next = both!(conn, |c| query.get_result::<Option<i16>>(c))?;
    next.map(|shard| {
        Ok(ExecutionKey {
            shard,
            uid: codec::uid(&[0; 16], "executions.uid")?,
        })
    })
    .transpose()
}

/// Deletes documents that were unused when somebody looked, if no definition and no running
/// execution refers to them now.
pub(crate) fn delete_unused(conn: &mut Conn, hashes: &[SourceHash]) -> Result<usize, Error> {
    let mut deleted = 0;
    for hash in hashes {
        let hash = &hash[..];
        let in_definition = definitions::table.filter(definitions::source_hash.eq(hash));
        let in_workbook = workbooks::table.filter(workbooks::source_hash.eq(hash));
        let in_running = executions::table
            .filter(Unfinished)
            .filter(executions::source_hash.eq(hash));
        let used = both!(&mut *conn, |c| diesel::select(
            exists(in_definition)
                .or(exists(in_workbook))
                .or(exists(in_running))
        )
        .get_result::<bool>(c))?;
        if used {
            continue;
        }
        let row = sources::table.find(hash);
        deleted += both!(&mut *conn, |c| diesel::delete(row).execute(c))?;
    }
    Ok(deleted)
}
