//! The servers that share a database, as one: who owns what, and how the others are reached.
//!
//! A thread says every half second that this server is there, looks who else is, and moves shards
//! until each server has its part (`plan`). What it sees is the [`Map`], by which calls find the
//! server that can answer them (`forward`). A server that has a database for itself has all shards,
//! and nothing of this runs.
//!
//! What a shard is, and that nobody writes for another's, is the store's; what an owner does with
//! its shards is the driver's.

mod feed;
mod internal;
mod map;
mod outbox;
mod peers;
mod plan;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use store::{ClusterView, Membership, Seat, ServerState, Store, Writer};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::dispatch::{self, Dispatcher};
use crate::driver::{self, Driver};

pub(crate) use internal::{Change, ChangeOrder, Changed};
pub(crate) use map::{Map, Peer};
use outbox::Mail;
pub(crate) use outbox::Outbox;
use peers::Peers;
pub(crate) use peers::{INTERNAL, Unanswered};
use plan::Plan;

/// How often a server says that it is there, and looks round.
const TICK: Duration = Duration::from_millis(500);

/// How long a server must be without a session that commits before it is taken for dead although
/// its time is not over. One that was only cut off comes back sooner.
const ABSENCE: Duration = Duration::from_millis(1500);

/// How long the others may be out of sight before it must have been the database.
const GAP: Duration = Duration::from_secs(3);

/// How this server ends when others have taken it for dead: whoever watches over it starts it
/// again, and it comes back as a new one.
pub(crate) const FENCED_EXIT: i32 = 75;

/// The part of this server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cluster {
    map: watch::Receiver<Arc<Map>>,
    lease: Lease,
    peers: Peers,
    outbox: Outbox,
    /// What is done when another server says so.
    hands: Arc<OnceLock<(Driver, Dispatcher)>>,
}

/// Until when this server knows that it is not taken for dead. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lease(Arc<AtomicI64>);

impl Lease {
    /// Of a server that has its database for itself.
    pub(crate) fn for_ever() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MAX)))
    }

    /// Whether it is over, so that others may own what this server owned.
    pub(crate) fn is_over(&self) -> bool {
        clock::now_us() > self.0.load(Ordering::Acquire)
    }

    fn renew(&self, until_us: i64) {
        self.0.store(until_us, Ordering::Release);
    }
}

/// What keeps this server among the others.
pub(crate) struct Keeper {
    membership: Membership,
    map: watch::Sender<Arc<Map>>,
    lease: Lease,
    lease_us: i64,
    mail: Option<Mail>,
    /// When it was last seen who is there.
    seen: Option<Instant>,
    /// Until when nobody is taken for dead.
    patient_until: Instant,
    /// Since when servers have had no session that commits.
    absent: HashMap<Seat, Instant>,
}

impl Cluster {
    fn new(map: watch::Receiver<Arc<Map>>, lease: Lease, secret: &str) -> (Self, Mail) {
        let (outbox, mail) = Outbox::new();
        let cluster = Self {
            map,
            lease,
            peers: Peers::new(secret.as_bytes()),
            outbox,
            hands: Arc::default(),
        };
        (cluster, mail)
    }

    /// Of a server that has its database for itself.
    pub(crate) fn alone() -> Self {
        let (_, map) = watch::channel(Arc::new(Map::alone()));
        Self::new(map, Lease::for_ever(), "").0
    }

