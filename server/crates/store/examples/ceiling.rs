//! How fast the store is here: commits, rows and tasks per second, bytes per task, recovery.
//!
//! Chains of ten tasks, each step as a worker causes it: the action's end, the task's end, the next
//! task and its action, and six events, in one commit with the steps of other executions. Run it
//! with `--release`; arguments: folder for the database, number of executions.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{
    ActionRecord, ActionState, Data, DefinitionRef, Edge, ExecutionRecord, ExecutionState,
    ExecutionUid, HistoryEvent, HistoryKind, Progress, Runner, TaskChange, TaskRecord, TaskRuntime,
    TaskState, Trigger,
};
use store::{Batch, Changed, Config, Filter, Page, Payloads, Store, Synchronous, Writer};

const TASKS: u32 = 10;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let count: u32 = arguments
        .next()
        .map_or(20_000, |count| count.parse().unwrap());
    println!("chains of {TASKS} tasks; steps/s = tasks finished per second");
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        for per_commit in [1, 10, 100, 1000] {
            let count = count.min(200 * per_commit);
            measure(Path::new(&folder), synchronous, per_commit, count);
        }
    }
}

fn measure(folder: &Path, synchronous: Synchronous, per_commit: u32, count: u32) {
    let path = folder.join("ceiling.db");
    let remove = || {
        for end in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    };
    remove();
    let mut config = Config::new(format!("sqlite:{}", path.display()));
    config.synchronous = synchronous;
    let store = Store::open(&config).unwrap();
    let mut writer = store.writer().unwrap();
    let (mut rows, mut commits) = (0usize, 0usize);
    let begin = Instant::now();
    for first in (0..count).step_by(per_commit as usize) {
        let mut chains: Vec<Chain> = (first..first + per_commit).map(Chain::new).collect();
        for _ in 0..=TASKS {
            rows += step(&mut chains, &mut writer);
            commits += 1;
        }
    }
    let time = begin.elapsed();
    let rate = |number: f64| number / time.as_secs_f64();
    let tasks = f64::from(count * TASKS);
    drop(writer);
    let reads = measure_reads(&store, count);
    drop(store);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!(
        "{synchronous:?}, {per_commit:4} per commit: {:7.0} steps/s {:7.0} rows/s {:6.0} commits/s, \
         {:4.0} bytes per task; {reads}",
        rate(tasks),
        rate(f64::from(u32::try_from(rows).unwrap())),
        rate(f64::from(u32::try_from(commits).unwrap())),
        f64::from(u32::try_from(bytes).unwrap()) / tasks,
    );
    remove();
}

fn measure_reads(store: &Store, count: u32) -> String {
    let timed = |work: &dyn Fn(u32)| -> Duration {
        let begin = Instant::now();
        (0..1000).for_each(work);
        begin.elapsed() / 1000
    };
    let readers = store.readers();
    let find = timed(&|number| {
        let id = format!("execution-{}", number % count);
        let found = readers
            .read(|reader| reader.find_execution("default", &id, Payloads::Include))
            .unwrap();
        assert!(found.is_some());
    });
    let list = timed(&|_| {
        let page = Page::first(50);
        readers
            .read(|r| r.list_executions("default", &Filter::all(), &page, Payloads::Omit))
            .unwrap();
    });
    format!("find {find:.0?}, list of 50 {list:.0?}")
}

/// An execution on its way.
struct Chain {
    record: ExecutionRecord,
    tasks: Vec<TaskRecord>,
}

/// Takes every chain one step on, in one commit; says how many rows that wrote.
fn step(chains: &mut [Chain], writer: &mut Writer) -> usize {
    let histories: Vec<Vec<HistoryEvent>> = chains.iter_mut().map(Chain::step).collect();
    let executions: Vec<Changed<'_>> = chains
        .iter()
        .zip(&histories)
        .map(|(chain, history)| chain.changed(history))
        .collect();
    let rows_of =
        |changed: &Changed<'_>| 2 + usize::from(changed.payloads_changed) + changed.tasks.len();
    let rows = executions.iter().map(rows_of).sum();
    writer
        .commit(&Batch {
            executions,
            ..Batch::default()
        })
        .unwrap();
    rows
}

