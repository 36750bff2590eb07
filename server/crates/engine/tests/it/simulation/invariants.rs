//! What must hold after every step, and what two halves of a run are compared by.

use std::fmt::Write as _;

use engine::{
    ActionState, CauseKind, Execution, ExecutionState, FailureKind, Progress, Runner, TaskRecord,
    TaskState,
};

use crate::harness::Harness;

/// Everything that is to be seen of all executions.
pub(super) fn fingerprint(harness: &Harness) -> String {
    let mut text = String::new();
    for (uid, execution) in &harness.executions {
        let record = execution.record();
        let _ = writeln!(
            text,
            "{uid} {} run {} at {} due {:?} {:?} {:?} {:?}",
            record.state.word(),
            record.run,
            record.last_sequence,
            execution.next_due_us(),
            record.state_info,
            record.output,
            record.backlog,
        );
        for task in execution.tasks() {
            let _ = writeln!(
                text,
                "  {} {} {} {:?} published {:?} global {:?} next {:?} by {:?} {:?}",
                task.number,
                task.name,
                task.state.word(),
                task.state_info,
                task.published,
                task.published_global,
                task.next_tasks,
                task.triggered_by.iter().map(|t| t.task).collect::<Vec<_>>(),
                task.runtime,
            );
            for action in &task.actions {
                let _ = writeln!(
                    text,
                    "    {} {}[{}] {} attempt {} accepted {} {:?} {:?}",
                    action.number,
                    action.name,
                    action.index,
                    action.state.word(),
                    action.attempt,
                    action.accepted,
                    action.input,
                    action.output,
                );
            }
        }
    }
    text
}

/// The first difference between the executions of two worlds, in anything that is stored or in
/// when they are due.
pub(super) fn difference(one: &Harness, other: &Harness) -> Option<String> {
    let (ones, others) = (&one.executions, &other.executions);
    if !ones.keys().eq(others.keys()) {
        return Some("the executions".into());
    }
    let differ = |(one, other): (&Execution, &Execution)| {
        let (due, other_due) = (one.next_due_us(), other.next_due_us());
        if one.record() != other.record() || due != other_due {
            let (one, other) = (one.record(), other.record());
            return Some(format!("{one:#?}\n{due:?}\n{other:#?}\n{other_due:?}"));
        }
        let mut tasks = one.tasks().zip(other.tasks());
        let differing = tasks.find(|(one, other)| one != other);
        differing.map(|(one, other)| format!("{one:#?}\n{other:#?}"))
    };
    ones.values().zip(others.values()).find_map(differ)
}

pub(super) fn assert_invariants(harness: &Harness) {
    for (uid, execution) in &harness.executions {
        if let Err(wrong) = check(harness, execution) {
            panic!("{uid}: {wrong}\n{}", fingerprint(harness));
        }
    }
}

fn check(harness: &Harness, execution: &Execution) -> Result<(), String> {
    if execution.has_work() {
        return Err("steps are left over".into());
    }
    let record = execution.record();
    let counted = count(execution);
    if record.progress != counted {
        let wrong = record.progress;
        return Err(format!("counts {wrong:?} instead of {counted:?}"));
    }
    // What is rolled back keeps the output that it had.
    let terminated = record.failure == Some(FailureKind::Terminated.into());
    let in_rollback = record.rollback.is_some();
    if !in_rollback && (record.state.is_final() && !terminated) != record.output.is_some() {
        return Err("has output without an end, or an end without output".into());
    }
    if record.state == ExecutionState::Cancelled {
        check_cancelled(harness, execution)?;
    }
    let moves = [ExecutionState::Running, ExecutionState::RollingBack];
    if moves.contains(&record.state) {
        check_causes(execution)?;
    }
    check_explained(execution)?;
    check_undone(execution)?;
    for task in execution.tasks() {
        check_children(harness, task)?;
        if task.state.is_final() && task.runtime.due.is_some() {
            return Err(format!("task {} waits though it has ended", task.number));
        }
    }
    Ok(())
}

