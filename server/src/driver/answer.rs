//! Requests from outside: what they do to the batch, and how they are answered after its commit.

use std::sync::Arc;

use engine::lifecycle::{self, Answer as Allowed, Operation};
use engine::{
    ActionId, ActionRecord, Changes, Data, Definition, DefinitionRef, Event, Execution,
    ExecutionRecord, ExecutionUid, Source, Start, Verb,
};
use expr::Value;
use store::{Entity, ExecutionKey, Payloads, Removal};

use super::isolate::isolated;
use super::lane::Lane;
use super::order::{
    ActionChange, DeleteOrder, Explained, OnConflict, Question, RequestKey, StartOrder, Started,
    Subject, VerbOrder,
};
use super::{Error, Reply};
use crate::etag;

/// Who waits for the commit, and for what.
pub(super) enum Answer {
    Started {
        uid: ExecutionUid,
        started: bool,
        reply: Reply<Started>,
    },
    Execution {
        uid: ExecutionUid,
        reply: Reply<ExecutionRecord>,
    },
    Action {
        action: ActionId,
        reply: Reply<(Arc<str>, ActionRecord)>,
    },
    /// Only that it is durable.
    Done { reply: Reply<()> },
    Explained {
        question: Question,
        reply: Reply<Explained>,
    },
}

impl Answer {
    /// The commit has failed.
    pub(super) fn refuse(self, error: Error) {
        // A caller that has gone needs no answer.
        match self {
            Self::Started { reply, .. } => drop(reply.send(Err(error))),
            Self::Execution { reply, .. } => drop(reply.send(Err(error))),
            Self::Action { reply, .. } => drop(reply.send(Err(error))),
            Self::Done { reply } => drop(reply.send(Err(error))),
            Self::Explained { reply, .. } => drop(reply.send(Err(error))),
        }
    }
}

