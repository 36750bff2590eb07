//! How an action says that it has failed.
//!
//! Owns [`ActionError`]: reading type, cause and place out of an error, and keeping them within the
//! limits of the contract. Left to others: what follows from a failure (the server).

use std::any::{Any, type_name};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::panic::Location;
use std::time::Duration;

use serde::Serialize;

use crate::payload::Payload;
use crate::resources::Failure;

/// Bytes of a message.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a stack.
const STACK_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a type.
const TYPE_BYTES_MAX: usize = 255;
/// How many causes are told.
const CAUSES_MAX: usize = 8;
/// Stands for what was left out.
const CUT: &str = " … ";
/// Type of what has no name.
const NAMELESS: &str = "Error";

/// Type of the failure of an action whose input does not fit its function.
pub(crate) const INVALID_INPUT: &str = "InvalidInput";
/// Type of the failure of an action whose result cannot be written as JSON.
pub(crate) const INVALID_OUTPUT: &str = "InvalidOutput";
/// Type of the failure of an action that was told to stop.
pub(crate) const CANCELLED: &str = "Cancelled";
/// Type of the failure of an action that has panicked.
const PANIC: &str = "panic";

/// A failure of an action, as the server is told.
///
/// Any error becomes one by `?`: a plain failure, of which the `retry` of the task decides. Its
/// type is the name of the error's type, its message and causes are those of the error, and its
/// stack is the place of the `?`, with a backtrace if `RUST_BACKTRACE` asks for one.
pub struct ActionError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    failure: Failure,
    non_retryable: bool,
    retry_after: Option<Duration>,
}

impl ActionError {
    /// A plain failure, from an error or a text. Type-erased errors, such as those of `anyhow`,
    /// come in here.
    #[track_caller]
    pub fn new<E: Into<Box<dyn StdError + Send + Sync>>>(error: E) -> Self {
        let error = error.into();
        Self::build(&*error, type_of::<E>(&*error), Location::caller())
    }

    /// A failure after which another attempt is of no use: the `retry` of the task is not asked.
    #[track_caller]
    pub fn non_retryable<E: Into<Box<dyn StdError + Send + Sync>>>(error: E) -> Self {
        Self::new(error).without_retry()
    }

    /// A failure with the pause before the next attempt, instead of what `retry` says.
    #[track_caller]
    pub fn retry_after<E: Into<Box<dyn StdError + Send + Sync>>>(
        delay: Duration,
        error: E,
    ) -> Self {
        Self::new(error).with_retry_after(delay)
    }

    /// Calls the failure so; at most 255 bytes.
    #[must_use]
    pub fn with_type(mut self, name: impl Into<String>) -> Self {
        self.0.failure.kind = cut_end(name.into(), TYPE_BYTES_MAX);
        self
    }

    /// What the workflow sees as the error result, instead of the message: anything that serde
    /// writes as JSON. What it cannot write is left out.
    #[must_use]
    pub fn with_details(mut self, details: &(impl Serialize + ?Sized)) -> Self {
        self.0.failure.details = Payload::json(details).ok();
        self
    }

    /// Where in which program it comes from, instead of the place where this was made; empty for
    /// nowhere. Of more than 16 KiB the middle is left out.
    #[must_use]
    pub fn with_stack(mut self, stack: impl Into<String>) -> Self {
        let stack = Some(stack.into()).filter(|stack| !stack.is_empty());
        self.0.failure.stack = stack.map(|stack| cut_middle(stack, STACK_BYTES_MAX));
        self
    }

    /// Another attempt is of no use.
    #[must_use]
    pub fn without_retry(mut self) -> Self {
        self.0.non_retryable = true;
        self
    }

    /// Another attempt is of use after this time.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// What went wrong.
    pub fn failure(&self) -> &Failure {
        &self.0.failure
    }

    /// Whether another attempt is of no use.
    pub fn is_non_retryable(&self) -> bool {
        self.0.non_retryable
    }

