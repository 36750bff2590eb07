//! Lazy sequences: what `where`, `select`, `range` and their like give until something reads them.
//! Owns keeping the items already read; which items there are is left to `functions`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexSet;

use crate::Value;
use crate::fault::{Fault, Result};
use crate::machine::Machine;

/// A sequence whose items are computed when first read, then kept.
///
/// Python's generators can be read only once; these can be read again, which never changes what
/// the first reader sees.
#[derive(Clone)]
pub struct Seq(Arc<Inner>);

/// What Python would call the sequence, which decides the functions that take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeqKind {
    /// A generator.
    Iterator,
    /// A collection that is no list, such as the values of a dict.
    View,
    /// What `orderBy` gives, which `thenBy` can refine.
    Ordered,
}

/// Gives the next item, or `None` at the end.
pub(crate) type Pull = Box<dyn FnMut(&mut Machine<'_>) -> Result<Option<Value>> + Send>;

struct Inner {
    kind: SeqKind,
    state: Mutex<State>,
    /// What `thenBy` needs to sort again.
    ordering: Option<crate::functions::Ordering>,
}

struct State {
    items: Vec<Value>,
    source: Source,
}

enum Source {
    Waiting(Pull),
    /// Being pulled at this moment, or failed while it was.
    Busy,
    Done,
}

impl Seq {
    /// A generator.
    pub(crate) fn new(
        pull: impl FnMut(&mut Machine<'_>) -> Result<Option<Value>> + Send + 'static,
    ) -> Self {
        Self::of(
            SeqKind::Iterator,
            Source::Waiting(Box::new(pull)),
            Vec::new(),
            None,
        )
    }

    /// Items that are known already.
    pub(crate) fn ready(kind: SeqKind, items: Vec<Value>) -> Self {
        Self::of(kind, Source::Done, items, None)
    }

    /// Items to be sorted when first read.
    pub(crate) fn ordered(
        ordering: crate::functions::Ordering,
        pull: impl FnMut(&mut Machine<'_>) -> Result<Option<Value>> + Send + 'static,
    ) -> Self {
        let source = Source::Waiting(Box::new(pull));
        Self::of(SeqKind::Ordered, source, Vec::new(), Some(ordering))
    }

    fn of(
        kind: SeqKind,
        source: Source,
        items: Vec<Value>,
        ordering: Option<crate::functions::Ordering>,
    ) -> Self {
        let state = Mutex::new(State { items, source });
        Self(Arc::new(Inner {
            kind,
            state,
            ordering,
        }))
    }

    pub(crate) fn kind(&self) -> SeqKind {
        self.0.kind
    }

    /// Whether it is a collection without items. A generator never is, since nothing was read yet.
    pub(crate) fn is_empty_view(&self) -> bool {
        self.0.kind == SeqKind::View && self.state().items.is_empty()
    }

    pub(crate) fn ordering(&self) -> Option<&crate::functions::Ordering> {
        self.0.ordering.as_ref()
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The item at an index, computed if need be.
    pub(crate) fn item(&self, index: usize, machine: &mut Machine<'_>) -> Result<Option<Value>> {
        let mut pull = {
            let mut state = self.state();
            if let Some(item) = state.items.get(index) {
                return Ok(Some(item.clone()));
            }
            // The lock is not held while pulling: that runs lambdas, which may read anything.
            match std::mem::replace(&mut state.source, Source::Busy) {
                Source::Waiting(pull) => pull,
                Source::Busy => return Err(Fault::value("a sequence depends on itself")),
                Source::Done => {
                    state.source = Source::Done;
                    return Ok(None);
                }
            }
        };
        loop {
            machine.step()?;
            machine.enter()?;
            let pulled = pull(machine);
            machine.leave();
            let pulled = pulled?;
            let mut state = self.state();
            let Some(item) = pulled else {
                state.source = Source::Done;
                return Ok(None);
            };
            state.items.push(item);
            if let Some(item) = state.items.get(index) {
                let item = item.clone();
                state.source = Source::Waiting(pull);
                return Ok(Some(item));
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seq").field(&self.0.kind).finish()
    }
}

impl Hash for Seq {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// Reads a list, set or sequence from its start.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    items: Items,
    at: usize,
}

#[derive(Clone, Debug)]
enum Items {
    List(Arc<Vec<Value>>),
    Set(Arc<IndexSet<Value>>),
    Seq(Seq),
}

impl Cursor {
    /// A cursor over a value; `None` for a value that has no items.
    pub(crate) fn new(value: Value) -> Option<Self> {
        let items = match value {
            Value::List(items) => Items::List(items),
            Value::Set(items) => Items::Set(items),
            Value::Seq(seq) => Items::Seq(seq),
            _ => return None,
        };
        Some(Self { items, at: 0 })
    }

    /// A cursor over whatever Python can iterate over: the characters of a text and the keys of
    /// a dict, too. `None` for a value that has no parts.
    pub(crate) fn over_parts(value: Value) -> Option<Self> {
        let parts = match value {
            Value::Str(text) => text.chars().map(|c| c.to_string().into()).collect(),
            Value::Dict(dict) => dict.keys().collect(),
            value => return Self::new(value),
        };
        let items = Items::List(Arc::new(parts));
        Some(Self { items, at: 0 })
    }

    /// The next item.
    pub(crate) fn next(&mut self, machine: &mut Machine<'_>) -> Result<Option<Value>> {
        let item = match &self.items {
            Items::List(items) => items.get(self.at).cloned(),
            Items::Set(items) => items.get_index(self.at).cloned(),
            Items::Seq(seq) => seq.item(self.at, machine)?,
        };
        machine.step()?;
        self.at += 1;
        Ok(item)
    }

    /// All items not read yet.
    pub(crate) fn rest(mut self, machine: &mut Machine<'_>) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        while let Some(item) = self.next(machine)? {
            all.push(item);
        }
        Ok(all)
    }
}
