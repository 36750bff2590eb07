//! Writes `docs/yaql.md` from the table of functions; `UPDATE_EXPECTED=1` accepts a change.

use std::fmt::Write;
use std::path::Path;

use expr::{Form, FunctionDoc};

const INTRODUCTION: &str = include_str!("reference/introduction.md");

#[test]
#[expect(clippy::disallowed_methods, reason = "the reference is a file")]
fn the_reference_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/yaql.md");
    let written = reference();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&file, &written).expect("the reference can be written");
        return;
    }
    let present = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        present == written,
        "docs/yaql.md is out of date; UPDATE_EXPECTED=1 writes it anew"
    );
}

fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    let mut groups: Vec<&str> = expr::functions().iter().map(|doc| doc.group).collect();
    groups.dedup();
    for group in groups {
        let docs: Vec<&FunctionDoc> = expr::functions()
            .iter()
            .filter(|doc| doc.group == group)
            .collect();
        writeln!(out, "\n## {}", title(group)).expect("a String accepts all text");
        for doc in docs {
            function(doc, &mut out);
        }
    }
    out
}

fn title(group: &str) -> String {
    let (first, rest) = group.split_at(1);
    first.to_uppercase() + rest
}

fn function(doc: &FunctionDoc, out: &mut String) {
    let calls: Vec<String> = doc
        .name
        .split('|')
        .flat_map(|name| calls(name, doc))
        .map(|call| format!("`{call}`"))
        .collect();
    writeln!(out, "\n**{}**: {}\n", calls.join(", "), doc.doc).expect("a String accepts all text");
    writeln!(out, "```text").expect("a String accepts all text");
    for (expr, data, result) in doc.examples {
        let given = if *data == "null" {
            String::new()
        } else {
            format!("   where $ is {data}")
        };
        writeln!(out, "{expr}  =>  {result}{given}").expect("a String accepts all text");
    }
    writeln!(out, "```").expect("a String accepts all text");
}

/// How the function is written, as a method and as a function.
fn calls(name: &str, doc: &FunctionDoc) -> Vec<String> {
    let params: Vec<&str> = doc
        .signature
        .split(", ")
        .filter(|param| !param.is_empty())
        .collect();
    let function = format!("{name}({})", params.join(", "));
    let method = match params.split_first() {
        Some((receiver, rest)) => {
            let kind = receiver.split(": ").nth(1).unwrap_or(receiver);
            format!("({kind}).{name}({})", rest.join(", "))
        }
        None => function.clone(),
    };
    match doc.form {
        Form::Function => vec![function],
        Form::Method => vec![method],
        Form::Both => vec![method, function],
    }
}
