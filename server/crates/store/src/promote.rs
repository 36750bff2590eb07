//! Moves a database of SQLite to PostgreSQL, with all that runs, and proves that it is all there.
//!
//! Nobody else may use either of them meanwhile. All rows go over in one transaction of PostgreSQL,
//! are read back there, and compared before it commits. So an attempt that fails leaves PostgreSQL
//! as it was. What was moved must not run in both places: the file is marked, and opens no more; a
//! note beside it (`moving`) says so while that is going on. An attempt after one that was
//! interrupted finds out by comparing whether everything is there already.

use diesel::RunQueryDsl as _;
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};

use crate::backup;
use crate::config::{Config, Target};
use crate::connection::Conn;
use crate::dialect::classify;
use crate::error::Error;
use crate::moving::Note;
use crate::portable::{self, Cell, Column, Row, Sum};
use crate::postgres::PgConn;
use crate::store::Store;
use crate::tables::meta;

/// Tables about the servers of a database, and not about what is in it.
const OF_SERVERS: [&str; 2] = ["servers", "shards"];

/// The key under which a database notes where it was moved to.
const MOVED_TO: &str = "moved_to";

/// Rows, and bytes in them, that are sent to PostgreSQL at a time.
const ROWS_MAX: usize = 2_000;
const BYTES_MAX: usize = 4 << 20;

/// A table that was moved: the same was read on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of each row, added up: 64 hexadecimal digits.
    pub checksum: String,
}

/// Moves all rows from a database of SQLite to one of PostgreSQL that holds none. Both are brought
/// up to the schema of this version first.
///
/// Errors: [`Error::InUse`] while a server uses either, [`Error::NotEmpty`], [`Error::Differs`].
pub fn promote(from: &Config, to: &Config) -> Result<Vec<Moved>, Error> {
    let (Target::SqliteFile(file), Target::Postgres(_)) =
        (Target::parse(&from.url)?, Target::parse(&to.url)?)
    else {
        return Err(Error::Invalid(
            "a database moves from a file of SQLite to PostgreSQL, and not otherwise",
        ));
    };
    backup::must_exist(&file)?;
    // The file stays locked as long as its store is there.
    let (from_store, to_store) = (Store::open_to_move(from)?, Store::open(to)?);
    let mut source = from_store.connect_alone()?;
    let mut target = to_store.connect_alone()?;
    let tables = portable::tables(&mut source)?;
    if portable::tables(&mut target)? != tables {
        return Err(Error::Invalid(
            "the schema of PostgreSQL has tables of something else",
        ));
    }
    let note = Note::take(&file, &shown(to))?;
    // What has not begun to commit is not there; of what has, it is not known.
    let mut is_written = false;
    let moved = target.write(|target| {
        // A server that starts now waits until all is there.
        target.run(&format!(
            "LOCK TABLE {} IN EXCLUSIVE MODE",
            tables.join(", ")
        ))?;
        let mut tables = tables;
        tables.retain(|table| !OF_SERVERS.contains(&table.as_str()));
        let is_there = match find_rows(target, &tables)? {
            // An earlier attempt may have been interrupted after it had committed.
            Some(_) if note.is_old => true,
            Some(table) => {
                let database = shown(to);
                return Err(Error::NotEmpty { database, table });
            }
            None => false,
        };
        let moved = tables.iter().map(|table| {
            let move_rows = if is_there { compare } else { copy };
            let sum = move_rows(&mut source, target, table)?;
            Ok(Moved {
                table: table.clone(),
                rows: sum.rows,
                checksum: sum.text(),
            })
        });
        let moved = moved.collect::<Result<Vec<_>, Error>>()?;
        is_written = true;
        Ok(moved)
    });
    let moved = match moved {
        Ok(moved) => moved,
        Err(error) => {
            if !is_written && !note.is_old {
                note.remove()?;
            }
            return Err(error);
        }
    };
    source.write(|source| meta::set(source, MOVED_TO, &shown(to)))?;
    note.remove()?;
    Ok(moved)
}

/// Where a database was moved to, if it was.
pub(crate) fn moved_to(conn: &mut Conn) -> Result<Option<String>, Error> {
    meta::find(conn, MOVED_TO)
}

fn shown(config: &Config) -> String {
    config.shown().unwrap_or_else(|_| "PostgreSQL".to_owned())
}

/// The first table in which there is something that a new database does not hold.
fn find_rows(target: &mut Conn, tables: &[String]) -> Result<Option<String>, Error> {
    let fresh = Store::open(&Config::new("sqlite::memory:"))?;
    let mut fresh = fresh.connect_alone()?;
    for table in tables {
        if portable::has_rows(target, table)? && !portable::has_rows(&mut fresh, table)? {
            return Ok(Some(table.clone()));
        }
    }
    Ok(None)
}

/// Copies a table, and compares what was read here with what is read there.
fn copy(source: &mut Conn, target: &mut Conn, table: &str) -> Result<Sum, Error> {
    // What every new database holds, the other one has, too.
    target.run(&format!("DELETE FROM {table}"))?;
    carry(source, target, table, true)
}

