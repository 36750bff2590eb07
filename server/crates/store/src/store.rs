//! The open database: its files, its lock, and who may write.
//!
//! **Invariant:** one store per database, also among processes. The lock is a file beside it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use crate::config::{Config, Target};
use crate::connection::Conn;
use crate::dialect;
use crate::error::{Cause, Error};
use crate::migrate;
use crate::readers::Readers;
use crate::writer::Writer;

/// An open database. It stays open until the store, its writer and all its readers are gone.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    readers: Readers,
}

/// What the store, the writer and the readers hold together.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    /// Where connections find the database.
    location: String,
    /// In memory: keeps out of each other's way those who would otherwise poll for locks. SQLite
    /// has no write-ahead log there, so readers and the writer exclude each other anyway.
    pub(crate) turns: Option<RwLock<()>>,
    writer_taken: AtomicBool,
    /// Released by the operating system, whatever becomes of this process.
    _lock: Option<File>,
}

impl Shared {
    /// Opens another connection.
    pub(crate) fn connect(&self) -> Result<Conn, Error> {
        dialect::open_sqlite(&self.location, &self.config, self.turns.is_some())
    }

    /// Gives the writer back.
    pub(crate) fn release_writer(&self) {
        self.writer_taken.store(false, Ordering::Release);
    }
}

impl Store {
    /// Opens the database, makes it if there is none, and brings its schema up to date.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let target = Target::parse(&config.url)?;
        let (location, lock) = match &target {
            Target::SqliteMemory => (dialect::sqlite_memory(), None),
            Target::SqliteFile(path) => {
                let lock = prepare(path)?;
                (dialect::sqlite_file(path), Some(lock))
            }
        };
        let shared = Arc::new(Shared {
            config: config.clone(),
            location,
            turns: (target == Target::SqliteMemory).then(RwLock::default),
            writer_taken: AtomicBool::new(false),
            _lock: lock,
        });
        let mut first = shared
            .connect()
            .map_err(|error| name_file(&target, error))?;
        migrate::migrate(&mut first)?;
        // The connection that migrated becomes the first reader: a database in memory lives as
        // long as it has a connection.
        let readers = Readers::new(shared.clone(), first, config)?;
        Ok(Self { shared, readers })
    }

    /// The writer. There is one; it can be taken again after it was dropped.
    pub fn writer(&self) -> Result<Writer, Error> {
        if self.shared.writer_taken.swap(true, Ordering::AcqRel) {
            return Err(Error::WriterTaken);
        }
        let connected = self.shared.connect().and_then(|mut conn| {
            dialect::prepare_writer(&mut conn)?;
            Ok(conn)
        });
        match connected {
            Ok(conn) => Ok(Writer::new(conn, self.shared.clone())),
            Err(error) => {
                self.shared.release_writer();
                Err(error)
            }
        }
    }

    /// The readers.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }
}

/// Makes the folder, looks whether the file can be used, and takes the lock.
fn prepare(path: &Path) -> Result<File, Error> {
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
            path: path.to_owned(),
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
        (_, error) => error,
    }
}
