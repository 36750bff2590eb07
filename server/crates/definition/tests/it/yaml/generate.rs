//! Makes texts of YAML in every style, and damages some of them.

use super::dice::Dice;

/// Texts with what generated ones rarely have.
pub(crate) const WRITTEN: &[&str] = &[
    "",
    "\n",
    "# nothing\n",
    "---\n",
    "...\n",
    "--- a\n...\n",
    "--- a\n--- b\n",
    "a\n---\nb\n",
    "\u{FEFF}a: 1\n",
    "a: \u{FEFF}1\n",
    "%YAML 1.1\n---\na: 1\n",
    "%YAML 1.2\n---\na: 1\n",
    "%YAML 2.0\n---\na: 1\n",
    "%TAG ! !own/\n---\na: !x 1\n",
    "a: 1\r\nb: 2\r\n",
    "a: 1\rb: 2\r",
    "a: |\r\n  x\r\n  y\r\n",
    "a: 1\u{85}b: 2\n",
    "a: 1\u{2028}b: 2\n",
    "a: 1\u{2029}b: 2\n",
    "a: 'x\u{85}y'\n",
    "a: 'x\u{2028}y'\n",
    "a: \"x\u{2029}y\"\n",
    "a: |\n  x\u{85}  y\n",
    "a: >\n  x\u{2028}  y\n",
    "a:\t1\n",
    "a: \t1\n",
    "a: 1\t\n",
    "a: 1\t# c\n",
    "a: b\tc\n",
    "-\ta\n",
    "\ta: 1\n",
    "a:\n\tb: 1\n",
    "a: |\n\tx\n",
    "a: |\n  x\ty\n",
    "[a,\tb]\n",
    "a: !!set {x, y}\n",
    "a: !!omap [x: 1]\n",
    "a: !!pairs [x: 1]\n",
    "a: !!binary aGk=\n",
    "a: !!timestamp 2020-01-02\n",
    "a: !!int '0x10'\n",
    "a: !!str 2020-01-02\n",
    "a: !!null x\n",
    "a: !!seq [1]\n",
    "a: !!map {b: 1}\n",
    "a: !!python/object:os.system x\n",
    "a: !<tag:yaml.org,2002:int> 3\n",
    "a: ! 12\n",
    "a: 1\na: 2\n",
    "1: a\n1.0: b\ntrue: c\n",
    "<<: {a: 1}\nb: 2\n",
    "<<: [{a: 1}, {a: 2, b: 3}]\n",
    "b: 1\n<<: {b: 2, c: 3}\n",
    "<<: {a: 1}\n<<: {b: 2}\n",
    "<<: 1\n",
    "a: <<\n",
    "=: 1\n",
    "a: =\n",
    "a: [190:20:30, 1:60, -1:30, 1:2:3.5]\n",
    "a: [010, 0o10, 08, 0x_1F, 0b1_0, 1__0, _1, +1, -0]\n",
    "a: [.inf, -.INF, +.Inf, .nan, .NaN, .NAN, .Nan]\n",
    "a: [~, null, Null, NULL, nUll, '', ]\n",
    "a: [yes, Yes, YES, yEs, y, n, on, Off, TRUE]\n",
    "a: [1., .5, ._5, 1e3, 1.e+3, 1.5e-3, 1_000.5, ., -., +]\n",
    "a: [2020-1-2, 2020-01-02, 2020-01-02T03:04:05Z, 2020-01-02 3:04:05.6 +1:30]\n",
    "? a\n: b\n",
    "? [a]\n: b\n",
    "? |\n  a\n: b\n",
    "{? a : b}\n",
    "{a, b: , : c}\n",
    "{a: b, c}\n",
    "[a: b, {c: d}]\n",
    "[a b: c]\n",
    "{\"a\":1, 'b':2}\n",
    "{a:1}\n",
    "[?a, b?]\n",
    "[a::b, :c]\n",
    "a: b: c\n",
    "a: - b\n",
    "a:\n- b\n- c\n",
    "a:\n  b\n  c\n\n  d\n",
    "a: 'it''s'\n",
    "a: \"\\x41\\u00e9\\U0001F600\\n\\t\\\\ \\/ \\_\"\n",
    "a: \"\\q\"\n",
    "a: \"x\\\n  y\"\n",
    "a: |2\n    x\n   y\n",
    "a: |+\n  x\n\n\nb: 1\n",
    "a: |-\n  x\n\n",
    "a: >\n  x\n  y\n\n  z\n    w\n  v\n",
    "a: >-\n\n  x\n",
    "a: |\n   x\n  y\n",
    "a: |0\n  x\n",
    "a: | # c\n  x\n",
    "a: |x\n  y\n",
    "a: #b\n",
    "a: b#c\n",
    "a: b #c\n",
    "a: 'b'#c\n",
    "&a b: *c\n",
    "a: &b\n",
    "a: *b c\n",
    "a: @b\n",
    "a: `b\n",
    "a: %b\n",
    "%a: b\n",
    "a: ,b\n",
    "a: ]b\n",
    "a: <% $.x %>\n",
    "a: {{ x }}\n",
    "a: {% x %}\n",
    "a: '{{ x }}'\n",
    "a: [<% $.x %>, <% [1, 2] %>]\n",
    "a: <% $.x: 1 %>\n",
    "a: <% $.x %> # c\n",
    "- - a\n  - b\n-   c: d\n    e: f\n",
    "-a\n",
    "- \n- ~\n-\n",
    "a:\n    b: 1\n  c: 2\n",
    "a:\n  b: 1\n c: 2\n",
    " a: 1\nb: 2\n",
    " a: 1\n b: 2\n",
    "a: [b\nc]\n",
    "a: {b: c,\n}\n",
    "a: [,]\n",
    "a: [b,,c]\n",
    "a: 'x\n\n  y'\n",
    "a: \"x\n\n\n  y \\\n  z\"\n",
    "a: x\u{0}y\n",
    "a: x\u{7f}y\n",
    "a: x\u{a0}y\n",
    "a: \u{e000}\n",
    "key with space: 1\n",
    "\"quoted key\": 1\n",
    "a : 1\n",
    "a:1\n",
    "a: 1:2\n",
    "http://x: y\n",
    "a: http://x:80/y\n",
];

