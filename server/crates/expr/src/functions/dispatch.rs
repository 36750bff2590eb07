//! Chooses the builtin that a call means, by the number, names and types of its arguments, and
//! calls it. What builtins there are is left to the table.

use std::sync::Arc;

use super::call::{Argument, Call};
use super::signature::{Default, Kind, Overload, Param};
use super::{Form, suggest};
use crate::ast::{self, Arg, Expr, NodeKind};
use crate::eval::Lambda;
use crate::fault::{Fault, Result};
use crate::machine::Machine;
use crate::scope::Scope;
use crate::{EvalErrorKind, Value};

/// Calls a builtin.
pub(crate) fn call(
    machine: &mut Machine<'_>,
    call: &ast::Call,
    form: Form,
    receiver: Option<Value>,
    scope: &Scope,
) -> Result<Value> {
    let overloads = call.overloads;
    let Some(first) = overloads.first() else {
        return Err(unknown(&call.name, form));
    };
    let mut given = Given::new(call, receiver, first.builtin.rules)?;
    let mut fitting = overloads.iter().filter(|overload| given.fits(overload));
    let Some(model) = fitting.next() else {
        return Err(given.no_match(call, form));
    };
    if fitting.any(|other| !given.same_laziness(model, other)) {
        return Err(Fault::no_match(format!(
            "the call of {}() is ambiguous",
            call.name
        )));
    }
    given.evaluate(model, machine, scope)?;
    machine.spend(given.text_cost())?;
    let chosen = choose(overloads, &given, call, form)?;
    let mut ready = given.bind(chosen, machine, scope);
    (chosen.builtin.run)(&mut ready)
}

/// Whether some builtin takes a call's arguments by number and name.
pub(crate) fn takes(call: &ast::Call, form: Form) -> bool {
    let receiver = (form == Form::Method).then_some(Value::Null);
    let rules = call
        .overloads
        .first()
        .is_some_and(|first| first.builtin.rules);
    Given::new(call, receiver, rules)
        .is_ok_and(|given| call.overloads.iter().any(|overload| given.fits(overload)))
}

/// The message about a function or method that does not exist, with a near one that does.
pub(crate) fn unknown_message(name: &str, form: Form) -> String {
    unknown(name, form).message
}

/// Whether an argument is left for the builtin to evaluate; without a place, whether any is.
pub(crate) fn is_lazy(overload: &Overload, index: Option<usize>) -> bool {
    let Some(index) = index else {
        let further = overload.rest.iter().chain(&overload.named);
        return overload.params.iter().chain(further).any(Param::is_lazy);
    };
    place(overload, index).is_some_and(Param::is_lazy)
}

/// Calls a builtin with values only, as `call()` does.
pub(crate) fn call_values(
    machine: &mut Machine<'_>,
    name: &str,
    receiver: Option<Value>,
    args: Vec<Value>,
    named: Vec<(Arc<str>, Value)>,
    scope: &Scope,
) -> Result<Value> {
    let constant = |value: Value| {
        Arc::new(ast::Node {
            kind: NodeKind::Constant(value),
            span: 0..0,
            height: 1,
        })
    };
    let keyword = |name: Arc<str>| {
        Arc::new(ast::Node {
            kind: NodeKind::Keyword(name),
            span: 0..0,
            height: 1,
        })
    };
    let args = args.into_iter().map(|value| Arg::Value(constant(value)));
    let named = named
        .into_iter()
        .map(|(name, value)| Arg::Rule(keyword(name), constant(value)));
    let form = if receiver.is_some() {
        Form::Method
    } else {
        Form::Function
    };
    let overloads = super::find(name, form);
    let ast = ast::Call {
        name: name.into(),
        overloads,
        args: args.chain(named).collect(),
    };
    call(machine, &ast, form, receiver, scope)
}

/// The steps that reading a whole text counts as: other values are read item by item.
pub(crate) fn size_cost(value: &Value) -> u64 {
    value.as_str().map_or(0, |text| text.len() as u64 / 256)
}

/// The name on the left of `=>` in a named argument.
pub(crate) fn parameter_name(node: &Expr) -> Result<Arc<str>> {
    match &node.kind {
        NodeKind::Keyword(name) => Ok(Arc::clone(name)),
        _ => Err(Fault::no_match("the name of an argument must be a plain word").at(&node.span)),
    }
}

/// The arguments of a call, before and after evaluation.
struct Given<'c> {
    positional: Vec<Slot<'c>>,
    named: Vec<(Arc<str>, Slot<'c>)>,
}

enum Slot<'c> {
    Expr(&'c Expr),
    Rule(&'c Expr, &'c Expr),
    Empty,
    Ready(Value),
    ReadyRule(Value, Value),
}

