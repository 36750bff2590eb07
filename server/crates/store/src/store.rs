//! The open database: its files, its lock, and who may write.
//!
//! **Invariant:** one store per file, also among processes: its lock is a file beside it. Servers
//! that share PostgreSQL have a seat each, which is taken with the writer, by its session.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use uuid::Uuid;

use crate::cluster::{self, Membership, SHARDS, Seat};
use crate::config::{Config, Target};
use crate::connection::Conn;
use crate::dialect;
use crate::error::{Cause, Error};
use crate::migrate::{self, Migrated};
use crate::moving;
use crate::postgres::Address;
use crate::promote;
use crate::pulse::Pulse;
use crate::readers::Readers;
use crate::writer::Writer;

/// An open database. It stays open until the store, its writer and all its readers are gone.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    readers: Readers,
    migrated: Migrated,
}

/// Where connections find a database.
#[derive(Debug)]
enum Place {
    /// The name by which SQLite finds it.
    Sqlite(String),
    /// A server, and what it shows of connections that read.
    Postgres { address: Box<Address>, name: String },
}

/// How often it is tried to take a seat.
const JOIN_TRIES: u32 = 5;

/// What the store, the writer and the readers hold together.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    /// Where connections find the database.
    place: Place,
    /// In memory: keeps out of each other's way those who would otherwise poll for locks. SQLite
    /// has no write-ahead log there, so readers and the writer exclude each other anyway.
    pub(crate) turns: Option<RwLock<()>>,
    writer_taken: AtomicBool,
    /// Where the writer sits, while there is one.
    seat: Mutex<Option<Seat>>,
    /// How the writer's writes go.
    pub(crate) pulse: Pulse,
    /// Released by the operating system, whatever becomes of this process.
    _lock: Option<File>,
}

impl Shared {
    /// How many events are kept of each execution.
    pub(crate) fn history_kept(&self) -> Option<i64> {
        self.config.history_kept.map(i64::from)
    }

    /// Opens another connection.
    pub(crate) fn connect(&self) -> Result<Conn, Error> {
        match &self.place {
            Place::Sqlite(location) => {
                dialect::open_sqlite(location, &self.config, self.turns.is_some())
            }
            Place::Postgres { address, name } => dialect::open_postgres(address, name),
        }
    }

    /// Opens a connection that writes, and takes a seat, or the same one again. If others have
    /// taken this server for dead meanwhile, the answer is [`Error::Fenced`].
    pub(crate) fn connect_writer(&self) -> Result<Conn, Error> {
        self.try_connect_writer(JOIN_TRIES)
    }

    fn try_connect_writer(&self, tries: u32) -> Result<Conn, Error> {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut conn, name) = match &self.place {
            Place::Sqlite(location) => (self.connect()?, location.clone()),
            Place::Postgres { address, name } => {
                let name = format!("{name} writer");
                (dialect::open_postgres(address, &name)?, name)
            }
        };
        dialect::prepare_writer(&mut conn, &self.config, &name)?;
        let Conn::Postgres(c, _) = &mut conn else {
            *seat = Some(Seat::default());
            return Ok(conn);
        };
        match *seat {
            None => {
                let joined = cluster::join(c, &self.config.address, self.config.lease);
                match joined {
                    Ok(taken) => *seat = Some(taken),
                    // Whoever was just taking the server before it for dead has met this one.
                    Err(error) if tries > 1 && conn.is_lost_after(&error) => {
                        drop(seat);
                        return self.try_connect_writer(tries - 1);
                    }
                    Err(error) => return Err(error),
                }
            }
            Some(taken) => {
                if !cluster::take_again(c, taken, self.config.busy_timeout)? {
                    return Err(self.fenced());
                }
            }
        }
        Ok(conn)
    }

    /// Where the writer sits.
    pub(crate) fn seat(&self) -> Seat {
        let seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        seat.unwrap_or_default()
    }

    /// What is said when others have taken this server for dead.
    pub(crate) fn fenced(&self) -> Error {
        let database = match &self.place {
            Place::Sqlite(location) => location.clone(),
            Place::Postgres { address, .. } => address.to_string(),
        };
        Error::Fenced { database }
    }

    /// How long a server that says nothing counts as there.
    pub(crate) fn lease(&self) -> Duration {
        self.config.lease
    }

    /// Shards that executions are spread over.
    pub(crate) fn shards(&self) -> i16 {
        match &self.place {
            // One server has all: rows that are written together lie together.
            Place::Sqlite(_) => 1,
            Place::Postgres { .. } => SHARDS,
        }
    }

    /// How long is waited for the database, if it is away or busy.
    pub(crate) fn patience(&self) -> Duration {
        self.config.busy_timeout
    }

    /// Gives the writer back.
    pub(crate) fn release_writer(&self) {
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.writer_taken.store(false, Ordering::Release);
    }
}

