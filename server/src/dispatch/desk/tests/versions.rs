//! Versions that tasks require, and workers that they prefer.

use std::sync::Arc;

use engine::Dispatch;

use super::super::lease::Standing;
use super::super::session::{Opening, SessionId};
use super::{Bench, SECOND};

/// A worker that provides one version of the action.
fn of_version(worker: u8, version: &str) -> Opening {
    let mut opening = Bench::opening(worker, "default", &["act"], 10);
    opening.subscriptions[0].actions[0].version = version.into();
    opening
}

impl Bench {
    fn offer_of(&mut self, number: u32, version: Option<&str>, affinity: Option<&str>) {
        let dispatch = Dispatch {
            version: version.map(Arc::from),
            affinity: affinity.map(Arc::from),
            ..self.dispatch(Self::action(number), "act")
        };
        self.desk.offer(dispatch, self.now_us);
    }

    fn taken(&mut self, session: SessionId) -> Vec<u32> {
        let taken = self.take(session);
        Self::numbers(&taken)
    }
}

#[test]
fn a_task_goes_to_the_version_that_it_requires() {
    let mut bench = Bench::new();
    let old = bench.desk.open(&of_version(1, "1"), bench.now_us);
    for (number, version) in [(1, Some("2")), (2, Some("1")), (3, None)] {
        bench.offer_of(number, version, None);
    }
    assert_eq!(bench.taken(old), [2, 3], "its own version, and any");
    let standing = bench.desk.standing(Bench::action(1));
    let Some(Standing::Waiting {
        sessions,
        known,
        version,
        ..
    }) = standing
    else {
        panic!("it waits: {standing:?}");
    };
    assert_eq!((sessions, known, version.as_deref()), (0, true, Some("2")));
    let without = bench.desk.open(&of_version(2, ""), bench.now_us);
    assert_eq!(
        bench.taken(without),
        Vec::<u32>::new(),
        "one without a version has no version"
    );
    let new = bench.desk.open(&of_version(3, "2"), bench.now_us);
    assert_eq!(bench.taken(new), [1], "what waited");
    bench.offer_of(4, Some("2"), None);
    assert_eq!(bench.taken(new), [4], "what comes");
    let queue = bench
        .desk
        .queue(&"default".into(), &"default".into(), bench.now_us);
    assert_eq!(queue.map(|queue| queue.backlog), Some(0));
}

#[test]
fn tasks_with_something_in_common_come_to_the_same_worker() {
    let mut bench = Bench::new();
    let sessions: Vec<SessionId> = (1..=4).map(|worker| bench.open(worker, 100)).collect();
    let mut places = Vec::new();
    for key in ["a", "b", "c", "d", "e", "f"] {
        let mut of_key = Vec::new();
        for number in 0..5 {
            let number = number + 10 * u32::from(key.as_bytes()[0]);
            bench.offer_of(number, None, Some(key));
            let place = sessions.iter().position(|id| !bench.take(*id).is_empty());
            of_key.push(place.expect("somebody takes it"));
        }
        assert!(
            of_key.iter().all(|place| *place == of_key[0]),
            "{key}: {of_key:?}"
        );
        places.push(of_key[0]);
    }
    places.sort_unstable();
    places.dedup();
    assert!(places.len() > 1, "different ones are spread");
}

#[test]
fn a_preference_is_no_reason_to_wait() {
    let mut bench = Bench::new();
    let sessions = [bench.open(1, 1), bench.open(2, 1)];
    for number in [1, 2, 3] {
        bench.offer_of(number, None, Some("same"));
    }
    let mut taken: Vec<u32> = sessions.iter().flat_map(|id| bench.taken(*id)).collect();
    taken.sort_unstable();
    assert_eq!(taken, [1, 2], "the other one helps out");
    bench.pass(SECOND);
    assert!(bench.desk.grant(sessions[0], "default", 1, bench.now_us));
    assert_eq!(
        bench.taken(sessions[0]),
        [3],
        "whoever has room takes what waits"
    );
}
