//! What texts read as: PyYAML's answers, checked against PyYAML 6.

use super::read;

/// The value under `a`, written as YAML, or the error.
fn check(text: &str, expected: &str) {
    let found = match read(text) {
        Ok(read) => {
            let value = read.root.map(|root| root.to_value()).unwrap_or_default();
            let mut out = String::new();
            super::dump(&value, &mut out);
            out
        }
        Err(fault) => format!(
            "{}:{} {}",
            fault.span.start.line, fault.span.start.column, fault.rule
        ),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn plain_scalars_follow_yaml_1_1() {
    for (text, expected) in [
        (
            "[yes, No, on, OFF, TRUE]",
            "[true, false, true, false, true]",
        ),
        ("[y, n, yEs]", "[\"y\", \"n\", \"yEs\"]"),
        ("[~, null, Null, '']", "[null, null, null, \"\"]"),
        (
            "[010, 08, 0b101, 0x1F, 1_000, -0]",
            "[8, \"08\", 5, 31, 1000, 0]",
        ),
        (
            "[1:30, -1:30, 190:20:30, 1:60]",
            "[90, -90, 685230, \"1:60\"]",
        ),
        (
            "[1e3, 1.0e3, 1.0e+3, .5, 1., 1:30.5]",
            "[\"1e3\", \"1.0e3\", 1.0e+3, 5.0e-1, 1.0e+0, 9.05e+1]",
        ),
        ("[.inf, -.INF, .nan, .Nan]", "[.inf, -.inf, .nan, \".Nan\"]"),
        ("18446744073709551616", "18446744073709551616"),
        (
            "[2020-01-01, 2020-1-1, 2020-01-01T1:00:00Z]",
            "[\"2020-01-01\", \"2020-1-1\", \"2020-01-01T1:00:00Z\"]",
        ),
        ("['1', \"yes\"]", "[\"1\", \"yes\"]"),
        (
            "[!!int '3', !!str 3, !!float 3, !!bool 'on', ! 1]",
            "[3, \"3\", 3.0e+0, true, 1]",
        ),
        ("{on: a, 1: b}", "{true: \"b\"}"),
        ("[0b_]", "1:2 yaml-syntax"),
    ] {
        check(text, expected);
    }
}

#[test]
fn sigils_are_text() {
    check(
        "a: &x\nb: *y z\nc: @w\n'*k': \"&\"",
        "{\"a\": \"&x\", \"b\": \"*y z\", \"c\": \"@w\", \"*k\": \"&\"}",
    );
    check("a: *", "1:4 yaml-syntax");
}

#[test]
fn merge_keys_give_way_to_own_keys() {
    check("<<: {a: 1, b: 2}\nb: 3", "{\"a\": 1, \"b\": 3}");
    check("<<: [{a: 1}, {a: 2, c: 4}]", "{\"a\": 1, \"c\": 4}");
    check("<<: *x", "1:1 yaml-syntax");
    check("a: <<", "1:4 yaml-syntax");
    check("a: =", "1:4 yaml-syntax");
}

#[test]
fn faults_have_places() {
    for (text, expected) in [
        ("a: {{ x }}", "1:4 unquoted-expression"),
        ("a: [b", "2:1 yaml-syntax"),
        ("a: 'b", "1:4 yaml-syntax"),
        ("a:\n\tb: 1", "2:2 yaml-syntax"),
        ("a: b\tc", "1:5 yaml-syntax"),
        ("a: 'b\tc' # \t", "{\"a\": \"b\\tc\"}"),
        ("a: |\n  b\tc\n", "{\"a\": \"b\\tc\\n\"}"),
        ("a: \u{1}", "1:4 yaml-syntax"),
        ("a: 1\n---\nb: 2", "2:1 yaml-syntax"),
        ("[a]: b", "1:1 yaml-syntax"),
        (": b", "1:1 yaml-syntax"),
        ("a: !own b", "1:4 unknown-tag"),
        ("", "null"),
    ] {
        check(text, expected);
    }
}

#[test]
fn lines_within_brackets_and_quotes_may_begin_anywhere() {
    for (text, expected) in [
        ("a:\n  b: [\n  1,\n2\n]", "{\"a\": {\"b\": [1, 2]}}"),
        ("a:\n  b: {\n    c: 1\n  }", "{\"a\": {\"b\": {\"c\": 1}}}"),
        (
            "a:\n  b: \"x\ny\\\"\nz\"",
            "{\"a\": {\"b\": \"x y\\\" z\"}}",
        ),
        (
            "a:\n  b: 'x\n''y'\nc: 1",
            "{\"a\": {\"b\": \"x 'y\"}, \"c\": 1}",
        ),
        ("- a: \"x\ny\"", "[{\"a\": \"x y\"}]"),
        ("- a: [\n]\n- - {\n}", "[{\"a\": []}, [{}]]"),
        ("a: |\n  x", "{\"a\": \"x\"}"),
        ("a: |\n  x\n  ", "{\"a\": \"x\\n\"}"),
        ("a: |\n  x\n", "{\"a\": \"x\\n\"}"),
        ("a: [\n1\nb: 2", "3:2 yaml-syntax"),
    ] {
        check(text, expected);
    }
}

#[test]
fn repeated_keys_are_told() {
    let duplicates = read("a: 1\nb: 2\na: 3")
        .expect("the text is YAML")
        .duplicates;
    assert_eq!(duplicates.len(), 1);
    assert_eq!(duplicates[0].span.start.line, 3);
    assert_eq!(duplicates[0].earlier.start.line, 1);
}
