//! Mistral's functions in Jinja, both as functions and as filters: `'t' | task` is `task('t')`.
//! Those of the host are variables of the program (see `session`).

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value as Jinja};

use super::values::{from_jinja, to_jinja};
use crate::Value;
use num_traits::ToPrimitive;

use crate::context::{HOST_FUNCTIONS, JINJA_FUNCTIONS};
use crate::fault::{Fault, Result};
use crate::functions::{dump_json, dump_yaml, parse_json, parse_yaml, plain_digits};

/// A function of its argument alone.
type Pure = fn(&Value) -> Result<Value>;

/// Adds the functions and filters.
pub(super) fn register(environment: &mut Environment<'static>) {
    let pure: [(&'static str, Pure); 5] = [
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
    minijinja_contrib::add_to_environment(environment);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("tojson", tojson);
    super::filters::register(environment);
    super::lines::register(environment);
    super::chance::register(environment);
    super::links::register(environment);
    environment.set_unknown_method_callback(super::methods::call);
    for name in &HOST_FUNCTIONS[..JINJA_FUNCTIONS] {
        environment.add_filter(
            *name,
            move |state: &mut State<'_, '_>, args: Rest<Jinja>, named: Kwargs| match state
                .lookup(name)
            {
                Some(function) => {
                    let mut args = args.0;
                    if named.args().next().is_some() {
                        args.push(Jinja::from(named));
                    }
                    function.call(state, &args)
                }
                None => Err(Error::new(
                    ErrorKind::UnknownFilter,
                    "not available in a macro",
                )),
            },
        );
    }
}

/// Like Python's, but what is no number gives the default.
fn int(value: &Jinja, default: Option<Jinja>) -> std::result::Result<Jinja, Error> {
    let read = match value.as_str() {
        Some(text) => {
            let text = plain_digits(text).unwrap_or_default();
            let whole = text.parse::<i128>().ok().map(Jinja::from);
            whole.or_else(|| {
                text.parse::<f64>()
                    .ok()
                    .and_then(|n| n.to_i128())
                    .map(Jinja::from)
            })
        }
        None => match f64::try_from(value.clone()) {
            _ if value.kind() == ValueKind::Bool => Some(Jinja::from(i64::from(value.is_true()))),
            Ok(_) if value.is_integer() => Some(value.clone()),
            Ok(number) => number.to_i128().map(Jinja::from),
            Err(_) if value.is_undefined() => return Err(ErrorKind::UndefinedError.into()),
            Err(_) => None,
        },
    };
    Ok(read.or(default).unwrap_or_else(|| Jinja::from(0)))
}

/// Like Python's, but what is no number gives the default.
fn float(value: &Jinja, default: Option<Jinja>) -> std::result::Result<Jinja, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let read = match value.as_str() {
        Some(text) => plain_digits(text).and_then(|text| text.parse().ok()),
        None if value.kind() == ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        None => f64::try_from(value.clone()).ok(),
    };
    Ok(read
        .map(Jinja::from)
        .or(default)
        .unwrap_or_else(|| Jinja::from(0.0)))
}

/// As Jinja2 writes it: keys sorted, all but ASCII escaped, safe within HTML.
fn tojson(value: &Jinja, indent: Option<usize>) -> std::result::Result<String, Error> {
    let value = from_jinja(value)?;
    let json = value
        .to_python_json(indent.map(|indent| indent.min(16)), true)
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    let safe = json.replace('<', "\\u003c").replace('>', "\\u003e");
    Ok(safe.replace('&', "\\u0026").replace('\'', "\\u0027"))
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
