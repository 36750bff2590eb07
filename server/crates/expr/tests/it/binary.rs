//! Binary data is passed on whole; what would read inside says so.

use expr::{Context, EvalErrorKind, NoHost, Template, Value};

const DATA: &str = "{\"b\": {\"$binary\": {\"contentType\": \"image/png\", \"base64\": \"AAEC\"}}, \
                    \"l\": [1]}";
const BINARY: &str = "{\"$binary\":{\"contentType\":\"image/png\",\"base64\":\"AAEC\"}}";

fn eval(text: &str) -> Result<Value, EvalErrorKind> {
    let (template, error) = Template::compile_str(text);
    assert_eq!(error, None, "{text}");
    let data = Value::from_json(DATA).unwrap();
    template
        .eval(&Context::new(data, &NoHost))
        .map_err(|error| error.kind)
}

#[test]
fn binary_data_is_passed_on() {
    for (text, expected) in [
        ("<% $.b %>", BINARY.to_owned()),
        ("{{ _.b }}", BINARY.to_owned()),
        ("<% [$.b, 1] %>", format!("[{BINARY},1]")),
        ("{{ [_.b, 1] }}", format!("[{BINARY},1]")),
        ("<% dict(x => $.b).x %>", BINARY.to_owned()),
        ("<% $.get(b) = $.b %>", "true".to_owned()),
        ("<% coalesce(null, $.b) %>", BINARY.to_owned()),
        ("<% bool($.b) %>", "true".to_owned()),
        ("<% $.l.append($.b).last() %>", BINARY.to_owned()),
    ] {
        let value = eval(text).unwrap_or_else(|kind| panic!("{text}: {kind:?}"));
        assert_eq!(value.to_json().unwrap(), expected, "{text}");
    }
}

#[test]
fn reading_inside_is_refused() {
    for text in [
        "<% $.b.base64 %>",
        "<% $.b?.base64 %>",
        "<% $.b.get('$binary') %>",
        "<% $.b[0] %>",
        "<% $.b.len() %>",
        "<% len($.b) %>",
        "<% $.b + 'x' %>",
        "<% 'x' + $.b %>",
        "<% -$.b %>",
        "<% str($.b) %>",
        "<% str([$.b]) %>",
        "text <% $.b %>",
        "text <% [$.b] %>",
        "{{ _.b.base64 }}",
        "text {{ _.b }}",
        "text {{ [_.b] }}",
        "{{ _.b ~ 'x' }}",
        "{{ _.b | string }}",
        "{{ _ | string }}",
    ] {
        assert_eq!(eval(text), Err(EvalErrorKind::Opaque), "{text}");
    }
    for text in [
        "<% json_dump($.b) %>",
        "<% yaml_dump($.b) %>",
        "{{ json_dump(_.b) }}",
    ] {
        assert!(eval(text).is_err(), "{text}");
    }
}

#[test]
fn the_json_form_is_exact() {
    for (text, is_binary) in [
        (BINARY, true),
        ("{\"$binary\": {\"base64\": \"\"}}", true),
        (
            "{\"$binary\": {\"base64\": \"AA==\", \"metadata\": {\"key\": \"k1\"}}}",
            true,
        ),
        ("{\"$binary\": {\"contentType\": \"x\"}}", false),
        ("{\"$binary\": {\"base64\": \"%%\"}}", false),
        ("{\"$binary\": {\"base64\": \"AA==\", \"more\": 1}}", false),
        ("{\"$binary\": \"AA==\"}", false),
        ("{\"$binary\": {\"base64\": \"AA==\"}, \"x\": 1}", false),
    ] {
        let value = Value::from_json(text).unwrap();
        assert_eq!(matches!(value, Value::Binary(_)), is_binary, "{text}");
        let again = Value::from_json(&value.to_json().unwrap()).unwrap();
        assert_eq!(again, value, "{text}");
    }
}
