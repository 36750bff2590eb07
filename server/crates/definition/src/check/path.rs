//! Where in the structure of a document something is: `wf.tasks.t1.on-success[0]`.

use std::fmt;

/// Characters of a name that messages and paths show.
const SHOWN_CHARS_MAX: usize = 60;

/// A place in the structure, linked to the place around it.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Self>,
    segment: Segment<'p>,
}

#[derive(Clone, Copy)]
enum Segment<'p> {
    Root,
    Key(&'p str),
    Index(usize),
    Verbatim(&'p str),
}

impl<'p> Path<'p> {
    /// The document itself.
    pub(super) const ROOT: Self = Self {
        parent: None,
        segment: Segment::Root,
    };

    /// The value under a key here.
    pub(super) fn key(&'p self, key: &'p str) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Key(key),
        }
    }

    /// The item at an index here.
    pub(super) fn index(&'p self, index: usize) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Index(index),
        }
    }

    /// A place that was written down before.
    pub(super) fn verbatim(&'p self, path: &'p str) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Verbatim(path),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        parent.fmt(f)?;
        match self.segment {
            Segment::Root => Ok(()),
            Segment::Verbatim(path) => f.write_str(path),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Key(key) => {
                let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
                let is_plain = !key.is_empty() && key.chars().all(is_word);
                match (is_plain, parent.parent.is_some()) {
                    (true, true) => write!(f, ".{}", Cut(key)),
                    (true, false) => write!(f, "{}", Cut(key)),
                    (false, _) => write!(f, "[\"{}\"]", Cut(key)),
                }
            }
        }
    }
}

/// A text from the document in backticks, cut if it is long: messages stay short whatever the
/// document holds.
pub(super) struct Quoted<'t>(pub(super) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", Cut(self.0))
    }
}

struct Cut<'t>(&'t str);

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(SHOWN_CHARS_MAX) {
            match character {
                '\n' | '\r' | '\t' => f.write_str(" ")?,
                character => fmt::Write::write_char(f, character)?,
            }
        }
        if characters.next().is_some() {
            f.write_str("…")?;
        }
        Ok(())
    }
}
