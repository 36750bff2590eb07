//! Rows of any table of either database, read without knowing the table: for what copies a whole
//! database. Left to others: what is copied and when (`promote`).
//!
//! Tables and columns are asked of the databases, so that a new one needs no change here.

use diesel::backend::Backend;
use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::{Pg, PgValue};
use diesel::row::{Field as _, NamedRow};
use diesel::sql_types::{BigInt, Binary, Bool, Integer, SmallInt, Text};
use diesel::sqlite::{Sqlite, SqliteType};
use diesel::{RunQueryDsl as _, SqliteConnection};
use sha2::{Digest as _, Sha256};

use crate::connection::{Conn, both};
use crate::dialect::classify;
use crate::error::Error;
use crate::postgres::PgConn;

/// The table of the migrations, which each database keeps for itself.
const MIGRATIONS: &str = "__diesel_schema_migrations";

/// Rows that PostgreSQL sends at a time.
const FETCHED: usize = 200;

/// What stands in a column of a row. Flags are numbers, as SQLite has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// Adds it to a digest: what it is, how long it is, and itself.
    fn add_to(&self, digest: &mut Sha256) {
        let number;
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Number(found) => {
                number = found.to_be_bytes();
                (1, &number)
            }
            Self::Text(text) => (2, text.as_bytes()),
            Self::Bytes(bytes) => (3, bytes),
        };
        digest.update([kind]);
        digest.update(bytes.len().to_be_bytes());
        digest.update(bytes);
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null => 1,
            Self::Number(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A row of a table.
pub(crate) struct Row(pub(crate) Vec<Cell>);

/// Reads each field of a row by what the database says that it is.
fn build<'a, DB: Backend>(
    row: &impl NamedRow<'a, DB>,
    cell: impl Fn(DB::RawValue<'_>) -> deserialize::Result<Cell>,
) -> deserialize::Result<Row> {
    let cells = (0..row.field_count()).map(|index| {
        let field = diesel::row::Row::get(row, index).ok_or("a row is too short")?;
        let value = field.value();
        value.map_or(Ok(Cell::Null), &cell)
    });
    cells.collect::<deserialize::Result<_>>().map(Row)
}

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        build(row, |mut value| match value.value_type() {
            None => Ok(Cell::Null),
            Some(SqliteType::Text) => Ok(Cell::Text(value.read_text().to_owned())),
            Some(SqliteType::Binary) => Ok(Cell::Bytes(value.read_blob().to_owned())),
            Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                Ok(Cell::Number(value.read_long()))
            }
            Some(_) => Err("no column holds fractions".into()),
        })
    }
}

impl QueryableByName<Pg> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        build(row, of_postgres)
    }
}

