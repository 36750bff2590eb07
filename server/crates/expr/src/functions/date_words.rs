//! The pieces of a date in text, and the words among them.

use super::read_date::{MONTHS, WEEKDAYS};

/// Words that say nothing.
const FILLERS: [&str; 18] = [
    " ", ".", ",", ";", "-", "/", "'", "at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd",
    "th",
];

const PARTS_OF_TIME: [[&str; 3]; 3] = [
    ["h", "hour", "hours"],
    ["m", "minute", "minutes"],
    ["s", "second", "seconds"],
];

pub(super) fn is_filler(token: &str) -> bool {
    FILLERS.iter().any(|word| word.eq_ignore_ascii_case(token))
}

/// Hours (0), minutes (1) or seconds (2).
pub(super) fn part_of_time(token: &str) -> Option<usize> {
    let is_part = |words: &[&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(token));
    PARTS_OF_TIME.iter().position(is_part)
}

/// Whether it is the second half, if it is the name of one.
pub(super) fn half_of_day(token: &str) -> Option<bool> {
    match &*token.to_ascii_lowercase() {
        "am" | "a" => Some(false),
        "pm" | "p" => Some(true),
        _ => None,
    }
}

pub(super) fn is_utc(name: &str) -> bool {
    ["UTC", "GMT", "Z"]
        .iter()
        .any(|zone| zone.eq_ignore_ascii_case(name))
}

pub(super) fn weekday(token: &str) -> bool {
    WEEKDAYS.iter().any(|name| is_name(name, token))
}

/// The number of a month, from 1.
pub(super) fn month(token: &str) -> Option<i64> {
    let found = MONTHS.iter().position(|name| is_name(name, token));
    let found = found.or_else(|| token.eq_ignore_ascii_case("sept").then_some(8));
    found.and_then(|index| i64::try_from(index + 1).ok())
}

/// A name or its first three letters.
fn is_name(name: &str, token: &str) -> bool {
    name.eq_ignore_ascii_case(token) || name[..3].eq_ignore_ascii_case(token)
}

/// A text in pieces: words, numbers with decimals, and single other characters.
#[derive(Debug)]
pub(super) struct Tokens(Vec<String>);

/// What a piece has been so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    /// Letters, after which a dot has come.
    DottedWord,
    /// Digits, after which a dot or comma has come.
    DottedNumber,
}

impl Tokens {
    pub(super) fn of(text: &str) -> Self {
        let mut all = Vec::new();
        let mut chars = text.chars().filter(|c| *c != '\0').peekable();
        while let Some(first) = chars.next() {
            let mut kind = match first {
                c if c.is_alphabetic() => Kind::Word,
                c if c.is_numeric() => Kind::Number,
                c if c.is_whitespace() => {
                    all.push(" ".to_owned());
                    continue;
                }
                c => {
                    all.push(c.to_string());
                    continue;
                }
            };
            let mut token = String::from(first);
            let mut has_letters = false;
            while let Some(next) = chars.peek().copied() {
                has_letters |= matches!(kind, Kind::Word | Kind::DottedWord);
                match continued(kind, &token, next) {
                    Some(then) => kind = then,
                    None => break,
                }
                token.push(next);
                chars.next();
            }
            finish(&mut all, kind, token, has_letters);
        }
        Self(all)
    }

    pub(super) fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str)
    }

    /// Puts another piece in the place of one.
    pub(super) fn set(&mut self, at: usize, token: &str) {
        token.clone_into(&mut self.0[at]);
    }

    /// Whether it counts as a number, if maybe one that nobody can read.
    pub(super) fn is_number(token: &str) -> bool {
        let word = token.to_ascii_lowercase();
        token.starts_with(char::is_numeric) || matches!(&*word, "inf" | "infinity" | "nan")
    }
}

/// What a piece becomes with the next character; nothing if that belongs to the next piece.
fn continued(kind: Kind, token: &str, next: char) -> Option<Kind> {
    let after_dot = token.ends_with('.');
    match kind {
        Kind::Word if next.is_alphabetic() => Some(Kind::Word),
        Kind::Word if next == '.' => Some(Kind::DottedWord),
        Kind::Number if next.is_numeric() => Some(Kind::Number),
        Kind::Number if next == '.' || next == ',' && token.chars().count() >= 2 => {
            Some(Kind::DottedNumber)
        }
        Kind::DottedWord if next == '.' || next.is_alphabetic() => Some(Kind::DottedWord),
        Kind::DottedWord if next.is_numeric() && after_dot => Some(Kind::DottedNumber),
        Kind::DottedNumber if next == '.' || next.is_numeric() => Some(Kind::DottedNumber),
        Kind::DottedNumber if next.is_alphabetic() && after_dot => Some(Kind::DottedWord),
        _ => None,
    }
}

/// Adds a piece, or the several that its dots make of it: `Sep.20.2009`, but `30.5`.
fn finish(all: &mut Vec<String>, kind: Kind, token: String, has_letters: bool) {
    let is_dotted = matches!(kind, Kind::DottedWord | Kind::DottedNumber);
    let dots = token.matches('.').count();
    if is_dotted && (has_letters || dots > 1 || token.ends_with(['.', ','])) {
        let mut rest = &*token;
        while let Some(mark) = rest.find(['.', ',']) {
            if mark > 0 {
                all.push(rest[..mark].to_owned());
            }
            all.push(rest[mark..=mark].to_owned());
            rest = &rest[mark + 1..];
        }
        if !rest.is_empty() {
            all.push(rest.to_owned());
        }
    } else if kind == Kind::DottedNumber && dots == 0 {
        all.push(token.replace(',', "."));
    } else {
        all.push(token);
    }
}
