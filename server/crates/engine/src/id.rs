//! Names of things: newtypes, so that ids cannot be swapped, and their text forms.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An execution, everywhere and for ever.
///
/// A UUID of version 7: ordered by creation, so that rows of neighbours lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionUid(pub Uuid);

/// A task execution: the `number`th one of its execution, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId {
    /// The execution that it belongs to.
    pub execution: ExecutionUid,
    /// Number within the execution, from 1, in order of creation.
    pub number: u32,
}

/// An action execution: the `number`th one of its task execution, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActionId {
    /// The task execution that it belongs to.
    pub task: TaskId,
    /// Number within the task execution, from 1, in order of creation.
    pub number: u32,
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed id")]
pub struct MalformedId;

impl ExecutionUid {
    /// The uid of a child: a UUID of version 7 at time `now_us`, whose random part follows from the
    /// parent and the number of the action execution that starts it. So the engine needs no entropy,
    /// and the same event on the same state gives the same child. Its last byte, which may name a
    /// shard, is that of the parent.
    pub fn child_of(parent: ActionId, now_us: i64) -> Self {
        let seed = parent.to_string();
        let hash = Uuid::new_v5(&parent.task.execution.0, seed.as_bytes());
        let mut random = [0u8; 10];
        random.copy_from_slice(&hash.as_bytes()[..10]);
        let millis = u64::try_from(now_us / 1000).unwrap_or(0);
        random[9] = parent.task.execution.0.as_bytes()[15];
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

impl fmt::Display for ExecutionUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-t{}", self.execution, self.number)
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-a{}", self.task, self.number)
    }
}

impl FromStr for ExecutionUid {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text.len() != 36 {
            return Err(MalformedId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| MalformedId)
    }
}

impl FromStr for TaskId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let (execution, number) = text.rsplit_once("-t").ok_or(MalformedId)?;
        Ok(Self {
            execution: execution.parse()?,
            number: parse_number(number)?,
        })
    }
}

impl FromStr for ActionId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let (task, number) = text.rsplit_once("-a").ok_or(MalformedId)?;
        Ok(Self {
            task: task.parse()?,
            number: parse_number(number)?,
        })
    }
}

/// A number from 1 in its only text form: no sign, no leading zero.
fn parse_number(text: &str) -> Result<u32, MalformedId> {
    let number: u32 = text.parse().map_err(|_| MalformedId)?;
    if number == 0 || number.to_string() != text {
        return Err(MalformedId);
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        let execution = ExecutionUid(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));
        let action = ActionId {
            task: TaskId {
                execution,
                number: 12,
            },
            number: 3,
        };
        let text = action.to_string();
        assert_eq!(text, "01920000-0000-7000-8000-000000000001-t12-a3");
        assert_eq!(text.parse(), Ok(action));
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in [
            "",
            "x",
            "01920000-0000-7000-8000-000000000001-t0",
            "-t1",
            "-a1",
            "01920000-0000-7000-8000-000000000001-t01",
            "01920000-0000-7000-8000-000000000001-t+1",
        ] {
            assert_eq!(text.parse::<TaskId>(), Err(MalformedId), "{text}");
        }
    }
}
