//! Reads moments from text: in the usual notations, or in a given format.
//!
//! Both give the wall-clock reading in microseconds and the offset in seconds, if there is one.
//! Unlike `dateutil`, a date must name its day, month and year: the rest would be today's.

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

type Reading = (i64, Option<i32>);

/// Reads a moment in one of the usual notations.
pub(super) fn parse(text: &str) -> Result<Reading> {
    let bad = || {
        let shown = crate::value::repr(&text.into());
        Fault::value(format!(
            "{shown} is no date that can be read (give a format)"
        ))
    };
    let mut reader = Reader { rest: text.trim() };
    let mut date = Date::default();
    let mut time = None;
    let mut offset = None;
    // `1.5` may be a number with a fraction, `1.5.2020` cannot.
    let mut fraction_marks = 0;
    while !reader.rest.is_empty() {
        let separators = |c: char| c.is_whitespace() || c == ',';
        reader.rest = reader.rest.trim_start_matches(separators);
        if time.is_some() && (reader.rest.starts_with(['+', '-'])) {
            // However many digits the minutes have, they are minutes.
            offset = Some(reader.offset(usize::MAX).ok_or_else(bad)?);
        } else if reader.rest.starts_with(|c: char| c.is_ascii_digit()) {
            if let Some(read) = reader.time(date.is_full()) {
                time = Some(read);
            } else {
                date.number(reader.digits()).ok_or_else(bad)?;
            }
        } else if let Some(rest) = reader.rest.strip_prefix(['-', '/', '.']) {
            let is_mark = reader.rest.starts_with('.');
            fraction_marks += u32::from(is_mark && rest.starts_with(|c: char| c.is_ascii_digit()));
            reader.rest = rest;
        } else {
            let word = reader.word();
            match word.to_ascii_lowercase().as_str() {
                "" if reader.rest.is_empty() => break,
                "" => return Err(bad()),
                "t" | "at" | "of" | "and" => {}
                "z" | "utc" | "gmt" => offset = Some(0),
                "am" | "pm" => {
                    let time = time.as_mut().ok_or_else(bad)?;
                    half_day(time, word.eq_ignore_ascii_case("pm")).ok_or_else(bad)?;
                }
                _ if find(word, &WEEKDAYS).is_some() => {}
                _ => date.month = Some(find(word, &MONTHS).ok_or_else(bad)? + 1),
            }
        }
    }
    if fraction_marks == 1 {
        return Err(bad());
    }
    let [year, month, day] = date.finish().ok_or_else(bad)?;
    let [hour, minute, second, micros] = time.unwrap_or_default();
    Ok((
        local_time([year, month, day, hour, minute, second, micros])?,
        offset,
    ))
}

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
    let mut date = Date {
        year: Some(1900),
        month: Some(1),
        day: Some(1),
        ..Date::default()
    };
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
            'Y' => date.year = Some(number(4)?),
            'y' => date.year = Some(full_year(number(2)?)),
            'm' => date.month = Some(number(2)?),
            'd' => date.day = Some(number(2)?),
            'H' | 'I' => time[0] = number(2)?,
            'M' => time[1] = number(2)?,
            'S' => time[2] = number(2)?,
            'f' => time[3] = reader.decimals().ok_or_else(bad)?,
            'b' | 'B' | 'h' => date.month = Some(reader.name(&MONTHS).ok_or_else(bad)? + 1),
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
    let [year, month, day] = date.finish().ok_or_else(bad)?;
    Ok((
        local_time([year, month, day, time[0], time[1], time[2], time[3]])?,
        offset,
    ))
}

#[derive(Default)]
struct Date {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    /// Numbers of one or two digits whose part is not known yet.
    open: Vec<i64>,
}

impl Date {
    fn is_full(&self) -> bool {
        let known = [self.year, self.month, self.day].iter().flatten().count();
        known + self.open.len() >= 3
    }

    fn number(&mut self, digits: &str) -> Option<()> {
        let number: i64 = digits.parse().ok()?;
        match digits.len() {
            1 | 2 => self.open.push(number),
            4 if self.year.is_none() => self.year = Some(number),
            8 if self.year.is_none() && self.open.is_empty() => {
                self.year = Some(number / 10_000);
                self.month = Some(number / 100 % 100);
                self.day = Some(number % 100);
            }
            _ => return None,
        }
        (self.open.len() <= 3).then_some(())
    }

    /// After a year the month comes first, and before one too, unless it cannot be a month.
    fn finish(mut self) -> Option<[i64; 3]> {
        match (self.month, self.day, &self.open[..]) {
            (Some(_), None, [day]) => self.day = Some(*day),
            (Some(_), None, [day, year]) => {
                (self.day, self.year) = (Some(*day), Some(full_year(*year)));
            }
            (None, None, [first, second, rest @ ..]) => {
                let swapped = *first > 12 && *second <= 12;
                let (month, day) = if swapped {
                    (second, first)
                } else {
                    (first, second)
                };
                (self.month, self.day) = (Some(*month), Some(*day));
                if let Some(year) = rest.first() {
                    self.year = Some(full_year(*year));
                }
            }
            (Some(_), Some(_), []) => {}
            _ => return None,
        }
        Some([self.year?, self.month?, self.day?])
    }
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

    /// `12:30`, `12:30:01.5`, or `123001` once the date is known.
    fn time(&mut self, date_known: bool) -> Option<[i64; 4]> {
        let mut ahead = Reader { rest: self.rest };
        let digits = ahead.digits();
        let mut time = [0; 4];
        if date_known && matches!(digits.len(), 4 | 6) && !ahead.rest.starts_with(':') {
            let number: i64 = digits.parse().ok()?;
            let full = if digits.len() == 4 {
                number * 100
            } else {
                number
            };
            time = [full / 10_000, full / 100 % 100, full % 100, 0];
        } else {
            if digits.len() > 2 {
                return None;
            }
            time[0] = digits.parse().ok()?;
            if !ahead.rest.starts_with(':') {
                // "4PM" is a time, too.
                let word = ahead.rest.trim_start().get(..2)?.to_ascii_lowercase();
                if word != "am" && word != "pm" {
                    return None;
                }
            }
            for part in &mut time[1..3] {
                if let Some(rest) = ahead.rest.strip_prefix(':') {
                    ahead.rest = rest;
                    *part = ahead.number(2)?;
                }
            }
        }
        if let Some(rest) = ahead.rest.strip_prefix(['.', ',']) {
            ahead.rest = rest;
            let digits = ahead.digits();
            time[3] = fraction(digits.get(..6).unwrap_or(digits));
        }
        self.rest = ahead.rest;
        Some(time)
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

fn find(word: &str, names: &[&str]) -> Option<i64> {
    let long_enough = word.len() >= 3 && word.is_ascii();
    let matches = |name: &&str| {
        name.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let index = if long_enough {
        names.iter().position(matches)
    } else {
        None
    };
    index.and_then(|index| i64::try_from(index).ok())
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
