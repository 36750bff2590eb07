//! All questions that can be asked, by name.
//!
//! Left to others: the SQL of each table (`tables`).

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{
    ActionRecord, ExecutionRecord, ExecutionState, ExecutionUid, HistoryEvent, TaskRecord,
};

use crate::batch::{ExecutionKey, RequestRecord};
use crate::definition::{DefinitionKind, DefinitionRow, Source, WorkbookRow};
use crate::error::Error;
use crate::filter::{DefinitionField, ExecutionField, Filter, TaskField};
use crate::page::{Page, Slice};

/// SHA-256 that names a source.
pub type SourceHash = [u8; 32];

/// An execution with all its tasks and their actions, in order of their numbers.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The execution.
    pub execution: ExecutionRecord,
    /// Its tasks, each with its actions.
    pub tasks: Vec<TaskRecord>,
}

/// Whether lists carry payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payloads {
    /// They do.
    Include,
    /// They do not: inputs, params and vars read as `{}`, outputs and published variables as
    /// absent, and tasks come without their actions.
    Omit,
}

/// By what executions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountGroup {
    /// By state word.
    State,
    /// By full name of the workflow.
    WorkflowName,
}

/// How many executions there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that match.
    pub total: i64,
    /// By group, at most as many as asked for, the largest.
    pub groups: BTreeMap<String, i64>,
}

/// How far an execution is: what a watch must know to decide whether to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: ExecutionState,
    /// Sequence of the last history event.
    pub last_sequence: i64,
    /// Which run.
    pub run: i32,
}

/// Which events of a history are wanted: those with `after < sequence < before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRange {
    /// Exclusive lower end; 0 = from the first.
    pub after: i64,
    /// Exclusive upper end; `None` = to the last.
    pub before: Option<i64>,
    /// Newest first.
    pub descending: bool,
    /// At most this many events.
    pub limit: u32,
    /// No further commit's events once those so far reach this many bytes of text.
    pub max_bytes: usize,
}

/// The name of a definition or workbook, as a place in lists that are ordered by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefinitionName {
    /// Full name.
    pub name: Arc<str>,
    /// Scope of the name.
    pub namespace: Arc<str>,
}

/// An action execution and the number of its task.
#[derive(Clone, Debug)]
pub struct ActionRow {
    /// Number of the task execution.
    pub task: u32,
    /// The action execution.
    pub record: ActionRecord,
}

/// A connection that reads.
pub struct Reader {}

