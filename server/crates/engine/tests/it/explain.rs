//! What an execution waits for, as the engine tells it: one line a cause.

use definition::Kind;
use engine::{Caller, Cause, CauseKind, Data, Event, ExecutionUid, Outcome, Verb};

use crate::harness::{Harness, START_US};

/// A cause as one line; times are seconds since the start.
fn line(cause: &Cause) -> String {
    let kind = match &cause.kind {
        CauseKind::Steps { count } => format!("{count} steps"),
        CauseKind::Paused => "paused".into(),
        CauseKind::Held { pause_before } => format!("held, pause-before {pause_before}"),
        CauseKind::Timer { timer, attempt } => format!("{timer:?} before attempt {attempt}"),
        CauseKind::Action {
            number,
            name,
            runner,
            state,
            attempt,
            index,
        } => format!(
            "action {number} {name}[{index}] {} attempt {attempt} by {runner:?}",
            state.word()
        ),
        CauseKind::Child {
            workflow, index, ..
        } => format!("child {workflow}[{index}]"),
        CauseKind::Items {
            running,
            waiting,
            concurrency,
        } => format!("{waiting} items wait, {running} of {concurrency} run"),
        CauseKind::Join {
            needed,
            arrived,
            missing,
        } => {
            let missing: Vec<String> = missing
                .iter()
                .map(|(name, state)| format!("{name} {}", state.map_or("-", |s| s.word())))
                .collect();
            format!("join of {needed}: {arrived:?}, missing {missing:?}")
        }
        CauseKind::Unknown => "unknown".into(),
    };
    let task = cause.task.map_or("-".into(), |task| task.to_string());
    let until = cause
        .until_us
        .map_or(String::new(), |at| format!(" until {}", seconds(at)));
    format!("{task} since {}: {kind}{until}", seconds(cause.since_us))
}

fn seconds(time_us: i64) -> i64 {
    (time_us - START_US) / 1_000_000
}

fn lines(harness: &Harness, uid: ExecutionUid) -> Vec<String> {
    let causes = engine::explain(harness.get(uid), None, 100);
    causes.iter().map(line).collect()
}

#[track_caller]
fn check(tasks: &str, expected: &[&str]) -> (Harness, ExecutionUid) {
    let document = format!("version: '2.0'\nwf:\n  tasks:\n{tasks}");
    let mut harness = Harness::new(Kind::Workflows, &document);
    harness.add(
        Kind::Workflows,
        "version: '2.0'\nheld:\n  tasks:\n    hold: {action: std.async_noop}\n",
    );
    let uid = harness.start("wf", "{}", "{}");
    assert_eq!(lines(&harness, uid), expected);
    (harness, uid)
}

#[test]
fn each_kind_of_waiting_is_told() {
    for (tasks, expected) in [
        (
            "    a: {action: std.async_noop}\n",
            &["1 since 0: action 1 std.async_noop[0] RUNNING attempt 1 by External"][..],
        ),
        (
            "    a: {action: std.sleep seconds=9, timeout: 5}\n",
            &["1 since 0: action 1 std.sleep[0] RUNNING attempt 1 by Server until 5"],
        ),
        (
            "    a: {action: std.noop, wait-before: 7}\n",
            &["1 since 0: WaitBefore before attempt 1 until 7"],
        ),
        (
            "    a: {action: std.fail, retry: {count: 3, delay: 4}}\n",
            &["1 since 0: Retry before attempt 2 until 4"],
        ),
        ("    a: {workflow: held}\n", &["1 since 0: child held[0]"]),
        (
            "    a: {action: std.noop, pause-before: true}\n",
            &["- since 0: paused", "1 since 0: held, pause-before true"],
        ),
        (
            "    a:\n      with-items: i in [1, 2, 3]\n      concurrency: 1\n      \
             action: std.async_noop\n",
            &[
                "1 since 0: action 1 std.async_noop[0] RUNNING attempt 1 by External",
                "1 since 0: 2 items wait, 1 of 1 run",
            ],
        ),
        (
            "    a: {action: std.noop, on-success: c}\n    \
             b: {action: std.async_noop, on-success: c}\n    \
             c: {action: std.noop, join: all}\n",
            &[
                "2 since 0: action 1 std.async_noop[0] RUNNING attempt 1 by External",
                "3 since 0: join of 2: [\"a\"], missing [\"b RUNNING\"]",
            ],
        ),
        (
            // What it may lead to itself is nothing that it waits for.
            "    a: {action: std.noop, on-success: d}\n    \
             b: {action: std.async_noop, on-success: c}\n    \
             c: {action: std.noop, on-success: d}\n    \
             d: {action: std.noop, join: all-active, on-success: e}\n    \
             e: {action: std.noop, on-success: [{d: <% false %>}]}\n",
            &[
                "2 since 0: action 1 std.async_noop[0] RUNNING attempt 1 by External",
                "3 since 0: join of 2: [\"a\"], missing [\"c -\"]",
            ],
        ),
        ("    a: {action: std.noop}\n", &[]),
    ] {
        check(tasks, expected);
    }
}

#[test]
fn a_pause_is_told_with_what_goes_on() {
    let (mut harness, uid) = check(
        "    a: {action: std.async_noop}\n",
        &["1 since 0: action 1 std.async_noop[0] RUNNING attempt 1 by External"],
    );
    harness.advance(3);
    let timeouts_run = false;
    let (verb, caller) = (Verb::Pause { timeouts_run }, Caller::default());
    harness.apply(uid, Event::Verb { verb, caller }).unwrap();
    assert_eq!(
        lines(&harness, uid),
        [
            "- since 3: paused",
            "1 since 0: action 1 std.async_noop[0] RUNNING attempt 1 by External"
        ]
    );
    // A restart loses no cause.
    harness.restart();
    assert_eq!(lines(&harness, uid).len(), 2);
}

#[test]
fn what_stands_still_beside_a_rollback_is_told() {
    let tasks = "    slow: {action: std.async_noop, on-success: held}
    one: {action: std.async_noop, on-success: two}
    two: {action: std.noop, rollback: {action: std.async_noop}}
    held: {action: std.noop, pause-before: true}\n";
    let document = format!("version: '2.0'\nwf:\n  tasks:\n{tasks}");
    let mut harness = Harness::new(Kind::Workflows, &document);
    let uid = harness.start("wf", "{}", "{}");
    for task in [2, 1] {
        let outcome = Outcome::Success(Data::parse("1").unwrap());
        harness.end_action(uid, task, 1, outcome).unwrap();
    }
    let verb = Verb::Rollback { to: Some(2) };
    harness.verb(uid, verb).unwrap();
    let lines = lines(&harness, uid);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("4 since 0: held"), "{lines:?}");
    assert!(
        lines[1].contains("action 1 std.async_noop[0] RUNNING"),
        "{lines:?}"
    );
}

#[test]
fn causes_are_bounded_and_of_one_task_if_asked() {
    let items = "    a:\n      with-items: i in <% range(50) %>\n      action: std.async_noop\n    \
                 b: {action: std.async_noop}\n";
    let document = format!("version: '2.0'\nwf:\n  tasks:\n{items}");
    let mut harness = Harness::new(Kind::Workflows, &document);
    let uid = harness.start("wf", "{}", "{}");
    let execution = harness.get(uid);
    for (task, max, expected) in [
        (None, 100, 51),
        (None, 10, 10),
        (Some(1), 100, 50),
        (Some(2), 100, 1),
        (Some(9), 100, 0),
    ] {
        assert_eq!(engine::explain(execution, task, max).len(), expected);
    }
}
