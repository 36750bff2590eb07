//! Moments and durations with Python's `datetime` and `timedelta` ranges, at microseconds.
//! Parsing and `strftime` formats are left to `functions::time`.

use std::fmt::Write;

use jiff::civil;

/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A duration in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan(i64);

impl TimeSpan {
    /// A duration of so many microseconds.
    pub fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// The whole duration in microseconds.
    pub fn microseconds(self) -> i64 {
        self.0
    }

    /// As Python writes it: `1 day, 2:03:04.000005`.
    pub fn to_text(self) -> String {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let seconds = rest / SECOND;
        let mut out = String::new();
        if days != 0 {
            let plural = if days.abs() == 1 { "" } else { "s" };
            write!(out, "{days} day{plural}, ").expect("a String accepts all text");
        }
        write!(
            out,
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
        .expect("a String accepts all text");
        if rest % SECOND != 0 {
            write!(out, ".{:06}", rest % SECOND).expect("a String accepts all text");
        }
        out
    }

    /// As Python writes it within other values.
    pub(crate) fn repr(self) -> String {
        let rest = self.0.rem_euclid(DAY);
        let parts = [
            ("days", self.0.div_euclid(DAY)),
            ("seconds", rest / SECOND),
            ("microseconds", rest % SECOND),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, part)| *part != 0)
            .map(|(name, part)| format!("{name}={part}"))
            .collect();
        let zero = if parts.is_empty() { "0" } else { "" };
        format!("datetime.timedelta({zero}{})", parts.join(", "))
    }
}

/// A moment: a wall-clock reading and its offset from UTC. Two moments are equal when they are
/// the same instant, whatever their offsets.
#[derive(Clone, Copy, Debug)]
pub struct DateTime {
    /// Microseconds from 1970-01-01T00:00 to the wall-clock reading.
    local: i64,
    /// The offset in seconds, or [`NAIVE`].
    offset: i32,
}

/// Stands for "no offset known": Python's naive datetime, which compares as UTC here.
const NAIVE: i32 = i32::MIN;

impl DateTime {
    /// A moment from a wall-clock reading; `None` outside the years 1 to 9999 or when the offset
    /// is a day or more.
    pub fn from_local(local_microseconds: i64, offset_seconds: Option<i32>) -> Option<Self> {
        let days = local_microseconds.div_euclid(DAY);
        // Days of 0001-01-01 and 9999-12-31.
        let in_range = (-719_162..=2_932_896).contains(&days);
        let offset = offset_seconds.unwrap_or(0);
        (in_range && offset.abs() < 86_400).then(|| Self {
            local: local_microseconds,
            offset: offset_seconds.unwrap_or(NAIVE),
        })
    }

    /// The moment so many microseconds after 1970 began in UTC, shown at an offset.
    pub fn from_instant(microseconds: i64, offset_seconds: i32) -> Option<Self> {
        let local = microseconds.checked_add(i64::from(offset_seconds) * SECOND)?;
        Self::from_local(local, Some(offset_seconds))
    }

    /// Microseconds since 1970 began in UTC.
    pub fn instant(self) -> i64 {
        self.local - i64::from(self.offset().unwrap_or(0)) * SECOND
    }

    /// The wall-clock reading, in microseconds since 1970 began there.
    pub fn local(self) -> i64 {
        self.local
    }

    /// The offset from UTC in seconds, unless none is known.
    pub fn offset(self) -> Option<i32> {
        (self.offset != NAIVE).then_some(self.offset)
    }

    /// The wall-clock reading as a calendar date and time.
    pub(crate) fn civil(self) -> civil::DateTime {
        let seconds = self.local.div_euclid(SECOND);
        let nanos = i32::try_from(self.local.rem_euclid(SECOND) * 1000)
            .expect("less than a second fits 32 bits");
        let start = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        start
            .checked_add(jiff::SignedDuration::new(seconds, nanos))
            .expect("the constructor admits only the years 1 to 9999")
    }

    /// As Python writes it within other values.
    pub(crate) fn repr(self) -> String {
        let civil = self.civil();
        let (second, micros) = (civil.second(), self.local.rem_euclid(SECOND));
        let mut out = format!(
            "datetime.datetime({}, {}, {}, {}, {}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute()
        );
        if second != 0 || micros != 0 {
            write!(out, ", {second}").expect("a String accepts all text");
        }
        if micros != 0 {
            write!(out, ", {micros}").expect("a String accepts all text");
        }
        match self.offset() {
            None => {}
            Some(0) => out.push_str(", tzinfo=tzutc()"),
            Some(offset) => {
                write!(out, ", tzinfo=tzoffset(None, {offset})")
                    .expect("a String accepts all text");
            }
        }
        out + ")"
    }

    /// ISO text; `separator` stands between date and time.
    pub fn to_text(self, separator: char) -> String {
        let civil = self.civil();
        let mut out = format!(
            "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        let fraction = self.local.rem_euclid(SECOND);
        if fraction != 0 {
            write!(out, ".{fraction:06}").expect("a String accepts all text");
        }
        if let Some(offset) = self.offset() {
            out.push_str(&offset_text(offset));
        }
        out
    }
}

/// An offset as `+02:00`, with seconds only when there are some.
pub(crate) fn offset_text(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let offset = offset.abs();
    let mut out = format!("{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60);
    if offset % 60 != 0 {
        write!(out, ":{:02}", offset % 60).expect("a String accepts all text");
    }
    out
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.instant() == other.instant()
    }
}

impl Eq for DateTime {}

impl std::hash::Hash for DateTime {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.instant().hash(state);
    }
}
