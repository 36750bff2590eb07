//! Every overload that YAQL registers is in the table, with the same names of parameters.

use std::collections::BTreeSet;

use expr::{Form, FunctionDoc, Value};

use super::oracle;

/// What YAQL has and the table does not, and why.
const MISSING: &[(&str, &str)] = &[
    ("#", "operators and what finishes a result are no functions"),
    ("*", "operators are no functions"),
];

#[test]
fn every_overload_of_yaql_is_in_the_table() {
    let Some(lines) = oracle::output("yaql_oracle.py", "--functions") else {
        return;
    };
    assert!(lines.len() > 270, "YAQL lists its functions");
    let missing: Vec<String> = lines
        .iter()
        .map(|line| Value::from_json(line).expect("each line is JSON"))
        .filter(|overload| !is_known(overload))
        .map(|overload| overload.to_json().expect("it was JSON"))
        .collect();
    assert!(
        missing.is_empty(),
        "not in the table:\n{}",
        missing.join("\n")
    );
}

fn is_known(overload: &Value) -> bool {
    let name = overload.get("name").unwrap_or_default();
    let name = name.as_str().expect("a name is text").to_owned();
    if MISSING.iter().any(|(start, _)| name.starts_with(start)) {
        return true;
    }
    let flag = |key| overload.get(key).is_some_and(|flag| flag.truthy());
    let parameters = overload.get("parameters").unwrap_or_default();
    let parameters = parameters.as_list().expect("parameters are a list");
    let wanted: BTreeSet<String> = parameters.iter().map(Value::to_text).collect();
    expr::functions().iter().any(|doc| {
        doc.name.split('|').any(|other| other == name)
            && (!flag("method") || doc.form != Form::Function)
            && (!flag("function") || doc.form != Form::Method)
            && names(doc) == wanted
    })
}

/// The names of the parameters; those that take any number are stars.
fn names(doc: &FunctionDoc) -> BTreeSet<String> {
    let params = doc.signature.split(", ").filter(|param| !param.is_empty());
    params
        .map(|param| {
            let name = param.split(": ").next().unwrap_or(param);
            match name.trim_start_matches('*').len() {
                length if length < name.len() => name[..name.len() - length].to_owned(),
                _ => name.to_owned(),
            }
        })
        .collect()
}