impl Chain {
    fn new(number: u32) -> Self {
        let uid = ExecutionUid(uuid::Uuid::from_u128(
            0x0192_0000_0000_7000_8000_0000_0000_0000 + (u128::from(number) << 64),
        ));
        let record = ExecutionRecord {
            uid,
            shard: 0,
            project: "default".into(),
            execution_id: Some(format!("execution-{number}").into()),
            definition: DefinitionRef {
                name: "provision".into(),
                namespace: "".into(),
                revision: 1,
                source_hash: [1; 32],
                workbook: None,
            },
            state: ExecutionState::Running,
            state_info: None,
            failure: None,
            run: 1,
            input: Data::from_checked_text(r#"{"name": "a server", "size": 3}"#),
            params: Data::empty_object(),
            output: None,
            vars: Data::empty_object(),
            description: "".into(),
            labels: std::collections::BTreeMap::new(),
            parent: None,
            item_index: 0,
            root: uid,
            source: None,
            depth: 0,
            last_sequence: 0,
            backlog: Vec::new(),
            rollback: None,
            created_us: NOW_US,
            updated_us: NOW_US,
            finished_us: None,
            progress: Progress::default(),
        };
        Self {
            record,
            tasks: Vec::new(),
        }
    }

    /// Ends the present task and begins the next, as the engine does.
    fn step(&mut self) -> Vec<HistoryEvent> {
        let mut kinds = Vec::new();
        let present = u32::try_from(self.tasks.len()).unwrap();
        if let Some(task) = self.tasks.last_mut() {
            finish(task);
            let (from, to) = (TaskState::Running, TaskState::Success);
            let state = ActionState::Success;
            kinds.push((
                present,
                HistoryKind::ActionStateChanged { action: 1, state },
            ));
            kinds.push((
                present,
                HistoryKind::TaskStateChanged {
                    from,
                    to,
                    info: None,
                },
            ));
        }
        if present == TASKS {
            self.record.state = ExecutionState::Success;
            self.record.finished_us = Some(NOW_US);
            self.record.output = Some(Data::from_checked_text(r#"{"id": 17}"#));
        } else {
            self.tasks.push(begin(present + 1));
            let (state, triggered_by) = (TaskState::Running, vec![present]);
            let name: Arc<str> = "server.create".into();
            let (action, index, attempt) = (1, 0, 1);
            kinds.push((
                present + 1,
                HistoryKind::TaskCreated {
                    state,
                    triggered_by,
                    undo_of: None,
                },
            ));
            let started = HistoryKind::ActionStarted {
                action,
                name,
                index,
                attempt,
            };
            kinds.push((present + 1, started));
        }
        self.record.progress.total = present;
        let first = self.record.last_sequence + 1;
        self.record.last_sequence += i64::try_from(kinds.len()).unwrap();
        let events = (first..)
            .zip(kinds)
            .map(|(sequence, (task, kind))| HistoryEvent {
                sequence,
                time_us: NOW_US,
                run: 1,
                task: Some(task),
                task_name: Some("create_server".into()),
                principal: None,
                identity: None,
                kind,
            });
        events.collect()
    }

    fn changed<'a>(&'a self, history: &'a [HistoryEvent]) -> Changed<'a> {
        let done = self.record.state == ExecutionState::Success;
        let last = self.tasks.len();
        let end = if done { last } else { last - 1 };
        let known = self.tasks[..end].iter().rev().take(1);
        let new = self.tasks[end..].iter();
        let tasks = known
            .map(|task| (task, TaskChange::Known))
            .chain(new.map(|task| (task, TaskChange::New)))
            .collect();
        Changed {
            record: &self.record,
            is_new: last == 1 && !done,
            stored_state: (last > 1 || done).then_some(ExecutionState::Running),
            row_changed: true,
            payloads_changed: done || last == 1,
            details_changed: false,
            actions: Vec::new(),
            tasks,
            history,
        }
    }
}

const NOW_US: i64 = 1_790_000_000_000_000;

fn begin(number: u32) -> TaskRecord {
    let action = ActionRecord {
        number: 1,
        name: "server.create".into(),
        state: ActionState::Running,
        input: Data::from_checked_text(r#"{"name": "a server", "size": 3}"#),
        output: None,
        accepted: false,
        index: 0,
        attempt: 1,
        runner: Runner::External,
        child: None,
        lease: None,
        in_task_row: true,
        created_us: NOW_US,
        finished_us: None,
    };
    TaskRecord {
        number,
        name: "create_server".into(),
        is_workflow: false,
        state: TaskState::Running,
        state_info: None,
        processed: false,
        error_handled: false,
        next_tasks: Vec::new(),
        triggered_by: vec![Trigger {
            task: number - 1,
            event: Edge::OnSuccess,
            generation: 0,
        }],
        published: None,
        published_global: None,
        global_order: 0,
        runtime: TaskRuntime {
            begun: true,
            ..TaskRuntime::default()
        },
        created_us: NOW_US,
        started_us: Some(NOW_US),
        updated_us: NOW_US,
        finished_us: None,
        actions: vec![action],
    }
}

fn finish(task: &mut TaskRecord) {
    task.state = TaskState::Success;
    task.processed = true;
    task.next_tasks = vec![("create_server".into(), Edge::OnSuccess)];
    task.published = Some(Data::from_checked_text(r#"{"id": 17}"#));
    task.finished_us = Some(NOW_US);
    let action = &mut task.actions[0];
    action.state = ActionState::Success;
    action.accepted = true;
    action.output = Some(Data::from_checked_text(r#"{"id": 17, "state": "up"}"#));
    action.finished_us = Some(NOW_US);
}
