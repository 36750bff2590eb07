//! What names mean at one place of a YAQL expression: a chain of frames, shared with lambdas.

use std::sync::Arc;

use crate::Value;
use crate::ast::Expr;

/// The innermost frame that can be seen.
pub(crate) type Scope = Arc<Frame>;

/// The names that one construct binds.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    parent: Option<Scope>,
    /// `$1`, `$2` …
    args: Vec<Value>,
    /// `$name`
    named: Vec<(Arc<str>, Value)>,
    /// A function made by `def`.
    function: Option<(Arc<str>, Expr)>,
    /// Whether this frame or one further out holds a function.
    has_functions: bool,
}

impl Frame {
    /// The outermost frame, where `$` is the data.
    pub(crate) fn root(data: Value) -> Scope {
        Arc::new(Self {
            args: vec![data],
            ..Self::default()
        })
    }

    /// A frame that binds values by place and by name.
    pub(crate) fn bind(parent: &Scope, args: Vec<Value>, named: Vec<(Arc<str>, Value)>) -> Scope {
        let has_functions = parent.has_functions;
        Arc::new(Self {
            parent: Some(Arc::clone(parent)),
            args,
            named,
            function: None,
            has_functions,
        })
    }

    /// A frame that binds a function; its body sees this frame, so it may call itself.
    pub(crate) fn define(parent: &Scope, name: Arc<str>, body: Expr) -> Scope {
        Arc::new(Self {
            parent: Some(Arc::clone(parent)),
            function: Some((name, body)),
            has_functions: true,
            ..Self::default()
        })
    }

    /// `$1`, `$2` …, counted from 0; `null` when nothing binds it.
    pub(crate) fn argument(self: &Arc<Self>, index: usize) -> Value {
        let found = self.chain().find_map(|frame| frame.args.get(index));
        found.cloned().unwrap_or_default()
    }

    /// `$name`; `null` when nothing binds it.
    pub(crate) fn variable(self: &Arc<Self>, name: &str) -> Value {
        let bound = |frame: &'_ Arc<Self>| {
            frame
                .named
                .iter()
                .rev()
                .find(|(bound, _)| **bound == *name)
                .map(|(_, v)| v.clone())
        };
        self.chain().find_map(bound).unwrap_or_default()
    }

    /// The function of that name made by `def`, and the frame its body sees.
    pub(crate) fn function(self: &Arc<Self>, name: &str) -> Option<(Expr, Scope)> {
        self.chain()
            .take_while(|frame| frame.has_functions)
            .find_map(|frame| {
                let (bound, body) = frame.function.as_ref()?;
                (**bound == *name).then(|| (Arc::clone(body), Arc::clone(frame)))
            })
    }

    fn chain(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        std::iter::successors(Some(self), |frame| frame.parent.as_ref())
    }
}
