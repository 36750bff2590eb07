//! Builtins on numbers. The arithmetic itself is in `crate::number`.

use num_bigint::BigInt;

use super::{Builtin, Call, function};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::machine::call_host;
use crate::number;
use crate::operators;
use crate::token::Operator;

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "abs",
        "op: number",
        |call| {
            let number = call.value(0);
            match &number {
                Value::Float(number) => Ok(Value::Float(number.abs())),
                other if operators::compare(Operator::Less, other, &Value::Int(0))? => {
                    operators::unary(Operator::Minus, other)
                }
                _ => Ok(number),
            }
        },
        "Gives the number without its sign.",
        &[("abs(-4.4)", "null", "4.4"), ("abs($)", "-3", "3")],
    ),
    function(
        "int",
        "value: any?",
        int,
        "Makes an integer of a number, a string or a boolean; null gives 0.",
        &[
            ("int('5')", "null", "5"),
            ("int(-2.7)", "null", "-2"),
            ("int(null)", "null", "0"),
        ],
    ),
    function(
        "float",
        "value: any?",
        float,
        "Makes a float of a number, a string or a boolean; null gives 0.0.",
        &[("float('1.5')", "null", "1.5"), ("float(2)", "null", "2.0")],
    ),
    function(
        "random",
        "",
        |call| call_host(call.machine, "random", Vec::new(), Vec::new()),
        "Gives a random float from 0 up to 1.",
        &[
            ("random() < 1", "null", "true"),
            ("random() >= 0", "null", "true"),
        ],
    ),
    function(
        "random",
        "from: any, to: any",
        random_between,
        "Gives a random integer from one number to another, both included.",
        &[
            ("random(3, 3)", "null", "3"),
            ("random(1, 6) in range(1, 7)", "null", "true"),
        ],
    ),
    function(
        "bitwiseAnd",
        "left: int, right: int",
        |call| bits(call, |a, b| a & b),
        "Gives the bits that are set in both.",
        &[
            ("bitwiseAnd(6, 3)", "null", "2"),
            ("bitwiseAnd($, 255)", "-1", "255"),
        ],
    ),
    function(
        "bitwiseOr",
        "left: int, right: int",
        |call| bits(call, |a, b| a | b),
        "Gives the bits that are set in either.",
        &[
            ("bitwiseOr(6, 3)", "null", "7"),
            ("bitwiseOr($, 1)", "8", "9"),
        ],
    ),
    function(
        "bitwiseXor",
        "left: int, right: int",
        |call| bits(call, |a, b| a ^ b),
        "Gives the bits that are set in one of them only.",
        &[
            ("bitwiseXor(6, 3)", "null", "5"),
            ("bitwiseXor($, $)", "12", "0"),
        ],
    ),
    function(
        "bitwiseNot",
        "arg: int",
        |call| number::integer(!big(call, 0)),
        "Inverts every bit.",
        &[
            ("bitwiseNot(1)", "null", "-2"),
            ("bitwiseNot($)", "-1", "0"),
        ],
    ),
    function(
        "shiftBitsLeft",
        "value: int, bitsNumber: int",
        |call| shift(call, 1),
        "Moves the bits to the left.",
        &[
            ("shiftBitsLeft(1, 4)", "null", "16"),
            ("shiftBitsLeft($, 62)", "3", "13835058055282163712"),
        ],
    ),
    function(
        "shiftBitsRight",
        "value: int, bitsNumber: int",
        |call| shift(call, -1),
        "Moves the bits to the right.",
        &[
            ("shiftBitsRight(16, 4)", "null", "1"),
            ("shiftBitsRight($, 1)", "-3", "-2"),
        ],
    ),
    function(
        "max",
        "a: any?, b: any?",
        |call| pick(call, true),
        "Gives the greater of two values.",
        &[("max(2, 5)", "null", "5"), ("max(null, -1)", "null", "-1")],
    ),
    function(
        "min",
        "a: any?, b: any?",
        |call| pick(call, false),
        "Gives the lesser of two values.",
        &[("min(2, 5)", "null", "2"), ("min(b, a)", "null", "\"a\"")],
    ),
    function(
        "pow",
        "a: number, b: number, c: number? = null",
        |call| match call.value(2) {
            Value::Null => number::power(&call.value(0), &call.value(1)),
            modulus => number::power_modulo(&call.value(0), &call.value(1), &modulus),
        },
        "Raises a number to a power, modulo a third one if given.",
        &[
            ("pow(2, 10)", "null", "1024"),
            ("pow(2, 10, 7)", "null", "2"),
            ("pow(2, -1)", "null", "0.5"),
        ],
    ),
    function(
        "sign",
        "num: number",
        |call| {
            let (number, zero) = (call.value(0), Value::Int(0));
            let above = operators::compare(Operator::Greater, &number, &zero)?;
            let below = operators::compare(Operator::Less, &number, &zero)?;
            Ok(Value::Int(i64::from(above) - i64::from(below)))
        },
        "Gives 1, 0 or -1 for what is above, at or below zero.",
        &[("sign(-3.5)", "null", "-1"), ("sign(0)", "null", "0")],
    ),
    function(
        "round",
        "number: number, ndigits: int = 0",
        |call| number::round(&call.value(0), call.int(1)?),
        "Rounds to so many decimals; halves go to the even neighbour.",
        &[
            ("round(2.567, 2)", "null", "2.57"),
            ("round(2.5)", "null", "2.0"),
        ],
    ),
];

