//! Who gets what: order, queues, limits.

use super::*;

#[test]
fn tasks_find_sessions_and_sessions_tasks() {
    let mut bench = Bench::new();
    bench.offer(1);
    let session = bench.open(1, 2);
    bench.offer(2);
    bench.offer(3);
    let taken = bench.take(session);
    assert_eq!(
        Bench::numbers(&taken),
        [1, 2],
        "no more than there are credits"
    );
    assert!(bench.desk.grant(session, "default", 1, bench.now_us));
    assert!(!bench.desk.grant(session, "other", 1, bench.now_us));
    let more = bench.take(session);
    assert_eq!(Bench::numbers(&more), [3]);
    for (_, token) in taken.iter().chain(&more) {
        assert_eq!(bench.end(token), Ok(()));
        assert_eq!(
            bench.end(token),
            Err(LeaseEnd::Unknown),
            "the store is asked"
        );
    }
    bench.is_empty();
    assert_eq!(bench.wants(), [""; 0]);
}

#[test]
fn a_session_gets_no_more_bytes_than_it_wants() {
    let mut bench = Bench::new();
    // Each input has 8 bytes.
    for (bytes_max, expected) in [(0, vec![1, 2, 3]), (20, vec![1, 2]), (5, vec![1])] {
        let opening = Opening {
            bytes_max,
            ..Bench::opening(1, "default", &["act"], 10)
        };
        let session = bench.desk.open(&opening, bench.now_us);
        for number in 1..=3 {
            bench.offer(number);
        }
        let mut taken = bench.take(session);
        assert_eq!(Bench::numbers(&taken), expected, "{bytes_max}");
        // What did not fit comes when something has ended.
        while let Some((_, token)) = taken.pop() {
            assert_eq!(bench.end(&token), Ok(()));
            taken.extend(bench.take(session));
        }
        bench.is_empty();
        bench.desk.close(session, bench.now_us);
    }
}

#[test]
fn executions_take_turns() {
    let mut bench = Bench::new();
    for (execution, number) in [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (3, 6), (2, 7)] {
        let action = Bench::action_of(execution, number);
        let dispatch = bench.dispatch(action, "act");
        bench.desk.offer(dispatch, bench.now_us);
    }
    let session = bench.open(1, 100);
    assert_eq!(Bench::numbers(&bench.take(session)), [1, 5, 6, 2, 7, 3, 4]);
}

#[test]
fn a_higher_priority_goes_first_and_turns_are_taken_within_one() {
    let mut bench = Bench::new();
    for (execution, number, priority) in [
        (1, 1, 0),
        (1, 2, 0),
        (2, 3, 5),
        (2, 4, 5),
        (3, 5, 5),
        (4, 6, -1),
        (5, 7, 0),
    ] {
        let action = Bench::action_of(execution, number);
        let dispatch = Dispatch {
            priority,
            ..bench.dispatch(action, "act")
        };
        bench.desk.offer(dispatch, bench.now_us);
    }
    let session = bench.open(1, 3);
    assert_eq!(Bench::numbers(&bench.take(session)), [3, 5, 4]);
    assert!(bench.desk.grant(session, "default", 4, bench.now_us));
    assert_eq!(Bench::numbers(&bench.take(session)), [1, 7, 2, 6]);
}

#[test]
fn of_a_paused_execution_nothing_is_handed_out() {
    let mut bench = Bench::new();
    let provided = Provided {
        schedule_to_start_us: Some(20 * SECOND),
        ..Provided::default()
    };
    let opening = Bench::opening_with(1, "default", &["act"], 1, provided);
    let session = bench.desk.open(&opening, bench.now_us);
    for number in 1..=2 {
        bench.offer(number);
    }
    let other = bench.dispatch(Bench::action_of(2, 3), "act");
    bench.desk.offer(other, bench.now_us);
    let first = bench.take(session);
    assert_eq!(Bench::numbers(&first), [1]);
    let execution = Bench::action(1).task.execution;
    bench.pass(5 * SECOND);
    bench.desk.pause(execution, true, bench.now_us);
    bench.offer(4);
    let standing = bench.desk.standing(Bench::action(2));
    assert_eq!(standing, Some(Standing::HeldBack));
    // What a worker has stays with it, and others go on.
    assert_eq!(bench.end(&first[0].1), Ok(()));
    assert!(bench.desk.grant(session, "default", 5, bench.now_us));
    let others = bench.take(session);
    assert_eq!(Bench::numbers(&others), [3]);
    assert_eq!(bench.end(&others[0].1), Ok(()));
    // Nor does the time count that it may wait.
    bench.pass(3_600 * SECOND);
    bench.desk.pause(execution, false, bench.now_us);
    let rest = bench.take(session);
    assert_eq!(Bench::numbers(&rest), [2, 4]);
    for (_, token) in &rest {
        assert_eq!(bench.end(token), Ok(()));
    }
    assert_eq!(bench.wants(), ["hold 1"]);
    bench.is_empty();
}