const SCALARS: &[&str] = &[
    "a",
    "word",
    "two words",
    "1",
    "-7",
    "0x1F",
    "017",
    "1_000",
    "12:30",
    "1.5",
    "1e3",
    "-.5",
    ".inf",
    "yes",
    "No",
    "null",
    "~",
    "2020-02-03",
    "<% $.x.y %>",
    "<% [1, 2].select($ + 1) %>",
    "std.echo output=\"<% $.a %>\"",
    "it's",
    "a:b",
    "a - b",
    "a#b",
    "x?",
    "é",
    "😀",
    "*star",
    "&and",
    "@at",
    "100%",
    "a, b",
    "[a",
    "b]",
    "{a",
    "<<",
    "=",
    "-",
    "?",
    ":",
    "!",
    "!!str 1",
    "!!int '3'",
    "''",
    "\"\"",
    "'single ''quoted'' text'",
    "\"double \\\"quoted\\\" \\n text\"",
    "'a: b'",
    "\"# no comment\"",
    "\"{{ _.x }}\"",
];

const BLOCK_LINES: &[&str] = &[
    "text",
    "more text",
    "  indented",
    "",
    "- x",
    "a: b",
    "# c",
    "\tz",
];

/// What damaged texts get.
const DAMAGE: &[&str] = &[
    ":", ": ", "-", "- ", "?", "? ", "[", "]", "{", "}", ",", ", ", "#", " #", "&", "*", "!", "!!",
    "|", ">", "'", "\"", "%", "@", "`", "\t", " ", "  ", "\n", "\n\n", "\r\n", "~", "=", "<", "0",
    "_", ".", "\\", "\u{85}", "\u{2028}", "é", "---\n", "...\n",
];

