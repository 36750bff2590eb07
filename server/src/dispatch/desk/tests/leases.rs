//! Leases: how they begin, last and end.

use super::*;

#[test]
fn what_is_not_accepted_goes_to_another_and_uses_nothing_up() {
    let mut bench = Bench::new();
    let deaf = bench.open(1, 1);
    bench.offer(1);
    let offered = bench.sent(deaf);
    let other = bench.open(2, 1);
    bench.pass(4 * SECOND);
    assert_eq!(bench.sent(other), []);
    bench.pass(SECOND);
    let taken = bench.take(other);
    assert_eq!(Bench::numbers(&taken), [1]);
    assert_eq!(
        bench.end(&offered[0].1),
        Err(LeaseEnd::Expired),
        "another has it"
    );
    assert_eq!(bench.end(&taken[0].1), Ok(()));
    assert_eq!(bench.wants(), [""; 0], "the engine knows of nothing");
    bench.is_empty();
}

#[test]
fn a_lease_lasts_as_long_as_it_is_renewed() {
    let mut bench = Bench::new();
    let session = bench.open(1, 1);
    bench.offer(1);
    let token = bench.take(session).remove(0).1;
    bench.desk.close(session, bench.now_us);
    for _ in 0..10 {
        bench.pass(20 * SECOND);
        let (status, _) = bench.desk.renew(&token, None, None, bench.now_us);
        assert_eq!(
            status,
            Status::Held(bench.now_us + 30 * SECOND),
            "without a stream"
        );
    }
    assert_eq!(bench.wants(), ["hold 1"], "written down once");
    bench.pass(30 * SECOND);
    assert_eq!(bench.wants(), ["lost 1 Expired"]);
    let (status, reason) = bench.desk.renew(&token, None, None, bench.now_us);
    assert_eq!((status, reason), (Status::Lost, "ended"));
    bench.is_empty();
}

#[test]
fn progress_is_kept_now_and_then_and_silence_costs_the_lease() {
    let mut bench = Bench::new();
    let provided = Provided {
        heartbeat_us: Some(10 * SECOND),
        ..Provided::default()
    };
    let opening = Bench::opening_with(1, "default", &["act"], 1, provided);
    let session = bench.desk.open(&opening, bench.now_us);
    bench.offer(1);
    let token = bench.take(session).remove(0).1;
    for step in 0..8 {
        bench.pass(SECOND / 2);
        let progress = Some(Data::parse(format!("{step}")).unwrap());
        bench.desk.renew(&token, None, progress, bench.now_us);
    }
    assert_eq!(bench.wants(), ["hold 1"; 4], "once a second");
    let renewals = 6;
    for _ in 0..renewals {
        bench.pass(2 * SECOND);
        bench.desk.renew(&token, Some(session), None, bench.now_us);
    }
    assert_eq!(
        bench.wants(),
        ["hold 1", "lost 1 Silent"],
        "its worker is alive, it is not"
    );
    let news = bench.desk.collect(session).leases;
    assert!(
        news.iter()
            .any(|one| (one.status, one.reason) == (Status::Lost, "silent"))
    );
    bench.is_empty();
}

#[test]
fn an_attempt_that_takes_too_long_fails() {
    let mut bench = Bench::new();
    let provided = Provided {
        start_to_close_us: Some(5 * SECOND),
        schedule_to_start_us: Some(60 * SECOND),
        ..Provided::default()
    };
    let opening = Bench::opening_with(1, "default", &["act"], 1, provided);
    let session = bench.desk.open(&opening, bench.now_us);
    bench.offer(1);
    bench.offer(2);
    bench.take(session);
    bench.pass(6 * SECOND);
    let message = "end 1 of worker: Action act has taken longer than it may.";
    assert_eq!(bench.wants(), ["hold 1", message]);
    bench.pass(60 * SECOND);
    let message = "end 2 of nobody: No worker has taken the call of action act in time.";
    assert_eq!(bench.wants(), [message]);
    bench.is_empty();
}

