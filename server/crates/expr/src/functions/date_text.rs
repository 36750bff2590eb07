//! Reads moments from text in the notations that `dateutil` reads, by its rules: which number is
//! the day, what a two-digit year means, where a zone may stand.
//!
//! A date must name its day, month and year: the rest would be today's. Of zones only UTC, its
//! other names and offsets mean something; a time in another one is taken for UTC, as there.

use super::date_words::{Tokens, half_of_day, is_filler, is_utc, month, part_of_time, weekday};
use super::dates::local_time;
use crate::fault::{Fault, Result};

/// The wall-clock reading in microseconds, and the offset in seconds if there is one.
pub(super) type Reading = (i64, Option<i32>);

/// Seconds of a day: an offset must be less.
const DAY_SECONDS: i64 = 86_400;

/// Reads a moment. `this_year` is asked if a year has two digits.
pub(super) fn parse(text: &str, this_year: impl FnOnce() -> Result<i64>) -> Result<Reading> {
    let bad = || {
        let shown = crate::value::repr(&text.into());
        Fault::value(format!(
            "{shown} is no date that can be read (give a format)"
        ))
    };
    let mut parser = Parser::new(Tokens::of(text));
    parser.run().ok_or_else(bad)?;
    let [year, month, day] = parser.date.resolve().ok_or_else(bad)?;
    let (Some(mut year), Some(month), Some(day)) = (year, month, day) else {
        return Err(bad());
    };
    if year < 100 && !parser.date.century_known {
        year = near(year, this_year()?);
    }
    let time = &parser.time;
    let parts = [time.hour, time.minute, time.second, time.microsecond];
    let [hour, minute, second, micros] = parts.map(Option::unwrap_or_default);
    let local = local_time([year, month, day, hour, minute, second, micros])?;
    let offset = match parser.zone.seconds() {
        None => None,
        Some(seconds) if seconds.abs() < DAY_SECONDS => i32::try_from(seconds).ok(),
        Some(_) => return Err(bad()),
    };
    Ok((local, offset))
}

/// The year of these last two digits that is nearest: 50 years ago to 49 ahead.
fn near(year: i64, this_year: i64) -> i64 {
    let year = year + this_year / 100 * 100;
    if year >= this_year + 50 {
        year - 100
    } else if year < this_year - 50 {
        year + 100
    } else {
        year
    }
}

/// A whole number in decimal digits.
fn int(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// A number with decimals.
#[derive(Clone, Copy)]
struct Decimal<'a> {
    whole: i64,
    decimals: &'a str,
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        int(decimals)?;
        Some(Self {
            whole: int(whole)?,
            decimals,
        })
    }

    /// So many units for its decimals; nothing if there are none.
    fn rest_in(&self, units: i64) -> Option<i64> {
        let digits = self.decimals.get(..15).unwrap_or(self.decimals);
        let scale = 10_i64.pow(u32::try_from(digits.len()).ok()?);
        let rest = int(digits)?;
        (rest > 0)
            .then(|| i64::try_from(i128::from(rest) * i128::from(units) / i128::from(scale)))?
            .ok()
    }

    fn is_over(&self, limit: i64) -> bool {
        self.whole > limit || self.whole == limit && self.rest_in(1_000_000).is_some()
    }
}

/// `12.5` as seconds and microseconds.
fn seconds(text: &str) -> Option<(i64, i64)> {
    match text.split_once('.') {
        None => Some((int(text)?, 0)),
        Some((whole, decimals)) => {
            let six = format!("{decimals:0<6}");
            Some((int(whole)?, int(six.get(..6)?)?))
        }
    }
}

/// Which part of the date a number is known to be. A day is never told by its looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
}

/// The numbers of the date, in the order of the text.
#[derive(Default)]
struct Date {
    numbers: Vec<i64>,
    year: Option<usize>,
    month: Option<usize>,
    /// Whether the year is meant as it stands.
    century_known: bool,
}

impl Date {
    /// Adds digits: more than two of them are a year.
    fn add(&mut self, digits: &str, part: Option<Part>) -> Option<()> {
        let is_year = digits.len() > 2;
        self.put(int(digits)?, part, is_year)
    }

    fn add_number(&mut self, number: Decimal<'_>) -> Option<()> {
        self.put(number.whole, None, number.is_over(100))
    }

