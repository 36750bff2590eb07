//! Event streams: every event once and in order, whatever happens to the connection.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use proto::v1::WatchEndReason as Reason;
use tonic::{Code as Grpc, Status};

use super::fake::Step::{End, Events, Fail, Hang, Heartbeat, Rest};
use super::fake::{Fake, Step, refusal};

/// Follows an execution over these streams; sequences and end as text, and the positions that were
/// asked for.
async fn check(streams: Vec<Vec<Step>>) -> (String, String) {
    let fake = Fake::start(streams).await;
    let mut events = fake.client().execution("e1").events();
    let mut seen = Vec::new();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => seen.push(event.sequence.to_string()),
            Ok(None) => {
                seen.push(
                    if events.finished().is_some() {
                        "end"
                    } else {
                        "nothing"
                    }
                    .to_owned(),
                );
                break;
            }
            Err(error) => {
                seen.push(error.to_string());
                break;
            }
        }
    }
    (seen.join(" "), fake.script.calls().join(" "))
}

/// Checks that these streams bring exactly these events.
async fn check_all(cases: Vec<(Vec<Vec<Step>>, &str, &str)>) {
    for (streams, seen, asked) in cases {
        let found = check(streams.clone()).await;
        assert_eq!(found, (seen.to_owned(), asked.to_owned()), "{streams:?}");
    }
}

fn terminal(last: i64) -> Step {
    End(Reason::Terminal, last)
}

#[tokio::test]
async fn streams_that_break_are_resumed() {
    let away = || Fail(Status::unavailable("away"));
    check_all(vec![
        (
            vec![vec![Events(1, 3), terminal(3)]],
            "1 2 3 end",
            "watch 0",
        ),
        // Cut without a word, and refused for a while.
        (
            vec![vec![Events(1, 2)], vec![Events(3, 3), terminal(3)]],
            "1 2 3 end",
            "watch 0 watch 2",
        ),
        (
            vec![
                vec![Events(1, 2), away()],
                vec![away()],
                vec![Events(1, 3), terminal(3)],
            ],
            "1 2 3 end",
            "watch 0 watch 2 watch 2",
        ),
        // Proxies have codes of their own.
        (
            vec![
                vec![Events(1, 1), Fail(Status::internal("rst"))],
                vec![terminal(1)],
            ],
            "1 end",
            "watch 0 watch 1",
        ),
        (
            vec![
                vec![Events(1, 1), Fail(Status::deadline_exceeded("route"))],
                vec![terminal(1)],
            ],
            "1 end",
            "watch 0 watch 1",
        ),
        // Silence.
        (
            vec![
                vec![Events(1, 1), Heartbeat(1), Hang],
                vec![Events(2, 2), terminal(2)],
            ],
            "1 2 end",
            "watch 0 watch 1",
        ),
    ])
    .await;
}

#[tokio::test]
async fn streams_that_the_server_ends_are_resumed() {
    let streams = vec![
        vec![Events(1, 1), End(Reason::GoingAway, 1)],
        vec![Events(2, 2), End(Reason::MaxAge, 2)],
        vec![End(Reason::SlowConsumer, 2)],
        vec![Events(3, 3), terminal(3)],
    ];
    check_all(vec![(
        streams,
        "1 2 3 end",
        "watch 0 watch 1 watch 2 watch 2",
    )])
    .await;
}

