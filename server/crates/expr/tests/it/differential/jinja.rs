//! The same comparison for Jinja2: generated templates and data go through Jinja2, set up as
//! Mistral sets it up, and through this crate. What may differ is listed in `jinja_allowed`.

use std::collections::BTreeMap;

use expr::{Context, EvalErrorKind, NoHost, Template, Value};

use super::dice::Dice;
use super::jinja_allowed as allowed;
use super::jinja_forms::{BLOCKS, FORMS, LITERALS};
use super::oracle::{self, Oracle};
use super::{Found, canonical, judge, leaves};

const PAIRS: usize = 3_000;

#[test]
fn jinja_is_jinja_with_a_fixed_seed() {
    compare(1);
}

#[test]
fn jinja_is_jinja_with_a_fresh_seed() {
    compare(super::fresh_seed());
}

#[test]
fn every_filter_and_test_of_jinja_exists() {
    let Some(lines) = oracle::output("jinja_oracle.py", "--names") else {
        return;
    };
    assert!(lines.len() > 90, "Jinja2 lists its names");
    let missing: Vec<String> = lines
        .iter()
        .map(|line| Value::from_json(line).expect("each line is JSON"))
        .map(|line| {
            let part = |key| line.get(key).unwrap_or_default().to_text();
            (part("kind"), part("name"))
        })
        .filter(|(kind, name)| !exists(kind, name))
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

#[test]
fn links_are_those_of_jinja() {
    let Some(oracle) = Oracle::start("jinja_oracle.py") else {
        return;
    };
    let texts = [
        "http://a.example.com and https://b.example.org/x?y=1&z=<2>#top, www.c.de.",
        "see (http://a.example.com/x_(y)) or <https://b.example.net> or (www.c.de/(z).",
        "example.com plain.gov:80/a not.example a.b WWW.EXAMPLE.COM http://x",
        "http://127.0.0.1:8080/x http://[::1:2]/ http://[fe80:0:0:1]:80 http://999 http://",
        "me@example.com, mailto:you@example.com @a@b a@b x:y@z.de www.a@b.de (he@example.org)",
        "tel:123 ftp://files.example.com/x ftp:// tel: git+ssh://h",
        "((((http://a.example.com))))... http://a.example.com/((((b)))",
        "größe.com http://größe.example/ü xn--a.com http://xn--a\u{2028}http://b.de\thttp://c.de\n",
        "https://a.example.com/?q=\"quoted\"&r='single' ) ( , . <>",
        "  http://a.example.com\u{1c}http://b.example.com  ",
        "",
    ];
    let filters = [
        "urlize",
        "urlize(12)",
        "urlize(-3, true)",
        "urlize(0, nofollow=true, target='_blank')",
        "urlize(none, rel='b a b', target='\"x')",
        "urlize(extra_schemes=['tel:', 'ftp://', 'git+ssh://'])",
        "urlize(extra_schemes=['x'])",
        "urlize(rel=1)",
    ];
    let cases: Vec<(String, String)> = texts
        .iter()
        .flat_map(|text| {
            let data = expr::Dict::from_iter([(std::sync::Arc::from("t"), Value::from(*text))]);
            let data = Value::Dict(data).to_json().expect("text is JSON");
            filters.map(|filter| (format!("{{{{ _.t | {filter} }}}}"), data.clone()))
        })
        .chain(
            [
                "{{ [] | urlize }}",
                "{{ 1 | urlize }}",
                "{{ _.x | urlize }}",
            ]
            .map(no_data),
        )
        .chain(["{{ [] | random is undefined }}", "{{ 1 | random }}"].map(no_data))
        .collect();
    let answers = oracle.ask(&cases);
    for ((text, data), answer) in cases.iter().zip(&answers) {
        let found = run(text, data);
        assert!(
            judge(&found, answer).is_ok(),
            "{text} {data}\n  here   {found:?}\n  python {answer:?}"
        );
    }
}

#[test]
fn lines_are_cut_as_by_jinja() {
    let Some(oracle) = Oracle::start("jinja_oracle.py") else {
        return;
    };
    let parts = [
        "a",
        "bc",
        "long",
        "-",
        "--",
        "---",
        " ",
        "  ",
        "_",
        "1",
        "23",
        ".",
        "!",
        "'",
        "(",
        "ü",
        "\t",
        "\n",
        "\r\n",
        "\u{b}",
        "\u{c}",
        "\u{1c}",
        "\u{1f}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "long-lived",
        "a-b-c",
    ];
    let filters = [
        "wordwrap(5)",
        "wordwrap(3, false)",
        "wordwrap(8, wrapstring='|')",
        "wordwrap(6, break_on_hyphens=false)",
        "wordwrap(4, false, break_on_hyphens=false)",
        "wordwrap(1)",
        "indent(2)",
        "indent(first=true, blank=true)",
        "indent('> ', true)",
    ];
    let mut dice = Dice::new(1);
    let cases: Vec<(String, String)> = (0..3_000)
        .map(|_| {
            let count = dice.roll(14);
            let text: String = (0..count).map(|_| dice.pick(&parts)).collect();
            let data = expr::Dict::from_iter([(std::sync::Arc::from("t"), Value::from(text))]);
            let filter = dice.pick(&filters);
            let data = Value::Dict(data).to_json().expect("text is JSON");
            (format!("{{{{ _.t | {filter} }}}}"), data)
        })
        .collect();
    let answers = oracle.ask(&cases);
    for ((text, data), answer) in cases.iter().zip(&answers) {
        let found = run(text, data);
        assert!(
            judge(&found, answer).is_ok(),
            "{text} {data}\n  here   {found:?}\n  python {answer:?}"
        );
    }
}

fn no_data(text: &str) -> (String, String) {
    (text.to_owned(), "{}".to_owned())
}

fn exists(kind: &str, name: &str) -> bool {
    let text = match kind {
        "filters" => format!("{{{{ 1 | {name} }}}}"),
        "tests" if !name.starts_with(|c: char| c.is_ascii_lowercase()) => return true,
        "tests" => format!("{{{{ 1 is {name} }}}}"),
        _ => format!("{{{{ {name} is defined }}}}"),
    };
    match run(&text, "null") {
        Ok(value) => value != "false" || kind == "tests",
        Err((kind, text)) => kind != EvalErrorKind::UnknownFunction && !text.contains("unknown"),
    }
}

#[expect(clippy::print_stderr, reason = "the figures are what the run is for")]
fn compare(seed: u64) {
    let Some(oracle) = Oracle::start("jinja_oracle.py") else {
        return;
    };
    let mut dice = Dice::new(seed);
    let cases: Vec<(String, String)> = (0..PAIRS)
        .map(|_| (template(&mut dice), leaves::data(&mut dice)))
        .collect();
    let answers = oracle.ask(&cases);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for ((text, data), answer) in cases.iter().zip(&answers) {
        let found = run(text, data);
        let verdict = judge(&found, answer).unwrap_or_else(|()| {
            allowed::reason(text, &found, answer).unwrap_or_else(|| {
                wrong.push(format!(
                    "{text}\n  data   {data}\n  here   {found:?}\n  python {answer:?}"
                ));
                "DIFFERENT"
            })
        });
        *tally.entry(verdict).or_default() += 1;
    }
    eprintln!("Jinja2, seed {seed}: {tally:#?}");
    super::conclude("Jinja2", seed, &wrong, PAIRS);
}

fn run(text: &str, data: &str) -> Found {
    let data = Value::from_json(data).expect("the generator writes JSON");
    let (template, _) = Template::compile_str(text);
    let value = template.eval(&Context::new(data, &NoHost));
    value
        .map(|value| canonical::text(&value))
        .map_err(|error| (error.kind, error.message))
}

fn template(dice: &mut Dice) -> String {
    if dice.chance(15) {
        let block = dice.pick(BLOCKS);
        return fill(dice, block, 1);
    }
    let value = form(dice, 'a', 2);
    if dice.chance(15) {
        format!("a {{{{ {value} }}}} b")
    } else {
        format!("{{{{ {value} }}}}")
    }
}

/// An expression of the kind that a letter stands for.
fn form(dice: &mut Dice, letter: char, depth: usize) -> String {
    let wrong = dice.chance(5);
    let letter = if wrong {
        dice.pick(&['i', 's', 'l', 'd', 'n', 'b', 'f'])
    } else {
        letter
    };
    if depth == 0 || dice.chance(20) {
        return literal(dice, letter);
    }
    let fitting: Vec<&str> = FORMS
        .iter()
        .filter(|(kind, _)| letter == 'a' || *kind == letter || (letter == 'u' && *kind == 'i'))
        .flat_map(|(_, texts)| texts.iter().copied())
        .collect();
    if fitting.is_empty() {
        return literal(dice, letter);
    }
    let text = dice.pick(&fitting);
    fill(dice, text, depth - 1)
}

fn fill(dice: &mut Dice, text: &str, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        out.push_str(&rest[..at]);
        let letter = rest[at + 1..].chars().next().expect("a letter follows");
        rest = &rest[at + 2..];
        out.push_str(&form(dice, letter, depth));
    }
    out + rest
}

fn literal(dice: &mut Dice, letter: char) -> String {
    if letter == 'a' {
        let letter = dice.pick(&['i', 's', 'l', 'd', 'n', 'b', 'f', 'e', 'L']);
        return literal(dice, letter);
    }
    let (_, texts) = LITERALS
        .iter()
        .find(|(kind, _)| *kind == letter)
        .expect("each letter has literals");
    dice.pick(texts).into()
}
