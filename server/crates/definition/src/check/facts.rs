//! What is noted while a document is walked and judged when more of it is known: the variables
//! and tasks that expressions ask for, and the actions and workflows that tasks call.

use std::sync::Arc;

use crate::position::Span;

/// What was noted since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Asked for by expressions, in the order of the walk.
    pub(super) uses: Vec<Use>,
    /// Calls with a fixed name, in the order of the walk.
    pub(super) calls: Vec<CallFact>,
}

/// A place in the document.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// In the text.
    pub(super) span: Span,
    /// In the structure.
    pub(super) path: Arc<str>,
}

/// Something that an expression asks for.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// What it asks for.
    pub(super) wanted: Wanted,
    /// Where.
    pub(super) site: Site,
}

/// What an expression asks for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// A variable, which must be there.
    Variable(Arc<str>),
    /// A task by its name.
    Task(Arc<str>),
}

/// A call of something with a fixed name.
#[derive(Clone, Debug)]
pub(super) struct CallFact {
    /// What is called.
    pub(super) name: Arc<str>,
    /// Whether it is a workflow, not an action.
    pub(super) is_workflow: bool,
    /// The ad-hoc action whose base is called; none of what a task calls.
    pub(super) base_of: Option<Arc<str>>,
    /// Where the name stands.
    pub(super) site: Site,
    /// The names of what is given; whether these are all is told by `is_complete`.
    pub(super) given: Vec<(Arc<str>, Site)>,
    /// Whether nothing else is given by an expression.
    pub(super) is_complete: bool,
}
