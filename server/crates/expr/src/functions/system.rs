//! Builtins about evaluation itself and about what kind a value has.
//! `let`, `with`, `def` and `unpack` are listed here, but what they do is in `eval`: they make
//! scopes.

use super::{Builtin, Call, dispatch, function, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::scope::Frame;

/// A builtin that tells whether its argument is of a kind.
macro_rules! is {
    ($name:literal, $kind:literal, $pattern:pat, $yes:literal, $no:literal) => {
        is!($name, $kind, $pattern, $yes, $no, "value")
    };
    ($name:literal, $kind:literal, $pattern:pat, $yes:literal, $no:literal, $param:literal) => {
        function(
            $name,
            concat!($param, ": any?"),
            |call| Ok(Value::Bool(matches!(call.value(0), $pattern))),
            concat!("Tells whether the value is a ", $kind, "."),
            &[
                (concat!($name, "(", $yes, ")"), "null", "true"),
                (concat!($name, "(", $no, ")"), "null", "false"),
            ],
        )
    };
}

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "let",
        "*args: any?, **kwargs: any?",
        needs_arrow,
        "Names values for the expression after '->': $1, $2 and so on by place, $name by name.",
        &[
            ("let(x => 2, y => 3) -> $x * $y", "null", "6"),
            ("let($.a, 5) -> $1 + $2", "{\"a\": 1}", "6"),
        ],
    ),
    function(
        "with",
        "*args: any?",
        needs_arrow,
        "Names values $1, $2 and so on for the expression after '->'.",
        &[
            ("with($.a, 5) -> $1 + $2", "{\"a\": 1}", "6"),
            ("with($.a) -> $.b", "{\"a\": {\"b\": 1}}", "1"),
        ],
    ),
    function(
        "def",
        "name: string, func: lambda",
        needs_arrow,
        "Defines a function for the expression after '->'; it may call itself.",
        &[
            ("def(double, $ * 2) -> double(double(3))", "null", "12"),
            (
                "def(f, switch($ < 2 => 1, true => $ * f($ - 1))) -> f(5)",
                "null",
                "120",
            ),
        ],
    ),
    method(
        "unpack",
        "sequence: iterable, *names: string",
        needs_arrow,
        "Names the items of a list for the expression after '->': by the given names, or $1, $2 \
         and so on.",
        &[
            ("$.unpack(a, b) -> $b - $a", "[1, 5]", "4"),
            ("$.unpack() -> [$2, $1]", "[1, 5]", "[5, 1]"),
        ],
    ),
    method(
        "assert",
        "obj: any?, condition: lambda, message: string = \"Assertion failed\"",
        assert,
        "Gives the receiver if the condition holds for it, and fails otherwise.",
        &[
            ("$.assert($ > 1)", "2", "2"),
            ("$.assert($.len() > 0, 'empty').first()", "[1]", "1"),
        ],
    ),
    function(
        "call",
        "name: string, args: list, kwargs: dict, receiver: any? = none",
        call_named,
        "Calls a function, or a method of a receiver, by name, with a list of arguments and a dict \
         of named ones.",
        &[
            ("call(max, [$, 3], {})", "5", "5"),
            ("call(timespan, [], {hours => 1}).minutes", "null", "60.0"),
        ],
    ),
    function(
        "bool",
        "value: any?",
        |call| Ok(Value::Bool(call.value(0).truthy())),
        "Tells whether a value counts as true: all but null, false, zero and what is empty.",
        &[("bool($)", "[0]", "true"), ("bool('')", "null", "false")],
    ),
    is!("isBoolean", "boolean", Value::Bool(_), "false", "0"),
    is!(
        "isInteger",
        "whole number",
        Value::Int(_) | Value::BigInt(_),
        "2",
        "true"
    ),
    is!(
        "isNumber",
        "number",
        Value::Int(_) | Value::BigInt(_) | Value::Float(_),
        "2.5",
        "'2'"
    ),
    is!("isString", "string", Value::Str(_), "abc", "null", "arg"),
    is!(
        "isList",
        "list",
        Value::List(_),
        "[]",
        "[1].select($)",
        "arg"
    ),
    is!("isDict", "dict", Value::Dict(_), "{}", "[]", "arg"),
    is!("isSet", "set", Value::Set(_), "set(1)", "[1]", "arg"),
    is!(
        "isIterable",
        "list, set or sequence",
        Value::List(_) | Value::Set(_) | Value::Seq(_),
        "[1].select($)",
        "{}"
    ),
    is!(
        "isDatetime",
        "datetime",
        Value::DateTime(_),
        "datetime(2020, 1, 1)",
        "'2020-01-01'"
    ),
    is!(
        "isTimespan",
        "timespan",
        Value::TimeSpan(_),
        "timespan(1)",
        "1"
    ),
    is!("isRegex", "regex", Value::Regex(_), "regex(a)", "a"),
];

fn needs_arrow(_: &mut Call<'_, '_>) -> Result<Value> {
    Err(Fault::no_match(
        "let(), with(), def() and unpack() must be followed by '->'",
    ))
}

fn assert(call: &mut Call<'_, '_>) -> Result<Value> {
    let object = call.value(0);
    let condition = call.lambda(1);
    if call
        .machine
        .call_lambda(&condition, vec![object.clone()])?
        .truthy()
    {
        return Ok(object);
    }
    Err(Fault::value(call.text(2).to_string()))
}

fn call_named(call: &mut Call<'_, '_>) -> Result<Value> {
    let name = call.text(0);
    let args = call.items(1)?;
    let mut named = Vec::new();
    for (key, value) in call.dict(2).iter() {
        // Keys that could not be written as a name are ignored, as YAQL does.
        if let Value::Str(key) = key {
            named.push((key, value));
        }
    }
    if let Some(receiver) = call.given(3) {
        return dispatch::call_values(call.machine, &name, Some(receiver), args, named, call.scope);
    }
    if let Some((body, defined)) = call.scope.function(&name) {
        let inner = Frame::bind(&defined, args, named);
        return call.machine.eval(&body, &inner);
    }
    dispatch::call_values(call.machine, &name, None, args, named, call.scope)
}
