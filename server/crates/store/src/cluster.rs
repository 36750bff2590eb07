//! Servers that share a database: who they are, who owns which shard, and who is taken for dead.
//!
//! **Invariant:** a server commits only in a session that holds the lock of its slot. The slot of
//! a server that is taken for dead is marked first, its session is ended next, and its shards go
//! to others only when the lock is free: so whatever it was about to commit is committed or not,
//! but not still to come. A server that finds its slot marked, or taken by another, is
//! [`Error::Fenced`] and writes nothing any more.
//!
//! Left to others: who should own what (`server::cluster`), what an owner does with its shards
//! (`server::driver`).

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text};
use diesel::{OptionalExtension as _, RunQueryDsl as _};

use crate::connection::Conn;
use crate::dialect::classify;
use crate::error::Error;
use crate::postgres::PgConn;
use crate::store::Shared;

/// Shards of a database that servers can share; the last byte of a uid is the shard.
pub const SHARDS: i16 = 256;

/// Servers that one database can have.
const SLOTS: i16 = 128;

/// How long the lock of a slot must be free before its server is taken for dead although its time
/// is not over: one that was only cut off comes back sooner.
const ABSENCE: Duration = Duration::from_secs(1);

/// How long is waited between two looks at a lock.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the session of a server that is taken for dead may need to end.
const END_MAX: Duration = Duration::from_secs(10);

/// The time of the database, microseconds since the epoch.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// The lock of a slot; `$1` is the slot.
const LOCK: &str = "hashtextextended('autan slot ' || current_schema() || ' ' || $1::text, 0)";

/// Where a server sits: what it writes is written under this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// Number among the servers that share the database; the log of its commits.
    pub slot: i16,
    /// Which server it is of those that have had the slot.
    pub epoch: i64,
}

impl std::fmt::Display for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.slot, self.epoch)
    }
}

/// Whether a server is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// It is, as far as is known.
    Live,
    /// It has left in order.
    Left,
    /// It was taken for dead.
    Fenced,
}

/// A server of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRow {
    /// Where it sits.
    pub seat: Seat,
    /// Where the others reach it: `host:port`.
    pub address: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// Whether it is there.
    pub state: ServerState,
    /// When it came, by the clock of the database; microseconds since the epoch.
    pub started_us: i64,
    /// How long it counts as there; microseconds, negative when that is over.
    pub left_us: i64,
}

/// Who has a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardRow {
    /// Which.
    pub shard: i16,
    /// Slot of its owner; `None` while it has none.
    pub slot: Option<i16>,
    /// How many owners it has had.
    pub epoch: i64,
}

/// All servers and shards, at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// In order of their slots; also those that are gone, until their slot is taken again.
    pub servers: Vec<ServerRow>,
    /// In order.
    pub shards: Vec<ShardRow>,
}

/// The part that a server has among the others: a connection of its own, beside the writer's.
pub struct Membership {
    shared: Arc<Shared>,
    seat: Seat,
    conn: Option<Conn>,
}

#[derive(QueryableByName)]
struct SlotRow {
    #[diesel(sql_type = SmallInt)]
    slot: i16,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    started_us: i64,
    #[diesel(sql_type = BigInt)]
    left_us: i64,
}

#[derive(QueryableByName)]
struct OwnerRow {
    #[diesel(sql_type = SmallInt)]
    shard: i16,
    #[diesel(sql_type = Nullable<SmallInt>)]
    slot: Option<i16>,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
}

#[derive(QueryableByName)]
struct Holds {
    #[diesel(sql_type = Bool)]
    holds: bool,
}

#[derive(QueryableByName)]
struct Epoch {
    #[diesel(sql_type = BigInt)]
    epoch: i64,
}

#[derive(QueryableByName)]
struct Shard {
    #[diesel(sql_type = SmallInt)]
    shard: i16,
}

