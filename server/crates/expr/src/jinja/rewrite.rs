//! Rewrites what Jinja2 reads and `minijinja` does not, after it was refused: a `+` before a value,
//! and a tuple without parentheses. All other text keeps its place wherever there is room.

use super::Problem;

/// How many times one string is rewritten.
pub(super) const TIMES_MAX: usize = 32;

/// The string without what the problem is about, if it is something that can be said otherwise.
pub(super) fn mended(source: &str, problem: &Problem) -> Option<String> {
    let at = problem.span.start;
    match source.get(at..)?.chars().next()? {
        '+' if problem.message.ends_with("unexpected `+`") => unsigned(source, at),
        ',' => parenthesized(source, at),
        _ => None,
    }
}

/// A `+` before a value means nothing.
fn unsigned(source: &str, at: usize) -> Option<String> {
    if follows_test(&source[..at]) {
        return None;
    }
    let mut source = source.to_owned();
    source.replace_range(at..=at, " ");
    Some(source)
}

/// Whether a text ends with the name of a test. What follows one is its argument here.
fn follows_test(text: &str) -> bool {
    let mut words = text.split_whitespace().rev();
    words
        .next()
        .is_some_and(|name| name.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        && matches!(words.next(), Some("is" | "not"))
}

/// Values with commas between them, alone in `{{ … }}`, are a tuple. The parentheses take the place
/// of blanks within the braces.
fn parenthesized(source: &str, at: usize) -> Option<String> {
    let sign = |c: char| matches!(c, '-' | '+');
    let open = source[..at].rfind("{{")? + 2;
    let open = open + usize::from(source[open..].starts_with(sign));
    let close = at + source[at..].find("}}")?;
    let close = close - usize::from(source[..close].ends_with(sign));
    let inner = source.get(open..close)?;
    // What was put into parentheses before is wrong for another reason.
    if inner.starts_with('(') && inner.ends_with(')') {
        return None;
    }
    let body = inner.strip_prefix(' ').unwrap_or(inner);
    let body = body.strip_suffix(' ').unwrap_or(body);
    Some(format!("{}({body}){}", &source[..open], &source[close..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_said_otherwise_is_rewritten() {
        for (source, at, message, expected) in [
            ("{{ +1 }}", 3, "unexpected `+`", Some("{{  1 }}")),
            ("{{ 1 is odd +1 }}", 12, "unexpected `+`", None),
            ("{{ 1, 2 }}", 4, "unexpected `,`", Some("{{(1, 2)}}")),
            ("{{1,2}}", 3, "unexpected `,`", Some("{{(1,2)}}")),
            (
                "a {{- 1, -}} b",
                7,
                "unexpected `,`",
                Some("a {{-(1,)-}} b"),
            ),
            (
                "{{ 1 }} {{ 2, 3 }}",
                12,
                "unexpected `,`",
                Some("{{ 1 }} {{(2, 3)}}"),
            ),
            ("{{(1,, 2)}}", 5, "unexpected `,`", None),
            ("{% set x = 1, 2 %}", 12, "unexpected `,`", None),
            ("{{ 1 2 }}", 5, "unexpected `2`", None),
            ("{{ é }}", 4, "unexpected `é`", None),
        ] {
            let problem = Problem {
                message: message.to_owned(),
                span: at..at + 1,
            };
            assert_eq!(mended(source, &problem).as_deref(), expected, "{source}");
        }
    }
}
