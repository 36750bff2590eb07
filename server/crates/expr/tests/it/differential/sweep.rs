//! Every overload with every kind of value in every place, and with the result of every other one:
//! what chance does not come to.
//!
//! There are a million, too many for each run. A run with a seed takes a part of them; the parts
//! of [`PARTS`] seeds that follow one another are all.

use expr::{Form, FunctionDoc};

use super::forms::is_left_out;

/// In how many parts the cases are run.
pub(crate) const PARTS: u64 = 256;

/// What `$` is.
pub(crate) const DATA: &str = concat!(
    r#"{"l": [1, 2, 3], "d": {"k": "a", "v": 1}, "e": [{"k": "a", "v": 1}, {"k": "b", "v": 2}], "#,
    r#""ll": [[1, 2], [3, 4]], "m": [1, "a", null], "s": "abc", "n": null, "i": 2}"#
);

/// A value of each kind, and of each that is special among them.
const LEAVES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "(-1)",
    "2",
    "9007199254740993",
    "1180591620717411303424",
    "0.0",
    "(-0.0)",
    "1.0",
    "2.5",
    "float(nan)",
    "float(inf)",
    "''",
    "a",
    "'abc'",
    "'12'",
    "' 1.5 '",
    "[]",
    "$.l",
    "[b, a]",
    "[[a, 1], [b, 2]]",
    "[null]",
    "$.m",
    "'a,b'.split(',')",
    "{}",
    "$.d",
    "{1 => 2}",
    "{a => {b => 1}}",
    "$.e",
    "set()",
    "set(1, 2)",
    "set(a, null)",
    "$.d.keys()",
    "$.d.items()",
    "$.d.values()",
    "range(3)",
    "range(0)",
    "[1, a].select($)",
    "$.e.k",
    "$.ll.select($)",
    "$.e.orderBy($.k)",
    "datetime(2020, 1, 2)",
    "datetime(2021, 3, 4, 5, 6, 7, 8, timespan(hours => 2))",
    "timespan()",
    "timespan(1, 2)",
    "regex('a')",
    "regex('(b)(x)?')",
    "$",
    "$1",
    "$2",
    "$ > 1",
    "$1 + $2",
    "[$, $]",
    "x => 1",
    "1 => x",
];

/// Those among them that stand for their kind where two places change at once.
const FEW: &[&str] = &[
    "null",
    "true",
    "0",
    "2",
    "(-1)",
    "1180591620717411303424",
    "2.5",
    "(-0.0)",
    "float(nan)",
    "''",
    "a",
    "'abc'",
    "[]",
    "$.l",
    "[b, a]",
    "[[a, 1], [b, 2]]",
    "'a,b'.split(',')",
    "{}",
    "$.d",
    "{1 => 2}",
    "$.e",
    "set(1, 2)",
    "$.d.keys()",
    "$.d.values()",
    "range(3)",
    "$.ll.select($)",
    "$.e.orderBy($.k)",
    "datetime(2020, 1, 2)",
    "timespan(1, 2)",
    "regex('a')",
    "$",
    "$ > 1",
    "$1 + $2",
    "x => 1",
];

