//! How far a watch of many is, and the token that says so.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::api::convert::definition::hex;
use crate::api::fault::Fault;
use crate::api::page::unhex;

/// Form of the tokens; another form gets another number.
const VERSION: u8 = 2;

/// Of each log of commits the position of the last one that was looked at. Servers that share a
/// database write a log each; one that is not named is still to be begun.
pub(super) type Cursor = BTreeMap<i16, i64>;

/// Of each log the positions of the first and the last commit that are kept.
pub(super) type Spans = BTreeMap<i16, (i64, i64)>;

/// What a token is good for: a project and a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purpose([u8; 8]);

impl Purpose {
    pub(super) fn of(project: &str, filter: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(project.as_bytes())
            .chain_update([0])
            .chain_update(filter.as_bytes())
            .finalize();
        Self(std::array::from_fn(|place| digest[place]))
    }

    /// The token of a cursor.
    pub(super) fn token(self, cursor: &Cursor) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.0);
        for (log, position) in cursor {
            bytes.extend(log.to_be_bytes());
            bytes.extend(position.to_be_bytes());
        }
        hex(&bytes)
    }

    /// The cursor in a token.
    pub(super) fn cursor(self, token: &str) -> Result<Cursor, Fault> {
        const LOG: usize = size_of::<i16>() + size_of::<i64>();
        let malformed = || Fault::field("resume_token", "is malformed");
        let bytes = unhex(token).ok_or_else(malformed)?;
        let (version, rest) = bytes.split_first().ok_or_else(malformed)?;
        let (of, logs) = rest.split_at_checked(8).ok_or_else(malformed)?;
        let (logs, []) = logs.as_chunks::<LOG>() else {
            return Err(malformed());
        };
        if *version != VERSION {
            return Err(malformed());
        }
        if of != self.0 {
            let description = "belongs to a watch of another project or filter";
            return Err(Fault::field("resume_token", description));
        }
        let logs = logs.iter().map(|[a, b, position @ ..]| {
            let log = i16::from_be_bytes([*a, *b]);
            (log, i64::from_be_bytes(*position))
        });
        Ok(logs.collect())
    }
}

/// Where a watch begins that has no token: with the next commit, or the oldest one that is kept.
pub(super) fn begin(spans: &Spans, from_retained: bool) -> Cursor {
    let place = |(first, last)| if from_retained { first - 1 } else { last };
    spans
        .iter()
        .map(|(log, span)| (*log, place(*span)))
        .collect()
}

/// Whether a watch may go on from there: what follows must still be kept.
pub(super) fn check(cursor: &Cursor, spans: &Spans) -> Result<(), Fault> {
    for (log, position) in cursor {
        let last = spans.get(log).map_or(0, |(_, last)| *last);
        if *position > last {
            let description = "is of another server: nothing was changed there yet";
            return Err(Fault::field("resume_token", description));
        }
    }
    for (log, (first, _)) in spans {
        if cursor.get(log).copied().unwrap_or(0) < first - 1 {
            return Err(Fault::HistoryTrimmed);
        }
    }
    Ok(())
}
