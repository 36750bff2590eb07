//! Every row of the pages that promise something names what shows it, and that is there.

use std::collections::BTreeSet;
use std::path::Path;

/// Folders in which each file or folder has the name of a case.
const CASES: [&str; 4] = [
    "server/crates/engine/tests/scenarios",
    "server/crates/definition/tests/valid",
    "server/crates/definition/tests/invalid",
    "tests/scenarios",
];

/// Folders in which functions are tests.
const SOURCES: [&str; 3] = ["server", "tests", "sdk-rust"];

/// Pages with such a table, and how many rows it has at least.
const PAGES: [(&str, usize); 3] = [
    ("compatibility.md", 60),
    ("watching.md", 11),
    ("workers.md", 10),
];

#[test]
fn every_row_of_the_pages_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut known = BTreeSet::new();
    for folder in CASES {
        names_below(&root.join(folder), &mut known);
    }
    for folder in SOURCES {
        tests_below(&root.join(folder), &mut known);
    }
    let mut wrong = Vec::new();
    for (name, least) in PAGES {
        let page = std::fs::read_to_string(root.join("docs").join(name)).unwrap();
        let rows = rows(&page);
        assert!(rows.len() >= least, "the table of {name} is missing");
        for row in rows {
            let cell = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
            let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
            if names.is_empty() {
                wrong.push(format!("names nothing: {row}"));
            }
            let gone = names.into_iter().filter(|name| !known.contains(*name));
            wrong.extend(gone.map(|name| format!("`{name}` is not there: {row}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows of the tables of a page whose last column says what shows them.
fn rows(page: &str) -> Vec<&str> {
    let mut rows = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        let is_head = line.ends_with("| shown by |");
        is_inside = line.starts_with('|') && (is_inside || is_head);
        if is_inside && !is_head && !line.starts_with("|---") {
            rows.push(line);
        }
    }
    rows
}

/// Names of the files and folders below a folder.
fn names_below(folder: &Path, known: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy();
        known.insert(name.into_owned());
        if path.is_dir() {
            names_below(&path, known);
        }
    }
}

/// Names of the functions that are tests in all sources below a folder.
fn tests_below(folder: &Path, known: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, known);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            }
            let name = line
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("async ")
                .strip_prefix("fn ");
            if let Some(name) = name {
                if is_test {
                    known.insert(name.split('(').next().unwrap().to_owned());
                }
                is_test = false;
            }
        }
    }
}