/// `max` or `min` of two values.
pub(super) fn pick_of(a: Value, b: Value, greater: bool) -> Result<Value> {
    let b_is_greater = operators::compare(Operator::Greater, &b, &a)?;
    Ok(if b_is_greater == greater { b } else { a })
}

fn pick(call: &mut Call<'_, '_>, greater: bool) -> Result<Value> {
    pick_of(call.value(0), call.value(1), greater)
}

fn int(call: &mut Call<'_, '_>) -> Result<Value> {
    match call.value(0) {
        Value::Null => Ok(Value::Int(0)),
        Value::Bool(flag) => Ok(Value::Int(i64::from(flag))),
        Value::Float(number) => number::truncate(number),
        Value::Str(text) => {
            let digits = plain_digits(&text).and_then(|digits| digits.parse::<BigInt>().ok());
            let bad = || {
                Fault::value(format!(
                    "{} is no integer",
                    crate::value::repr(&call.value(0))
                ))
            };
            number::integer(digits.ok_or_else(bad)?)
        }
        number @ (Value::Int(_) | Value::BigInt(_)) => Ok(number),
        other => Err(Fault::no_match(format!(
            "int() does not take a {}",
            other.type_name()
        ))),
    }
}

fn float(call: &mut Call<'_, '_>) -> Result<Value> {
    let value = call.value(0);
    match &value {
        Value::Null => Ok(Value::Float(0.0)),
        Value::Bool(flag) => Ok(Value::Float(f64::from(u8::from(*flag)))),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            number::to_f64(&value).map(Value::Float)
        }
        Value::Str(text) => {
            let bad = || Fault::value(format!("{} is no number", crate::value::repr(&value)));
            let digits = plain_digits(text).ok_or_else(bad)?;
            digits.parse().map(Value::Float).map_err(|_| bad())
        }
        other => Err(Fault::no_match(format!(
            "float() does not take a {}",
            other.type_name()
        ))),
    }
}

/// A number's text without the white space round it and the underscores between its digits.
pub(crate) fn plain_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let bad = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    (!bad && text.len() <= 20_000).then(|| text.replace('_', ""))
}

fn big(call: &Call<'_, '_>, index: usize) -> BigInt {
    number::to_bigint(&call.value(index)).expect("the table says that this is an integer")
}

fn bits(call: &mut Call<'_, '_>, operate: fn(BigInt, BigInt) -> BigInt) -> Result<Value> {
    let bits = operate(big(call, 0), big(call, 1));
    match (call.value(0), call.value(1)) {
        (Value::Bool(_), Value::Bool(_)) => Ok(Value::Bool(bits != BigInt::ZERO)),
        _ => number::integer(bits),
    }
}

fn shift(call: &mut Call<'_, '_>, direction: i64) -> Result<Value> {
    let count = call.int(1)?;
    if count < 0 {
        return Err(Fault::value("the number of bits is negative"));
    }
    number::shift_bits(&call.value(0), count * direction)
}

fn random_between(call: &mut Call<'_, '_>) -> Result<Value> {
    let (Value::Int(from), Value::Int(to)) = (call.value(0), call.value(1)) else {
        return Err(Fault::no_match("random() takes two integers"));
    };
    let width = i128::from(to) - i128::from(from) + 1;
    if width <= 0 {
        return Err(Fault::value("the range of random() is empty"));
    }
    let chance = call_host(call.machine, "random", Vec::new(), Vec::new())?;
    let chance = chance.as_f64().unwrap_or(0.0).clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the result is clamped to the range, and chance needs no more digits"
    )]
    let offset = ((width as f64 * chance) as i128).clamp(0, width - 1);
    let drawn = i128::from(from) + offset;
    Ok(Value::Int(
        i64::try_from(drawn).expect("it lies between two 64-bit integers"),
    ))
}
