//! Positions in scalars, however they are written.

use crate::model::Kind;

/// Where the diagnostic about `nope()` in the value of `x` stands.
fn check(value: &str, line: u32, column: u32) {
    let text = format!(
        "version: '2.0'\nwf:\n  output:\n    x: {value}\n  tasks:\n    t: {{action: std.noop}}\n"
    );
    let checked = crate::check(&text, Kind::Workflows, crate::Options::default());
    let places: Vec<(u32, u32)> = checked
        .diagnostics
        .iter()
        .map(|one| (one.span.start.line, one.span.start.column))
        .collect();
    assert_eq!(places, [(line, column)], "{text}");
}

#[test]
fn expressions_are_found_in_scalars() {
    check("<% nope() %>", 4, 11);
    check("'<% nope() %>'", 4, 12);
    check("\"\\t<% nope() %>\"", 4, 14);
    check("\"\\u00e9\\n<% nope() %>\"", 4, 20);
    check("'it''s <% nope() %>'", 4, 18);
    check("|\n      a\n      b <% nope() %>\n", 6, 12);
    check("|-\n      \"a\"\n\n        b <% nope() %>\n", 7, 14);
    check(">\n      a\n      b\n\n      <% nope() %> c\n", 8, 10);
    check(">-  # comment\n      'a'\n      b <% nope() %>\n", 6, 12);
    check("a\n      b <% nope() %>", 5, 12);
    check("\"a\n      b <% nope() %>\"", 5, 12);
    check("\"a \\\n      b <% nope() %>\"", 5, 12);
}
