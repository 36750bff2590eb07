//! Lists in pages, look-ups and counts.

use std::collections::BTreeMap;

use engine::{ActionId, ExecutionState, TaskId};
use store::{
    Batch, CountGroup, ExecutionField, ExecutionKey, Filter, FilterValue, Operator, Page, Payloads,
    Slice,
};

use crate::support::{PROJECT, Subject, assert_same, execution, json, on_each, removal, task, uid};

/// Goes through a list page by page and says what came in which page.
fn pages<T, K>(
    mut page: Page<K>,
    key: impl Fn(&T) -> K,
    mut list: impl FnMut(&Page<K>) -> Slice<T>,
) -> Vec<Vec<T>> {
    let mut all = Vec::new();
    loop {
        let slice = list(&page);
        let Some(end) = slice.rows.last() else {
            assert!(!slice.more, "more after an empty page");
            return all;
        };
        page.after = Some(key(end));
        let more = slice.more;
        all.push(slice.rows);
        if !more {
            return all;
        }
    }
}

fn limits(limit: u32, max_bytes: usize) -> Page<std::convert::Infallible> {
    Page {
        after: None,
        limit,
        max_bytes,
    }
}

fn page<K>(limits: &Page<std::convert::Infallible>) -> Page<K> {
    Page {
        after: None,
        limit: limits.limit,
        max_bytes: limits.max_bytes,
    }
}

#[test]
fn executions_in_rare_states_come_in_the_same_order() {
    on_each(|subject| {
        let mut all: Vec<_> = (1..=30).map(execution).collect();
        for (number, whole) in all.iter_mut().enumerate() {
            whole.record.state = match number % 6 {
                1 => ExecutionState::Error,
                4 => ExecutionState::Paused,
                _ => ExecutionState::Success,
            };
        }
        subject.add(&all);
        let rare = |whole: &&crate::support::Whole| whole.record.state != ExecutionState::Success;
        let wanted: Vec<_> = all.iter().rev().filter(rare).collect();
        let wanted: Vec<_> = wanted.iter().map(|whole| whole.record.uid).collect();
        let filter = Filter::Compare {
            field: ExecutionField::State,
            operator: Operator::NotEqual,
            value: FilterValue::Text("SUCCESS".to_owned()),
        };
        for bounds in [
            limits(100, usize::MAX),
            limits(3, usize::MAX),
            limits(1, usize::MAX),
            limits(100, 0),
            limits(4, 700),
        ] {
            let found = pages(
                page(&bounds),
                |row: &engine::ExecutionRecord| row.uid,
                |page| {
                    let payloads = Payloads::Omit;
                    subject.read(|reader| reader.list_executions(PROJECT, &filter, page, payloads))
                },
            );
            let found: Vec<_> = found.into_iter().flatten().map(|row| row.uid).collect();
            assert_eq!(found, wanted, "{bounds:?}");
        }
    });
}

#[test]
fn executions_come_newest_first_in_pages() {
    on_each(|subject| {
        let all: Vec<_> = (1..=7).map(execution).collect();
        subject.add(&all);
        for payloads in [Payloads::Include, Payloads::Omit] {
            for (bounds, sizes) in [
                (limits(100, usize::MAX), vec![7]),
                (limits(7, usize::MAX), vec![7]),
                (limits(3, usize::MAX), vec![3, 3, 1]),
                (limits(100, 0), vec![1; 7]),
                (limits(100, 500), vec![2, 2, 2, 1]),
            ] {
                let filter = Filter::all();
                let found = pages(
                    page(&bounds),
                    |row: &engine::ExecutionRecord| row.uid,
                    |page| {
                        subject
                            .read(|reader| reader.list_executions(PROJECT, &filter, page, payloads))
                    },
                );
                let found_sizes: Vec<usize> = found.iter().map(Vec::len).collect();
                assert_eq!(found_sizes, sizes, "{bounds:?}");
                let mut expected: Vec<_> =
                    all.iter().rev().map(|whole| whole.record.clone()).collect();
                if payloads == Payloads::Omit {
                    for record in &mut expected {
                        record.input = json("{}");
                    }
                }
                assert_same(&found.concat(), &expected);
            }
        }
    });
}

