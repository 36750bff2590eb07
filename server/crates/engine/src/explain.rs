//! Why an execution is not finished: what each of its tasks waits for.
//!
//! **Invariant:** every task that is not final, and every execution that is not finished, has a
//! cause; of one that is RUNNING at least one [`CauseKind::moves_by_itself`]. An auditor can hold
//! live executions against it.
//! Left to others: whether what a cause names is really under way, and words for people (`server`).

use std::sync::Arc;

use definition::model::Join;

use crate::execution::Execution;
use crate::history::TimerKind;
use crate::id::ExecutionUid;
use crate::record::{ActionRecord, Runner, TaskRecord};
use crate::state::{ActionState, ExecutionState, TaskState};
use crate::step::{Inbound, join_needs};
use crate::task::Task;

/// Something that an execution waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Number of the task that waits; `None` = the execution as a whole.
    pub task: Option<u32>,
    /// Whether that task undoes another one.
    pub undo: bool,
    /// Since when, microseconds since the epoch.
    pub since_us: i64,
    /// Until when, if that is known; microseconds since the epoch.
    pub until_us: Option<i64>,
    /// What it is.
    pub kind: CauseKind,
}

/// What an execution waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CauseKind {
    /// Steps are left that follow without any event from outside.
    Steps {
        /// How many.
        count: usize,
    },
    /// The execution is paused: nothing new begins until it is resumed.
    Paused,
    /// A task that has not begun is held back until the execution is resumed.
    Held {
        /// Whether its `pause-before` does it.
        pause_before: bool,
    },
    /// A time has not come: it is `until_us`.
    Timer {
        /// What for.
        timer: TimerKind,
        /// Number of the attempt that comes then or is under way, from 1.
        attempt: u32,
    },
    /// An action execution is not final.
    Action {
        /// Number within the task execution.
        number: u32,
        /// Name of the action.
        name: Arc<str>,
        /// Who runs it; never a child.
        runner: Runner,
        /// RUNNING or PAUSED.
        state: ActionState,
        /// Attempt, from 1.
        attempt: u32,
        /// Item, from 0.
        index: u32,
    },
    /// A sub-workflow is not finished.
    Child {
        /// Its uid.
        child: ExecutionUid,
        /// Full name of its workflow.
        workflow: Arc<str>,
        /// Item, from 0.
        index: u32,
    },
    /// Items wait for one of the slots of `concurrency`.
    Items {
        /// Items that hold a slot.
        running: u32,
        /// Items that wait for one.
        waiting: u32,
        /// Slots.
        concurrency: u32,
    },
    /// Not enough inbound tasks have come to a join.
    Join {
        /// How many must come; of all active branches those that have come, and that may.
        needed: u32,
        /// Names of those that have come.
        arrived: Vec<Arc<str>>,
        /// Those that may still come, with the state of their latest execution.
        missing: Vec<(Arc<str>, Option<TaskState>)>,
    },
    /// Nothing is known that would move it.
    Unknown,
}

impl CauseKind {
    /// Whether it ends without another cause of the same execution ending first. A join does not:
    /// it waits for tasks that have causes of their own.
    pub const fn moves_by_itself(&self) -> bool {
        match self {
            Self::Steps { .. } | Self::Timer { .. } | Self::Action { .. } | Self::Child { .. } => {
                true
            }
            Self::Paused
            | Self::Held { .. }
            | Self::Items { .. }
            | Self::Join { .. }
            | Self::Unknown => false,
        }
    }
}

