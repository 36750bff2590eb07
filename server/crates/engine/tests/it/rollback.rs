//! A rollback undoes exactly the completed tasks, in an order that causality allows, and as much at
//! the same time as it allows: on random graphs, with results in any order and restarts between.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use definition::Kind;
use engine::{Data, Execution, ExecutionState, ExecutionUid, Outcome, TaskRecord, TaskState, Verb};

use crate::harness::Harness;
use crate::simulation::Chance;

const GRAPHS: u64 = 400;

/// Tasks that lead to later ones only; some join, some fail, some cannot be undone.
fn document(chance: &mut Chance) -> String {
    let mut text = "version: '2.0'\ngraph:\n  tasks:\n".to_owned();
    let count = 2 + chance.below(9);
    let mut inbound = vec![0; count];
    let mut tasks = Vec::new();
    for task in 0..count {
        let next: Vec<usize> = (task + 1..count).filter(|_| chance.percent(35)).collect();
        for to in &next {
            inbound[*to] += 1;
        }
        tasks.push(next);
    }
    for (task, next) in tasks.iter().enumerate() {
        let action = if chance.percent(8) {
            "std.fail"
        } else {
            "std.noop"
        };
        let _ = writeln!(text, "    t{task}:\n      action: {action}");
        if chance.percent(75) {
            text.push_str("      rollback: {action: std.async_noop}\n");
        }
        if inbound[task] > 1 && chance.percent(60) {
            let join = *chance.pick(&["all", "one"]);
            let _ = writeln!(text, "      join: {join}");
        }
        if !next.is_empty() {
            let clause = *chance.pick(&["on-success", "on-complete"]);
            let names: Vec<String> = next.iter().map(|to| format!("t{to}")).collect();
            let _ = writeln!(text, "      {clause}: [{}]", names.join(", "));
        }
    }
    text
}

#[test]
fn what_was_done_is_undone_in_reverse() {
    let mut undone = 0;
    for seed in 0..GRAPHS {
        let mut chance = Chance::new(seed);
        let text = document(&mut chance);
        let mut harness = Harness::new(Kind::Workflows, &text);
        let uid = harness.start("graph", "{}", "{}");
        let execution = harness.get(uid);
        assert!(execution.record().state.is_final(), "seed {seed}\n{text}");
        let count = u32::try_from(execution.tasks().count()).unwrap();
        let to = chance
            .percent(40)
            .then(|| u32::try_from(chance.below(count as usize)).unwrap() + 1);
        let asked: BTreeSet<u32> = match to {
            Some(to) => led_to(execution, to),
            None => (1..=count).collect(),
        };
        let wrong = |what: &str| format!("seed {seed}, to {to:?}: {what}\n{text}");
        harness.verb(uid, Verb::Rollback { to }).unwrap();
        undone += unwind(&mut harness, uid, &asked, &mut chance, &wrong);
        check_end(harness.get(uid), &asked, to, &wrong);
    }
    assert!(undone > 500, "only {undone} tasks were undone");
}

/// Ends what undoes tasks, one at a time; gives how many there were.
fn unwind(
    harness: &mut Harness,
    uid: ExecutionUid,
    asked: &BTreeSet<u32>,
    chance: &mut Chance,
    wrong: &dyn Fn(&str) -> String,
) -> usize {
    let mut ended = 0;
    while harness.get(uid).record().state == ExecutionState::RollingBack {
        if chance.percent(30) {
            harness.restart();
        }
        let execution = harness.get(uid);
        let running: Vec<u32> = execution
            .tasks()
            .filter(|record| record.is_undo() && !record.state.is_final())
            .map(|record| record.number)
            .collect();
        let undoing: BTreeSet<u32> = running
            .iter()
            .filter_map(|undo| execution.task_record(*undo)?.runtime.undo_of)
            .collect();
        assert_eq!(
            undoing,
            due(execution, asked),
            "{}",
            wrong("what is undone")
        );
        let undo = *chance.pick(&running);
        let fails = chance.percent(15);
        let outcome = if fails {
            Outcome::Error(Data::string("no"))
        } else {
            Outcome::Success(Data::null())
        };
        let last = execution.task_record(undo).unwrap().actions.len();
        let action = u32::try_from(last).unwrap();
        harness.end_action(uid, undo, action, outcome).unwrap();
        ended += usize::from(!fails);
        let record = harness.get(uid).record();
        if record.state == ExecutionState::Error {
            let to = record.rollback.as_ref().and_then(|rollback| rollback.to);
            harness.verb(uid, Verb::Rollback { to }).unwrap();
        }
    }
    ended
}

/// The tasks whose undoing can be under way now: not undone, and all that they led to is. What has
/// failed to be undone waits until nothing else can be done.
fn due(execution: &Execution, asked: &BTreeSet<u32>) -> BTreeSet<u32> {
    let failed = |record: &TaskRecord| {
        let undo = record
            .runtime
            .undone_by
            .and_then(|undo| execution.task_record(undo));
        undo.is_some_and(|undo| undo.state == TaskState::Error)
    };
    let is_due = |record: &&TaskRecord| {
        let mut after = led_to(execution, record.number).into_iter();
        asked.contains(&record.number)
            && !record.runtime.rolled_back
            && !failed(record)
            && after.all(|next| execution.task_record(next).unwrap().runtime.rolled_back)
    };
    let due = execution.tasks().filter(|record| !record.is_undo());
    due.filter(is_due).map(|record| record.number).collect()
}

/// Everything that a task has led to, directly or not.
fn led_to(execution: &Execution, from: u32) -> BTreeSet<u32> {
    let mut reached = BTreeSet::new();
    let mut stack = vec![from];
    while let Some(task) = stack.pop() {
        for record in execution.tasks() {
            let is_led = record.triggered_by.iter().any(|t| t.task == task);
            if is_led && reached.insert(record.number) {
                stack.push(record.number);
            }
        }
    }
    reached
}

fn check_end(
    execution: &Execution,
    asked: &BTreeSet<u32>,
    to: Option<u32>,
    wrong: &dyn Fn(&str) -> String,
) {
    let state = match to {
        Some(_) => ExecutionState::Paused,
        None => ExecutionState::RolledBack,
    };
    assert_eq!(execution.record().state, state, "{}", wrong("the end"));
    let workflow = &execution.definition().workflow;
    for record in execution.tasks().filter(|record| !record.is_undo()) {
        let (number, is_asked) = (record.number, asked.contains(&record.number));
        let has_rollback = workflow.tasks[&record.name].rollback.is_some();
        let is_undone = is_asked && has_rollback && record.state == TaskState::Success;
        let undos = execution.tasks();
        let undos = undos.filter(|undo| undo.runtime.undo_of == Some(number));
        assert_eq!(
            record.runtime.rolled_back,
            is_asked,
            "{}",
            wrong("the mark")
        );
        assert_eq!(
            undos.count(),
            usize::from(is_undone),
            "{}",
            wrong("the count")
        );
    }
}