/// Of a cancelled execution nothing is under way but sub-workflows that roll themselves back.
fn check_cancelled(harness: &Harness, execution: &Execution) -> Result<(), String> {
    let rolls_back = |uid| {
        let child: Option<&Execution> = harness.executions.get(&uid);
        child.is_some_and(|child| child.record().is_in_rollback())
    };
    for task in execution.tasks().filter(|task| !task.state.is_final()) {
        let mut active = task
            .actions
            .iter()
            .filter(|action| !action.state.is_final());
        if !active.any(|action| action.child.is_some_and(rolls_back)) {
            return Err(format!("is cancelled, and task {} is not", task.number));
        }
    }
    Ok(())
}

/// What is undone is undone once, and only after everything that it has led to.
fn check_undone(execution: &Execution) -> Result<(), String> {
    let ended = execution.record().state == ExecutionState::RolledBack;
    // A join that was run again may have led to tasks that came before it: one has to be first.
    let may_circle = execution
        .tasks()
        .any(|task| !task.runtime.earlier.is_empty());
    let mut open = std::collections::BTreeSet::new();
    for task in execution.tasks().filter(|task| !task.is_undo()) {
        if !task.runtime.rolled_back {
            open.extend(task.triggered_by.iter().map(|trigger| trigger.task));
        }
    }
    for task in execution.tasks() {
        let number = task.number;
        // One that has failed may be left over from a rollback that was given up.
        if let Some(undone) = task.runtime.undo_of
            && !matches!(task.state, TaskState::Error | TaskState::Cancelled)
            && open.contains(&undone)
            && !may_circle
        {
            return Err(format!(
                "task {undone} is undone by {number} before what it has led to"
            ));
        }
        if task.is_undo() || !ended {
            continue;
        }
        if !task.runtime.rolled_back {
            return Err(format!("task {number} is not rolled back in the end"));
        }
        let workflow = &execution.definition().workflow;
        let spec = &workflow.tasks[&task.name];
        let is_asked = spec.rollback.is_some() && task.state == TaskState::Success;
        let is_called = is_asked && spec.with_items.is_empty();
        if is_called && task.runtime.undone_by.is_none() && !task.actions.is_empty() {
            return Err(format!(
                "task {number} has succeeded, and nothing has undone it"
            ));
        }
    }
    Ok(())
}

fn count(execution: &Execution) -> Progress {
    let mut progress = Progress::default();
    for task in execution.tasks() {
        let running = task
            .actions
            .iter()
            .filter(|a| a.state == ActionState::Running);
        let running = running.count() + task.runtime.undrained.len();
        progress.running_actions += u32::try_from(running).unwrap();
        if let Some(undone) = task.runtime.undo_of {
            let by = execution
                .task_record(undone)
                .and_then(|task| task.runtime.undone_by);
            // A task that a rerun has begun anew knows nothing of an undo that had failed, and may
            // be undone by another one.
            let is_left_over = by != Some(task.number) && task.state.is_final();
            assert!(
                is_left_over || by == Some(task.number),
                "task {undone} is undone by {}, and says {by:?}",
                task.number
            );
            match task.state {
                TaskState::Success | TaskState::Skipped => {}
                TaskState::Error | TaskState::Cancelled => progress.undo_failed += 1,
                _ => progress.undoing += 1,
            }
            continue;
        }
        progress.total += 1;
        if task.runtime.rolled_back {
            progress.rolled_back += 1;
            continue;
        }
        match task.state {
            TaskState::Success => progress.success += 1,
            TaskState::Error => progress.error += 1,
            TaskState::Cancelled => progress.cancelled += 1,
            TaskState::Skipped => progress.skipped += 1,
            _ => progress.active += 1,
        }
    }
    progress
}