/// What an execution waits for, or one of its tasks, in the order of the tasks: the first `max`
/// causes. None for what is finished.
pub fn explain(execution: &Execution, task: Option<u32>, max: usize) -> Vec<Cause> {
    let state = execution.record.state;
    if state.is_final() {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if state == ExecutionState::Paused {
        causes.push(whole(execution, CauseKind::Paused));
    }
    if execution.has_work() && task.is_none() {
        let count = execution.work.len() + execution.late.len();
        causes.push(whole(execution, CauseKind::Steps { count }));
    }
    let mut open = None;
    let numbers: &mut dyn Iterator<Item = u32> = match task {
        Some(number) => &mut std::iter::once(number),
        None => &mut execution.active.iter().copied(),
    };
    for number in numbers {
        if causes.len() >= max {
            break;
        }
        if let Some(found) = execution.find(number) {
            of_task(execution, found, &mut open, max, &mut causes);
        }
    }
    if causes.is_empty() && task.is_none() {
        causes.push(whole(execution, CauseKind::Unknown));
    }
    causes.truncate(max);
    causes
}

/// Whether something is known that moves a running execution on; cheap. What is not running needs
/// nothing.
pub fn is_moving(execution: &Execution) -> bool {
    let state = execution.record.state;
    if !matches!(state, ExecutionState::Running | ExecutionState::RollingBack)
        || execution.has_work()
    {
        return true;
    }
    let moves = |number: &u32| {
        let task = execution.task(*number);
        has_timer(task) || !task.active_actions.is_empty()
    };
    execution.active.iter().any(moves)
}

fn whole(execution: &Execution, kind: CauseKind) -> Cause {
    Cause {
        task: None,
        undo: false,
        since_us: execution.record.updated_us,
        until_us: None,
        kind,
    }
}

fn has_timer(task: &Task) -> bool {
    task.record.runtime.due.is_some()
}

/// The causes of one task; at least one if it is not final.
fn of_task(
    execution: &Execution,
    task: &Task,
    open: &mut Option<Vec<bool>>,
    max: usize,
    causes: &mut Vec<Cause>,
) {
    let record = &task.record;
    if record.state.is_final() {
        return;
    }
    let before = causes.len();
    let mut add = |since_us, until_us, kind| {
        causes.push(Cause {
            task: Some(record.number),
            undo: record.is_undo(),
            since_us,
            until_us,
            kind,
        });
    };
    let attempt = record.runtime.attempt();
    let since = record.updated_us;
    if let Some((timer, due_us)) = record.runtime.due {
        add(since, Some(due_us), CauseKind::Timer { timer, attempt });
    } else if record.state == TaskState::Waiting {
        add(since, None, join(execution, task, open));
    }
    let room = max.saturating_sub(before);
    for number in task.active_actions.iter().take(room) {
        let action = task.action(*number).expect("active actions exist");
        let since = action.created_us;
        add(since, record.runtime.timeout_us, of_action(action));
    }
    if let Some(kind) = items(task) {
        add(since, None, kind);
    }
    if before < causes.len() {
        return;
    }
    let kind = if record.state == TaskState::Idle && execution.has_work() {
        let count = execution.work.len() + execution.late.len();
        CauseKind::Steps { count }
    } else if record.state == TaskState::Idle && stands_still(execution, record) {
        let pause_before = record.runtime.paused_before;
        CauseKind::Held { pause_before }
    } else {
        CauseKind::Unknown
    };
    causes.push(Cause {
        task: Some(record.number),
        undo: record.is_undo(),
        since_us: since,
        until_us: None,
        kind,
    });
}

/// Whether nothing begins that is to run as this task is: forward, or back.
fn stands_still(execution: &Execution, task: &TaskRecord) -> bool {
    let record = &execution.record;
    record.state == ExecutionState::Paused || record.is_in_rollback() && !task.is_undo()
}

fn of_action(action: &ActionRecord) -> CauseKind {
    match action.child {
        Some(child) => CauseKind::Child {
            child,
            workflow: action.name.clone(),
            index: action.index,
        },
        None => CauseKind::Action {
            number: action.number,
            name: action.name.clone(),
            runner: action.runner,
            state: action.state,
            attempt: action.attempt,
            index: action.index,
        },
    }
}

/// Items that wait for a slot, of a with-items task under way.
fn items(task: &Task) -> Option<CauseKind> {
    let runtime = &task.record.runtime;
    let concurrency = runtime.concurrency;
    let waiting = runtime.items?.saturating_sub(task.next_item);
    let running = u32::try_from(task.active_actions.len()).unwrap_or(u32::MAX);
    (concurrency > 0 && waiting > 0 && running > 0).then_some(CauseKind::Items {
        running,
        waiting,
        concurrency,
    })
}

fn join(execution: &Execution, task: &Task, open: &mut Option<Vec<bool>>) -> CauseKind {
    let workflow = execution.workflow();
    let inbound = &workflow.graph.inbound[task.spec];
    let (mut arrived, mut missing) = (Vec::new(), Vec::new());
    let spec = &workflow.tasks[task.spec];
    let awaited = match spec.join {
        Some(Join::AllActive) => Some(execution.awaited_by(workflow, task.spec)),
        Some(Join::All | Join::Count(_)) | None => None,
    };
    for from in inbound {
        let name = workflow.tasks[*from].name.clone();
        let mut means = execution.inbound(workflow, *from, task.spec, open);
        if let Some(awaited) = &awaited {
            means = match means {
                _ if awaited.contains(from) => Inbound::May,
                Inbound::May => Inbound::Never("impossible route"),
                known => known,
            };
        }
        match means {
            Inbound::Leads(_) => arrived.push(name),
            Inbound::May => {
                let latest = execution.latest[*from];
                let state = latest.map(|number| execution.task(number).record.state);
                missing.push((name, state));
            }
            Inbound::Never(_) => {}
        }
    }
    let needed = match awaited {
        Some(awaited) => arrived.len() + awaited.len(),
        None => join_needs(spec, inbound.len()),
    };
    CauseKind::Join {
        needed: u32::try_from(needed).unwrap_or(u32::MAX),
        arrived,
        missing,
    }
}