/// What is written with leaves in the places of `%`.
const SHAPES: &[&str] = &[
    "(% + %)",
    "(% - %)",
    "(% * %)",
    "(% / %)",
    "(% mod %)",
    "(% = %)",
    "(% != %)",
    "(% < %)",
    "(% <= %)",
    "(% > %)",
    "(% >= %)",
    "(% in %)",
    "(% and %)",
    "(% or %)",
    "(% =~ %)",
    "(% !~ %)",
    "(not %)",
    "(-%)",
    "(+%)",
    "(%)[%]",
    "(%)[%, %]",
    "(%).k",
    "(%)?.k",
    "(%)?.len()",
    "(%).select($ + %)",
    "(%).where($ = %)",
    "[%, %]",
    "[%, %].a",
    "{% => %}",
    "{% => 1, % => 2}",
    "set(%, %)",
    "[%].toSet()",
    "[%, %].distinct()",
    "[%, %].max()",
    "[%, %].sum()",
    "[%, %].orderBy($)",
    "[%, %].flatten()",
    "[%].contains(%)",
    "[%].select(str($))",
    "[%, %].join(', ')",
    "{a => %}.a",
    "{a => %} + {a => %}",
    "{a => %}.mergeWith({a => %})",
    "(%).year",
    "(%).month",
    "(%).day",
    "(%).hour",
    "(%).minute",
    "(%).second",
    "(%).microsecond",
    "(%).weekday",
    "(%).offset",
    "(%).timestamp",
    "(%).date",
    "(%).time",
    "(%).utc",
    "(%).days",
    "(%).hours",
    "(%).minutes",
    "(%).seconds",
    "(%).milliseconds",
    "(%).microseconds",
    "str(%)",
    "let(%, %) -> [$1, $2]",
    "let(x => %) -> [$x, $]",
    "with(%, %) -> [$1, $2]",
    "(%).unpack(p) -> $p",
    "(%).unpack(p, q) -> [$q, $p]",
    "(%).unpack() -> $1",
    "def(f, [$, %]) -> f(%)",
    "call(len, [%], {})",
    "call(%, [%], {})",
    "call(len, %, %)",
    "call(replace, [%, %], {}, abc)",
    "call(toUpper, [], {}, %)",
    "switch(% => %, true => 0)",
    "generate(%, $ < 9, $ + 2)",
    "generate(1, $ < 9, $ + %)",
    "generate(1, $ < 9, $ + 2, %)",
    "generate(0, true, ($ + 1) mod 3, $, %)",
    "generateMany(%, [$ + 1].where($ < 4))",
    "generateMany(1, %)",
    "generateMany(1, [$ + 1, $ + 2].where($ < 4), %)",
    "generateMany(1, [$ + 1, $ + 2].where($ < 4), $, %, %)",
    "(%).groupBy(%, %)",
    "(%).groupBy($, $, %)",
    "(%).toDict(%, %)",
    "(%).aggregate([$1, $2], %)",
    "(%).accumulate([$1, $2], %)",
    "regex('(a)(b)?').search(%, [$, %])",
    "'{0} {1}'.replace('{0}', %)",
];

/// Functions of which results have no end, or take a count for how long they are.
const ENDLESS: &[&str] = &[
    "sequence",
    "cycle",
    "repeat",
    "range",
    "generate",
    "generateMany",
];

/// Functions that a large number keeps busy.
const BUSY: &[&str] = &["pow", "shiftBitsLeft", "format"];

/// Takes the cases of one part.
struct Part {
    number: u64,
    seen: u64,
    cases: Vec<String>,
}

impl Part {
    fn take(&mut self, case: impl FnOnce() -> String) {
        if self.seen % PARTS == self.number {
            self.cases.push(case());
        }
        self.seen += 1;
    }
}

/// The cases of one part.
pub(crate) fn part(number: u64) -> Vec<String> {
    let mut part = Part {
        number: number % PARTS,
        seen: 0,
        cases: Vec::new(),
    };
    for shape in SHAPES {
        let leaves = vec!["1"; shape.matches('%').count()];
        vary(&leaves, &mut |leaves| part.take(|| fill(shape, leaves)));
    }
    for (doc, name) in functions() {
        calls(doc, name, &mut part);
        calls_by_name(doc, name, &mut part);
    }
    let results = results();
    for shape in SHAPES {
        let leaves = vec!["1"; shape.matches('%').count()];
        feed(&results, &leaves, &mut |leaves| {
            part.take(|| fill(shape, leaves));
        });
    }
    for (doc, name) in functions().filter(|(_, name)| !BUSY.contains(name)) {
        let args: Vec<&str> = params(doc).iter().map(|param| good(param)).collect();
        feed(&results, &args, &mut |args| {
            both_forms(doc, name, args, &mut part);
        });
    }
    part.cases
}

/// All functions of YAQL, by each of their names.
fn functions() -> impl Iterator<Item = (&'static FunctionDoc, &'static str)> {
    let docs = expr::functions()
        .iter()
        .filter(|doc| doc.group != "workflow");
    let named = docs.flat_map(|doc| doc.name.split('|').map(move |name| (doc, name)));
    named.filter(|(_, name)| !is_left_out(name))
}

/// A result of each function: for as many arguments as it needs, and for all that it takes.
fn results() -> Vec<String> {
    let mut part = Part {
        number: 0,
        seen: 0,
        cases: Vec::new(),
    };
    for (doc, name) in functions() {
        let params = params(doc);
        let args: Vec<&str> = params.iter().map(|param| good(param)).collect();
        for count in [least(&params), args.len()] {
            part.seen = 0;
            both_forms(doc, name, &args[..count], &mut part);
        }
    }
    part.cases.dedup();
    part.cases
}

/// All results in each place.
fn feed<'a>(results: &'a [String], base: &[&'a str], take: &mut impl FnMut(&[&'a str])) {
    let mut args = base.to_vec();
    for place in 0..base.len() {
        for result in results {
            args[place] = result;
            take(&args);
        }
        args[place] = base[place];
    }
}

