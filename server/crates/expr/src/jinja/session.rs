//! Calls from Jinja to the host. The host is borrowed for one evaluation but Jinja's functions
//! must live for ever, so a call whose answer is not known stops the run; it is then answered
//! outside and the run starts again. Nothing a template does can be seen before it ends, so
//! running again is safe.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::chance::DRAW;
use super::values::{from_jinja, to_jinja};
use crate::context::{HOST_FUNCTIONS, JINJA_FUNCTIONS};
use crate::{Host, HostError, Value};

/// The calls of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Session(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    answered: Vec<(Call, Value)>,
    /// How many of the answers this run has used up, for calls that answer anew each time.
    position: usize,
    pending: Option<Call>,
}

/// One call: the arguments by place and by name.
#[derive(Clone, Debug, PartialEq)]
struct Call {
    name: &'static str,
    args: Vec<Value>,
    named: Vec<(Arc<str>, Value)>,
}

impl Session {
    /// Answers the call that stopped the last run; false if it stopped for another reason.
    pub(super) fn resolve(&self, host: &dyn Host) -> Result<bool, HostError> {
        let Some(call) = self.calls().pending.take() else {
            return Ok(false);
        };
        let answer = host.call(call.name, &call.args, &call.named)?;
        let mut calls = self.calls();
        calls.answered.push((call, answer));
        calls.position = 0;
        Ok(true)
    }

    fn answer(&self, call: Call) -> Result<Value, Error> {
        let mut calls = self.calls();
        // These answer each call differently, and every run asks in the same order; so each
        // run takes its answers one after another.
        let from = if is_volatile(call.name) {
            calls.position
        } else {
            0
        };
        let found = calls
            .answered
            .iter()
            .skip(from)
            .position(|(known, _)| *known == call);
        if let Some(at) = found.map(|at| from + at) {
            if is_volatile(call.name) {
                calls.position = at + 1;
            }
            Ok(calls.answered[at].1.clone())
        } else {
            calls.pending = Some(call);
            Err(Error::new(
                ErrorKind::InvalidOperation,
                "the answer of the host is needed",
            ))
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_volatile(name: &str) -> bool {
    matches!(name, "uuid" | "random")
}

/// The variables a program sees: `_` and the functions of the host.
pub(super) fn root(data: &Value, session: &Arc<Session>) -> minijinja::Value {
    minijinja::Value::from_object(Root {
        data: to_jinja(data),
        session: Arc::clone(session),
    })
}

#[derive(Debug)]
struct Root {
    data: minijinja::Value,
    session: Arc<Session>,
}

impl Object for Root {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        if key == "_" {
            return Some(self.data.clone());
        }
        let named = HOST_FUNCTIONS[..JINJA_FUNCTIONS]
            .iter()
            .find(|name| **name == key);
        let name = match named {
            Some(name) => *name,
            None if key == DRAW => "random",
            None => return None,
        };
        let session = Arc::clone(&self.session);
        Some(minijinja::Value::from_object(Function { name, session }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["_"])
    }
}

#[derive(Debug)]
struct Function {
    name: &'static str,
    session: Arc<Session>,
}

impl Object for Function {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        args: &[minijinja::Value],
    ) -> Result<minijinja::Value, Error> {
        let mut call = Call {
            name: self.name,
            args: Vec::new(),
            named: Vec::new(),
        };
        for arg in args {
            if arg.is_kwargs() {
                for key in arg.try_iter()? {
                    let value = from_jinja(&arg.get_item(&key)?)?;
                    call.named.push((Arc::from(key.to_string()), value));
                }
            } else if arg.kind() == ValueKind::Undefined {
                return Err(Error::new(
                    ErrorKind::UndefinedError,
                    "an argument is undefined",
                ));
            } else {
                call.args.push(from_jinja(arg)?);
            }
        }
        self.session.answer(call).map(|answer| to_jinja(&answer))
    }
}