/// Compares a table that was copied before.
fn compare(source: &mut Conn, target: &mut Conn, table: &str) -> Result<Sum, Error> {
    carry(source, target, table, false)
}

fn carry(
    source: &mut Conn,
    target: &mut Conn,
    table: &str,
    is_to_copy: bool,
) -> Result<Sum, Error> {
    let columns = portable::columns(target, table)?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if portable::column_names(source, table)? != names {
        return Err(Error::Internal(
            format!("the columns of {table} are not the same in both databases").into(),
        ));
    }
    let (Conn::Sqlite(source), Conn::Postgres(target, _)) = (source, target) else {
        unreachable!("the URLs say so");
    };
    let names = names.join(", ");
    let (mut here, mut there) = (Sum::default(), Sum::default());
    let mut portion = Portion::default();
    portable::each_of_sqlite(source, table, &names, |mut row| {
        row.0.iter_mut().for_each(without_nul);
        here.add(&row);
        if !is_to_copy {
            return Ok(());
        }
        portion.add(row);
        if portion.is_full() {
            portion.send(target, table, &names, &columns)?;
        }
        Ok(())
    })?;
    portion.send(target, table, &names, &columns)?;
    portable::each_of_postgres(target, table, &names, |row| {
        there.add(&row);
        Ok(())
    })?;
    if here == there {
        Ok(here)
    } else {
        Err(Error::Differs {
            table: table.to_owned(),
            here: here.rows,
            there: there.rows,
        })
    }
}

/// PostgreSQL's texts hold every character but NUL: as commits there do, see `statement`.
fn without_nul(cell: &mut Cell) {
    if let Cell::Text(text) = cell
        && text.contains('\0')
    {
        *text = text.replace('\0', "\u{FFFD}");
    }
}

/// Rows on their way.
#[derive(Default)]
struct Portion {
    rows: Vec<Row>,
    bytes: usize,
}

impl Portion {
    fn add(&mut self, row: Row) {
        self.bytes += row.0.iter().map(Cell::size).sum::<usize>();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    /// Sends the rows, column by column, and is empty then.
    fn send(
        &mut self,
        conn: &mut PgConn,
        table: &str,
        names: &str,
        columns: &[Column],
    ) -> Result<(), Error> {
        let mut rows: Vec<_> = std::mem::take(self)
            .rows
            .into_iter()
            .map(|row| row.0.into_iter())
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let lists: Vec<String> = (columns.iter().zip(1..))
            .map(|(column, place)| format!("${place}::{}[]", column.kind))
            .collect();
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT * FROM unnest({})",
            lists.join(", ")
        );
        let mut query = diesel::sql_query(sql).into_boxed::<Pg>();
        for column in columns {
            let cells = rows.iter_mut().map(|row| row.next().unwrap_or(Cell::Null));
            query = bind(query, &column.kind, cells.collect())?;
        }
        query.execute(conn).map(drop).map_err(classify)
    }
}

type Insert<'a> = BoxedSqlQuery<'a, Pg, SqlQuery>;

/// Binds a column to the next place.
fn bind<'a>(query: Insert<'a>, kind: &str, cells: Vec<Cell>) -> Result<Insert<'a>, Error> {
    fn list<T>(
        cells: Vec<Cell>,
        read: impl Fn(Cell) -> Option<T>,
    ) -> Result<Vec<Option<T>>, Error> {
        let wrong = || Error::Internal("a value does not fit its column".into());
        let cells = cells.into_iter().map(|cell| match cell {
            Cell::Null => Ok(None),
            cell => read(cell).map(Some).ok_or_else(wrong),
        });
        cells.collect()
    }
    let number = |cell| match cell {
        Cell::Number(number) => Some(number),
        _ => None,
    };
    Ok(match kind {
        "bool" => {
            let flags = list(cells, |cell| Some(number(cell)? != 0))?;
            query.bind::<Array<Nullable<Bool>>, _>(flags)
        }
        "int2" => {
            let numbers = list(cells, |cell| i16::try_from(number(cell)?).ok())?;
            query.bind::<Array<Nullable<SmallInt>>, _>(numbers)
        }
        "int4" => {
            let numbers = list(cells, |cell| i32::try_from(number(cell)?).ok())?;
            query.bind::<Array<Nullable<Integer>>, _>(numbers)
        }
        "int8" => query.bind::<Array<Nullable<BigInt>>, _>(list(cells, number)?),
        "text" => {
            let texts = list(cells, |cell| match cell {
                Cell::Text(text) => Some(text),
                _ => None,
            })?;
            query.bind::<Array<Nullable<Text>>, _>(texts)
        }
        "bytea" => {
            let values = list(cells, |cell| match cell {
                Cell::Bytes(bytes) => Some(bytes),
                _ => None,
            })?;
            query.bind::<Array<Nullable<Binary>>, _>(values)
        }
        other => {
            return Err(Error::Internal(
                format!("no column has the type {other}").into(),
            ));
        }
    })
}

/// Refuses a database that was moved.
pub(crate) fn refuse_moved(conn: &mut Conn, database: &str) -> Result<(), Error> {
    match moved_to(conn)? {
        Some(to) => Err(Error::Moved {
            database: database.to_owned(),
            to,
        }),
        None => Ok(()),
    }
}
