//! Mistral's functions in Jinja, both as functions and as filters: `'t' | task` is `task('t')`.
//! Those of the host are variables of the program (see `session`).

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, State, Value as Jinja};

use super::values::{from_jinja, to_jinja};
use crate::Value;
use crate::context::HOST_FUNCTIONS;
use crate::fault::{Fault, Result};
use crate::functions::{dump_json, dump_yaml, parse_json, parse_yaml};

/// Adds the functions and filters.
pub(super) fn register(environment: &mut Environment<'static>) {
    let pure: [(&'static str, fn(&Value) -> Result<Value>); 5] = [
        ("json_parse", |value| parse_json(text(value)?)),
        ("json_dump", |value| dump_json(value).map(Value::from)),
        ("json_pp", |value| dump_json(value).map(Value::from)),
        ("yaml_parse", |value| parse_yaml(text(value)?)),
        ("yaml_dump", |value| dump_yaml(value).map(Value::from)),
    ];
    for (name, run) in pure {
        let call = move |value: Jinja| -> std::result::Result<Jinja, Error> {
            let result = run(&from_jinja(&value)?);
            result
                .map(|value| to_jinja(&value))
                .map_err(|fault| jinja_error(&fault))
        };
        environment.add_function(name, call);
        environment.add_filter(name, call);
    }
    for name in HOST_FUNCTIONS {
        environment.add_filter(
            *name,
            move |state: &mut State<'_, '_>, args: Rest<Jinja>| match state.lookup(name) {
                Some(function) => function.call(state, &args),
                None => Err(Error::new(
                    ErrorKind::UnknownFilter,
                    "not available in a macro",
                )),
            },
        );
    }
}

fn text(value: &Value) -> Result<&str> {
    let kind = value.type_name();
    value
        .as_str()
        .ok_or_else(|| Fault::no_match(format!("a string is needed, not a {kind}")))
}

fn jinja_error(fault: &Fault) -> Error {
    Error::new(ErrorKind::InvalidOperation, fault.message.clone())
}
