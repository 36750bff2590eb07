//! Templates: JSON-like structures whose strings may hold expressions, compiled once.
//! Finding the expressions in a string is left to `embed`, running them to `eval` and `jinja`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::ast::Expr;
use crate::embed;
use crate::error::{MIXED, PathSegment};
use crate::fault::Fault;
use crate::jinja;
use crate::limits::TEMPLATE_DEPTH_MAX;
use crate::{
    CompileError, CompileErrorKind, Context, Dict, EvalError, EvalErrorKind, Language, Limit,
    Value, eval, parser,
};

/// A structure in which any string may hold expressions, ready to be evaluated many times.
#[derive(Clone, Debug)]
pub struct Template {
    source: Value,
    node: Node,
}

/// What evaluating a part of the structure does.
#[derive(Clone, Debug)]
enum Node {
    /// Gives it as it is.
    Literal(Value),
    List(Arc<[Self]>),
    Dict(Arc<[(Value, Self)]>),
    /// One YAQL expression, whose value is the result.
    Yaql(Arc<Yaql>),
    /// YAQL expressions within text.
    Text(Arc<Text>),
    Jinja(Arc<jinja::Program>),
    /// Raises the error that compiling found.
    Bad(Arc<CompileError>),
}

#[derive(Debug)]
struct Yaql {
    text: Arc<str>,
    /// Where the expression begins in the text.
    start: usize,
    expr: Expr,
}

#[derive(Debug)]
struct Text {
    source: Arc<str>,
    parts: Vec<Part>,
    /// The distinct expressions and where each begins.
    exprs: Vec<(usize, Expr)>,
}

#[derive(Debug)]
enum Part {
    Plain(Range<usize>),
    /// The value of an expression, by its number.
    Value(usize),
}

impl Template {
    /// Compiles every string in a structure. Never fails: a bad string is reported with its path,
    /// and raises the same error when evaluated.
    pub fn compile(value: &Value) -> (Self, Vec<CompileError>) {
        let mut compiler = Compiler {
            path: Vec::new(),
            errors: Vec::new(),
        };
        let node = compiler.node(value);
        (
            Self {
                source: value.clone(),
                node,
            },
            compiler.errors,
        )
    }

    /// Compiles one string.
    pub fn compile_str(text: &str) -> (Self, Option<CompileError>) {
        let (template, errors) = Self::compile(&Value::from(text));
        (template, errors.into_iter().next())
    }

    /// A template that gives the value as it is, whatever its strings hold.
    pub fn literal(value: Value) -> Self {
        Self {
            source: value.clone(),
            node: Node::Literal(value),
        }
    }

    /// This template with another one laid over it: dicts merge at every level, and anything else
    /// is replaced. What was compiled stays compiled.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        let node = self.node.overlaid(&over.node);
        let source = overlaid(&self.source, &over.source);
        Self { source, node }
    }

    /// Whether evaluation gives the source itself.
    pub fn is_literal(&self) -> bool {
        matches!(self.node, Node::Literal(_))
    }

    /// The structure as written.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Shows every compiled expression, with the path of its string.
    pub(crate) fn visit(&self, see: &mut dyn FnMut(&[PathSegment], Visited<'_>)) {
        self.node.visit(&mut Vec::new(), see);
    }

    /// Evaluates every expression; keys stay as written and results are not evaluated again.
    pub fn eval(&self, cx: &Context<'_>) -> Result<Value, EvalError> {
        self.node.eval(cx)
    }
}

/// A compiled expression of a template.
pub(crate) enum Visited<'t> {
    /// Where it begins in its string, and its tree.
    Yaql(usize, &'t Expr),
    /// A whole string.
    Jinja(&'t jinja::Program),
}

/// Two templates are equal when they were written alike and both are literal or not.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.is_literal() == other.is_literal()
    }
}

thread_local! {
    static COMPILATIONS: Cell<u64> = const { Cell::new(0) };
}

/// How many expressions and templates this thread has compiled so far. Compiling is the part of
/// the work that must happen once for a definition, and never when it runs: tests count on it.
pub fn compilations() -> u64 {
    COMPILATIONS.get()
}

/// Counts one.
pub(crate) fn count_compilation() {
    COMPILATIONS.set(COMPILATIONS.get() + 1);
}

/// Whether a text holds an expression of either language.
pub fn is_expression(text: &str) -> bool {
    language_of(text).is_some()
}

/// The language of the first kind of expression a text holds; YAQL goes first.
pub fn language_of(text: &str) -> Option<Language> {
    embed::languages(text).0
}

/// Whether a string in a structure holds an expression of either language.
pub fn holds_expression(value: &Value) -> bool {
    match value {
        Value::Str(text) => is_expression(text),
        Value::List(items) => items.iter().any(holds_expression),
        Value::Dict(dict) => dict.iter().any(|(_, item)| holds_expression(&item)),
        _ => false,
    }
}

