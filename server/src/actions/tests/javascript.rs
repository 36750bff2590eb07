//! Tests of `std.javascript`: values in and out, what goes wrong, limits, cancelling.

use std::time::Duration;

use engine::Outcome;
use tokio::time::timeout;

use super::{Bench, error_text, open_config};
use crate::actions::Config;

/// What a test waits for at most; none comes near it.
const PATIENCE: Duration = Duration::from_mins(1);

fn input(script: &str, context: &str) -> String {
    format!(
        r#"{{"script": {}, "context": {context}}}"#,
        serde_json::Value::from(script)
    )
}

fn small() -> Config {
    let mut config = open_config();
    config.javascript.timeout_s = 1;
    config.javascript.memory_bytes_max = 8 << 20;
    config
}

#[tokio::test]
async fn results_are_what_a_workflow_holds() {
    let cases = [
        ("return $.a + $.b.length", r#"{"a": 1, "b": [1, 2]}"#, "3"),
        (
            "return $",
            r#"{"a": [null, true, "ä\u0000", 1.5, {}]}"#,
            r#"{"a":[null,true,"ä\u0000",1.5,{}]}"#,
        ),
        ("return $", "null", "null"),
        ("", "1", "null"),
        ("return", "1", "null"),
        ("return 7 // a comment", "null", "7"),
        (
            "sum = 0; for (i of $) sum += i; return sum",
            "[1, 2, 3]",
            "6",
        ),
        (
            "return [1 / 2, 4 / 2, -0, 1e21, 2 ** 53, 2 ** 53 - 1]",
            "null",
            "[0.5,2,0,1e+21,9007199254740992.0,9007199254740991]",
        ),
        (
            "return $",
            "[9007199254740993, -9223372036854775809]",
            "[9007199254740993,-9223372036854775809]",
        ),
        (
            "return $.a[1].b + 1n",
            r#"{"a": [1, {"b": 9007199254740992, "c": 2}]}"#,
            "9007199254740993",
        ),
        (
            "return typeof $.__proto__",
            r#"{"__proto__": 9007199254740993}"#,
            r#""bigint""#,
        ),
        (
            "return 2n ** 100n",
            "null",
            "1267650600228229401496703205376",
        ),
        (
            "return {a: undefined, b: [undefined], c: null}",
            "null",
            r#"{"b":[null],"c":null}"#,
        ),
        (
            "return new Date(0)",
            "null",
            r#""1970-01-01T00:00:00.000Z""#,
        ),
        (
            "return typeof require + typeof process + typeof fetch",
            "null",
            r#""undefinedundefinedundefined""#,
        ),
        ("const o = {}; return [o, o]", "null", "[{},{}]"),
    ];
    let bench = Bench::open();
    for (script, context, expected) in cases {
        let outcome = bench.run("std.javascript", &input(script, context)).await;
        let Outcome::Success(data) = outcome else {
            panic!("{script}: {outcome:?}");
        };
        assert_eq!(&**data.text(), expected, "{script}");
    }
}

/// Runs scripts that fail within small limits.
async fn check_failures(cases: &[(&str, &str)]) {
    let bench = Bench::with(&small());
    let mut wrong = Vec::new();
    for (script, expected) in cases {
        let outcome = bench.run("std.js", &input(script, "null")).await;
        let text = error_text(&outcome);
        let found = text.strip_prefix("JavaScriptAction failed: ");
        if !found.is_some_and(|found| found.contains(expected)) {
            wrong.push(format!("{script}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_is_thrown_is_told_with_its_line() {
    check_failures(&[
        (
            "let a = 1;\nreturn a.b.c",
            "TypeError: cannot read property 'c' of undefined (line 2)",
        ),
        (
            "return nope",
            "ReferenceError: nope is not defined (line 1)",
        ),
        (
            "\n\nthrow new RangeError('too far')",
            "RangeError: too far (line 3)",
        ),
        ("throw 'a text'", "a text"),
        ("throw {code: 7}", r#"{"code":7}"#),
        ("throw null", "null"),
        (
            "return 9007199254740993n + 1",
            "TypeError: cannot convert BigInt to number",
        ),
        ("return (", "SyntaxError: unexpected token"),
    ])
    .await;
    let outcome = Bench::open()
        .run("std.js", r#"{"script": ["return 1"]}"#)
        .await;
    assert_eq!(
        error_text(&outcome),
        "JavaScriptAction failed: 'script' must be a text"
    );
}

#[tokio::test]
async fn what_a_workflow_cannot_hold_is_named() {
    check_failures(&[
        (
            "return () => 1",
            "the result is a function, which a workflow cannot hold",
        ),
        (
            "return {a: [1, Symbol()]}",
            "the result.a[1] is a symbol, which a workflow cannot hold",
        ),
        (
            "return [0 / 0]",
            "the result[0] is NaN, which a workflow cannot hold",
        ),
        (
            "return -1 / 0",
            "the result is infinite, which a workflow cannot hold",
        ),
        (
            "return (async () => 1)()",
            "the result is a promise, which a workflow cannot hold",
        ),
        (
            "return '\\ud800'",
            "the result is a text with half a character",
        ),
        (
            "const a = []; a.push(a); return a",
            "nested too deeply, or within itself",
        ),
        (
            "return new Array(4e9)",
            "the result has more than 2097152 bytes",
        ),
        (
            "let a = 'x'; for (let i = 0; i < 40; i++) a = [a, a]; return a",
            "the result has more than 2097152 bytes",
        ),
    ])
    .await;
}

#[tokio::test]
async fn limits_end_a_script() {
    check_failures(&[
        (
            "function f() { return f() + 1 } return f()",
            "call stack size exceeded",
        ),
        ("while (true) {}", "the script ran longer than 1 s"),
        (
            "return /^(a+)+$/.test('a'.repeat(60) + 'b')",
            "the script ran longer than 1 s",
        ),
        (
            "try { while (true) {} } finally { return 1 }",
            "the script ran longer than 1 s",
        ),
        (
            "return {toJSON() { while (true) {} }}",
            "the script ran longer than 1 s",
        ),
        (
            "const a = []; while (true) a.push(new Array(1000).fill(1))",
            "the script needs more than 8388608 bytes of memory",
        ),
        (
            "return 'x'.repeat(1e9)",
            "the script needs more than 8388608 bytes of memory",
        ),
    ])
    .await;
}

/// A cancelled script gives its slot back at once, long before its time is over.
#[tokio::test]
async fn a_cancelled_script_stops() {
    let mut config = open_config();
    config.javascript.concurrency_max = 1;
    config.javascript.timeout_s = 86_400;
    let bench = Bench::with(&config);
    let endless = bench.dispatch("std.js", &input("while (true) {}", "null"));
    bench.runner.run(endless.clone());
    // Lets it begin; if it did not stop, the runtime would wait for its thread for ever.
    tokio::task::yield_now().await;
    bench.runner.cancel(endless.action);
    let outcome = timeout(PATIENCE, bench.run("std.js", &input("return 1", "null"))).await;
    assert!(matches!(outcome, Ok(Outcome::Success(_))), "{outcome:?}");
}
