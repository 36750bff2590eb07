//! No document makes the checks work out of proportion: documents made to be expensive, in sizes
//! n and 2n, and what is counted of the work grows no faster than the text, or stays under a
//! fixed bound.

use std::fmt::Write;

use definition::{Kind, Options, check};

/// Steps that are allowed whatever the size: the budgets of the single checks together.
const FIXED_MAX: usize = 24_000_000;
/// Bytes of a large document; the benchmark takes the largest that are read.
const LARGE: usize = 1 << 16;
/// Steps that are allowed for each byte.
const PER_BYTE_MAX: usize = 40;

const TASKS: &str = "version: '2.0'\nwf:\n  tasks:\n";
const INPUT: &str = "version: '2.0'\nwf:\n  tasks:\n    t:\n      action: x\n      input:\n";

/// A document of about a size: a head, and units made from their numbers.
fn filled(size: usize, head: &str, tail: &str, unit: impl Fn(&mut String, usize)) -> String {
    let mut text = String::from(head);
    for number in 0.. {
        let before = text.len();
        unit(&mut text, number);
        if text.len() + tail.len() > size {
            text.truncate(before);
            break;
        }
    }
    text + tail
}

macro_rules! unit {
    ($number:ident, $($format:tt)*) => {
        |text: &mut String, $number: usize| {
            let _ = $number;
            write!(text, $($format)*).expect("writing to a string cannot fail");
        }
    };
}

