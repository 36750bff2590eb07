//! Readers beside the writer: they see whole commits, and nobody fails because of the other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use engine::ExecutionState;
use store::{
    Batch, Config, CountGroup, Error, ExecutionField, Filter, FilterValue, Operator, Page,
    Payloads, Readers, Store,
};

use crate::support::{PROJECT, Whole, all_events, event, execution, on_each};

const COMMITS: i64 = 150;

#[test]
fn readers_see_whole_commits_while_the_writer_writes() {
    on_each(|subject| {
        let mut whole = [execution(1), execution(2)];
        subject.add(&whole);
        let keys = whole.each_ref().map(Whole::key);
        let done = AtomicBool::new(false);
        let readers = subject.store.readers().clone();
        let writer = &mut subject.writer;
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for _ in 0..6 {
                threads.push(scope.spawn(|| {
                    let mut seen = 0;
                    while !done.load(Ordering::Relaxed) {
                        let now = readers.read(|reader| {
                            let mut last = Vec::new();
                            for key in keys {
                                let standing = reader.standing(key)?.unwrap();
                                let events = reader.list_history(key, &all_events())?.rows;
                                assert_eq!(
                                    events.len(),
                                    usize::try_from(standing.last_sequence).unwrap()
                                );
                                last.push(standing.last_sequence);
                            }
                            assert_eq!(last[0], last[1], "half of a commit was seen");
                            Ok(last[0])
                        });
                        let now = now.unwrap();
                        assert!(now >= seen, "time went backwards");
                        seen = now;
                    }
                }));
            }
            for sequence in 1..=COMMITS {
                for one in &mut whole {
                    one.record.last_sequence = sequence;
                    one.history = vec![event(sequence)];
                }
                let executions = whole.iter().map(|one| one.as_changed(false)).collect();
                writer
                    .commit(&Batch {
                        executions,
                        ..Batch::default()
                    })
                    .unwrap();
            }
            done.store(true, Ordering::Relaxed);
            for thread in threads {
                thread.join().unwrap();
            }
        });
    });
}

#[test]
fn the_writer_sees_its_own_commit_at_once_and_so_do_readers() {
    on_each(|subject| {
        for number in 1..=50 {
            let whole = execution(number);
            subject.add(std::slice::from_ref(&whole));
            assert!(
                subject
                    .writer
                    .read()
                    .standing(whole.key())
                    .unwrap()
                    .is_some()
            );
            assert!(
                subject
                    .read(|reader| reader.standing(whole.key()))
                    .is_some()
            );
        }
    });
}

#[test]
fn a_reader_that_panics_or_fails_harms_nobody() {
    on_each(|subject| {
        let readers = subject.store.readers().clone();
        for _ in 0..20 {
            let readers = readers.clone();
            let panicked = thread::spawn(move || {
                let _ = readers.read(|_| -> Result<(), Error> { panic!("on purpose") });
            });
            assert!(panicked.join().is_err());
        }
        for _ in 0..20 {
            let failed = readers.read(|_| -> Result<(), Error> { Err(Error::Invalid("so")) });
            assert!(matches!(failed, Err(Error::Invalid("so"))));
        }
        subject.add(&[execution(1)]);
        assert!(
            subject
                .read(|reader| reader.standing(execution(1).key()))
                .is_some()
        );
    });
}

#[test]
fn who_waits_too_long_for_a_reader_is_told() {
    let mut config = Config::new("sqlite::memory:");
    config.readers = 1;
    config.busy_timeout = std::time::Duration::from_millis(1);
    let store = Store::open(&config).unwrap();
    let waited = store.readers().read(|_| {
        let other = store.readers().clone();
        Ok(thread::spawn(move || other.read(|_| Ok(())))
            .join()
            .unwrap())
    });
    assert!(matches!(waited, Ok(Err(Error::Busy))), "{waited:?}");
    store.readers().read(|_| Ok(())).unwrap();
}

/// A page of a workflow is put together from its states.
#[test]
fn what_goes_from_state_to_state_is_in_every_page_once() {
    on_each(|subject| {
        let mut whole = [execution(1), execution(2)];
        subject.add(&whole);
        let name = &whole[0].record.definition.name;
        let filter = Filter::Compare {
            field: ExecutionField::WorkflowName,
            operator: Operator::Equal,
            value: FilterValue::Text(name.to_string()),
        };
        let look = |readers: &Readers| {
            let (page, payloads) = (Page::first(10), Payloads::Omit);
            let found = readers.read(|reader| {
                let rows = reader
                    .list_executions(PROJECT, &filter, &page, payloads)?
                    .rows;
                let group = Some(CountGroup::State);
                let counts = reader.count_executions(PROJECT, &filter, group, 10)?;
                assert_eq!(counts.total, 2);
                Ok(rows.into_iter().map(|row| row.uid).collect::<Vec<_>>())
            });
            found.unwrap()
        };
        let wanted = vec![whole[1].record.uid, whole[0].record.uid];
        let done = AtomicBool::new(false);
        let readers = subject.store.readers().clone();
        let writer = &mut subject.writer;
        thread::scope(|scope| {
            let looking = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(look(&readers), wanted);
                }
            });
            let mut states = [ExecutionState::Paused, ExecutionState::Running]
                .into_iter()
                .cycle();
            for _ in 1..=COMMITS {
                let stored = whole[0].record.state;
                whole[0].record.state = states.next().unwrap();
                let mut changed = whole[0].as_changed(false);
                changed.stored_state = Some(stored);
                let executions = vec![changed];
                writer
                    .commit(&Batch {
                        executions,
                        ..Batch::default()
                    })
                    .unwrap();
            }
            done.store(true, Ordering::Relaxed);
            looking.join().unwrap();
        });
    });
}
