//! Documents of definitions that were deleted, or replaced, go when no execution refers to them.
//!
//! Owns the search, which runs on readers in small steps, and when it is made. Left to others: what
//! refers to a document (`store`).
//!
//! What is there may be referred to anew only by an execution that is made of another one. One that
//! was made behind the search is found by the next search; so a document goes when two in a row
//! have not found it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use store::SourceHash;

use crate::driver::{self, Driver};

/// How long after one search the next one begins. It reads all executions as soon as there is
/// anything to look for.
const INTERVAL: Duration = Duration::from_mins(30);

/// Documents that are looked for, or deleted, at a time.
const DOCUMENTS: u32 = 500;

/// Executions that are read at a time, with their tasks.
const EXECUTIONS: u32 = 250;

/// What the last search has found.
#[derive(Debug, Default)]
pub(crate) struct Unused {
    last: Option<Instant>,
    found: BTreeSet<SourceHash>,
}

impl Unused {
    /// Whether it is time for the next search.
    pub(super) fn is_due(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= INTERVAL)
    }

    /// Searches, and deletes what the search before has found as well; says how many documents.
    pub(crate) async fn look(&mut self, driver: &Driver) -> Result<usize, driver::Error> {
        let found = search(driver).await?;
        let again: Vec<SourceHash> = found.intersection(&self.found).copied().collect();
        self.found = found;
        self.last = Some(Instant::now());
        let mut deleted = 0;
        for some in again.chunks(DOCUMENTS as usize) {
            let some = some.to_vec();
            let gone = driver.write(move |writer| writer.delete_unused_sources(&some));
            deleted += gone.await?;
        }
        Ok(deleted)
    }
}

/// The documents that nothing refers to.
async fn search(driver: &Driver) -> Result<BTreeSet<SourceHash>, driver::Error> {
    let mut found = undefined(driver).await?;
    let mut after = None;
    while !found.is_empty() {
        let uses = driver.read(move |reader| reader.source_uses(after, EXECUTIONS));
        let uses = uses.await?;
        found.retain(|hash| !uses.hashes.contains(hash));
        after = uses.next;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

/// The documents that no definition refers to.
async fn undefined(driver: &Driver) -> Result<BTreeSet<SourceHash>, driver::Error> {
    let mut all = BTreeSet::new();
    let mut after: Option<SourceHash> = None;
    loop {
        let step =
            driver.read(move |reader| reader.list_undefined_sources(after.as_ref(), DOCUMENTS));
        let step = step.await?;
        after = step.last().copied();
        let is_last = step.len() < DOCUMENTS as usize;
        all.extend(step);
        if is_last {
            return Ok(all);
        }
    }
}
