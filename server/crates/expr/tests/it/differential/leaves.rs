//! What generated expressions begin with: literals, and the data that `$` is.

use super::dice::Dice;

/// The kind of value that a place wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Null,
    Bool,
    /// Any integer, those at the borders of 32, 53 and 64 bits among them.
    Int,
    /// An integer that may count or repeat something.
    Small,
    Float,
    Number,
    Str,
    Regex,
    Time,
    Span,
    List(Item),
    Set(Item),
    Seq(Item),
    /// Any of the three.
    Items(Item),
    Dict,
}

/// The kind of the items of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Any,
    Int,
    Str,
    Dict,
    List,
}

pub(crate) const ITEMS: &[Item] = &[Item::Int, Item::Str, Item::Dict, Item::List, Item::Any];

impl Item {
    /// The kind of one item.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Any => Kind::Any,
            Self::Int => Kind::Int,
            Self::Str => Kind::Str,
            Self::Dict => Kind::Dict,
            Self::List => Kind::List(Self::Int),
        }
    }
}

/// Every kind, to go wrong with.
pub(crate) const KINDS: &[Kind] = &[
    Kind::Null,
    Kind::Bool,
    Kind::Small,
    Kind::Int,
    Kind::Float,
    Kind::Str,
    Kind::Regex,
    Kind::Time,
    Kind::Span,
    Kind::List(Item::Any),
    Kind::Set(Item::Int),
    Kind::Seq(Item::Int),
    Kind::Dict,
];

const INTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "255",
    "2147483647",
    "2147483648",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-1",
    "-2",
    "-7",
    "-2147483648",
    "-9007199254740993",
    "-9223372036854775808",
    "-9223372036854775809",
];
const SMALL: &[&str] = &["0", "1", "2", "3", "4", "5", "-1", "-2", "-3", "6"];
const FLOATS: &[&str] = &[
    "0.0",
    "1.0",
    "0.5",
    "2.5",
    "1.5",
    "3.14",
    "100.0",
    "0.1",
    "-0.5",
    "-2.5",
    "1e16",
    "1e22",
    "1.5e-7",
    "9007199254740993.0",
    "-0.0",
    "123456789.125",
    "0.30000000000000004",
];
const STRINGS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "abc",
    "banana",
    "Hello, World",
    " padded ",
    "a,b,,c",
    "1",
    "42",
    "-7",
    "1.5",
    "1e3",
    " 12 ",
    "1_000",
    "true",
    "null",
    "é",
    "日本語",
    "ß",
    "😀x",
    "line\\nbreak",
    "tab\\there",
    "x1y22z333",
    "{}",
    "[1, 2]",
    "a.b",
    "A",
    "ÀÉ",
    "\\u00a0x\\u2003",
    "aXbXc",
    "0x1f",
];
/// Strings of escapes that only YAQL has, right ones and wrong ones.
const ESCAPES: &[&str] = &[
    "\\N{EURO SIGN}",
    "a\\N{no-break space}b",
    "\\N{LINE FEED}",
    "\\N{BEL}\\N{BELL}",
    "\\N{LATIN SMALL LETTER E}\\N{COMBINING ACUTE ACCENT}",
    "\\N{LATIN CAPITAL LETTER GHA}",
    "\\N{HANGUL SYLLABLE GAG}",
    "\\N{CJK UNIFIED IDEOGRAPH-4E00}",
    "\\N{GRINNING FACE}\\x41\\101\\u00e9\\U0001F600",
    "\\N{EURO_SIGN}",
    "\\N{EUROSIGN}",
    "\\N{}\\N\\N{x",
    "\\x4",
    "\\x4z",
    "\\u12é",
    "\\U0001F60",
    "\\7778",
];
const PATTERNS: &[&str] = &[
    "a",
    "b+",
    "[a-c]",
    "^a",
    "a$",
    "(a)(b)?",
    "x|y",
    "\\\\d+",
    "\\\\w",
    "\\\\s*",
    "(?P<n>[a-z])",
    ".",
    "a.c",
    "",
    "[^a]",
    "(a|b)*",
    "\\\\bH",
    "(?i)hello",
    "(.)\\\\1",
    "n(?=a)",
    "é",
    "[",
];
const TIMES: &[&str] = &[
    "datetime(2020, 2, 29)",
    "datetime(2019, 12, 31, 23, 59, 59, 999999)",
    "datetime(1, 1, 1)",
    "datetime(9999, 12, 31, 23, 59)",
    "datetime(2021, 3, 4, 5, 6, 7, 8, timespan(hours => 2))",
    "datetime(1970, 1, 1, offset => timespan(minutes => -90))",
    "datetime(0)",
    "datetime(1600000000.5)",
    "datetime('2020-02-29T12:30:15')",
    "datetime('2020-02-29 12:30:15.25+02:00')",
    "datetime('4.3.2021', '%d.%m.%Y')",
];
const SPANS: &[&str] = &[
    "timespan()",
    "timespan(1)",
    "timespan(days => -1, hours => 5)",
    "timespan(0, 1, 2, 3, 4, 5)",
    "timespan(milliseconds => 1500)",
    "timespan(microseconds => 1)",
    "timespan(seconds => 86399)",
    // More digits than a float has.
    "timespan(microseconds => 9007199254740993)",
    "timespan(days => -2914268, seconds => 60, microseconds => 7)",
];

