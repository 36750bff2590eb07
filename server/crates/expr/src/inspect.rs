//! What can be told about a template without evaluating it: which variables it reads, and which
//! of its calls are bound to fail. Only what is certain is told; judging it is left to callers.

use std::ops::Range;

use crate::ast::{Arg, Call, Expr, NodeKind};
use crate::context::HOST_FUNCTIONS;
use crate::error::PathSegment;
use crate::functions::{Form, dispatch};
use crate::jinja;
use crate::template::{Template, Visited};
use crate::token::Operator;
use crate::{Language, Value};

/// Something told about one string of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where the string is in the template.
    pub path: Vec<PathSegment>,
    /// The part of the string it is about, in bytes.
    pub span: Range<usize>,
    /// The language of the expression.
    pub language: Language,
    /// What is told.
    pub kind: FindingKind,
}

/// What can be told about a part of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// A name of the data is read, `$.name` or `_.name`, and evaluation fails if it is not there.
    Variable(String),
    /// The task of this name is asked for: `task("name")`.
    Task(String),
    /// There is no function of this name, or no method; [`unknown_function`] says more.
    UnknownFunction(String, Form),
    /// Jinja knows nothing by this name: the data is under `_`.
    UnknownName(String),
    /// Jinja has no filter of this name; [`unknown_filter`] says more.
    UnknownFilter(String),
    /// Jinja has no test of this name; [`unknown_test`] says more.
    UnknownTest(String),
    /// A Jinja expression calls this method of lists or dicts, which would change them: nothing can
    /// be changed in place.
    ChangesInPlace(String),
    /// The function of this name never takes so many arguments, or none of their names.
    WrongArguments(String),
}

/// What to say about a function or method that does not exist: it names a near one that does.
pub fn unknown_function(name: &str, form: Form) -> String {
    dispatch::unknown_message(name, form)
}

/// What to say about a filter of Jinja that does not exist: it names a near one that does.
pub fn unknown_filter(name: &str) -> String {
    jinja::unknown_filter(name)
}

/// What to say about a test of Jinja that does not exist: it names a near one that does.
pub fn unknown_test(name: &str) -> String {
    jinja::unknown_test(name)
}

impl Template {
    /// Everything that can be told about the template, string by string.
    pub fn inspect(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.visit(&mut |path, visited| {
            let mut walk = Walk {
                path,
                start: 0,
                language: Language::Yaql,
                defines: false,
                findings: &mut findings,
            };
            match visited {
                Visited::Yaql(start, expr) => {
                    walk.start = start;
                    walk.defines = defines(expr);
                    walk.node(expr, true);
                }
                Visited::Jinja(program) => {
                    walk.language = Language::Jinja;
                    program.inspect(&mut |span, kind| walk.tell(span, kind));
                }
            }
        });
        findings
    }
}

/// The walk over the tree of one expression.
struct Walk<'w> {
    path: &'w [PathSegment],
    /// Where the expression begins in its string.
    start: usize,
    language: Language,
    /// Whether the expression defines functions of its own.
    defines: bool,
    findings: &'w mut Vec<Finding>,
}

