//! A world in memory for the engine: definitions from YAML, virtual time, and executions that send
//! one another events, as the driver would do it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use definition::{Document, Kind, Options};
use engine::world::{AdHocAction, Definition, Provision, Query};
use engine::{
    ActionId, ActionRecord, Caller, Changes, Data, DefinitionRef, Dispatch, Event, Execution,
    ExecutionRecord, ExecutionUid, HistoryEvent, Limits, Outcome, Runner, Source, Start,
    TaskChange, TaskRecord, Verb, World,
};
use expr::Value;
use uuid::Uuid;

/// The time at which every test begins.
pub(crate) const START_US: i64 = 1_700_000_000_000_000;

/// Most times that the server is stopped on the way through one step.
const CRASHES_MAX: u32 = 3;

/// The rows of one execution, as commits have left them.
struct Stored {
    record: ExecutionRecord,
    /// Without their actions, which are rows of their own.
    tasks: BTreeMap<u32, TaskRecord>,
    actions: BTreeMap<(u32, u32), ActionRecord>,
    definition: Arc<Definition>,
}

/// Everything around the executions of one test.
pub(crate) struct Harness {
    pub(crate) now_us: i64,
    pub(crate) executions: BTreeMap<ExecutionUid, Execution>,
    /// Actions that wait for a result.
    pub(crate) dispatched: Vec<Dispatch>,
    pub(crate) cancelled: BTreeSet<ActionId>,
    /// Whether actions of finished executions go on: a server that is stopped forgets them.
    pub(crate) orphans_end: bool,
    /// Whether the server is stopped and started again at every commit.
    pub(crate) crashing: bool,
    store: BTreeMap<ExecutionUid, Stored>,
    histories: BTreeMap<ExecutionUid, Vec<HistoryEvent>>,
    catalog: Catalog,
    inbox: VecDeque<(ExecutionUid, Event)>,
    started: u128,
}

#[derive(Default)]
struct Catalog {
    /// By namespace and name, as are the actions.
    workflows: BTreeMap<(String, String), Arc<Definition>>,
    actions: BTreeMap<(String, String), Arc<AdHocAction>>,
    /// Every revision of every ad-hoc action that there ever was.
    revisions: Vec<Arc<AdHocAction>>,
    limits: Limits,
    /// What `executions()` and `tasks()` see of the others.
    others: RefCell<Vec<Value>>,
}

impl World for Catalog {
    fn workflow(&self, _: &str, namespace: &str, name: &str) -> Option<Arc<Definition>> {
        self.workflows.get(&key(namespace, name)).cloned()
    }

    fn action(&self, _: &str, namespace: &str, name: &str) -> Option<Arc<AdHocAction>> {
        self.actions.get(&key(namespace, name)).cloned()
    }

    fn pinned_action(&self, reference: &DefinitionRef) -> Option<Arc<AdHocAction>> {
        let mut revisions = self.revisions.iter();
        revisions.find(|one| one.reference == *reference).cloned()
    }

    fn worker_action(&self, _: &str, name: &str) -> Provision {
        if name.starts_with("worker.") {
            Provision::Known
        } else {
            Provision::Never
        }
    }

    fn executions(&self, _: &str, _: &Query) -> Result<Vec<Value>, String> {
        Ok(self.others.borrow().clone())
    }

    fn tasks(&self, _: &str, _: &Query) -> Result<Vec<Value>, String> {
        Ok(Vec::new())
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}

impl Harness {
    /// A world with the workflows of a document, which must be valid.
    pub(crate) fn new(kind: Kind, source: &str) -> Self {
        let mut harness = Self {
            now_us: START_US,
            executions: BTreeMap::new(),
            dispatched: Vec::new(),
            cancelled: BTreeSet::new(),
            orphans_end: true,
            crashing: false,
            store: BTreeMap::new(),
            histories: BTreeMap::new(),
            catalog: Catalog::default(),
            inbox: VecDeque::new(),
            started: 0,
        };
        harness.add(kind, source);
        harness
    }

