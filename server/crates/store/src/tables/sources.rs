//! Rows of sources: documents by content.

use std::collections::BTreeSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::codec;
use crate::connection::{Conn, both};
use crate::definition::{Source, SourceKind};
use crate::error::Error;
use crate::predicate::Unfinished;
use crate::schema::{definitions, executions, sources, workbooks};
use crate::views::SourceHash;

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

/// Finds documents that nobody refers to. Reads all executions: for readers, not for the writer.
/// Only documents of workflows are given: tasks under way may refer to those of ad-hoc actions.
pub(crate) fn find_unused(conn: &mut Conn, limit: u32) -> Result<Vec<SourceHash>, Error> {
    let candidates = both!(&mut *conn, |c| sources::table
        .filter(sources::kind.eq(SourceKind::Workflows.word()))
        .filter(not(exists(
            definitions::table.filter(definitions::source_hash.eq(sources::hash))
        )))
        .filter(not(exists(
            workbooks::table.filter(workbooks::source_hash.eq(sources::hash))
        )))
        .select(sources::hash)
        .load::<Vec<u8>>(c))?;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let used = both!(conn, |c| executions::table
        .select(executions::source_hash)
        .distinct()
        .load::<Vec<u8>>(c))?;
    let used: BTreeSet<Vec<u8>> = used.into_iter().collect();
    candidates
        .into_iter()
        .filter(|hash| !used.contains(hash))
        .take(limit as usize)
        .map(|hash| codec::hash(&hash, "sources.hash"))
        .collect()
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
