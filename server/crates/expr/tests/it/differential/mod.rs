//! Compares with the real languages: generated expressions and data go through the real YAQL,
//! set up as Mistral sets it up, and through this crate.
//!
//! A fixed seed makes the same cases in every run, a fresh one new ones; it is printed and can
//! be given again as `AUTAN_SEED`. What may differ is listed in `allowed`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use expr::{Context, EvalErrorKind, Host, HostError, NoHost, Template, Value};

mod allowed;
mod canonical;
mod dice;
mod forms;
mod generate;
mod jinja;
mod jinja_allowed;
mod jinja_forms;
mod leaves;
mod operators;
mod oracle;
mod overloads;
mod sweep;
mod yaml;

use dice::Dice;
use generate::Generator;
use oracle::{Answer, Oracle};

/// The seed of the cases that are the same in every run.
const FIXED: u64 = 1;

/// How many pairs of expression and data each run compares.
const PAIRS: usize = 20_000;

#[test]
fn yaql_is_yaql_with_a_fixed_seed() {
    compare(FIXED);
}

#[test]
fn yaql_is_yaql_with_a_fresh_seed() {
    compare(fresh_seed());
}

#[test]
fn every_kind_of_value_in_every_place_with_a_fixed_seed() {
    sweep(FIXED);
}

#[test]
fn every_kind_of_value_in_every_place_with_a_fresh_seed() {
    sweep(fresh_seed());
}

/// The seed that `AUTAN_SEED` gives, or another one in each run.
#[expect(clippy::disallowed_methods, reason = "each run is to try other cases")]
#[expect(
    clippy::print_stderr,
    reason = "a failure can be repeated only with the seed"
)]
fn fresh_seed() -> u64 {
    let given = std::env::var("AUTAN_SEED").ok();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = given.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| now.expect("the clock is past 1970").as_secs());
    eprintln!("AUTAN_SEED={seed}");
    seed
}

/// Compares random cases.
fn compare(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut generator = Generator::new();
    let cases: Vec<(String, String)> = (0..PAIRS)
        .map(|_| (generator.expression(&mut dice), leaves::data(&mut dice)))
        .collect();
    let proved = compare_cases(&cases, seed);
    if seed == FIXED
        && let Some(proved) = proved
    {
        covered(&proved);
    }
}

/// Compares a part of those that chance does not come to.
fn sweep(seed: u64) {
    let cases = sweep::part(seed).into_iter();
    let cases: Vec<_> = cases.map(|expr| (expr, sweep::DATA.to_owned())).collect();
    compare_cases(&cases, seed);
}

/// Compares cases; says how often each builtin gave the same value as YAQL's, if Python is there.
#[expect(clippy::print_stderr, reason = "the figures are what the run is for")]
fn compare_cases(cases: &[(String, String)], seed: u64) -> Option<BTreeMap<&'static str, usize>> {
    let oracle = Oracle::start("yaql_oracle.py")?;
    let answers = oracle.ask(cases);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut proved: BTreeMap<&str, usize> = BTreeMap::new();
    for ((expr, data), answer) in cases.iter().zip(&answers) {
        let found = run(expr, data);
        let verdict = match judge(&found, answer) {
            Ok(verdict) => verdict,
            Err(()) => allowed::reason(expr, &found, answer).unwrap_or_else(|| {
                wrong.push(format!(
                    "{expr}\n  data   {data}\n  here   {found:?}\n  python {answer:?}"
                ));
                "DIFFERENT"
            }),
        };
        *tally.entry(verdict).or_default() += 1;
        if verdict == "same value" {
            count_names(expr, &mut proved);
        }
    }
    eprintln!("YAQL, seed {seed}: {tally:#?}");
    conclude("YAQL", seed, &wrong, cases.len());
    Some(proved)
}

/// Shows what differs, and fails if anything does.
fn conclude(language: &str, seed: u64, wrong: &[String], pairs: usize) {
    let shown = wrong.len().min(60);
    assert!(
        wrong.is_empty(),
        "{} of {pairs} differ from {language}, AUTAN_SEED={seed}:\n{}\n",
        wrong.len(),
        wrong[..shown].join("\n")
    );
}

/// What one evaluation gave: a value in canonical text, or the kind of the error and its text.
type Found = Result<String, (EvalErrorKind, String)>;

/// Knows the time, by which dates with years of two digits are read.
struct Clock;

impl Host for Clock {
    fn call(
        &self,
        name: &str,
        args: &[Value],
        kwargs: &[(Arc<str>, Value)],
    ) -> Result<Value, HostError> {
        if name != "now" {
            return NoHost.call(name, args, kwargs);
        }
        let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
        let micros = i64::try_from(since.as_micros()).expect("it is before the year 292000");
        Ok(Value::from(micros))
    }
}

fn run(expr: &str, data: &str) -> Found {
    let data = Value::from_json(data).expect("the generator writes JSON");
    let (template, _) = Template::compile_str(&format!("<% {expr} %>"));
    let value = template.eval(&Context::new(data, &Clock));
    value
        .map(|value| canonical::text(&value))
        .map_err(|error| (error.kind, error.message))
}

fn judge(found: &Found, answer: &Answer) -> Result<&'static str, ()> {
    match (found, answer) {
        (_, Answer::Skip) => Ok("Python did not end"),
        (Ok(found), Answer::Value(wanted)) if found == wanted => Ok("same value"),
        (Err(_), Answer::Error(_)) => Ok("both an error"),
        _ => Err(()),
    }
}

fn count_names(expr: &str, proved: &mut BTreeMap<&'static str, usize>) {
    for doc in expr::functions() {
        for name in doc.name.split('|') {
            if expr.contains(&format!("{name}(")) {
                *proved.entry(name).or_default() += 1;
            }
        }
    }
}

/// Every builtin must have given a value, the same as YAQL's, at least a few times.
fn covered(proved: &BTreeMap<&str, usize>) {
    let builtins = expr::functions()
        .iter()
        .filter(|doc| doc.group != "workflow");
    let names = builtins.flat_map(|doc| doc.name.split('|'));
    let missing: Vec<&str> = names
        .filter(|name| !forms::is_left_out(name))
        .filter(|name| proved.get(name).copied().unwrap_or(0) < 3)
        .collect();
    assert!(missing.is_empty(), "never compared: {missing:?}");
}
