//! Where a watch of many begins, what its token is good for, and how its messages are divided.

use super::*;

fn wish(filter: &str, token: &str, start: WatchExecutionsStart) -> Result<Wish, Fault> {
    Wish::of(&v1::WatchExecutionsRequest {
        filter: filter.into(),
        resume_token: token.into(),
        start_at: start.into(),
        ..Default::default()
    })
}

#[test]
fn a_watch_starts_where_it_is_asked_to() {
    use WatchExecutionsStart::{Now, Retained, Unspecified};
    let token = |logs: &[(i16, i64)]| {
        let cursor = logs.iter().copied().collect();
        wish("", "", Now).unwrap().purpose.token(&cursor)
    };
    let (none, kept) = (&[][..], &[(0, (5, 9)), (3, (1, 2))][..]);
    for (given, start, spans, expected) in [
        ("", Unspecified, none, Ok(&[][..])),
        ("", Retained, none, Ok(&[][..])),
        ("", Unspecified, kept, Ok(&[(0, 9), (3, 2)][..])),
        ("", Now, kept, Ok(&[(0, 9), (3, 2)][..])),
        ("", Retained, kept, Ok(&[(0, 4), (3, 0)][..])),
        (
            &*token(&[(0, 7), (3, 1)]),
            Retained,
            kept,
            Ok(&[(0, 7), (3, 1)][..]),
        ),
        // A log that was begun since is read from its beginning.
        (&*token(&[(0, 4)]), Now, kept, Ok(&[(0, 4)][..])),
        (&*token(&[(0, 3), (3, 1)]), Now, kept, Err("HistoryTrimmed")),
        (&*token(&[(3, 1)]), Now, kept, Err("HistoryTrimmed")),
        (&*token(&[(0, 10)]), Now, kept, Err("InvalidField")),
        (&*token(&[(0, 9), (5, 1)]), Now, kept, Err("InvalidField")),
    ] {
        let spans = spans.iter().copied().collect();
        let found = wish("", given, start).unwrap().cursor(&spans);
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
            }
            (Err(fault), Err(kind)) => assert!(format!("{fault:?}").starts_with(kind)),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn tokens_are_good_for_their_watch_only() {
    let now = WatchExecutionsStart::Now;
    let cursor = Cursor::from([(0, 7)]);
    let token = wish("state = ERROR", "", now).unwrap();
    let token = token.purpose.token(&cursor);
    let read = wish("state = ERROR", &token, now).unwrap().token;
    assert_eq!(read, Some(cursor));
    for (filter, token) in [
        ("", &*token),
        ("state = ERROR", "zz"),
        ("state = ERROR", "00"),
        ("state = ERROR", &token[..20]),
    ] {
        let fault = wish(filter, token, now).map(drop).unwrap_err();
        assert!(fault.to_string().starts_with("resume_token"), "{fault}");
    }
}

/// An event with a text of so many bytes.
fn event(sequence: i64, bytes: usize) -> v1::HistoryEvent {
    v1::HistoryEvent {
        sequence,
        task_name: "x".repeat(bytes),
        ..v1::HistoryEvent::default()
    }
}

/// Bytes of a KiB.
const K: usize = 1 << 10;

#[test]
fn events_are_divided_into_messages_and_none_is_lost() {
    let execution = |id: &str| v1::Execution {
        execution_id: id.into(),
        ..v1::Execution::default()
    };
    let told = |sizes: &[usize]| -> Vec<_> {
        let numbered = (1..).zip(sizes);
        numbered.map(|(n, size)| event(n, *size)).collect()
    };
    for (told_of, expected) in [
        (vec![("a", told(&[1, 1]))], "a1a2"),
        (vec![("a", told(&[K])), ("b", told(&[K]))], "a1b1"),
        (vec![("a", told(&[40 * K, 40 * K]))], "a1 a2"),
        (vec![("a", told(&[200 * K]))], "a1"),
        (vec![("a", told(&[200 * K, 1]))], "a1 a2"),
        (
            vec![("a", told(&[60 * K])), ("b", told(&[10 * K, 1]))],
            "a1 b1b2",
        ),
    ] {
        let mut messages = Messages::default();
        for (id, events) in told_of {
            messages.add_events(&execution(id), None, events);
        }
        let messages = messages.with_tokens("before", "after".into());
        let (last, others) = messages.split_last().unwrap();
        assert_eq!(last.resume_token, "after");
        assert!(others.iter().all(|one| one.resume_token == "before"));
        let names = |message: &v1::ExecutionChanges| -> String {
            let named = message.events.iter().flat_map(|of| {
                let id = &of.execution.as_ref().unwrap().execution_id;
                of.events.iter().map(move |e| format!("{id}{}", e.sequence))
            });
            named.collect()
        };
        let found: Vec<String> = messages.iter().map(names).collect();
        assert_eq!(found.join(" "), expected);
    }
}

#[test]
fn what_is_of_events_needs_their_mode() {
    let request = |mode: WatchExecutionsMode| v1::WatchExecutionsRequest {
        mode: mode.into(),
        event_types: vec!["task_created".into()],
        ..v1::WatchExecutionsRequest::default()
    };
    assert!(Wish::of(&request(WatchExecutionsMode::Events)).is_ok());
    for (request, named) in [
        (request(WatchExecutionsMode::States), "event_types: needs"),
        (
            v1::WatchExecutionsRequest {
                include_payloads: true,
                ..v1::WatchExecutionsRequest::default()
            },
            "include_payloads: needs",
        ),
        (
            v1::WatchExecutionsRequest {
                event_types: vec!["task_made".into()],
                mode: WatchExecutionsMode::Events.into(),
                ..v1::WatchExecutionsRequest::default()
            },
            "event_types[0]: must be one of",
        ),
        (
            v1::WatchExecutionsRequest {
                mode: 9,
                ..v1::WatchExecutionsRequest::default()
            },
            "mode",
        ),
    ] {
        let fault = Wish::of(&request).map(drop).unwrap_err();
        assert!(fault.to_string().starts_with(named), "{fault}");
    }
}
