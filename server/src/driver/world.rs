//! The world as the engine sees it from one execution: definitions, and the other executions.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use engine::world::{AdHocAction, Definition, Provision, Query};
use engine::{DefinitionRef, Execution, ExecutionUid, Limits, World};
use expr::Value;
use store::{ExecutionField, ExecutionKey, Filter, FilterValue, Operator, Page, Payloads, Writer};

use super::Error;
use super::definitions::Definitions;
use super::lane::Slot;
use crate::dispatch::Dispatcher;

/// Most executions or tasks that one call of `executions()` or `tasks()` gives.
const LISTED_MAX: u32 = 10_000;

/// What the lane owns, lent to the engine for one event. The execution that the event is for is
/// taken out of `executions` meanwhile.
pub(super) struct LaneWorld<'a> {
    pub(super) definitions: &'a RefCell<Definitions>,
    pub(super) writer: &'a RefCell<Writer>,
    pub(super) executions: &'a HashMap<ExecutionUid, Slot>,
    pub(super) dispatcher: &'a Dispatcher,
    pub(super) limits: Limits,
    /// The first failure of the store. The engine has no word for it, so the lane gives the whole
    /// batch up when it finds one here.
    pub(super) failure: &'a RefCell<Option<Error>>,
}

impl LaneWorld<'_> {
    fn found<T>(&self, result: Result<Option<T>, Error>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            None
        })
    }

    /// Executions that the query asks for, in order of their creation: those in memory as they are
    /// now, committed or not, others as they are stored.
    fn selected(
        &self,
        project: &str,
        query: &Query,
        mut each: impl FnMut(&Execution),
    ) -> Result<(), String> {
        let failed = |error: Error| {
            let message = error.to_string();
            self.failure.borrow_mut().get_or_insert(error);
            message
        };
        let is_asked = |uid: ExecutionUid| {
            let except = query.except.as_deref();
            except.is_none_or(|except| *except != *uid.to_string())
        };
        let live = self.executions.values().filter(|slot| {
            let record = slot.execution.record();
            *record.project == *project && engine::selects(query, record) && is_asked(record.uid)
        });
        let mut found: BTreeMap<ExecutionUid, Option<ExecutionKey>> =
            live.map(|slot| (slot.execution.uid(), None)).collect();
        let page = Page {
            after: None,
            limit: LISTED_MAX,
            max_bytes: usize::MAX,
        };
        let mut writer = self.writer.borrow_mut();
        let listed = writer
            .read()
            .list_executions(project, &filter_of(query), &page, Payloads::Omit)
            .map_err(|error| failed(error.into()))?;
        let stored = listed
            .rows
            .iter()
            .filter(|record| !self.executions.contains_key(&record.uid) && is_asked(record.uid));
        found.extend(stored.map(|record| (record.uid, Some(ExecutionKey::from(record)))));
        for (uid, stored) in found {
            let Some(key) = stored else {
                each(&self.executions[&uid].execution);
                continue;
            };
            let loaded = writer.load(key).map_err(|error| failed(error.into()))?;
            let Some(loaded) = loaded else { continue };
            let definition = self
                .definitions
                .borrow_mut()
                .read(writer.read(), &loaded.execution.definition)
                .map_err(failed)?;
            each(&engine::view_of(loaded.execution, loaded.tasks, definition));
        }
        Ok(())
    }
}

impl World for LaneWorld<'_> {
    fn workflow(&self, project: &str, namespace: &str, name: &str) -> Option<Arc<Definition>> {
        let mut writer = self.writer.borrow_mut();
        let mut definitions = self.definitions.borrow_mut();
        self.found(definitions.workflow(writer.read(), project, namespace, name))
    }

    fn action(&self, project: &str, namespace: &str, name: &str) -> Option<Arc<AdHocAction>> {
        let mut writer = self.writer.borrow_mut();
        let mut definitions = self.definitions.borrow_mut();
        self.found(definitions.action(writer.read(), project, namespace, name))
    }

    fn pinned_action(&self, reference: &DefinitionRef) -> Option<Arc<AdHocAction>> {
        let mut writer = self.writer.borrow_mut();
        let mut definitions = self.definitions.borrow_mut();
        self.found(
            definitions
                .pinned_action(writer.read(), reference)
                .map(Some),
        )
    }

    fn worker_action(&self, project: &str, name: &str) -> Provision {
        self.dispatcher.provision(project, name)
    }

    fn executions(&self, project: &str, query: &Query) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        self.selected(project, query, |execution| {
            found.push(engine::execution_value(execution));
        })?;
        Ok(found)
    }

    fn tasks(&self, project: &str, query: &Query) -> Result<Vec<Value>, String> {
        // The state is asked of tasks here, not of executions.
        let mut of_execution = Query {
            state: None,
            ..query.clone()
        };
        let mut found = Vec::new();
        let mut asked = vec![query.id.clone()];
        while let Some(id) = asked.pop() {
            of_execution.id = id;
            self.selected(project, &of_execution, |execution| {
                for record in execution.tasks() {
                    if engine::is_wanted(record, query) {
                        found.push(engine::task_value(execution, record));
                    }
                    if query.recursive && query.id.is_some() {
                        let children = record.actions.iter().filter_map(|action| action.child);
                        asked.extend(children.map(|child| Some(child.to_string().into())));
                    }
                }
            })?;
        }
        Ok(found)
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}

fn filter_of(query: &Query) -> Filter<ExecutionField> {
    let compare = |field, operator, value| Filter::Compare {
        field,
        operator,
        value,
    };
    let text = |field, text: &Arc<str>| {
        compare(field, Operator::Equal, FilterValue::Text(text.to_string()))
    };
    let time = |operator, time_us| {
        compare(
            ExecutionField::CreateTime,
            operator,
            FilterValue::Time(time_us),
        )
    };
    let mut parts = Vec::new();
    parts.extend(query.id.iter().map(|id| text(ExecutionField::Uid, id)));
    let root = query.root_execution_id.iter();
    parts.extend(root.map(|id| text(ExecutionField::RootExecution, id)));
    parts.extend(
        query
            .state
            .iter()
            .map(|state| text(ExecutionField::State, state)),
    );
    parts.extend(
        query
            .from_us
            .map(|from| time(Operator::GreaterOrEqual, from)),
    );
    parts.extend(query.to_us.map(|to| time(Operator::Less, to)));
    Filter::And(parts)
}
