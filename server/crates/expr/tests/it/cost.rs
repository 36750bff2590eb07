//! What an evaluation costs, counted: nothing in it grows with the parts of the data that it
//! does not read. Reads are counted by views that stand for dicts of any size, steps by the
//! lowest limit under which an evaluation still ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use expr::{Context, Dict, EvalErrorKind, Limit, Limits, NoHost, Template, Value, View};

/// A dict of so many entries that counts how many of them are looked at.
struct Wide {
    size: usize,
    read: Arc<AtomicUsize>,
}

impl Wide {
    fn count(&self, entries: usize) {
        self.read.fetch_add(entries, Ordering::Relaxed);
    }

    fn value(size: usize, read: &Arc<AtomicUsize>) -> Value {
        let read = Arc::clone(read);
        Value::Dict(Dict::view(Arc::new(Self { size, read })))
    }
}

impl View for Wide {
    fn get(&self, key: &str) -> Option<Value> {
        self.count(1);
        match key {
            "small" => Some(Value::from_json(r#"{"b": 1, "items": [1, 2, 3]}"#).unwrap()),
            "flag" => Some(Value::Bool(true)),
            "list" => Some((0..self.size).map(|_| Value::from(7)).collect()),
            "wide" => Some(Self::value(self.size, &self.read)),
            _ => None,
        }
    }

    fn entries(&self) -> Vec<(Arc<str>, Value)> {
        self.count(self.size);
        let entry = |number: usize| (Arc::from(format!("k{number}")), Value::from(1));
        (0..self.size).map(entry).collect()
    }
}

/// Expressions that read a part of what there is.
const READERS: &[&str] = &[
    "<% $.small.b %>",
    "<% $.wide.wide.small.b + 1 %>",
    "x <% $.small.b %> y <% $.wide.small.b %>",
    "<% let(w => $.wide) -> range(5).select($w.small.b).sum() %>",
    "<% $.get(missing, $.small) %>",
    "<% $.wide.get(small).items.where($ > 1) %>",
    "<% switch($.flag => 1, true => $.wide) %>",
    "<% $.flag or $.wide %>",
    "<% coalesce($.small.b, $.wide) %>",
    "<% $.wide.containsKey(small) %>",
    "<% isDict($.wide) and $.wide != null %>",
    "<% [$.small.items.first(), $.wide.small.items.len()] %>",
    "<% $.list[3] + $.list.first() + $.list.len() * 0 %>",
    "<% $.list.take(2).sum() %>",
    "<% def(f, $.small.b) -> f($.wide) %>",
    "{{ _.small.b }}",
    "{{ _.wide.wide.small.b + 1 }}",
    "x {{ _.small.b }} y {{ _.wide.small.b }}",
    "{% set w = _.wide %}{% for i in range(5) %}{{ w.small.b }}{% endfor %}",
    "{% for i in _.small['items'] %}{{ i }}{% endfor %}",
    "{{ _.get('missing', _.small) }}",
    "{{ _.missing | default(_.small.b) }}",
    "{{ 1 if _.flag else _.wide }}",
    "{{ _.flag or _.wide }}",
    "{{ 'small' in _.wide }}",
    "{{ _.wide is mapping and _.wide is not none }}",
    "{{ _.list[3] + _.list | first + (_.list | length) * 0 }}",
    "{% macro m(w) %}{{ w.small.b }}{% endmacro %}{{ m(_.wide) }}",
];

/// Expressions that read all of a part, to show that the counting counts.
const WHOLE: &[&str] = &[
    "<% $.wide.len() %>",
    "<% $.list.sum() %>",
    "{{ _.wide | length }}",
    "{{ _.list | sum }}",
];

/// How many entries an evaluation looks at, and the fewest steps that are enough for it.
fn cost(text: &str, size: usize) -> (usize, u64) {
    let (template, error) = Template::compile_str(text);
    assert_eq!(error, None, "{text}");
    let read = Arc::new(AtomicUsize::new(0));
    let data = Wide::value(size, &read);
    let ends = |steps: u64| {
        let limits = Limits {
            steps,
            ..Limits::default()
        };
        let cx = Context {
            limits,
            ..Context::new(data.clone(), &NoHost)
        };
        match template.eval(&cx) {
            Ok(_) => true,
            Err(error) if error.kind == EvalErrorKind::Limit(Limit::Steps) => false,
            Err(error) => panic!("{text}: {error}"),
        }
    };
    assert!(ends(Limits::default().steps), "{text}");
    let read = read.load(Ordering::Relaxed);
    let (mut few, mut enough) = (0, Limits::default().steps);
    while enough - few > 1 {
        let middle = u64::midpoint(few, enough);
        if ends(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    (read, enough)
}

#[test]
fn what_is_not_read_costs_nothing() {
    for text in READERS {
        let (small, large) = (cost(text, 10), cost(text, 2_000));
        assert_eq!(small, large, "{text}: entries looked at, and steps");
    }
}

#[test]
fn what_is_read_is_counted() {
    for text in WHOLE {
        let (small, large) = (cost(text, 10), cost(text, 2_000));
        let grows = large.0 > small.0 + 900 || large.1 > small.1 + 900;
        assert!(grows, "{text}: {small:?}, {large:?}");
    }
}
