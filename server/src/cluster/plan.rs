//! What one server does so that all shards have an owner, and each server its part. Pure.
//!
//! Each server decides for itself, by what it sees: it gives away what it has too much, and takes
//! what nobody has until it has its part. So shards move only when servers come or go, and no more
//! of them than must.

use store::{ClusterView, Seat, ServerState};

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Servers to take for dead; with whether that is only for their absence.
    pub(super) dead: Vec<(Seat, bool)>,
    /// Shards that this server has.
    pub(super) owned: Vec<i16>,
    /// How many of those to take that nobody has.
    pub(super) claim: usize,
    /// How many to give away.
    pub(super) release: usize,
}

impl Plan {
    /// What the server `me` does. `absent` have had no session for long.
    pub(super) fn of(me: Seat, view: &ClusterView, absent: &[Seat]) -> Self {
        let is_dead = |row: &&store::ServerRow| {
            let owns = || {
                view.shards
                    .iter()
                    .any(|shard| shard.slot == Some(row.seat.slot))
            };
            match row.state {
                ServerState::Live => row.left_us < 0 || absent.contains(&row.seat),
                // Whoever marked it did not come to its end.
                ServerState::Fenced => owns(),
                ServerState::Left => false,
            }
        };
        let others = view.servers.iter().filter(|row| row.seat != me);
        let dead: Vec<(Seat, bool)> = others
            .filter(is_dead)
            .map(|row| (row.seat, row.left_us >= 0))
            .collect();
        let is_live = |row: &&store::ServerRow| {
            row.state == ServerState::Live && !dead.iter().any(|(seat, _)| *seat == row.seat)
        };
        let live = view.servers.iter().filter(is_live).count().max(1);
        let part = view.shards.len().div_ceil(live);
        let owned = view.shards.iter().filter(|row| row.slot == Some(me.slot));
        let owned: Vec<i16> = owned.map(|row| row.shard).collect();
        let free = view.shards.iter().filter(|row| row.slot.is_none()).count();
        Self {
            dead,
            claim: part.saturating_sub(owned.len()).min(free),
            release: owned.len().saturating_sub(part),
            owned,
        }
    }
}

#[cfg(test)]
mod tests {
    use store::{ServerRow, ShardRow};

    use super::*;

    fn seat(slot: i16) -> Seat {
        Seat { slot, epoch: 1 }
    }

    fn server(slot: i16, state: ServerState) -> ServerRow {
        ServerRow {
            seat: seat(slot),
            address: format!("server{slot}:1").into(),
            version: "1".into(),
            state,
            started_us: slot.into(),
            left_us: 1,
        }
    }

    fn view(servers: &[ServerRow], owners: impl Fn(i16) -> Option<i16>) -> ClusterView {
        let shards = (0..256).map(|shard| ShardRow {
            shard,
            slot: owners(shard),
            epoch: 0,
        });
        ClusterView {
            servers: servers.to_vec(),
            shards: shards.collect(),
        }
    }

    /// Lets all live servers do what they plan, until nothing changes; says how many shards moved.
    fn settle(view: &mut ClusterView) -> usize {
        let mut moved = 0;
        for _ in 0..20 {
            let before = view.clone();
            let live = view.servers.iter();
            let live = live.filter(|row| row.state == ServerState::Live && row.left_us > 0);
            let live: Vec<Seat> = live.map(|row| row.seat).collect();
            for me in live {
                let plan = Plan::of(me, view, &[]);
                for (dead, _) in plan.dead {
                    let row = view.servers.iter_mut().find(|row| row.seat == dead);
                    row.expect("it was seen").state = ServerState::Fenced;
                    let lost = view.shards.iter_mut();
                    let lost = lost.filter(|shard| shard.slot == Some(dead.slot));
                    lost.for_each(|shard| shard.slot = None);
                }
                let own = view.shards.iter_mut();
                let own = own.filter(|shard| shard.slot == Some(me.slot));
                own.take(plan.release).for_each(|shard| shard.slot = None);
                let free = view.shards.iter_mut().filter(|shard| shard.slot.is_none());
                for shard in free.take(plan.claim) {
                    shard.slot = Some(me.slot);
                    moved += 1;
                }
            }
            if *view == before {
                return moved;
            }
        }
        panic!("it never settles: {view:?}");
    }

    fn parts(view: &ClusterView) -> Vec<usize> {
        let servers = view.servers.iter();
        let owned = |slot| view.shards.iter().filter(|s| s.slot == Some(slot)).count();
        servers.map(|row| owned(row.seat.slot)).collect()
    }

    #[test]
    fn shards_are_shared_evenly_and_move_as_little_as_can_be() {
        use ServerState::{Fenced, Left, Live};
        let one = |_| Some(0);
        let two = |shard| Some(shard % 2);
        for (servers, owners, expected, moved) in [
            (
                vec![Live],
                (|_| None) as fn(i16) -> Option<i16>,
                vec![256],
                256,
            ),
            (vec![Live], one, vec![256], 0),
            (vec![Live, Live], one, vec![128, 128], 128),
            (vec![Live, Live, Live], two, vec![86, 86, 84], 84),
            (
                vec![Live, Left],
                |s| (s < 128).then_some(0),
                vec![256, 0],
                128,
            ),
            // Marked by somebody who has died in the middle of it.
            (vec![Live, Fenced], two, vec![256, 0], 128),
        ] {
            let rows = servers.iter().zip(0..);
            let rows: Vec<ServerRow> = rows.map(|(state, slot)| server(slot, *state)).collect();
            let mut view = view(&rows, owners);
            assert_eq!(settle(&mut view), moved, "{servers:?}");
            assert_eq!(parts(&view), expected, "{servers:?}");
        }
    }

    #[test]
    fn only_others_whose_time_is_over_or_who_are_absent_are_dead() {
        let mut rows: Vec<ServerRow> = (0..4).map(|slot| server(slot, ServerState::Live)).collect();
        rows[0].left_us = -1;
        rows[1].left_us = -1;
        let view = view(&rows, |shard| Some(shard % 4));
        let plan = Plan::of(seat(0), &view, &[seat(2)]);
        assert_eq!(plan.dead, [(seat(1), false), (seat(2), true)]);
        assert_eq!((plan.owned.len(), plan.claim, plan.release), (64, 0, 0));
    }
}
