//! Tests of templates: how strings, lists and dicts are evaluated, and what errors look like.

use super::*;
use crate::NoHost;

fn eval(template: &str, data: &str) -> String {
    let data = Value::from_json(data).unwrap();
    let (template, _) = Template::compile(&Value::from_json(template).unwrap());
    match template.eval(&Context::new(data, &NoHost)) {
        Ok(value) => value.to_json().unwrap(),
        Err(error) => format!("error: {}", error.message),
    }
}

#[test]
fn templates_are_evaluated() {
    for (template, data, wanted) in [
        (r#""plain""#, "null", r#""plain""#),
        (r#""<% $.a %>""#, r#"{"a":[1,null]}"#, "[1,null]"),
        (
            r#""x <% $.a %>""#,
            r#"{"a":[1,"b",null,true,1.0]}"#,
            r#""x [1, 'b', None, True, 1.0]""#,
        ),
        (r#""<% $ %> <% $ %>""#, "1", r#""1 1""#),
        (r#""<% $ %>\n""#, "1", r#""1\n""#),
        (r#""<% $\n %>""#, "1", r#""<% $\n %>""#),
        (
            r#"{"<% $ %>":["<% $ %>","{{ _ }}"]}"#,
            "1",
            r#"{"<% $ %>":[1,1]}"#,
        ),
        (r#""<% '<' + '% 1 %' + '>' %>""#, "1", r#""<% 1 %>""#),
        (r#""{{ _.a }}""#, r#"{"a":{"b":null}}"#, r#"{"b":null}"#),
        (
            r#""{{ _.a }}!""#,
            r#"{"a":{"b":null}}"#,
            r#""{'b': None}!""#,
        ),
        (r#""{{ _.a + 1 }}""#, r#"{"a":2}"#, "3"),
        (
            r#""{% if _.a %}yes{% else %}no{% endif %}""#,
            r#"{"a":2}"#,
            r#""yes""#,
        ),
        (
            r#""{% for x in _.l %}{{ x }},{% endfor %}""#,
            r#"{"l":[1,2]}"#,
            r#""1,2,""#,
        ),
        (r#""{{ _.get('x') }}""#, "{}", "null"),
        (r#""{{ +1 * +_.a }}""#, r#"{"a":2}"#, "2"),
        (r#""a{{ [+1, -1] }}""#, "{}", r#""a[1, -1]""#),
        (r#""{{ 1 | round(0, 'ceil') }}""#, "{}", "1.0"),
        (
            r#""{{ _.s | indent(2, true) }}""#,
            r#"{"s":"a\n\nb"}"#,
            r#""  a\n\n  b""#,
        ),
        (r#""<% [] * 9223372036854775807 %>""#, "{}", "[]"),
        (r#""{{ _.s | json_parse }}""#, r#"{"s":"[1]"}"#, "[1]"),
        (r#""{{ json_parse(_.s)[0] }}""#, r#"{"s":"[1]"}"#, "1"),
        (r#""{{ _.l | length }}""#, r#"{"l":[1,2]}"#, "2"),
        (
            r#""{{ _.d.items() | list }}""#,
            r#"{"d":{"a":1}}"#,
            r#"[["a",1]]"#,
        ),
    ] {
        assert_eq!(eval(template, data), wanted, "{template}");
    }
}

#[test]
fn lists_are_written_as_mistral_has_them() {
    for (template, data, wanted) in [
        (r#""<% 1 %>{{ 2 }}""#, "{}", r#""<% 1 %>2""#),
        (
            r#""<% str(json_parse('[1, [2]]')) %>""#,
            "{}",
            r#""[1, [2]]""#,
        ),
        (r#""<% str(json_parse('[[1]]')[0]) %>""#, "{}", r#""[1]""#),
        (
            r#""<% str($) + str(json_parse('true')) %>""#,
            "[1]",
            r#""(1,)true""#,
        ),
        (r#""{{ 1, _.a }}""#, r#"{"a":2}"#, "[1,2]"),
        (r#""{{_.a,}}""#, r#"{"a":2}"#, "[2]"),
        (
            r#""x {{ 1, _.a }} {{(1,)}}""#,
            r#"{"a":2}"#,
            r#""x (1, 2) (1,)""#,
        ),
        // The first braces end the expression, so this is text.
        (
            r#""{{ {'a': '%d' % 1, 'b': {'c': 1}} }}""#,
            "{}",
            r#""{'a': '1', 'b': {'c': 1}}""#,
        ),
    ] {
        assert_eq!(eval(template, data), wanted, "{template}");
    }
}

#[test]
fn failures_are_told() {
    for (template, data, wanted) in [
        (r#""<% $.a %>""#, "{}", "error: there is no key 'a'"),
        (
            r#""<% $.a + %>""#,
            "{}",
            "error: expected a value, found the end",
        ),
        (r#""<% 1 %>{{ 2 + }}""#, "{}", "Mixing expression types"),
        (r#""{{ _.a }}""#, "{}", "undefined"),
        (r#""{{ _.a.b }}""#, "{}", "undefined"),
        (r#""{{ a + }}""#, "{}", "syntax error"),
        (r#""{{ + }}""#, "{}", "syntax error"),
        (r#""{{ 1 is odd + 1 }}""#, "{}", "unexpected `+`"),
        (
            r#""{% set x = [1].append(2) %}{{ x }}""#,
            "{}",
            "values cannot be changed in place: there is no append()",
        ),
        (
            r#""{{ _.update(a=1) }}""#,
            "{}",
            "values cannot be changed in place: there is no update()",
        ),
        (r#""x {{ 1,, 2 }}""#, "{}", "unexpected `,`"),
        (
            r#""<% task(a) %>""#,
            "{}",
            "the function task() is not available here",
        ),
        (
            r#""{{ task('a') }}""#,
            "{}",
            "the function task() is not available here",
        ),
        (r#""<% sequence() %>""#, "{}", "too many steps"),
        (
            r#""{% for x in range(9999) %}{% for y in range(9999) %}{% endfor %}{% endfor %}""#,
            "{}",
            "too many steps",
        ),
    ] {
        let found = eval(template, data);
        assert!(found.contains(wanted), "{template}: {found}");
    }
}

#[test]
fn errors_show_where() {
    let (_, error) = Template::compile_str("a <% $.x + %> b");
    let shown = error.unwrap().render();
    assert_eq!(
        shown,
        "invalid YAQL expression: expected a value, found the end\n  \
         | a <% $.x + %> b\n  |            ^"
    );
    let (template, _) = Template::compile_str("<% 1 + $.x.y %>");
    let error = template
        .eval(&Context::new(Value::from(Dict::new()), &NoHost))
        .unwrap_err();
    assert_eq!(
        error.render(),
        "there is no key 'x'\n  | <% 1 + $.x.y %>\n  |        ^^^"
    );
}

#[test]
fn bad_strings_are_reported_with_their_path() {
    let value = Value::from_json(r#"{"a":[1,"<% ( %>"],"b":"<% 1 %>"}"#).unwrap();
    let (template, errors) = Template::compile(&value);
    assert!(!template.is_literal());
    let paths: Vec<_> = errors.into_iter().map(|error| error.path).collect();
    assert_eq!(
        paths,
        [[PathSegment::Key("a".into()), PathSegment::Index(1)]]
    );
}
