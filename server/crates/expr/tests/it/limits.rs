//! Expressions that would not end, or would fill the memory, are stopped with the right limit.

use expr::Limit::{Depth, Output, Steps};
use expr::{Context, EvalErrorKind, Limit, Limits, NoHost, Template, Value};

fn stopped(text: &str) -> EvalErrorKind {
    let (template, error) = Template::compile_str(text);
    assert_eq!(error, None, "{text}");
    let data = Value::from_json("{\"a\": [1, 2, 3]}").unwrap();
    template
        .eval(&Context::new(data, &NoHost))
        .expect_err(text)
        .kind
}

/// What would never end, or fill the memory, and the limit that stops it.
const ENDLESS: &[(&str, Limit)] = &[
    ("<% sequence() %>", Steps),
    ("<% sequence().len() %>", Steps),
    ("<% sequence().where(false).first() %>", Steps),
    ("<% $.a.cycle().sum() %>", Steps),
    ("<% 1.repeat().toList() %>", Steps),
    ("<% generate(0, true, $ + 1).last() %>", Steps),
    ("<% generateMany(1, [$, $]).last() %>", Steps),
    ("<% [1] * 1000000000 %>", Steps),
    ("<% sequence() = 1 or sequence().contains(-1) %>", Steps),
    ("<% range(1000).select(range(1000000).len()) %>", Steps),
    (
        "<% let(t => 'a' * 9000000) -> range(1000).where($t.matches(b)).len() %>",
        Steps,
    ),
    (
        "<% let(t => 'a' * 9000000) -> range(1000).where($t = $t + b).len() %>",
        Steps,
    ),
    ("<% range(999999).select('a' * 99).sum() %>", Steps),
    (
        "<% let(t => 'a' * 900000) -> range(1000).select($t.toCharArray().len()) %>",
        Steps,
    ),
    (
        "<% let(t => 'a' * 900000) -> range(1000).select($t.replace(a, b).len()) %>",
        Steps,
    ),
    (
        "<% let(l => range(90000).toList()) -> range(1000).where($l = $l.toList() + [1]) %>",
        Steps,
    ),
    (
        "<% let(d => range(9000).toDict(str($))) -> range(9000).select($d.set(x, $)).len() %>",
        Steps,
    ),
    // What is looked at again in each round, and what stands within itself many times over.
    (
        "<% range(99999).aggregate($1.append($2), [].where(true)) %>",
        Steps,
    ),
    (
        "<% range(99999).aggregate($1.append($2).toList(), []) %>",
        Steps,
    ),
    ("<% range(99999).select([$]).sum() %>", Steps),
    ("<% range(100).aggregate([$1, $1], range(3)) %>", Steps),
    (
        "<% range(100).select($).aggregate({a => $1, b => $1}, range(3)) %>",
        Steps,
    ),
    ("<% 'a' * 1000000000 %>", Output),
    ("<% range(60).aggregate($1 + $1, a) %>", Output),
    ("<% pow(10, 100000000) %>", Output),
    ("<% shiftBitsLeft(1, 1000000000) %>", Output),
    ("<% range(100).aggregate($1 * $1, 3) %>", Output),
    ("<% def(f, f()) -> f() %>", Depth),
    ("<% range(100000).aggregate([$1], []) %>", Depth),
    ("<% range(100000).aggregate({a => $1}, 1) %>", Depth),
    ("<% range(100000).accumulate([$1], []).last() %>", Depth),
    ("<% generate([], true, [$]).last() %>", Depth),
    (
        "<% generateMany([], [[$], 1, 2, 3], depthFirst => true).last() %>",
        Depth,
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        Steps,
    ),
    (
        "{% for a in range(99999) %}{{ 'x' * 10000 }}{% endfor %}",
        Output,
    ),
    ("{{ ['x' * 100000] * 1000 }}", Output),
    (
        "<% let(t => 'x' * 1000000) -> range(1000).select($t) %>",
        Output,
    ),
];

#[test]
fn expressions_end() {
    for (text, limit) in ENDLESS {
        assert_eq!(stopped(text), EvalErrorKind::Limit(*limit), "{text}");
    }
}

