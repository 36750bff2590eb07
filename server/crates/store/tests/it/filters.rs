//! Filters: what each of them lets through, and which are refused.

use std::collections::BTreeMap;

use engine::{ActionId, ExecutionState, TaskId};
use store::{Error, ExecutionField as F, Filter, FilterValue as V, Operator as O, Page, Payloads};
use store::{Slice, TaskField};

use crate::support::{PROJECT, Subject, execution, on_each, task, uid};

fn is<F>(field: F, operator: O, value: V) -> Filter<F> {
    Filter::Compare {
        field,
        operator,
        value,
    }
}

fn text(text: &str) -> V {
    V::Text(text.to_owned())
}

fn label(key: &str) -> F {
    F::Label(key.to_owned())
}

fn fill(subject: &mut Subject) {
    let mut all: Vec<_> = (1..=6).map(execution).collect();
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    };
    all[0].record.labels = labels(&[("team", "eu"), ("tier", "gold")]);
    all[1].record.labels = labels(&[("team", "us")]);
    all[2].record.labels = labels(&[("tier", "eu")]);
    all[1].record.state = ExecutionState::Error;
    all[1].record.finished_us = Some(2_500_000);
    all[2].record.state = ExecutionState::Success;
    all[2].record.finished_us = Some(9_000_000);
    all[3].record.definition.name = "other".into();
    all[3].record.definition.namespace = "space".into();
    all[3].record.description = "50%_of 'quotes' \u{e9}t\u{e9}".into();
    all[4].record.execution_id = None;
    all[5].record.parent = Some(ActionId {
        task: TaskId {
            execution: uid(1),
            number: 3,
        },
        number: 1,
    });
    all[5].record.root = uid(1);
    all[5].record.depth = 1;
    let mut elsewhere = execution(7);
    elsewhere.record.project = "elsewhere".into();
    elsewhere.record.labels = labels(&[("team", "eu")]);
    all.push(elsewhere);
    subject.add(&all);
}

/// Numbers of the executions that a filter lets through, oldest first.
fn matching(subject: &Subject, filter: &Filter<F>) -> Result<Vec<u8>, Error> {
    subject.store.readers().read(|reader| {
        let page = Page::first(100);
        let slice: Slice<_> = reader.list_executions(PROJECT, filter, &page, Payloads::Omit)?;
        let counts = reader.count_executions(PROJECT, filter, None, 0)?;
        assert_eq!(usize::try_from(counts.total).unwrap(), slice.rows.len());
        Ok(slice
            .rows
            .iter()
            .rev()
            .map(|record| record.uid.0.as_bytes()[15])
            .collect())
    })
}