#[test]
fn work_goes_round() {
    let mut bench = Bench::new();
    let sessions = [1, 2, 3].map(|worker| bench.open(worker, 10));
    for number in 1..=6 {
        bench.offer(number);
    }
    let taken = sessions.map(|session| Bench::numbers(&bench.take(session)));
    assert_eq!(taken, [vec![1, 4], vec![2, 5], vec![3, 6]]);
}

#[test]
fn a_target_chooses_the_queue() {
    let mut bench = Bench::new();
    let plain = bench.open(1, 10);
    let gpu = Bench::opening(2, "gpu", &["act"], 10);
    let gpu = bench.desk.open(&gpu, bench.now_us);
    for number in 1..=2 {
        let action = Bench::action(number);
        let dispatch = Dispatch {
            target: Some("gpu".into()),
            ..bench.dispatch(action, "act")
        };
        bench.desk.offer(dispatch, bench.now_us);
    }
    let dispatch = Dispatch {
        target: Some("nowhere".into()),
        ..bench.dispatch(Bench::action(3), "act")
    };
    bench.desk.offer(dispatch, bench.now_us);
    assert_eq!(Bench::numbers(&bench.take(gpu)), [1, 2]);
    assert_eq!(Bench::numbers(&bench.take(plain)), [0; 0]);
    let standing = bench.desk.standing(Bench::action(3));
    assert!(matches!(
        standing,
        Some(Standing::Waiting {
            sessions: 0,
            known: true,
            ..
        })
    ));
}

#[test]
fn a_name_that_nobody_knows_fails_in_time_and_one_that_is_known_waits() {
    let mut bench = Bench::new();
    bench.offer(1);
    let dispatch = bench.dispatch(Bench::action(2), "typo");
    bench.desk.offer(dispatch, bench.now_us);
    bench.pass(30 * SECOND);
    let session = bench.open(1, 0);
    bench.desk.close(session, bench.now_us);
    bench.pass(3_600 * SECOND);
    let message = "end 2 of nobody: Failed to find action [action_name=typo]: no worker has \
                   provided it.";
    assert_eq!(bench.wants(), [message]);
    let session = bench.open(2, 1);
    assert_eq!(Bench::numbers(&bench.take(session)), [1]);
}

#[test]
fn a_drained_session_gets_nothing_and_keeps_what_it_has() {
    let mut bench = Bench::new();
    let session = bench.open(1, 5);
    bench.offer(1);
    let taken = bench.take(session);
    bench.offer(2);
    bench.desk.drain(session, bench.now_us);
    bench.offer(3);
    assert_eq!(bench.sent(session), []);
    let other = bench.open(2, 5);
    assert_eq!(Bench::numbers(&bench.take(other)), [2, 3]);
    assert_eq!(bench.end(&taken[0].1), Ok(()));
    let key = WorkerKey {
        project: "default".into(),
        id: "worker-2".into(),
    };
    assert_eq!(bench.desk.drain_worker(&key, bench.now_us), Some(2));
    let again = bench.open(2, 5);
    bench.offer(4);
    assert_eq!(bench.sent(again), [], "also not over a new stream");
}

#[test]
fn queues_are_held_back() {
    let mut bench = Bench::new();
    let key: (Arc<str>, Arc<str>) = ("default".into(), "default".into());
    let set = |bench: &mut Bench, revision, settings| {
        bench.desk.set_queue(&key, settings, revision, bench.now_us);
    };
    let limited = |concurrency, rate, burst| Settings {
        limits: Limits {
            concurrency,
            rate,
            burst,
        },
        ..Settings::default()
    };
    let session = bench.open(1, 100);
    let paused = Settings {
        paused: true,
        ..Settings::default()
    };
    set(&mut bench, 1, paused);
    for number in 1..=9 {
        bench.offer(number);
    }
    assert_eq!(bench.sent(session), [], "paused");
    set(&mut bench, 2, limited(2, 0.0, 0));
    let taken = bench.take(session);
    assert_eq!(Bench::numbers(&taken), [1, 2], "two at a time");
    assert_eq!(bench.end(&taken[0].1), Ok(()));
    let more = bench.take(session);
    assert_eq!(Bench::numbers(&more), [3]);
    set(&mut bench, 3, limited(0, 2.0, 1));
    assert_eq!(
        Bench::numbers(&bench.take(session)),
        [4],
        "two a second, one at once"
    );
    bench.pass(SECOND);
    assert_eq!(Bench::numbers(&bench.take(session)), [5, 6]);
    bench.pass(SECOND / 2);
    assert_eq!(Bench::numbers(&bench.take(session)), [7]);
    let of_action = Settings {
        actions: [(
            Arc::from("act"),
            Limits {
                concurrency: 1,
                ..Limits::default()
            },
        )]
        .into(),
        ..Settings::default()
    };
    set(&mut bench, 4, of_action);
    bench.pass(SECOND);
    assert_eq!(
        bench.sent(session),
        [],
        "workers have more than one already"
    );
    let queue = bench.desk.queue(&key.0, &key.1, bench.now_us).unwrap();
    assert_eq!((queue.backlog, queue.leased, queue.workers), (2, 6, 1));
}