#[test]
fn executions_are_found_by_id_and_uid() {
    on_each(|subject| {
        let mut all: Vec<_> = (1..=4).map(execution).collect();
        // An id that looks like the uid of another execution: chosen ids come first.
        all[2].record.execution_id = Some(uid(1).to_string().into());
        // Named by the last byte of the uid, where there are several.
        let shard = if subject.store.shards() > 1 { 4 } else { 0 };
        all[3].record.shard = shard;
        subject.add(&all);
        for (id, expected) in [
            ("e1", Some(1)),
            (&uid(2).to_string()[..], Some(2)),
            (&uid(1).to_string(), Some(3)),
            (&uid(4).to_string(), Some(4)),
            (&uid(5).to_string(), None),
            ("", None),
            ("e9", None),
        ] {
            let found = subject.read(|reader| reader.find_key(PROJECT, id));
            assert_eq!(found.map(|key| key.uid), expected.map(uid), "{id}");
            assert_eq!(subject.read(|reader| reader.find_key("other", id)), None);
        }
        let at = |shard, number| {
            Some(ExecutionKey {
                shard,
                uid: uid(number),
            })
        };
        for (number, expected) in [(1, at(0, 1)), (4, at(shard, 4)), (5, None)] {
            let found = subject.read(|reader| reader.locate(uid(number)));
            assert_eq!(found, expected);
        }
    });
}