impl Lane {
    /// Answers a caller after the commit.
    pub(super) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Started {
                uid,
                started,
                reply,
            } => {
                let execution = self.record(uid);
                let _ = reply.send(execution.map(|execution| Started { execution, started }));
            }
            Answer::Execution { uid, reply } => {
                let _ = reply.send(self.record(uid));
            }
            Answer::Action { action, reply } => {
                let _ = reply.send(self.action_record(action));
            }
            Answer::Done { reply } => {
                let _ = reply.send(Ok(()));
            }
            Answer::Explained { question, reply } => {
                let _ = reply.send(self.explained(question));
            }
        }
    }

    /// The record of an execution, from memory or from the store.
    pub(super) fn record(&self, uid: ExecutionUid) -> Result<ExecutionRecord, Error> {
        if let Some(slot) = self.executions.get(&uid) {
            return Ok(slot.execution.record().clone());
        }
        let not_found = || Error::ExecutionNotFound {
            id: uid.to_string().into(),
        };
        let mut writer = self.writer.borrow_mut();
        let key = writer.read().locate(uid)?.ok_or_else(not_found)?;
        let loaded = writer.load(key)?.ok_or_else(not_found)?;
        Ok(loaded.execution)
    }

    /// What an execution is, perhaps without its payloads.
    fn row(&self, uid: ExecutionUid) -> Result<ExecutionRecord, Error> {
        if let Some(slot) = self.executions.get(&uid) {
            return Ok(slot.execution.record().clone());
        }
        let not_found = || execution_not_found(&uid.to_string());
        let mut writer = self.writer.borrow_mut();
        let key = writer.read().locate(uid)?.ok_or_else(not_found)?;
        let found = writer.read().find_execution_at(key, Payloads::Omit)?;
        found.ok_or_else(not_found)
    }

    fn action_record(&self, action: ActionId) -> Result<(Arc<str>, ActionRecord), Error> {
        let (task, number) = (action.task.number, action.number);
        let not_found = || Error::Engine(engine::Error::ActionNotFound { number });
        let uid = action.task.execution;
        if let Some(slot) = self.executions.get(&uid) {
            let record = slot.execution.task_record(task).ok_or_else(not_found)?;
            let found = record.actions.iter().find(|a| a.number == number);
            return Ok((record.name.clone(), found.ok_or_else(not_found)?.clone()));
        }
        let mut writer = self.writer.borrow_mut();
        let key = writer.read().locate(uid)?.ok_or_else(not_found)?;
        let record = writer.read().find_task(key, task)?.ok_or_else(not_found)?;
        let found = record.actions.iter().find(|a| a.number == number);
        Ok((record.name.clone(), found.ok_or_else(not_found)?.clone()))
    }

    pub(super) fn start(
        &mut self,
        order: &StartOrder,
        request: Option<&RequestKey>,
        reply: Reply<Started>,
    ) {
        match self.try_start(order, request) {
            Ok(StartOutcome::Checked(execution)) => {
                let _ = reply.send(Ok(Started {
                    execution: *execution,
                    started: false,
                }));
            }
            Ok(StartOutcome::Execution { uid, started }) => {
                self.batch.answers.push(Answer::Started {
                    uid,
                    started,
                    reply,
                });
            }
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    fn try_start(
        &mut self,
        order: &StartOrder,
        request: Option<&RequestKey>,
    ) -> Result<StartOutcome, Error> {
        if let Some(target) = self.repeated(request)? {
            let uid = target.parse().map_err(|_| execution_not_found(&target))?;
            return Ok(StartOutcome::Execution { uid, started: true });
        }
        let shard = self.place(&order.project, order.execution_id.as_ref(), request)?;
        if let Some(id) = &order.execution_id
            && let Some(uid) = self.taken(&order.project, id)?
        {
            if order.on_conflict == OnConflict::Fail {
                let state = self.record(uid)?.state;
                return Err(Error::ExecutionExists {
                    id: id.clone(),
                    uid,
                    state,
                });
            }
            self.remember(request, &uid.to_string());
            return Ok(StartOutcome::Execution {
                uid,
                started: false,
            });
        }
        let definition = self.definition(order)?;
        let start = Start {
            uid: self.shards.uid_in(shard),
            shard,
            project: order.project.clone(),
            execution_id: order.execution_id.clone(),
            definition,
            namespace: order.namespace.clone(),
            input: order.input.clone(),
            params: self.params(order)?,
            description: order.description.clone(),
            labels: order.labels.clone(),
            parent: None,
            source: None,
            caller: order.caller.clone(),
        };
        if order.validate_only {
            let (execution, _) = self.try_begin(start)?;
            return Ok(StartOutcome::Checked(Box::new(execution.record().clone())));
        }
        self.begin(start, request)
    }

    /// Where a new execution goes. Among several servers, one decides of an id or a request: the
    /// owner of the shard that follows from it.
    pub(super) fn place(
        &mut self,
        project: &str,
        id: Option<&Arc<str>>,
        request: Option<&RequestKey>,
    ) -> Result<i16, Error> {
        let is_shared = self.hands.cluster.map().is_shared();
        let request = request.filter(|_| is_shared).map(|request| &request.id);
        self.shards
            .place(project, id.or(request).map(|text| &**text))
    }

    fn try_begin(&self, start: Start) -> Result<(Execution, Changes), Error> {
        let started = isolated(|| engine::start(start, self.now_us, &self.world()));
        let started = started.map_err(|fault| {
            tracing::error!("an execution cannot be started: {fault}");
            Error::Fault
        })?;
        Ok(started?)
    }

    /// Begins an execution whose id is known to be free.
    pub(super) fn begin(
        &mut self,
        start: Start,
        request: Option<&RequestKey>,
    ) -> Result<StartOutcome, Error> {
        let (uid, project, id) = (start.uid, start.project.clone(), start.execution_id.clone());
        let (execution, changes) = self.try_begin(start)?;
        if let Some(id) = id {
            self.batch.new_ids.insert((project, id), uid);
        }
        self.insert(execution);
        self.absorb(uid, changes);
        self.remember(request, &uid.to_string());
        Ok(StartOutcome::Execution { uid, started: true })
    }

    /// The execution that has the chosen id.
    pub(super) fn taken(
        &self,
        project: &Arc<str>,
        id: &Arc<str>,
    ) -> Result<Option<ExecutionUid>, Error> {
        if let Some(uid) = self.batch.new_ids.get(&(project.clone(), id.clone())) {
            return Ok(Some(*uid));
        }
        let found = self.writer.borrow_mut().read().find_key(project, id)?;
        Ok(found.map(|key| key.uid))
    }

    fn definition(&self, order: &StartOrder) -> Result<Arc<Definition>, Error> {
        let (namespace, name) = (&order.namespace, &order.name);
        let revision = match order.subject {
            Subject::Workflow { revision } => revision,
            Subject::Action { synchronous } => {
                let reference = DefinitionRef::of_action(name.clone(), namespace.clone());
                let (world, project) = (self.world(), &order.project);
                engine::check_action(&world, project, &reference, &order.input, synchronous)?;
                return Ok(Arc::new(Definition::of_action(reference)));
            }
        };
        let mut writer = self.writer.borrow_mut();
        let mut definitions = self.definitions.borrow_mut();
        let (reader, project) = (writer.read(), &order.project);
        let found = match revision {
            None => definitions.workflow(reader, project, namespace, name)?,
            Some(revision) => definitions.revision(reader, project, namespace, name, revision)?,
        };
        found.ok_or_else(|| Error::WorkflowNotFound {
            name: name.clone(),
            namespace: namespace.clone(),
            revision,
        })
    }

    /// The start parameters, with a copy of the variables of a stored environment.
    fn params(&self, order: &StartOrder) -> Result<Data, Error> {
        let Some(name) = &order.environment else {
            return Ok(order.params.clone());
        };
        let variables = self.environment(&order.project, name)?;
        let mut params = order.params.value().as_dict().cloned().unwrap_or_default();
        params.insert("env", variables);
        Data::from_value(Value::Dict(params)).map_err(|error| {
            let (field, message) = ("params", error.to_string());
            Error::Engine(engine::Error::Params { field, message })
        })
    }

    /// The variables of a stored environment.
    pub(super) fn environment(&self, project: &str, name: &Arc<str>) -> Result<Value, Error> {
        let mut writer = self.writer.borrow_mut();
        let found = writer.read().find_environment(project, name)?;
        let found = found.ok_or_else(|| Error::EnvironmentNotFound { name: name.clone() })?;
        Ok(Data::from_stored(found.variables).value().clone())
    }

    /// Applies an event for a caller that gets the execution back.
    pub(super) fn change(
        &mut self,
        order: VerbOrder,
        request: Option<&RequestKey>,
        reply: Reply<ExecutionRecord>,
    ) {
        let VerbOrder {
            uid,
            verb,
            caller,
            expected_etag,
        } = order;
        let result = self.once(request, &uid.to_string(), |lane| {
            if let Some(expected) = expected_etag {
                lane.check_etag(uid, &expected)?;
            }
            let event = Event::Verb { verb, caller };
            lane.check_ancestors(uid, &event)?;
            lane.apply(uid, event)
        });
        match result {
            Ok(()) => self.batch.answers.push(Answer::Execution { uid, reply }),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Refuses to change what the caller has not seen.
    fn check_etag(&self, uid: ExecutionUid, expected: &str) -> Result<(), Error> {
        let record = self.record(uid)?;
        let found = etag::of(&record);
        if found == expected {
            return Ok(());
        }
        let id = record.execution_id.map(|id| id.to_string());
        Err(Error::from(store::Error::EtagMismatch {
            entity: Entity::Execution,
            name: id.unwrap_or_else(|| uid.to_string()),
            expected: expected.to_owned(),
            found,
        }))
    }

    /// A verb that opens what had ended opens the executions above, too, in the same commit: so
    /// they are asked first whether they can be opened.
    fn check_ancestors(&mut self, uid: ExecutionUid, event: &Event) -> Result<(), Error> {
        let Event::Verb { verb, .. } = event else {
            return Ok(());
        };
        if !matches!(verb, Verb::Rerun { .. } | Verb::Skip { .. }) {
            return Ok(());
        }
        let mut above = Some(uid);
        while let Some(at) = above {
            // What is finished and not changed goes from memory again after the commit.
            self.load(at)?;
            let Some(slot) = self.executions.get(&at) else {
                return Ok(());
            };
            if at != uid {
                engine::check_ancestor(&slot.execution, verb)?;
            }
            above = slot
                .execution
                .record()
                .parent
                .map(|parent| parent.task.execution);
        }
        Ok(())
    }

    pub(super) fn change_action(
        &mut self,
        action: ActionId,
        change: ActionChange,
        request: Option<&RequestKey>,
        reply: Reply<(Arc<str>, ActionRecord)>,
    ) {
        let (task, number) = (action.task.number, action.number);
        let event = match change {
            ActionChange::End { outcome, caller } => Event::ActionDone {
                task,
                action: number,
                outcome,
                source: Source::External(Box::new(caller)),
            },
            ActionChange::Verb { verb, caller } => Event::ActionVerb {
                task,
                action: number,
                verb,
                caller,
            },
        };
        let uid = action.task.execution;
        let result = self.once(request, &action.to_string(), |lane| lane.apply(uid, event));
        match result {
            Ok(()) => self.batch.answers.push(Answer::Action { action, reply }),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Takes the end of an action from a worker.
    pub(super) fn report(&mut self, action: ActionId, event: Event, reply: Reply<()>) {
        match self.apply(action.task.execution, event) {
            Ok(()) => self.batch.answers.push(Answer::Done { reply }),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn delete(
        &mut self,
        order: &DeleteOrder,
        request: Option<&RequestKey>,
        reply: Reply<()>,
    ) {
        let result = self.once(request, &order.uid.to_string(), |lane| {
            lane.try_delete(order)
        });
        match result {
            Ok(()) => self.batch.answers.push(Answer::Done { reply }),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Deletes an execution with its children, children first.
    fn try_delete(&mut self, order: &DeleteOrder) -> Result<(), Error> {
        self.deliver();
        // What of the tree stands in this batch must be in the store, so that it can be deleted
        // there. Other executions, and other deletions, need not be.
        let root = self.row(order.uid)?.root;
        let is_of_tree = |uid: &ExecutionUid| {
            let slot = self.executions.get(uid);
            slot.is_none_or(|slot| slot.execution.record().root == root)
        };
        if self.batch.touched.iter().any(is_of_tree) {
            self.commit();
        }
        let key = self.writer.borrow_mut().read().locate(order.uid)?;
        let is_gone = |key: &ExecutionKey| self.batch.deleted.iter().any(|gone| gone.key == *key);
        let key = key.filter(|key| !is_gone(key));
        let key = key.ok_or_else(|| execution_not_found(&order.uid.to_string()))?;
        self.shards.check(key.shard)?;
        let state = self.row(order.uid)?.state;
        let operation = if order.force {
            Operation::DeleteForced
        } else {
            Operation::Delete
        };
        if lifecycle::rule(operation, state).answer == Allowed::Refuse {
            return Err(Error::NotFinished { state });
        }
        if !state.is_final() {
            // Its parent learns of the end in the same commit.
            let (message, caller) = (order.caller.reason.clone(), order.caller.clone());
            let verb = Verb::Terminate { message };
            self.apply(order.uid, Event::Verb { verb, caller })?;
            self.deliver();
        }
        let mut tree: Vec<ExecutionKey> = vec![key];
        let mut next = 0;
        while let Some(parent) = tree.get(next).copied() {
            tree.extend(self.writer.borrow_mut().read().list_children(parent)?);
            next += 1;
        }
        for key in tree.iter().rev() {
            if let Some(slot) = self.executions.get(&key.uid) {
                self.batch.cancels.extend(slot.execution.active_actions());
            }
            self.evict(key.uid);
            self.batch.deleted.push(Removal {
                key: *key,
                caller: order.caller.clone(),
            });
        }
        Ok(())
    }

    /// Does something unless the same request did it already.
    fn once(
        &mut self,
        request: Option<&RequestKey>,
        target: &str,
        work: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.repeated(request)?.is_some() {
            return Ok(());
        }
        work(self)?;
        self.remember(request, target);
        Ok(())
    }
}

pub(super) enum StartOutcome {
    /// Nothing was started: only the check was asked for.
    Checked(Box<ExecutionRecord>),
    Execution {
        uid: ExecutionUid,
        started: bool,
    },
}

pub(super) fn execution_not_found(id: &str) -> Error {
    Error::ExecutionNotFound { id: id.into() }
}