impl<'c> Given<'c> {
    fn new(call: &'c ast::Call, receiver: Option<Value>, rules: bool) -> Result<Self> {
        let mut positional = Vec::with_capacity(call.args.len() + 1);
        let mut named: Vec<(Arc<str>, Slot<'c>)> = Vec::new();
        positional.extend(receiver.map(Slot::Ready));
        for arg in &call.args {
            match arg {
                Arg::Value(value) => positional.push(Slot::Expr(value)),
                Arg::Empty => positional.push(Slot::Empty),
                Arg::Rule(key, value) if rules => positional.push(Slot::Rule(key, value)),
                Arg::Rule(key, value) => {
                    let name = parameter_name(key)?;
                    if named.iter().any(|(other, _)| *other == name) {
                        let message = format!("the argument '{name}' is given twice");
                        return Err(Fault::no_match(message));
                    }
                    named.push((name, Slot::Expr(value)));
                }
            }
        }
        Ok(Self { positional, named })
    }

    /// Whether the arguments fit by number and name.
    fn fits(&self, overload: &Overload) -> bool {
        if self.positional.len() > overload.params.len() && overload.rest.is_none() {
            return false;
        }
        for (index, param) in overload.params.iter().enumerate() {
            let by_place = match self.positional.get(index) {
                None | Some(Slot::Empty) => false,
                Some(slot) => slot.is_rule() == matches!(param.kind, Kind::Rule | Kind::LazyRule),
            };
            let wrong_kind = !by_place
                && self
                    .positional
                    .get(index)
                    .is_some_and(|slot| !matches!(slot, Slot::Empty));
            let by_name = self.named.iter().any(|(name, _)| **name == *param.name);
            if wrong_kind || by_place && by_name {
                return false;
            }
            if !by_place && !by_name && param.default.is_none() {
                return false;
            }
        }
        for slot in self.positional.iter().skip(overload.params.len()) {
            let Some(rest) = &overload.rest else {
                return false;
            };
            if slot.is_rule() != matches!(rest.kind, Kind::Rule | Kind::LazyRule)
                || matches!(slot, Slot::Empty)
            {
                return false;
            }
        }
        let known = |name: &str| overload.params.iter().any(|param| param.name == name);
        self.named
            .iter()
            .all(|(name, _)| known(name) || overload.named.is_some())
    }

    fn same_laziness(&self, left: &Overload, right: &Overload) -> bool {
        let lazy = |overload: &Overload| {
            let by_place = (0..self.positional.len())
                .map(|index| place(overload, index).is_some_and(Param::is_lazy));
            let by_name = self
                .named
                .iter()
                .map(|(name, _)| by_name(overload, name).is_some_and(Param::is_lazy));
            by_place.chain(by_name).collect::<Vec<_>>()
        };
        lazy(left) == lazy(right)
    }

    /// Evaluates what the builtin does not want to evaluate itself.
    fn evaluate(
        &mut self,
        model: &Overload,
        machine: &mut Machine<'_>,
        scope: &Scope,
    ) -> Result<()> {
        for (index, slot) in self.positional.iter_mut().enumerate() {
            if !place(model, index).is_some_and(Param::is_lazy) {
                slot.evaluate(machine, scope)?;
            }
        }
        for (name, slot) in &mut self.named {
            if !by_name(model, name).is_some_and(Param::is_lazy) {
                slot.evaluate(machine, scope)?;
            }
        }
        Ok(())
    }

    /// The steps that reading the texts among the arguments counts as.
    fn text_cost(&self) -> u64 {
        let sizes = self.positional.iter().map(|slot| match slot {
            Slot::Ready(value) => size_cost(value),
            _ => 0,
        });
        sizes.sum()
    }

    /// Whether the evaluated arguments have the right types.
    fn admitted(&self, overload: &Overload) -> bool {
        let admits = |param: Option<&Param>, slot: &Slot<'_>| match (slot, param) {
            (Slot::Ready(value), Some(param)) => param.admits(value),
            (_, param) => param.is_some(),
        };
        self.fits(overload)
            && self
                .positional
                .iter()
                .enumerate()
                .all(|(index, slot)| admits(place(overload, index), slot))
            && self
                .named
                .iter()
                .all(|(name, slot)| admits(by_name(overload, name), slot))
    }

    /// Puts the arguments in the order of the parameters.
    fn bind<'m, 's>(
        self,
        overload: &Overload,
        machine: &'s mut Machine<'m>,
        scope: &'s Scope,
    ) -> Call<'s, 'm> {
        let mut positional = self.positional.into_iter();
        let mut named = self.named;
        let mut args = Vec::with_capacity(overload.params.len());
        for param in &overload.params {
            let slot = match positional.next() {
                None | Some(Slot::Empty) => {
                    let at = named.iter().position(|(name, _)| **name == *param.name);
                    at.map(|at| named.remove(at).1)
                }
                slot => slot,
            };
            args.push(match (slot, &param.default) {
                (Some(slot), _) => slot.argument(scope),
                (None, Some(Default::Value(value))) => Argument::Value(value.clone()),
                (None, _) => Argument::Absent,
            });
        }
        let rest = positional.map(|slot| slot.argument(scope)).collect();
        let named = named
            .into_iter()
            .map(|(name, slot)| (name, slot.argument(scope)))
            .collect();
        Call {
            machine,
            scope,
            args,
            rest,
            named,
        }
    }