#[expect(
    unused_variables,
    clippy::unused_self,
    reason = "bodies follow in the next commit"
)]
impl Reader {
    /// Finds where an execution lies, by its id or else its uid.
    pub fn find_key(&mut self, project: &str, id: &str) -> Result<Option<ExecutionKey>, Error> {
        unimplemented!()
    }
    /// Finds an execution by its id, or else its uid.
    pub fn find_execution(
        &mut self,
        project: &str,
        id: &str,
        payloads: Payloads,
    ) -> Result<Option<ExecutionRecord>, Error> {
        unimplemented!()
    }
    /// Finds where the execution of a uid lies, in whatever project.
    pub fn locate(&mut self, uid: ExecutionUid) -> Result<Option<ExecutionKey>, Error> {
        unimplemented!()
    }
    /// Lists executions, newest first.
    pub fn list_executions(
        &mut self,
        project: &str,
        filter: &Filter<ExecutionField>,
        page: &Page<ExecutionUid>,
        payloads: Payloads,
    ) -> Result<Slice<ExecutionRecord>, Error> {
        unimplemented!()
    }
    /// Counts executions; the groups are the `max_groups` largest.
    pub fn count_executions(
        &mut self,
        project: &str,
        filter: &Filter<ExecutionField>,
        group: Option<CountGroup>,
        max_groups: u32,
    ) -> Result<Counts, Error> {
        unimplemented!()
    }
    /// How far an execution is; cheap.
    pub fn standing(&mut self, key: ExecutionKey) -> Result<Option<Standing>, Error> {
        unimplemented!()
    }
    /// Lists tasks in order of their numbers.
    pub fn list_tasks(
        &mut self,
        key: ExecutionKey,
        filter: &Filter<TaskField>,
        page: &Page<u32>,
        payloads: Payloads,
    ) -> Result<Slice<TaskRecord>, Error> {
        unimplemented!()
    }
    /// Finds a task with its actions.
    pub fn find_task(
        &mut self,
        key: ExecutionKey,
        number: u32,
    ) -> Result<Option<TaskRecord>, Error> {
        unimplemented!()
    }
    /// Lists actions, of one task or of all, in order of task and number.
    pub fn list_actions(
        &mut self,
        key: ExecutionKey,
        task: Option<u32>,
        page: &Page<(u32, u32)>,
        payloads: Payloads,
    ) -> Result<Slice<ActionRow>, Error> {
        unimplemented!()
    }
    /// Finds an action.
    pub fn find_action(
        &mut self,
        key: ExecutionKey,
        task: u32,
        number: u32,
    ) -> Result<Option<ActionRecord>, Error> {
        unimplemented!()
    }
    /// Lists history events.
    pub fn list_history(
        &mut self,
        key: ExecutionKey,
        range: &HistoryRange,
    ) -> Result<Slice<HistoryEvent>, Error> {
        unimplemented!()
    }
    /// Finds an answered request.
    pub fn find_request(
        &mut self,
        project: &str,
        request_id: &str,
    ) -> Result<Option<RequestRecord>, Error> {
        unimplemented!()
    }
    /// Finds a revision of a definition, the latest unless one is named.
    pub fn find_definition(
        &mut self,
        project: &str,
        kind: DefinitionKind,
        namespace: &str,
        name: &str,
        revision: Option<i32>,
    ) -> Result<Option<DefinitionRow>, Error> {
        unimplemented!()
    }
    /// Lists the latest revisions of definitions, by name and namespace.
    pub fn list_definitions(
        &mut self,
        project: &str,
        kind: DefinitionKind,
        namespace: Option<&str>,
        filter: &Filter<DefinitionField>,
        page: &Page<DefinitionName>,
    ) -> Result<Slice<DefinitionRow>, Error> {
        unimplemented!()
    }
    /// Lists the revisions of a definition, newest first; none if it does not exist.
    pub fn list_revisions(
        &mut self,
        project: &str,
        kind: DefinitionKind,
        namespace: &str,
        name: &str,
        page: &Page<i32>,
    ) -> Result<Slice<DefinitionRow>, Error> {
        unimplemented!()
    }
    /// Finds a workbook.
    pub fn find_workbook(
        &mut self,
        project: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<WorkbookRow>, Error> {
        unimplemented!()
    }
    /// Lists workbooks, by name and namespace.
    pub fn list_workbooks(
        &mut self,
        project: &str,
        namespace: Option<&str>,
        page: &Page<DefinitionName>,
    ) -> Result<Slice<WorkbookRow>, Error> {
        unimplemented!()
    }
    /// Loads a document.
    pub fn load_source(&mut self, hash: &SourceHash) -> Result<Option<Source>, Error> {
        unimplemented!()
    }
    /// Counts the unfinished executions of a workflow, of whatever revision.
    pub fn count_running(
        &mut self,
        project: &str,
        namespace: &str,
        name: &str,
    ) -> Result<i64, Error> {
        unimplemented!()
    }
    /// Lists the direct children of an execution; they lie in its shard.
    pub fn list_children(&mut self, key: ExecutionKey) -> Result<Vec<ExecutionKey>, Error> {
        unimplemented!()
    }
    /// Lists finished executions that were started from outside and ended before `before_us`,
    /// oldest first.
    pub fn list_expired(
        &mut self,
        project: &str,
        before_us: i64,
        limit: u32,
    ) -> Result<Vec<ExecutionKey>, Error> {
        unimplemented!()
    }
    /// Finds sources that no definition, workbook or execution refers to.
    pub fn find_unused_sources(&mut self, limit: u32) -> Result<Vec<SourceHash>, Error> {
        unimplemented!()
    }
    /// Loads an execution with its tasks and actions.
    pub fn load(&mut self, key: ExecutionKey) -> Result<Option<Loaded>, Error> {
        unimplemented!()
    }
}
