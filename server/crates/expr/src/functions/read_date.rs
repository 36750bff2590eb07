//! Reads moments from text in a given format, as `strptime` has it.
//!
//! Left to others: text without a format (`date_text`).

use super::date_text::Reading;
use super::dates::local_time;
use crate::fault::{Fault, Result};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Reads a moment in a format as `strptime` has it.
pub(super) fn parse_format(text: &str, format: &str) -> Result<Reading> {
    let bad = || {
        let (text, format) = (
            crate::value::repr(&text.into()),
            crate::value::repr(&format.into()),
        );
        Fault::value(format!("{text} does not have the format {format}"))
    };
    let mut reader = Reader { rest: text };
    let [mut year, mut month, mut day] = [1900, 1, 1];
    let mut time = [0; 4];
    let mut offset = None;
    let mut pm = None;
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            let blanks = |c: char| c.is_whitespace();
            // Blanks stand for one or more.
            reader.rest = reader.rest.strip_prefix(blanks).ok_or_else(bad)?;
            reader.rest = reader.rest.trim_start();
            chars = chars.as_str().trim_start().chars();
            continue;
        }
        if c != '%' {
            // Python takes letters in either case.
            let next = reader.rest.chars().next().ok_or_else(bad)?;
            if !next.to_lowercase().eq(c.to_lowercase()) {
                return Err(bad());
            }
            reader.rest = &reader.rest[next.len_utf8()..];
            continue;
        }
        let directive = chars.next().ok_or_else(bad)?;
        let mut number = |most| reader.number(most).ok_or_else(bad);
        match directive {
            'Y' => year = number(4)?,
            'y' => year = full_year(number(2)?),
            'm' => month = number(2)?,
            'd' => day = number(2)?,
            'H' | 'I' => time[0] = number(2)?,
            'M' => time[1] = number(2)?,
            'S' => time[2] = number(2)?,
            'f' => time[3] = reader.decimals().ok_or_else(bad)?,
            'b' | 'B' | 'h' => month = reader.name(&MONTHS).ok_or_else(bad)? + 1,
            'a' | 'A' => {
                reader.name(&WEEKDAYS).ok_or_else(bad)?;
            }
            'p' => pm = Some(reader.name(&["AM", "PM"]).ok_or_else(bad)? == 1),
            'z' => offset = Some(reader.offset(2).ok_or_else(bad)?),
            'Z' => offset = Some(reader.zone().ok_or_else(bad)?),
            '%' => reader.rest = reader.rest.strip_prefix('%').ok_or_else(bad)?,
            other => {
                let message = format!("the format has an unknown directive %{other}");
                return Err(Fault::value(message));
            }
        }
    }
    if let Some(pm) = pm {
        half_day(&mut time, pm).ok_or_else(bad)?;
    }
    if !reader.rest.is_empty() {
        return Err(bad());
    }
    Ok((
        local_time([year, month, day, time[0], time[1], time[2], time[3]])?,
        offset,
    ))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn digits(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn number(&mut self, most: usize) -> Option<i64> {
        let end = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok()
    }

    /// One to six decimals, as microseconds.
    fn decimals(&mut self) -> Option<i64> {
        let digits = self.digits();
        (1..=6).contains(&digits.len()).then(|| fraction(digits))
    }

    /// One of some names, or its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        for (index, name) in names.iter().enumerate() {
            for length in [name.len(), name.len().min(3)] {
                let start = self.rest.get(..length);
                if start.is_some_and(|start| start.eq_ignore_ascii_case(&name[..length])) {
                    self.rest = &self.rest[length..];
                    return i64::try_from(index).ok();
                }
            }
        }
        None
    }

    /// `+02:00`, `-0330`, `+2` or `Z`; after a colon at most so many digits.
    fn offset(&mut self, most: usize) -> Option<i32> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(0);
        }
        let negative = self.rest.starts_with('-');
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        let digits = self.digits();
        let number: i32 = digits.parse().ok()?;
        let (hours, mut minutes) = match digits.len() {
            1 | 2 => (number, 0),
            3 | 4 => (number / 100, number % 100),
            _ => return None,
        };
        if let Some(rest) = self.rest.strip_prefix(':') {
            self.rest = rest;
            minutes = i32::try_from(self.number(most)?).ok()?;
        }
        let seconds = hours * 3600 + minutes * 60;
        (seconds < 86_400 && minutes < 60).then_some(if negative { -seconds } else { seconds })
    }

    fn zone(&mut self) -> Option<i32> {
        matches!(
            self.word().to_ascii_uppercase().as_str(),
            "UTC" | "GMT" | "Z"
        )
        .then_some(0)
    }
}

fn half_day(time: &mut [i64; 4], pm: bool) -> Option<()> {
    let hour = time[0];
    time[0] = hour % 12 + if pm { 12 } else { 0 };
    (1..=12).contains(&hour).then_some(())
}

/// As POSIX has it: 69 to 99 are in the last century.
fn full_year(year: i64) -> i64 {
    match year {
        0..69 => 2000 + year,
        69..100 => 1900 + year,
        year => year,
    }
}

/// The microseconds that up to six decimals stand for.
fn fraction(digits: &str) -> i64 {
    format!("{digits:0<6}").parse().unwrap_or(0)
}
