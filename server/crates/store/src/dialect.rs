//! What the databases do not have in common: opening, settings, locks, words of errors.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{Connection as _, SqliteConnection};

use crate::config::{Config, Synchronous};
use crate::connection::Conn;
use crate::error::Error;

/// Pages of the write-ahead log before it is copied into the database: a larger log spreads the
/// cost of a copy over more commits, and is what a start after a crash has to read.
const WAL_PAGES: u32 = 4000;

/// Pages that the writer may keep in memory.
const WRITER_CACHE_KIB: u32 = 64 * 1024;

/// Where SQLite finds a database in a file.
pub(crate) fn sqlite_file(path: &Path) -> String {
    // An absolute or dotted path is never taken for a URI, whatever it is called.
    if path.is_absolute() {
        path.display().to_string()
    } else {
        Path::new(".").join(path).display().to_string()
    }
}

/// Where SQLite finds a new database in the memory of this process. All connections that use this
/// name share it; it is gone with the last of them.
pub(crate) fn sqlite_memory() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(
        "file:/autan-{}?vfs=memdb",
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Opens a connection and sets it up.
pub(crate) fn open_sqlite(location: &str, config: &Config, memory: bool) -> Result<Conn, Error> {
    let connection = SqliteConnection::establish(location)
        .map_err(|error| Error::Unavailable(Box::new(error)))?;
    let mut conn = Conn::Sqlite(connection);
    // The timeout comes first: the settings after it may have to wait for a lock.
    conn.run(&format!(
        "PRAGMA busy_timeout = {}",
        config.busy_timeout.as_millis()
    ))?;
    let synchronous = match config.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    if memory {
        conn.run("PRAGMA journal_mode = MEMORY")?;
    } else {
        conn.run("PRAGMA journal_mode = WAL")?;
        conn.run(&format!("PRAGMA synchronous = {synchronous}"))?;
        conn.run(&format!("PRAGMA wal_autocheckpoint = {WAL_PAGES}"))?;
    }
    conn.run("PRAGMA temp_store = MEMORY")?;
    Ok(conn)
}

/// Prepares a connection for being the writer: pages that a commit changes must all find room, or
/// they are written more than once. Memory is taken only as far as it is used.
pub(crate) fn prepare_writer(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run(&format!("PRAGMA cache_size = -{WRITER_CACHE_KIB}")),
    }
}

/// Refuses every write on this connection from now on.
pub(crate) fn forbid_writes(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run("PRAGMA query_only = ON"),
    }
}

/// Begins a transaction that reads one state of the database.
pub(crate) fn begin_read(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run("BEGIN"),
    }
}

/// Begins a transaction that writes. Takes the lock at once: taken later, it could fail where
/// waiting does not help.
pub(crate) fn begin_write(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run("BEGIN IMMEDIATE"),
    }
}

/// Whether an error says that a row of that key exists.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    let Error::Internal(cause) = error else {
        return false;
    };
    matches!(
        cause.downcast_ref(),
        Some(DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            _
        ))
    )
}

/// Sorts what the database says by what can be done about it. SQLite's texts are fixed, one for
/// each of its result codes; the code itself is not passed on by diesel.
pub(crate) fn classify(error: DieselError) -> Error {
    const BUSY: &[&str] = &["database is locked", "database table is locked"];
    const UNAVAILABLE: &[&str] = &[
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
        "out of memory",
    ];
    const CORRUPT: &[&str] = &["database disk image is malformed", "file is not a database"];
    match &error {
        DieselError::DatabaseError(_, information) => {
            let says = |texts: &[&str]| texts.iter().any(|t| information.message().starts_with(t));
            if says(BUSY) {
                Error::Busy
            } else if says(UNAVAILABLE) {
                Error::Unavailable(Box::new(error))
            } else if says(CORRUPT) {
                Error::Corrupt {
                    place: "the database file",
                    cause: Box::new(error),
                }
            } else {
                Error::Internal(Box::new(error))
            }
        }
        DieselError::DeserializationError(_) => Error::Corrupt {
            place: "the type of a column",
            cause: Box::new(error),
        },
        _ => Error::Internal(Box::new(error)),
    }
}
