//! Whatever the text, a check ends with an answer, and the answer can be shown.

use definition::{Kind, Options, check, render};
use proptest::prelude::*;

/// A document that uses most of the language, to be damaged.
const DOCUMENT: &str = include_str!("../valid/everything.yaml");

/// Pieces that mean something to YAML, to expressions or to the language.
const PIECES: [&str; 24] = [
    "\n",
    "  ",
    "\n    ",
    "- ",
    ": ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'",
    "\"",
    "#",
    "|\n",
    ">-\n",
    "<% $.x %>",
    "{{ _.y }}",
    "on-success",
    "publish",
    "&a",
    "!!int ",
    "\t",
    "é",
];

fn answers(text: &str) {
    for kind in [Kind::Workflows, Kind::Workbook, Kind::Actions] {
        let checked = check(text, kind, Options::default());
        assert!(checked.document.is_some() || !checked.diagnostics.is_empty());
        for diagnostic in &checked.diagnostics {
            assert!(!render(diagnostic, text, "x.yaml").is_empty());
            assert!(diagnostic.span.start <= diagnostic.span.end, "{diagnostic}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(192)
    })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        answers(&text);
    }

    #[test]
    fn any_pieces_are_answered(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40),
    ) {
        answers(&format!("version: '2.0'\nwf:\n  tasks:\n    {}", pieces.concat()));
    }

    #[test]
    fn damaged_documents_are_answered(
        at in 0..DOCUMENT.len(),
        removed in 0..20_usize,
        piece in prop::sample::select(PIECES.to_vec()),
    ) {
        let from = (0..=at).rev().find(|at| DOCUMENT.is_char_boundary(*at)).unwrap_or(0);
        let end = (from + removed).min(DOCUMENT.len());
        let to = (end..=DOCUMENT.len()).find(|at| DOCUMENT.is_char_boundary(*at));
        let rest = &DOCUMENT[to.unwrap_or(DOCUMENT.len())..];
        answers(&format!("{}{piece}{rest}", &DOCUMENT[..from]));
    }
}
