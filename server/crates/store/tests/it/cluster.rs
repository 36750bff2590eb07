//! Servers that share a database: seats, shards, and servers that are taken for dead.

use std::time::{Duration, Instant};

use postgres_fixture::{execute, shared};
use store::{ClusterView, Config, Error, Membership, SHARDS, Seat, ServerState, Store, Writer};

use crate::support::{END_WRITERS, add, advance, assert_whole, execution};

/// A server of a shared database.
struct Member {
    store: Store,
    writer: Writer,
    membership: Membership,
}

impl Member {
    fn join(url: &str, address: &str) -> Self {
        let config = Config {
            address: address.into(),
            lease: Duration::from_millis(700),
            busy_timeout: Duration::from_secs(1),
            ..Config::new(url)
        };
        let store = Store::open(&config).unwrap();
        let writer = store.writer().unwrap();
        let membership = store.membership().unwrap();
        Self {
            store,
            writer,
            membership,
        }
    }

    fn seat(&self) -> Seat {
        self.membership.seat()
    }

    fn view(&mut self) -> ClusterView {
        self.membership.renew().unwrap()
    }

    /// Shards that it has, by what the database says.
    fn owned(&mut self) -> Vec<i16> {
        let slot = self.seat().slot;
        let shards = self.view().shards.into_iter();
        let own = shards.filter(|row| row.slot == Some(slot));
        own.map(|row| row.shard).collect()
    }
}

fn state_of(view: &ClusterView, seat: Seat) -> Option<ServerState> {
    let mut rows = view.servers.iter();
    rows.find(|row| row.seat == seat).map(|row| row.state)
}

#[test]
fn shards_go_from_one_server_to_the_next() {
    let Some(server) = shared() else { return };
    let url = server.new_schema().unwrap();
    let mut first = Member::join(&url, "one:1");
    let mut second = Member::join(&url, "two:1");
    assert_ne!(first.seat().slot, second.seat().slot);
    assert_eq!(first.membership.claim(1000).unwrap().len(), SHARDS as usize);
    assert!(second.membership.claim(1000).unwrap().is_empty());

    // What one gives away the other can take, and nobody else's.
    first.membership.release(&[3, 4, 5]).unwrap();
    second.membership.release(&[6]).unwrap();
    let mut taken = second.membership.claim(2).unwrap();
    taken.extend(second.membership.claim(9).unwrap());
    taken.sort_unstable();
    assert_eq!(taken, [3, 4, 5]);
    assert_eq!(second.owned(), [3, 4, 5]);
    let shards = first.view().shards;
    assert_eq!((shards[2].epoch, shards[3].epoch), (1, 3));

    // One that leaves leaves nothing behind.
    first.membership.leave().unwrap();
    assert!(matches!(
        first.membership.renew(),
        Err(Error::Fenced { .. })
    ));
    assert_eq!(
        state_of(&second.view(), first.seat()),
        Some(ServerState::Left)
    );
    let rest = second.membership.claim(1000).unwrap();
    assert_eq!(rest.len(), SHARDS as usize - 3);
}

#[test]
fn each_server_writes_a_log_of_its_own() {
    let Some(server) = shared() else { return };
    let url = server.new_schema().unwrap();
    let mut members = [Member::join(&url, "one:1"), Member::join(&url, "two:1")];
    for (number, member) in members.iter_mut().enumerate() {
        let mut whole = execution(u32::try_from(number).unwrap() + 1);
        add(&mut member.writer, &whole);
        advance(&mut member.writer, &mut whole).unwrap();
        assert_eq!(member.writer.last_position().unwrap(), 2);
        assert_whole(&member.store, &whole);
    }
    let read = members[0]
        .store
        .readers()
        .read(store::Reader::spans_of_changes);
    let slots = members.iter().map(|member| (member.seat().slot, (1, 2)));
    assert_eq!(read.unwrap(), slots.collect());
}

#[test]
fn a_server_that_says_nothing_is_fenced_and_writes_nothing_more() {
    let Some(server) = shared() else { return };
    let url = server.new_schema().unwrap();
    let mut silent = Member::join(&url, "one:1");
    let mut other = Member::join(&url, "two:1");
    silent.membership.claim(1000).unwrap();
    let mut whole = execution(1);
    add(&mut silent.writer, &whole);
    advance(&mut silent.writer, &mut whole).unwrap();

    // Not before its time is over.
    let seat = silent.seat();
    silent.membership.renew().unwrap();
    assert!(!other.membership.fence(seat, false).unwrap());
    advance(&mut silent.writer, &mut whole).unwrap();

    let began = Instant::now();
    while !other.membership.fence(seat, false).unwrap() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "its time is never over"
        );
        other.membership.renew().unwrap();
    }
    assert_eq!(state_of(&other.view(), seat), Some(ServerState::Fenced));
    assert_eq!(other.membership.claim(1000).unwrap().len(), SHARDS as usize);
    let mut theirs = whole.clone();
    advance(&mut other.writer, &mut theirs).unwrap();

    for _ in 0..2 {
        let refused = advance(&mut silent.writer, &mut whole);
        assert!(matches!(refused, Err(Error::Fenced { .. })), "{refused:?}");
        assert!(matches!(
            silent.membership.renew(),
            Err(Error::Fenced { .. })
        ));
        assert!(silent.membership.claim(1).unwrap().is_empty());
    }
    assert_whole(&other.store, &theirs);
}

#[test]
fn a_server_that_is_cut_off_for_a_moment_keeps_its_seat() {
    let Some(server) = shared() else { return };
    let url = server.new_schema().unwrap();
    let mut first = Member::join(&url, "one:1");
    let mut second = Member::join(&url, "two:1");
    first.membership.claim(1000).unwrap();
    let mut whole = execution(1);
    add(&mut first.writer, &whole);
    for _ in 0..3 {
        execute(&url, END_WRITERS).unwrap();
        advance(&mut first.writer, &mut whole).unwrap();
        assert_whole(&second.store, &whole);
    }
    assert!(!second.membership.is_absent(first.seat()).unwrap());
    assert_eq!(first.owned().len(), SHARDS as usize);
    assert!(second.owned().is_empty());
}

#[test]
fn a_server_that_starts_again_goes_on_where_it_was() {
    let Some(server) = shared() else { return };
    let url = server.new_schema().unwrap();
    let mut before = Member::join(&url, "one:1");
    before.membership.claim(1000).unwrap();
    let seat = before.seat();
    // As when the process is killed: nothing is said to anybody.
    drop(before);
    let mut again = Member::join(&url, "one:1");
    assert_eq!(
        again.seat(),
        Seat {
            epoch: seat.epoch + 1,
            ..seat
        }
    );
    assert_eq!(again.owned().len(), SHARDS as usize);
    drop(again);
    // At another address it is known by its absence.
    let mut moved = Member::join(&url, "two:1");
    assert_eq!(moved.seat().slot, seat.slot);
    assert_eq!(moved.owned().len(), SHARDS as usize);
}