    /// Looks who is there, and takes what is free. Gives the shards that this server has; and, if
    /// the database is shared, what has to be [`Keeper::run`].
    pub(crate) fn join(
        store: &Store,
        writer: &mut Writer,
        lease: Duration,
    ) -> Result<(Self, Option<Keeper>, Vec<i16>), store::Error> {
        let Some(membership) = store.membership() else {
            return Ok((Self::alone(), None, (0..store.shards()).collect()));
        };
        let seat = membership.seat();
        let (sender, map) = watch::channel(Arc::new(Map::new(seat, &ClusterView::default())));
        let until = Lease::for_ever();
        let (cluster, mail) = Self::new(map, until.clone(), &dispatch::secret(writer)?);
        let mut keeper = Keeper {
            membership,
            map: sender,
            lease: until,
            lease_us: i64::try_from(lease.as_micros()).unwrap_or(i64::MAX),
            mail: Some(mail),
            seen: None,
            patient_until: Instant::now(),
            absent: HashMap::new(),
        };
        let view = keeper.look()?;
        let plan = keeper.plan(&view)?;
        for (dead, is_absent) in &plan.dead {
            keeper.fence(*dead, *is_absent)?;
        }
        let view = keeper.look()?;
        let plan = keeper.plan(&view)?;
        let mut shards = plan.owned;
        shards.extend(keeper.membership.claim(plan.claim)?);
        keeper.look()?;
        if keeper.map.borrow().is_shared() {
            // Now the others know that what is written may come from here, too.
            std::thread::sleep(TICK * 2);
        }
        let (has, all) = (shards.len(), store.shards());
        tracing::info!("server {seat} has {has} of {all} shards");
        Ok((cluster, Some(keeper), shards))
    }

    /// The other servers.
    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
    }

    /// What this server has to tell others without waiting for it.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn hands(&self) -> Option<(&Driver, &Dispatcher)> {
        self.hands
            .get()
            .map(|(driver, dispatcher)| (driver, dispatcher))
    }

    /// Who owns what, as this server has seen it last.
    pub(crate) fn map(&self) -> Arc<Map> {
        self.map.borrow().clone()
    }

    /// The same, with what is seen later.
    pub(crate) fn maps(&self) -> watch::Receiver<Arc<Map>> {
        self.map.clone()
    }

    /// Until when this server is safe from being taken for dead.
    pub(crate) fn lease(&self) -> Lease {
        self.lease.clone()
    }
}

