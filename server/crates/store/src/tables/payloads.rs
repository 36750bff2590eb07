//! Rows of the payloads of executions: large, and rarely changed.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, SmallInt, Text};
use engine::{Data, ExecutionRecord};

use crate::batch::ExecutionKey;
use crate::codec;
use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::execution_payloads;
use crate::statement::{insert_statement, update_statement};

insert_statement! {
    /// The payloads of a new execution.
    NewPayload: "execution_payloads" {
        shard: SmallInt => i16,
        uid: Binary => &'a [u8],
        params: Text => &'a str,
        vars: Text => &'a str,
        output: Nullable<Text> => Option<&'a str>,
        input: Text => &'a str,
    }
}

update_statement! {
    /// The columns that change.
    UpdatePayload: "execution_payloads"
    set {
        params: Text => &'a str,
        vars: Text => &'a str,
        output: Nullable<Text> => Option<&'a str>,
    }
    by { shard: SmallInt => i16, uid: Binary => &'a [u8], }
}

/// A row as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = execution_payloads)]
pub(crate) struct PayloadRow {
    params: String,
    vars: String,
    output: Option<String>,
    input: String,
}

impl PayloadRow {
    /// How many bytes of text it holds.
    pub(crate) fn size(&self) -> usize {
        let output = self.output.as_ref().map_or(0, String::len);
        self.params.len() + self.vars.len() + output + self.input.len()
    }
}

/// The payloads of an execution.
pub(crate) struct Payload {
    pub(crate) params: Data,
    pub(crate) vars: Data,
    pub(crate) output: Option<Data>,
    pub(crate) input: Data,
}

/// Reads a row; without one, payloads were not asked for and are empty.
pub(crate) fn into_data(row: Option<PayloadRow>) -> Payload {
    match row {
        Some(row) => Payload {
            params: Data::from_stored(row.params),
            vars: Data::from_stored(row.vars),
            output: row.output.map(Data::from_stored),
            input: Data::from_stored(row.input),
        },
        None => Payload {
            params: Data::empty_object(),
            vars: Data::empty_object(),
            output: None,
            input: Data::empty_object(),
        },
    }
}

/// Adds the payloads of executions.
pub(crate) fn insert<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
    let rows: Vec<NewPayload<'_>> = records
        .iter()
        .map(|record| NewPayload {
            shard: record.shard,
            uid: record.uid.0.as_bytes(),
            params: record.params.stored(),
            vars: record.vars.stored(),
            output: record.output.as_ref().map(|output| &**output.stored()),
            input: record.input.stored(),
        })
        .collect();
    out.insert(rows)
}

/// Writes the payloads that may have changed.
pub(crate) fn update<'a>(
    out: &mut Commit<'_, 'a>,
    records: &[&'a ExecutionRecord],
) -> Result<(), Error> {
    let row = |record: &&'a ExecutionRecord| UpdatePayload {
        params: record.params.stored(),
        vars: record.vars.stored(),
        output: record.output.as_ref().map(|output| &**output.stored()),
        shard: record.shard,
        uid: record.uid.0.as_bytes(),
    };
    let rows = records.iter().map(row).collect();
    out.update(rows, "a changed execution has no payloads")
}

/// Finds the payloads of an execution.
pub(crate) fn find(conn: &mut Conn, key: ExecutionKey) -> Result<Option<PayloadRow>, Error> {
    let query = execution_payloads::table
        .find((key.shard, &key.uid.0.as_bytes()[..]))
        .select(codec::columns::<PayloadRow>());
    both!(conn, |c| query.get_result(c).optional())
}

/// Deletes the payloads of an execution.
pub(crate) fn delete(conn: &mut Conn, key: ExecutionKey) -> Result<(), Error> {
    let row = execution_payloads::table.find((key.shard, &key.uid.0.as_bytes()[..]));
    both!(conn, |c| diesel::delete(row).execute(c))?;
    Ok(())
}
