//! Documents with what is expected of them. A case is a file `valid/x.yaml` or `invalid/x.yaml`;
//! beside it `x.txt` holds the rendered diagnostics and, for valid ones, the model in short.
//! The first line may say `# kind: workbook` or `# kind: actions`.
//! `UPDATE_EXPECTED=1` writes the expectations anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use definition::{Document, Kind, KnownAction, Options, Rule, check, render};

use crate::summary::summary;

/// Checks that know two actions of the server.
fn options() -> Options {
    static ACTIONS: LazyLock<[KnownAction; 2]> = LazyLock::new(|| {
        [
            KnownAction {
                name: "std.noop",
                required: vec![],
                optional: vec![],
            },
            KnownAction {
                name: "std.echo",
                required: vec!["output"],
                optional: vec!["delay"],
            },
        ]
    });
    Options {
        strict: false,
        actions: &*ACTIONS,
    }
}

#[test]
fn valid_documents_give_their_models() {
    for file in documents("valid") {
        let (text, kind) = read(&file);
        let checked = check(&text, kind, options());
        let document = checked.document.as_ref();
        let document =
            document.unwrap_or_else(|| panic!("{}: {:#?}", file.display(), checked.diagnostics));
        let found = format!("{}{}", rendered(&file, &text, kind), summary(document));
        expect(&file, &found);
        parts_give_the_same_model(&file, document, kind);
    }
}

#[test]
fn invalid_documents_are_explained() {
    for file in documents("invalid") {
        let (text, kind) = read(&file);
        let checked = check(&text, kind, options());
        assert!(checked.document.is_none(), "{} is valid", file.display());
        expect(&file, &rendered(&file, &text, kind));
    }
}

#[test]
fn strict_checks_refuse_what_is_warned_of() {
    let text = "version: '2.0'\nwf:\n  colour: red\n  tasks:\n    t: {action: std.noop}\n";
    for (strict, is_valid) in [(false, true), (true, false)] {
        let checked = check(
            text,
            Kind::Workflows,
            Options {
                strict,
                ..Options::default()
            },
        );
        assert_eq!(checked.document.is_some(), is_valid);
        assert_eq!(checked.diagnostics.len(), 1);
    }
}

/// Texts that break the rules on sizes, and these rules.
fn oversized() -> [(String, &'static str); 5] {
    let many = format!("a: [{}]", "0,".repeat(100_001));
    let deep = format!("a: {}{}", "[".repeat(101), "]".repeat(101));
    let long = "#".repeat((1 << 20) + 1);
    let digits = format!("a: {}", "9".repeat(4_301));
    [
        (many, "too-many-nodes"),
        (deep, "document-too-deep"),
        (long, "document-too-large"),
        (digits, "yaml-syntax"),
        (faulty(600), "more-findings"),
    ]
}

/// A workflow with so many faults.
fn faulty(count: usize) -> String {
    let mut text = String::from("version: '2.0'\nwf:\n  tasks:\n");
    for number in 0..count {
        writeln!(text, "    t{number}: {{acton: std.noop}}")
            .expect("writing to a string cannot fail");
    }
    text
}

#[test]
fn sizes_are_limited_by_rules_of_their_own() {
    for (text, rule) in oversized() {
        let checked = check(&text, Kind::Workflows, Options::default());
        let found = checked.diagnostics.iter().map(|one| one.rule.id());
        assert!(found.into_iter().any(|id| id == rule), "{rule}");
    }
}

/// Each rule is met by a case, whose text says how it is told, and is told where it stands.
#[test]
fn every_rule_has_a_case() {
    let files = documents("valid").into_iter().chain(documents("invalid"));
    let cases = files.map(|file| read(&file));
    let cases = cases.chain(oversized().map(|(text, _)| (text, Kind::Workflows)));
    let met: BTreeSet<Rule> = cases
        .flat_map(|(text, kind)| check(&text, kind, options()).diagnostics)
        .map(|found| found.rule)
        .collect();
    let missing: Vec<&Rule> = Rule::ALL
        .iter()
        .filter(|rule| !met.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no case meets {missing:?}");
}

#[test]
fn findings_beyond_the_cap_are_counted() {
    let text = faulty(600);
    let checked = check(&text, Kind::Workflows, Options::default());
    assert_eq!(checked.diagnostics.len(), 501);
    let last = checked.diagnostics.last().expect("there are some");
    assert_eq!(last.rule.id(), "more-findings");
    assert_eq!(
        (last.message.as_str(), last.span.start.line),
        ("… and 100 more", 603)
    );
}

#[test]
fn sizes_below_the_limits_are_read() {
    let mut text = String::from("version: '2.0'\nwf:\n  tasks:\n    all: {join: all}\n");
    for number in 0..500 {
        writeln!(text, "    t{number}: {{action: std.noop, on-success: all}}")
            .expect("writing to a string cannot fail");
    }
    let checked = check(&text, Kind::Workflows, Options::default());
    let Some(Document::Workflows(workflows)) = checked.document else {
        panic!("{:#?}", checked.diagnostics);
    };
    assert_eq!(workflows[0].graph.inbound[0].len(), 500);
    assert_eq!(workflows[0].graph.start.len(), 500);
}

/// A member stored alone must run as it would have run among the others.
fn parts_give_the_same_model(file: &Path, document: &Document, kind: Kind) {
    let shown = file.display();
    let short = |document: &Document| summary(document).replace("# document\n", "");
    let mut alone = String::new();
    for part in document.parts() {
        let checked = check(&part.source, kind, Options::default());
        let document = checked.document;
        let document = document.unwrap_or_else(|| panic!("{shown}: part\n{}", part.source));
        alone.push_str(&short(&document));
        let again = document.parts();
        assert_eq!(again.len(), 1, "{shown}: {}", part.name);
        assert_eq!(again[0].source, part.source, "{shown}: {}", part.name);
    }
    if !matches!(document, Document::Workbook(_)) {
        assert_eq!(alone, short(document), "{shown}");
    }
}

fn documents(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder of cases exists");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are cases");
    files
}

fn read(file: &Path) -> (String, Kind) {
    let text = std::fs::read_to_string(file).expect("the case can be read");
    let kind = match text.lines().next() {
        Some("# kind: workbook") => Kind::Workbook,
        Some("# kind: actions") => Kind::Actions,
        _ => Kind::Workflows,
    };
    (text, kind)
}

fn rendered(file: &Path, text: &str, kind: Kind) -> String {
    let name = file
        .file_name()
        .expect("a case is a file")
        .to_string_lossy();
    let checked = check(text, kind, options());
    let mut out = String::new();
    for diagnostic in &checked.diagnostics {
        out.push_str(&render(diagnostic, text, &name));
        out.push('\n');
    }
    out
}

fn expect(file: &Path, found: &str) {
    let expected_file = file.with_extension("txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&expected_file, found).expect("the expectation can be written");
        return;
    }
    let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
    assert_eq!(
        found,
        expected,
        "{}; UPDATE_EXPECTED=1 accepts the change",
        expected_file.display()
    );
}
