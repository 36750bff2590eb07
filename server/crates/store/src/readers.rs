//! Connections that read, for whoever asks.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::connection::Conn;
use crate::dialect;
use crate::error::Error;
use crate::reader::Reader;
use crate::store::Shared;

/// Connections that read, shared by all who ask. Cheap to clone.
#[derive(Clone)]
pub struct Readers(Arc<Pool>);

struct Pool {
    shared: Arc<Shared>,
    free: Mutex<Free>,
    returned: Condvar,
    limit: usize,
    patience: Duration,
}

/// Connections that nobody uses now.
struct Free {
    readers: Vec<Reader>,
    /// How many there are, used or not.
    open: usize,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}

impl Readers {
    pub(crate) fn new(shared: Arc<Shared>, first: Conn, config: &Config) -> Result<Self, Error> {
        let first = into_reader(first)?;
        Ok(Self(Arc::new(Pool {
            shared,
            free: Mutex::new(Free {
                readers: vec![first],
                open: 1,
            }),
            returned: Condvar::new(),
            limit: config.readers.max(1),
            patience: config.busy_timeout,
        })))
    }

    /// Reads from one state of the database: what is committed meanwhile stays unseen. Blocks,
    /// also until a connection is free. `work` must not call this again.
    pub fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T, Error>) -> Result<T, Error> {
        let pool = &*self.0;
        let turn = pool.shared.turns.as_ref();
        let _turn = turn.map(|turns| turns.read().unwrap_or_else(PoisonError::into_inner));
        let mut lease = pool.begin()?;
        let reader = lease
            .reader
            .as_mut()
            .expect("a lease holds its reader until it ends");
        let done = work(reader)?;
        reader.conn.run("COMMIT")?;
        lease.begun = false;
        Ok(done)
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection and begins to read. One that was lost while nobody used it is found out
    /// by this, and another one is taken.
    fn begin(&self) -> Result<Lease<'_>, Error> {
        loop {
            let mut lease = Lease {
                pool: self,
                reader: Some(self.take()?),
                begun: false,
            };
            let reader = lease
                .reader
                .as_mut()
                .expect("a lease holds its reader until it ends");
            match dialect::begin_read(&mut reader.conn) {
                Ok(()) => {
                    lease.begun = true;
                    return Ok(lease);
                }
                // Only what was left of before: a new connection that is lost says so.
                Err(error) if reader.is_used && reader.conn.is_lost_after(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes a free connection, opens one, or waits for one.
    fn take(&self) -> Result<Reader, Error> {
        let deadline = Instant::now() + self.patience;
        let mut free = self.lock();
        loop {
            if let Some(reader) = free.readers.pop() {
                return Ok(reader);
            }
            if free.open < self.limit {
                free.open += 1;
                drop(free);
                return self.open().inspect_err(|_| self.forget());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Busy);
            }
            let waited = self.returned.wait_timeout(free, left);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn open(&self) -> Result<Reader, Error> {
        into_reader(self.shared.connect()?)
    }

    /// A connection is gone; another may be opened in its place.
    fn forget(&self) {
        self.lock().open -= 1;
        self.returned.notify_one();
    }
}

fn into_reader(mut conn: Conn) -> Result<Reader, Error> {
    dialect::forbid_writes(&mut conn)?;
    Ok(Reader {
        conn,
        is_used: false,
    })
}

/// A connection in use. It goes back however its use ends, also if its user panics.
struct Lease<'a> {
    pool: &'a Pool,
    reader: Option<Reader>,
    /// Whether a transaction is under way. Nothing was written in it, so nothing is lost with it.
    begun: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(mut reader) = self.reader.take() else {
            return;
        };
        if self.begun {
            let _ = reader.conn.run("ROLLBACK");
        }
        if reader.conn.is_lost() {
            return self.pool.forget();
        }
        reader.is_used = true;
        self.pool.lock().readers.push(reader);
        self.pool.returned.notify_one();
    }
}
