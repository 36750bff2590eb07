//! Records of every shape, for property tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{
    ActionId, ActionRecord, ActionState, BackloggedCommand, Data, DefinitionRef, Earlier, Edge,
    ExecutionState, Failure, FailureKind, HistoryEvent, HistoryKind, Lease, PinnedAction, Progress,
    Rollback, Runner, TaskId, TaskRecord, TaskRuntime, TaskState, TimerKind, Trigger,
    WorkerFailure,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Whole, action, execution, task, uid};

fn text() -> impl Strategy<Value = Arc<str>> {
    // Quotes, percent signs, line breaks and what lies outside the basic plane.
    prop_oneof![
        "[a-z]{1,8}",
        "\\PC{0,12}",
        Just("'%_*\"\\\n\u{1f4a8}".to_owned())
    ]
    .prop_map(Into::into)
}

fn json() -> impl Strategy<Value = Data> {
    prop_oneof![
        Just(Data::empty_object()),
        Just(Data::null()),
        Just(Data::from_checked_text(
            r#"{ "kept" : [1,2.50, "as is" ] }"#
        )),
        text().prop_map(|text| Data::string(&text)),
    ]
}

fn edge() -> impl Strategy<Value = Edge> {
    select(vec![
        Edge::OnSuccess,
        Edge::OnError,
        Edge::OnComplete,
        Edge::OnSkip,
        Edge::Requires,
    ])
}

fn trigger() -> impl Strategy<Value = Trigger> {
    (any::<u32>(), edge(), 0..3_u32).prop_map(|(task, event, generation)| Trigger {
        task,
        event,
        generation,
    })
}

fn timer() -> impl Strategy<Value = (TimerKind, i64)> {
    use TimerKind::{Retry, Timeout, WaitAfter, WaitBefore};
    (
        select(vec![WaitBefore, WaitAfter, Retry, Timeout]),
        any::<i64>(),
    )
}

fn pinned() -> impl Strategy<Value = PinnedAction> {
    let reference = (text(), text(), any::<i32>(), any::<[u8; 32]>(), of(text()));
    let reference =
        reference.prop_map(
            |(name, namespace, revision, source_hash, workbook)| DefinitionRef {
                name,
                namespace,
                revision,
                source_hash,
                workbook,
            },
        );
    (text(), vec(reference, 1..3)).prop_map(|(call, chain)| PinnedAction { call, chain })
}

fn earlier() -> impl Strategy<Value = Earlier> {
    (vec(trigger(), 0..2), of(json())).prop_map(|(triggered_by, published)| Earlier {
        triggered_by,
        published,
    })
}

fn runtime() -> impl Strategy<Value = TaskRuntime> {
    let waited = (select(TaskState::ALL.to_vec()), of(text()));
    let first = (
        any::<u32>(),
        of(timer()),
        of(any::<i64>()),
        of(any::<u64>()),
        any::<bool>(),
    );
    let second = (
        of(any::<u32>()),
        any::<u32>(),
        any::<bool>(),
        any::<bool>(),
        of(waited),
    );
    let third = (
        any::<bool>(),
        vec(0..100_usize, 0..3),
        any::<bool>(),
        vec(pinned(), 0..2),
        vec(earlier(), 0..2),
        (of(any::<i64>()), of(text()), btree_set(any::<u32>(), 0..3)),
    );
    let some = (first, second, third).prop_map(|(first, second, third)| {
        let (retry_no, due, timeout_us, seconds, timed_out) = first;
        let (items, concurrency, begun, paused_before, after_wait) = second;
        let (waited_after, join_seen, result_dropped, pins, earlier, paused) = third;
        let (left, input_patch, undrained) = paused;
        TaskRuntime {
            retry_no,
            attempts_before: 3,
            result_declared: true,
            due,
            timeout_us,
            timeout_left_us: left,
            timeout_s: seconds,
            timed_out,
            items,
            concurrency,
            call_times: engine::CallTimes {
                start_to_close_s: seconds,
                schedule_to_start_s: seconds,
                heartbeat_s: seconds,
            },
            begun,
            paused_before,
            after_wait,
            waited_after,
            join_seen: join_seen.into_iter().collect(),
            pins,
            earlier,
            input_patch,
            undrained,
            result_dropped,
            next_attempt: items.map(|n| engine::NextAttempt::After(n.into())),
            undo_of: items,
            undone_by: items,
            rolled_back: timed_out,
        }
    });
    prop_oneof![Just(TaskRuntime::default()), some]
}