#[test]
fn what_a_task_says_of_times_wins_over_what_its_worker_says() {
    let mut bench = Bench::new();
    let provided = Provided {
        start_to_close_us: Some(500 * SECOND),
        schedule_to_start_us: Some(600 * SECOND),
        heartbeat_us: Some(700 * SECOND),
        ..Provided::default()
    };
    let opening = Bench::opening_with(1, "default", &["act"], 2, provided);
    let session = bench.desk.open(&opening, bench.now_us);
    for (number, [start_to_close_s, schedule_to_start_s, heartbeat_s]) in [
        (1, [Some(3), None, None]),
        (2, [None, None, Some(4)]),
        (3, [None, Some(6), None]),
    ] {
        let dispatch = Dispatch {
            times: engine::CallTimes {
                start_to_close_s,
                schedule_to_start_s,
                heartbeat_s,
            },
            ..bench.dispatch(Bench::action(number), "act")
        };
        bench.desk.offer(dispatch, bench.now_us);
    }
    bench.take(session);
    bench.pass(7 * SECOND);
    assert_eq!(
        bench.wants(),
        [
            "hold 1",
            "hold 2",
            "end 1 of worker: Action act has taken longer than it may.",
            "lost 2 Silent",
            "end 3 of nobody: No worker has taken the call of action act in time.",
        ]
    );
    bench.is_empty();
}

#[test]
fn what_must_not_run_twice_is_written_down_before_it_is_handed_out() {
    let mut bench = Bench::new();
    let session = bench.open(1, 1);
    let dispatch = Dispatch {
        is_repeatable: false,
        ..bench.dispatch(Bench::action(1), "act")
    };
    bench.desk.offer(dispatch.clone(), bench.now_us);
    assert_eq!(bench.wants(), ["hold 1 first"]);
    assert_eq!(bench.sent(session), []);
    // It could not be written down: the execution was loaded again.
    bench.desk.offer(dispatch, bench.now_us);
    assert_eq!(bench.wants(), ["hold 1 first"]);
    bench.desk.confirm(Bench::action(1), bench.now_us);
    let taken = bench.take(session);
    assert_eq!(Bench::numbers(&taken), [1]);
    assert_eq!(bench.end(&taken[0].1), Ok(()));
    bench.is_empty();
}

#[test]
fn a_worker_keeps_what_it_had_when_the_server_starts_again() {
    let mut before = Bench::new();
    let session = before.open(1, 3);
    for number in 1..=3 {
        before.offer(number);
    }
    let tokens = before.take(session);
    before.pass(2 * SECOND);
    let held: BTreeMap<u32, Box<engine::Lease>> = before
        .desk
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Hold { action, lease, .. } => Some((action.number, lease)),
            _ => None,
        })
        .collect();
    assert_eq!(held.len(), 3);

    let mut after = Bench::new();
    for number in 1..=4 {
        let action = Bench::action(number);
        let dispatch = Dispatch {
            delivery: Delivery::Again { safe: true },
            // Of the third nothing was written down, the fourth was never handed out.
            lease: held.get(&number).filter(|_| number < 3).cloned(),
            ..after.dispatch(action, "act")
        };
        after.desk.offer(dispatch, after.now_us);
    }
    let session = after.open(1, 0);
    for (number, token) in [&tokens[0], &tokens[2]] {
        let (status, reason) = after.desk.renew(token, Some(session), None, after.now_us);
        assert!(matches!(status, Status::Held(_)), "{number}: {reason}");
    }
    let other = after.open(2, 10);
    assert_eq!(
        Bench::numbers(&after.take(other)),
        [4],
        "what was never handed out goes at once"
    );
    assert_eq!(after.end(&tokens[0].1), Ok(()));
    after.pass(31 * SECOND);
    assert!(
        after.wants().contains(&"lost 2 Expired".to_owned()),
        "it was not claimed"
    );
}