    /// The pause before the next attempt, if one is asked for.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// A failure that the SDK itself has found.
    pub(crate) fn of_type(kind: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            failure: Failure {
                kind: kind.to_owned(),
                message: cut_end(message.into(), MESSAGE_BYTES_MAX),
                details: None,
                stack: None,
                cause: None,
                limit: None,
            },
            non_retryable: false,
            retry_after: None,
        }))
    }

    /// The failure of a function that has panicked with this.
    pub(crate) fn from_panic(panic: &(dyn Any + Send)) -> Self {
        let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::of_type(PANIC, message.unwrap_or_else(|| "no message".to_owned()))
    }

    pub(crate) fn into_proto(self) -> proto::v1::TaskFailure {
        let Inner {
            failure,
            non_retryable,
            retry_after,
        } = *self.0;
        proto::v1::TaskFailure {
            failure: Some(failure.into()),
            non_retryable,
            retry_after: retry_after.and_then(|delay| delay.try_into().ok()),
        }
    }

    fn build(error: &(dyn StdError + 'static), kind: String, place: &Location<'_>) -> Self {
        let mut built = Self::of_type(&cut_end(kind, TYPE_BYTES_MAX), error.to_string());
        built.0.failure.stack = Some(stack(place));
        built.0.failure.cause = cause(error, CAUSES_MAX);
        built
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for ActionError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::build(&error, short_name(type_name::<E>()), Location::caller())
    }
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { kind, message, .. } = &self.0.failure;
        write!(f, "{kind}: {message}")
    }
}

impl fmt::Debug for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the error came from.
fn stack(place: &Location<'_>) -> String {
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        return cut_middle(format!("{place}\n{backtrace}"), STACK_BYTES_MAX);
    }
    place.to_string()
}

fn cause(error: &(dyn StdError + 'static), left: usize) -> Option<Box<Failure>> {
    let source = error.source().filter(|_| left > 0)?;
    Some(Box::new(Failure {
        kind: name_in_debug(source),
        message: cut_end(source.to_string(), MESSAGE_BYTES_MAX),
        details: None,
        stack: None,
        cause: cause(source, left - 1),
        limit: None,
    }))
}

/// Name of a type that may be a text or have forgotten what it is.
fn type_of<E>(error: &(dyn StdError + 'static)) -> String {
    let name = type_name::<E>();
    let erased = ["alloc::", "&", "anyhow::"];
    if erased.iter().any(|prefix| name.starts_with(prefix)) {
        return name_in_debug(error);
    }
    short_name(name)
}

/// `crate::module::Name` as `Name`. `Error` alone says nothing, so it keeps the part before it.
fn short_name(name: &str) -> String {
    let name = name.split('<').next().unwrap_or(name);
    let mut parts = name.rsplit("::");
    let last = parts.next().unwrap_or(name);
    if last != NAMELESS {
        return last.to_owned();
    }
    match parts.find(|part| !matches!(*part, "error" | "errors")) {
        Some(owner) => format!("{owner}::{last}"),
        None => last.to_owned(),
    }
}

/// The name that a derived `Debug` begins with: all that is left of the type of a `dyn Error`.
fn name_in_debug(error: &dyn StdError) -> String {
    let mut name = NameWriter(String::new());
    // It fails on purpose after the name, so that long values are not written.
    let _ = write!(name, "{error:?}");
    match name.0.chars().next() {
        Some(first) if first.is_ascii_uppercase() => name.0,
        _ => NAMELESS.to_owned(),
    }
}

/// Takes letters, digits and underscores up to something else.
struct NameWriter(String);

impl fmt::Write for NameWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if !(letter.is_ascii_alphanumeric() || letter == '_') || self.0.len() >= TYPE_BYTES_MAX
            {
                return Err(fmt::Error);
            }
            self.0.push(letter);
        }
        Ok(())
    }
}

/// The text, cut at its end if it has more bytes than this.
fn cut_end(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - CUT.len()));
        text.push_str(CUT);
    }
    text
}