/// A lease with every field.
fn lease(number: u32) -> Lease {
    let text = |what: &str| format!("{what} {number}").into();
    Lease {
        id: Some(text("lease")),
        worker: text("worker"),
        identity: text("identity"),
        queue: text("queue"),
        started_us: number.into(),
        lost: number,
        crashes: number / 2,
        progress: Some(Data::from_checked_text("{\"step\": 1}")),
        failure: Some(WorkerFailure {
            kind: text("kind"),
            message: text("message"),
            stack: text("stack"),
            cause: Some(Box::default()),
        }),
    }
}

/// Changes every field of an action that may change.
fn changed_action(number: u32) -> impl Strategy<Value = ActionRecord> {
    let runners: Vec<Runner> = Runner::ALL.iter().map(|(runner, _)| *runner).collect();
    let states = ActionState::ALL.to_vec();
    let what = (select(states), of(json()), any::<bool>(), select(runners));
    (what, of(any::<u64>()), of(any::<i64>())).prop_map(move |(what, child, finished_us)| {
        let (state, output, accepted, runner) = what;
        let child = child.map(|number| uid(number.into()));
        ActionRecord {
            state,
            output,
            accepted,
            runner,
            // The first lies in the row of its task, which never stands for a child.
            child: child.filter(|_| number > 1),
            finished_us,
            lease: finished_us.map(|_| Box::new(lease(number))),
            ..action(number)
        }
    })
}

/// Changes every field of a task that may change.
fn changed_task(number: u32) -> impl Strategy<Value = TaskRecord> {
    let state = (
        select(TaskState::ALL.to_vec()),
        of(text()),
        any::<bool>(),
        any::<bool>(),
    );
    let edges = (vec((text(), edge()), 0..3), vec(trigger(), 0..3));
    let published = (of(json()), of(json()), any::<u32>(), runtime());
    let times = (of(any::<i64>()), any::<i64>(), of(any::<i64>()));
    let actions = (1..=3u32).map(changed_action).collect::<Vec<_>>();
    (state, edges, published, times, actions).prop_map(
        move |(state, edges, published, times, actions)| TaskRecord {
            state: state.0,
            state_info: state.1,
            processed: state.2,
            error_handled: state.3,
            next_tasks: edges.0,
            triggered_by: edges.1,
            published: published.0,
            published_global: published.1,
            global_order: published.2,
            runtime: published.3,
            started_us: times.0,
            updated_us: times.1,
            finished_us: times.2,
            actions,
            ..task(number, 0)
        },
    )
}

fn backlog() -> impl Strategy<Value = Vec<BackloggedCommand>> {
    let command =
        (text(), of(text()), trigger()).prop_map(|(target, message, trigger)| BackloggedCommand {
            target,
            message,
            trigger,
        });
    vec(command, 0..3)
}

