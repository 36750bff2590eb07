//! Builtins that choose which of their arguments to evaluate.

use super::call::Argument;
use super::{Builtin, Call, function, method};
use crate::Value;
use crate::fault::Result;

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "switch",
        "*cases: lazy pair",
        switch,
        "Gives the value of the first pair whose condition holds, or null.",
        &[
            (
                "switch($ < 10 => small, $ >= 10 => large)",
                "12",
                "\"large\"",
            ),
            ("switch(false => 1)", "null", "null"),
        ],
    )
    .with_rules(),
    function(
        "selectCase",
        "*conditions: lambda",
        select_case,
        "Gives the place of the first condition that holds, or their number if none does.",
        &[
            ("selectCase($ < 10, $ < 20)", "12", "1"),
            ("selectCase(false)", "null", "1"),
        ],
    ),
    function(
        "selectAllCases",
        "*conditions: lambda",
        select_all_cases,
        "Gives the places of all conditions that hold.",
        &[
            ("selectAllCases($ > 1, $ > 9, $ > 2)", "5", "[0, 2]"),
            ("selectAllCases(false, null)", "null", "[]"),
        ],
    ),
    function(
        "examine",
        "*conditions: lambda",
        examine,
        "Gives for each condition whether it holds.",
        &[
            ("examine($ < 10, $ > 5, 0)", "7", "[true, true, false]"),
            (
                "examine($.a, $.b)",
                "{\"a\": 1, \"b\": \"\"}",
                "[true, false]",
            ),
        ],
    ),
    method(
        "switchCase",
        "case: int, *values: lambda",
        switch_case,
        "Gives the value at the place that the receiver says, or the last one.",
        &[
            ("$.switchCase(a, b)", "0", "\"a\""),
            ("$.switchCase(a, b)", "7", "\"b\""),
        ],
    ),
    function(
        "coalesce",
        "*values: lambda",
        coalesce,
        "Gives the first value that is not null.",
        &[
            ("coalesce(null, $, 3)", "2", "2"),
            ("coalesce(null)", "null", "null"),
        ],
    ),
];

fn switch(call: &mut Call<'_, '_>) -> Result<Value> {
    for case in &call.rest {
        if let Argument::LazyRule(condition, value) = case
            && call.machine.call_lambda(condition, Vec::new())?.truthy()
        {
            return call.machine.call_lambda(value, Vec::new());
        }
    }
    Ok(Value::Null)
}

fn select_case(call: &mut Call<'_, '_>) -> Result<Value> {
    let conditions = call.rest_lambdas();
    for (index, condition) in conditions.iter().enumerate() {
        if call.machine.call_lambda(condition, Vec::new())?.truthy() {
            return Ok(Value::from(index));
        }
    }
    Ok(Value::from(conditions.len()))
}

fn select_all_cases(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut conditions = call.rest_lambdas().into_iter().enumerate();
    Ok(call.machine.lazy(move |machine| {
        for (index, condition) in conditions.by_ref() {
            if machine.call_lambda(&condition, Vec::new())?.truthy() {
                return Ok(Some(Value::from(index)));
            }
        }
        Ok(None)
    }))
}

fn examine(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut conditions = call.rest_lambdas().into_iter();
    Ok(call.machine.lazy(move |machine| match conditions.next() {
        Some(condition) => {
            let value = machine.call_lambda(&condition, Vec::new())?;
            Ok(Some(Value::Bool(value.truthy())))
        }
        None => Ok(None),
    }))
}

fn switch_case(call: &mut Call<'_, '_>) -> Result<Value> {
    let case = call.int(0)?;
    let values = call.rest_lambdas();
    let chosen = usize::try_from(case)
        .ok()
        .and_then(|case| values.get(case))
        .or(values.last());
    match chosen {
        Some(value) => call.machine.call_lambda(value, Vec::new()),
        None => Ok(Value::Null),
    }
}

fn coalesce(call: &mut Call<'_, '_>) -> Result<Value> {
    for value in call.rest_lambdas() {
        let value = call.machine.call_lambda(&value, Vec::new())?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}
