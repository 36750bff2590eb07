//! Builtins that make, change and write moments. Reading them from text is left to
//! `read_date`, durations and properties to `times`.

use jiff::civil;
use num_traits::ToPrimitive;

use super::call::int;
use super::date_text::parse;
use super::read_date::{MONTHS, WEEKDAYS, parse_format};
use super::{Builtin, Call, function, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::machine::call_host;
use crate::number::time_overflow;
use crate::value::{DAY, DateTime, SECOND, TimeSpan, offset_text};

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "datetime",
        "year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, \
         microsecond: int = 0, offset: timespan = none",
        build,
        "Makes a moment of its parts, in UTC unless an offset is given.",
        &[
            (
                "datetime(2020, 2, 29, 12).format('%d.%m.%Y %H:%M')",
                "null",
                "\"29.02.2020 12:00\"",
            ),
            (
                "str(datetime(2020, 2, 29, offset => timespan(hours => 2)))",
                "null",
                "\"2020-02-29 00:00:00+02:00\"",
            ),
        ],
    ),
    function(
        "datetime",
        "timestamp: number, offset: timespan = none",
        from_timestamp,
        "Makes a moment of the seconds since 1970.",
        &[
            (
                "str(datetime(1.5))",
                "null",
                "\"1970-01-01 00:00:01.500000+00:00\"",
            ),
            ("datetime(86400).day", "null", "2"),
        ],
    ),
    function(
        "datetime",
        "string: string, format: string? = null",
        |call| {
            let text = call.text(0);
            let format = call.optional_text(1).filter(|format| !format.is_empty());
            let (local, offset) = match format {
                None => parse(&text, || this_year(call))?,
                Some(format) => parse_format(&text, &format)?,
            };
            moment(local, offset.unwrap_or(0))
        },
        "Reads a moment from text, in a given format or in one of the usual ones.",
        &[
            (
                "str(datetime('2020-02-29T12:00:00+02:00'))",
                "null",
                "\"2020-02-29 12:00:00+02:00\"",
            ),
            (
                "str(datetime('29.02.20', '%d.%m.%y'))",
                "null",
                "\"2020-02-29 00:00:00+00:00\"",
            ),
        ],
    ),
    function(
        "now",
        "offset: timespan? = none",
        |call| {
            let now = call_host(call.machine, "now", Vec::new(), Vec::new())?;
            let now = int(&now)?;
            let offset = offset_of(call.span(0))?;
            DateTime::from_instant(now, offset)
                .map(Value::from)
                .ok_or_else(time_overflow)
        },
        "Gives the current moment, in UTC unless an offset is given.",
        &[
            ("isDatetime(now())", "null", "true"),
            ("now(timespan(hours => 2)).offset.hours", "null", "2.0"),
        ],
    ),
    method(
        "replace",
        "dt: datetime, year: int? = null, month: int? = null, day: int? = null, \
         hour: int? = null, minute: int? = null, second: int? = null, microsecond: int? = null, \
         offset: timespan? = null",
        replace,
        "Gives the moment with some parts replaced.",
        &[
            (
                "str(datetime(2020, 2, 3).replace(day => 1))",
                "null",
                "\"2020-02-01 00:00:00+00:00\"",
            ),
            (
                "datetime(2020, 2, 29).replace(year => 2024, hour => 7).format('%Y %H')",
                "null",
                "\"2024 07\"",
            ),
        ],
    ),
    method(
        "format",
        "dt: datetime, format: string",
        |call| {
            let text = format(call.moment(0), &call.text(1))?;
            call.machine.check_bytes(text.len())?;
            Ok(Value::from(text))
        },
        "Writes the moment in a format, such as '%Y-%m-%d'.",
        &[
            (
                "datetime(2020, 2, 3).format('%j %A')",
                "null",
                "\"034 Monday\"",
            ),
            (
                "datetime(2020, 2, 3, 14, 5).format('%H:%M')",
                "null",
                "\"14:05\"",
            ),
        ],
    ),
];

fn offset_of(span: Option<TimeSpan>) -> Result<i32> {
    let offset = span.map_or(0, TimeSpan::microseconds);
    if offset % SECOND != 0 {
        return Err(Fault::value("an offset from UTC has whole seconds only"));
    }
    i32::try_from(offset / SECOND).map_err(|_| Fault::value("the offset must be less than a day"))
}

fn moment(local: i64, offset: i32) -> Result<Value> {
    DateTime::from_local(local, Some(offset))
        .map(Value::from)
        .ok_or_else(time_overflow)
}

