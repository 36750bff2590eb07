//! Whatever the text, a check ends with an answer within bounds of work, and the answer can be
//! shown.

use definition::{Kind, Options, check, render};
use proptest::prelude::*;

/// Documents that use most of the language, to be damaged.
const DOCUMENTS: [&str; 5] = [
    include_str!("../valid/everything.yaml"),
    include_str!("../valid/actions.yaml"),
    include_str!("../valid/lint.yaml"),
    include_str!("../valid/quirks.yaml"),
    include_str!("../valid/workbook.yaml"),
];

/// Steps of work beyond reading that a document of some hundred lines may take.
const STEPS_MAX: usize = 1_000_000;

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
        assert!(checked.steps <= STEPS_MAX, "{} steps", checked.steps);
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

    /// Any bytes that came as text, control characters and halves of others as well.
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        answers(&String::from_utf8_lossy(&bytes));
    }

    /// Collections in collections, closed or not, beyond every limit on their depth.
    #[test]
    fn any_depth_is_answered(
        open in prop::sample::select(vec!["[", "{a: ", "- ", "? ", "[{b: ", "<% (", "{{ ("]),
        close in prop::sample::select(vec!["", "]", "}", "}]", " %>", " }}"]),
        levels in prop::sample::select(vec![1_usize, 50, 99, 101, 400, 4_000]),
    ) {
        let nested = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        let task = "version: '2.0'\nwf:\n  tasks:\n    t:\n      ";
        answers(&nested);
        answers(&format!("{task}input:\n        x: {nested}"));
        answers(&format!("{task}action: '{nested}'"));
    }

    /// Documents with lines of others, in any order and at any depth.
    #[test]
    fn shuffled_lines_are_answered(
        lines in prop::collection::vec(
            (0..DOCUMENTS.len(), any::<prop::sample::Index>(), 0..4_usize),
            1..30,
        ),
    ) {
        let lines = lines.iter().map(|(document, line, indent)| {
            let all: Vec<&str> = DOCUMENTS[*document].lines().collect();
            format!("{}{}\n", "  ".repeat(*indent), line.get(&all))
        });
        let text: String = lines.collect();
        answers(&text);
        answers(&format!("version: '2.0'\nwf:\n  tasks:\n{text}"));
    }

    #[test]
    fn damaged_documents_are_answered(
        document in prop::sample::select(DOCUMENTS.to_vec()),
        damages in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..20_usize, prop::sample::select(PIECES.to_vec())),
            1..4,
        ),
    ) {
        let mut text = document.to_owned();
        for (at, removed, piece) in damages {
            let starts = text.char_indices().map(|(at, _)| at);
            let places: Vec<usize> = starts.chain([text.len()]).collect();
            let from = at.index(places.len());
            let to = (from + removed).min(places.len() - 1);
            text.replace_range(places[from]..places[to], piece);
        }
        answers(&text);
    }
}
