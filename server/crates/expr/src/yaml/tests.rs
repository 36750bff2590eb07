//! Tests of YAML; the wanted values are PyYAML's.

use super::*;

#[test]
fn documents_are_read() {
    for (yaml, json) in [
        ("", "null"),
        (
            "a: [yes, No, on, OFF, y]",
            r#"{"a":[true,false,true,false,"y"]}"#,
        ),
        (
            "[0777, 1_000, 0b101, 0x1F, 12:30:45, 0, -5, +3]",
            "[511,1000,5,31,45045,0,-5,3]",
        ),
        (
            "[1e3, 1.5e+3, 1.e3, .5, 1_0.5, 1.]",
            r#"["1e3",1500.0,"1.e3",0.5,10.5,1.0]"#,
        ),
        (
            "[~, null, Null, '', \"null\"]",
            r#"[null,null,null,"","null"]"#,
        ),
        ("18446744073709551616", "18446744073709551616"),
        (
            "a: |\n  x\n  y\nb: >\n  x\n  y\n",
            r#"{"a":"x\ny\n","b":"x y\n"}"#,
        ),
        ("- a\n-\n  - b\n- c: d\n", r#"["a",["b"],{"c":"d"}]"#),
        ("{a: 1, a: 2}", r#"{"a":2}"#),
        ("2020-01-01", r#""2020-01-01""#),
        ("08", r#""08""#),
        ("[&x 1, *x, '&y', @z]", r#"["&x 1","*x","&y","@z"]"#),
        ("[!!str 1, !!int \"2\", !!float 1, ! 5]", r#"["1",2,1.0,5]"#),
        (
            "{b: 0, <<: [{a: 1, b: 1}, {a: 2, c: 2}]}",
            r#"{"a":1,"c":2,"b":0}"#,
        ),
        ("{=: 1}", r#"{"=":1}"#),
    ] {
        assert_eq!(parse(yaml).unwrap().to_json().unwrap(), json, "{yaml}");
    }
}

#[test]
fn bad_documents_are_refused() {
    for (yaml, message) in [
        ("a: [", "invalid YAML"),
        ("a: !t 1", "the tag `!t`"),
        ("a: !!set {x}", "the tag `!!set`"),
        ("a: !!int x", "`x` is no number"),
        ("- <<", "`<<` is no number"),
        ("<<: *a", "merges a mapping"),
        ("--- 1\n--- 2", "more than one document"),
        ("{[1]: 2}", "a list cannot be a key"),
        (&"[".repeat(150), "deeper"),
        (&"[".repeat(90_000), "limit"),
        (&" ".repeat(2_000_000), "longer"),
    ] {
        let error = parse(yaml).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn documents_are_written() {
    for (json, yaml) in [
        (
            r#"{"b":{"c":{}},"a":[1,"x",null,true,1.5,"yes","1",""," a","a: b","m\nl","é"],"d":[]}"#,
            "a:\n- 1\n- x\n- null\n- true\n- 1.5\n- 'yes'\n- '1'\n- ''\n- ' a'\n- 'a: b'\n- 'm\n\n  \
             l'\n- \"\\xE9\"\nb:\n  c: {}\nd: []\n",
        ),
        (r#"[[1],{"a":1,"b":[2]}]"#, "- - 1\n- a: 1\n  b:\n  - 2\n"),
        (r#""str""#, "str\n...\n"),
        ("5", "5\n...\n"),
        ("[]", "[]\n"),
        ("1e20", "1.0e+20\n...\n"),
        (r#""12:30""#, "'12:30'\n"),
        (r#""2020-01-01""#, "'2020-01-01'\n"),
        (r#""1e3""#, "1e3\n...\n"),
        (r#"":a""#, ":a\n...\n"),
        (r#""- a""#, "'- a'\n"),
        (r#""it's""#, "it's\n...\n"),
        (r#""tab\t""#, "\"tab\\t\"\n"),
        (r#""@x""#, "'@x'\n"),
    ] {
        let value = Value::from_json(json).unwrap();
        let written = dump(&value).unwrap();
        assert_eq!(written, yaml, "{json}");
        assert_eq!(parse(&written).unwrap(), value, "{json}");
    }
}
