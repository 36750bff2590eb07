//! Rows of labels: the labels of executions turned round, for filters.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Binary, SmallInt, Text};
use engine::ExecutionRecord;

use crate::batch::ExecutionKey;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::execution_labels;
use crate::statement::insert_statement;

insert_statement! {
    /// A label of an execution.
    NewLabel: "execution_labels" {
        project: Text => &'a str,
        label_key: Text => &'a str,
        label_value: Text => &'a str,
        uid: Binary => &'a [u8],
        shard: SmallInt => i16,
    }
}

/// Adds the labels of executions.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
    let rows: Vec<NewLabel<'_>> = records
        .iter()
        .flat_map(|record| {
            record
                .labels
                .iter()
                .map(|(label_key, label_value)| NewLabel {
                    project: &record.project,
                    label_key,
                    label_value,
                    uid: record.uid.0.as_bytes(),
                    shard: record.shard,
                })
        })
        .collect();
    out.insert(rows)
}

/// Deletes the labels of an execution, which are those of its row.
pub(crate) fn delete(
    conn: &mut Conn,
    key: ExecutionKey,
    project: &str,
    labels: Option<&str>,
) -> Result<(), Error> {
    let labels: BTreeMap<String, String> =
        codec::from_json_or_default(labels, "executions.labels")?;
    for (label_key, label_value) in &labels {
        let row = execution_labels::table.find((
            project,
            label_key,
            label_value,
            &key.uid.0.as_bytes()[..],
        ));
        both!(&mut *conn, |c| diesel::delete(row).execute(c))?;
    }
    Ok(())
}
