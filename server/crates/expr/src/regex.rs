//! Regular expressions in the dialect of Python's `re`, run by `fancy-regex`.
//! Owns the compiled pattern; YAQL's functions over it are in `functions::regex`.

use std::hash::{Hash, Hasher};

/// How a pattern matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// Letters match in either case.
    pub ignore_case: bool,
    /// `^` and `$` match at lines.
    pub multi_line: bool,
    /// `.` matches a line feed, too.
    pub dot_all: bool,
}

/// A compiled regular expression.
#[derive(Debug)]
pub struct Pattern {
    source: String,
    flags: Flags,
}

impl Pattern {
    /// The pattern as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn to_text(&self) -> String {
        format!(
            "re.compile({})",
            crate::value::repr(&self.source.as_str().into())
        )
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.flags == other.flags
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.flags.hash(state);
    }
}