/// A literal, or something close to one, of a kind.
pub(crate) fn literal(dice: &mut Dice, kind: Kind) -> String {
    match kind {
        Kind::Any => {
            let kind = dice.pick(KINDS);
            literal(dice, kind)
        }
        Kind::Null => "null".into(),
        Kind::Bool => dice.pick(&["true", "false"]).into(),
        Kind::Int => signed(dice.pick(INTS)),
        Kind::Small => signed(dice.pick(SMALL)),
        Kind::Float => float(dice),
        Kind::Number => {
            let kind = dice.pick(&[Kind::Int, Kind::Small, Kind::Float]);
            literal(dice, kind)
        }
        Kind::Str => string(dice),
        Kind::Regex => {
            let flag = dice.pick(&["", "", "", ", ignoreCase => true", ", true, true, true"]);
            format!("regex('{}'{flag})", dice.pick(PATTERNS))
        }
        Kind::Time => dice.pick(TIMES).into(),
        Kind::Span => dice.pick(SPANS).into(),
        Kind::List(item) | Kind::Items(item) => format!("[{}]", literals(dice, item)),
        Kind::Set(Item::Any | Item::Dict | Item::List) => {
            format!("set({})", literals(dice, Item::Int))
        }
        Kind::Set(item) => format!("set({})", literals(dice, item)),
        Kind::Seq(Item::Int) => dice
            .pick(&["range(4)", "range(3, 0, -1)", "range(0)"])
            .into(),
        Kind::Seq(item) => format!("[{}].select($)", literals(dice, item)),
        Kind::Dict => dict(dice),
    }
}

fn signed(text: &str) -> String {
    text.strip_prefix('-')
        .map_or_else(|| text.into(), |digits| format!("(-{digits})"))
}

/// YAQL writes no exponents, so some floats are read from text.
fn float(dice: &mut Dice) -> String {
    let text = dice.pick(FLOATS);
    if text.contains('e') {
        return format!("float('{text}')");
    }
    signed(text)
}

fn string(dice: &mut Dice) -> String {
    let escapes = dice.chance(3);
    let text = dice.pick(if escapes { ESCAPES } else { STRINGS });
    let is_word = text.len() > 1 && text.bytes().all(|b| b.is_ascii_lowercase());
    if is_word && text != "true" && text != "null" && dice.chance(30) {
        return text.into();
    }
    let quote = dice.pick(&['\'', '"']);
    format!("{quote}{text}{quote}")
}

fn literals(dice: &mut Dice, item: Item) -> String {
    let count = dice.pick(&[0, 1, 2, 3, 3, 4]);
    let kind = if item == Item::Int {
        Kind::Small
    } else {
        item.kind()
    };
    let items: Vec<String> = (0..count).map(|_| literal(dice, kind)).collect();
    items.join(", ")
}

