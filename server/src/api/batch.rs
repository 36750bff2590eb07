//! The next message of a watch: the events of whole commits, unless one commit is too long for it.

use engine::HistoryEvent;
use prost::Message;
use proto::v1;
use store::{ExecutionKey, HistoryRange, Reader, Standing};

use super::events::Narrator;
use super::fault::Fault;

/// Most bytes of a message, unless a single event has more.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Bytes of stored text that are read at once; commits are added until it is reached.
const READ_BYTES: usize = 48 << 10;

/// Most events that are read at once. Larger than a message can be, so it divides no commit that
/// the message would not divide.
const READ_EVENTS: u32 = 20_000;

/// What was read in one look at the store.
pub(super) struct Step {
    /// How far the execution was then.
    pub(super) standing: Standing,
    /// The next events; none if all are sent.
    pub(super) events: Vec<v1::HistoryEvent>,
}

/// Reads on from the cursor; nothing if the execution is gone. A client is told if the next events
/// are not kept any more: it is never given a history with a hole.
pub(super) fn next(
    reader: &mut Reader,
    key: ExecutionKey,
    cursor: i64,
    narrator: &mut Narrator,
) -> Result<Option<Step>, Fault> {
    let Some(standing) = reader.standing(key)? else {
        return Ok(None);
    };
    if standing.last_sequence <= cursor {
        return Ok(Some(Step {
            standing,
            events: Vec::new(),
        }));
    }
    let rows = read(reader, key, cursor, READ_BYTES)?;
    let earliest = rows
        .first()
        .map_or(standing.last_sequence + 1, |row| row.sequence);
    if earliest > cursor + 1 {
        return Err(Fault::EventsTrimmed { earliest });
    }
    let total = rows.len();
    let mut events: Vec<v1::HistoryEvent> = Vec::with_capacity(total);
    let mut bytes = 0;
    for row in rows {
        let event = narrator.tell(reader, &row)?;
        bytes += event.encoded_len();
        if bytes > MESSAGE_BYTES_MAX && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    if events.len() < total {
        // Ends with the first commit if that fits; else the commit must be divided.
        let first = read(reader, key, cursor, 1)?.len();
        events.truncate(first.max(1));
    }
    Ok(Some(Step { standing, events }))
}

fn read(
    reader: &mut Reader,
    key: ExecutionKey,
    after: i64,
    max_bytes: usize,
) -> Result<Vec<HistoryEvent>, Fault> {
    let limit = READ_EVENTS;
    let range = HistoryRange {
        after,
        before: None,
        descending: false,
        limit,
        max_bytes,
    };
    Ok(reader.list_history(key, &range)?.rows)
}