/// The text, cut in its middle if it has more bytes than this: both ends of a stack matter.
fn cut_middle(text: String, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text;
    }
    let half = (bytes_max - CUT.len()) / 2;
    let (head, tail) = (
        text.floor_char_boundary(half),
        text.ceil_char_boundary(text.len() - half),
    );
    format!("{}{CUT}{}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use std::io;

    use serde_json::json;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner {
        #[source]
        next: Option<Box<Self>>,
    }

    fn nested(depth: usize) -> Inner {
        let next = (depth > 0).then(|| Box::new(nested(depth - 1)));
        Inner { next }
    }

    #[test]
    fn any_error_is_a_failure() {
        let refused = || io::Error::new(io::ErrorKind::NotFound, "no such file");
        let number = "x".parse::<i32>().unwrap_err();
        for (error, kind, message) in [
            (ActionError::from(refused()), "io::Error", "no such file"),
            (ActionError::from(Outer(nested(0))), "Outer", "outer"),
            (
                ActionError::from(number.clone()),
                "ParseIntError",
                "invalid digit found in string",
            ),
            (ActionError::new("text"), "Error", "text"),
            (ActionError::new("text".to_owned()), "Error", "text"),
            (
                ActionError::new(Box::<dyn StdError + Send + Sync>::from(number)),
                "ParseIntError",
                "invalid digit found in string",
            ),
            (ActionError::new("text").with_type("Mine"), "Mine", "text"),
            (ActionError::from_panic(&"lost"), "panic", "lost"),
            (ActionError::from_panic(&"lost".to_owned()), "panic", "lost"),
            (ActionError::from_panic(&1), "panic", "no message"),
        ] {
            let failure = error.failure();
            assert_eq!(
                (failure.kind.as_str(), failure.message.as_str()),
                (kind, message)
            );
            assert!(!error.is_non_retryable() && error.retry_delay().is_none());
        }
    }

    #[test]
    fn the_place_of_the_question_mark_is_told() {
        fn fails() -> Result<(), ActionError> {
            Err(nested(0))?;
            Ok(())
        }
        let error = fails().unwrap_err();
        let stack = error.failure().stack.clone().unwrap();
        let first = stack.lines().next().unwrap();
        assert!(first.contains("error.rs:"), "{stack}");
    }

    #[test]
    fn causes_are_told_up_to_a_depth() {
        let error = ActionError::from(Outer(nested(20)));
        let mut names = Vec::new();
        let mut next = error.failure().cause.as_deref();
        while let Some(cause) = next {
            names.push(format!("{} {}", cause.kind, cause.message));
            next = cause.cause.as_deref();
        }
        assert_eq!(names, ["Inner inner"; CAUSES_MAX]);
    }

    #[test]
    fn the_wire_has_everything() {
        let error = ActionError::non_retryable("no").with_details(&json!({"code": 1}));
        let sent = error.into_proto();
        assert!(sent.non_retryable && sent.retry_after.is_none());
        let details = Payload::from(sent.failure.unwrap().details.unwrap());
        assert_eq!(details.json_text(), Some("{\"code\":1}"));
        let later = ActionError::retry_after(Duration::from_secs(3), "later").into_proto();
        assert!(!later.non_retryable);
        assert_eq!(later.retry_after.unwrap().seconds, 3);
    }

    #[test]
    fn long_texts_are_cut() {
        let long = "é".repeat(20_000);
        let failure = ActionError::new(long.clone()).failure().clone();
        assert!(failure.message.len() <= MESSAGE_BYTES_MAX && failure.message.ends_with(CUT));
        let cut = cut_middle(format!("a{long}z"), STACK_BYTES_MAX);
        assert!(
            cut.len() <= STACK_BYTES_MAX && cut.contains(CUT),
            "{}",
            cut.len()
        );
        assert!(cut.starts_with('a') && cut.ends_with('z'));
        assert_eq!(cut_middle("short".to_owned(), 10), "short");
    }
}
