//! The etag of an execution: what guards its labels and its description against lost updates.
//!
//! It is made of these and of nothing else. So it does not change while an execution runs, and an
//! update fails only if another one came in between.

use std::fmt::Write as _;

use engine::ExecutionRecord;
use sha2::{Digest, Sha256};

/// Bytes of the digest that are shown: as many as definitions show.
const BYTES: usize = 8;

/// The etag of an execution as it is now. The uid is in it: no two executions share one.
pub(crate) fn of(record: &ExecutionRecord) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &[u8]| {
        // Lengths keep texts apart that follow one another.
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    };
    add(record.uid.to_string().as_bytes());
    add(record.description.as_bytes());
    for (key, value) in &record.labels {
        add(key.as_bytes());
        add(value.as_bytes());
    }
    let mut etag = String::with_capacity(2 * BYTES);
    for byte in &digest.finalize()[..BYTES] {
        write!(etag, "{byte:02x}").expect("a string takes all text");
    }
    etag
}
