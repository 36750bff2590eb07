//! One connection to whichever database it is, and transactions on it.
//!
//! A second database is a second variant here, its statements in `dialect`, its migrations in a
//! folder beside the first. Queries stay as they are: `both!` writes them once for each variant.

use diesel::SqliteConnection;

use crate::dialect;
use crate::error::Error;

/// One connection.
pub(crate) enum Conn {
    /// The embedded database.
    Sqlite(SqliteConnection),
}

/// Writes an expression once for each database.
macro_rules! on {
    ($conn:expr, |$inner:ident| $expression:expr) => {
        match $conn {
            $crate::connection::Conn::Sqlite($inner) => $expression,
        }
    };
}
pub(crate) use on;

/// Runs a query on the connection, whatever it is, and sorts the error.
///
/// What is found by a unique key is asked for by `get_result`, not by `first`: that adds a LIMIT
/// with a bound value, for which SQLite prepares the statement anew each time.
macro_rules! both {
    ($conn:expr, |$inner:ident| $query:expr) => {
        $crate::connection::on!($conn, |$inner| $query).map_err($crate::dialect::classify)
    };
}
pub(crate) use both;

impl Conn {
    /// Runs `work` and commits what it wrote, or nothing if it fails. Others wait from the start,
    /// so it cannot fail in the middle because somebody else wrote.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        dialect::begin_write(self)?;
        let done = work(self).and_then(|value| {
            self.run("COMMIT")?;
            Ok(value)
        });
        if done.is_err() {
            // Some errors, such as a full disk, end the transaction by themselves; then there is
            // nothing to roll back, and saying so is not an error of its own.
            let _ = self.run("ROLLBACK");
        }
        done
    }

    /// Runs statements that give no rows.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Error> {
        use diesel::connection::SimpleConnection as _;
        both!(self, |c| c.batch_execute(sql))
    }
}
