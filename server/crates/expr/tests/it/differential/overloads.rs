//! Every overload that YAQL registers exists here: `overloads.txt` names them all. Those of
//! functions are in the table, with the same parameters; for each of the operators and
//! properties `operators` has an expression that gives the same here and in YAQL.

use std::collections::{BTreeMap, BTreeSet};

use expr::{Form, FunctionDoc, Value};

use super::oracle::{self, Oracle};
use super::{judge, operators, run};

/// Each line is a name, how it is called, and the names of its parameters: `?` admits null, `=`
/// tells that it can be left out.
/// `UPDATE_EXPECTED=1` writes it anew, as YAQL has it.
const OVERLOADS: &str = include_str!("overloads.txt");

/// How many there are in YAQL 3.2: 277 that expressions use, three that look into objects of
/// Python, and two that finish a result.
const COUNT: usize = 282;

/// Parameters that YAQL lets be null, only to fail with it. Here the call fits no function.
const NEVER_NULL: &[(&str, &str)] = &[
    ("enumerate", "start?="),
    ("hex", "num?"),
    ("random", "from?"),
    ("random", "to?"),
];

/// An overload, as a line of the list names it.
struct Overload<'a> {
    name: &'a str,
    form: &'a str,
    parameters: BTreeSet<String>,
}

impl Overload<'_> {
    fn is_operator(&self) -> bool {
        self.name.starts_with(['#', '*'])
    }
}

fn overloads() -> Vec<Overload<'static>> {
    let parsed = OVERLOADS.lines().map(|line| {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().unwrap_or_default();
        let (name, form, parameters) = (next(), next(), next());
        let parameters = parameters.split(", ").filter(|name| !name.is_empty());
        let parameters = parameters.map(|parameter| {
            if NEVER_NULL.contains(&(name, parameter)) {
                return parameter.replace('?', "");
            }
            parameter.to_owned()
        });
        Overload {
            name,
            form,
            parameters: parameters.collect(),
        }
    });
    parsed.collect()
}

#[test]
fn every_overload_of_yaql_exists() {
    let overloads = overloads();
    assert_eq!(overloads.len(), COUNT);
    let mut operators: BTreeMap<&str, usize> = BTreeMap::new();
    let mut missing = Vec::new();
    for overload in &overloads {
        if overload.is_operator() {
            *operators.entry(overload.name).or_default() += 1;
        } else if !expr::functions().iter().any(|doc| is_it(doc, overload)) {
            missing.push(format!("{} {:?}", overload.name, overload.parameters));
        }
    }
    for (name, count) in operators {
        let found = operators::of(name).map_or(0, <[_]>::len);
        if found < count {
            missing.push(format!("{name}: {found} of {count}"));
        }
    }
    assert!(
        missing.is_empty(),
        "not in a table:\n{}",
        missing.join("\n")
    );
}

fn is_it(doc: &FunctionDoc, overload: &Overload<'_>) -> bool {
    doc.name.split('|').any(|name| name == overload.name)
        && (overload.form == "function" || doc.form != Form::Function)
        && (overload.form == "method" || doc.form != Form::Method)
        && parameters(doc) == overload.parameters
}

/// The parameters as the list writes them; those that take any number are stars. Whatever is
/// written for a lambda is one, null too, so nothing is said of these.
fn parameters(doc: &FunctionDoc) -> BTreeSet<String> {
    let params = doc.signature.split(", ").filter(|param| !param.is_empty());
    params
        .map(|param| {
            let stars = param.len() - param.trim_start_matches('*').len();
            if stars > 0 {
                return param[..stars].to_owned();
            }
            let (name, kind) = param.split_once(": ").expect("each parameter has a type");
            let (kind, default) = match kind.split_once(" = ") {
                Some((kind, _)) => (kind, "="),
                None => (kind, ""),
            };
            let null = if kind.ends_with('?') { "?" } else { "" };
            format!("{name}{null}{default}")
        })
        .collect()
}

#[test]
fn operators_and_properties_give_what_yaql_gives() {
    let uses = || operators::OPERATORS.iter().flat_map(|(_, uses)| *uses);
    let data = operators::DATA;
    let found: Vec<_> = uses().map(|expr| (*expr, run(expr, data))).collect();
    let failed: Vec<_> = found.iter().filter(|(_, found)| found.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let Some(oracle) = Oracle::start("yaql_oracle.py") else {
        return;
    };
    let cases: Vec<_> = uses()
        .map(|expr| ((*expr).to_owned(), data.to_owned()))
        .collect();
    for ((expr, found), answer) in found.iter().zip(oracle.ask(&cases)) {
        let is_same = judge(found, &answer) == Ok("same value");
        assert!(is_same, "{expr}\n  here   {found:?}\n  python {answer:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the list is a file")]
fn the_list_of_overloads_is_that_of_yaql() {
    let Some(lines) = oracle::output("yaql_oracle.py", "--functions") else {
        return;
    };
    let mut lines: Vec<String> = lines
        .iter()
        .map(|line| Value::from_json(line).expect("each line is JSON"))
        .map(|overload| line(&overload))
        .collect();
    lines.sort();
    let lines = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/differential/overloads.txt"
        );
        std::fs::write(file, lines).expect("the list can be written");
        return;
    }
    assert_eq!(lines, OVERLOADS, "UPDATE_EXPECTED=1 writes it anew");
}

fn line(overload: &Value) -> String {
    let part = |key| overload.get(key).unwrap_or_default();
    let form = match (part("method").truthy(), part("function").truthy()) {
        (true, true) => "both",
        (true, false) => "method",
        _ => "function",
    };
    let parameters = part("parameters");
    let parameters = parameters.as_list().expect("parameters are a list");
    let names: Vec<String> = parameters.iter().map(Value::to_text).collect();
    let line = format!("{} {form} {}", part("name").to_text(), names.join(", "));
    line.trim_end().to_owned()
}
