//! Words, signs and strings of a filter, one at a time, as the parser asks for them.
//!
//! What a character means depends on the place: a colon is an operator after a field and part of a
//! time after an operator. So there are no tokens ahead of time.

use store::Operator;

use super::Error;

/// The text, and how far it is read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A text in the place of a value.
pub(super) struct Literal {
    /// Its characters; those that were escaped are marked.
    pub(super) characters: Vec<(char, bool)>,
    /// Byte offset of its start.
    pub(super) start: usize,
}

impl Literal {
    /// The text as written, without quotes and escapes.
    pub(super) fn text(&self) -> String {
        self.characters
            .iter()
            .map(|(character, _)| character)
            .collect()
    }
}

const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    (":", Operator::Has),
];

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Byte offset of the next thing.
    pub(super) fn offset(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.offset() == self.text.len()
    }

    /// Takes a sign, if it comes next.
    pub(super) fn take(&mut self, sign: char) -> bool {
        self.offset();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    /// Takes a keyword, if it comes next as a whole word. A field of that name would have to be
    /// followed by an operator.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        self.offset();
        let Some(after) = self.rest().strip_prefix(keyword) else {
            return false;
        };
        if after.starts_with(|c: char| !c.is_whitespace() && c != '(' && c != ')') {
            return false;
        }
        self.at += keyword.len();
        true
    }

    /// Takes the name of a field: a word, and what follows its first dot.
    pub(super) fn take_field(&mut self) -> Result<(String, Option<String>, usize), Error> {
        let start = self.offset();
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let name = self.take_while(is_word);
        if name.is_empty() {
            return Err(self.error_at(start, "a field"));
        }
        if !self.rest().starts_with('.') {
            return Ok((name, None, start));
        }
        self.at += 1;
        let member = if self.rest().starts_with(['"', '\'']) {
            self.take_quoted()?.text()
        } else {
            self.take_while(|c| is_word(c) || c == '.' || c == '/')
        };
        if member.is_empty() {
            return Err(self.error_at(self.at, "a name after the dot"));
        }
        Ok((name, Some(member), start))
    }

    /// Takes an operator.
    pub(super) fn take_operator(&mut self) -> Result<(Operator, usize), Error> {
        let start = self.offset();
        for (text, operator) in OPERATORS {
            if self.rest().starts_with(text) {
                self.at += text.len();
                return Ok((operator, start));
            }
        }
        Err(self.error_at(start, "one of = != < <= > >= :"))
    }

    /// Takes a quoted string or a bare word.
    pub(super) fn take_value(&mut self) -> Result<Literal, Error> {
        let start = self.offset();
        if self.rest().starts_with(['"', '\'']) {
            return self.take_quoted();
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'');
        let word = self.take_while(|c| !ends(c));
        // After an operator such a sign is a slip, `==` for one; a text that begins so is quoted.
        if word.is_empty() || word.starts_with(['=', '<', '>', '!']) {
            return Err(self.error_at(start, "a value"));
        }
        Ok(Literal {
            characters: word.chars().map(|c| (c, false)).collect(),
            start,
        })
    }

    fn take_quoted(&mut self) -> Result<Literal, Error> {
        let start = self.at;
        let mut rest = self.rest().chars();
        let quote = rest.next();
        let mut characters = Vec::new();
        loop {
            match rest.next() {
                None => {
                    let end = self.text.len();
                    return Err(self.error_at(end, "the closing quote of a string"));
                }
                Some('\\') => {
                    let place = self.text.len() - rest.as_str().len();
                    let escaped = rest.next().filter(|c| matches!(c, '\\' | '"' | '\'' | '*'));
                    let refuse = || self.error_at(place, "\\, *, or a quote after \\");
                    characters.push((escaped.ok_or_else(refuse)?, true));
                }
                Some(character) if Some(character) == quote => break,
                Some(character) => characters.push((character, false)),
            }
        }
        self.at = self.text.len() - rest.as_str().len();
        Ok(Literal { characters, start })
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// What is wrong at a byte offset: what was expected, and the word that is there instead.
    pub(super) fn error_at(&self, offset: usize, expected: impl Into<String>) -> Error {
        let rest = &self.text[offset.min(self.text.len())..];
        let word: String = rest
            .trim_start()
            .chars()
            .take_while(|c| !c.is_whitespace())
            .take(30)
            .collect();
        let found = if word.is_empty() {
            "the end".to_owned()
        } else {
            format!("`{word}`")
        };
        let position = self.text.len() - rest.len();
        let position = self.text[..position].chars().count() + 1;
        Error {
            position,
            expected: expected.into(),
            found,
        }
    }
}
