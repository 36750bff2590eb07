//! Which shards this server owns, and in which a new execution goes.
//!
//! The lane alone changes what is owned, between two batches. All others see it a moment later or
//! earlier: whatever they conclude, the lane looks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::ExecutionUid;
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::clock;

/// Shards that this server owns, as all see it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Owned(Arc<[AtomicBool]>);

impl Owned {
    pub(super) fn none(total: i16) -> Self {
        Self((0..total).map(|_| AtomicBool::new(false)).collect())
    }

    fn at(&self, shard: i16) -> Option<&AtomicBool> {
        self.0.get(usize::try_from(shard).ok()?)
    }

    /// Whether a shard is owned.
    pub(crate) fn has(&self, shard: i16) -> bool {
        self.at(shard)
            .is_some_and(|owned| owned.load(Ordering::Acquire))
    }

    fn set(&self, shard: i16, is_owned: bool) {
        if let Some(owned) = self.at(shard) {
            owned.store(is_owned, Ordering::Release);
        }
    }

    /// The shard that a uid names. One of before there were several lies in the first all the same.
    pub(crate) fn named_by(&self, uid: ExecutionUid) -> i16 {
        let total = i16::try_from(self.0.len()).unwrap_or(i16::MAX);
        i16::from(uid.0.as_bytes()[15]) % total.max(1)
    }
}

/// The lane's own knowledge.
pub(super) struct Shards {
    total: i16,
    owned: Owned,
    /// Those that are owned, for giving new executions out in turn.
    list: Vec<i16>,
    turn: usize,
}

impl Shards {
    pub(super) fn new(owned: Owned) -> Self {
        Self {
            total: i16::try_from(owned.0.len()).unwrap_or(i16::MAX),
            owned,
            list: Vec::new(),
            turn: 0,
        }
    }

    pub(super) fn own(&mut self, shards: &[i16]) {
        for shard in shards {
            self.owned.set(*shard, true);
        }
        self.list.extend(shards);
        self.list.sort_unstable();
        self.list.dedup();
    }

    pub(super) fn disown(&mut self, shards: &[i16]) {
        for shard in shards {
            self.owned.set(*shard, false);
        }
        self.list.retain(|shard| !shards.contains(shard));
    }

    pub(super) fn named_by(&self, uid: ExecutionUid) -> i16 {
        self.owned.named_by(uid)
    }

    /// A new uid in a shard.
    pub(super) fn uid_in(&self, shard: i16) -> ExecutionUid {
        in_shard(clock::new_uid(), shard, self.total)
    }

    pub(super) fn list(&self) -> &[i16] {
        &self.list
    }

    /// Fails if this server does not own a shard.
    pub(super) fn check(&self, shard: i16) -> Result<(), Error> {
        if self.owned.has(shard) {
            Ok(())
        } else {
            Err(Error::NotOwner { shard })
        }
    }

    /// Where a new execution goes: with a text, such as a chosen id, to the owner of the shard that
    /// follows from it, and without anywhere here.
    pub(super) fn place(&mut self, project: &str, id: Option<&str>) -> Result<i16, Error> {
        let Some(id) = id else {
            self.turn = self.turn.wrapping_add(1);
            let place = self.turn.checked_rem(self.list.len());
            return match place {
                Some(place) => Ok(self.list[place]),
                None => Err(Error::NotOwner { shard: 0 }),
            };
        };
        let hash = Sha256::new()
            .chain_update(project.as_bytes())
            .chain_update([0])
            .chain_update(id.as_bytes())
            .finalize();
        let shard = i16::from(hash[0]) % self.total;
        self.check(shard).map(|()| shard)
    }
}

/// The uid in a shard: its last byte is the shard.
fn in_shard(uid: ExecutionUid, shard: i16, total: i16) -> ExecutionUid {
    let (Ok(byte), true) = (u8::try_from(shard), total > 1) else {
        return uid;
    };
    let mut bytes = uid.0.into_bytes();
    bytes[15] = byte;
    ExecutionUid(uuid::Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_go_where_they_are_owned() {
        let owned = Owned::none(256);
        let mut shards = Shards::new(owned.clone());
        assert!(matches!(
            shards.place("p", None),
            Err(Error::NotOwner { .. })
        ));
        shards.own(&[7, 3, 200]);
        let mut places: Vec<i16> = (0..6).map(|_| shards.place("p", None).unwrap()).collect();
        places.sort_unstable();
        assert_eq!(places, [3, 3, 7, 7, 200, 200]);
        shards.disown(&[7]);
        assert!(owned.has(3) && !owned.has(7) && !owned.has(4));

        // An id has one place, whoever is asked.
        let Err(Error::NotOwner { shard }) = shards.place("p", Some("id")) else {
            panic!("an id in one of 256 shards happens to lie in one of two");
        };
        shards.own(&[shard]);
        assert_eq!(shards.place("p", Some("id")).unwrap(), shard);
    }

    #[test]
    fn a_uid_names_its_shard() {
        let uid = clock::new_uid();
        for shard in [0, 1, 128, 255] {
            let named = in_shard(uid, shard, 256);
            assert_eq!(Owned::none(256).named_by(named), shard);
            assert_eq!(Owned::none(1).named_by(named), 0);
            assert_eq!(named.0.get_version_num(), 7);
        }
        assert_eq!(in_shard(uid, 0, 1), uid);
    }
}