fn overlaid(under: &Value, over: &Value) -> Value {
    let (Value::Dict(under), Value::Dict(over)) = (under, over) else {
        return over.clone();
    };
    let mut all = under.clone();
    for (key, value) in over.iter() {
        let value = match under.get_value(&key) {
            Some(existing) => overlaid(&existing, &value),
            None => value,
        };
        all.insert(key, value);
    }
    Value::Dict(all)
}

struct Compiler {
    path: Vec<PathSegment>,
    errors: Vec<CompileError>,
}

impl Compiler {
    fn node(&mut self, value: &Value) -> Node {
        match value {
            Value::Str(text) => self.text(text),
            // Values read from JSON or YAML are not nested deeper than this.
            Value::List(_) | Value::Dict(_) if self.path.len() >= TEMPLATE_DEPTH_MAX => self.fail(
                &"".into(),
                Language::Yaql,
                CompileErrorKind::TooLarge,
                |error| {
                    error.message =
                        format!("the structure is nested deeper than {TEMPLATE_DEPTH_MAX} levels");
                },
            ),
            Value::List(items) => {
                let nodes: Vec<Node> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.inside(PathSegment::Index(index), item))
                    .collect();
                if nodes.iter().all(|node| matches!(node, Node::Literal(_))) {
                    return Node::Literal(value.clone());
                }
                Node::List(nodes.into())
            }
            Value::Dict(dict) => {
                let nodes: Vec<(Value, Node)> = dict
                    .iter()
                    .map(|(key, item)| {
                        let segment = PathSegment::Key(key.to_text().into());
                        let node = self.inside(segment, &item);
                        (key, node)
                    })
                    .collect();
                if nodes
                    .iter()
                    .all(|(_, node)| matches!(node, Node::Literal(_)))
                {
                    return Node::Literal(value.clone());
                }
                Node::Dict(nodes.into())
            }
            value => Node::Literal(value.clone()),
        }
    }

    fn inside(&mut self, segment: PathSegment, value: &Value) -> Node {
        self.path.push(segment);
        let node = self.node(value);
        self.path.pop();
        node
    }

    fn text(&mut self, text: &Arc<str>) -> Node {
        match embed::languages(text) {
            (None, _) => Node::Literal(Value::Str(Arc::clone(text))),
            (Some(language), true) => {
                let bad = self.fail(text, language, CompileErrorKind::Mixed, |error| {
                    error.message = MIXED.into();
                });
                // Where Mistral does not look for this mistake, it takes the whole for Jinja. If
                // the braces are YAQL's own, that is not what was meant.
                if embed::is_jinja_inside(text, &embed::yaql(text)) {
                    return self.yaql(text);
                }
                match jinja::Program::compile(text) {
                    Ok(program) => Node::Jinja(Arc::new(program)),
                    Err(_) => bad,
                }
            }
            (Some(Language::Yaql), false) => self.yaql(text),
            (Some(Language::Jinja), false) => match jinja::Program::compile(text) {
                Ok(program) => Node::Jinja(Arc::new(program)),
                Err(problem) => {
                    let kind = CompileErrorKind::Grammar;
                    self.fail(text, Language::Jinja, kind, |error| {
                        error.message = problem.message;
                        error.span = problem.span;
                    })
                }
            },
        }
    }

    fn yaql(&mut self, text: &Arc<str>) -> Node {
        let mut parts = Vec::new();
        let mut exprs: Vec<(usize, Expr)> = Vec::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut end = 0;
        for found in embed::yaql(text) {
            let source = &text[found.inner.clone()];
            let number = match seen.get(source) {
                Some(number) => *number,
                None => match parser::parse(source) {
                    Ok(expr) => {
                        seen.insert(source, exprs.len());
                        exprs.push((found.inner.start, expr));
                        exprs.len() - 1
                    }
                    Err(error) => {
                        let kind = if error.too_large {
                            CompileErrorKind::TooLarge
                        } else {
                            CompileErrorKind::Grammar
                        };
                        let start = found.inner.start;
                        let span = start + error.span.start..start + error.span.end;
                        return self.fail(text, Language::Yaql, kind, |failed| {
                            failed.message = error.message;
                            failed.span = span;
                        });
                    }
                },
            };
            if end < found.outer.start {
                parts.push(Part::Plain(end..found.outer.start));
            }
            parts.push(Part::Value(number));
            end = found.outer.end;
        }
        if end < text.len() {
            parts.push(Part::Plain(end..text.len()));
        }
        let text = Arc::clone(text);
        match (&parts[..], &exprs[..]) {
            ([Part::Value(_)], [(start, expr)]) => Node::Yaql(Arc::new(Yaql {
                text,
                start: *start,
                expr: Arc::clone(expr),
            })),
            _ => Node::Text(Arc::new(Text {
                source: text,
                parts,
                exprs,
            })),
        }
    }

    fn fail(
        &mut self,
        text: &Arc<str>,
        language: Language,
        kind: CompileErrorKind,
        describe: impl FnOnce(&mut CompileError),
    ) -> Node {
        let mut error = CompileError {
            path: self.path.clone(),
            language,
            kind,
            message: String::new(),
            text: Arc::clone(text),
            span: 0..text.len(),
        };
        describe(&mut error);
        self.errors.push(error.clone());
        Node::Bad(Arc::new(error))
    }
}