#[test]
fn what_is_not_wanted_is_told_and_its_end_counts_for_nothing() {
    let mut bench = Bench::new();
    let session = bench.open(1, 2);
    for number in 1..=3 {
        bench.offer(number);
    }
    let taken = bench.take(session);
    for number in 1..=3 {
        bench.desk.cancel(Bench::action(number), bench.now_us);
    }
    let news = bench.desk.collect(session).leases;
    assert_eq!(news.len(), 2);
    assert!(
        news.iter()
            .all(|one| matches!(one.status, Status::Cancelled(_)))
    );
    let (status, _) = bench.desk.renew(&taken[0].1, None, None, bench.now_us);
    assert!(
        matches!(status, Status::Cancelled(_)),
        "said again with each heartbeat"
    );
    assert_eq!(bench.end(&taken[0].1), Err(LeaseEnd::Cancelled));
    bench.pass(31 * SECOND);
    let news = bench.desk.collect(session).leases;
    assert!(
        news.iter().any(|one| one.status == Status::Lost),
        "its grace is over"
    );
    assert_eq!(bench.wants(), [""; 0]);
    bench.is_empty();
}

#[test]
fn what_is_given_back_goes_on_at_once() {
    let mut bench = Bench::new();
    let session = bench.open(1, 2);
    bench.offer(1);
    bench.offer(2);
    let (_, open) = bench.sent(session).remove(1);
    assert_eq!(bench.desk.release(&open, bench.now_us), Ok(()));
    bench.pass(0);
    let held = bench.desk.standing(Bench::action(1));
    assert!(held.is_some());
    let other = bench.open(2, 1);
    let (_, token) = bench.take(other).remove(0);
    assert_eq!(bench.desk.release(&token, bench.now_us), Ok(()));
    assert_eq!(bench.wants(), ["lost 2 Released"]);
    assert_eq!(
        bench.desk.release(&token, bench.now_us),
        Err(LeaseEnd::Ended)
    );
}

#[test]
fn an_end_that_is_not_written_down_may_be_said_again() {
    let mut bench = Bench::new();
    let session = bench.open(1, 1);
    bench.offer(1);
    let token = bench.take(session).remove(0).1;
    let Ending::Write(action, _) = bench.desk.ending(&token, bench.now_us) else {
        panic!("it is the worker's");
    };
    bench.pass(3_600 * SECOND);
    assert_eq!(bench.wants(), [""; 0], "nobody takes it away meanwhile");
    bench.desk.finished(action, Finished::NotYet, bench.now_us);
    assert_eq!(bench.end(&token), Ok(()));
    bench.is_empty();
}

#[test]
fn a_poll_that_nobody_waits_for_gives_back_what_it_got() {
    let mut bench = Bench::new();
    let poll = Opening {
        is_stream: false,
        tasks_max: 1,
        ..Bench::opening(1, "default", &["act"], 1)
    };
    let session = bench.desk.open(&poll, bench.now_us);
    bench.offer(1);
    bench.desk.close(session, bench.now_us);
    let session = bench.desk.open(&poll, bench.now_us);
    let taken = bench.sent(session);
    assert_eq!(Bench::numbers(&taken), [1]);
    bench.desk.close(session, bench.now_us);
    bench.pass(29 * SECOND);
    assert_eq!(
        bench.end(&taken[0].1),
        Ok(()),
        "what it took is its own, accepted or not"
    );
    assert_eq!(bench.wants(), ["hold 1"]);
    bench.is_empty();
}

#[test]
fn what_was_sent_to_a_stream_that_breaks_counts_as_handed_out() {
    let mut bench = Bench::new();
    let session = bench.open(1, 2);
    bench.offer(1);
    let sent = bench.sent(session);
    assert_eq!(Bench::numbers(&sent), [1]);
    bench.offer(2);
    bench.desk.close(session, bench.now_us);
    assert_eq!(
        bench.wants(),
        ["lost 1 Expired"],
        "the second one was never sent"
    );
    let drained = bench.open(2, 2);
    assert_eq!(Bench::numbers(&bench.sent(drained)), [2]);
    bench.desk.drain(drained, bench.now_us);
    bench.desk.close(drained, bench.now_us);
    assert_eq!(bench.wants(), [""; 0], "it has given it back");
}
