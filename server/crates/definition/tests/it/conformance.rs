//! The recorded verdicts of Mistral. The cases are read from beside the repository and never
//! copied into it.

use std::path::PathBuf;

use definition::{Kind, Options, check};
use serde_json::Value;

/// Cases where the recorded verdict is not one about the text: the test that recorded the case
/// had switched validation off.
const RECORDED_UNCHECKED: [&str; 1] = ["on-success: task2 # The task \"task2\" doesn't exist."];

/// The part of cases that must agree.
const AGREEMENT_MIN: f64 = 1.0;

#[test]
fn verdicts_are_those_of_mistral() {
    let folder = std::env::var_os("AUTAN_CONFORMANCE").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../../shared/conformance"
            ))
        },
        PathBuf::from,
    );
    let Ok(cases) = std::fs::read_to_string(folder.join("lang.jsonl")) else {
        eprintln!("SKIPPED: no lang.jsonl in {}", folder.display());
        return;
    };
    let (mut all, mut agreed) = (0, 0);
    for (number, line) in cases.lines().enumerate() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let text = case["yaml"].as_str().expect("a case has a text");
        if RECORDED_UNCHECKED.iter().any(|part| text.contains(part)) {
            continue;
        }
        let kind = match case["kind"].as_str() {
            Some("workflows") => Kind::Workflows,
            Some("workbook") => Kind::Workbook,
            _ => Kind::Actions,
        };
        let checked = check(text, kind, Options::default());
        all += 1;
        if checked.document.is_some() == case["valid"].as_bool().expect("a case has a verdict") {
            agreed += 1;
            continue;
        }
        eprintln!("case {number} differs: Mistral says {}", case["message"]);
        for diagnostic in &checked.diagnostics {
            eprintln!("  {diagnostic}");
        }
    }
    eprintln!("{agreed} of {all} verdicts agree");
    assert!(
        f64::from(agreed) >= AGREEMENT_MIN * f64::from(all),
        "{agreed} of {all}"
    );
}