#[test]
fn laziness_is_no_trap() {
    for (text, wanted) in [
        ("<% sequence().where($ mod 2 = 1).take(2) %>", "[1,3]"),
        (
            "<% range(20000).aggregate($1.select($ + 1), [0]) %>",
            "[20000]",
        ),
        ("<% range(5000).select([$]).sum().len() %>", "5000"),
        (
            "<% def(fact, switch($ < 2 => 1, true => $ * fact($ - 1))) -> fact(20) %>",
            "2432902008176640000",
        ),
        ("<% range(300000).sum() %>", "44999850000"),
    ] {
        let (template, error) = Template::compile_str(text);
        assert_eq!(error, None, "{text}");
        let value = template
            .eval(&Context::new(Value::Null, &NoHost))
            .expect(text);
        assert_eq!(value.to_json().unwrap(), wanted, "{text}");
    }
}

/// What nesting may cost is spent on a stack of the size that a server's threads have.
#[test]
fn nesting_fits_the_stack() {
    let nested = |open: &str, close: &str| {
        (0..200)
            .map(|depth| format!("<% {}1{} %>", open.repeat(depth), close.repeat(depth)))
            .collect::<Vec<_>>()
    };
    let mut texts = nested("(", ")");
    texts.extend(nested("[", "]"));
    texts.extend(nested("list(", ")"));
    texts.extend(nested("-", ""));
    texts.extend(nested("not ", ""));
    texts.extend(nested("[1].select(", ")"));
    texts.extend(nested("let(1) -> ", ""));
    texts.extend(nested("{a => ", "}"));
    texts.push(format!("<% 1{} %>", " + 1".repeat(90)));
    texts.push(format!("<% $.a{} %>", ".select($)".repeat(90)));
    texts.push("<% def(f, [1].select(f($))) -> f(1) %>".into());
    texts.push("<% def(f, [1].orderBy(f($)).first()) -> f(1) %>".into());
    for text in texts {
        let (template, _) = Template::compile_str(&text);
        let data = Value::from_json("{\"a\": [1]}").unwrap();
        // Either result will do: that there is one is the point.
        let _ = template
            .eval(&Context::new(data, &NoHost))
            .map(|value| value.to_json());
    }
}

/// The limits of the context hold for both languages, and each has a name of its own.
#[test]
fn limits_can_be_set() {
    let small = Limits {
        steps: 500,
        depth: 20,
        output_bytes: 1000,
        host_calls: 1,
    };
    for (text, name) in [
        ("<% range(1000).len() %>", "expression_steps"),
        ("{% for a in range(1000) %}{% endfor %}", "expression_steps"),
        (
            "{{ range(1000) | map('string') | list | length }}",
            "expression_steps",
        ),
        ("<% def(f, f()) -> f() %>", "expression_depth"),
        ("<% 'x' * 1001 %>", "expression_output_bytes"),
        ("<% ['x' * 600, 'x' * 600] %>", "expression_output_bytes"),
        ("{{ 'x' * 1001 }}", "expression_output_bytes"),
        ("{{ _.a * 300 }}", "expression_output_bytes"),
        ("{{ 'x' * 600 }}{{ 'x' * 600 }}", "expression_output_bytes"),
    ] {
        let (template, error) = Template::compile_str(text);
        assert_eq!(error, None, "{text}");
        let data = Value::from_json("{\"a\": [1, 2, 3]}").unwrap();
        let mut cx = Context::new(data, &NoHost);
        cx.limits = small;
        let failed = template.eval(&cx).expect_err(text);
        let limit = failed.kind.limit().expect(text);
        assert_eq!(limit.name(), name, "{text}");
        assert!(small.of(limit) > 0, "{text}");
    }
}

#[test]
fn patterns_that_try_every_way_end() {
    let text = "<% ('a' * 40) =~ '(?:(a|aa)(?!x))*c' %>";
    let (template, error) = Template::compile_str(text);
    assert_eq!(error, None);
    let failed = template.eval(&Context::new(Value::Null, &NoHost));
    let limit = failed.expect_err(text).kind.limit().expect(text);
    assert_eq!(limit.name(), "expression_regex_backtracks");
    assert_eq!(Limits::default().of(limit), 200_000);
}
