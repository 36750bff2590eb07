//! Findings in expressions of both languages.

use crate::{FindingKind, Template};

/// What is told about a text: kind, and the part it is about.
fn check(text: &str, expected: &[&str]) {
    let (template, error) = Template::compile_str(text);
    assert_eq!(error, None, "{text}");
    let found: Vec<String> = template
        .inspect()
        .into_iter()
        .map(|finding| {
            let part = &text[finding.span];
            match finding.kind {
                FindingKind::Variable(name) => format!("variable {name} at {part}"),
                FindingKind::Task(name) => format!("task {name} at {part}"),
                FindingKind::UnknownFunction(name, form) => {
                    format!("{} at {part}", crate::unknown_function(&name, form))
                }
                FindingKind::ChangesInPlace(name) => format!("change {name} at {part}"),
                FindingKind::UnknownName(name) => format!("name {name} at {part}"),
                FindingKind::UnknownFilter(name) => {
                    format!("{} at {part}", crate::unknown_filter(&name))
                }
                FindingKind::UnknownTest(name) => {
                    format!("{} at {part}", crate::unknown_test(&name))
                }
                FindingKind::WrongArguments(name) => format!("arguments of {name} at {part}"),
            }
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn names_of_the_data_are_found() {
    check(
        "<% $.a + $.b.c %>",
        &["variable a at $.a", "variable b at $.b"],
    );
    check(
        "x <% $.a %> y <% $.b %>",
        &["variable a at $.a", "variable b at $.b"],
    );
    check(
        "<% $.list.where($.x > $.y) %>",
        &["variable list at $.list"],
    );
    check(
        "<% $.a.get(b, $.c) %>",
        &["variable a at $.a", "variable c at $.c"],
    );
    check("<% let(x => $.a) -> $.b + $x %>", &["variable a at $.a"]);
    check("<% $.get(a) %>", &[]);
    check("<% switch($.a => $.b) %>", &[]);
    check("<% coalesce($.a, 1) %>", &[]);
    check(
        "{{ _.a + _.b.c }}",
        &["variable a at _.a", "variable b at _.b"],
    );
    check(
        "{% for x in _.a %}{{ x.y }}{% endfor %}",
        &["variable a at _.a"],
    );
    check("{{ _.a | default(1) }}", &[]);
    check("{{ _.get('a') }}", &[]);
    check("{{ _['a'] }}", &[]);
}

#[test]
fn calls_that_must_fail_are_found() {
    check(
        "<% lenn($.a) %>",
        &["there is no function lenn() (did you mean len()?) at lenn"],
    );
    check("<% def(f, $ + 1) -> f(1) %>", &[]);
    check("<% task().result + env().x %>", &[]);
    check("<% task(t1).result %>", &["task t1 at t1"]);
    check("{{ task('t1').result }}", &["task t1 at 't1'"]);
    check("{{ foo(1) }}", &["name foo at foo"]);
    check("{{ range(3) | list }}", &[]);
    check("{{ [1].append('.pop()') }}", &["change append at append"]);
    check("a.sort() {{ '.sort()' }}{{ 1 }}.sort()", &[]);
    check("{% set a = 1 %}{{ a }}", &[]);
}

#[test]
fn filters_and_tests_that_do_not_exist_are_found() {
    let upper = "there is no filter `uper` (did you mean `upper`?) at uper";
    let odd = "there is no test `od` (did you mean `odd`?) at od";
    for (text, expected) in [
        ("{{ 'a' | uper }}", &[upper][..]),
        (
            "{{ ('a'|uper|length)|abs }} {{ 'b'|uper() }}",
            &[upper, upper],
        ),
        ("| uper {{ '| uper' }} {# {{ 'a' | uper }} #}", &[]),
        ("{% raw %}{{ 'a' | uper }}{% endraw %}{{ 1 }}", &[]),
        ("{% filter uper | trim %} a {% endfilter %}", &[upper]),
        ("{%- filter trim | uper %} a {% endfilter %}", &[upper]),
        ("{% set x | uper %} a {% endset %}{{ x }}", &[upper]),
        ("{% for x in [1] if x is od %}{{ x }}{% endfor %}", &[odd]),
        ("{{ 1 is od and 2 is not od }}", &[odd, odd]),
        ("{{ 1 is odd or 'a' is in ['a'] or none is not none }}", &[]),
        (
            "{{ {'is': 1}.is }}{% set is = 1 %}{{ is and is or is }}",
            &[],
        ),
        ("{% set is = 1 %}{{ is is od }}", &[odd]),
        ("{{ 2 if is is defined and is else 1 }}", &[]),
        ("{{ ['a'] | map('uper') | list }}", &[upper]),
        ("{{ ['a'] | map(attribute='uper') | list }}", &[]),
        ("{{ ['a'] | map('u' ~ 'per') | list }}", &[]),
        (
            "{{ [1] | select('od') | list + [1] | reject(\"od\", 1) | list }}",
            &[odd, odd],
        ),
        ("{{ [{}] | selectattr('od') | list }}", &[]),
        ("{{ [{}] | rejectattr('od', 'od') | list }}", &[odd]),
        ("{{ [1] | select('==', 1) | list }}", &[]),
        ("{% if 'uper' is filter %}{{ 'a' | uper }}{% endif %}", &[]),
        (
            "{{ 'a' | uper if 'od' is test and 1 is od else 2 }}",
            &[upper],
        ),
        ("{{ 1 | json_dump | yaml_parse | tojson }}", &[]),
        ("{{ 1 | a.b }}", &["there is no filter `a.b` at a.b"]),
        (
            "{{ 1 | to_json }}",
            &["there is no filter `to_json` (did you mean `tojson`?) at to_json"],
        ),
        ("{{ 'größe' | uper }}", &[upper]),
    ] {
        check(text, expected);
    }
}

#[test]
fn numbers_of_arguments_are_checked() {
    for (text, is_wrong) in [
        ("<% len() %>", true),
        ("<% len($, 1) %>", true),
        ("<% $.len() %>", false),
        ("<% 'a'.split(',') %>", false),
        ("<% $.get(a, b, c) %>", true),
        ("<% range(1, 2, 3) %>", false),
        ("<% range() %>", true),
        ("<% dict(a => 1) %>", false),
        ("<% $.foo.where() %>", true),
    ] {
        let found = Template::compile_str(text).0.inspect();
        let wrong = found
            .iter()
            .any(|one| matches!(one.kind, FindingKind::WrongArguments(_)));
        assert_eq!(wrong, is_wrong, "{text} {found:?}");
    }
}