/// Documents that were expensive once, or would be if somebody forgot.
#[expect(clippy::too_many_lines, reason = "a table, one document an entry")]
fn documents(size: usize) -> Vec<(&'static str, String)> {
    let roots = size.isqrt() / 3;
    let names = |prefix: &str, count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("{prefix}{n}")).collect();
        all.join(", ")
    };
    let all = names("t", roots);
    let wide = names("i", size / 16);
    let signature = format!(
        "version: '2.0'\nc:\n  input: [{wide}]\n  tasks: {{t: {{action: x}}}}\nwf:\n  tasks:\n"
    );
    let to_all = format!("    t{{}}: {{join: all, on-success: [{all}]}}\n");
    let defaults =
        format!("version: '2.0'\nwf:\n  task-defaults: {{on-success: [{all}]}}\n  tasks:\n");
    let inline = "version: '2.0'\nwf:\n  tasks:\n    t:\n      action: 'x ";
    let list = "version: '2.0'\nwf:\n  tasks:\n    t:\n      on-success:\n";
    vec![
        (
            "deep flow",
            filled(
                size,
                INPUT,
                "",
                unit!(n, "        a{n}: {}{}\n", "[".repeat(90), "]".repeat(90)),
            ),
        ),
        (
            "long keys",
            filled(
                size,
                INPUT,
                "",
                unit!(n, "        ? {}{n}\n        : 1\n", "k".repeat(2_000)),
            ),
        ),
        (
            "open brackets",
            filled(size, inline, "'\n", unit!(n, "a=[")),
        ),
        ("open quotes", filled(size, inline, "'\n", unit!(n, "a=\""))),
        (
            "open braces",
            filled(size, inline, "'\n", unit!(n, "{{{{ ")),
        ),
        (
            "many parameters",
            filled(size, inline, "'\n", unit!(n, "a{n}=<% $.v{n} %> ")),
        ),
        (
            "with-items",
            filled(
                size,
                "version: '2.0'\nwf:\n  tasks:\n    t:\n      with-items:\n",
                "",
                unit!(n, "        - a{n} in [1, [2]]\n"),
            ),
        ),
        (
            "with-items text",
            filled(
                size,
                "version: '2.0'\nwf:\n  tasks:\n    t:\n      with-items: 'a in [",
                "]'\n",
                unit!(n, "[[1]], "),
            ),
        ),
        (
            "unknown names",
            filled(
                size,
                TASKS,
                "",
                unit!(n, "    task_number_{n}: {{on-success: task_nubmer_{n}}}\n"),
            ),
        ),
        (
            "unknown keys",
            filled(
                size,
                INPUT.trim_end_matches("      input:\n"),
                "",
                unit!(n, "      on-sucess{n}: 1\n"),
            ),
        ),
        (
            "errors",
            filled(
                size,
                TASKS,
                "",
                unit!(n, "    t{n}: {{retry: [], join: x}}\n"),
            ),
        ),
        (
            "undefined",
            filled(
                size,
                TASKS,
                "",
                unit!(n, "    t{n}: {{target: <% $.v{n} %>}}\n"),
            ),
        ),
        (
            "late",
            filled(
                size,
                TASKS,
                "",
                unit!(
                    n,
                    "    t{n}: {{target: <% $.v{} %>, publish: {{v{n}: 1}}, on-success: t{}}}\n",
                    n + 1,
                    n + 1
                ),
            ),
        ),
        (
            "block of expressions",
            filled(
                size,
                &format!("{INPUT}        a: |\n"),
                "",
                unit!(n, "          <% $.v{n} %> <% f{n}() %>\n"),
            ),
        ),
        (
            "escapes",
            filled(
                size,
                &format!("{INPUT}        a: \""),
                "\"\n",
                unit!(n, "\\t<% $.v{n} %>"),
            ),
        ),
        (
            "jinja",
            filled(
                size.min(200_000),
                &format!("{INPUT}        a: '"),
                "'\n",
                unit!(n, "{{{{ n{n} }}}}"),
            ),
        ),
        (
            "one wide call",
            filled(
                size,
                &signature,
                "",
                unit!(n, "    t{n}: {{workflow: c}}\n"),
            ),
        ),
        (
            "all to all",
            filled(size, TASKS, "", |text, n| {
                text.push_str(&to_all.replace("{}", &n.to_string()));
            }),
        ),
        (
            "defaults",
            filled(size, &defaults, "", unit!(n, "    t{n}: {{action: x}}\n")),
        ),
        (
            "join of all",
            filled(
                size,
                &format!("{TASKS}    j: {{join: all}}\n"),
                "",
                unit!(n, "    t{n}: {{on-success: j}}\n"),
            ),
        ),
        (
            "chain of joins",
            filled(
                size,
                TASKS,
                "",
                unit!(n, "    t{n}: {{join: all, on-success: [t{}, t0]}}\n", n + 1),
            ),
        ),
        (
            "same targets",
            filled(size, list, "", unit!(n, "        - fail\n")),
        ),
        (
            "brackets to the left",
            filled(size, INPUT, "", unit!(n, "        a{n}: [\n1]\n")),
        ),
        (
            "quotes to the left",
            filled(size, INPUT, "", unit!(n, "        a{n}: 'x\ny'\n")),
        ),
    ]
}

#[test]
fn work_is_in_proportion() {
    let (small, large) = (documents(15_000), documents(30_000));
    for ((name, one), (_, two)) in small.iter().zip(&large) {
        let steps = |text: &str| check(text, Kind::Workflows, Options::default()).steps;
        let (first, second) = (steps(one), steps(two));
        let bound = PER_BYTE_MAX * two.len();
        let is_linear = second <= first * 3 + two.len();
        assert!(
            is_linear || second <= bound,
            "{name}: {first} steps for {} bytes, {second} for {}",
            one.len(),
            two.len()
        );
    }
}

#[test]
fn large_documents_stay_within_the_budgets() {
    for (name, text) in documents(LARGE) {
        let checked = check(&text, Kind::Workflows, Options::default());
        assert!(text.len() <= LARGE + 100, "{name}");
        assert!(
            checked.steps <= FIXED_MAX,
            "{name}: {} steps",
            checked.steps
        );
        assert!(checked.diagnostics.len() <= 1_002, "{name}");
    }
}
