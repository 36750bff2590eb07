//! Tests of the rendering: what comes out is read back by a YAML reader.

use serde_json::json;

use super::*;

fn rendered(value: &Value) -> String {
    render(value.as_object().expect("an object"))
}

/// Every tree means the same after a trip through the text.
#[test]
fn trees_survive() {
    for value in [
        json!({"a": 1}),
        json!({"a": {}, "b": [], "c": null, "d": true, "e": ""}),
        json!({"a": [[1, 2], [], {}, [[3]], {"x": [1], "y": {"z": 2}}]}),
        json!({"a": [{"first": {"deep": [1, {"k": "v"}]}, "second": 2}]}),
        json!({"n": [0, -1, 1.5, 18_446_744_073_709_551_615_u64, -9_223_372_036_854_775_808_i64]}),
        json!({"on": "on", "yes": "no", "null": "~", "1": "0x1", "": " x "}),
        json!({"a": "<% $.x = \"y\" %>", "b": "{{ _.x }}", "c": "@x", "d": "*y", "e": "&z", "f": "!t"}),
        json!({"a": "12:30:45", "b": "1_000", "c": "1e3", "d": ".5", "e": "0777", "f": "-"}),
        json!({"a": "x: y", "b": "x #y", "c": "- x", "d": "? x", "e": "[x", "f": "%x", "g": "`"}),
        json!({"a": "line\nline\n", "b": "\ttab", "c": "back\\slash", "d": "ü ✓ 🚢", "e": "\r\n"}),
        json!({"a": "nul\u{0} del\u{7f} nel\u{85} ls\u{2028} bom\u{feff}"}),
        json!({"a key: with # all": {"'quoted'": "\"both' quotes\""}}),
    ] {
        let text = rendered(&value);
        let read: Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(read, value, "{text}");
    }
}

/// Words that YAML 1.1 takes for something else are quoted, whatever today's reader does.
#[test]
fn quoting() {
    for (text, expected) in [
        ("word", "word"),
        ("std.http", "std.http"),
        ("on-success", "on-success"),
        ("T1_x", "T1_x"),
        ("On", "\"On\""),
        ("NO", "\"NO\""),
        ("y", "\"y\""),
        ("Null", "\"Null\""),
        ("2.0", "\"2.0\""),
        ("~", "\"~\""),
        ("a b", "\"a b\""),
        ("<% $ %>", "\"<% $ %>\""),
        ("a\u{85}b", "\"a\\u0085b\""),
    ] {
        let mut out = String::new();
        scalar_text(&mut out, text);
        assert_eq!(out, expected);
    }
}

#[test]
fn exponents_are_floats_in_yaml_1_1() {
    for (value, expected) in [(1e16, "1.0e+16"), (2.5e-9, "2.5e-9"), (-1e300, "-1.0e+300")] {
        let mut out = String::new();
        scalar(&mut out, &json!(value));
        assert_eq!(out, expected);
    }
}