impl Node {
    /// See [`Template::overlaid`].
    fn overlaid(&self, over: &Self) -> Self {
        let (Some(mut all), Some(others)) = (self.entries(), over.entries()) else {
            return over.clone();
        };
        for (key, node) in others {
            match all.get_mut(&key) {
                Some(existing) => *existing = existing.overlaid(&node),
                None => drop(all.insert(key, node)),
            }
        }
        let literal = |(key, node): (&Value, &Self)| match node {
            Self::Literal(value) => Some((key.clone(), value.clone())),
            _ => None,
        };
        match all.iter().map(literal).collect() {
            Some(values) => Self::Literal(Value::Dict(values)),
            None => Self::Dict(all.into_iter().collect()),
        }
    }

    /// What a dict holds, each part ready to be evaluated.
    fn entries(&self) -> Option<IndexMap<Value, Self>> {
        match self {
            Self::Dict(entries) => Some(entries.iter().cloned().collect()),
            Self::Literal(Value::Dict(dict)) => {
                let entries = dict.iter();
                Some(entries.map(|(k, v)| (k, Self::Literal(v))).collect())
            }
            _ => None,
        }
    }

    fn visit(&self, path: &mut Vec<PathSegment>, see: &mut dyn FnMut(&[PathSegment], Visited<'_>)) {
        match self {
            Self::Literal(_) | Self::Bad(_) => {}
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(PathSegment::Index(index));
                    item.visit(path, see);
                    path.pop();
                }
            }
            Self::Dict(items) => {
                for (key, item) in items.iter() {
                    path.push(PathSegment::Key(key.to_text().into()));
                    item.visit(path, see);
                    path.pop();
                }
            }
            Self::Yaql(yaql) => see(path, Visited::Yaql(yaql.start, &yaql.expr)),
            Self::Text(text) => {
                for (start, expr) in &text.exprs {
                    see(path, Visited::Yaql(*start, expr));
                }
            }
            Self::Jinja(program) => see(path, Visited::Jinja(program)),
        }
    }

    fn eval(&self, cx: &Context<'_>) -> Result<Value, EvalError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::List(items) => items.iter().map(|item| item.eval(cx)).collect(),
            Self::Dict(items) => {
                let mut dict = Dict::new();
                for (key, item) in items.iter() {
                    dict.insert(key.clone(), item.eval(cx)?);
                }
                Ok(Value::Dict(dict))
            }
            Self::Yaql(yaql) => eval_yaql(&yaql.text, yaql.start, &yaql.expr, cx),
            Self::Text(text) => text.eval(cx),
            Self::Jinja(program) => program.eval(cx),
            Self::Bad(error) => Err(EvalError {
                kind: EvalErrorKind::Syntax,
                message: error.message.clone(),
                expression: Arc::clone(&error.text),
                span: Some(error.span.clone()),
                language: error.language,
            }),
        }
    }
}

impl Text {
    fn eval(&self, cx: &Context<'_>) -> Result<Value, EvalError> {
        let mut texts = Vec::with_capacity(self.exprs.len());
        for (start, expr) in &self.exprs {
            let value = eval_yaql(&self.source, *start, expr, cx)?;
            if let Some(binary) = value.first_binary() {
                let fault = *Fault::opaque(&binary);
                return Err(error(&self.source, Language::Yaql, 0, fault));
            }
            texts.push(value.to_text());
        }
        let mut out = String::new();
        for part in &self.parts {
            out.push_str(match part {
                Part::Plain(range) => &self.source[range.clone()],
                Part::Value(number) => &texts[*number],
            });
            if out.len() > cx.limits.output_bytes {
                return Err(error(
                    &self.source,
                    Language::Yaql,
                    0,
                    *Box::<Fault>::from(Limit::Output),
                ));
            }
        }
        Ok(Value::from(out))
    }
}

fn eval_yaql(
    text: &Arc<str>,
    start: usize,
    expr: &Expr,
    cx: &Context<'_>,
) -> Result<Value, EvalError> {
    eval::evaluate(expr, cx).map_err(|fault| error(text, Language::Yaql, start, *fault))
}

/// A fault as the error that callers see; its span counts from `start` of the text.
pub(crate) fn error(text: &Arc<str>, language: Language, start: usize, fault: Fault) -> EvalError {
    EvalError {
        kind: fault.kind,
        message: fault.message,
        expression: Arc::clone(text),
        span: fault.span.map(|span| start + span.start..start + span.end),
        language,
    }
}

#[cfg(test)]
mod tests;