    fn put(&mut self, number: i64, part: Option<Part>, is_year: bool) -> Option<()> {
        let part = if is_year {
            if !matches!(part, None | Some(Part::Year)) {
                return None;
            }
            self.century_known = true;
            Some(Part::Year)
        } else {
            part
        };
        self.numbers.push(number);
        let place = match part {
            None => return Some(()),
            Some(Part::Year) => &mut self.year,
            Some(Part::Month) => &mut self.month,
        };
        place
            .is_none()
            .then(|| *place = Some(self.numbers.len() - 1))
    }

    /// Whether a number that stands alone may be the day.
    fn could_be_day(&self, number: Decimal<'_>) -> bool {
        let last = match (self.month, self.year) {
            (None, _) => 31,
            (Some(month), year) => {
                // Without a year it may be a leap year.
                let year = year.map_or(2000, |year| self.numbers[year]);
                days_of(year, self.numbers[month])
            }
        };
        number.whole >= 1 && !number.is_over(last)
    }

    /// Year, month and day, as far as they are there.
    fn resolve(&self) -> Option<[Option<i64>; 3]> {
        let known = [self.year, self.month, None];
        let count = known.iter().flatten().count();
        let numbers = &self.numbers[..];
        if numbers.len() == 3 && count >= 2 || count > 0 && count == numbers.len() {
            return Some(self.by_places(known));
        }
        let some = |year, month, day| Some([Some(year), Some(month), Some(day)]);
        match (numbers, self.month) {
            ([] | [_, _, _, _, ..], _) => None,
            // There is no more than two thirds of a date.
            ([_] | [_, _], _) => Some([None, None, None]),
            ([a, b, c], Some(0)) if *b > 31 => some(*b, *a, *c),
            ([a, b, c], Some(0)) => some(*c, *a, *b),
            ([a, b, c], Some(1)) if *a > 31 => some(*a, *b, *c),
            ([a, b, c], Some(1)) => some(*c, *b, *a),
            ([a, b, c], Some(_)) if *b > 31 => some(*b, *c, *a),
            ([a, b, c], Some(_)) => some(*a, *c, *b),
            ([a, b, c], None) if *a > 31 || self.year == Some(0) => some(*a, *b, *c),
            ([a, b, c], None) if *a > 12 => some(*c, *b, *a),
            ([a, b, c], None) => some(*c, *a, *b),
        }
    }

    /// By what is known of the places: of three, the third follows from two.
    fn by_places(&self, mut places: [Option<usize>; 3]) -> [Option<i64>; 3] {
        if self.numbers.len() == 3 {
            let taken = places;
            let free = (0..3).find(|place| !taken.contains(&Some(*place)));
            for place in &mut places {
                *place = place.or(free);
            }
        }
        places.map(|place| place.map(|place| self.numbers[place]))
    }
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[derive(Default)]
struct Time {
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    microsecond: Option<i64>,
}

impl Time {
    /// Minutes, whose decimals are seconds.
    fn set_minutes(&mut self, number: Decimal<'_>) {
        self.minute = Some(number.whole);
        self.second = number.rest_in(60);
    }

    fn set_seconds(&mut self, text: &str) -> Option<()> {
        let (second, microsecond) = seconds(text)?;
        (self.second, self.microsecond) = (Some(second), Some(microsecond));
        Some(())
    }

    /// A number that is named: 0 hours, 1 minutes, 2 seconds.
    fn set_named(&mut self, text: &str, part: usize) -> Option<()> {
        let number = Decimal::of(text)?;
        match part {
            0 => {
                self.hour = Some(number.whole);
                self.minute = number.rest_in(60).or(self.minute);
            }
            1 => self.set_minutes(number),
            2 => self.set_seconds(text)?,
            _ => {}
        }
        Some(())
    }

