//! What this server has to tell others without waiting for it: orders for the one that hands work
//! out, and news of actions for the owners of their executions.
//!
//! Each is sent until it is taken, in the order in which it came, to whoever is the right one then.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engine::ActionId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::Cluster;
use super::internal::NEWS;
use crate::dispatch::{DeskOrder, Dispatcher};
use crate::driver::{Driver, WorkerNews};

/// Most messages of one document.
const AT_ONCE: usize = 500;

/// How long is waited before what was not taken is sent again.
const AGAIN: Duration = Duration::from_millis(100);

/// News of an action, with the shard of its execution.
pub(super) type Letter = (i16, ActionId, WorkerNews);

/// Where messages go. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    orders: UnboundedSender<Vec<DeskOrder>>,
    news: UnboundedSender<Letter>,
    /// Orders that are not taken yet.
    waiting: Arc<AtomicUsize>,
}

/// What goes out.
pub(super) struct Mail {
    orders: UnboundedReceiver<Vec<DeskOrder>>,
    news: UnboundedReceiver<Letter>,
    waiting: Arc<AtomicUsize>,
}

impl Outbox {
    pub(super) fn new() -> (Self, Mail) {
        let (orders, orders_out) = unbounded_channel();
        let (news, news_out) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let outbox = Self {
            orders,
            news,
            waiting: waiting.clone(),
        };
        let mail = Mail {
            orders: orders_out,
            news: news_out,
            waiting,
        };
        (outbox, mail)
    }

    /// Whether no order is on its way: only then a later one may go another way.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    pub(crate) fn order(&self, orders: Vec<DeskOrder>) {
        self.waiting.fetch_add(orders.len(), Ordering::AcqRel);
        // Without a reader the server ends.
        let _ = self.orders.send(orders);
    }

    pub(crate) fn tell(&self, shard: i16, action: ActionId, news: WorkerNews) {
        let _ = self.news.send((shard, action, news));
    }
}

impl Mail {
    /// Sends what there is, for as long as the server runs.
    pub(super) fn carry(self, cluster: &Cluster, driver: Driver, dispatcher: Dispatcher) {
        let Self {
            orders,
            news,
            waiting,
        } = self;
        tokio::spawn(carry_orders(cluster.clone(), orders, waiting, dispatcher));
        tokio::spawn(carry_news(cluster.clone(), news, driver));
    }
}

async fn carry_orders(
    cluster: Cluster,
    mut coming: UnboundedReceiver<Vec<DeskOrder>>,
    waiting: Arc<AtomicUsize>,
    dispatcher: Dispatcher,
) {
    while let Some(mut orders) = coming.recv().await {
        while orders.len() < AT_ONCE {
            let Ok(more) = coming.try_recv() else { break };
            orders.extend(more);
        }
        let count = orders.len();
        let mut is_told = false;
        loop {
            if cluster.map().is_desk() {
                dispatcher.take(orders);
                break;
            }
            match cluster.order(&orders).await {
                Ok(()) => break,
                Err(error) if is_told => tracing::debug!("work still waits: {error}"),
                Err(error) => tracing::warn!("work waits for who hands it out: {error}"),
            }
            is_told = true;
            tokio::time::sleep(AGAIN).await;
        }
        waiting.fetch_sub(count, Ordering::AcqRel);
    }
}

async fn carry_news(cluster: Cluster, mut coming: UnboundedReceiver<Letter>, driver: Driver) {
    let mut waiting: VecDeque<Letter> = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let Some(first) = coming.recv().await else {
                return;
            };
            waiting.push_back(first);
        } else if let Ok(more) = timeout(AGAIN, coming.recv()).await {
            waiting.extend(more);
        }
        while let Ok(more) = coming.try_recv() {
            waiting.push_back(more);
        }
        waiting = send_news(&cluster, waiting, &driver).await;
    }
}

/// Sends news to the owners; gives those back that were not taken.
async fn send_news(
    cluster: &Cluster,
    waiting: VecDeque<Letter>,
    driver: &Driver,
) -> VecDeque<Letter> {
    let map = cluster.map();
    let mut left = VecDeque::new();
    let mut by_owner: Vec<(_, Vec<Letter>)> = Vec::new();
    for letter in waiting {
        let shard = letter.0;
        match map.owner(shard) {
            Some(peer) if peer.seat == map.me() => {
                if driver.owned().has(shard) {
                    driver.worker_news_here(letter.1, letter.2);
                } else {
                    left.push_back(letter);
                }
            }
            Some(peer) => match by_owner.iter_mut().find(|(owner, _)| *owner == peer) {
                Some((_, list)) => list.push(letter),
                None => by_owner.push((peer, vec![letter])),
            },
            None => left.push_back(letter),
        }
    }
    for (owner, mut list) in by_owner {
        let rest = list.split_off(list.len().min(AT_ONCE));
        if let Err(error) = cluster.peers().ask::<_, ()>(owner, NEWS, &list).await {
            tracing::debug!("news of actions are not taken yet: {error}");
            left.extend(list);
        }
        left.extend(rest);
    }
    left
}