    /// A world with the definitions of several documents: the first is a list of workflows or a
    /// workbook, each other one begins with a line `--- KIND [NAMESPACE]`.
    pub(crate) fn of_documents(text: &str) -> Self {
        let mut documents = text.split("\n--- ");
        let first = documents.next().expect("a split has a first part");
        let kind = if first.contains("\nworkflows:") {
            Kind::Workbook
        } else {
            Kind::Workflows
        };
        let mut harness = Self::new(kind, first);
        for document in documents {
            let (head, source) = document.split_once('\n').expect("a document has lines");
            let (kind, namespace) = head.split_once(' ').unwrap_or((head, ""));
            let kind = match kind {
                "workflows" => Kind::Workflows,
                "workbook" => Kind::Workbook,
                "actions" => Kind::Actions,
                other => panic!("no kind of document: {other}"),
            };
            harness.add_to(namespace, kind, source);
        }
        harness
    }

    pub(crate) fn with_limits(mut self, limits: Limits) -> Self {
        self.catalog.limits = limits;
        self
    }

    pub(crate) fn add(&mut self, kind: Kind, source: &str) {
        self.add_to("", kind, source);
    }

    /// Adds the members of a document to a namespace.
    pub(crate) fn add_to(&mut self, namespace: &str, kind: Kind, source: &str) {
        let checked = definition::check(source, kind, Options::default());
        let document = checked
            .document
            .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        match document {
            Document::Workflows(workflows) => {
                for workflow in workflows {
                    self.add_workflow(namespace, None, workflow);
                }
            }
            Document::Workbook(workbook) => {
                for workflow in workbook.workflows {
                    self.add_workflow(namespace, Some(&workbook.name), workflow);
                }
                for action in workbook.actions {
                    self.add_action(namespace, Some(&workbook.name), action);
                }
            }
            Document::Actions(actions) => {
                for action in actions {
                    self.add_action(namespace, None, action);
                }
            }
        }
    }

    fn add_workflow(
        &mut self,
        namespace: &str,
        workbook: Option<&Arc<str>>,
        workflow: Arc<definition::model::Workflow>,
    ) {
        let name = full_name(workbook, &workflow.name);
        let reference = DefinitionRef {
            name: name.as_str().into(),
            namespace: namespace.into(),
            revision: 1,
            source_hash: [0; 32],
            workbook: workbook.cloned(),
        };
        self.catalog.workflows.insert(
            key(namespace, &name),
            Arc::new(Definition {
                reference,
                workflow,
            }),
        );
    }

    fn add_action(
        &mut self,
        namespace: &str,
        workbook: Option<&Arc<str>>,
        action: Arc<definition::model::Action>,
    ) {
        let name = full_name(workbook, &action.name);
        let earlier = self.catalog.revisions.iter();
        let earlier = earlier.filter(|one| *one.reference.name == *name).count();
        let reference = DefinitionRef {
            name: name.as_str().into(),
            namespace: namespace.into(),
            revision: i32::try_from(earlier).expect("revisions of tests are few") + 1,
            source_hash: [0; 32],
            workbook: workbook.cloned(),
        };
        let action = Arc::new(AdHocAction { reference, action });
        self.catalog.revisions.push(action.clone());
        self.catalog.actions.insert(key(namespace, &name), action);
    }

