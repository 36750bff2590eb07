//! Compares the reader of documents with PyYAML, set up as Mistral sets it up: generated texts,
//! whole and damaged, go through both. What may differ is listed in `allowed`.
//!
//! `AUTAN_SEED` gives other texts than those that are always compared.

use std::collections::BTreeMap;

mod allowed;
#[path = "../../../../expr/tests/it/differential/canonical.rs"]
mod canonical;
#[path = "../../../../expr/tests/it/differential/dice.rs"]
mod dice;
mod generate;
#[path = "../../../../expr/tests/it/differential/oracle.rs"]
#[expect(dead_code, reason = "the tests of the expressions use the rest")]
mod oracle;

use dice::Dice;
use oracle::{Answer, Oracle};

/// How many texts each run compares.
const TEXTS: usize = 6_000;

#[test]
fn yaml_is_that_of_mistral() {
    let given = std::env::var("AUTAN_SEED").ok();
    let seed = given.and_then(|seed| seed.parse().ok());
    compare(seed.unwrap_or(1), TEXTS);
}

/// What reading gave: a value in canonical text, or the diagnostic.
type Found = Result<String, Box<definition::Diagnostic>>;

#[expect(clippy::print_stderr, reason = "the figures are what the run is for")]
fn compare(seed: u64, texts: usize) {
    let Some(oracle) = Oracle::start("yaml_oracle.py") else {
        return;
    };
    let mut dice = Dice::new(seed);
    let written = generate::WRITTEN.iter().map(ToString::to_string);
    let generated = (0..texts).map(|_| generate::document(&mut dice));
    let cases: Vec<(String, String)> = written
        .chain(generated)
        .map(|text| serde_json::to_string(&text).expect("a string has a JSON form"))
        .map(|text| ("load".to_owned(), text))
        .collect();
    let answers = oracle.ask(&cases);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for ((_, text), answer) in cases.iter().zip(&answers) {
        let source: String = serde_json::from_str(text).expect("it was just written");
        let found = definition::load(&source).map(|value| canonical::text(&value));
        let verdict = judge(&source, &found, answer).unwrap_or_else(|| {
            wrong.push(format!("{text}\n  here   {found:?}\n  python {answer:?}\n"));
            "DIFFERENT"
        });
        *tally.entry(verdict).or_default() += 1;
    }
    eprintln!("YAML, seed {seed}: {tally:#?}");
    let same = tally.get("same value").copied().unwrap_or(0);
    assert!(same > texts / 4, "most texts must be read: {same}");
    assert!(
        wrong.is_empty(),
        "{} of {texts} differ from PyYAML, AUTAN_SEED={seed}:\n{}",
        wrong.len(),
        wrong.concat()
    );
}

fn judge(source: &str, found: &Found, answer: &Answer) -> Option<&'static str> {
    match (found, answer) {
        (_, Answer::Skip) => Some("Python did not end"),
        (Ok(found), Answer::Value(wanted)) if found == wanted => Some("same value"),
        (Err(_), Answer::Error(_)) => Some("both an error"),
        _ => allowed::reason(source, found, answer),
    }
}
