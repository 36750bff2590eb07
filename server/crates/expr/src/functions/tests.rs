//! Runs the examples in the table of builtins.

use std::sync::Arc;

use super::functions;
use crate::{Context, Host, HostError, NoHost, Template, Value};

/// The workflow that the examples are about.
struct Sample;

impl Host for Sample {
    fn call(
        &self,
        name: &str,
        args: &[Value],
        named: &[(Arc<str>, Value)],
    ) -> Result<Value, HostError> {
        let first = args.first().map(Value::to_text).unwrap_or_default();
        let json = match (name, first.as_str()) {
            ("env", _) => r#"{"region": "eu"}"#,
            ("execution", _) => r#"{"id": "e-2", "name": "order", "input": {"count": 2}}"#,
            ("executions", _) => r#"[{"id": "e-1", "state": "ERROR"}]"#,
            ("task", "pay") => r#"{"name": "pay", "state": "SUCCESS", "result": 5}"#,
            ("task", "ship") => r#"{"name": "ship", "state": "ERROR"}"#,
            ("tasks", _) => {
                r#"[{"name": "pay", "state": "SUCCESS"}, {"name": "ship", "state": "ERROR"}]"#
            }
            ("global", "price") => "12.5",
            ("global", _) => "null",
            ("uuid", _) => r#""f5b7a2c0-6f6a-4a52-9f7e-0f3f5a0c1d2e""#,
            ("now", _) => "1700000000000000",
            ("random", _) => "0.5",
            _ => return NoHost.call(name, args, named),
        };
        Ok(Value::from_json(json).expect("the answers are JSON"))
    }
}

#[test]
fn every_example_is_true() {
    let mut wrong = Vec::new();
    for doc in functions() {
        for (expr, data, wanted) in doc.examples {
            let data = Value::from_json(data).unwrap();
            let (template, error) = Template::compile_str(&format!("<% {expr} %>"));
            assert!(error.is_none(), "{expr}: {error:?}");
            let found = template
                .eval(&Context::new(data, &Sample))
                .map_err(|error| error.message)
                .and_then(|value| value.to_json().map_err(|error| error.to_string()));
            let wanted = Value::from_json(wanted).unwrap().to_json().unwrap();
            if found.as_ref() != Ok(&wanted) {
                wrong.push(format!("{expr}: {found:?}, not {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_is_documented() {
    for doc in functions() {
        assert!(doc.doc.ends_with('.'), "{}", doc.name);
        let shown = (doc.name, doc.signature);
        assert!(doc.examples.len() >= 2, "{shown:?} has too few examples");
    }
}

#[test]
fn every_function_of_the_host_is_documented() {
    for name in crate::HOST_FUNCTIONS {
        assert!(functions().iter().any(|doc| doc.name == *name), "{name}");
    }
}

#[test]
fn fractions_of_seconds_are_rounded_as_by_python() {
    for (seconds, wanted) in [
        ("93564495405.27856", "278564"),
        ("199802113431.64087", "640869"),
        ("1.0000005", "1"),
        ("-0.25", "750000"),
    ] {
        let (template, _) =
            Template::compile_str(&format!("<% datetime({seconds}).microsecond %>"));
        let found = template.eval(&Context::new(Value::Null, &NoHost));
        assert_eq!(found.unwrap().to_text(), wanted, "{seconds}");
    }
}

#[test]
fn levels_below_zero_merge_everything() {
    for levels in ["-1", "-9223372036854775807 - 1"] {
        let text = format!(
            "<% {{a => {{b => {{c => 1}}}}}}.mergeWith({{a => {{b => {{d => 2}}}}}}, \
             maxLevels => {levels}) %>"
        );
        let (template, _) = Template::compile_str(&text);
        let found = template.eval(&Context::new(Value::Null, &NoHost));
        assert_eq!(
            found.unwrap().to_json().unwrap(),
            r#"{"a":{"b":{"c":1,"d":2}}}"#
        );
    }
}

#[test]
fn what_is_handed_on_is_a_plain_sequence() {
    for expr in [
        "[3, 1].orderBy($).memorize().len()",
        "{a => 1, b => 2}.values().memorize().len()",
        "[3, 1].orderBy($).defaultIfEmpty([]).len()",
        "[].defaultIfEmpty([3, 1].orderBy($)).len()",
        "{a => 1, b => 2}.values().defaultIfEmpty([]).len()",
    ] {
        let (template, _) = Template::compile_str(&format!("<% {expr} %>"));
        let found = template.eval(&Context::new(Value::Null, &NoHost));
        assert_eq!(found.unwrap().to_text(), "2", "{expr}");
    }
}
