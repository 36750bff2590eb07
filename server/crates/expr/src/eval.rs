//! Runs the tree of a YAQL expression. Operators are left to `operators`, choosing and calling
//! builtins to `functions::dispatch`.

use std::sync::Arc;

use crate::ast::{Arg, Call, Expr, Node, NodeKind};
use crate::context::HOST_FUNCTIONS;
use crate::fault::{Fault, Result};
use crate::functions::{self, Form, dispatch};
use crate::machine::{Machine, call_host};
use crate::operators;
use crate::scope::{Frame, Scope};
use crate::seq::{Cursor, Seq, SeqKind};
use crate::token::Operator;
use crate::{Context, EvalErrorKind, Limit, Value, value};

/// Evaluates an expression to its final result.
pub(crate) fn evaluate(expr: &Expr, cx: &Context<'_>) -> Result<Value> {
    let mut machine = Machine::new(cx);
    let scope = Frame::root(cx.data.clone());
    let value = machine.eval(expr, &scope)?;
    let value = machine.finish(value)?;
    // What is only picked out of the data is no larger than the data.
    let mut left = cx.limits.output_bytes;
    if is_path(expr) || value::spend(&value, &mut left) {
        Ok(value)
    } else {
        Err(Limit::Output.into())
    }
}

/// Whether a value is picked out of what a function of the workflow gives. There YAQL has lists of
/// Python, and tuples everywhere else.
fn is_from_host(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Wrap(inner) | NodeKind::Index(inner, _) => is_from_host(inner),
        NodeKind::Member { target, .. } => is_from_host(target),
        NodeKind::Method { target, call, .. } => &*call.name == "get" && is_from_host(target),
        NodeKind::Function(call) => {
            let parses = matches!(&*call.name, "json_parse" | "yaml_parse");
            parses || call.overloads.is_empty() && HOST_FUNCTIONS.contains(&&*call.name)
        }
        _ => false,
    }
}

fn is_path(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Argument(_) | NodeKind::Constant(_) | NodeKind::Keyword(_) => true,
        NodeKind::Wrap(inner) => is_path(inner),
        NodeKind::Member { target, .. } => is_path(target),
        _ => false,
    }
}

