//! Finds the expressions in a string, by Mistral's rules.
//!
//! * YAQL is whatever lies between `<%` and the next `%>` on one line.
//! * Jinja is whatever lies between `{{` and `}}`, or `{%` and `%}`, on one line; if there is
//!   any, the whole string is a template.
//! * An expression with a line feed in it is not found, and stays text.

use std::ops::Range;

use crate::Language;

/// One YAQL expression in a string.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// With its delimiters.
    pub(crate) outer: Range<usize>,
    /// Without them, and without any of their characters beside them.
    pub(crate) inner: Range<usize>,
}

/// Every YAQL expression.
pub(crate) fn yaql(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(outer) = between(text, from, "<%", "%>") {
        from = outer.end;
        let delimiter = |c| matches!(c, '<' | '%' | '>');
        let part = &text[outer.clone()];
        let start = outer.start + (part.len() - part.trim_start_matches(delimiter).len());
        let end = start + text[start..outer.end].trim_end_matches(delimiter).len();
        found.push(Found {
            outer,
            inner: start..end,
        });
    }
    found
}

/// The language of the expressions in a string, and whether it holds the other one, too.
pub(crate) fn languages(text: &str) -> (Option<Language>, bool) {
    // Most strings hold neither delimiter: look for their common characters first.
    let yaql = text.contains("<%") && between(text, 0, "<%", "%>").is_some();
    let jinja = text.contains('{')
        && (between(text, 0, "{{", "}}").is_some() || between(text, 0, "{%", "%}").is_some());
    match (yaql, jinja) {
        (true, jinja) => (Some(Language::Yaql), jinja),
        (false, true) => (Some(Language::Jinja), false),
        (false, false) => (None, false),
    }
}

/// Whether every piece of Jinja lies within a YAQL expression, as in `<% {{a => 1} => 2} %>`.
pub(crate) fn is_jinja_inside(text: &str, yaql: &[Found]) -> bool {
    let mut outside = String::new();
    let mut end = 0;
    for found in yaql {
        outside.push_str(&text[end..found.outer.start]);
        // What stands on both sides of an expression must not grow together.
        outside.push('\n');
        end = found.outer.end;
    }
    outside.push_str(&text[end..]);
    languages(&outside).0.is_none()
}

/// Whether a string is one `{{ … }}` and nothing else; the first `}}` ends it, as in Mistral.
pub(crate) fn is_single_jinja(text: &str) -> bool {
    between(text, 0, "{{", "}}") == Some(0..text.len())
}

/// The first part, from an offset on, that has two delimiters round it on one line.
fn between(text: &str, from: usize, open: &str, close: &str) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let start = from + text[from..].find(open)?;
        let body = start + open.len();
        let end = body + text[body..].find(close)?;
        match text[body..end].rfind('\n') {
            None => return Some(start..end + close.len()),
            // No opening before the last line break can reach this closing one. Every part of the
            // text is looked at a fixed number of times, so long texts take linear time.
            Some(line_break) => from = body + line_break + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found() {
        for (text, inner) in [
            ("<% $.a %>", vec![" $.a "]),
            ("a <%1%> b <% 2 %>", vec!["1", " 2 "]),
            ("<% a\nb %>", vec![]),
            ("<%\n<% 1 %>", vec![" 1 "]),
            ("<% $ < 1 %>>", vec![" $ < 1 "]),
            ("<%<% 1 %>", vec![" 1 "]),
            ("<%%>", vec![""]),
            ("<% 1", vec![]),
        ] {
            let found: Vec<&str> = yaql(text)
                .into_iter()
                .map(|found| &text[found.inner])
                .collect();
            assert_eq!(found, inner, "{text}");
        }
    }

    #[test]
    fn languages_are_told() {
        use Language::{Jinja, Yaql};
        for (text, language, mixed) in [
            ("plain", None, false),
            ("{{ _.x }}", Some(Jinja), false),
            ("{% if 1 %}", Some(Jinja), false),
            ("{{ a\n}}", None, false),
            ("<% 1 %> {{ 2 }}", Some(Yaql), true),
            ("<% {a => 1} %>", Some(Yaql), false),
        ] {
            assert_eq!(languages(text), (language, mixed), "{text}");
        }
        assert!(is_single_jinja("{{ a }}"));
        assert!(!is_single_jinja("{{ a }} {{ b }}"));
        assert!(!is_single_jinja(" {{ a }}"));
    }
}
