//! What the databases do not have in common: opening, settings, locks, words of errors.
//!
//! Left to others: how PostgreSQL is reached (`postgres`).

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Bool, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};

use crate::config::{Config, Synchronous};
use crate::connection::Conn;
use crate::error::Error;
use crate::postgres::{Address, PgConn};

/// Pages of the write-ahead log before it is copied into the database: a larger log spreads the
/// cost of a copy over more commits, and is what a start after a crash has to read.
const WAL_PAGES: u32 = 4000;

/// Memory for the pages that the writer keeps: eight for each of the most commands of one commit.
/// Not more, since SQLite looks through all of them after a commit that has balanced a tree.
const WRITER_CACHE_KIB: u32 = 32 * 1024;

/// The first half of the lock for what belongs to no shard; the second half is the schema's. It
/// was the lock of the one writer in earlier versions, so that none of them runs beside this one.
const COMMON_LOCK: i32 = 0x4155_544E;

/// The same of the lock of who changes the schema.
const SCHEMA_LOCK: i32 = COMMON_LOCK + 1;

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

/// Opens a connection to a server. `name` is what the server shows of it.
pub(crate) fn open_postgres(address: &Address, name: &str) -> Result<Conn, Error> {
    let mut conn = address.connect(name)?;
    // Plans are made while the tables are small, and kept; so they must not depend on how large
    // the tables are: whatever is asked often is asked by an index.
    conn.run(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
         SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off",
    )?;
    Ok(conn)
}

/// Prepares a connection for being the writer. `owner` is the name of the connection.
///
/// On SQLite the pages that a commit changes must all find room, or they are written more than
/// once; memory is taken only as far as it is used. On PostgreSQL a session that we have lost is
/// ended: it holds a lock that we need.
pub(crate) fn prepare_writer(conn: &mut Conn, config: &Config, owner: &str) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run(&format!("PRAGMA cache_size = -{WRITER_CACHE_KIB}")),
        Conn::Postgres(c, _) => {
            let commit = match config.synchronous {
                Synchronous::Full => "on",
                Synchronous::Normal => "off",
            };
            c.batch_execute(&format!("SET synchronous_commit = {commit}"))
                .map_err(classify)?;
            end_lost_session(c, owner)
        }
    }
}

/// Ends the session of an earlier connection of that name.
fn end_lost_session(conn: &mut PgConn, owner: &str) -> Result<(), Error> {
    diesel::sql_query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = $1 AND usename = current_user AND pid <> pg_backend_pid()",
    )
    .bind::<Text, _>(owner)
    .execute(conn)
    .map(drop)
    .map_err(classify)
}

/// Within a transaction: lets one server after the other write what belongs to no shard.
pub(crate) fn lock_common(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        // There is no other server.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(..) => conn.run(&format!(
            "SELECT pg_advisory_xact_lock({COMMON_LOCK}, hashtext(current_schema()))"
        )),
    }
}

/// Looks whether there is a place for our tables.
pub(crate) fn check_schema(conn: &mut Conn) -> Result<(), Error> {
    let Conn::Postgres(c, _) = conn else {
        return Ok(());
    };
    let exists = diesel::dsl::sql::<Bool>("current_schema() IS NOT NULL");
    let exists: bool = diesel::select(exists)
        .get_result(&mut **c)
        .map_err(classify)?;
    if exists {
        Ok(())
    } else {
        Err(Error::Invalid("no schema of the search_path exists"))
    }
}

/// Lets one server after the other change the schema.
pub(crate) fn lock_schema(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        // Its file is locked already.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(..) => conn.run(&format!(
            "SELECT pg_advisory_lock({SCHEMA_LOCK}, hashtext(current_schema()))"
        )),
    }
}

/// Ends what [`lock_schema`] began.
pub(crate) fn unlock_schema(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(..) => conn.run(&format!(
            "SELECT pg_advisory_unlock({SCHEMA_LOCK}, hashtext(current_schema()))"
        )),
    }
}

/// Refuses every write on this connection from now on.
pub(crate) fn forbid_writes(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run("PRAGMA query_only = ON"),
        Conn::Postgres(..) => conn.run("SET default_transaction_read_only = on"),
    }
}

/// Begins a transaction that reads one state of the database.
pub(crate) fn begin_read(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run("BEGIN"),
        Conn::Postgres(..) => conn.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
    }
}

/// Begins a transaction that writes. Takes the lock at once: taken later, it could fail where
/// waiting does not help.
pub(crate) fn begin_write(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(_) => conn.run("BEGIN IMMEDIATE"),
        // Each server writes for its own shards.
        Conn::Postgres(..) => conn.run("BEGIN"),
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

/// Sorts what the database says by what can be done about it.
///
/// diesel does not pass on the codes. SQLite's texts are fixed, one for each code. PostgreSQL's may
/// be translated; then what is not sorted by its kind or by the loss of the connection counts as
/// unexpected, and is tried again all the same.
pub(crate) fn classify(error: DieselError) -> Error {
    const BUSY: &[&str] = &[
        "database is locked",
        "database table is locked",
        "canceling statement due to lock timeout",
        "deadlock detected",
    ];
    const UNAVAILABLE: &[&str] = &[
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
        "out of memory",
        "terminating connection",
        "the database system is",
        "sorry, too many clients",
        "remaining connection slots",
        "could not extend file",
        "could not write",
        "canceling statement due to",
    ];
    const CORRUPT: &[&str] = &["database disk image is malformed", "file is not a database"];
    use DatabaseErrorKind as Kind;
    match &error {
        DieselError::DatabaseError(
            Kind::UnableToSendCommand | Kind::ClosedConnection | Kind::ReadOnlyTransaction,
            _,
        ) => Error::Unavailable(Box::new(error)),
        DieselError::DatabaseError(Kind::SerializationFailure, _) => Error::Busy,
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
