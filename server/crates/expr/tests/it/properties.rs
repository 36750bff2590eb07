//! Properties that hold for every text: compiling never panics, evaluation ends.

use expr::{Context, FindingKind, Limits, NoHost, Template, Value};
use proptest::prelude::*;

/// Pieces that expressions are made of, put together at random.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "$",
        "$.a",
        "$x",
        "1",
        "2.5",
        "'s'",
        "\"q\"",
        "`v`",
        "null",
        "true",
        "false",
        "key",
        "+",
        "-",
        "*",
        "/",
        " mod ",
        " and ",
        " or ",
        "not ",
        " in ",
        "=",
        "!=",
        "<",
        ">",
        "<=",
        "=~",
        "!~",
        ".",
        "?.",
        "->",
        "=>",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "len(",
        "list(",
        ".select(",
        ".where(",
        ".sum(",
        "range(",
        "let(",
        "dict(",
        ".first(",
        ".toList(",
        "str(",
        "switch(",
        ".aggregate(",
        ".orderBy(",
        ".get(",
        ".groupBy(",
        "sequence(",
        "\\",
        "é",
        "\n",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

/// What expressions are built of: `%` and `&` stand for smaller ones.
const LEAF: &[&str] = &[
    "$",
    "$.a",
    "$.b.c",
    "1",
    "-2",
    "2.5",
    "'s'",
    "null",
    "true",
    "[1, 2, 3]",
    "{a => 1}",
    "range(5)",
    "sequence()",
    "set(1, 2)",
    "'2020-01-01'",
    "timespan(1)",
];
/// Forms of one smaller expression.
const UNARY: &[&str] = &[
    "-(%)",
    "not (%)",
    "(%).len()",
    "(%).toList()",
    "(%).select($)",
    "(%).sum()",
    "str(%)",
    "(%).first()",
    "(%).flatten()",
    "(%).keys()",
    "(%).distinct()",
    "int(%)",
    "(%).cycle()",
    "(%).toSet()",
    "(%).reverse()",
    "(%).orderBy($)",
    "json_dump(%)",
    "[%]",
    "(%).count()",
];
/// Forms of two.
const BINARY: &[&str] = &[
    "(%) + (&)",
    "(%) - (&)",
    "(%) * (&)",
    "(%) / (&)",
    "(%) mod (&)",
    "(%) = (&)",
    "(%) < (&)",
    "(%) in (&)",
    "(%) and (&)",
    "let(x => %) -> &",
    "(%).where(&)",
    "(%).select(&)",
    "(%).take(&)",
    "(%).aggregate(&)",
    "(%).zip(&)",
    "(%).join(&)",
    "dict(a => %, b => &)",
    "(%).append(&)",
    "(%)[&]",
    "max(%, &)",
    "(%).groupBy(&)",
    "generate(%, &, $)",
    "(%).repeat(&)",
    "(%).insert(&, 1)",
    "(%).toDict(&)",
];

/// Pieces that templates are made of.
fn template() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "_",
        ".a",
        ".b.c",
        "[0]",
        "[::-1]",
        "1",
        "'s'",
        "none",
        "true",
        " | ",
        "length",
        "list",
        "join",
        "map('upper')",
        "map('uper')",
        "uper",
        "filter ",
        "endfilter",
        "batch(2)",
        "wordwrap(1)",
        "center(99)",
        "truncate(2)",
        "tojson",
        "format(1)",
        " is ",
        "defined",
        "odd",
        "od",
        "not ",
        "is",
        " if ",
        " else ",
        "endif",
        "for x in _.a",
        "endfor",
        "set x = 1",
        "macro m()",
        "endmacro",
        "m()",
        "x",
        " + ",
        " * ",
        " ** ",
        " ~ ",
        " // ",
        "(",
        ")",
        "range(9)",
        ".zfill(3)",
        ".split()",
        ".format(1)",
        "-",
        " ",
        "\n",
        "é",
        "raw",
        "endraw",
    ]);
    prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
}

/// Expressions that parse, most of the time.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAF).prop_map(ToString::to_string);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let unary = prop::sample::select(UNARY);
        let binary = prop::sample::select(BINARY);
        prop_oneof![
            (unary, inner.clone()).prop_map(|(form, a)| form.replace('%', &a)),
            (binary, inner.clone(), inner)
                .prop_map(|(form, a, b)| form.replace('&', &b).replace('%', &a)),
        ]
    })
}

fn run(text: &str) {
    let (template, error) = Template::compile_str(text);
    if let Some(error) = error {
        assert!(error.span.end <= text.len());
        error.render();
    }
    let findings = template.inspect();
    for finding in &findings {
        assert!(text.get(finding.span.clone()).is_some(), "{finding:?}");
    }
    let data = Value::from_json("{\"a\": [1, 2], \"b\": {\"c\": \"x\"}}").unwrap();
    let limits = Limits {
        steps: 20_000,
        ..Limits::default()
    };
    let cx = Context {
        limits,
        ..Context::new(data, &NoHost)
    };
    match template.eval(&cx) {
        Ok(value) => {
            value.to_text();
            let _ = value.to_json();
        }
        Err(error) => {
            error.render();
            let told = |is: fn(&FindingKind) -> bool| findings.iter().any(|one| is(&one.kind));
            if error.message.starts_with("unknown filter") {
                assert!(
                    told(|kind| matches!(kind, FindingKind::UnknownFilter(_))),
                    "{text}"
                );
            }
            if error.message.starts_with("unknown test") {
                assert!(
                    told(|kind| matches!(kind, FindingKind::UnknownTest(_))),
                    "{text}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_is_refused(text in ".{0,60}") {
        run(&text);
        run(&format!("<% {text} %>"));
        run(&format!("{{{{ {text} }}}}"));
    }

    #[test]
    fn any_soup_of_pieces_ends(text in soup()) {
        run(&format!("<% {text} %>"));
    }

    #[test]
    fn any_expression_ends(text in expression()) {
        run(&format!("<% {text} %>"));
    }

    #[test]
    fn any_template_ends(text in template()) {
        run(&text);
        run(&format!("{{{{ {text} }}}}"));
        run(&format!("{{% if {text} %}}{{{{ {text} }}}}{{% endif %}}"));
    }

    /// Evaluating the same template again gives the same, within the same limits.
    #[test]
    fn evaluation_repeats(text in expression()) {
        let (template, _) = Template::compile_str(&format!("<% {text} %>"));
        let data = Value::from_json("{\"a\": [1, 2], \"b\": {\"c\": \"x\"}}").unwrap();
        let limits = Limits { steps: 20_000, ..Limits::default() };
        let cx = Context { limits, ..Context::new(data, &NoHost) };
        let shown = || template.eval(&cx).map(|value| value.to_text());
        prop_assert_eq!(shown(), shown());
    }

    #[test]
    fn json_reads_what_it_wrote(text in expression()) {
        let value = Value::from(text.as_str());
        prop_assert_eq!(Value::from_json(&value.to_json().unwrap()).unwrap(), value);
    }
}