#[test]
fn tasks_come_in_pages_with_their_actions() {
    on_each(|subject| {
        let mut whole = execution(1);
        whole.tasks = (1..=6).map(|number| task(number, number % 3)).collect();
        whole.tasks[3].published = Some(json(r#"{"x": 1}"#));
        whole.tasks[4].actions[0].output = Some(json(&format!("\"{}\"", "x".repeat(5000))));
        subject.add(&[whole.clone(), execution(2)]);
        for (bounds, sizes) in [
            (limits(100, usize::MAX), vec![6]),
            (limits(4, usize::MAX), vec![4, 2]),
            // The fifth has large actions: it begins a page.
            (limits(100, 4000), vec![4, 2]),
        ] {
            let found = pages(
                page(&bounds),
                |task: &engine::TaskRecord| task.number,
                |page| {
                    subject.read(|reader| {
                        reader.list_tasks(whole.key(), &Filter::all(), page, Payloads::Include)
                    })
                },
            );
            let found_sizes: Vec<usize> = found.iter().map(Vec::len).collect();
            assert_eq!(found_sizes, sizes, "{bounds:?}");
            assert_same(&found.concat(), &whole.tasks);
        }
        let bare = subject.read(|reader| {
            reader.list_tasks(whole.key(), &Filter::all(), &Page::first(9), Payloads::Omit)
        });
        assert!(
            bare.rows
                .iter()
                .all(|task| task.actions.is_empty() && task.published.is_none())
        );
        for task in &whole.tasks {
            let found = subject.read(|reader| reader.find_task(whole.key(), task.number));
            assert_same(&found, &Some(task));
        }
        assert!(
            subject
                .read(|reader| reader.find_task(whole.key(), 7))
                .is_none()
        );
    });
}

#[test]
fn actions_come_in_pages_of_a_task_or_of_all() {
    on_each(|subject| {
        let mut whole = execution(1);
        whole.tasks = (1..=4).map(|number| task(number, number)).collect();
        subject.add(std::slice::from_ref(&whole));
        for of_task in [None, Some(1), Some(3), Some(9)] {
            let expected: Vec<(u32, u32)> = whole
                .tasks
                .iter()
                .filter(|task| of_task.is_none_or(|number| number == task.number))
                .flat_map(|task| {
                    task.actions
                        .iter()
                        .map(|action| (task.number, action.number))
                })
                .collect();
            for limit in [1, 2, 3, 100] {
                let bounds = limits(limit, usize::MAX);
                let key = |row: &store::ActionRow| (row.task, row.record.number);
                let found = pages(page(&bounds), key, |page| {
                    subject.read(|reader| {
                        reader.list_actions(whole.key(), of_task, page, Payloads::Include)
                    })
                });
                let found: Vec<_> = found.concat().iter().map(key).collect();
                assert_eq!(found, expected, "task {of_task:?}, pages of {limit}");
            }
        }
        let found = subject.read(|reader| reader.find_action(whole.key(), 4, 2));
        assert_same(&found, &Some(&whole.tasks[3].actions[1]));
        assert!(
            subject
                .read(|reader| reader.find_action(whole.key(), 4, 5))
                .is_none()
        );
    });
}

#[test]
fn executions_are_counted_in_groups() {
    on_each(|subject| {
        let mut all: Vec<_> = (1..=6).map(execution).collect();
        for whole in &mut all[..2] {
            whole.record.definition.name = "other".into();
            whole.record.state = ExecutionState::Error;
        }
        all[2].record.state = ExecutionState::Paused;
        all[3].record.definition.namespace = "space".into();
        subject.add(&all);
        let state: &[(&str, i64)] = &[("ERROR", 2), ("PAUSED", 1), ("RUNNING", 3)];
        for (group, max_groups, expected) in [
            (None, 9, &[][..]),
            (Some(CountGroup::State), 9, state),
            (Some(CountGroup::State), 1, &[("RUNNING", 3)]),
            (
                Some(CountGroup::WorkflowName),
                9,
                &[("flow", 4), ("other", 2)],
            ),
        ] {
            let found = subject
                .read(|reader| reader.count_executions(PROJECT, &Filter::all(), group, max_groups));
            let expected: BTreeMap<String, i64> = expected
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect();
            assert_eq!((found.total, found.groups), (6, expected));
        }
        for (namespace, name, expected) in [
            ("", "flow", 3),
            ("space", "flow", 1),
            ("", "other", 0),
            ("", "none", 0),
        ] {
            let found = subject.read(|reader| reader.count_running(PROJECT, namespace, name));
            assert_eq!(found, expected, "{namespace}/{name}");
        }
    });
}

/// When the executions of these tests were created, by their uids; microseconds since the epoch.
const CREATED_US: i64 = 0x0192_0000_0000 * 1_000;

#[test]
fn finished_trees_expire_with_their_children() {
    on_each(|subject| {
        let mut all: Vec<_> = (1..=5).map(execution).collect();
        for (place, end) in [(0, 50), (1, 10), (2, 10), (4, 99)] {
            all[place].record.state = ExecutionState::Success;
            all[place].record.finished_us = Some(CREATED_US + end);
        }
        // The third is a child of the first, whose other child is gone already.
        all[2].record.parent = Some(ActionId {
            task: TaskId {
                execution: uid(1),
                number: 1,
            },
            number: 1,
        });
        all[2].record.root = uid(1);
        all[2].record.depth = 1;
        all[0].tasks = vec![task(1, 2)];
        all[0].tasks[0].actions[0].in_task_row = false;
        all[0].tasks[0].actions[0].child = Some(uid(3));
        all[0].tasks[0].actions[1].child = Some(uid(77));
        subject.add(&all);
        for (before_us, limit, expected) in [
            (10, 9, vec![]),
            (60, 9, vec![1, 2]),
            (60, 1, vec![1]),
            (100, 9, vec![1, 2, 5]),
        ] {
            let before_us = CREATED_US + before_us;
            let found = subject.read(|reader| reader.list_expired(PROJECT, before_us, limit));
            let found: Vec<_> = found.iter().map(|key| key.uid).collect();
            assert_eq!(found, expected.into_iter().map(uid).collect::<Vec<_>>());
        }
        let children = subject.read(|reader| reader.list_children(all[0].key()));
        assert_eq!(children, [all[2].key()]);
    });
}

/// What is counted along with each commit is what is there.
#[test]
fn counts_follow_every_change() {
    use ExecutionState::{Error, Running, Success};
    on_each(|subject| {
        let mut all: Vec<_> = (1..=4).map(execution).collect();
        subject.add(&all);
        let check = |subject: &Subject, expected: [i64; 3]| {
            let group = Some(CountGroup::State);
            let counts =
                subject.read(|reader| reader.count_executions(PROJECT, &Filter::all(), group, 10));
            let found = [Running, Success, Error]
                .map(|state| counts.groups.get(state.word()).copied().unwrap_or(0));
            assert_eq!(found, expected);
            assert_eq!(counts.total, expected.iter().sum::<i64>());
        };
        check(subject, [4, 0, 0]);
        for (whole, state) in all.iter_mut().zip([Success, Error, Error]) {
            whole.record.state = state;
        }
        let batch = Batch {
            executions: all[..2]
                .iter()
                .map(|whole| whole.as_changed(false))
                .collect(),
            ..Batch::default()
        };
        subject.writer.commit(&batch).unwrap();
        check(subject, [2, 1, 1]);
        // One that the same commit changes, and one that it only deletes; it may come twice.
        let batch = Batch {
            executions: vec![all[2].as_changed(false)],
            deleted: [2, 0, 0].map(|index| removal(all[index].key())).into(),
            ..Batch::default()
        };
        subject.writer.commit(&batch).unwrap();
        check(subject, [1, 0, 1]);
    });
}