impl Keeper {
    /// Keeps the seat until the server stops, and leaves it in order. Begun with the lane running,
    /// within the runtime.
    pub(crate) fn run(
        mut self,
        cluster: &Cluster,
        driver: &Driver,
        dispatcher: &Dispatcher,
        stopped: CancellationToken,
    ) -> JoinHandle<()> {
        let hands = (driver.clone(), dispatcher.clone());
        let is_first = cluster.hands.set(hands).is_ok();
        assert!(is_first, "it is run once");
        if let Some(mail) = self.mail.take() {
            mail.carry(cluster, driver.clone(), dispatcher.clone());
        }
        tokio::spawn(feed::follow(
            cluster.clone(),
            driver.clone(),
            stopped.clone(),
        ));
        let (of, by) = (cluster.clone(), driver.clone());
        tokio::spawn(follow_desk(of, by, dispatcher.clone(), stopped.clone()));
        let (driver, runtime) = (driver.clone(), Handle::current());
        let keep = move || {
            while !stopped.is_cancelled() {
                match self.tick(&driver, &runtime) {
                    Ok(()) => {}
                    Err(driver::Error::Store(error)) => {
                        end_if_fenced(&error);
                        tracing::warn!("the other servers cannot be seen: {error}");
                    }
                    Err(error) => tracing::warn!("shards cannot be moved yet: {error}"),
                }
                // A server that stops need not wait for the next look.
                runtime.block_on(async {
                    let _ = timeout(TICK, stopped.cancelled()).await;
                });
            }
            if let Err(error) = self.membership.leave() {
                tracing::warn!("the other servers were not told of the end: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("cluster".into());
        // Without it others would take this server for dead.
        let keep = move || driver::end_with_panic(keep);
        thread.spawn(keep).expect("the system can start a thread")
    }

    fn tick(&mut self, driver: &Driver, runtime: &Handle) -> Result<(), driver::Error> {
        let view = self.look()?;
        // A lane that has nothing to do does not notice that its session has ended.
        if self.membership.is_absent(self.membership.seat())? {
            runtime.block_on(driver.keep_seat())?;
        }
        let plan = self.plan(&view)?;
        if Instant::now() >= self.patient_until {
            for (dead, is_absent) in &plan.dead {
                self.fence(*dead, *is_absent)?;
            }
        }
        let owned = driver.owned();
        let mut gained: Vec<i16> = plan
            .owned
            .iter()
            .copied()
            .filter(|s| !owned.has(*s))
            .collect();
        if plan.claim > 0 {
            gained.extend(self.membership.claim(plan.claim)?);
        }
        if !gained.is_empty() {
            tracing::info!("{} shards are taken over", gained.len());
            runtime.block_on(driver.acquire(gained))?;
            self.look()?;
        }
        if plan.release > 0 {
            let given = runtime.block_on(driver.release(plan.release))?;
            if !given.is_empty() {
                self.membership.release(&given)?;
                tracing::info!("{} shards are given away", given.len());
                self.look()?;
            }
        }
        Ok(())
    }

    /// Says that this server is there, and looks who else is.
    fn look(&mut self) -> Result<ClusterView, store::Error> {
        let (began, began_us) = (Instant::now(), clock::now_us());
        let view = self.membership.renew()?;
        self.lease.renew(began_us.saturating_add(self.lease_us));
        if self
            .seen
            .is_some_and(|seen| began.duration_since(seen) > GAP)
        {
            // The database was away, most likely for all: the others need time to come back, too.
            self.patient_until = began + Duration::from_micros(self.lease_us.unsigned_abs());
            self.absent.clear();
        }
        self.seen = Some(began);
        let map = Arc::new(Map::new(self.membership.seat(), &view));
        self.map.send_if_modified(|known| {
            let is_news = **known != *map;
            *known = map;
            is_news
        });
        Ok(view)
    }

    fn plan(&mut self, view: &ClusterView) -> Result<Plan, store::Error> {
        let me = self.membership.seat();
        let live = |row: &&store::ServerRow| row.state == ServerState::Live && row.seat != me;
        let others: Vec<Seat> = view
            .servers
            .iter()
            .filter(live)
            .map(|row| row.seat)
            .collect();
        self.absent.retain(|seat, _| others.contains(seat));
        for seat in others {
            if self.membership.is_absent(seat)? {
                self.absent.entry(seat).or_insert_with(Instant::now);
            } else {
                self.absent.remove(&seat);
            }
        }
        let absent = self.absent.iter();
        let absent = absent.filter(|(_, since)| since.elapsed() >= ABSENCE);
        let absent: Vec<Seat> = absent.map(|(seat, _)| *seat).collect();
        Ok(Plan::of(me, view, &absent))
    }

    fn fence(&mut self, dead: Seat, is_absent: bool) -> Result<(), store::Error> {
        if self.membership.fence(dead, is_absent)? {
            tracing::warn!("server {dead} was taken for dead: its shards go to others");
        }
        Ok(())
    }
}

/// How often it is looked what workers have provided to the one that hands work out.
const PROVIDED_EVERY: Duration = Duration::from_secs(2);

/// Sees which server hands work out: a new one is told what there is.
async fn follow_desk(
    cluster: Cluster,
    driver: Driver,
    dispatcher: Dispatcher,
    stopped: CancellationToken,
) {
    let mut maps = cluster.maps();
    let desk_of = |map: &Map| map.desk().map(|peer| peer.seat);
    let mut desk = desk_of(&cluster.map());
    loop {
        let changed = timeout(PROVIDED_EVERY, maps.changed());
        if stopped.run_until_cancelled(changed).await.is_none() {
            return;
        }
        let map = maps.borrow_and_update().clone();
        let is_new = desk != desk_of(&map);
        if !is_new && map.is_desk() {
            continue;
        }
        let read = driver.read(|reader| Ok((reader.list_worker_actions()?, reader.list_queues()?)));
        match read.await {
            Ok((actions, queues)) if is_new && map.is_desk() => dispatcher.learn(actions, queues),
            Ok((actions, _)) => dispatcher.note_provided(&actions),
            // The next look finds it.
            Err(_) => continue,
        }
        if is_new {
            desk = desk_of(&map);
            let who = desk.map_or_else(String::new, |seat| seat.to_string());
            tracing::info!("server {who} hands out work from now on");
            driver.offer_again();
        }
    }
}

/// Ends the process if others have taken this server for dead: all that it has in memory is of the
/// past. Nothing is lost by it, for nothing was promised that is not stored.
pub(crate) fn end_if_fenced(error: &store::Error) {
    if matches!(error, store::Error::Fenced { .. }) {
        tracing::error!("{error}: this one ends, to begin anew");
        std::process::exit(FENCED_EXIT);
    }
}