/// Microseconds to a wall-clock reading from its parts: year to microsecond.
pub(super) fn local_time(parts: [i64; 7]) -> Result<i64> {
    let bad = || Fault::value("there is no such date or time");
    let [year, month, day, hour, minute, second, microsecond] = parts;
    let date = civil::Date::new(
        i16::try_from(year)
            .ok()
            .filter(|year| *year >= 1)
            .ok_or_else(bad)?,
        i8::try_from(month).map_err(|_| bad())?,
        i8::try_from(day).map_err(|_| bad())?,
    )
    .map_err(|_| bad())?;
    let valid = (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (0..SECOND).contains(&microsecond);
    if !valid {
        return Err(bad());
    }
    let epoch = civil::Date::constant(1970, 1, 1);
    let days = epoch.until(date).map_err(|_| bad())?.get_days();
    Ok(i64::from(days) * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + microsecond)
}

/// The year in UTC.
fn this_year(call: &mut Call<'_, '_>) -> Result<i64> {
    let now = call_host(call.machine, "now", Vec::new(), Vec::new())?;
    let now = DateTime::from_instant(int(&now)?, 0).ok_or_else(time_overflow)?;
    Ok(i64::from(now.civil().year()))
}

fn build(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut parts = [0; 7];
    for (index, part) in parts.iter_mut().enumerate() {
        *part = call.int(index)?;
    }
    moment(local_time(parts)?, offset_of(call.span(7))?)
}

fn from_timestamp(call: &mut Call<'_, '_>) -> Result<Value> {
    let instant = match call.value(0) {
        Value::Int(seconds) => seconds.checked_mul(SECOND),
        number => number.as_f64().and_then(micros_of),
    };
    let offset = offset_of(call.span(1))?;
    let made = instant.and_then(|instant| DateTime::from_instant(instant, offset));
    made.map(Value::from).ok_or_else(time_overflow)
}

/// Microseconds in so many seconds. As in Python the fraction is rounded by itself, which matters
/// where a double has no room for microseconds.
fn micros_of(seconds: f64) -> Option<i64> {
    let fraction = (seconds.fract() * 1e6).round_ties_even().to_i64()?;
    let whole = seconds.trunc().to_i64()?.checked_mul(SECOND)?;
    whole.checked_add(fraction)
}

fn replace(call: &mut Call<'_, '_>) -> Result<Value> {
    let old = call.moment(0);
    let civil = old.civil();
    let mut parts = [
        civil.year().into(),
        civil.month().into(),
        civil.day().into(),
        civil.hour().into(),
        civil.minute().into(),
        civil.second().into(),
        old.local().rem_euclid(SECOND),
    ];
    for (index, part) in parts.iter_mut().enumerate() {
        let new = call.value(index + 1);
        if !new.is_null() {
            *part = int(&new)?;
        }
    }
    let offset = match call.span(8) {
        Some(span) => offset_of(Some(span))?,
        None => old.offset().unwrap_or(0),
    };
    moment(local_time(parts)?, offset)
}

fn format(moment: DateTime, format: &str) -> Result<String> {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let directive = chars.next().unwrap_or('%');
        let written = directive_text(moment, directive).ok_or_else(|| {
            Fault::value(format!("the format has an unknown directive %{directive}"))
        })?;
        out.push_str(&written);
    }
    Ok(out)
}

fn directive_text(moment: DateTime, directive: char) -> Option<String> {
    let civil = moment.civil();
    let micros = moment.local().rem_euclid(SECOND);
    let month = MONTHS[usize::try_from(civil.month() - 1).ok()?];
    let weekday = usize::try_from(civil.weekday().to_monday_zero_offset()).ok()?;
    let hour12 = (civil.hour() + 11) % 12 + 1;
    let sunday = civil.weekday().to_sunday_zero_offset();
    // Weeks are counted from the first Sunday, or Monday, of the year.
    let week = |offset: i8| (civil.day_of_year() + 6 - i16::from(offset)) / 7;
    let iso = civil.date().iso_week_date();
    let parts = |text: &str| {
        text.chars()
            .map(|c| directive_text(moment, c))
            .collect::<Option<Vec<_>>>()
    };
    Some(match directive {
        'Y' => civil.year().to_string(),
        'm' => format!("{:02}", civil.month()),
        'd' => format!("{:02}", civil.day()),
        'H' => format!("{:02}", civil.hour()),
        'I' => format!("{hour12:02}"),
        'M' => format!("{:02}", civil.minute()),
        'S' => format!("{:02}", civil.second()),
        'f' => format!("{micros:06}"),
        'y' => format!("{:02}", civil.year().rem_euclid(100)),
        'C' => format!("{:02}", civil.year() / 100),
        'e' => format!("{:2}", civil.day()),
        'j' => format!("{:03}", civil.day_of_year()),
        'B' => month.into(),
        'b' | 'h' => month[..3].into(),
        'A' => WEEKDAYS[weekday].into(),
        'a' => WEEKDAYS[weekday][..3].into(),
        'w' => sunday.to_string(),
        'u' => (weekday + 1).to_string(),
        'U' => format!("{:02}", week(sunday)),
        'W' => format!("{:02}", week(civil.weekday().to_monday_zero_offset())),
        'G' => iso.year().to_string(),
        'V' => format!("{:02}", iso.week()),
        'p' => if civil.hour() < 12 { "AM" } else { "PM" }.into(),
        'z' => offset_text(moment.offset()?).replace(':', ""),
        'Z' if moment.offset() == Some(0) => "UTC".into(),
        'Z' => String::new(),
        's' => moment.instant().div_euclid(SECOND).to_string(),
        'F' => parts("Ymd")?.join("-"),
        'T' | 'X' => parts("HMS")?.join(":"),
        'R' => parts("HM")?.join(":"),
        'D' | 'x' => parts("mdy")?.join("/"),
        'c' => parts("abeTY")?.join(" "),
        'n' => "\n".into(),
        't' => "\t".into(),
        '%' => "%".into(),
        _ => return None,
    })
}
