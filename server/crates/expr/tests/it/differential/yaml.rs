//! `yaml_dump` and `yaml_parse` against PyYAML: data is written by both, and what was written is
//! read again by both.

use expr::{Context, NoHost, Template, Value};

use super::canonical;
use super::dice::Dice;
use super::leaves;
use super::oracle::{Answer, Oracle};

const VALUES: usize = 1_500;

/// Texts that need quotes, or look as if they did, one a line.
const TEXTS: &str = include_str!("yaml_texts.txt");

/// Texts that have no line of their own.
const MORE_TEXTS: &[&str] = &[
    "",
    " ",
    " a",
    "a ",
    "a\nb",
    "a\n",
    "\na",
    "a\n\nb",
    "a\n b",
    "a \nb",
    "\n",
    "tab\there",
    "\t",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}",
    "\u{0}",
];

#[test]
fn yaml_is_written_and_read_as_by_python() {
    let Some(oracle) = Oracle::start("yaml_oracle.py") else {
        return;
    };
    let texts: Vec<String> = TEXTS
        .lines()
        .chain(MORE_TEXTS.iter().copied())
        .map(|text| serde_json::to_string(text).unwrap())
        .collect();
    let mut dice = Dice::new(1);
    let mut values: Vec<String> = (0..VALUES).map(|_| leaves::data(&mut dice)).collect();
    for text in texts {
        values.push(format!(
            "[{{{text}: 1}}, {{\"k\": [{text}, [[{text}], []], {{}}]}}]"
        ));
        values.push(text);
    }
    let mut wrong = compared(&oracle, "dump", "<% yaml_dump($) %>", &values);
    let written: Vec<String> = values
        .iter()
        .filter_map(|value| run("<% yaml_dump($) %>", value).ok())
        .collect();
    assert!(written.len() > VALUES, "values are written");
    wrong.extend(compared(&oracle, "parse", "<% yaml_parse($) %>", &written));
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.concat()
    );
}

/// What differs between a verb of Python and an expression of ours, over each of some data.
fn compared(oracle: &Oracle, verb: &str, expr: &str, data: &[String]) -> Vec<String> {
    let cases: Vec<(String, String)> = data
        .iter()
        .map(|data| (verb.to_owned(), data.clone()))
        .collect();
    let answers = oracle.ask(&cases);
    let mut wrong = Vec::new();
    for (data, answer) in data.iter().zip(&answers) {
        let found = run(expr, data);
        let same = match (&found, answer) {
            (Ok(found), Answer::Value(wanted)) => found == wanted,
            (Err(_), Answer::Error(_)) | (_, Answer::Skip) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!(
                "{expr}\n  data   {data}\n  here   {found:?}\n  python {answer:?}\n"
            ));
        }
    }
    wrong
}

/// The canonical text of what an expression gives, or its error.
fn run(expr: &str, data: &str) -> Result<String, String> {
    let data = Value::from_json(data).expect("it is JSON");
    let (template, error) = Template::compile_str(expr);
    assert_eq!(error, None);
    let value = template.eval(&Context::new(data, &NoHost));
    value
        .map(|value| canonical::text(&value))
        .map_err(|error| error.message)
}
