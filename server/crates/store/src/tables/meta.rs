//! Rows of what the server remembers of itself.

use diesel::prelude::*;

use crate::connection::{Conn, both};
use crate::error::Error;
use crate::schema::meta;

/// Finds a value.
pub(crate) fn find(conn: &mut Conn, key: &str) -> Result<Option<String>, Error> {
    let query = meta::table.find(key).select(meta::value);
    both!(conn, |c| query.get_result(c).optional())
}

/// Sets a value.
pub(crate) fn set(conn: &mut Conn, key: &str, value: &str) -> Result<(), Error> {
    both!(conn, |c| diesel::insert_into(meta::table)
        .values((meta::key.eq(key), meta::value.eq(value)))
        .on_conflict(meta::key)
        .do_update()
        .set(meta::value.eq(value))
        .execute(c))?;
    Ok(())
}

/// Counts a value up.
pub(crate) fn count_up(conn: &mut Conn, key: &str) -> Result<(), Error> {
    let known = find(conn, key)?.and_then(|value| value.parse::<i64>().ok());
    set(conn, key, &(known.unwrap_or(0) + 1).to_string())
}