/// A text, most often of YAML.
pub(crate) fn document(dice: &mut Dice) -> String {
    let mut text = match dice.roll(10) {
        0 => format!("{}\n", scalar(dice)),
        1 => format!("{}\n", flow(dice, 3)),
        _ => block(dice, 0, 3),
    };
    if dice.chance(4) {
        text = format!("---\n{text}");
    }
    if dice.chance(3) {
        text = text.replace('\n', "\r\n");
    }
    if dice.chance(10) {
        text.truncate(text.trim_end().len());
    }
    if dice.chance(40) {
        for _ in 0..=dice.roll(2) {
            text = damaged(dice, &text);
        }
    }
    text
}

/// A text with one place changed.
fn damaged(dice: &mut Dice, text: &str) -> String {
    let places: Vec<usize> = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect();
    let from = dice.roll(places.len());
    let to = (from + dice.pick(&[0, 0, 1, 1, 2])).min(places.len() - 1);
    let piece = if dice.chance(75) {
        dice.pick(DAMAGE)
    } else {
        ""
    };
    format!("{}{piece}{}", &text[..places[from]], &text[places[to]..])
}

fn scalar(dice: &mut Dice) -> &'static str {
    dice.pick(SCALARS)
}

fn key(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "a",
        "b",
        "c",
        "on-success",
        "1",
        "yes",
        "'q r'",
        "\"d\"",
        "x y",
        "<<",
        "k.l",
        "é",
    ])
}

/// A collection in lines of their own.
fn block(dice: &mut Dice, indent: usize, depth: usize) -> String {
    let mut out = String::new();
    let is_list = dice.chance(35);
    let pad = " ".repeat(indent);
    for _ in 0..=dice.roll(3) {
        if dice.chance(6) {
            out.push_str(dice.pick(&["\n", "# note\n", "   # note\n"]));
        }
        out.push_str(&pad);
        if is_list {
            out.push_str("- ");
        } else {
            out.push_str(key(dice));
            out.push(':');
        }
        out.push_str(&content(dice, indent, depth, is_list));
    }
    out
}

/// What stands after the dash or colon of a line, to the end of its last line.
fn content(dice: &mut Dice, indent: usize, depth: usize, is_list: bool) -> String {
    let deeper = indent + dice.pick(&[2, 2, 2, 4]);
    let inner = " ".repeat(deeper);
    match dice.roll(8) {
        0 | 1 if depth > 0 && is_list => {
            // The first line of what is within goes on the line of the dash.
            let within = block(dice, indent + 2, depth - 1);
            within.trim_start_matches([' ', '\n']).to_owned()
        }
        0 | 1 if depth > 0 => format!("\n{}", block(dice, deeper, depth - 1)),
        2 => {
            let head = dice.pick(&[" |", " >", " |-", " >-", " |+", " >+"]);
            let mut lines = vec![head.to_owned()];
            for _ in 0..=dice.roll(3) {
                let line = dice.pick(BLOCK_LINES);
                lines.push(format!("{inner}{line}"));
            }
            lines.join("\n") + "\n"
        }
        3 => format!(" {}\n", flow(dice, 2)),
        4 => {
            // Over several lines.
            let quote = dice.pick(&["", "'", "\""]);
            let gap = dice.pick(&["\n", "\n\n"]);
            format!(" {quote}first{gap}{inner}second{quote}\n")
        }
        5 => dice.pick(&["\n", " # note\n", " ~\n"]).to_owned(),
        _ => {
            let tail = dice.pick(&["", "", "", " # note", " "]);
            format!(" {}{tail}\n", scalar(dice))
        }
    }
}

/// A collection in brackets.
fn flow(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.chance(30) {
        return scalar(dice).to_owned();
    }
    let comma = dice.pick(&[", ", ", ", ",", " , ", ",\n  "]);
    let is_list = dice.chance(50);
    let items: Vec<String> = (0..dice.roll(4))
        .map(|_| {
            let value = flow(dice, depth - 1);
            if is_list {
                value
            } else {
                format!("{}: {value}", key(dice))
            }
        })
        .collect();
    let items = items.join(comma);
    if is_list {
        format!("[{items}]")
    } else {
        format!("{{{items}}}")
    }
}