#[tokio::test]
async fn events_come_once_and_without_holes() {
    check_all(vec![
        // Duplicates within a stream, and overlapping batches.
        (
            vec![vec![Events(1, 2), Events(1, 2), Events(2, 3), terminal(3)]],
            "1 2 3 end",
            "watch 0",
        ),
        // Holes: between batches, before a heartbeat, before the end.
        (
            vec![
                vec![Events(1, 1), Events(3, 3)],
                vec![Events(2, 3), terminal(3)],
            ],
            "1 2 3 end",
            "watch 0 watch 1",
        ),
        (
            vec![
                vec![Events(1, 1), Heartbeat(2), Hang],
                vec![Events(2, 2), terminal(2)],
            ],
            "1 2 end",
            "watch 0 watch 1",
        ),
        (
            vec![
                vec![Events(1, 1), terminal(2)],
                vec![Events(2, 2), terminal(2)],
            ],
            "1 2 end",
            "watch 0 watch 1",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_cannot_get_better_is_an_error() {
    let hole = || vec![Events(1, 1), Events(3, 3)];
    let broken = || Fail(refusal(Grpc::Internal, "INTERNAL", &[]));
    let missing = || Fail(refusal(Grpc::NotFound, "EXECUTION_NOT_FOUND", &[]));
    for (streams, seen) in [
        (vec![vec![missing()]], "refused (EXECUTION_NOT_FOUND)"),
        (vec![vec![Events(1, 1), broken()]], "1 refused (INTERNAL)"),
        (
            vec![vec![Events(1, 1), End(Reason::Deleted, 1)]],
            "1 execution e1 was deleted",
        ),
        (
            vec![hole(), hole(), hole()],
            "1 history of e1 continues with 3 instead of 2",
        ),
        (vec![vec![trimmed(5)]], "refused (HISTORY_TRIMMED)"),
    ] {
        assert_eq!(check(streams.clone()).await.0, seen, "{streams:?}");
    }
}

fn trimmed(earliest: i64) -> Step {
    let earliest = earliest.to_string();
    let metadata = [("earliest_sequence", earliest.as_str())];
    Fail(refusal(Grpc::OutOfRange, "HISTORY_TRIMMED", &metadata))
}

#[tokio::test]
async fn a_trimmed_history_is_told_to_who_wants_to_know() {
    let fake = Fake::start(vec![
        vec![trimmed(5)],
        vec![Events(5, 6), End(Reason::Terminal, 6)],
    ])
    .await;
    let gaps = Arc::new(Mutex::new(Vec::new()));
    let told = gaps.clone();
    let events = fake.client().execution("e1").events().on_gap(move |gap| {
        told.lock()
            .unwrap()
            .push((gap.after_sequence, gap.earliest_sequence));
    });
    let seen: Vec<_> = events
        .map_ok(|event| event.sequence)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        (seen, gaps.lock().unwrap().clone()),
        (vec![5, 6], vec![(0, 5)])
    );
    assert_eq!(fake.script.calls(), ["watch 0", "watch 4"]);
}

#[tokio::test]
async fn only_new_events_begin_at_a_fixed_place() {
    let fake = Fake::start(vec![vec![], vec![Events(8, 8), End(Reason::Terminal, 8)]]).await;
    fake.script.execution.lock().unwrap().last_sequence = 7;
    let events = fake.client().execution("e1").events().only_new();
    let seen: Vec<_> = events
        .map_ok(|event| event.sequence)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(seen, [8]);
    assert_eq!(fake.script.calls(), ["get", "watch 7", "watch 7"]);
}

#[tokio::test]
async fn a_cut_connection_is_bridged() {
    let fake = Fake::start(vec![
        vec![Events(1, 2), Hang],
        vec![Events(3, 3), End(Reason::Terminal, 3)],
    ])
    .await;
    let mut events = fake.client().execution("e1").events();
    for expected in [1, 2] {
        assert_eq!(events.try_next().await.unwrap().unwrap().sequence, expected);
    }
    fake.cut();
    assert_eq!(events.try_next().await.unwrap().unwrap().sequence, 3);
    assert!(events.try_next().await.unwrap().is_none());
    assert_eq!(fake.script.calls(), ["watch 0", "watch 2"]);
}

/// An application that does not read must not leave frames on the connection.
#[tokio::test]
async fn a_slow_reader_loses_its_stream_but_no_event() {
    const LAST: i64 = 300;
    let stream = vec![Rest(LAST), Hang];
    let last = vec![Rest(LAST), End(Reason::Terminal, LAST)];
    let mut streams = vec![last; 50];
    streams.insert(0, stream);
    let fake = Fake::start(streams).await;
    let mut events = fake.client().execution("e1").events();
    assert_eq!(events.try_next().await.unwrap().unwrap().sequence, 1);
    fake.script.stream_dropped.notified().await;
    let rest: Vec<_> = events
        .map_ok(|event| event.sequence)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rest, (2..=LAST).collect::<Vec<_>>());
}

#[tokio::test]
async fn dropping_the_stream_ends_it_on_the_server() {
    let fake = Fake::start(vec![vec![Events(1, 1), Hang]]).await;
    let mut events = fake.client().execution("e1").events();
    assert_eq!(events.try_next().await.unwrap().unwrap().sequence, 1);
    drop(events);
    fake.script.stream_dropped.notified().await;
}

#[tokio::test]
async fn waiting_works_with_and_without_streams() {
    for (streams, calls) in [
        (
            vec![vec![Events(1, 2), End(Reason::Terminal, 2)]],
            "get watch 0",
        ),
        (vec![], "get watch 0 wait wait"),
    ] {
        let fake = Fake::start(streams).await;
        fake.script.execution.lock().unwrap().execution_id = "e1".to_owned();
        let execution = fake.client().execution("e1").wait().await.unwrap();
        assert_eq!(execution.execution_id, "e1");
        assert_eq!(fake.script.calls().join(" "), calls);
    }
}
