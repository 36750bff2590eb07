//! Stores to test, and rows to put into them.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use engine::{
    ActionRecord, ActionState, Caller, Data, DefinitionRef, ExecutionRecord, ExecutionState,
    ExecutionUid, HistoryEvent, HistoryKind, Progress, Runner, TaskChange, TaskRecord, TaskRuntime,
    TaskState,
};
use store::{Batch, Changed, Config, Error, ExecutionKey, Reader, Removal, Store, Writer};
use tempfile::TempDir;

pub(crate) const PROJECT: &str = "default";

/// A deletion, with all that is said of it.
pub(crate) fn removal(key: ExecutionKey) -> Removal {
    Removal {
        key,
        caller: Caller {
            principal: Some("ada".into()),
            reason: Some("tidying \"up\"".into()),
            request_id: Some("r-1".into()),
            identity: Some("ada@host/1".into()),
        },
    }
}

/// A store with its writer, and the folder that goes with it.
pub(crate) struct Subject {
    pub(crate) writer: Writer,
    pub(crate) store: Store,
    pub(crate) name: &'static str,
    /// Deleted when the subject is.
    pub(crate) _folder: Option<TempDir>,
}

/// A new store in a file, and where the file is.
pub(crate) fn file_store() -> (Subject, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data").join("autan.db");
    let store = Store::open(&Config::new(format!("sqlite:{}", path.display()))).unwrap();
    let writer = store.writer().unwrap();
    (
        Subject {
            writer,
            store,
            name: "sqlite file",
            _folder: Some(folder),
        },
        path,
    )
}

fn memory_store() -> Subject {
    let store = Store::open(&Config::new("sqlite::memory:")).unwrap();
    let writer = store.writer().unwrap();
    Subject {
        writer,
        store,
        name: "sqlite memory",
        _folder: None,
    }
}

/// A new store on a server, if there is PostgreSQL; and its URL.
pub(crate) fn postgres_store() -> Option<(Subject, String)> {
    let url = postgres_fixture::shared()?.new_schema().unwrap();
    let store = Store::open(&Config::new(&url)).unwrap();
    let writer = store.writer().unwrap();
    let subject = Subject {
        writer,
        store,
        name: "postgres",
        _folder: None,
    };
    Some((subject, url))
}

/// Runs a case on a new store of every kind.
#[expect(clippy::print_stdout, reason = "shown only when the case fails")]
pub(crate) fn on_each(case: impl Fn(&mut Subject)) {
    let postgres = postgres_store().map(|(subject, _)| subject);
    for mut subject in [file_store().0, memory_store()].into_iter().chain(postgres) {
        println!("on {}", subject.name);
        case(&mut subject);
    }
}

impl Subject {
    /// Reads as others do: on a connection of its own.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T, Error>) -> T {
        self.store.readers().read(work).unwrap()
    }

    /// Commits executions with all that they hold as new.
    pub(crate) fn add(&mut self, executions: &[Whole]) {
        let batch = Batch {
            executions: executions.iter().map(Whole::as_new).collect(),
            ..Batch::default()
        };
        self.writer.commit(&batch).unwrap();
    }

    /// What the store knows of an execution, as text.
    pub(crate) fn dump(&self, key: ExecutionKey) -> Option<Whole> {
        self.read(|reader| {
            let Some(loaded) = reader.load(key)? else {
                return Ok(None);
            };
            let history = reader.list_history(key, &all_events())?.rows;
            Ok(Some(Whole {
                record: loaded.execution,
                tasks: loaded.tasks,
                history,
            }))
        })
    }
}

/// Ends the sessions that write to the schema.
pub(crate) const END_WRITERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name LIKE 'autan % writer' AND pid IN ( \
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid IN ( \
    SELECT (hashtextextended('autan slot ' || current_schema() || ' ' || slot, 0) \
    & 4294967295)::oid FROM generate_series(0, 9) slot))";

/// Adds one event to an execution.
pub(crate) fn advance(writer: &mut Writer, whole: &mut Whole) -> Result<(), Error> {
    static CLOCK: AtomicI64 = AtomicI64::new(1);
    whole.record.last_sequence += 1;
    whole.history = vec![event(whole.record.last_sequence)];
    let mut changed = whole.as_changed(false);
    changed.details_changed = false;
    let done = writer.commit(&Batch {
        executions: vec![changed],
        time_us: CLOCK.fetch_add(1, Ordering::Relaxed),
        ..Batch::default()
    });
    if done.is_err() {
        whole.record.last_sequence -= 1;
    }
    done
}

/// Every event is there once.
#[track_caller]
pub(crate) fn assert_whole(store: &Store, whole: &Whole) {
    let last = whole.record.last_sequence;
    let read = store.readers().read(|reader| {
        let standing = reader.standing(whole.key())?.unwrap();
        let events = reader.list_history(whole.key(), &all_events())?.rows;
        Ok((standing.last_sequence, events))
    });
    let (found, events) = read.unwrap();
    assert_eq!(found, last);
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_same(&sequences, &(1..=last).collect::<Vec<_>>());
}

