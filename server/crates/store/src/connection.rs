//! One connection to whichever database it is, and transactions on it.
//!
//! What the databases do not have in common stands in `dialect`; queries are the same: `both!`
//! writes them once for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::SqliteConnection;

use crate::dialect;
use crate::error::Error;
use crate::postgres::PgConn;

/// One connection.
pub(crate) enum Conn {
    /// The embedded database.
    Sqlite(SqliteConnection),
    /// A server.
    Postgres(Box<PgConn>, Link),
}

/// Whether a connection to a server still stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link(Arc<AtomicBool>);

impl Link {
    /// It is gone for good.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is known to be gone: nothing is asked.
    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Writes an expression once for each database.
macro_rules! on {
    ($conn:expr, |$inner:ident| $expression:expr) => {
        match $conn {
            $crate::connection::Conn::Sqlite($inner) => $expression,
            $crate::connection::Conn::Postgres($inner, _) => {
                let $inner = &mut **$inner;
                $expression
            }
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

    /// Whether it is of no use any more, and another one must be opened.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_, link) => link.is_cut(),
        }
    }

    /// Whether it is of no use any more after that error. A server that ends a session says so
    /// before it hangs up.
    pub(crate) fn is_lost_after(&mut self, error: &Error) -> bool {
        if let (Self::Postgres(..), Error::Unavailable(_)) = (&*self, error)
            && !self.is_lost()
        {
            // If this goes well, the error was of another kind.
            let _ = self.run("SELECT 1");
        }
        self.is_lost()
    }
}