impl Machine<'_> {
    /// Evaluates one node.
    pub(crate) fn eval(&mut self, node: &Expr, scope: &Scope) -> Result<Value> {
        self.step()?;
        match &node.kind {
            NodeKind::Constant(value) => Ok(value.clone()),
            NodeKind::Keyword(word) => Ok(Value::Str(Arc::clone(word))),
            NodeKind::Argument(index) => Ok(scope.argument(*index)),
            NodeKind::Variable(name) => Ok(scope.variable(name)),
            _ => {
                self.enter()?;
                let result = self.eval_inner(node, scope);
                self.leave();
                result.map_err(|fault| fault.at(&node.span))
            }
        }
    }

    fn eval_inner(&mut self, node: &Node, scope: &Scope) -> Result<Value> {
        match &node.kind {
            NodeKind::Wrap(inner) => self.eval(inner, scope),
            NodeKind::Unary(operator, operand) => {
                let operand = self.eval(operand, scope)?;
                operators::unary(*operator, &operand)
            }
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right, scope),
            NodeKind::Member { target, key, safe } => {
                let target = self.eval(target, scope)?;
                if *safe && target.is_null() {
                    Ok(target)
                } else {
                    self.member(target, key)
                }
            }
            NodeKind::Method { target, call, safe } => {
                let receiver = self.eval(target, scope)?;
                if *safe && receiver.is_null() {
                    return Ok(receiver);
                }
                self.method(receiver, call, scope)
            }
            NodeKind::BadMember { target, safe } => {
                let target = self.eval(target, scope)?;
                if *safe && target.is_null() {
                    return Ok(target);
                }
                Err(Fault::no_match(
                    "only the name of a key or a method may follow '.'",
                ))
            }
            NodeKind::Function(call) => self.function(call, scope),
            NodeKind::Index(target, args) => self.index(target, args, scope),
            NodeKind::List(args) => self.list(args, scope),
            NodeKind::Map(args) => self.map(args, scope),
            NodeKind::Constant(_)
            | NodeKind::Keyword(_)
            | NodeKind::Argument(_)
            | NodeKind::Variable(_) => unreachable!("the caller handles the leaves"),
        }
    }

    /// Calls a lambda: its body with `$1`, `$2` … bound to the arguments.
    pub(crate) fn call_lambda(&mut self, lambda: &Lambda, args: Vec<Value>) -> Result<Value> {
        if args.is_empty() {
            return self.eval(&lambda.body, &lambda.scope);
        }
        let scope = Frame::bind(&lambda.scope, args, Vec::new());
        self.eval(&lambda.body, &scope)
    }

    /// A new sequence as a value.
    pub(crate) fn lazy(
        &mut self,
        pull: impl FnMut(&mut Machine<'_>) -> Result<Option<Value>> + Send + 'static,
    ) -> Value {
        self.mark_lazy();
        Value::Seq(Seq::new(pull))
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Expr,
        right: &Expr,
        scope: &Scope,
    ) -> Result<Value> {
        match operator {
            Operator::Arrow => {
                let inner = self.scope_of(left, scope)?;
                return self.eval(right, &inner);
            }
            Operator::And | Operator::Or => {
                let first = self.eval(left, scope)?;
                let decided = first.truthy() == (operator == Operator::Or);
                return if decided {
                    Ok(first)
                } else {
                    self.eval(right, scope)
                };
            }
            _ => {}
        }
        let left = self.eval(left, scope)?;
        let right = self.eval(right, scope)?;
        operators::binary(self, operator, left, right)
    }

    /// The scope that the left side of `->` makes.
    fn scope_of(&mut self, node: &Expr, scope: &Scope) -> Result<Scope> {
        self.enter()?;
        let made = self.made_by(node, scope);
        self.leave();
        match made? {
            Made::Scope(scope) => Ok(scope),
            Made::Value(_) => Err(not_a_scope().at(&node.span)),
        }
    }

    /// What a part of the left side of `->` gives: a scope, or the value that `and` and `or`
    /// choose by.
    fn made_by(&mut self, node: &Expr, scope: &Scope) -> Result<Made> {
        self.step()?;
        let fault = |fault: Box<Fault>| fault.at(&node.span);
        let made = match &node.kind {
            NodeKind::Wrap(inner) => return self.made_by(inner, scope),
            NodeKind::Binary(Operator::Arrow, left, right) => {
                let inner = self.scope_of(left, scope)?;
                return self.made_by(right, &inner);
            }
            NodeKind::Binary(operator @ (Operator::And | Operator::Or), left, right) => {
                self.enter()?;
                let first = self.made_by(left, scope);
                self.leave();
                let first = first?;
                let decided = first.truthy() == (*operator == Operator::Or);
                return if decided {
                    Ok(first)
                } else {
                    self.made_by(right, scope)
                };
            }
            NodeKind::Function(call) if matches!(&*call.name, "let" | "with") => {
                let (args, named) = self.call_args(call, scope).map_err(fault)?;
                if *call.name == *"with" && !named.is_empty() {
                    return Err(fault(Fault::no_match("with() takes no named arguments")));
                }
                Frame::bind(scope, args, named)
            }
            NodeKind::Function(call) if *call.name == *"def" => {
                self.define(call, scope).map_err(fault)?
            }
            NodeKind::Method { target, call, .. } if *call.name == *"unpack" => {
                let sequence = self.eval(target, scope)?;
                self.unpack(sequence, call, scope).map_err(fault)?
            }
            _ => return self.eval(node, scope).map(Made::Value),
        };
        Ok(Made::Scope(made))
    }

    fn define(&mut self, call: &Call, scope: &Scope) -> Result<Scope> {
        let [Arg::Value(name), Arg::Value(body)] = &call.args[..] else {
            return Err(Fault::no_match("def() takes a name and an expression"));
        };
        let name = self.eval(name, scope)?;
        let Value::Str(name) = name else {
            return Err(Fault::no_match("the name given to def() must be a string"));
        };
        Ok(Frame::define(scope, name, Arc::clone(body)))
    }

    fn unpack(&mut self, sequence: Value, call: &Call, scope: &Scope) -> Result<Scope> {
        // YAQL looks ahead by one item. Where reading uses items up, that one is lost.
        let looks_ahead = matches!(&sequence, Value::Seq(seq) if seq.kind() != SeqKind::View);
        let Some(mut cursor) = Cursor::new(sequence) else {
            return Err(Fault::no_match("unpack() needs a list"));
        };
        let (names, others) = self.call_args(call, scope)?;
        if !others.is_empty() {
            return Err(Fault::no_match("unpack() takes no named arguments"));
        }
        if names.is_empty() {
            if looks_ahead {
                cursor.next(self)?;
            }
            return Ok(Frame::bind(scope, cursor.rest(self)?, Vec::new()));
        }
        let mut bound = Vec::new();
        for name in names {
            let Value::Str(name) = name else {
                return Err(Fault::no_match(
                    "the names given to unpack() must be strings",
                ));
            };
            match cursor.next(self)? {
                Some(item) => bound.push((name, item)),
                None => return Err(Fault::value("there are fewer items than names to unpack")),
            }
        }
        if cursor.next(self)?.is_some() {
            return Err(Fault::value("there are more items than names to unpack"));
        }
        Ok(Frame::bind(scope, Vec::new(), bound))
    }

    /// The arguments of a call that takes any, evaluated.
    #[expect(
        clippy::type_complexity,
        reason = "a pair of the two lists every call has"
    )]
    pub(crate) fn call_args(
        &mut self,
        call: &Call,
        scope: &Scope,
    ) -> Result<(Vec<Value>, Vec<(Arc<str>, Value)>)> {
        let mut args = Vec::with_capacity(call.args.len());
        let mut named = Vec::new();
        for arg in &call.args {
            match arg {
                Arg::Value(value) => args.push(self.eval(value, scope)?),
                Arg::Rule(name, value) => {
                    named.push((dispatch::parameter_name(name)?, self.eval(value, scope)?));
                }
                Arg::Empty => return Err(Fault::no_match("an argument is missing")),
            }
        }
        Ok((args, named))
    }

    pub(crate) fn member(&mut self, target: Value, key: &Arc<str>) -> Result<Value> {
        match &target {
            Value::Dict(dict) => dict.get(key).ok_or_else(|| missing_key(key)),
            Value::List(_) | Value::Set(_) | Value::Seq(_) => {
                let mut cursor = Cursor::new(target).expect("these kinds have items");
                let key = Arc::clone(key);
                Ok(self.lazy(move |machine| match cursor.next(machine)? {
                    Some(item) => machine.member(item, &key).map(Some),
                    None => Ok(None),
                }))
            }
            _ => functions::property(&target, key),
        }
    }

    fn method(&mut self, receiver: Value, call: &Call, scope: &Scope) -> Result<Value> {
        dispatch::call(self, call, Form::Method, Some(receiver), scope)
    }

    fn function(&mut self, call: &Call, scope: &Scope) -> Result<Value> {
        if let Some((body, defined)) = scope.function(&call.name) {
            let (args, named) = self.call_args(call, scope)?;
            let inner = Frame::bind(&defined, args, named);
            return self.eval(&body, &inner);
        }
        if &*call.name == "str"
            && let [Arg::Value(arg)] = &call.args[..]
            && is_from_host(arg)
        {
            let value = self.eval(arg, scope)?;
            return Ok(Value::from(functions::host_text(&value)));
        }
        match &*call.name {
            "let" | "with" | "def" => Err(Fault::no_match(format!(
                "{}() must be followed by '->'",
                call.name
            ))),
            name if call.overloads.is_empty() && HOST_FUNCTIONS.contains(&name) => {
                let (args, named) = self.call_args(call, scope)?;
                let named = named
                    .into_iter()
                    .map(|(name, value)| (snake_case(&name), value))
                    .collect();
                call_host(self, name, args, named)
            }
            _ => dispatch::call(self, call, Form::Function, None, scope),
        }
    }

    fn index(&mut self, target: &Expr, args: &[Arg], scope: &Scope) -> Result<Value> {
        let target = self.eval(target, scope)?;
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Arg::Value(value) => values.push(self.eval(value, scope)?),
                Arg::Rule(name, value)
                    if values.len() == 1 && *dispatch::parameter_name(name)? == *"default" =>
                {
                    values.push(self.eval(value, scope)?);
                }
                Arg::Rule(..) | Arg::Empty => {
                    return Err(Fault::no_match("an index is a plain value"));
                }
            }
        }
        operators::index(&target, &values)
    }

    fn list(&mut self, args: &[Arg], scope: &Scope) -> Result<Value> {
        let mut items = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Arg::Value(value) => items.push(self.eval(value, scope)?),
                Arg::Rule(..) => {
                    return Err(Fault::no_match(
                        "a list holds values, not 'key => value' pairs",
                    ));
                }
                Arg::Empty => return Err(Fault::no_match("an item of the list is missing")),
            }
        }
        Ok(Value::from(items))
    }

    fn map(&mut self, args: &[Arg], scope: &Scope) -> Result<Value> {
        let mut dict = crate::Dict::new();
        for arg in args {
            let Arg::Rule(key, value) = arg else {
                return Err(Fault::no_match("a map holds 'key => value' pairs only"));
            };
            let key = self.eval(key, scope)?;
            let value = self.eval(value, scope)?;
            self.check_key(&key)?;
            dict.insert(key, value);
        }
        Ok(Value::Dict(dict))
    }

    /// Refuses a key whose equality could not be told; notes one that the result cannot have.
    pub(crate) fn check_key(&mut self, key: &Value) -> Result<()> {
        match key {
            Value::Str(_) => {}
            Value::Seq(_) => return Err(Fault::value("a sequence is no key: use toList()")),
            _ => self.mark_lazy(),
        }
        Ok(())
    }
}

/// What the left side of `->`, or a part of it, gives.
enum Made {
    Scope(Scope),
    Value(Value),
}

impl Made {
    fn truthy(&self) -> bool {
        match self {
            Self::Scope(_) => true,
            Self::Value(value) => value.truthy(),
        }
    }
}

/// An unevaluated argument and the scope it is to be evaluated in.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    pub(crate) body: Expr,
    pub(crate) scope: Scope,
}

fn not_a_scope() -> Box<Fault> {
    Fault::no_match("let(), with(), def() or unpack() must stand before '->'")
}

pub(crate) fn missing_key(key: &str) -> Box<Fault> {
    Fault::new(
        EvalErrorKind::MissingKey,
        format!("there is no key '{key}'"),
    )
}

/// YAQL names parameters in camel case, the host in snake case.
fn snake_case(name: &str) -> Arc<str> {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out.into()
}