/// A value by the number that PostgreSQL has for its type, which is the same in all versions.
fn of_postgres(value: PgValue<'_>) -> deserialize::Result<Cell> {
    Ok(match value.get_oid().get() {
        16 => Cell::Number(<bool as FromSql<Bool, Pg>>::from_sql(value)?.into()),
        17 => Cell::Bytes(<Vec<u8> as FromSql<Binary, Pg>>::from_sql(value)?),
        20 => Cell::Number(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?),
        21 => Cell::Number(<i16 as FromSql<SmallInt, Pg>>::from_sql(value)?.into()),
        23 => Cell::Number(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
        25 => Cell::Text(<String as FromSql<Text, Pg>>::from_sql(value)?),
        other => return Err(format!("no column has the type {other}").into()),
    })
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

fn words(conn: &mut Conn, sql: &str) -> Result<Vec<String>, Error> {
    let rows: Vec<Word> = both!(conn, |c| diesel::sql_query(sql).load(c))?;
    Ok(rows.into_iter().map(|row| row.word).collect())
}

/// The tables of the database, by name.
pub(crate) fn tables(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT name AS word FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Conn::Postgres(..) => {
            "SELECT tablename::text AS word FROM pg_tables \
             WHERE schemaname = current_schema() ORDER BY tablename::text COLLATE \"C\""
        }
    };
    let mut tables = words(conn, sql)?;
    tables.retain(|table| table != MIGRATIONS);
    Ok(tables)
}

/// A column of a table of PostgreSQL.
pub(crate) struct Column {
    pub(crate) name: String,
    /// As PostgreSQL calls it: `int2`, `int4`, `int8`, `bool`, `text`, `bytea`.
    pub(crate) kind: String,
}

/// The columns of a table of PostgreSQL, by name.
pub(crate) fn columns(conn: &mut Conn, table: &str) -> Result<Vec<Column>, Error> {
    let sql = format!(
        "SELECT column_name || ' ' || udt_name AS word FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = '{table}' \
         ORDER BY column_name::text COLLATE \"C\""
    );
    let found = words(conn, &sql)?.into_iter().filter_map(|word| {
        let (name, kind) = word.split_once(' ')?;
        Some(Column {
            name: name.to_owned(),
            kind: kind.to_owned(),
        })
    });
    Ok(found.collect())
}

/// The names of the columns of a table of SQLite, in order of their names.
pub(crate) fn column_names(conn: &mut Conn, table: &str) -> Result<Vec<String>, Error> {
    let sql = format!("SELECT name AS word FROM pragma_table_info('{table}') ORDER BY name");
    words(conn, &sql)
}

/// Whether a table has a row.
pub(crate) fn has_rows(conn: &mut Conn, table: &str) -> Result<bool, Error> {
    let sql = format!("SELECT 'row' AS word FROM {table} LIMIT 1");
    Ok(!words(conn, &sql)?.is_empty())
}

/// Reads these columns of all rows of a table of SQLite, one after another.
pub(crate) fn each_of_sqlite(
    conn: &mut SqliteConnection,
    table: &str,
    columns: &str,
    mut work: impl FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let query = diesel::sql_query(format!("SELECT {columns} FROM {table}"));
    let rows = query.load_iter::<Row, DefaultLoadingMode>(conn);
    for row in rows.map_err(classify)? {
        work(row.map_err(classify)?)?;
    }
    Ok(())
}

/// The same of PostgreSQL, within a transaction.
pub(crate) fn each_of_postgres(
    conn: &mut PgConn,
    table: &str,
    columns: &str,
    mut work: impl FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut run = |sql: String| {
        let done = diesel::sql_query(sql).execute(conn);
        done.map(drop).map_err(classify)
    };
    run(format!(
        "DECLARE all_rows NO SCROLL CURSOR FOR SELECT {columns} FROM {table}"
    ))?;
    loop {
        let query = diesel::sql_query(format!("FETCH {FETCHED} FROM all_rows"));
        let rows: Vec<Row> = query.load(conn).map_err(classify)?;
        if rows.is_empty() {
            break;
        }
        rows.into_iter().try_for_each(&mut work)?;
    }
    let close = diesel::sql_query("CLOSE all_rows").execute(conn);
    close.map(drop).map_err(classify)
}

/// How many rows there are, and a sum over what they hold in which their order plays no part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) rows: u64,
    parts: [u64; 4],
}

impl Sum {
    /// Counts a row in.
    pub(crate) fn add(&mut self, row: &Row) {
        let mut digest = Sha256::new();
        for cell in &row.0 {
            cell.add_to(&mut digest);
        }
        let digest = digest.finalize();
        self.rows += 1;
        for (part, bytes) in self.parts.iter_mut().zip(digest.chunks_exact(8)) {
            let bytes = bytes.try_into().expect("a chunk has eight bytes");
            *part = part.wrapping_add(u64::from_be_bytes(bytes));
        }
    }

    /// The sum as 64 hexadecimal digits.
    pub(crate) fn text(&self) -> String {
        let [a, b, c, d] = self.parts;
        format!("{a:016x}{b:016x}{c:016x}{d:016x}")
    }
}
