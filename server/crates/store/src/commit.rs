//! The statements of one commit, put together for the database that gets them.
//!
//! An embedded database runs each at once, within the transaction that is open. To one behind a
//! network all of them go together, as the parts of one statement: one round trip, and all or
//! nothing without a transaction around it.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, QueryResult, RunQueryDsl, SqliteConnection};

use crate::connection::Conn;
use crate::dialect;
use crate::error::Error;
use crate::postgres::PgConn;
use crate::statement::{Fragment, Row};

/// The statements of one commit.
pub(crate) struct Commit<'c, 'a> {
    conn: &'c mut Conn,
    waiting: Statements<'a>,
}

/// Statements that run together. Each sees the database as it was before all of them.
#[derive(Default)]
struct Statements<'a>(Vec<Part<'a>>);

struct Part<'a> {
    fragment: Fragment<'a>,
    /// For an update: how many rows there must be, and what to say if there are not.
    wanted: Option<(i64, &'static str)>,
}

impl<'c, 'a> Commit<'c, 'a> {
    /// Begins with none.
    pub(crate) fn new(conn: &'c mut Conn) -> Self {
        Self {
            conn,
            waiting: Statements::default(),
        }
    }

    /// Adds rows.
    pub(crate) fn insert<R>(&mut self, rows: Vec<R>) -> Result<(), Error>
    where
        R: Row<'a> + RunQueryDsl<SqliteConnection>,
    {
        match &mut *self.conn {
            Conn::Sqlite(c) => {
                for row in rows {
                    row.execute(c).map_err(dialect::classify)?;
                }
            }
            Conn::Postgres(..) => self.wait(rows, None),
        }
        Ok(())
    }

    /// Changes rows, each of which must be there; otherwise nothing is written.
    pub(crate) fn update<R>(&mut self, rows: Vec<R>, missing: &'static str) -> Result<(), Error>
    where
        R: Row<'a> + RunQueryDsl<SqliteConnection>,
    {
        match &mut *self.conn {
            Conn::Sqlite(c) => {
                for row in rows {
                    if row.execute(c).map_err(dialect::classify)? != 1 {
                        return Err(Error::Invalid(missing));
                    }
                }
            }
            Conn::Postgres(..) => self.wait(rows, Some(missing)),
        }
        Ok(())
    }

    fn wait<R: Row<'a>>(&mut self, rows: Vec<R>, missing: Option<&'static str>) {
        if rows.is_empty() {
            return;
        }
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        self.waiting.0.push(Part {
            wanted: missing.map(|missing| (count, missing)),
            fragment: R::gather(rows),
        });
    }

    /// Runs what waits; then the connection, for what has to see it.
    pub(crate) fn flush(&mut self) -> Result<&mut Conn, Error> {
        if let Conn::Postgres(c, _) = &mut *self.conn
            && !self.waiting.0.is_empty()
        {
            let statements = std::mem::take(&mut self.waiting);
            run(c, &statements)?;
        }
        Ok(self.conn)
    }
}

fn run(conn: &mut PgConn, statements: &Statements<'_>) -> Result<(), Error> {
    match conn.execute_returning_count(statements) {
        Ok(_) => Ok(()),
        Err(error) => Err(statements
            .refused(&error)
            .unwrap_or_else(|| dialect::classify(error))),
    }
}

impl Statements<'_> {
    /// What the database refused, if it was for a row that is not there.
    fn refused(&self, error: &diesel::result::Error) -> Option<Error> {
        let diesel::result::Error::DatabaseError(_, information) = error else {
            return None;
        };
        let wanted = self.0.iter().filter_map(|part| part.wanted);
        let mut texts = wanted.map(|(_, missing)| missing);
        texts
            .find(|missing| information.message() == *missing)
            .map(Error::Invalid)
    }
}

impl QueryFragment<Pg> for Statements<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (number, part) in self.0.iter().enumerate() {
            out.push_sql(if number == 0 { "WITH " } else { ", " });
            out.push_sql(&format!("part{number} AS ("));
            part.fragment.walk_ast(out.reborrow())?;
            if part.wanted.is_some() {
                out.push_sql(" RETURNING 1");
            }
            out.push_sql(")");
        }
        out.push_sql(" SELECT 1");
        for (number, part) in self.0.iter().enumerate() {
            if let Some((count, missing)) = &part.wanted {
                out.push_sql(&format!(
                    ", autan_require((SELECT count(*) FROM part{number}) = "
                ));
                out.push_bind_param::<BigInt, _>(count)?;
                out.push_sql(", ");
                out.push_bind_param::<Text, _>(missing)?;
                out.push_sql(")");
            }
        }
        Ok(())
    }
}

// Which tables a commit touches is a matter of what happened, so its text is one of several; the
// connection keeps them by their text.
impl QueryId for Statements<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
