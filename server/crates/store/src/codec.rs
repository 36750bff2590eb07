//! Between the types of the engine and the types of columns.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use diesel::Selectable;
use diesel::sqlite::Sqlite;
use engine::{ActionState, ExecutionState, ExecutionUid, Failure, Progress, Runner, TaskState};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::page::{Page, Slice};

/// What is odd about a column.
#[derive(Debug)]
struct Odd(String);

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Odd {}

fn corrupt(place: &'static str, what: String) -> Error {
    Error::Corrupt {
        place,
        cause: Box::new(Odd(what)),
    }
}

/// A row that another row needs is not there.
pub(crate) fn missing(place: &'static str) -> Error {
    corrupt(place, "the row is missing".to_owned())
}

/// Reads a uid.
pub(crate) fn uid(bytes: &[u8], place: &'static str) -> Result<ExecutionUid, Error> {
    let bytes = bytes
        .try_into()
        .map_err(|_| corrupt(place, format!("{} bytes where a uid has 16", bytes.len())))?;
    Ok(ExecutionUid(uuid::Uuid::from_bytes(bytes)))
}

/// Reads a SHA-256.
pub(crate) fn hash(bytes: &[u8], place: &'static str) -> Result<[u8; 32], Error> {
    bytes
        .try_into()
        .map_err(|_| corrupt(place, format!("{} bytes where a hash has 32", bytes.len())))
}

/// Reads a number that is never negative.
pub(crate) fn number(value: i64, place: &'static str) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| corrupt(place, format!("{value} is out of range")))
}

/// Reads a word of a fixed list.
pub(crate) fn word<T>(
    word: &str,
    read: impl FnOnce(&str) -> Option<T>,
    place: &'static str,
) -> Result<T, Error> {
    read(word).ok_or_else(|| corrupt(place, format!("unknown word {word:?}")))
}

/// Reads the state of an execution.
pub(crate) fn execution_state(text: &str) -> Result<ExecutionState, Error> {
    word(text, ExecutionState::from_word, "executions.state")
}

/// Reads a failure.
pub(crate) fn failure(text: Option<&str>) -> Result<Option<Failure>, Error> {
    text.map(|text| word(text, |text| text.parse().ok(), "executions.failure"))
        .transpose()
}

/// Reads the state of a task execution.
pub(crate) fn task_state(text: &str) -> Result<TaskState, Error> {
    word(text, TaskState::from_word, "tasks.state")
}

/// Reads the state of an action execution.
pub(crate) fn action_state(text: &str) -> Result<ActionState, Error> {
    word(text, ActionState::from_word, "actions.state")
}

/// The word for who runs an action.
pub(crate) fn runner_word(runner: Runner) -> &'static str {
    let (_, word) = Runner::ALL
        .iter()
        .find(|(known, _)| *known == runner)
        .expect("the list holds every runner");
    word
}

/// Reads who runs an action.
pub(crate) fn runner(text: &str) -> Result<Runner, Error> {
    let read = |word: &str| {
        Runner::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(r, _)| *r)
    };
    word(text, read, "actions.runner")
}

/// Writes JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types always have a JSON form")
}

/// Reads JSON.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, place: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|cause| Error::Corrupt {
        place,
        cause: Box::new(cause),
    })
}

/// Writes a list as JSON, an empty one as NULL.
pub(crate) fn list<T: Serialize>(items: &[T]) -> Option<String> {
    (!items.is_empty()).then(|| json(items))
}

/// Reads JSON where NULL stands for the default.
pub(crate) fn from_json_or_default<T: DeserializeOwned + Default>(
    text: Option<&str>,
    place: &'static str,
) -> Result<T, Error> {
    text.map_or_else(|| Ok(T::default()), |text| from_json(text, place))
}

/// Writes progress as a list of numbers: a quarter of the length that names would take.
pub(crate) fn progress(progress: &Progress) -> String {
    let Progress {
        total,
        active,
        success,
        error,
        cancelled,
        skipped,
        running_actions,
        rolled_back,
        undoing,
        undo_failed,
    } = *progress;
    let mut text =
        format!("[{total},{active},{success},{error},{cancelled},{skipped},{running_actions}");
    // Most executions are never rolled back.
    if [rolled_back, undoing, undo_failed] != [0; 3] {
        let _ = write!(text, ",{rolled_back},{undoing},{undo_failed}");
    }
    text.push(']');
    text
}

/// Reads progress. Earlier versions have not counted what runs.
pub(crate) fn from_progress(text: &str) -> Result<Progress, Error> {
    const PLACE: &str = "executions.progress";
    let mut numbers: Vec<u32> = from_json(text, PLACE)?;
    if matches!(numbers.len(), 6 | 7) {
        numbers.resize(10, 0);
    }
    let count = numbers.len();
    let numbers = <[u32; 10]>::try_from(numbers);
    let numbers = numbers.map_err(|_| corrupt(PLACE, format!("{count} numbers")))?;
    let [total, active, success, error, cancelled, skipped, ..] = numbers;
    let [.., running_actions, rolled_back, undoing, undo_failed] = numbers;
    Ok(Progress {
        total,
        active,
        success,
        error,
        cancelled,
        skipped,
        rolled_back,
        undoing,
        undo_failed,
        running_actions,
    })
}

/// Writes tags, each as a JSON string in a line of its own: no JSON string holds a line break, so
/// a search for the framed text of a tag finds that tag and no other.
pub(crate) fn tags(tags: &[Arc<str>]) -> Option<String> {
    if tags.is_empty() {
        return None;
    }
    let mut text = String::from("\n");
    for tag in tags {
        text.push_str(&json(tag));
        text.push('\n');
    }
    Some(text)
}

/// Reads tags.
pub(crate) fn from_tags(text: Option<&str>) -> Result<Vec<Arc<str>>, Error> {
    text.unwrap_or_default()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| from_json(line, "tags"))
        .collect()
}

/// One more row than a page holds, so that it is known whether more follows.
pub(crate) fn one_more<K>(page: &Page<K>) -> i64 {
    i64::from(page.limit) + 1
}

/// Takes rows until the page is full. `convert` gives the value and the bytes of its texts.
pub(crate) fn fill<K, R, T>(
    page: &Page<K>,
    rows: impl Iterator<Item = diesel::QueryResult<R>>,
    mut convert: impl FnMut(R) -> Result<(T, usize), Error>,
) -> Result<Slice<T>, Error> {
    let mut slice = Slice {
        rows: Vec::new(),
        more: false,
    };
    let mut bytes = 0usize;
    for row in rows {
        let full = slice.rows.len() >= page.limit as usize;
        if full || (bytes >= page.max_bytes && !slice.rows.is_empty()) {
            slice.more = true;
            break;
        }
        let (value, size) = convert(row.map_err(crate::dialect::classify)?)?;
        bytes = bytes.saturating_add(size);
        slice.rows.push(value);
    }
    Ok(slice)
}

/// The columns that a kind of row is read from. What diesel's own function gives is made for one
/// database; this is the same for both.
pub(crate) fn columns<R: Selectable<Sqlite>>() -> R::SelectExpression {
    R::construct_selection()
}