/// Takes a seat for the session. A slot that was left behind comes with the shards of the server
/// that had it, so a server that starts again goes on at once.
pub(crate) fn join(conn: &mut PgConn, address: &str, lease: Duration) -> Result<Seat, Error> {
    let rows = servers(conn)?;
    // Those that look dead first: what they own waits.
    let left_behind = rows.iter().filter(|row| row.state == ServerState::Live);
    for row in left_behind {
        let slot = row.seat.slot;
        let is_same = !address.is_empty() && *row.address == *address;
        let patience = if is_same || row.left_us <= 0 {
            Duration::ZERO
        } else {
            ABSENCE
        };
        if is_free_for(conn, slot, patience)? && try_lock(conn, slot)? {
            return sit_down(conn, slot, address, lease);
        }
    }
    let is_live = |slot: i16| {
        let row = rows.iter().find(|row| row.seat.slot == slot);
        row.is_some_and(|row| row.state == ServerState::Live)
    };
    for slot in (0..SLOTS).filter(|slot| !is_live(*slot)) {
        if try_lock(conn, slot)? {
            return sit_down(conn, slot, address, lease);
        }
    }
    Err(Error::Invalid("the database has as many servers as it can"))
}

/// Takes the seat of this server again, in a new session.
pub(crate) fn take_again(conn: &mut PgConn, seat: Seat, patience: Duration) -> Result<bool, Error> {
    let deadline = Instant::now() + patience;
    // The session of before may need a moment to end.
    while !try_lock(conn, seat.slot)? {
        if Instant::now() > deadline || !is_live(conn, seat)? {
            return Ok(false);
        }
        thread::sleep(PAUSE);
    }
    // Whoever takes this server for dead says so before it waits for the lock.
    is_live(conn, seat)
}

pub(crate) fn is_live(conn: &mut PgConn, seat: Seat) -> Result<bool, Error> {
    let found = diesel::sql_query(
        "SELECT count(*) = 1 AS holds FROM servers \
         WHERE slot = $1 AND epoch = $2 AND state = 'LIVE'",
    )
    .bind::<SmallInt, _>(seat.slot)
    .bind::<BigInt, _>(seat.epoch)
    .get_result::<Holds>(conn);
    Ok(found.map_err(classify)?.holds)
}

/// Whether nobody holds the lock of a slot for that long.
fn is_free_for(conn: &mut PgConn, slot: i16, patience: Duration) -> Result<bool, Error> {
    let until = Instant::now() + patience;
    loop {
        let holders = diesel::sql_query(format!(
            "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE {}) AS holds",
            held()
        ));
        let free = holders
            .bind::<SmallInt, _>(slot)
            .get_result::<Holds>(conn)
            .map_err(classify)?
            .holds;
        if !free || Instant::now() >= until {
            return Ok(free);
        }
        thread::sleep(PAUSE);
    }
}

