//! The list of cases that do not pass yet.
//!
//! Owns its text form: one case a line, its reason after `#`. The list may only shrink: a case on
//! it that passes is a fault of the list, as much as one that fails without being on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Outcome;
use super::report::{Report, Verdict};

const HEAD: &str = "\
# Recorded cases that do not pass yet: one a line, and why. `make conformance` fails if another case
# fails, and if one of these passes: then remove it. `conformance --update` writes the list anew and
# keeps the reasons. A number of a quirk is that of the list of deliberate differences from Mistral.
";

/// Cases and the reasons why they fail.
#[derive(Debug, Default)]
pub(crate) struct ExpectedFailures(BTreeMap<String, String>);

impl ExpectedFailures {
    /// Reads the list; a missing one is empty.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| {
            let (id, reason) = line.split_once('#').unwrap_or((line, ""));
            let id = id.trim();
            (!id.is_empty()).then(|| (id.to_owned(), reason.trim().to_owned()))
        });
        Self(lines.collect())
    }

    fn text(&self) -> String {
        let lines = self.0.iter().map(|(id, reason)| match reason.as_str() {
            "" => format!("{id}\n"),
            reason => format!("{id}  # {reason}\n"),
        });
        format!("{HEAD}\n{}", lines.collect::<String>())
    }

    /// Writes the list.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making {}", folder.display()))?;
        }
        std::fs::write(path, self.text()).with_context(|| format!("writing {}", path.display()))
    }

    /// Why a case is on the list, if it is.
    pub(crate) fn reason(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// The list as this run would have it. Known reasons stay.
    pub(crate) fn updated(&self, report: &Report) -> Self {
        let failed = report.cases().filter_map(|ran| {
            let fallback = match &ran.outcome {
                Outcome::Passed => return None,
                Outcome::Failed(_) => "",
                Outcome::Unsupported(what) => what,
            };
            let known = self.reason(&ran.id).filter(|reason| !reason.is_empty());
            Some((ran.id.clone(), known.unwrap_or(fallback).to_owned()))
        });
        Self(failed.collect())
    }

    /// Compares a run with the list. Only after a full run can the list be too long.
    pub(crate) fn judge(&self, report: &Report, full: bool) -> Verdict {
        let mut verdict = Verdict::default();
        let mut seen = BTreeSet::new();
        for ran in report.cases() {
            let passed = ran.outcome == Outcome::Passed;
            seen.insert(ran.id.as_str());
            match (passed, self.reason(&ran.id)) {
                (false, None) => verdict.unexpected.push(ran.id.clone()),
                (true, Some(_)) => verdict.passing.push(ran.id.clone()),
                _ => {}
            }
        }
        if full {
            let gone = self.0.keys().filter(|id| !seen.contains(id.as_str()));
            verdict.unknown = gone.cloned().collect();
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Ran;

    fn report(cases: &[(&str, bool)]) -> Report {
        let mut report = Report::default();
        let cases = cases.iter().map(|(id, passed)| Ran {
            id: (*id).to_owned(),
            group: "",
            outcome: if *passed {
                Outcome::Passed
            } else {
                Outcome::Failed("differs".to_owned())
            },
        });
        report.add("engine", cases.collect());
        report
    }

    #[test]
    fn the_list_may_only_shrink() {
        let list = ExpectedFailures::parse("# head\na  # quirk 1\nb\n\ngone\n");
        let report = report(&[("a", false), ("b", true), ("c", false), ("d", true)]);
        let verdict = list.judge(&report, true);
        assert_eq!(verdict.unexpected, ["c"]);
        assert_eq!(verdict.passing, ["b"]);
        assert_eq!(verdict.unknown, ["gone"]);
        assert!(list.judge(&report, false).unknown.is_empty());
        assert!(!verdict.is_good());

        let updated = list.updated(&report);
        assert!(
            updated.text().ends_with("\n\na  # quirk 1\nc\n"),
            "{}",
            updated.text()
        );
        assert!(
            ExpectedFailures::parse(&updated.text())
                .judge(&report, true)
                .is_good()
        );
    }
}
