//! Every key of the language in every form: whether it is accepted, and what it means. A file of
//! `forms/` is a table: its head names a kind of document, the keys that it must have accepted
//! forms of, and a document with a place marked `@`. Each case under it is what stands in that
//! place; under `----` is what comes of it: `refused` and `warned` with their rule, then the lines
//! of the model that the first case does not have. `UPDATE_EXPECTED=1` writes these anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use definition::{Kind, Options, Severity, check};

use crate::summary::summary;

/// A file of cases.
struct Table {
    kind: Kind,
    keys: Vec<String>,
    place: String,
    head: String,
    cases: Vec<(String, String)>,
}

#[test]
fn keys_mean_what_the_tables_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms");
    let entries = std::fs::read_dir(folder).expect("the folder of tables exists");
    let files: BTreeSet<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    assert!(!files.is_empty(), "there are tables");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("the table can be read");
        let table = read(&text);
        let found = run(&table);
        let shown = file.display();
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&file, &found).expect("the table can be written");
        } else {
            assert_eq!(found, text, "{shown}; UPDATE_EXPECTED=1 accepts the change");
        }
        for key in &table.keys {
            let is_accepted = read(&found).cases.iter().any(|(case, answer)| {
                case.starts_with(&format!("{key}:")) && !answer.contains("refused ")
            });
            assert!(is_accepted, "{shown}: no accepted form of `{key}`");
        }
    }
}

/// The head ends at the first `====`, cases at the next one.
fn read(text: &str) -> Table {
    let mut parts = text.split("====\n");
    let head = parts.next().expect("a split has a first part");
    let (settings, place) = head.split_once("----\n").expect("the head has two parts");
    let setting = |name: &str| {
        let mut lines = settings.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_default()
    };
    let kind = match setting("kind") {
        "workbook" => Kind::Workbook,
        "actions" => Kind::Actions,
        _ => Kind::Workflows,
    };
    let cases = parts.map(|case| {
        let (case, answer) = case.split_once("----\n").unwrap_or((case, ""));
        (case.to_owned(), answer.to_owned())
    });
    Table {
        kind,
        keys: setting("keys")
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        place: place.to_owned(),
        head: head.to_owned(),
        cases: cases.collect(),
    }
}

fn run(table: &Table) -> String {
    let mut out = table.head.clone();
    let mut first: Option<BTreeSet<String>> = None;
    for (case, _) in &table.cases {
        let (findings, model) = answer(table, case);
        let base = first.get_or_insert_with(|| model.iter().cloned().collect());
        writeln!(out, "====\n{}\n----", case.trim_end_matches('\n'))
            .expect("writing to a string cannot fail");
        out.push_str(&findings);
        for line in model.iter().filter(|line| !base.contains(*line)) {
            writeln!(out, "{line}").expect("writing to a string cannot fail");
        }
    }
    out
}

/// What the check finds, and the lines of the model if there is one.
fn answer(table: &Table, case: &str) -> (String, Vec<String>) {
    let mut document = String::new();
    for line in table.place.lines() {
        match line.strip_suffix('@') {
            Some(before) => {
                let indent = " ".repeat(before.len());
                for (number, line) in case.lines().enumerate() {
                    let start = if number == 0 { before } else { &indent };
                    writeln!(document, "{start}{line}").expect("writing to a string cannot fail");
                }
            }
            None => writeln!(document, "{line}").expect("writing to a string cannot fail"),
        }
    }
    let checked = check(&document, table.kind, Options::default());
    let mut findings = String::new();
    for found in &checked.diagnostics {
        let verdict = match found.severity {
            Severity::Error => "refused",
            Severity::Warning => "warned",
        };
        writeln!(findings, "{verdict} {}: {}", found.rule, found.message)
            .expect("writing to a string cannot fail");
    }
    let model = checked.document.as_ref().map(summary).unwrap_or_default();
    (findings, model.lines().map(str::to_owned).collect())
}
