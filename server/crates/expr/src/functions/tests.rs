//! Runs the examples in the table of builtins.

use super::functions;
use crate::{Context, NoHost, Template, Value};

#[test]
fn every_example_is_true() {
    let mut wrong = Vec::new();
    for doc in functions() {
        for (expr, data, wanted) in doc.examples {
            let data = Value::from_json(data).unwrap();
            let (template, error) = Template::compile_str(&format!("<% {expr} %>"));
            assert!(error.is_none(), "{expr}: {error:?}");
            let found = template
                .eval(&Context::new(data, &NoHost))
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
fn every_builtin_is_documented() {
    for doc in functions() {
        assert!(doc.doc.ends_with('.'), "{}", doc.name);
        let impure = matches!(doc.name, "random" | "now");
        assert!(
            impure || !doc.examples.is_empty(),
            "{} has no example",
            doc.name
        );
    }
}
