//! Replays recorded behaviour of Mistral against a real server and compares.
//!
//! Owns the run as a whole: which files there are, how many cases run at once, and the verdict over
//! all. Left to others: one kind of case each (`engine`, `lang`, `yaql`), what may still fail
//! (`expected`), and how it is told (`report`).

mod engine;
mod expected;
mod lang;
mod report;
mod same;
mod yaql;

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::server::{Options as ServerOptions, TestServer};
use expected::ExpectedFailures;
use report::Report;

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the recorded cases.
    pub folder: PathBuf,
    /// List of the cases that may fail.
    pub expected: PathBuf,
    /// Where the report goes.
    pub report: PathBuf,
    /// Writes the list anew instead of checking it.
    pub update: bool,
    /// Runs only the cases whose id contains this.
    pub only: Option<String>,
    /// Cases that run at once.
    pub jobs: usize,
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As recorded.
    Passed,
    /// Otherwise, and how.
    Failed(String),
    /// The case needs something that the server does not have.
    Unsupported(String),
}

/// One case that ran.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// Stable name of the case.
    pub(crate) id: String,
    /// A group within the file, counted apart; empty if there are none.
    pub(crate) group: &'static str,
    /// How it went.
    pub(crate) outcome: Outcome,
}

/// Runs everything. True if nothing failed but what was expected to.
pub async fn run(options: &Options, out: &mut dyn Write) -> Result<bool> {
    if !options.folder.is_dir() {
        let folder = options.folder.display();
        writeln!(out, "SKIPPED conformance: no folder {folder}")?;
        return Ok(true);
    }
    let expected = ExpectedFailures::read(&options.expected)?;
    // The recorded calls of `std.http` go to hosts that do not exist here or anywhere.
    let server = TestServer::start_with(ServerOptions {
        in_memory: true,
        // No worker comes: an unknown action fails at once, as in Mistral.
        config: Some("[workers]\nunknown_action_wait_s = 0\n".to_owned()),
        ..ServerOptions::default()
    })
    .await?;
    let mut report = Report::default();
    report.add("engine", engine::run(&server, options).await?);
    report.add("lang", lang::run(&server, options).await?);
    report.add("yaql", yaql::run(&server, options).await?);
    let verdict = if options.update {
        expected.updated(&report).write(&options.expected)?;
        report::Verdict::default()
    } else {
        expected.judge(&report, options.only.is_none())
    };
    report.write(&options.report, &expected)?;
    verdict.tell(out, &options.report)?;
    report.tell(out)?;
    Ok(verdict.is_good())
}

/// Runs cases, so many at once, and returns them in their order.
async fn run_all<C, F, Fut>(cases: Vec<C>, jobs: usize, run: F) -> Result<Vec<Ran>>
where
    C: Send + 'static,
    F: Fn(C) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Ran> + Send,
{
    let permits = Arc::new(Semaphore::new(jobs.max(1)));
    let run = Arc::new(run);
    let mut set = JoinSet::new();
    for (index, case) in cases.into_iter().enumerate() {
        let (permits, run) = (permits.clone(), run.clone());
        set.spawn(async move {
            let _permit = permits.acquire().await;
            (index, run(case).await)
        });
    }
    let mut ran = Vec::new();
    while let Some(done) = set.join_next().await {
        ran.push(done.context("a case panicked")?);
    }
    ran.sort_by_key(|(index, _)| *index);
    Ok(ran.into_iter().map(|(_, ran)| ran).collect())
}

/// The cases of a file with one a line; they are named by line and a hash of the text, so that a
/// changed file is noticed.
fn read_lines<T: serde::de::DeserializeOwned>(
    folder: &Path,
    kind: &str,
    options: &Options,
) -> Result<Vec<(String, T)>> {
    let path = folder.join(format!("{kind}.jsonl"));
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut cases = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let hash = Sha256::digest(line.as_bytes());
        let id = format!(
            "{kind}/{number}-{:02x}{:02x}{:02x}",
            hash[0], hash[1], hash[2]
        );
        if options.only.as_ref().is_none_or(|only| id.contains(only)) {
            let case = serde_json::from_str(line)
                .with_context(|| format!("line {number} of {}", path.display()))?;
            cases.push((id, case));
        }
    }
    Ok(cases)
}