    /// Starts a workflow and does everything that needs no waiting.
    pub(crate) fn start(&mut self, workflow: &str, input: &str, params: &str) -> ExecutionUid {
        self.try_start(workflow, input, params)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_start(
        &mut self,
        workflow: &str,
        input: &str,
        params: &str,
    ) -> Result<ExecutionUid, engine::Error> {
        let params = Data::parse(params).expect("the params of a test are JSON");
        let namespace = match params.value().get("namespace") {
            Some(Value::Str(namespace)) => namespace,
            _ => "".into(),
        };
        self.started += 1;
        let uid = ExecutionUid(Uuid::from_u128(self.started));
        let start = Start {
            uid,
            shard: 0,
            project: "default".into(),
            execution_id: None,
            definition: self.catalog.workflows[&key(&namespace, workflow)].clone(),
            namespace,
            input: Data::parse(input).expect("the input of a test is JSON"),
            params,
            description: "".into(),
            labels: BTreeMap::new(),
            parent: None,
            source: None,
            caller: Caller::default(),
        };
        self.begin(start)?;
        self.settle();
        Ok(uid)
    }

    fn begin(&mut self, start: Start) -> Result<(), engine::Error> {
        let uid = start.uid;
        let (execution, changes) = engine::start(start, self.now_us, &self.catalog)?;
        self.executions.insert(uid, execution);
        self.absorb(uid, changes);
        Ok(())
    }

    fn absorb(&mut self, uid: ExecutionUid, changes: Changes) {
        for start in changes.starts {
            let parent = start
                .parent
                .clone()
                .expect("the engine starts children only");
            if let Err(error) = self.begin(start) {
                let event = Event::ChildDone {
                    task: parent.action.task.number,
                    action: parent.action.number,
                    state: engine::ExecutionState::Error,
                    output: Data::empty_object(),
                    info: Some(error.to_string().into()),
                };
                self.inbox.push_back((parent.action.task.execution, event));
            }
        }
        self.inbox.extend(
            changes
                .messages
                .into_iter()
                .map(|message| (message.to, message.event)),
        );
        self.cancelled.extend(&changes.cancels);
        self.dispatched
            .retain(|dispatch| !changes.cancels.contains(&dispatch.action));
        for dispatch in changes.dispatches {
            // A dispatch may be repeated; what is under way is left alone.
            if !self
                .dispatched
                .iter()
                .any(|known| known.action == dispatch.action)
            {
                self.dispatched.push(dispatch);
            }
        }
        if changes.more {
            self.inbox.push_back((uid, Event::Continue));
        }
    }

    /// Delivers everything that executions have sent one another.
    fn settle(&mut self) {
        let mut crashes = if self.crashing { CRASHES_MAX } else { 0 };
        loop {
            // Messages are in one commit with what sent them; steps that are left over need not be.
            let is_continued = |(_, event): &(_, Event)| matches!(event, Event::Continue);
            if crashes > 0 && self.inbox.iter().all(is_continued) {
                crashes = if self.inbox.is_empty() {
                    0
                } else {
                    crashes - 1
                };
                self.commit();
                self.reload();
            }
            let Some((uid, event)) = self.inbox.pop_front() else {
                break;
            };
            // Refusals of inner events are of no interest, as in the driver.
            let _ = self.apply_one(uid, event);
        }
        self.commit();
    }

    /// Writes what has changed, and nothing else, as the store would.
    fn commit(&mut self) {
        for (uid, execution) in &mut self.executions {
            let changed = execution.changed();
            check_numbers(changed.record, changed.history);
            let history = self.histories.entry(*uid).or_default();
            history.extend(changed.history.iter().cloned());
            let definition = execution.definition();
            let row = self.store.entry(*uid).or_insert_with(|| {
                assert!(changed.is_new, "an execution has no row");
                Stored {
                    record: changed.record.clone(),
                    tasks: BTreeMap::new(),
                    actions: BTreeMap::new(),
                    definition: definition.clone(),
                }
            });
            if changed.row_changed {
                let (old, new) = (row.record.clone(), changed.record);
                let kept = (old.params.clone(), old.vars.clone(), old.output.clone());
                row.record = new.clone();
                if !changed.payloads_changed {
                    (row.record.params, row.record.vars, row.record.output) = kept;
                }
                if !changed.details_changed {
                    (row.record.labels, row.record.description) = (old.labels, old.description);
                }
            }
            for (task, change) in changed.tasks {
                let actions = Vec::new();
                let record = TaskRecord {
                    actions,
                    ..task.clone()
                };
                let known = row.tasks.insert(task.number, record).is_some();
                assert_eq!(
                    known,
                    change != TaskChange::New,
                    "the row of task {}",
                    task.number
                );
                let own = task.actions.first().filter(|action| action.in_task_row);
                let known = own.and_then(|own| row.actions.insert((task.number, 1), own.clone()));
                let is_known = own.is_some() && change == TaskChange::Known;
                assert_eq!(
                    known.is_some(),
                    is_known,
                    "the action of task {}",
                    task.number
                );
                let fixed = |action: &ActionRecord| {
                    let (name, input) = (action.name.clone(), action.input.clone());
                    (name, input, action.attempt, action.created_us)
                };
                if is_known {
                    assert_eq!(own.map(fixed), known.as_ref().map(fixed));
                }
            }
            for (task, action, is_new) in changed.actions {
                let known = row.actions.insert((task, action.number), action.clone());
                assert_eq!(
                    known.is_some(),
                    !is_new,
                    "the row of action {task}/{}",
                    action.number
                );
            }
            execution.committed();
        }
    }

    fn apply_one(&mut self, uid: ExecutionUid, event: Event) -> Result<(), engine::Error> {
        let execution = self
            .executions
            .get_mut(&uid)
            .expect("events are for known executions");
        let changes = engine::apply(execution, event, self.now_us, &self.catalog)?;
        self.absorb(uid, changes);
        Ok(())
    }

    /// Applies an event and everything that follows.
    pub(crate) fn apply(&mut self, uid: ExecutionUid, event: Event) -> Result<(), engine::Error> {
        self.apply_one(uid, event)?;
        self.settle();
        Ok(())
    }

    pub(crate) fn verb(&mut self, uid: ExecutionUid, verb: Verb) -> Result<(), engine::Error> {
        if matches!(verb, Verb::Rerun { .. } | Verb::Skip { .. }) {
            let mut above = self.get(uid).record().parent;
            while let Some(parent) = above {
                let execution = self.get(parent.task.execution);
                engine::check_ancestor(execution, &verb)?;
                above = execution.record().parent;
            }
        }
        self.apply(
            uid,
            Event::Verb {
                verb,
                caller: Caller {
                    reason: Some("for a test".into()),
                    ..Caller::default()
                },
            },
        )
    }

    /// Ends an action from outside.
    pub(crate) fn end_action(
        &mut self,
        uid: ExecutionUid,
        task: u32,
        action: u32,
        outcome: Outcome,
    ) -> Result<(), engine::Error> {
        let source = Source::External(Box::default());
        self.apply(
            uid,
            Event::ActionDone {
                task,
                action,
                outcome,
                source,
            },
        )
    }

    /// Lets the time pass, and everything happen that becomes due.
    pub(crate) fn advance(&mut self, seconds: i64) {
        let until = self.now_us + seconds * 1_000_000;
        while self.next_moment(until) {}
        self.now_us = until;
    }

    /// Goes to the next moment at which something is due, if there is one until then.
    fn next_moment(&mut self, until: i64) -> bool {
        let heard = |dispatch: &&Dispatch| {
            // What workers do, the scenario says.
            if dispatch.runner == Runner::Worker {
                return false;
            }
            let execution = &self.executions[&dispatch.action.task.execution];
            let task = execution.task_record(dispatch.action.task.number);
            let number = dispatch.action.number as usize;
            let action = task.and_then(|task| task.actions.get(number - 1));
            let has_ended = action.is_none_or(|action| action.state.is_final());
            self.orphans_end || !execution.record().state.is_final() && !has_ended
        };
        let sleeping = self.dispatched.iter().filter(heard);
        let sleeping = sleeping.map(|dispatch| (wake_us(dispatch), None));
        let due = self.executions.iter();
        let due = due.filter_map(|(uid, execution)| Some((execution.next_due_us()?, Some(*uid))));
        let next = sleeping.chain(due).min_by_key(|(time, _)| *time);
        let Some((time, uid)) = next.filter(|(time, _)| *time <= until) else {
            return false;
        };
        self.now_us = self.now_us.max(time);
        if let Some(uid) = uid {
            self.apply(uid, Event::TimeReached)
                .expect("the time is never refused");
        } else {
            let due = |dispatch: &&Dispatch| heard(dispatch) && wake_us(dispatch) == time;
            let found = self
                .dispatched
                .iter()
                .filter(due)
                .map(|due| due.action)
                .min();
            let index = self.dispatched.iter().position(|d| Some(d.action) == found);
            let dispatch = self.dispatched.remove(index.expect("it was just seen"));
            self.answer(&dispatch);
        }
        true
    }

    /// Ends an action of the server: it gives its input `output` back.
    fn answer(&mut self, dispatch: &Dispatch) {
        let (id, task) = (dispatch.action, dispatch.action.task);
        let output = dispatch.input.value().get("output").unwrap_or(Value::Null);
        let outcome = Outcome::Success(Data::from_value(output).expect("it came as JSON"));
        let event = Event::ActionDone {
            task: task.number,
            action: id.number,
            outcome,
            source: Source::Server,
        };
        self.apply(task.execution, event)
            .expect("the server's results are not refused");
    }

    /// What was recorded of an execution.
    pub(crate) fn history(&self, uid: ExecutionUid) -> &[HistoryEvent] {
        self.histories.get(&uid).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn get(&self, uid: ExecutionUid) -> &Execution {
        &self.executions[&uid]
    }

    /// What a commit has left of an execution.
    fn stored(&self, uid: ExecutionUid) -> (ExecutionRecord, Vec<TaskRecord>, Arc<Definition>) {
        let row = &self.store[&uid];
        let mut tasks: Vec<TaskRecord> = row.tasks.values().cloned().collect();
        for ((task, _), action) in &row.actions {
            tasks[*task as usize - 1].actions.push(action.clone());
        }
        (row.record.clone(), tasks, row.definition.clone())
    }

    /// Ends an execution on which the rules have failed; one of its rows may be missing.
    pub(crate) fn abandon(&mut self, uid: ExecutionUid, lost_task: Option<u32>, message: &str) {
        let (record, mut tasks, definition) = self.stored(uid);
        tasks.retain(|task| Some(task.number) != lost_task);
        let (now_us, catalog) = (self.now_us, &self.catalog);
        let (execution, changes) =
            engine::abandon(record, tasks, definition, message, now_us, catalog);
        self.executions.insert(uid, execution);
        self.absorb(uid, changes);
        self.settle();
    }

    /// Stops the server and starts it again: every unfinished execution is rebuilt from its records.
    pub(crate) fn restart(&mut self) {
        self.reload();
        self.settle();
    }

    fn reload(&mut self) {
        let uids: Vec<ExecutionUid> = self.executions.keys().copied().collect();
        self.dispatched.clear();
        self.inbox.clear();
        for uid in uids {
            let (record, tasks, definition) = self.stored(uid);
            let restored = engine::restore(record, tasks, definition, self.now_us, &self.catalog);
            let (execution, changes) = restored;
            self.executions.insert(uid, execution);
            self.absorb(uid, changes);
        }
    }
}

/// History is numbered without holes.
fn check_numbers(record: &ExecutionRecord, history: &[HistoryEvent]) {
    let numbers: Vec<i64> = history.iter().map(|event| event.sequence).collect();
    let last = record.last_sequence;
    let first = last - i64::try_from(numbers.len()).expect("histories are short") + 1;
    assert_eq!(numbers, (first..=last).collect::<Vec<_>>());
}

/// When the world answers an action: sleeps by their time, anything else at once.
fn wake_us(dispatch: &Dispatch) -> i64 {
    let seconds = |name| {
        dispatch
            .input
            .value()
            .get(name)
            .and_then(|s| s.as_f64())
            .unwrap_or(0.0)
    };
    #[expect(clippy::cast_possible_truncation, reason = "delays of tests are small")]
    let micros = (seconds("seconds").max(seconds("delay")) * 1e6) as i64;
    dispatch.created_us + micros
}

fn full_name(workbook: Option<&Arc<str>>, name: &str) -> String {
    workbook.map_or_else(|| name.to_owned(), |workbook| format!("{workbook}.{name}"))
}

fn key(namespace: &str, name: &str) -> (String, String) {
    (namespace.to_owned(), name.to_owned())
}
