//! Figures of the expression languages, in this process: what one evaluation of a compiled
//! expression costs. Printing them is left to `bin/bench`.

use std::time::Instant;

use anyhow::{Result, ensure};
use expr::{Context, NoHost, Template, Value};
use serde_json::{Value as Json, json};

/// One figure: evaluations of an expression.
struct Case {
    name: &'static str,
    text: &'static str,
    data: fn() -> String,
    rounds: u32,
    result: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "expression: path and sum",
        text: "<% $.a.b + 1 %>",
        data: small,
        rounds: 1_000_000,
        result: "2",
    },
    // What it does not read costs it nothing: the same as above.
    Case {
        name: "expression: path and sum beside 1 MiB of other variables",
        text: "<% $.a.b + 1 %>",
        data: large,
        rounds: 1_000_000,
        result: "2",
    },
    Case {
        name: "expression: where, select, toDict over 100 items",
        text: "<% $.items.where($.state = ok).select([$.name, $.size * 2])\
               .toDict($[0], $[1]).len() %>",
        data: items,
        rounds: 100_000,
        result: "50",
    },
    Case {
        name: "expression: Jinja path and sum",
        text: "{{ _.a.b + 1 }}",
        data: small,
        rounds: 1_000_000,
        result: "2",
    },
];

/// Runs all cases, and gives an object of name, value, unit and conditions for each.
pub fn figures() -> Result<Vec<Json>> {
    CASES.iter().map(figure).collect()
}

fn figure(case: &Case) -> Result<Json> {
    let data = Value::from_json(&(case.data)())?;
    let (template, error) = Template::compile_str(case.text);
    ensure!(error.is_none(), "{}: {error:?}", case.text);
    let cx = Context::new(data, &NoHost);
    let result = template.eval(&cx)?.to_json()?;
    ensure!(result == case.result, "{}: {result}", case.text);
    let begin = Instant::now();
    for _ in 0..case.rounds {
        std::hint::black_box(template.eval(std::hint::black_box(&cx))?);
    }
    let each = begin.elapsed().as_secs_f64() / f64::from(case.rounds);
    let nanoseconds = (each * 1e9).round();
    Ok(json!({
        "name": case.name,
        "value": nanoseconds,
        "unit": "ns",
        "conditions": {"expression": case.text, "evaluations": case.rounds, "threads": 1},
    }))
}

fn small() -> String {
    r#"{"a": {"b": 1}}"#.into()
}

fn large() -> String {
    let mut variables = json!({"a": {"b": 1}});
    for at in 0..1024 {
        variables[format!("v{at}")] = json!({"text": "x".repeat(1000)});
    }
    variables.to_string()
}

fn items() -> String {
    let item = |at: usize| {
        let state = if at.is_multiple_of(2) { "ok" } else { "bad" };
        json!({"name": format!("n{at}"), "state": state, "size": at})
    };
    json!({"items": (0..100).map(item).collect::<Vec<_>>()}).to_string()
}
