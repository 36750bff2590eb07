//! Tests of values: JSON both ways, Python text, equality.

use super::*;

#[test]
fn json_round_trips() {
    for text in [
        "null",
        "[1,2.5,\"a\\n\\\"\\u0001é\",true,{}]",
        "{\"a\":{\"b\":[]},\"c\":123456789012345678901234567890}",
        "-9223372036854775808",
        "1e+16",
        "0.1",
    ] {
        assert_eq!(Value::from_json(text).unwrap().to_json().unwrap(), text);
    }
}

#[test]
fn bad_json_is_refused_with_a_position() {
    for (text, message) in [
        (
            "",
            "line 1, column 1: the text ends where a value was expected",
        ),
        ("[1,]", "line 1, column 4: a value was expected"),
        (
            "{\n\"a\":1,\"a\":2}",
            "line 2, column 7: the key 'a' occurs twice",
        ),
        ("01", "line 1, column 2: text after the end"),
        ("\"\\ud800\"", "half of a surrogate pair"),
        ("1e999", "too large"),
        ("{a:1}", "a key in double quotes"),
    ] {
        let error = Value::from_json(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    assert_eq!(Value::from_json(&"[".repeat(5000)), Err(JsonError::TooDeep));
}

#[test]
fn values_without_json_are_refused() {
    let dict: Dict = [(1, 2)].into_iter().collect();
    assert!(matches!(
        Value::from(dict).to_json(),
        Err(JsonError::Key { .. })
    ));
    assert!(matches!(
        Value::Float(f64::NAN).to_json(),
        Err(JsonError::NotFinite { .. })
    ));
    let span = Value::from(TimeSpan::from_microseconds(1));
    assert!(matches!(span.to_json(), Err(JsonError::Kind { .. })));
}

#[test]
fn python_reads_and_writes_more() {
    for (json, wanted) in [
        ("{\"a\": 1, \"b\": 2, \"a\": 3}", "{\"a\": 3, \"b\": 2}"),
        ("[NaN, Infinity, -Infinity]", "[NaN, Infinity, -Infinity]"),
        ("[1e999, -1e999]", "[Infinity, -Infinity]"),
    ] {
        let value = Value::from_python_json(json).unwrap();
        let written = value.to_python_json(None, false).unwrap();
        assert_eq!(written, wanted);
        assert!(Value::from_json(json).is_err(), "{json} is no JSON");
    }
    for text in ["-Inf", "nan", "Infinit", "--Infinity"] {
        assert!(Value::from_python_json(text).is_err(), "{text}");
    }
}

#[test]
fn text_is_python_s() {
    for (json, text) in [
        ("[1, \"a\", null, true]", "[1, 'a', None, True]"),
        (
            "{\"a\": \"b'c\", \"d\": \"\\n\\\"'\"}",
            "{'a': \"b'c\", 'd': '\\n\"\\''}",
        ),
        (
            "[1.0, 1e16, 1e-5, 123456789012345680.0, 0.0001, -0.0]",
            "[1.0, 1e+16, 1e-05, 1.2345678901234568e+17, 0.0001, -0.0]",
        ),
        ("\"plain\"", "plain"),
    ] {
        assert_eq!(Value::from_json(json).unwrap().to_text(), text);
    }
    assert_eq!(
        TimeSpan::from_microseconds(-1).to_text(),
        "-1 day, 23:59:59.999999"
    );
    assert_eq!(
        DateTime::from_instant(0, 3600).unwrap().to_text(' '),
        "1970-01-01 01:00:00+01:00"
    );
}

#[test]
fn equality_is_python_s() {
    let big = Value::from_json("9007199254740993").unwrap();
    assert_eq!(Value::from(1), Value::from(1.0));
    assert_eq!(Value::from(true), Value::from(1));
    assert_ne!(big, Value::Float(9_007_199_254_740_992.0));
    assert_ne!(Value::from("1"), Value::from(1));
    let left = Value::from_json("{\"a\":1,\"b\":2}").unwrap();
    assert_eq!(left, Value::from_json("{\"b\":2.0,\"a\":1}").unwrap());
    let mut dict = Dict::new();
    dict.insert(1, "int");
    assert_eq!(dict.get_value(&Value::from(1.0)), Some(Value::from("int")));
}

#[test]
fn a_view_is_read_by_key() {
    struct OnlyGet;
    impl View for OnlyGet {
        fn get(&self, key: &str) -> Option<Value> {
            (key == "a").then(|| Value::from(1))
        }
        fn entries(&self) -> Vec<(Arc<str>, Value)> {
            panic!("the whole dict was read")
        }
    }
    let value = Value::from(Dict::view(Arc::new(OnlyGet)));
    assert_eq!(value.get("a"), Some(Value::from(1)));
    assert_eq!(value.get("b"), None);
}
