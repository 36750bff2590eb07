//! YAQL's builtin functions. Owns the table and looking names up in it; each group of functions
//! is a file, choosing among overloads is left to `dispatch`, operators to `crate::operators`.

#![expect(
    clippy::unnecessary_wraps,
    reason = "every builtin has the type that the table asks for, whether it can fail or not"
)]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::Value;
use crate::fault::Result;

mod branching;
mod call;
mod change;
mod data;
mod date_text;
mod date_words;
mod dates;
mod dicts;
pub(crate) mod dispatch;
mod format;
mod generate;
mod grouping;
mod host;
mod lists;
mod math;
mod order;
mod queries;
mod read_date;
mod regexes;
mod search;
mod sets;
mod signature;
mod splitting;
mod strings;
mod substrings;
mod system;
mod times;
mod trimming;

pub(crate) use call::{Call, int};
pub(crate) use data::{dump_json, dump_yaml, parse_json, parse_yaml};
pub(crate) use math::plain_digits;
pub(crate) use order::Ordering;
pub(crate) use regexes::matches;
pub(crate) use signature::Overload;
pub(crate) use strings::host_text;
pub(crate) use times::property;

/// How a builtin is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name(args)`
    Function,
    /// `value.name(args)`
    Method,
    /// Either way.
    Both,
}

/// One builtin function, as the reference page shows it.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDoc {
    /// The group of functions it belongs to.
    pub group: &'static str,
    /// Its names, with `|` between them.
    pub name: &'static str,
    /// How it is called.
    pub form: Form,
    /// Its parameters with their types: `?` admits `null`, `=` gives the default, `*` takes any
    /// number. The first one is the receiver where it is called as a method.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// Examples: expression, data as JSON, result as JSON.
    pub examples: &'static [(&'static str, &'static str, &'static str)],
}

/// Every function of YAQL, by group: the builtins, then those of the [`crate::Host`].
pub fn functions() -> &'static [FunctionDoc] {
    static DOCS: OnceLock<Vec<FunctionDoc>> = OnceLock::new();
    DOCS.get_or_init(|| {
        let docs = GROUPS.iter().flat_map(|(group, builtins)| {
            builtins.iter().map(|builtin| FunctionDoc {
                group,
                name: builtin.names,
                form: builtin.form,
                signature: builtin.signature,
                doc: builtin.doc,
                examples: builtin.examples,
            })
        });
        docs.chain(host::DOCS.iter().copied()).collect()
    })
}

/// One entry of the table.
#[derive(Debug)]
pub(crate) struct Builtin {
    names: &'static str,
    form: Form,
    signature: &'static str,
    /// Takes `key => value` pairs as arguments rather than named arguments.
    rules: bool,
    run: Run,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str, &'static str)],
}

type Run = fn(&mut Call<'_, '_>) -> Result<Value>;
type Examples = &'static [(&'static str, &'static str, &'static str)];

const GROUPS: &[(&str, &[Builtin])] = &[
    ("system", system::BUILTINS),
    ("branching", branching::BUILTINS),
    ("strings", strings::BUILTINS),
    ("strings", splitting::BUILTINS),
    ("strings", trimming::BUILTINS),
    ("strings", substrings::BUILTINS),
    ("math", math::BUILTINS),
    ("lists", lists::BUILTINS),
    ("lists", change::BUILTINS),
    ("dicts", dicts::BUILTINS),
    ("sets", sets::BUILTINS),
    ("queries", queries::BUILTINS),
    ("queries", search::BUILTINS),
    ("queries", grouping::BUILTINS),
    ("queries", order::BUILTINS),
    ("queries", generate::BUILTINS),
    ("regex", regexes::BUILTINS),
    ("time", dates::BUILTINS),
    ("time", times::BUILTINS),
    ("data", data::BUILTINS),
];

/// A builtin called as `name(args)`.
const fn function(
    names: &'static str,
    signature: &'static str,
    run: Run,
    doc: &'static str,
    examples: Examples,
) -> Builtin {
    Builtin {
        names,
        form: Form::Function,
        signature,
        rules: false,
        run,
        doc,
        examples,
    }
}

/// A builtin called as `value.name(args)`.
const fn method(
    names: &'static str,
    signature: &'static str,
    run: Run,
    doc: &'static str,
    examples: Examples,
) -> Builtin {
    Builtin {
        names,
        form: Form::Method,
        signature,
        rules: false,
        run,
        doc,
        examples,
    }
}

/// A builtin called either way.
const fn both(
    names: &'static str,
    signature: &'static str,
    run: Run,
    doc: &'static str,
    examples: Examples,
) -> Builtin {
    Builtin {
        names,
        form: Form::Both,
        signature,
        rules: false,
        run,
        doc,
        examples,
    }
}

impl Builtin {
    /// Makes it take `key => value` pairs.
    const fn with_rules(self) -> Self {
        Self {
            rules: true,
            ..self
        }
    }
}

/// The builtins of one name that may be called in one form.
pub(crate) fn find(name: &str, form: Form) -> &'static [Overload] {
    table(form)
        .get(name.trim_end_matches('_'))
        .map_or(&[], Vec::as_slice)
}

/// The known name most like one that is not known.
pub(crate) fn suggest(name: &str, form: Form) -> Option<&'static str> {
    nearest(name, table(form).keys().copied())
}

/// The one of the known names that is most like another one, if one is near.
pub(crate) fn nearest(
    name: &str,
    known: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let close = |known: &'static str| {
        let distance = distance(name, known);
        (distance <= 1 + known.len() / 4).then_some((distance, known))
    };
    known.filter_map(close).min().map(|(_, known)| known)
}

type Table = BTreeMap<&'static str, Vec<Overload>>;

fn table(form: Form) -> &'static Table {
    static FUNCTIONS: OnceLock<Table> = OnceLock::new();
    static METHODS: OnceLock<Table> = OnceLock::new();
    let cell = if form == Form::Method {
        &METHODS
    } else {
        &FUNCTIONS
    };
    cell.get_or_init(|| {
        let mut table = Table::new();
        for builtin in GROUPS.iter().flat_map(|(_, builtins)| builtins.iter()) {
            if builtin.form != form && builtin.form != Form::Both {
                continue;
            }
            for name in builtin.names.split('|') {
                table
                    .entry(name)
                    .or_default()
                    .push(Overload::parse(builtin));
            }
        }
        table
    })
}

/// How many letters must change to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in right.iter().enumerate() {
            let cost = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = std::mem::replace(&mut row[j + 1], 0);
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests;
