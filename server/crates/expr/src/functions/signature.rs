//! Signatures of builtins, written as text in the table and parsed once.
//! Matching arguments against them is left to `dispatch`.

use super::Builtin;
use crate::Value;
use crate::seq::SeqKind;

/// A builtin with its signature parsed.
#[derive(Debug)]
pub(crate) struct Overload {
    pub(super) builtin: &'static Builtin,
    pub(super) params: Vec<Param>,
    /// What any further arguments must be.
    pub(super) rest: Option<Param>,
    /// What any further named arguments must be.
    pub(super) named: Option<Param>,
}

/// One parameter.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// What it is when no argument is given; without one it must be given.
    pub(super) default: Option<Default>,
}

/// What stands for an argument that is not given.
#[derive(Debug)]
pub(super) enum Default {
    /// Nothing: the builtin can tell.
    Absent,
    /// A value.
    Value(Value),
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    /// Anything with items, except dicts and strings.
    Iter,
    /// The same without sets.
    OrderedIter,
    Iterator,
    List,
    Set,
    Dict,
    Str,
    /// An integer, where Python takes booleans, too.
    Int,
    /// An integer and no boolean.
    Integer,
    Number,
    Bool,
    Time,
    Span,
    Regex,
    Ordered,
    /// An expression to be evaluated by the builtin.
    Lambda,
    /// `key => value`, evaluated.
    Rule,
    /// `key => value`, to be evaluated by the builtin.
    LazyRule,
}

impl Overload {
    pub(super) fn parse(builtin: &'static Builtin) -> Self {
        let mut overload = Self {
            builtin,
            params: Vec::new(),
            rest: None,
            named: None,
        };
        for text in builtin
            .signature
            .split(", ")
            .filter(|text| !text.is_empty())
        {
            if let Some(text) = text.strip_prefix("**") {
                overload.named = Some(Param::parse(text));
            } else if let Some(text) = text.strip_prefix('*') {
                overload.rest = Some(Param::parse(text));
            } else {
                overload.params.push(Param::parse(text));
            }
        }
        overload
    }
}

impl Param {
    fn parse(text: &'static str) -> Self {
        let (text, default) = match text.split_once(" = ") {
            None => (text, None),
            Some((text, "none")) => (text, Some(Default::Absent)),
            Some((text, default)) => {
                let value = Value::from_json(default).expect("defaults in the table are JSON");
                (text, Some(Default::Value(value)))
            }
        };
        let (name, kind) = text.split_once(": ").expect("each parameter has a type");
        let (kind, nullable) = kind
            .strip_suffix('?')
            .map_or((kind, false), |kind| (kind, true));
        let kind = match kind {
            "any" => Kind::Any,
            "iterable" => Kind::Iter,
            "ordered iterable" => Kind::OrderedIter,
            "iterator" => Kind::Iterator,
            "list" => Kind::List,
            "set" => Kind::Set,
            "dict" => Kind::Dict,
            "string" => Kind::Str,
            "int" => Kind::Int,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "bool" => Kind::Bool,
            "datetime" => Kind::Time,
            "timespan" => Kind::Span,
            "regex" => Kind::Regex,
            "ordering" => Kind::Ordered,
            "lambda" => Kind::Lambda,
            "pair" => Kind::Rule,
            "lazy pair" => Kind::LazyRule,
            other => unreachable!("unknown type {other} in the table of builtins"),
        };
        Self {
            name,
            kind,
            nullable,
            default,
        }
    }

    /// Whether the argument is left for the builtin to evaluate.
    pub(super) fn is_lazy(&self) -> bool {
        matches!(self.kind, Kind::Lambda | Kind::LazyRule)
    }

    /// Whether a value may be given.
    pub(super) fn admits(&self, value: &Value) -> bool {
        match self.kind {
            _ if value.is_null() => self.nullable,
            Kind::Any => true,
            Kind::Iter => matches!(value, Value::List(_) | Value::Set(_) | Value::Seq(_)),
            Kind::OrderedIter => matches!(value, Value::List(_) | Value::Seq(_)),
            Kind::Iterator => is_seq(value, SeqKind::Iterator),
            Kind::List => matches!(value, Value::List(_)),
            Kind::Set => matches!(value, Value::Set(_)),
            Kind::Dict => matches!(value, Value::Dict(_)),
            Kind::Str => matches!(value, Value::Str(_)),
            Kind::Int => matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Bool(_)),
            Kind::Integer => matches!(value, Value::Int(_) | Value::BigInt(_)),
            Kind::Number => matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_)),
            Kind::Bool => matches!(value, Value::Bool(_)),
            Kind::Time => matches!(value, Value::DateTime(_)),
            Kind::Span => matches!(value, Value::TimeSpan(_)),
            Kind::Regex => matches!(value, Value::Regex(_)),
            Kind::Ordered => is_seq(value, SeqKind::Ordered),
            Kind::Lambda | Kind::Rule | Kind::LazyRule => false,
        }
    }

    /// Whether it takes fewer values than another one.
    pub(super) fn is_narrower(&self, other: &Self) -> bool {
        let wide = matches!(other.kind, Kind::Iter | Kind::OrderedIter);
        match self.kind {
            Kind::List | Kind::Iterator => wide,
            _ => other.kind == Kind::Any && self.kind != Kind::Any,
        }
    }
}

fn is_seq(value: &Value, kind: SeqKind) -> bool {
    matches!(value, Value::Seq(seq) if seq.kind() == kind)
}