impl Walk<'_> {
    fn tell(&mut self, span: Range<usize>, kind: FindingKind) {
        self.findings.push(Finding {
            path: self.path.to_vec(),
            span: self.start + span.start..self.start + span.end,
            language: self.language,
            kind,
        });
    }

    /// Looks at a node; `is_root` says that `$` is surely the data.
    fn node(&mut self, node: &Expr, is_root: bool) {
        match &node.kind {
            NodeKind::Constant(_)
            | NodeKind::Keyword(_)
            | NodeKind::Argument(_)
            | NodeKind::Variable(_) => {}
            NodeKind::Wrap(inner) | NodeKind::Unary(_, inner) => self.node(inner, is_root),
            // What stands after an arrow sees what stands before it.
            NodeKind::Binary(Operator::Arrow, left, right) => {
                self.scope(left, is_root);
                self.node(right, false);
            }
            NodeKind::Binary(_, left, right) => {
                self.node(left, is_root);
                self.node(right, is_root);
            }
            NodeKind::Member { target, key, .. } => {
                if is_root && matches!(target.kind, NodeKind::Argument(0)) {
                    self.tell(node.span.clone(), FindingKind::Variable(key.to_string()));
                }
                self.node(target, is_root);
            }
            NodeKind::BadMember { target, .. } => self.node(target, is_root),
            NodeKind::Method { target, call, .. } => {
                self.node(target, is_root);
                let place = target.span.end..node.span.end;
                self.call(place, call, Form::Method, is_root);
            }
            NodeKind::Function(call) => {
                let start = node.span.start;
                let place = start..start + call.name.len();
                self.call(place, call, Form::Function, is_root);
            }
            NodeKind::Index(target, args) => {
                self.node(target, is_root);
                self.args(args, |_| is_root);
            }
            NodeKind::List(args) | NodeKind::Map(args) => self.args(args, |_| is_root),
        }
    }

    /// The left side of an arrow: `let(…)` and the like, which are no functions elsewhere.
    fn scope(&mut self, node: &Expr, is_root: bool) {
        match &node.kind {
            NodeKind::Function(call) if matches!(&*call.name, "let" | "with") => {
                self.args(&call.args, |_| is_root);
            }
            NodeKind::Function(call) if &*call.name == "def" => self.args(&call.args, |_| false),
            NodeKind::Wrap(inner) => self.scope(inner, is_root),
            _ => self.node(node, is_root),
        }
    }

    fn call(&mut self, place: Range<usize>, call: &Call, form: Form, is_root: bool) {
        let is_host = form == Form::Function
            && call.overloads.is_empty()
            && HOST_FUNCTIONS.contains(&&*call.name);
        // A function that the expression defines itself may take any name.
        let is_own = form == Form::Function && self.defines;
        if is_host {
            self.task(call);
        } else if !is_own && call.overloads.is_empty() {
            self.tell(
                place,
                FindingKind::UnknownFunction(call.name.to_string(), form),
            );
        } else if !is_own && !dispatch::takes(call, form) {
            self.tell(place, FindingKind::WrongArguments(call.name.to_string()));
        }
        let first = usize::from(form == Form::Method);
        self.args(&call.args, |index| {
            let index = index.map(|index| first + index);
            let lazy = |overload| dispatch::is_lazy(overload, index);
            is_root && (is_host || !call.overloads.is_empty() && !call.overloads.iter().any(lazy))
        });
    }

    /// Looks at arguments; `is_root` is asked with the place of each, if it has one.
    fn args(&mut self, args: &[Arg], is_root: impl Fn(Option<usize>) -> bool) {
        for (index, arg) in args.iter().enumerate() {
            match arg {
                Arg::Value(value) => self.node(value, is_root(Some(index))),
                Arg::Rule(key, value) => {
                    let is_root = is_root(None);
                    self.node(key, is_root);
                    self.node(value, is_root);
                }
                Arg::Empty => {}
            }
        }
    }

    fn task(&mut self, call: &Call) {
        if let ("task", [Arg::Value(name)]) = (&*call.name, &call.args[..])
            && let NodeKind::Constant(Value::Str(task)) | NodeKind::Keyword(task) = &name.kind
        {
            self.tell(name.span.clone(), FindingKind::Task(task.to_string()));
        }
    }
}

/// Whether functions are defined anywhere in an expression.
fn defines(node: &Expr) -> bool {
    let any = |args: &[Arg]| {
        args.iter().any(|arg| match arg {
            Arg::Value(value) => defines(value),
            Arg::Rule(key, value) => defines(key) || defines(value),
            Arg::Empty => false,
        })
    };
    match &node.kind {
        NodeKind::Constant(_)
        | NodeKind::Keyword(_)
        | NodeKind::Argument(_)
        | NodeKind::Variable(_) => false,
        NodeKind::Wrap(inner) | NodeKind::Unary(_, inner) => defines(inner),
        NodeKind::Binary(_, left, right) => defines(left) || defines(right),
        NodeKind::Member { target, .. } | NodeKind::BadMember { target, .. } => defines(target),
        NodeKind::Method { target, call, .. } => defines(target) || any(&call.args),
        NodeKind::Function(call) => &*call.name == "def" || any(&call.args),
        NodeKind::Index(target, args) => defines(target) || any(args),
        NodeKind::List(args) | NodeKind::Map(args) => any(args),
    }
}

#[cfg(test)]
mod tests;
