//! Regular expressions in the dialect of Python's `re`, run by `fancy-regex`.
//! Owns the compiled pattern and finding matches; translating the dialect is in `dialect`,
//! YAQL's functions over patterns in `functions::regexes`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::dialect;
use crate::fault::{Fault, Result};
use crate::limits::{REGEX_BACKTRACKS_MAX, REGEX_BYTES_MAX};
use crate::{Limit, Value};

/// How a pattern matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flags {
    /// Letters match in either case.
    pub(crate) ignore_case: bool,
    /// `^` and `$` match at lines.
    pub(crate) multi_line: bool,
    /// `.` matches a line feed, too.
    pub(crate) dot_all: bool,
}

/// A compiled regular expression.
#[derive(Debug)]
pub struct Pattern {
    source: Arc<str>,
    flags: Flags,
    regex: fancy_regex::Regex,
}

/// One match: the byte ranges of the whole and of each group that took part.
pub(crate) type Groups = Vec<Option<std::ops::Range<usize>>>;

/// Whether a pattern is a good one that would take too much memory.
fn is_too_large(error: &fancy_regex::Error) -> bool {
    let fancy_regex::Error::CompileError(error) = error else {
        return false;
    };
    matches!(&**error, fancy_regex::CompileError::InnerError(inner) if inner.size_limit().is_some())
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(source: &Arc<str>, flags: Flags) -> Result<Self> {
        let translated = dialect::translate(source, flags.multi_line)?;
        let regex = fancy_regex::RegexBuilder::new(&translated)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_all)
            .backtrack_limit(REGEX_BACKTRACKS_MAX)
            .delegate_size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|error| {
                if is_too_large(&error) {
                    return Limit::RegexSize.into();
                }
                let shown = crate::value::repr(&Value::Str(Arc::clone(source)));
                Fault::value(format!("{shown} is no valid regular expression: {error}"))
            })?;
        Ok(Self {
            source: Arc::clone(source),
            flags,
            regex,
        })
    }

    /// The pattern as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches anywhere in a text.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool> {
        self.regex
            .is_match(text)
            .map_err(|_| Limit::RegexBacktracks.into())
    }

    /// The first match that starts at a byte offset or after it.
    pub(crate) fn find_at(&self, text: &str, start: usize) -> Result<Option<Groups>> {
        let found = self
            .regex
            .captures_from_pos(text, start)
            .map_err(|_| Limit::RegexBacktracks)?;
        Ok(found.map(|captures| {
            (0..captures.len())
                .map(|index| captures.get(index).map(|m| m.range()))
                .collect()
        }))
    }

    /// The matches from the start of a text, one after another, as Python finds them: an empty
    /// match may follow directly after one that is not empty.
    pub(crate) fn next_match(&self, text: &str, position: &mut Position) -> Result<Option<Groups>> {
        loop {
            if position.at > text.len() {
                return Ok(None);
            }
            let Some(groups) = self.find_at(text, position.at)? else {
                position.at = text.len() + 1;
                return Ok(None);
            };
            let whole = groups[0]
                .clone()
                .expect("the whole match always takes part");
            if whole.is_empty() && position.empty_at == Some(whole.start) {
                let next = text[whole.start..].chars().next().map_or(1, char::len_utf8);
                position.at = whole.start + next;
                position.empty_at = None;
                continue;
            }
            position.at = whole.end;
            position.empty_at = whole.is_empty().then_some(whole.end);
            return Ok(Some(groups));
        }
    }

    /// The names of the groups, by their numbers.
    pub(crate) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.regex.capture_names()
    }

    /// The text that Python writes, with the flags at the start of the pattern as well.
    pub(crate) fn to_text(&self) -> String {
        let own = self.source.strip_prefix("(?").and_then(|rest| {
            let (letters, _) = rest.split_once(')')?;
            let is_flags = letters.chars().all(|c| "aimsux".contains(c));
            is_flags.then_some(letters)
        });
        let own = |letter| own.is_some_and(|letters| letters.contains(letter));
        let flags = [
            (self.flags.ignore_case || own('i'), "re.IGNORECASE"),
            (self.flags.multi_line || own('m'), "re.MULTILINE"),
            (self.flags.dot_all || own('s'), "re.DOTALL"),
            (own('x'), "re.VERBOSE"),
            (own('a'), "re.ASCII"),
        ];
        let flags: Vec<&str> = flags
            .into_iter()
            .filter_map(|(set, name)| set.then_some(name))
            .collect();
        let comma = if flags.is_empty() { "" } else { ", " };
        let source = crate::value::repr(&Value::Str(Arc::clone(&self.source)));
        format!("re.compile({source}{comma}{})", flags.join("|"))
    }
}

/// How far a text has been searched.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    at: usize,
    /// Where the last match was, if it was empty: the next one there must not be.
    empty_at: Option<usize>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.flags == other.flags
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.flags.hash(state);
    }
}
