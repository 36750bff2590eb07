//! Commits: all or nothing, and only what the flags say.

use std::collections::BTreeMap;

use engine::{ActionState, ExecutionState, TaskChange, TaskState};
use store::{Batch, Changed, Entity, Error, Filter, Page, Payloads};

use crate::support::{PROJECT, Subject, Whole, action, assert_same, event, execution, json};
use crate::support::{on_each, removal, task};

fn commit(subject: &mut Subject, executions: Vec<Changed<'_>>) -> Result<(), Error> {
    subject.writer.commit(&Batch {
        executions,
        ..Batch::default()
    })
}

/// Changes that cannot be written, each for another reason.
fn check_each_bad_change(check: &mut dyn FnMut(&str, Changed<'_>)) {
    let (missing, known, again) = (execution(9), execution(1), known_task());
    let (lone_task, lone_action) = (task(5, 0), action(5));
    let (events, hole) = ([event(1)], [event(2), event(4)]);
    let full = || bare(&known);
    let quiet = || Changed {
        row_changed: false,
        payloads_changed: false,
        details_changed: false,
        ..bare(&known)
    };
    let (mut row, mut payloads) = (bare(&missing), bare(&missing));
    row.payloads_changed = false;
    payloads.row_changed = false;
    check("unknown row", row);
    check("unknown payloads", payloads);
    for (name, task, change) in [
        ("unknown task", &lone_task, TaskChange::Known),
        (
            "action of an unknown task",
            &lone_task,
            TaskChange::NewAction,
        ),
        ("task new twice", &again, TaskChange::New),
    ] {
        let tasks = vec![(task, change)];
        check(name, Changed { tasks, ..quiet() });
    }
    for (name, action, is_new) in [
        ("unknown action", &lone_action, false),
        ("action new twice", &again.actions[1], true),
    ] {
        let actions = vec![(1, action, is_new)];
        check(name, Changed { actions, ..quiet() });
    }
    for (name, history) in [
        ("history with a hole", &hole[..]),
        ("history twice", &events),
    ] {
        check(name, Changed { history, ..full() });
    }
    let is_new = true;
    check("new twice", Changed { is_new, ..full() });
}

#[test]
fn a_commit_that_fails_anywhere_leaves_nothing() {
    on_each(|subject| {
        let mut known = execution(1);
        known.tasks = vec![known_task()];
        known.history = vec![event(1)];
        subject.add(std::slice::from_ref(&known));
        check_each_bad_change(&mut |name, bad| {
            // A good change on either side: neither must remain.
            let new = execution(2);
            let mut changed = known.clone();
            changed.record.state = ExecutionState::Paused;
            changed.history.clear();
            let done = commit(subject, vec![new.as_new(), bad, changed.as_changed(false)]);
            assert!(done.is_err(), "{name}");
            assert!(subject.dump(new.key()).is_none(), "{name}");
            assert_same(&subject.dump(known.key()), &Some(&known));
        });
        // The writer works on.
        subject.add(&[execution(2)]);
        assert!(subject.dump(execution(2).key()).is_some());
    });
}

/// The first action of a task comes with its row, or later; its input stays when it ends.
#[test]
fn the_first_action_of_a_task_lies_in_its_row() {
    on_each(|subject| {
        let mut whole = execution(1);
        whole.tasks = vec![task(1, 0), task(2, 1)];
        subject.add(std::slice::from_ref(&whole));
        assert_same(&subject.dump(whole.key()), &Some(&whole));
        let mut commit_task = |whole: &Whole, change| {
            let tasks = vec![(&whole.tasks[0], change)];
            let changed = Changed {
                tasks,
                ..bare(whole)
            };
            commit(subject, vec![changed]).unwrap();
            assert_same(&subject.dump(whole.key()), &Some(whole));
        };
        let mut first = action(1);
        first.input = json(r#"{"a": 1}"#);
        whole.tasks[0].actions.push(first);
        commit_task(&whole, TaskChange::NewAction);
        let task = &mut whole.tasks[0];
        task.state = TaskState::Success;
        task.actions[0].state = ActionState::Success;
        task.actions[0].output = Some(json("7"));
        task.actions[0].finished_us = Some(9);
        commit_task(&whole, TaskChange::Known);
        // As if nobody had changed the action.
        whole.tasks[0].processed = true;
        commit_task(&whole, TaskChange::Known);
    });
}

fn known_task() -> engine::TaskRecord {
    task(1, 2)
}

fn bare(whole: &Whole) -> Changed<'_> {
    Changed {
        tasks: Vec::new(),
        actions: Vec::new(),
        ..whole.as_changed(false)
    }
}

#[test]
fn a_taken_id_is_named() {
    on_each(|subject| {
        subject.add(&[execution(1)]);
        let mut same_id = execution(2);
        same_id.record.execution_id = Some("e1".into());
        let mut elsewhere = execution(3);
        elsewhere.record.execution_id = Some("e1".into());
        elsewhere.record.project = "other".into();
        let without: Vec<Whole> = (4..6)
            .map(|number| {
                let mut whole = execution(number);
                whole.record.execution_id = None;
                whole
            })
            .collect();
        subject.add(&without);
        subject.add(&[elsewhere]);
        let twice = [execution(7), same_uidless(8, "e7")];
        for (batch, taken) in [
            (vec![execution(6).as_new(), same_id.as_new()], "e1"),
            (twice.iter().map(Whole::as_new).collect(), "e7"),
        ] {
            let Err(Error::Conflict {
                entity: Entity::Execution,
                name,
            }) = commit(subject, batch)
            else {
                panic!("{taken} is not taken");
            };
            assert_eq!(name, taken);
        }
        assert!(subject.dump(execution(6).key()).is_none());
        assert!(subject.dump(execution(7).key()).is_none());
    });
}

fn same_uidless(number: u32, id: &str) -> Whole {
    let mut whole = execution(number);
    whole.record.execution_id = Some(id.into());
    whole
}

#[test]
fn payloads_are_written_only_if_they_changed() {
    on_each(|subject| {
        let mut whole = execution(1);
        subject.add(std::slice::from_ref(&whole));
        whole.record.output = Some(json(r#"{"done": true}"#));
        whole.record.state = ExecutionState::Success;
        let row_only = Changed {
            payloads_changed: false,
            details_changed: false,
            ..whole.as_changed(false)
        };
        commit(subject, vec![row_only]).unwrap();
        let found = subject.dump(whole.key()).unwrap().record;
        assert_eq!((found.state, found.output), (ExecutionState::Success, None));

        let payloads_only = Changed {
            row_changed: false,
            ..whole.as_changed(false)
        };
        commit(subject, vec![payloads_only]).unwrap();
        assert_same(&subject.dump(whole.key()), &Some(&whole));
    });
}

#[test]
fn history_always_moves_the_last_sequence() {
    on_each(|subject| {
        let mut whole = execution(1);
        subject.add(std::slice::from_ref(&whole));
        whole.record.last_sequence = 2;
        whole.history = vec![event(1), event(2)];
        let changed = Changed {
            row_changed: false,
            ..whole.as_changed(false)
        };
        commit(subject, vec![changed]).unwrap();
        let standing = subject.read(|reader| reader.standing(whole.key())).unwrap();
        assert_eq!(standing.last_sequence, 2);
    });
}

#[test]
fn a_deleted_execution_leaves_nothing_and_takes_nothing_else() {
    on_each(|subject| {
        let mut whole = Vec::new();
        for number in 1..=3 {
            let mut one = execution(number);
            one.record.labels = BTreeMap::from([("team".into(), "eu".into())]);
            one.tasks = vec![task(1, 2), task(2, 1)];
            one.history = vec![event(1), event(2)];
            whole.push(one);
        }
        subject.add(&whole);
        let batch = Batch {
            deleted: vec![removal(whole[1].key())],
            ..Batch::default()
        };
        for _ in 0..2 {
            subject.writer.commit(&batch).unwrap();
            assert!(subject.dump(whole[1].key()).is_none());
            assert_same(&subject.dump(whole[0].key()), &Some(&whole[0]));
            assert_same(&subject.dump(whole[2].key()), &Some(&whole[2]));
        }
        let left = subject.read(|reader| {
            let team = store::ExecutionField::Label("team".into());
            let filter = Filter::Compare {
                field: team,
                operator: store::Operator::Equal,
                value: store::FilterValue::Text("eu".into()),
            };
            reader.list_executions(PROJECT, &filter, &Page::first(10), Payloads::Omit)
        });
        assert_eq!(left.rows.len(), 2);
        // Its id is free again, also in the very same place.
        subject.add(&[whole[1].clone()]);
        assert_same(&subject.dump(whole[1].key()), &Some(&whole[1]));
    });
}

#[test]
fn all_unfinished_executions_are_loaded_whole() {
    on_each(|subject| {
        let mut expected = Vec::new();
        let mut all = Vec::new();
        for (number, state) in (1..=400u32).zip(ExecutionState::ALL.iter().cycle()) {
            let mut whole = execution(number);
            whole.record.state = *state;
            whole.record.shard = i16::try_from(number % 3).unwrap();
            whole.tasks = (1..=number % 4)
                .map(|task_no| task(task_no, number % 3))
                .collect();
            // Lies about its size, so that groups of all lengths are made.
            whole.record.progress.total = number % 50 * 100;
            if !state.is_final() {
                expected.push(whole.clone());
            }
            all.push(whole);
        }
        subject.add(&all);
        let mut found = Vec::new();
        subject
            .writer
            .load_unfinished(&[0, 1, 2], &mut |loaded| found.push(loaded))
            .unwrap();
        expected.sort_by_key(Whole::key);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_same(&found.execution, &expected.record);
            assert_same(&found.tasks, &expected.tasks);
        }
    });
}
