//! What came of a run, for people and for scripts.
//!
//! Owns the texts: the report file, the verdict, and the one line a file that scripts read.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::expected::ExpectedFailures;
use super::{Outcome, Ran};

/// All cases that ran, by file.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(&'static str, Vec<Ran>)>);

impl Report {
    /// Adds the cases of a file.
    pub(crate) fn add(&mut self, file: &'static str, cases: Vec<Ran>) {
        self.0.push((file, cases));
    }

    /// Every case.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &Ran> {
        self.0.iter().flat_map(|(_, cases)| cases)
    }

    /// Writes the file with every case that did not pass, and why.
    pub(crate) fn write(&self, path: &Path, expected: &ExpectedFailures) -> Result<()> {
        let mut text = String::new();
        for (file, cases) in &self.0 {
            let _ = writeln!(text, "# {file}: {}\n", Counts::of(cases.iter()).words());
            for ran in cases {
                let (word, detail) = match &ran.outcome {
                    Outcome::Passed => continue,
                    Outcome::Failed(detail) => ("FAILED", detail),
                    Outcome::Unsupported(detail) => ("NOT SUPPORTED", detail),
                };
                let known = match expected.reason(&ran.id) {
                    None => " (unexpected)".to_owned(),
                    Some("") => " (expected)".to_owned(),
                    Some(reason) => format!(" (expected: {reason})"),
                };
                let detail = detail.replace('\n', "\n    ");
                let _ = writeln!(text, "{word} {}{known}\n    {detail}\n", ran.id);
            }
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making {}", folder.display()))?;
        }
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// Says the figures; each last line of a file is `name passed/all`.
    pub(crate) fn tell(&self, out: &mut dyn Write) -> Result<()> {
        for (file, cases) in &self.0 {
            let mut groups: Vec<&str> = cases.iter().map(|ran| ran.group).collect();
            groups.sort_unstable();
            groups.dedup();
            let groups = groups.iter().filter(|group| !group.is_empty());
            let groups: Vec<String> = groups
                .map(|group| {
                    let counts = Counts::of(cases.iter().filter(|ran| ran.group == *group));
                    format!("{group} {}/{}", counts.passed, counts.all())
                })
                .collect();
            if !groups.is_empty() {
                writeln!(out, "({file}: {})", groups.join(", "))?;
            }
            let counts = Counts::of(cases.iter());
            writeln!(out, "{file} {}/{}", counts.passed, counts.all())?;
        }
        Ok(())
    }
}

/// Numbers of cases.
#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    unsupported: usize,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Ran>) -> Self {
        let mut counts = Self::default();
        for ran in cases {
            match ran.outcome {
                Outcome::Passed => counts.passed += 1,
                Outcome::Failed(_) => counts.failed += 1,
                Outcome::Unsupported(_) => counts.unsupported += 1,
            }
        }
        counts
    }

    fn all(&self) -> usize {
        self.passed + self.failed + self.unsupported
    }

    fn words(&self) -> String {
        let Self {
            passed,
            failed,
            unsupported,
        } = self;
        format!("{passed} passed, {failed} failed, {unsupported} not supported")
    }
}

/// How a run compares with the list of expected failures.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Failed, but not on the list.
    pub(crate) unexpected: Vec<String>,
    /// On the list, but passed.
    pub(crate) passing: Vec<String>,
    /// On the list, but no such case.
    pub(crate) unknown: Vec<String>,
}

impl Verdict {
    /// Whether the run may count as good.
    pub(crate) fn is_good(&self) -> bool {
        self.unexpected.is_empty() && self.passing.is_empty() && self.unknown.is_empty()
    }

    /// Says what is not as expected.
    pub(crate) fn tell(&self, out: &mut dyn Write, report: &Path) -> Result<()> {
        for id in &self.unexpected {
            writeln!(out, "FAILED {id}")?;
        }
        for id in &self.passing {
            writeln!(out, "PASSED, remove it from the expected failures: {id}")?;
        }
        for id in &self.unknown {
            writeln!(
                out,
                "NO SUCH CASE, remove it from the expected failures: {id}"
            )?;
        }
        writeln!(out, "details: {}", report.display())?;
        Ok(())
    }
}