/// Adds an execution.
pub(crate) fn add(writer: &mut Writer, whole: &Whole) {
    let batch = Batch {
        executions: vec![whole.as_new()],
        ..Batch::default()
    };
    writer.commit(&batch).unwrap();
}

pub(crate) fn all_events() -> store::HistoryRange {
    store::HistoryRange {
        after: 0,
        before: None,
        descending: false,
        limit: 1000,
        max_bytes: usize::MAX,
    }
}

/// An execution with all that belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) record: ExecutionRecord,
    pub(crate) tasks: Vec<TaskRecord>,
    pub(crate) history: Vec<HistoryEvent>,
}

impl Whole {
    pub(crate) fn key(&self) -> ExecutionKey {
        (&self.record).into()
    }

    pub(crate) fn as_new(&self) -> Changed<'_> {
        self.as_changed(true)
    }

    /// Everything that it holds, as new or as changed.
    pub(crate) fn as_changed(&self, is_new: bool) -> Changed<'_> {
        let change = if is_new {
            TaskChange::New
        } else {
            TaskChange::Known
        };
        let tasks = self.tasks.iter().map(|task| (task, change)).collect();
        let of = |task: &TaskRecord| task.number;
        let actions = self
            .tasks
            .iter()
            .flat_map(|task| task.actions.iter().map(move |a| (of(task), a, is_new)))
            .filter(|(_, action, _)| !action.in_task_row)
            .collect();
        Changed {
            record: &self.record,
            is_new,
            stored_state: (!is_new).then_some(ExecutionState::Running),
            row_changed: true,
            payloads_changed: true,
            details_changed: true,
            tasks,
            actions,
            history: &self.history,
        }
    }
}

/// A uid that says the time of [`execution`] of that number, as uids do.
pub(crate) fn uid(number: u128) -> ExecutionUid {
    let time_ms = number * 1_000;
    let rest = 0x7000_8000_0000_0000_0000 + number;
    ExecutionUid(uuid::Uuid::from_u128((time_ms << 80) + rest))
}

pub(crate) fn json(text: &str) -> Data {
    Data::from_checked_text(text)
}

/// A running execution without tasks. Its uid, its times and its id follow from the number.
pub(crate) fn execution(number: u32) -> Whole {
    let time_us = i64::from(number) * 1_000_000;
    let record = ExecutionRecord {
        uid: uid(number.into()),
        shard: 0,
        project: PROJECT.into(),
        execution_id: Some(format!("e{number}").into()),
        definition: DefinitionRef {
            name: "flow".into(),
            namespace: "".into(),
            revision: 1,
            source_hash: [7; 32],
            workbook: None,
        },
        state: ExecutionState::Running,
        state_info: None,
        failure: None,
        run: 1,
        input: json(r#"{"n": 1}"#),
        params: json("{}"),
        output: None,
        vars: json("{}"),
        description: "".into(),
        labels: std::collections::BTreeMap::new(),
        parent: None,
        item_index: 0,
        root: uid(number.into()),
        source: None,
        depth: 0,
        last_sequence: 0,
        backlog: Vec::new(),
        rollback: None,
        created_us: time_us,
        updated_us: time_us,
        finished_us: None,
        progress: Progress::default(),
    };
    Whole {
        record,
        tasks: Vec::new(),
        history: Vec::new(),
    }
}

pub(crate) fn task(number: u32, actions: u32) -> TaskRecord {
    TaskRecord {
        number,
        name: format!("t{number}").into(),
        is_workflow: false,
        state: TaskState::Running,
        state_info: None,
        processed: false,
        error_handled: false,
        next_tasks: Vec::new(),
        triggered_by: Vec::new(),
        published: None,
        published_global: None,
        global_order: 0,
        runtime: TaskRuntime::default(),
        created_us: 1,
        started_us: Some(2),
        updated_us: 3,
        finished_us: None,
        actions: (1..=actions).map(action).collect(),
    }
}

pub(crate) fn action(number: u32) -> ActionRecord {
    ActionRecord {
        number,
        name: "std.noop".into(),
        state: ActionState::Running,
        input: json("{}"),
        output: None,
        accepted: false,
        index: 0,
        attempt: number,
        runner: Runner::Server,
        child: None,
        lease: None,
        in_task_row: number == 1,
        created_us: 1,
        finished_us: None,
    }
}

pub(crate) fn event(sequence: i64) -> HistoryEvent {
    HistoryEvent {
        sequence,
        time_us: sequence,
        run: 1,
        task: None,
        task_name: None,
        principal: None,
        identity: None,
        kind: HistoryKind::VerbApplied {
            verb: "pause".into(),
            reason: Some(format!("for the {sequence}th time").into()),
            request_id: None,
        },
    }
}

/// Records have no equality of their own; their debug texts show every field.
#[track_caller]
pub(crate) fn assert_same(found: &impl Debug, expected: &impl Debug) {
    similar(&format!("{found:#?}"), &format!("{expected:#?}"));
}

#[track_caller]
fn similar(found: &str, expected: &str) {
    let odd = found
        .lines()
        .zip(expected.lines())
        .find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "first difference (found, expected): {odd:?}\n{found}"
    );
}
