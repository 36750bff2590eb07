//! The tree of a parsed YAQL expression. Making it is left to `parser`, running it to `eval`.

use std::ops::Range;
use std::sync::Arc;

use crate::Value;
use crate::functions::Overload;
use crate::token::Operator;

/// A node, shared with the lambdas that outlive the walk over the tree.
pub(crate) type Expr = Arc<Node>;

/// One node and the text it came from.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Range<usize>,
    /// How many nodes there are on the longest way down, itself included.
    pub(crate) height: usize,
}

/// What a node does.
#[derive(Debug)]
pub(crate) enum NodeKind {
    /// A literal.
    Constant(Value),
    /// A bare word: a string, or the name of a key after a dot.
    Keyword(Arc<str>),
    /// `$`, `$1`, `$2` …, counted from 0.
    Argument(usize),
    /// `$name`
    Variable(Arc<str>),
    /// A value in parentheses, which is no name of a key even if it holds one.
    Wrap(Expr),
    /// An operator before a value.
    Unary(Operator, Expr),
    /// An operator between two values, other than dots.
    Binary(Operator, Expr, Expr),
    /// `value.key`, or `value?.key`
    Member {
        target: Expr,
        key: Arc<str>,
        safe: bool,
    },
    /// `value.name(args)`, or `value?.name(args)`
    Method {
        target: Expr,
        call: Call,
        safe: bool,
    },
    /// A dot before anything else, which parses but never runs.
    BadMember { target: Expr, safe: bool },
    /// `name(args)`
    Function(Call),
    /// `value[args]`
    Index(Expr, Vec<Arg>),
    /// `[args]`
    List(Vec<Arg>),
    /// `{args}`
    Map(Vec<Arg>),
}

/// A call of a function or method.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Arc<str>,
    /// The builtins it may mean, found once.
    pub(crate) overloads: &'static [Overload],
    pub(crate) args: Vec<Arg>,
}

/// What stands between commas.
#[derive(Debug)]
pub(crate) enum Arg {
    /// A value.
    Value(Expr),
    /// `key => value`
    Rule(Expr, Expr),
    /// Nothing, which asks for the parameter's default.
    Empty,
}

impl Arg {
    /// The heights of its values.
    pub(crate) fn height(&self) -> usize {
        match self {
            Self::Value(value) => value.height,
            Self::Rule(key, value) => key.height.max(value.height),
            Self::Empty => 0,
        }
    }
}