fn fill(shape: &str, leaves: &[&str]) -> String {
    let mut leaves = leaves.iter();
    let parts = shape.split_inclusive('%');
    parts
        .map(|part| {
            part.strip_suffix('%').map_or_else(
                || part.to_owned(),
                |part| format!("{part}{}", leaves.next().expect("one for each")),
            )
        })
        .collect()
}

/// All leaves in each place, and a few in each two; the others stay as they are.
fn vary<'a>(base: &[&'a str], take: &mut impl FnMut(&[&'a str])) {
    let mut leaves = base.to_vec();
    for first in 0..base.len() {
        for leaf in LEAVES {
            leaves[first] = leaf;
            take(&leaves);
        }
        for second in first + 1..base.len() {
            for leaf in FEW {
                leaves[first] = leaf;
                for other in FEW {
                    leaves[second] = other;
                    take(&leaves);
                }
            }
            leaves[second] = base[second];
        }
        leaves[first] = base[first];
    }
}

/// Calls of one overload with each number of arguments, as a function and as a method.
fn calls(doc: &FunctionDoc, name: &str, part: &mut Part) {
    let params = params(doc);
    let least = least(&params);
    let spread = params.iter().any(|param| param.starts_with('*'));
    for count in least..=params.len() + usize::from(spread) {
        let mut args: Vec<&str> = params.iter().map(|param| good(param)).collect();
        args.resize(count, "1");
        vary(&args, &mut |args| {
            let is_busy = BUSY.contains(&name) && args.iter().any(|arg| arg.len() > 15);
            if !is_busy {
                both_forms(doc, name, args, part);
            }
        });
    }
}

/// Calls in which one argument is given by its name.
fn calls_by_name(doc: &FunctionDoc, name: &str, part: &mut Part) {
    let params = params(doc);
    for (at, param) in params.iter().enumerate() {
        let (label, _) = param.split_once(": ").unwrap_or((param, ""));
        // JSON and YAML are Mistral's; the oracle has functions of its own for them.
        if label.starts_with('*') || doc.group == "data" {
            continue;
        }
        for leaf in LEAVES.iter().filter(|leaf| !leaf.contains("=>")) {
            let before = least(&params).min(at);
            let mut args: Vec<&str> = params[..before].iter().map(|param| good(param)).collect();
            let named = format!("{label} => {leaf}");
            args.push(&named);
            both_forms(doc, name, &args, part);
        }
    }
}

fn params(doc: &FunctionDoc) -> Vec<&'static str> {
    let params = doc.signature.split(", ");
    params.filter(|param| !param.is_empty()).collect()
}

/// How many arguments must be given.
fn least(params: &[&str]) -> usize {
    let needed = |param: &&&str| !param.contains(" = ") && !param.starts_with('*');
    params.iter().filter(needed).count()
}

fn both_forms(doc: &FunctionDoc, name: &str, args: &[&str], part: &mut Part) {
    if doc.form != Form::Method {
        part.take(|| ended(name, &format!("{name}({})", args.join(", "))));
    }
    if doc.form != Form::Function
        && let Some((receiver, rest)) = args.split_first()
        && !receiver.contains("=>")
    {
        part.take(|| ended(name, &format!("({receiver}).{name}({})", rest.join(", "))));
    }
}

/// The call, of which no more than a few items are asked for if it has no end.
fn ended(name: &str, call: &str) -> String {
    if ENDLESS.contains(&name) {
        format!("({call}).take(4)")
    } else {
        call.to_owned()
    }
}

/// A value that a parameter takes.
fn good(param: &str) -> &'static str {
    let (name, kind) = param.split_once(": ").unwrap_or((param, "any"));
    let kind = kind.split(" = ").next().unwrap_or(kind);
    match (kind.trim_end_matches('?'), name) {
        ("lambda", "predicate" | "condition" | "conditions") => "$ != 1",
        ("lambda", "aggregator" | "selector" | "merger") => "$1",
        ("lambda", _) => "$",
        ("pair" | "lazy pair", _) => "x => 1",
        ("ordering" | "ordered iterable", _) => "$.l.orderBy($)",
        ("iterable" | "list", _) => "$.l",
        ("iterator", _) => "range(3)",
        ("set", _) => "set(1, 2)",
        ("dict", _) => "$.d",
        ("string", _) => "'abc'",
        ("bool", _) => "true",
        ("datetime", _) => "datetime(2020, 1, 2)",
        ("timespan", _) => "timespan(1, 2)",
        ("regex", _) => "regex('a')",
        _ => "1",
    }
}
