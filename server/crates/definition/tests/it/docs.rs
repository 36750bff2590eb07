//! The reference of the language: its examples are without fault, and its table of rules is the
//! one of the checks. `UPDATE_EXPECTED=1` writes the table anew. Examples with an output are run
//! by the end-to-end tests.

use std::fmt::Write;
use std::path::PathBuf;

use definition::{Kind, Options, Rule, check, render};

const BEGIN: &str = "<!-- rules -->\n";
const END: &str = "<!-- end of rules -->";

fn page(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs")).join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(page(name)).expect("the page is there")
}

/// The YAML blocks of a page, each with the comment in the line before it and its own line.
fn examples(page: &str) -> Vec<(usize, &str, String)> {
    let mut found = Vec::new();
    let mut before = "";
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if line == "```yaml" {
            let body: Vec<&str> = lines
                .by_ref()
                .map(|(line, _)| line)
                .take_while(|line| *line != "```")
                .collect();
            found.push((number, before, body.join("\n") + "\n"));
        }
        before = line;
    }
    found
}

#[test]
fn examples_are_without_fault() {
    for (name, least) in [("language.md", 11), ("rollback.md", 1)] {
        let page = text(name);
        let examples = examples(&page);
        assert!(examples.len() >= least, "{name} has examples");
        check_examples(name, examples);
    }
}

fn check_examples(page: &str, examples: Vec<(usize, &str, String)>) {
    for (line, comment, example) in examples {
        let kind = match comment {
            "<!-- workbook -->" => Kind::Workbook,
            "<!-- actions -->" => Kind::Actions,
            _ => Kind::Workflows,
        };
        let checked = check(&example, kind, Options::default());
        let found: Vec<String> = checked
            .diagnostics
            .iter()
            .map(|one| render(one, &example, page))
            .collect();
        assert!(
            checked.document.is_some() && found.is_empty(),
            "{page}:{line}: {}",
            found.concat()
        );
    }
}

#[test]
fn the_table_of_rules_is_that_of_the_checks() {
    let mut table = String::from("| rule | what it is about |\n|---|---|\n");
    for rule in Rule::ALL {
        writeln!(table, "| `{rule}` | {} |", rule.description())
            .expect("writing to a string cannot fail");
    }
    let page_text = text("language.md");
    let (before, rest) = page_text.split_once(BEGIN).expect("the table has a begin");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let new = format!("{before}{BEGIN}{table}{END}{after}");
        std::fs::write(page("language.md"), new).expect("the page can be written");
        return;
    }
    assert_eq!(found, table, "UPDATE_EXPECTED=1 writes the table anew");
}