impl Store {
    /// Opens the database, makes it if there is none, and brings its schema up to date.
    pub fn open(config: &Config) -> Result<Self, Error> {
        if let Target::SqliteFile(path) = Target::parse(&config.url)? {
            moving::refuse(&path)?;
        }
        Self::open_to_move(config)
    }

    /// The same, also of a database that may have been moved.
    pub(crate) fn open_to_move(config: &Config) -> Result<Self, Error> {
        let target = Target::parse(&config.url)?;
        let (place, lock) = match &target {
            Target::SqliteMemory => (Place::Sqlite(dialect::sqlite_memory()), None),
            Target::SqliteFile(path) => {
                let lock = prepare(path)?;
                (Place::Sqlite(dialect::sqlite_file(path)), Some(lock))
            }
            Target::Postgres(address) => {
                let address = address.clone();
                let name = format!("autan {}", Uuid::now_v7().simple());
                (Place::Postgres { address, name }, None)
            }
        };
        let shared = Arc::new(Shared {
            config: config.clone(),
            place,
            turns: (target == Target::SqliteMemory).then(RwLock::default),
            writer_taken: AtomicBool::new(false),
            seat: Mutex::new(None),
            pulse: Pulse::default(),
            _lock: lock,
        });
        let mut first = shared
            .connect()
            .map_err(|error| name_file(&target, error))?;
        let migrated = migrate::migrate(&mut first)?;
        promote::refuse_moved(&mut first, &config.shown()?)?;
        // The connection that migrated becomes the first reader: a database in memory lives as
        // long as it has a connection.
        let readers = Readers::new(shared.clone(), first, config)?;
        Ok(Self {
            shared,
            readers,
            migrated,
        })
    }

    /// What opening has done to the schema.
    pub fn migrated(&self) -> &Migrated {
        &self.migrated
    }

    /// A connection of its own that writes. [`Error::InUse`] if a server has the database; one that
    /// starts later has to be kept out by other means.
    pub(crate) fn connect_alone(&self) -> Result<Conn, Error> {
        let mut conn = self.shared.connect()?;
        if let Conn::Postgres(c, _) = &mut conn
            && cluster::is_in_use(c)?
        {
            let Place::Postgres { address, .. } = &self.shared.place else {
                return Err(Error::Invalid("the place of the database has changed"));
            };
            let database = address.to_string();
            return Err(Error::InUse { database });
        }
        Ok(conn)
    }

    /// The writer. There is one; it can be taken again after it was dropped.
    pub fn writer(&self) -> Result<Writer, Error> {
        if self.shared.writer_taken.swap(true, Ordering::AcqRel) {
            return Err(Error::WriterTaken);
        }
        match self.shared.connect_writer() {
            Ok(conn) => Ok(Writer::new(conn, self.shared.clone())),
            Err(error) => {
                self.shared.release_writer();
                Err(error)
            }
        }
    }

    /// Shards that executions are spread over; the shard of a new one is the last byte of its uid,
    /// modulo this.
    pub fn shards(&self) -> i16 {
        self.shared.shards()
    }

    /// The part of this server among those that share the database; `None` if it shares none.
    /// Needs the seat that the writer has taken.
    pub fn membership(&self) -> Option<Membership> {
        let is_shared = matches!(self.shared.place, Place::Postgres { .. });
        is_shared.then(|| Membership::new(self.shared.clone(), self.shared.seat()))
    }

    /// Whether the database takes what is written.
    pub fn pulse(&self) -> &Pulse {
        &self.shared.pulse
    }

    /// The readers.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }
}

/// Makes the folder, looks whether the file can be used, and takes the lock.
pub(crate) fn prepare(path: &Path) -> Result<File, Error> {
    let refuse = |reason| {
        let path = path.to_owned();
        move |error: io::Error| Error::Open {
            path,
            reason,
            cause: Some(Box::new(error)),
        }
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder).map_err(refuse("its folder cannot be made"))?;
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(plain(path, "it is a folder")),
        // Asked of the file itself: some users may write all the same, and then half of the
        // database's files would be writable.
        Ok(found) if found.permissions().readonly() => {
            return Err(plain(path, "the file is read-only"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refuse("the file cannot be looked at")(error)),
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(Path::new(&name))
        .map_err(refuse("its lock file cannot be made"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            database: path.display().to_string(),
        }),
        Err(TryLockError::Error(error)) => Err(refuse("its lock file cannot be locked")(error)),
    }
}

fn plain(path: &Path, reason: &'static str) -> Error {
    Error::Open {
        path: path.to_owned(),
        reason,
        cause: None,
    }
}

/// Says which file it is that cannot be opened.
fn name_file(target: &Target, error: Error) -> Error {
    match (target, error) {
        (Target::SqliteFile(path), Error::Unavailable(cause)) => {
            let (reason, cause): (_, Option<Cause>) = ("the file cannot be opened", Some(cause));
            Error::Open {
                path: path.clone(),
                reason,
                cause,
            }
        }
        (Target::Postgres(address), Error::Unavailable(cause)) => Error::Connect {
            database: address.to_string(),
            cause,
        },
        (_, error) => error,
    }
}