/// Whether a server sits anywhere.
pub(crate) fn is_in_use(conn: &mut PgConn) -> Result<bool, Error> {
    for row in servers(conn)? {
        if !is_free_for(conn, row.seat.slot, Duration::ZERO)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finds who holds the lock of slot `$1` in `pg_locks`.
fn held() -> String {
    format!(
        "locktype = 'advisory' AND granted AND objsubid = 1 \
         AND pg_locks.database = ( \
         SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((classid::bigint << 32) | objid::bigint) = {LOCK}"
    )
}

fn try_lock(conn: &mut PgConn, slot: i16) -> Result<bool, Error> {
    let taken = diesel::sql_query(format!("SELECT pg_try_advisory_lock({LOCK}) AS holds"))
        .bind::<SmallInt, _>(slot)
        .get_result::<Holds>(conn);
    Ok(taken.map_err(classify)?.holds)
}

fn unlock(conn: &mut PgConn, slot: i16) -> Result<(), Error> {
    diesel::sql_query(format!("SELECT pg_advisory_unlock({LOCK}) AS holds"))
        .bind::<SmallInt, _>(slot)
        .get_result::<Holds>(conn)
        .map(drop)
        .map_err(classify)
}

fn sit_down(conn: &mut PgConn, slot: i16, address: &str, lease: Duration) -> Result<Seat, Error> {
    let written = diesel::sql_query(format!(
        "INSERT INTO servers (slot, epoch, address, version, state, started_us, expires_us) \
         VALUES ($1, 1, $2, $3, 'LIVE', {NOW}, {NOW} + $4) \
         ON CONFLICT (slot) DO UPDATE SET epoch = servers.epoch + 1, \
         address = excluded.address, version = excluded.version, state = 'LIVE', \
         started_us = excluded.started_us, expires_us = excluded.expires_us \
         RETURNING epoch"
    ))
    .bind::<SmallInt, _>(slot)
    .bind::<Text, _>(address)
    .bind::<Text, _>(env!("CARGO_PKG_VERSION"))
    .bind::<BigInt, _>(micros(lease))
    .get_result::<Epoch>(conn);
    let epoch = written.map_err(classify)?.epoch;
    diesel::sql_query("UPDATE shards SET epoch = epoch + 1 WHERE slot = $1")
        .bind::<SmallInt, _>(slot)
        .execute(conn)
        .map_err(classify)?;
    Ok(Seat { slot, epoch })
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn servers(conn: &mut PgConn) -> Result<Vec<ServerRow>, Error> {
    let rows: Vec<SlotRow> = diesel::sql_query(format!(
        "SELECT slot, epoch, address, version, state, started_us, \
         expires_us - {NOW} AS left_us FROM servers ORDER BY slot"
    ))
    .load(conn)
    .map_err(classify)?;
    Ok(rows.into_iter().map(ServerRow::from).collect())
}

impl From<SlotRow> for ServerRow {
    fn from(row: SlotRow) -> Self {
        let state = match &*row.state {
            "LIVE" => ServerState::Live,
            "LEFT" => ServerState::Left,
            _ => ServerState::Fenced,
        };
        Self {
            seat: Seat {
                slot: row.slot,
                epoch: row.epoch,
            },
            address: row.address.into(),
            version: row.version.into(),
            state,
            started_us: row.started_us,
            left_us: row.left_us,
        }
    }
}

impl Membership {
    pub(crate) fn new(shared: Arc<Shared>, seat: Seat) -> Self {
        Self {
            shared,
            seat,
            conn: None,
        }
    }

    /// Where this server sits.
    pub fn seat(&self) -> Seat {
        self.seat
    }

    /// Says that this server is there for another while. Fails with [`Error::Fenced`] when it was
    /// taken for dead.
    pub fn renew(&mut self) -> Result<ClusterView, Error> {
        let (seat, lease) = (self.seat, self.shared.lease());
        let fenced = self.shared.fenced();
        self.ask(|conn| {
            let renewed = diesel::sql_query(format!(
                "UPDATE servers SET expires_us = {NOW} + $3 \
                 WHERE slot = $1 AND epoch = $2 AND state = 'LIVE' RETURNING epoch"
            ))
            .bind::<SmallInt, _>(seat.slot)
            .bind::<BigInt, _>(seat.epoch)
            .bind::<BigInt, _>(micros(lease))
            .get_result::<Epoch>(conn)
            .optional();
            if renewed.map_err(classify)?.is_none() {
                return Err(fenced);
            }
            view(conn)
        })
    }

    /// Takes shards that nobody has, at most so many; gives those that it got.
    pub fn claim(&mut self, count: usize) -> Result<Vec<i16>, Error> {
        let seat = self.seat;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.ask(|conn| {
            let taken: Vec<Shard> = diesel::sql_query(
                "UPDATE shards SET slot = $1, epoch = epoch + 1 WHERE shard IN ( \
                 SELECT shard FROM shards WHERE slot IS NULL ORDER BY shard LIMIT $3 \
                 FOR UPDATE SKIP LOCKED) AND EXISTS (SELECT FROM servers \
                 WHERE slot = $1 AND epoch = $2 AND state = 'LIVE') RETURNING shard",
            )
            .bind::<SmallInt, _>(seat.slot)
            .bind::<BigInt, _>(seat.epoch)
            .bind::<BigInt, _>(count)
            .load(conn)
            .map_err(classify)?;
            Ok(taken.into_iter().map(|row| row.shard).collect())
        })
    }

    /// Gives shards away. Nothing of them is committed by this server any more.
    pub fn release(&mut self, shards: &[i16]) -> Result<(), Error> {
        let seat = self.seat;
        self.ask(|conn| {
            diesel::sql_query(
                "UPDATE shards SET slot = NULL, epoch = epoch + 1 \
                 WHERE slot = $1 AND shard = ANY($2)",
            )
            .bind::<SmallInt, _>(seat.slot)
            .bind::<Array<SmallInt>, _>(shards)
            .execute(conn)
            .map(drop)
            .map_err(classify)
        })
    }

    /// Leaves in order: all shards are for others to take.
    pub fn leave(&mut self) -> Result<(), Error> {
        let seat = self.seat;
        self.ask(|conn| {
            diesel::sql_query(
                "WITH gone AS (UPDATE servers SET state = 'LEFT' \
                 WHERE slot = $1 AND epoch = $2 AND state = 'LIVE' RETURNING slot) \
                 UPDATE shards SET slot = NULL, epoch = epoch + 1 \
                 WHERE slot IN (SELECT slot FROM gone)",
            )
            .bind::<SmallInt, _>(seat.slot)
            .bind::<BigInt, _>(seat.epoch)
            .execute(conn)
            .map(drop)
            .map_err(classify)
        })
    }

    /// Whether the lock of a slot is free at this moment: its server has no session that commits.
    pub fn is_absent(&mut self, seat: Seat) -> Result<bool, Error> {
        self.ask(|conn| is_free_for(conn, seat.slot, Duration::ZERO))
    }

    /// Takes another server for dead: ends its session and frees its shards. Says whether that was
    /// done; not if it has come back, or its session does not end. With `is_absent` also if its
    /// time is not over, because it has no session.
    pub fn fence(&mut self, seat: Seat, is_absent: bool) -> Result<bool, Error> {
        self.ask(|conn| {
            diesel::sql_query(format!(
                "UPDATE servers SET state = 'FENCED', expires_us = {NOW} \
                 WHERE slot = $1 AND epoch = $2 \
                 AND state = 'LIVE' AND ($3 OR expires_us < {NOW})"
            ))
            .bind::<SmallInt, _>(seat.slot)
            .bind::<BigInt, _>(seat.epoch)
            .bind::<Bool, _>(is_absent)
            .execute(conn)
            .map_err(classify)?;
            free_shards(conn, seat)
        })
    }

    /// Asks on the connection, which is made when it is needed.
    fn ask<T>(&mut self, work: impl FnOnce(&mut PgConn) -> Result<T, Error>) -> Result<T, Error> {
        if self.conn.as_ref().is_none_or(Conn::is_lost) {
            self.conn = Some(self.shared.connect()?);
        }
        let conn = self.conn.as_mut().expect("it was made just now");
        let Conn::Postgres(inner, _) = &mut *conn else {
            return Err(Error::Invalid("this database is not shared"));
        };
        let done = work(inner);
        if let Err(error) = &done
            && conn.is_lost_after(error)
        {
            self.conn = None;
        }
        done
    }
}

/// Frees the shards of a server that was taken for dead, when its session has ended. Says false if
/// the slot was taken again meanwhile, or the session does not end.
fn free_shards(conn: &mut PgConn, seat: Seat) -> Result<bool, Error> {
    let deadline = Instant::now() + END_MAX;
    loop {
        let is_marked = diesel::sql_query(
            "SELECT count(*) = 1 AS holds FROM servers \
             WHERE slot = $1 AND epoch = $2 AND state = 'FENCED'",
        )
        .bind::<SmallInt, _>(seat.slot)
        .bind::<BigInt, _>(seat.epoch)
        .get_result::<Holds>(conn)
        .map_err(classify)?;
        if !is_marked.holds || Instant::now() > deadline {
            return Ok(false);
        }
        // Not that of a new server, which has come since.
        diesel::sql_query(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) \
             WHERE {} AND (extract(epoch FROM backend_start) * 1000000)::bigint < ( \
             SELECT expires_us FROM servers WHERE slot = $1 AND epoch = $2 AND state = 'FENCED')",
            held()
        ))
        .bind::<SmallInt, _>(seat.slot)
        .bind::<BigInt, _>(seat.epoch)
        .execute(conn)
        .map_err(classify)?;
        if try_lock(conn, seat.slot)? {
            break;
        }
        thread::sleep(PAUSE);
    }
    // With the lock nobody else can sit down there.
    let freed = diesel::sql_query(
        "UPDATE shards SET slot = NULL, epoch = epoch + 1 WHERE slot = $1 AND EXISTS ( \
         SELECT FROM servers WHERE slot = $1 AND epoch = $2 AND state = 'FENCED')",
    )
    .bind::<SmallInt, _>(seat.slot)
    .bind::<BigInt, _>(seat.epoch)
    .execute(conn)
    .map_err(classify);
    unlock(conn, seat.slot)?;
    freed.map(|_| true)
}

/// All servers and shards.
pub(crate) fn view(conn: &mut PgConn) -> Result<ClusterView, Error> {
    let servers = servers(conn)?;
    let shards: Vec<OwnerRow> =
        diesel::sql_query("SELECT shard, slot, epoch FROM shards ORDER BY shard")
            .load(conn)
            .map_err(classify)?;
    let shards = shards.into_iter().map(|row| ShardRow {
        shard: row.shard,
        slot: row.slot,
        epoch: row.epoch,
    });
    Ok(ClusterView {
        servers,
        shards: shards.collect(),
    })
}