    /// `12 am` is midnight.
    fn set_hour(&mut self, hour: i64, is_pm: bool) {
        self.hour = Some(match (hour, is_pm) {
            (0..12, true) => hour + 12,
            (12, false) => 0,
            _ => hour,
        });
    }
}

#[derive(Default)]
struct Zone {
    name: Option<String>,
    seconds: Option<i64>,
}

impl Zone {
    /// The offset in seconds, if it is told; a name that means nothing tells none.
    fn seconds(&self) -> Option<i64> {
        let is_utc = self.name.as_deref().is_some_and(is_utc);
        if is_utc { Some(0) } else { self.seconds }
    }
}

struct Parser {
    tokens: Tokens,
    at: usize,
    date: Date,
    time: Time,
    zone: Zone,
}

impl Parser {
    fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            at: 0,
            date: Date::default(),
            time: Time::default(),
            zone: Zone::default(),
        }
    }

    /// The token so many places on.
    fn ahead(&self, places: usize) -> Option<&str> {
        self.tokens.get(self.at + places)
    }

    fn run(&mut self) -> Option<()> {
        while let Some(token) = self.ahead(0) {
            let token = token.to_owned();
            if Tokens::is_number(&token) {
                self.number(&token)?;
            } else if weekday(&token) {
                // It says nothing that the date does not.
            } else if let Some(month) = month(&token) {
                self.month(month)?;
            } else if let Some(is_pm) = half_of_day(&token) {
                let hour = self.time.hour.filter(|hour| *hour <= 12)?;
                self.time.set_hour(hour, is_pm);
            } else if self.could_be_zone(&token) {
                self.zone_name(token);
            } else if self.time.hour.is_some() && matches!(&*token, "+" | "-") {
                self.offset(token == "+")?;
            } else if !is_filler(&token) {
                return None;
            }
            self.at += 1;
        }
        Some(())
    }

    /// A month by its name, and what belongs to it: `Jan-01-99`, `Jan of 01`.
    fn month(&mut self, month: i64) -> Option<()> {
        self.date.put(month, Some(Part::Month), false)?;
        let separator = self.ahead(1).map(str::to_owned);
        match separator.as_deref() {
            Some(separator @ ("-" | "/")) => {
                let next = self.ahead(2)?.to_owned();
                self.date.add(&next, None)?;
                if self.ahead(3) == Some(separator) {
                    let last = self.ahead(4)?.to_owned();
                    self.date.add(&last, None)?;
                    self.at += 2;
                }
                self.at += 2;
            }
            Some(" ") if self.ahead(3) == Some(" ") && self.is_of(2) => {
                if let Some(year) = self.ahead(4).map(str::to_owned) {
                    if let Some(year) = int(&year) {
                        // It is a year also where it has two digits.
                        self.date.put(year, Some(Part::Year), year > 99)?;
                    }
                    self.at += 4;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn is_of(&self, places: usize) -> bool {
        self.ahead(places)
            .is_some_and(|token| token.eq_ignore_ascii_case("of"))
    }

    fn number(&mut self, token: &str) -> Option<()> {
        let number = Decimal::of(token)?;
        let next = self.ahead(1).map(str::to_owned);
        let next = next.as_deref();
        let is_clock = next.is_some_and(|next| next == ":" || part_of_time(next).is_some());
        let is_date_known = self.date.numbers.len() == 3;
        if is_date_known && matches!(token.len(), 2 | 4) && self.time.hour.is_none() && !is_clock {
            self.time.hour = Some(int(&token[..2])?);
            if token.len() == 4 {
                self.time.minute = Some(int(&token[2..])?);
            }
        } else if token.len() == 6 || token.len() > 6 && token.find('.') == Some(6) {
            self.six_digits(token)?;
        } else if matches!(token.len(), 8 | 12 | 14) {
            self.all_digits(token)?;
        } else if let Some((named_at, part)) = self.name_of_part() {
            self.time.set_named(token, part)?;
            self.at = self.at.max(named_at);
        } else if next == Some(":") && self.ahead(2).is_some() {
            self.clock(number)?;
        } else if let Some(separator @ ("-" | "/" | ".")) = next {
            self.separated(token, separator)?;
        } else if next.is_none_or(is_filler) {
            if let Some(is_pm) = self.ahead(2).and_then(half_of_day) {
                self.time.set_hour(number.whole, is_pm);
                self.at += 2;
            } else {
                self.date.add_number(number)?;
                self.at += 1;
            }
        } else if let Some(is_pm) = next.and_then(half_of_day)
            && number.whole < 24
        {
            self.time.set_hour(number.whole, is_pm);
            self.at += 1;
        } else if self.date.could_be_day(number) {
            self.date.add_number(number)?;
        } else {
            return None;
        }
        Some(())
    }

    /// `YYMMDD`, or `HHMMSS` with decimals once there is a date.
    fn six_digits(&mut self, token: &str) -> Option<()> {
        if self.date.numbers.is_empty() && !token.contains('.') {
            for part in [&token[..2], &token[2..4], &token[4..]] {
                self.date.add(part, None)?;
            }
            return Some(());
        }
        self.time.hour = Some(int(&token[..2])?);
        self.time.minute = Some(int(&token[2..4])?);
        self.time.set_seconds(&token[4..])
    }

    /// `YYYYMMDD`, with `HHMM` or `HHMMSS` behind it.
    fn all_digits(&mut self, token: &str) -> Option<()> {
        self.date.add(&token[..4], Some(Part::Year))?;
        self.date.add(&token[4..6], None)?;
        self.date.add(&token[6..8], None)?;
        if token.len() > 8 {
            self.time.hour = Some(int(&token[8..10])?);
            self.time.minute = Some(int(&token[10..12])?);
        }
        if token.len() > 12 {
            self.time.second = Some(int(&token[12..])?);
        }
        Some(())
    }

    /// Whether a word names the number as hours, minutes or seconds: where it stands, and which it
    /// is. A word before the number names the number before it.
    fn name_of_part(&self) -> Option<(usize, usize)> {
        let part = |at: usize| self.tokens.get(at).and_then(part_of_time);
        let is_space = |at: usize| self.tokens.get(at) == Some(" ");
        let at = self.at;
        if let Some(part) = part(at + 1) {
            return Some((at + 1, part));
        }
        if is_space(at + 1)
            && let Some(part) = part(at + 2)
        {
            return Some((at + 2, part));
        }
        if at > 0
            && let Some(part) = part(at - 1)
        {
            return Some((at - 1, part + 1));
        }
        let is_last = self.ahead(1).is_none();
        if at > 1 && is_last && is_space(at - 1) {
            return part(at - 2).map(|part| (at - 2, part + 1));
        }
        None
    }

    /// `HH:MM`, `HH:MM:SS.ss`
    fn clock(&mut self, hour: Decimal<'_>) -> Option<()> {
        self.time.hour = Some(hour.whole);
        let minutes = self.ahead(2)?.to_owned();
        self.time.set_minutes(Decimal::of(&minutes)?);
        if self.ahead(3) == Some(":")
            && let Some(seconds) = self.ahead(4).map(str::to_owned)
        {
            self.time.set_seconds(&seconds)?;
            self.at += 2;
        }
        self.at += 2;
        Some(())
    }

    /// `01-01`, `01-Jan`, and a third part after the same mark.
    fn separated(&mut self, token: &str, separator: &str) -> Option<()> {
        self.date.add(token, None)?;
        if let Some(second) = self.ahead(2).map(str::to_owned)
            && !is_filler(&second)
        {
            self.part_of_date(&second)?;
            if self.ahead(3) == Some(separator) {
                let third = self.ahead(4)?.to_owned();
                self.part_of_date(&third)?;
                self.at += 2;
            }
            self.at += 1;
        }
        self.at += 1;
        Some(())
    }

    fn part_of_date(&mut self, token: &str) -> Option<()> {
        match month(token) {
            Some(month) => self.date.put(month, Some(Part::Month), false),
            None => self.date.add(token, None),
        }
    }

    fn could_be_zone(&self, token: &str) -> bool {
        let is_short = token.len() <= 5 && token.bytes().all(|b| b.is_ascii_uppercase());
        self.time.hour.is_some()
            && self.zone.name.is_none()
            && self.zone.seconds.is_none()
            && (is_short || token == "z")
    }

    /// `GMT+3` is meant the other way round: it is their time that is three hours ahead.
    fn zone_name(&mut self, name: String) {
        let turned = match self.ahead(1) {
            Some("+") => "-",
            Some("-") => "+",
            _ => {
                self.zone.name = Some(name);
                return;
            }
        };
        self.tokens.set(self.at + 1, turned);
        self.zone.name = Some(name).filter(|name| !is_utc(name));
    }

    /// `+0300`, `-03:00`, `+3`, `-0300 (BRST)`
    fn offset(&mut self, is_ahead: bool) -> Option<()> {
        let hours = self.ahead(1)?.to_owned();
        let (hours, minutes) = if hours.len() == 4 {
            // It may be a word, whose letters have several bytes.
            (int(hours.get(..2)?)?, int(hours.get(2..)?)?)
        } else if self.ahead(2) == Some(":") {
            let minutes = int(self.ahead(3)?)?;
            self.at += 2;
            (int(&hours)?, minutes)
        } else if hours.len() <= 2 {
            (int(&hours)?, 0)
        } else {
            return None;
        };
        let seconds = hours
            .checked_mul(3600)?
            .checked_add(minutes.checked_mul(60)?)?;
        self.zone.seconds = Some(if is_ahead { seconds } else { -seconds });
        let is_named = self.ahead(2).is_some_and(is_filler)
            && self.ahead(3) == Some("(")
            && self.ahead(5) == Some(")");
        if is_named
            && self.zone.name.is_none()
            && let Some(name) = self.ahead(4).map(str::to_owned)
            && (3..=5).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_uppercase())
        {
            self.zone.name = Some(name);
            self.at += 4;
        }
        self.at += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests;
