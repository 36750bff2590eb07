//! The words of a Jinja text that is known to be good: what stands in `{{ … }}` and `{% … %}`,
//! without the text around them, comments and what is raw. What the words mean is left to others.

use std::ops::Range;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{`
    OpenValue,
    /// `{%`
    OpenBlock,
    /// `}}` or `%}`
    Close,
    /// A name, a keyword or a number.
    Name,
    /// A string, with its quotes.
    Literal,
    /// Any other character.
    Sign,
}

/// A word and its place in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// All words of a text, in one pass.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut reader = Reader {
        text,
        words: Vec::new(),
    };
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        let rest = &text[open..];
        at = if rest.starts_with("{#") {
            after(text, open, "#}")
        } else if rest.starts_with("{{") {
            reader.block(open, Kind::OpenValue, "}}")
        } else if !rest.starts_with("{%") {
            open + 1
        } else if let Some(end) = raw_end(text, open) {
            end
        } else {
            reader.block(open, Kind::OpenBlock, "%}")
        };
    }
    reader.words
}

struct Reader<'t> {
    text: &'t str,
    words: Vec<Word>,
}

impl Reader<'_> {
    /// Reads the words of a block up to its end, which is given back. A brace that closes a dict
    /// is no part of the end: `{{ {1: {}}}}`.
    fn block(&mut self, open: usize, kind: Kind, close: &str) -> usize {
        let mut at = open + 2;
        let mut depth = 0usize;
        self.push(kind, open..at);
        while let Some(next) = self.text[at..].chars().next() {
            if depth == 0 && self.text[at..].starts_with(close) {
                self.push(Kind::Close, at..at + close.len());
                return at + close.len();
            }
            let end = match next {
                '\'' | '"' => literal_end(self.text, at),
                c if is_of_name(c) => {
                    let rest = &self.text[at..];
                    rest.find(|c| !is_of_name(c))
                        .map_or(self.text.len(), |length| at + length)
                }
                c => at + c.len_utf8(),
            };
            match next {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            match next {
                '\'' | '"' => self.push(Kind::Literal, at..end),
                c if is_of_name(c) => self.push(Kind::Name, at..end),
                c if c.is_whitespace() => {}
                _ => self.push(Kind::Sign, at..end),
            }
            at = end;
        }
        at
    }

    fn push(&mut self, kind: Kind, span: Range<usize>) {
        self.words.push(Word { kind, span });
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where a mark ends that follows; the end of the text if none does.
fn after(text: &str, from: usize, mark: &str) -> usize {
    let found = text[from..].find(mark);
    found.map_or(text.len(), |found| from + found + mark.len())
}

/// Where the literal ends that begins there.
fn literal_end(text: &str, start: usize) -> usize {
    let quote = text[start..].chars().next();
    let mut chars = text[start..].char_indices().skip(1);
    while let Some((at, next)) = chars.next() {
        if next == '\\' {
            chars.next();
        } else if Some(next) == quote {
            return start + at + 1;
        }
    }
    text.len()
}

/// Where `{% endraw %}` ends, if `{% raw %}` begins there.
fn raw_end(text: &str, open: usize) -> Option<usize> {
    let mut from = block_of(text, open, "raw")?;
    while let Some(found) = text[from..].find("{%") {
        match block_of(text, from + found, "endraw") {
            Some(end) => return Some(end),
            None => from += found + 2,
        }
    }
    Some(text.len())
}

/// Where the block ends that begins there, if its only word is the given one.
fn block_of(text: &str, open: usize, word: &str) -> Option<usize> {
    let signs = ['-', '+'];
    let inner = text[open..].strip_prefix("{%")?;
    let inner = inner.strip_prefix(signs).unwrap_or(inner).trim_start();
    let rest = inner.strip_prefix(word)?.trim_start();
    let rest = rest.strip_prefix(signs).unwrap_or(rest);
    let rest = rest.strip_prefix("%}")?;
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn only_code_has_words() {
        for (text, wanted) in [
            ("a | b", ""),
            ("a {{ b|c }} d", "{{ b | c }}"),
            ("{{- x.y -}}", "{{ - x . y - }}"),
            ("{{ 'a }} b' ~ \"c\\\"\" }}", "{{ 'a }} b' ~ \"c\\\"\" }}"),
            ("{{ {1: {}}}}{{ x }}", "{{ { 1 : { } } }} {{ x }}"),
            ("{# {{ a }} #}{{ b }}", "{{ b }}"),
            ("{% raw %}{{ a }}{% b %}{% endraw %}{{ c }}", "{{ c }}"),
            ("{%- raw -%}{{ a }}{%-  endraw+%}{{ c }}", "{{ c }}"),
            ("{% rawness %}{{ a }}", "{% rawness %} {{ a }}"),
            ("{% if größe %}{ {{ä}}", "{% if größe %} {{ ä }}"),
            ("{{ a", "{{ a"),
            ("{{ 'a", "{{ 'a"),
            ("{# a", ""),
            ("{% raw %} a {% b", ""),
        ] {
            let found: Vec<&str> = words(text)
                .into_iter()
                .map(|word| &text[word.span])
                .collect();
            assert_eq!(found.join(" "), wanted, "{text}");
        }
    }
}
