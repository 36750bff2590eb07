//! A call of a builtin with its arguments in place, and the ways to read them.
//! Types were checked by `dispatch`, so a wrong one here is a mistake in the table.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::eval::Lambda;
use crate::fault::{Fault, Result};
use crate::machine::Machine;
use crate::scope::Scope;
use crate::seq::Cursor;
use crate::value::{DateTime, TimeSpan};
use crate::{Dict, Pattern, Value};

/// What a builtin is run with.
pub(crate) struct Call<'c, 'm> {
    pub(crate) machine: &'c mut Machine<'m>,
    pub(crate) scope: &'c Scope,
    /// One argument for each parameter.
    pub(super) args: Vec<Argument>,
    /// The arguments after those.
    pub(super) rest: Vec<Argument>,
    /// The named arguments that are no parameter's.
    pub(super) named: Vec<(Arc<str>, Argument)>,
}

/// One argument.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    Value(Value),
    Lambda(Lambda),
    Rule(Value, Value),
    LazyRule(Lambda, Lambda),
    /// Not given.
    Absent,
}

impl Call<'_, '_> {
    /// The value of an argument; `null` when it is not given.
    pub(super) fn value(&self, index: usize) -> Value {
        match &self.args[index] {
            Argument::Value(value) => value.clone(),
            _ => Value::Null,
        }
    }

    /// The value of an argument, if it is given.
    pub(super) fn given(&self, index: usize) -> Option<Value> {
        match &self.args[index] {
            Argument::Value(value) => Some(value.clone()),
            _ => None,
        }
    }

    pub(super) fn text(&self, index: usize) -> Arc<str> {
        self.optional_text(index)
            .expect("the table says that this is a string")
    }

    /// A text that may be `null`.
    pub(super) fn optional_text(&self, index: usize) -> Option<Arc<str>> {
        match &self.args[index] {
            Argument::Value(Value::Str(text)) => Some(Arc::clone(text)),
            _ => None,
        }
    }

    pub(super) fn int(&self, index: usize) -> Result<i64> {
        int(&self.value(index))
    }

    pub(super) fn flag(&self, index: usize) -> bool {
        self.value(index).truthy()
    }

    pub(super) fn lambda(&self, index: usize) -> Lambda {
        self.optional_lambda(index)
            .expect("the table says that this is a lambda")
    }

    pub(super) fn optional_lambda(&self, index: usize) -> Option<Lambda> {
        match &self.args[index] {
            Argument::Lambda(lambda) => Some(lambda.clone()),
            _ => None,
        }
    }

    pub(super) fn cursor(&self, index: usize) -> Cursor {
        Cursor::new(self.value(index)).expect("the table says that this has items")
    }

    /// All items of an argument.
    pub(super) fn items(&mut self, index: usize) -> Result<Vec<Value>> {
        self.cursor(index).rest(self.machine)
    }

    pub(super) fn dict(&self, index: usize) -> Dict {
        match &self.args[index] {
            Argument::Value(Value::Dict(dict)) => dict.clone(),
            _ => unreachable!("the table says that this is a dict"),
        }
    }

    pub(super) fn set(&self, index: usize) -> Arc<IndexSet<Value>> {
        match &self.args[index] {
            Argument::Value(Value::Set(set)) => Arc::clone(set),
            _ => unreachable!("the table says that this is a set"),
        }
    }

    pub(super) fn regex(&self, index: usize) -> Arc<Pattern> {
        match &self.args[index] {
            Argument::Value(Value::Regex(pattern)) => Arc::clone(pattern),
            _ => unreachable!("the table says that this is a regex"),
        }
    }

    pub(super) fn moment(&self, index: usize) -> DateTime {
        match &self.args[index] {
            Argument::Value(Value::DateTime(moment)) => *moment,
            _ => unreachable!("the table says that this is a datetime"),
        }
    }

    pub(super) fn span(&self, index: usize) -> Option<TimeSpan> {
        match &self.args[index] {
            Argument::Value(Value::TimeSpan(span)) => Some(*span),
            _ => None,
        }
    }

    /// The arguments beyond the parameters, as values.
    pub(super) fn rest_values(&self) -> Vec<Value> {
        let values = self.rest.iter().filter_map(|argument| match argument {
            Argument::Value(value) => Some(value.clone()),
            _ => None,
        });
        values.collect()
    }

    /// The arguments beyond the parameters, as lambdas.
    pub(super) fn rest_lambdas(&self) -> Vec<Lambda> {
        let lambdas = self.rest.iter().filter_map(|argument| match argument {
            Argument::Lambda(lambda) => Some(lambda.clone()),
            _ => None,
        });
        lambdas.collect()
    }

    /// The arguments beyond the parameters, as pairs.
    pub(super) fn rest_pairs(&self) -> Vec<(Value, Value)> {
        let pairs = self.rest.iter().filter_map(|argument| match argument {
            Argument::Rule(key, value) => Some((key.clone(), value.clone())),
            _ => None,
        });
        pairs.collect()
    }

    /// The named arguments that are no parameter's.
    pub(super) fn named_values(&self) -> Vec<(Arc<str>, Value)> {
        let named = self
            .named
            .iter()
            .filter_map(|(name, argument)| match argument {
                Argument::Value(value) => Some((Arc::clone(name), value.clone())),
                _ => None,
            });
        named.collect()
    }
}

/// An integer that counts or places something; booleans count as in Python.
pub(crate) fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        _ => Err(Fault::value("the integer is too large")),
    }
}
