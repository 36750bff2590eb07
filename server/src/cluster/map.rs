//! What a server knows of the others: who owns which shard, and where it is reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use store::{ClusterView, Seat, ServerState};

/// Who owns what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    me: Seat,
    /// By shard.
    owners: Vec<Option<i16>>,
    /// Servers that are there, by slot.
    peers: BTreeMap<i16, Peer>,
}

/// A server that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Where it sits.
    pub(crate) seat: Seat,
    /// Where it is reached: `host:port`.
    pub(crate) address: Arc<str>,
    /// When it came, microseconds since the epoch.
    pub(crate) started_us: i64,
}

impl Map {
    /// Of a server that has its database for itself.
    pub(crate) fn alone() -> Self {
        Self::default()
    }

    pub(crate) fn new(me: Seat, view: &ClusterView) -> Self {
        let live = view.servers.iter();
        let live = live.filter(|row| row.state == ServerState::Live);
        let peers = live.map(|row| {
            let peer = Peer {
                seat: row.seat,
                address: row.address.clone(),
                started_us: row.started_us,
            };
            (row.seat.slot, peer)
        });
        Self {
            me,
            owners: view.shards.iter().map(|row| row.slot).collect(),
            peers: peers.collect(),
        }
    }

    /// Where this server sits.
    pub(crate) fn me(&self) -> Seat {
        self.me
    }

    /// Whether there is another server.
    pub(crate) fn is_shared(&self) -> bool {
        self.peers.len() > 1
    }

    /// The owner of a shard, if it has one that is there.
    pub(crate) fn owner(&self, shard: i16) -> Option<&Peer> {
        let slot = (*self.owners.get(usize::try_from(shard).ok()?)?)?;
        self.peers.get(&slot)
    }

    /// The server that hands work out to workers: the one that has been there longest.
    pub(crate) fn desk(&self) -> Option<&Peer> {
        let mut peers: Vec<&Peer> = self.peers.values().collect();
        peers.sort_by_key(|peer| (peer.started_us, peer.seat));
        peers.first().copied()
    }

    /// Whether this server hands work out to workers.
    pub(crate) fn is_desk(&self) -> bool {
        self.desk().is_none_or(|peer| peer.seat == self.me)
    }
}
