//! Ranges of histories, whatever the commits were.

use store::{Batch, HistoryRange};

use crate::support::{all_events, event, execution, on_each};

#[test]
fn ranges_do_not_depend_on_commits() {
    on_each(|subject| {
        let mut whole = execution(1);
        subject.add(&[whole.clone(), execution(2)]);
        let mut first = 1;
        for length in [1, 3, 1, 4, 2, 1] {
            whole.history = (first..first + length).map(event).collect();
            first += length;
            whole.record.last_sequence = first - 1;
            let executions = vec![whole.as_changed(false)];
            subject
                .writer
                .commit(&Batch {
                    executions,
                    ..Batch::default()
                })
                .unwrap();
        }
        let last = first - 1;
        for after in 0..=last + 1 {
            for before in (0..=last + 2).map(Some).chain([None]) {
                for limit in [1, 2, 5, 100] {
                    for descending in [false, true] {
                        let range = HistoryRange {
                            after,
                            before,
                            descending,
                            limit,
                            ..all_events()
                        };
                        let found = subject.read(|reader| reader.list_history(whole.key(), &range));
                        let mut expected: Vec<i64> = (1..=last)
                            .filter(|n| *n > after && before.is_none_or(|before| *n < before))
                            .collect();
                        if descending {
                            expected.reverse();
                        }
                        let more = expected.len() > limit as usize;
                        expected.truncate(limit as usize);
                        let sequences: Vec<i64> =
                            found.rows.iter().map(|event| event.sequence).collect();
                        assert_eq!((sequences, found.more), (expected, more), "{range:?}");
                    }
                }
            }
        }
        let other = subject.read(|reader| reader.list_history(execution(2).key(), &all_events()));
        assert!(other.rows.is_empty() && !other.more);
    });
}

#[test]
fn a_range_ends_when_its_bytes_are_used_up() {
    on_each(|subject| {
        let mut whole = execution(1);
        subject.add(std::slice::from_ref(&whole));
        for sequence in 1..=3 {
            whole.history = vec![event(sequence)];
            whole.record.last_sequence = sequence;
            let executions = vec![whole.as_changed(false)];
            subject
                .writer
                .commit(&Batch {
                    executions,
                    ..Batch::default()
                })
                .unwrap();
        }
        for (max_bytes, expected, more) in [(0, 1, true), (1, 1, true), (1_000_000, 3, false)] {
            let range = HistoryRange {
                max_bytes,
                ..all_events()
            };
            let found = subject.read(|reader| reader.list_history(whole.key(), &range));
            assert_eq!(
                (found.rows.len(), found.more),
                (expected, more),
                "{max_bytes} bytes"
            );
        }
    });
}