/// Labels, few of them, so that a change keeps some, adds some and takes some away.
fn described() -> impl Strategy<Value = BTreeMap<Arc<str>, Arc<str>>> {
    let word = |words: [&'static str; 2]| select(words.map(Arc::<str>::from).to_vec());
    btree_map(word(["team", "stage"]), word(["a", "b"]), 0..3)
}

fn progress() -> impl Strategy<Value = Progress> {
    let of_rollback = prop_oneof![Just([0; 3]), any::<[u32; 3]>()];
    (any::<[u32; 7]>(), of_rollback).prop_map(
        |(
            [
                total,
                active,
                success,
                error,
                cancelled,
                skipped,
                running_actions,
            ],
            [rolled_back, undoing, undo_failed],
        )| Progress {
            total,
            active,
            success,
            error,
            cancelled,
            skipped,
            running_actions,
            rolled_back,
            undoing,
            undo_failed,
        },
    )
}

fn rollback() -> impl Strategy<Value = Option<Rollback>> {
    let ended = of(select(ExecutionState::ALL.to_vec()));
    let mut failures: Vec<Failure> = FailureKind::ALL.iter().map(|kind| (*kind).into()).collect();
    failures.extend("limit_exceeded data_bytes_max 2097152".parse::<Failure>());
    let failure = of(select(failures));
    let rollback = (of(any::<u32>()), ended, of(text()), failure, any::<bool>());
    of(
        rollback.prop_map(|(to, ended, info, failure, by_parent)| Rollback {
            to,
            ended,
            info,
            failure,
            by_parent,
        }),
    )
}

fn history() -> impl Strategy<Value = Vec<HistoryEvent>> {
    // Few different values, so that events repeat those of the one before.
    let names: Vec<Option<Arc<str>>> = vec![None, Some("".into()), Some("t1".into())];
    let event_of = (
        select(names),
        of(0..2u32),
        1..3i32,
        0..3i64,
        of(text()),
        of(text()),
    );
    vec(event_of, 0..6).prop_map(|events| {
        let numbered = events.into_iter().zip(1..);
        let events = numbered.map(|(event, sequence)| {
            let (task_name, task, run, time_us, principal, identity) = event;
            let timer = TimerKind::Retry;
            let kind = HistoryKind::TimerStarted {
                timer,
                due_us: sequence,
            };
            HistoryEvent {
                sequence,
                time_us,
                run,
                task,
                task_name,
                principal,
                identity,
                kind,
            }
        });
        events.collect()
    })
}

/// An execution as it is created: fields that never change, and three tasks of three actions.
pub(crate) fn created() -> impl Strategy<Value = Whole> {
    let names = (text(), of(text()), text(), text(), of(text()), text());
    let labels = btree_map(text(), text(), 0..3);
    let numbers = (
        any::<i32>(),
        any::<[u8; 32]>(),
        any::<u32>(),
        any::<i16>(),
        any::<i32>(),
    );
    let parent = of((any::<u64>(), any::<u32>(), any::<u32>()));
    (names, labels, numbers, parent, json()).prop_map(|(names, labels, numbers, parent, input)| {
        let mut whole = execution(1);
        let record = &mut whole.record;
        (record.project, record.execution_id) = (names.0, names.1);
        (record.definition.name, record.definition.namespace) = (names.2, names.3);
        (record.definition.workbook, record.description) = (names.4, names.5);
        record.labels = labels.into_iter().collect::<BTreeMap<_, _>>();
        record.definition.revision = numbers.0;
        record.definition.source_hash = numbers.1;
        (record.item_index, record.shard, record.depth) = (numbers.2, numbers.3, numbers.4);
        record.input = input;
        if let Some((parent, task, number)) = parent {
            let execution = uid(parent.into());
            record.parent = Some(ActionId {
                task: TaskId {
                    execution,
                    number: task,
                },
                number,
            });
            record.root = execution;
        }
        whole.tasks = (1..=3).map(|number| task(number, 3)).collect();
        whole
    })
}

/// Changes everything that may change of an execution.
pub(crate) fn change(whole: Whole) -> impl Strategy<Value = Whole> {
    let state = (
        select(ExecutionState::ALL.to_vec()),
        of(text()),
        any::<i32>(),
    );
    let payloads = (json(), of(json()), json());
    let times = (any::<i64>(), of(any::<i64>()));
    let tasks = (1..=3u32).map(changed_task).collect::<Vec<_>>();
    (
        state,
        payloads,
        times,
        (backlog(), progress(), rollback()),
        tasks,
        history(),
        (described(), text()),
    )
        .prop_map(
            move |(state, payloads, times, more, tasks, history, details)| {
                let mut whole = whole.clone();
                let record = &mut whole.record;
                (record.state, record.state_info, record.run) = state;
                (record.params, record.output, record.vars) = payloads;
                (record.updated_us, record.finished_us) = times;
                (record.backlog, record.progress, record.rollback) = more;
                (record.labels, record.description) = details;
                record.last_sequence = i64::try_from(history.len()).unwrap();
                (whole.tasks, whole.history) = (tasks, history);
                whole
            },
        )
}