/// A running execution has something that it waits for, and each of its tasks has, too.
fn check_causes(execution: &Execution) -> Result<(), String> {
    let mut moving = false;
    let rolls_back = execution.record().state == ExecutionState::RollingBack;
    for task in execution.tasks() {
        // In a rollback the tasks before it stand still, or end with their sub-workflows.
        if rolls_back && !task.is_undo() {
            moving |= task.actions.iter().any(|action| !action.state.is_final());
            continue;
        }
        let number = task.number;
        let under_way = task.actions.iter().any(|action| !action.state.is_final());
        match task.state {
            TaskState::Idle => return Err(format!("task {number} is IDLE")),
            TaskState::Running | TaskState::Paused if !under_way => {
                return Err(format!("task {number} has no action under way"));
            }
            TaskState::Delayed if task.runtime.due.is_none() => {
                return Err(format!("task {number} waits for no time"));
            }
            TaskState::Running | TaskState::Paused | TaskState::Delayed => moving = true,
            TaskState::Waiting => moving |= task.runtime.due.is_some(),
            TaskState::Success | TaskState::Error | TaskState::Cancelled | TaskState::Skipped => {
                if !task.processed {
                    return Err(format!("nothing has followed from task {number}"));
                }
            }
        }
        let timed = task.runtime.due.is_some() || task.runtime.timeout_us.is_some();
        if !task.state.is_final() && timed && execution.next_due_us().is_none() {
            return Err(format!("the timer of task {number} is not set"));
        }
    }
    if moving {
        Ok(())
    } else {
        Err("runs without a cause".into())
    }
}

/// The engine can say what an execution waits for, as a whole and for each of its tasks.
fn check_explained(execution: &Execution) -> Result<(), String> {
    let causes = engine::explain(execution, None, usize::MAX);
    if execution.record().state.is_final() == causes.is_empty()
        && !causes.iter().any(|cause| cause.kind == CauseKind::Unknown)
        && engine::is_moving(execution)
    {
        return Ok(());
    }
    Err(format!("is explained by {causes:?}"))
}

/// An action that stands for a child is in the state that the child is in.
fn has_skipped_undo(execution: &Execution) -> bool {
    let mut tasks = execution.tasks();
    tasks.any(|task| task.is_undo() && task.state == TaskState::Skipped)
}

fn check_children(harness: &Harness, task: &TaskRecord) -> Result<(), String> {
    // What becomes of a child that is rolled back, the undoing task is told.
    if task.runtime.undone_by.is_some() || task.is_undo() {
        return Ok(());
    }
    for action in task.actions.iter().filter(|a| a.runner == Runner::Child) {
        let uid = action.child.ok_or("a child without uid")?;
        let child = harness.executions.get(&uid);
        let state = child.map(|child| child.record().state);
        let agrees = match state {
            // One that never was: what started it is told so.
            None | Some(ExecutionState::Error) => action.state == ActionState::Error,
            Some(ExecutionState::Idle | ExecutionState::Running) => {
                action.state == ActionState::Running
            }
            // Its rollback had failed, which is its end for the parent, and goes on since an undo
            // was skipped.
            Some(ExecutionState::RollingBack) if child.is_some_and(has_skipped_undo) => true,
            Some(ExecutionState::RollingBack) => action.state == ActionState::Running,
            Some(ExecutionState::Paused) => action.state == ActionState::Paused,
            Some(ExecutionState::Success) => action.state == ActionState::Success,
            Some(ExecutionState::Cancelled) => action.state == ActionState::Cancelled,
            Some(ExecutionState::RolledBack) => {
                matches!(action.state, ActionState::Error | ActionState::Cancelled)
            }
        };
        if !agrees {
            let (number, at) = (task.number, action.state.word());
            return Err(format!("task {number} has {at} for its child {state:?}"));
        }
        let runs =
            state == Some(ExecutionState::Paused) && !child.is_some_and(Execution::is_drained);
        if task.runtime.undrained.contains(&action.number) != runs {
            let (number, word) = (task.number, if runs { "nothing" } else { "something" });
            return Err(format!(
                "task {number} believes that {word} runs in its paused child"
            ));
        }
    }
    Ok(())
}