type Case = (Filter<F>, &'static [u8]);

fn starts(text: &str) -> V {
    V::StartsWith(text.to_owned())
}

fn ends(text: &str) -> V {
    V::EndsWith(text.to_owned())
}

fn contains(text: &str) -> V {
    V::Contains(text.to_owned())
}

fn not(filter: Filter<F>) -> Filter<F> {
    Filter::Not(Box::new(filter))
}

fn cases_of_ids_and_states() -> Vec<Case> {
    vec![
        (Filter::all(), &[1, 2, 3, 4, 5, 6]),
        (Filter::Or(Vec::new()), &[]),
        (is(F::State, O::Equal, text("ERROR")), &[2]),
        (is(F::State, O::Has, text("ERROR")), &[2]),
        (is(F::State, O::NotEqual, text("RUNNING")), &[2, 3]),
        (is(F::ExecutionId, O::Equal, text("e3")), &[3]),
        (
            is(F::ExecutionId, O::NotEqual, text("e3")),
            &[1, 2, 4, 5, 6],
        ),
        (
            is(F::ExecutionId, O::Equal, text(&uid(5).to_string())),
            &[5],
        ),
        (is(F::ExecutionId, O::Equal, text(&uid(1).to_string())), &[]),
        (
            is(F::ExecutionId, O::Equal, V::Present),
            &[1, 2, 3, 4, 5, 6],
        ),
        (is(F::ExecutionId, O::Equal, starts("e")), &[1, 2, 3, 4, 6]),
        (is(F::Uid, O::Equal, text(&uid(4).to_string())), &[4]),
        (
            is(F::Uid, O::NotEqual, text(&uid(4).to_string())),
            &[1, 2, 3, 5, 6],
        ),
    ]
}

fn cases_of_texts() -> Vec<Case> {
    vec![
        (is(F::WorkflowName, O::Equal, text("other")), &[4]),
        (
            Filter::And(vec![
                is(F::WorkflowName, O::Equal, text("other")),
                is(F::State, O::Equal, text("RUNNING")),
            ]),
            &[4],
        ),
        (
            Filter::And(vec![
                is(F::State, O::Equal, text("ERROR")),
                is(F::WorkflowName, O::Equal, text("other")),
            ]),
            &[],
        ),
        (is(F::WorkflowName, O::Equal, starts("ot")), &[4]),
        (is(F::WorkflowName, O::Equal, starts("Ot")), &[]),
        (is(F::WorkflowName, O::Equal, ends("her")), &[4]),
        (is(F::WorkflowName, O::Equal, ends("another")), &[]),
        (
            is(F::WorkflowName, O::NotEqual, contains("th")),
            &[1, 2, 3, 5, 6],
        ),
        (is(F::WorkflowName, O::Less, text("g")), &[1, 2, 3, 5, 6]),
        (
            is(F::WorkflowNamespace, O::Equal, text("")),
            &[1, 2, 3, 5, 6],
        ),
        (
            is(F::Description, O::Equal, contains("%_of 'quotes'")),
            &[4],
        ),
        (is(F::Description, O::Equal, contains("%'")), &[]),
        (is(F::Description, O::Equal, ends("\u{e9}t\u{e9}")), &[4]),
        (is(F::Description, O::Equal, starts("50_")), &[]),
    ]
}

fn cases_of_times_and_trees_and_labels() -> Vec<Case> {
    vec![
        (
            is(F::CreateTime, O::GreaterOrEqual, V::Time(5_000_000)),
            &[5, 6],
        ),
        (is(F::CreateTime, O::Less, V::Time(2_000_000)), &[1]),
        (is(F::UpdateTime, O::Equal, V::Time(2_000_000)), &[2]),
        (is(F::EndTime, O::LessOrEqual, V::Time(2_500_000)), &[2]),
        (
            is(F::EndTime, O::NotEqual, V::Time(2_500_000)),
            &[1, 3, 4, 5, 6],
        ),
        (is(F::EndTime, O::Has, V::Present), &[2, 3]),
        (not(is(F::EndTime, O::Greater, V::Time(0))), &[1, 4, 5, 6]),
        (
            is(F::RootExecution, O::Equal, text(&uid(1).to_string())),
            &[1, 6],
        ),
        (
            is(F::ParentTask, O::Equal, text(&format!("{}-t3", uid(1)))),
            &[6],
        ),
        (
            is(F::ParentTask, O::Equal, text(&format!("{}-t2", uid(1)))),
            &[],
        ),
        (is(F::ParentTask, O::NotEqual, V::Present), &[1, 2, 3, 4, 5]),
        (is(label("team"), O::Equal, text("eu")), &[1]),
        (is(label("team"), O::NotEqual, text("eu")), &[2, 3, 4, 5, 6]),
        (is(label("team"), O::Has, V::Present), &[1, 2]),
        (is(label("team"), O::Equal, ends("u")), &[1]),
        (is(label("te'am"), O::Equal, text("eu")), &[]),
        (
            Filter::And(vec![
                Filter::Or(vec![
                    is(label("team"), O::Equal, starts("u")),
                    is(label("tier"), O::Equal, V::Present),
                ]),
                not(is(F::State, O::Equal, text("SUCCESS"))),
            ]),
            &[1, 2],
        ),
    ]
}

#[test]
fn filters_let_through_what_they_say() {
    on_each(|subject| {
        fill(subject);
        let cases = [
            cases_of_ids_and_states(),
            cases_of_texts(),
            cases_of_times_and_trees_and_labels(),
        ];
        for (filter, expected) in cases.concat() {
            assert_eq!(matching(subject, &filter).unwrap(), expected, "{filter:?}");
        }
    });
}

#[test]
fn filters_that_make_no_sense_are_refused() {
    let nested = (0..60).fold(Filter::all(), |inner, _| Filter::Not(Box::new(inner)));
    let long = Filter::Or(vec![is(F::Description, O::Equal, text("x")); 300]);
    let cases: Vec<(Filter<F>, &str)> = vec![
        (is(F::State, O::Equal, text("DONE")), "state"),
        (is(F::State, O::Greater, text("ERROR")), "state"),
        (
            is(F::State, O::Equal, V::StartsWith("E".to_owned())),
            "state",
        ),
        (is(F::Uid, O::Equal, text("e1")), "uid"),
        (
            is(F::CreateTime, O::Equal, text("yesterday")),
            "create_time",
        ),
        (is(F::EndTime, O::Less, V::Present), "end_time"),
        (is(F::WorkflowName, O::Less, V::Present), "workflow_name"),
        (is(F::WorkflowName, O::Equal, V::Time(0)), "workflow_name"),
        (is(F::ExecutionId, O::Less, text("e1")), "execution_id"),
        (
            is(F::RootExecution, O::Equal, text("x")),
            "root_execution_id",
        ),
        (
            is(F::ParentTask, O::Equal, text("x")),
            "parent_task_execution_id",
        ),
        (is(label("team"), O::Equal, V::Time(0)), "labels.team"),
        (nested, "(all)"),
        (long, "(all)"),
    ];
    on_each(|subject| {
        for (filter, field) in &cases {
            let Err(Error::Filter { field: found, .. }) = matching(subject, filter) else {
                panic!("{filter:?} is not refused");
            };
            assert_eq!(found, *field);
        }
    });
}

#[test]
fn tasks_are_filtered() {
    on_each(|subject| {
        let mut whole = execution(1);
        whole.tasks = (1..=3).map(|number| task(number, 0)).collect();
        whole.tasks[1].is_workflow = true;
        whole.tasks[2].state = engine::TaskState::Success;
        subject.add(std::slice::from_ref(&whole));
        let cases: Vec<(Filter<TaskField>, &[u32])> = vec![
            (Filter::all(), &[1, 2, 3]),
            (is(TaskField::Name, O::Equal, text("t2")), &[2]),
            (is(TaskField::State, O::Equal, text("SUCCESS")), &[3]),
            (is(TaskField::State, O::NotEqual, text("SUCCESS")), &[1, 2]),
            (is(TaskField::Type, O::Equal, text("WORKFLOW")), &[2]),
            (is(TaskField::Type, O::NotEqual, text("WORKFLOW")), &[1, 3]),
        ];
        for (filter, expected) in cases {
            let found = subject.read(|reader| {
                reader.list_tasks(whole.key(), &filter, &Page::first(9), Payloads::Omit)
            });
            let numbers: Vec<u32> = found.rows.iter().map(|task| task.number).collect();
            assert_eq!(numbers, expected, "{filter:?}");
        }
        for filter in [
            is(TaskField::Type, O::Equal, text("ADHOC")),
            is(TaskField::State, O::Equal, text("DONE")),
        ] {
            let refused = subject.store.readers().read(|reader| {
                reader.list_tasks(whole.key(), &filter, &Page::first(9), Payloads::Omit)
            });
            assert!(matches!(refused, Err(Error::Filter { .. })), "{filter:?}");
        }
    });
}