    fn no_match(&self, call: &ast::Call, form: Form) -> Box<Fault> {
        if let Some(Slot::Ready(Value::Binary(binary))) = self.positional.first() {
            return Fault::opaque(binary);
        }
        let skipped = usize::from(form == Form::Method);
        let kinds: Vec<&str> = self
            .positional
            .iter()
            .skip(skipped)
            .map(|slot| match slot {
                Slot::Ready(value) => value.type_name(),
                Slot::Expr(_) => "expression",
                Slot::Rule(..) | Slot::ReadyRule(..) => "key => value",
                Slot::Empty => "nothing",
            })
            .chain(self.named.iter().map(|(name, _)| &**name))
            .collect();
        let receiver = match (form, self.positional.first()) {
            (Form::Method, Some(Slot::Ready(receiver))) => {
                format!(" of a {}", receiver.type_name())
            }
            _ => String::new(),
        };
        let wanted: Vec<&str> = call
            .overloads
            .iter()
            .map(|overload| overload.builtin.signature)
            .collect();
        Fault::no_match(format!(
            "{}(){receiver} does not take ({}); it takes ({})",
            call.name,
            kinds.join(", "),
            wanted.join(") or (")
        ))
    }
}

impl Slot<'_> {
    fn is_rule(&self) -> bool {
        matches!(self, Slot::Rule(..) | Slot::ReadyRule(..))
    }

    fn evaluate(&mut self, machine: &mut Machine<'_>, scope: &Scope) -> Result<()> {
        match self {
            Slot::Expr(expr) => *self = Slot::Ready(machine.eval(expr, scope)?),
            Slot::Rule(key, value) => {
                let key = machine.eval(key, scope)?;
                *self = Slot::ReadyRule(key, machine.eval(value, scope)?);
            }
            Slot::Empty | Slot::Ready(_) | Slot::ReadyRule(..) => {}
        }
        Ok(())
    }

    fn argument(self, scope: &Scope) -> Argument {
        let lambda = |body: &Expr| Lambda {
            body: Arc::clone(body),
            scope: Arc::clone(scope),
        };
        match self {
            Slot::Expr(expr) => Argument::Lambda(lambda(expr)),
            Slot::Rule(key, value) => Argument::LazyRule(lambda(key), lambda(value)),
            Slot::Empty => Argument::Absent,
            Slot::Ready(value) => Argument::Value(value),
            Slot::ReadyRule(key, value) => Argument::Rule(key, value),
        }
    }
}

fn place(overload: &Overload, index: usize) -> Option<&Param> {
    overload.params.get(index).or(overload.rest.as_ref())
}

fn by_name<'o>(overload: &'o Overload, name: &str) -> Option<&'o Param> {
    overload
        .params
        .iter()
        .find(|param| param.name == name)
        .or(overload.named.as_ref())
}

/// The one overload that takes the arguments, or the narrowest of several.
fn choose(
    overloads: &'static [Overload],
    given: &Given<'_>,
    call: &ast::Call,
    form: Form,
) -> Result<&'static Overload> {
    let mut best: Option<&'static Overload> = None;
    for overload in overloads.iter().filter(|overload| given.admitted(overload)) {
        best = match best {
            None => Some(overload),
            Some(other) if is_narrower(other, overload) => Some(other),
            Some(other) if is_narrower(overload, other) => Some(overload),
            Some(_) => {
                return Err(Fault::no_match(format!(
                    "the call of {}() is ambiguous",
                    call.name
                )));
            }
        };
    }
    best.ok_or_else(|| given.no_match(call, form))
}

fn is_narrower(left: &Overload, right: &Overload) -> bool {
    let mut pairs = left.params.iter().zip(&right.params);
    pairs.clone().any(|(left, right)| left.is_narrower(right))
        && !pairs.any(|(left, right)| right.is_narrower(left))
}

fn unknown(name: &str, form: Form) -> Box<Fault> {
    let kind = if form == Form::Method {
        "method"
    } else {
        "function"
    };
    let other = if form == Form::Method {
        Form::Function
    } else {
        Form::Method
    };
    let hint = if matches!(name, "not" | "and" | "or" | "in" | "mod") {
        format!(" (the operator '{name}' needs a space before the parenthesis)")
    } else if !super::find(name, other).is_empty() {
        let shown = if form == Form::Method {
            "name(value)"
        } else {
            "value.name()"
        };
        format!(" (it is called as {})", shown.replace("name", name))
    } else if let Some(known) = suggest(name, form) {
        format!(" (did you mean {known}()?)")
    } else {
        String::new()
    };
    let message = format!("there is no {kind} {name}(){hint}");
    Fault::new(EvalErrorKind::UnknownFunction, message)
}
