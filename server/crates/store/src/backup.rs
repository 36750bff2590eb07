//! Copies of a database of SQLite: made while a server writes, and put in its place again.
//!
//! A copy is one consistent state, in one file that needs no other beside it. It is checked and on
//! the disk before it gets its name, so a file of that name is always whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};

use crate::config::{Config, Target};
use crate::connection::Conn;
use crate::dialect::{self, classify};
use crate::error::Error;
use crate::migrate;
use crate::store;

/// A copy of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The file that was written.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The newest migration in it.
    pub schema: String,
    /// How many executions are in it.
    pub executions: u64,
}

/// Copies a database as it is at one moment, while a server may write to it, to a new file.
///
/// Errors: [`Error::Open`] if there is no such database or the file cannot be written,
/// [`Error::Exists`], [`Error::Corrupt`].
pub fn back_up(config: &Config, to: &Path) -> Result<Copied, Error> {
    let from = file_of(config)?;
    must_exist(&from)?;
    refuse_existing(to)?;
    let draft = draft_of(to);
    let _ = fs::remove_file(&draft);
    let done = copy_out(&from, config, &draft).and_then(|()| settle(&draft, to));
    if done.is_err() {
        let _ = fs::remove_file(&draft);
    }
    done
}

/// Puts a copy in the place of a database that is not there.
///
/// Errors: [`Error::Exists`] if there is one, [`Error::InUse`], [`Error::Open`],
/// [`Error::Schema`] if the copy is of a newer version, [`Error::Corrupt`].
pub fn restore(from: &Path, config: &Config) -> Result<Copied, Error> {
    let to = file_of(config)?;
    must_exist(from)?;
    let log = beside(from, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(refused(
            from,
            "it is in use, or was not closed: back it up first",
        ));
    }
    let _lock = store::prepare(&to)?;
    for file in [to.clone(), beside(&to, "-wal")] {
        refuse_existing(&file)?;
    }
    let draft = draft_of(&to);
    let copied = fs::copy(from, &draft).map_err(failed(&draft, "it cannot be written"));
    let done = copied.and_then(|_| settle(&draft, &to));
    if done.is_err() {
        let _ = fs::remove_file(&draft);
    }
    done
}

fn file_of(config: &Config) -> Result<PathBuf, Error> {
    match Target::parse(&config.url)? {
        Target::SqliteFile(path) => Ok(path),
        Target::SqliteMemory => Err(Error::Invalid("a database in memory has no copy")),
        Target::Postgres(_) => Err(Error::Invalid(
            "PostgreSQL has programs of its own for backups, such as pg_dump",
        )),
    }
}

/// Refuses a path where no file is, before somebody makes one there.
pub(crate) fn must_exist(path: &Path) -> Result<(), Error> {
    let found = fs::metadata(path).map_err(failed(path, "there is no such file"))?;
    if found.is_file() {
        Ok(())
    } else {
        Err(refused(path, "it is no file"))
    }
}

fn refuse_existing(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path, "it cannot be looked at")(error)),
        Ok(_) => Err(Error::Exists {
            path: path.to_owned(),
        }),
    }
}

fn refused(path: &Path, reason: &'static str) -> Error {
    Error::Open {
        path: path.to_owned(),
        reason,
        cause: None,
    }
}

fn failed(path: &Path, reason: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Open {
        path,
        reason,
        cause: Some(Box::new(cause)),
    }
}

/// The name under which a file is written until it is whole.
fn draft_of(path: &Path) -> PathBuf {
    beside(path, ".partial")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes what one reader sees. It holds up nobody: others write on, into a log that grows until
/// the copy is done.
fn copy_out(from: &Path, config: &Config, draft: &Path) -> Result<(), Error> {
    let mut conn = dialect::open_sqlite(&dialect::sqlite_file(from), config, false)?;
    let Conn::Sqlite(connection) = &mut conn else {
        unreachable!("it was opened as one");
    };
    let to = dialect::sqlite_file(draft);
    let query = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(to);
    query.execute(connection).map(drop).map_err(classify)
}

/// Checks a finished draft, puts it on the disk and gives it its name.
fn settle(draft: &Path, to: &Path) -> Result<Copied, Error> {
    let (schema, executions) = look(draft)?;
    let file = File::open(draft).map_err(failed(draft, "it cannot be read"))?;
    let flush = |file: &File, path| {
        file.sync_all()
            .map_err(failed(path, "it cannot be flushed"))
    };
    flush(&file, draft)?;
    let bytes = file
        .metadata()
        .map_err(failed(draft, "it cannot be looked at"))?;
    // A second name fails where the file exists by now, which a new name would replace.
    fs::hard_link(draft, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists {
            path: to.to_owned(),
        },
        _ => failed(to, "it cannot be named")(error),
    })?;
    fs::remove_file(draft).map_err(failed(draft, "it cannot be removed"))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let opened = File::open(folder).map_err(failed(folder, "it cannot be opened"))?;
    flush(&opened, folder)?;
    Ok(Copied {
        path: to.to_owned(),
        bytes: bytes.len(),
        schema,
        executions,
    })
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Looks whether a file is a whole database of a version that is known; gives its newest migration
/// and how many executions it has.
fn look(path: &Path) -> Result<(String, u64), Error> {
    let connection = SqliteConnection::establish(&dialect::sqlite_file(path));
    let mut connection = connection.map_err(|error| Error::Unavailable(Box::new(error)))?;
    let check =
        diesel::sql_query("SELECT integrity_check AS line FROM pragma_integrity_check LIMIT 1");
    let found: Vec<Line> = check.load(&mut connection).map_err(classify)?;
    let verdict = found.first().map_or("", |found| &found.line);
    if verdict != "ok" {
        return Err(Error::Corrupt {
            place: "the database file",
            cause: verdict.into(),
        });
    }
    let mut conn = Conn::Sqlite(connection);
    let schema = migrate::version(&mut conn)?;
    let Conn::Sqlite(connection) = &mut conn else {
        unreachable!("it was opened as one");
    };
    let count = diesel::sql_query("SELECT count(*) AS number FROM executions");
    let count: Number = count.get_result(connection).map_err(classify)?;
    Ok((schema, u64::try_from(count.number).unwrap_or_default()))
}
