//! What the engine may look up outside the execution: definitions, and other executions for the
//! functions that read them. Everything here is given, so the engine stays pure.

use std::sync::Arc;

use definition::model::{Action, Workflow};
use expr::Value;

use crate::limits::Limits;
use crate::record::DefinitionRef;

/// A workflow, ready to run.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Under which name and revision it is stored.
    pub reference: DefinitionRef,
    /// The checked workflow.
    pub workflow: Arc<Workflow>,
}

/// An ad-hoc action, ready to run.
#[derive(Clone, Debug)]
pub struct AdHocAction {
    /// Under which name and revision it is stored. Its base is looked up in its workbook first.
    pub reference: DefinitionRef,
    /// The checked action.
    pub action: Arc<Action>,
}

impl AdHocAction {
    /// Name of the action that it wraps, as its document has it.
    pub fn base_name(&self) -> Arc<str> {
        self.action.base.name.source().to_text().into()
    }
}

/// Which executions or tasks a function asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Uid of one execution; `None` means all of the project.
    pub id: Option<Arc<str>>,
    /// Only those of this tree.
    pub root_execution_id: Option<Arc<str>>,
    /// Only in this state.
    pub state: Option<Arc<str>>,
    /// Only created at or after this time, microseconds since the epoch.
    pub from_us: Option<i64>,
    /// Only created before this time, microseconds since the epoch.
    pub to_us: Option<i64>,
    /// Not this execution: it is the one that asks, and knows itself better.
    pub except: Option<Arc<str>>,
    /// With the tasks of sub-workflows.
    pub recursive: bool,
    /// Only tasks that run actions, and those workflow tasks whose state is not their child's.
    pub flat: bool,
}

/// Whether workers provide an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provision {
    /// One does, or has done: a call waits for it as long as it takes.
    Known,
    /// None ever has; a call waits for a while.
    Awaited,
    /// None ever has, and no call waits.
    Never,
}

/// The world around an execution, as of now.
pub trait World {
    /// The latest revision of a workflow under exactly this name and namespace.
    fn workflow(&self, project: &str, namespace: &str, name: &str) -> Option<Arc<Definition>>;
    /// The latest revision of an ad-hoc action under exactly this name and namespace.
    fn action(&self, project: &str, namespace: &str, name: &str) -> Option<Arc<AdHocAction>>;
    /// Exactly this revision of an ad-hoc action, also if it was deleted meanwhile.
    fn pinned_action(&self, reference: &DefinitionRef) -> Option<Arc<AdHocAction>>;
    /// Whether workers run an action that is neither built in nor ad-hoc.
    fn worker_action(&self, project: &str, name: &str) -> Provision;
    /// `executions()`: a list of dicts.
    fn executions(&self, project: &str, query: &Query) -> Result<Vec<Value>, String>;
    /// `tasks()` of other executions than the one that asks: a list of dicts.
    fn tasks(&self, project: &str, query: &Query) -> Result<Vec<Value>, String>;
    /// How large executions may grow.
    fn limits(&self) -> Limits;
}