fn dict(dice: &mut Dice) -> String {
    let count = dice.pick(&[0, 1, 2, 3]);
    let keys = ["k", "v", "'w'", "x"];
    let pair = |dice: &mut Dice, at: usize| {
        let value = match at {
            0 => literal(dice, Kind::Str),
            1 => literal(dice, Kind::Small),
            _ => dice.pick(&["null", "[1, 2]", "{y => 1}", "2.5"]).into(),
        };
        format!("{} => {value}", keys[at])
    };
    let pairs: Vec<String> = (0..count).map(|at| pair(dice, at)).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// What `$` is, as JSON. Its keys name the kinds of their values; see [`path`].
pub(crate) fn data(dice: &mut Dice) -> String {
    if dice.chance(4) {
        return dice.pick(&["null", "\"text\"", "5", "{}"]).into();
    }
    let text = dice.pick(STRINGS).replace('\'', "");
    let other = dice.pick(STRINGS);
    format!(
        concat!(
            "{{\"i\": {}, \"j\": {}, \"f\": {}, \"s\": \"{}\", \"t\": \"{}\", \"b\": {}, ",
            "\"n\": null, \"l\": {}, \"m\": {}, \"ss\": {}, \"d\": {}, \"e\": {}, \"ll\": {}}}"
        ),
        dice.pick(INTS),
        dice.pick(SMALL),
        dice.pick(FLOATS),
        text,
        other,
        dice.pick(&["true", "false"]),
        dice.pick(&["[1, 2, 3]", "[]", "[3, 1, 2, 3]", "[5]", "[-1, 0, 1]"]),
        dice.pick(&[
            "[1, \"a\", null]",
            "[true, 1, 1.0]",
            "[[1], {\"k\": 1}, \"x\"]",
            "[null]",
            "[]"
        ]),
        dice.pick(&[
            "[\"b\", \"a\"]",
            "[]",
            "[\"é\", \"e\", \"z\", \"\"]",
            "[\"x\", \"x\"]"
        ]),
        dice.pick(&[
            "{\"k\": \"a\", \"v\": 1}",
            "{}",
            "{\"v\": 2, \"w\": {\"k\": [1, 2]}, \"k\": \"z\"}",
            "{\"1\": 1, \"\": 2}"
        ]),
        dice.pick(&[
            "[{\"k\": \"a\", \"v\": 1}, {\"k\": \"b\", \"v\": 2}, {\"k\": \"a\", \"v\": 3}]",
            "[{\"k\": \"x\", \"v\": 0, \"w\": null}]",
            "[]"
        ]),
        dice.pick(&["[[1, 2], [3]]", "[[], [1]]", "[[2, 1], [1, 2], [1, 1]]"]),
    )
}

/// A part of the data that has a kind, if one has.
pub(crate) fn path(dice: &mut Dice, root: &str, kind: Kind) -> Option<String> {
    let keys: &[&str] = match kind {
        Kind::Null => &["n"],
        Kind::Bool => &["b"],
        Kind::Int => &["i", "j"],
        Kind::Small => &["j"],
        Kind::Float => &["f"],
        Kind::Number => &["i", "j", "f"],
        Kind::Str => &["s", "t"],
        Kind::List(Item::Int) | Kind::Items(Item::Int) => &["l"],
        Kind::List(Item::Str) | Kind::Items(Item::Str) => &["ss"],
        Kind::List(Item::Dict) | Kind::Items(Item::Dict) => &["e"],
        Kind::List(Item::List) | Kind::Items(Item::List) => &["ll"],
        Kind::List(Item::Any) | Kind::Items(Item::Any) => &["m", "l", "e"],
        Kind::Dict => &["d"],
        Kind::Any => &[
            "i", "j", "f", "s", "t", "b", "n", "l", "m", "ss", "d", "e", "ll",
        ],
        _ => return None,
    };
    let key = dice.pick(keys);
    Some(if dice.chance(85) {
        format!("{root}.{key}")
    } else {
        format!("{root}.get({key})")
    })
}
