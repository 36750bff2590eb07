//! Builtins on durations, and the properties of moments and durations.
//! Builtins that make, read and write moments are in `dates`.

use std::sync::Arc;

use num_traits::ToPrimitive;

use super::call::int;
use super::{Builtin, Call, function};
use crate::fault::{Fault, Result};
use crate::number::{millionths, span, time_overflow};
use crate::value::{DAY, DateTime, SECOND, TimeSpan};
use crate::{EvalErrorKind, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "timespan",
        "days: int = 0, hours: int = 0, minutes: int = 0, seconds: integer = 0, \
         milliseconds: integer = 0, microseconds: integer = 0",
        timespan,
        "Makes a duration of its parts.",
        &[
            (
                "timespan(hours => 1, minutes => 30).seconds",
                "null",
                "5400.0",
            ),
            (
                "timespan(1) - timespan(hours => 1) = timespan(hours => 23)",
                "null",
                "true",
            ),
        ],
    ),
    function(
        "localtz",
        "",
        |_| Ok(Value::from(TimeSpan::from_microseconds(0))),
        "Gives the offset of the local time zone: the service runs in UTC, so it is zero.",
        &[
            ("localtz() = utctz()", "null", "true"),
            ("isTimespan(localtz())", "null", "true"),
        ],
    ),
    function(
        "utctz",
        "",
        |_| Ok(Value::from(TimeSpan::from_microseconds(0))),
        "Gives the offset of UTC, which is zero.",
        &[
            ("utctz().hours", "null", "0.0"),
            (
                "str(datetime(2020, 1, 1, offset => utctz()))",
                "null",
                "\"2020-01-01 00:00:00+00:00\"",
            ),
        ],
    ),
];

/// `value.name` of a moment or a duration.
pub(crate) fn property(value: &Value, name: &Arc<str>) -> Result<Value> {
    let found = match value {
        Value::DateTime(moment) => moment_property(*moment, name)?,
        Value::TimeSpan(span) => span_property(*span, name),
        Value::Null => {
            let message = format!("null has no key '{name}' (use '?.' if it may be null)");
            return Err(Fault::new(EvalErrorKind::MissingKey, message));
        }
        Value::Binary(binary) => return Err(Fault::opaque(binary)),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!("a {} has no key '{name}'", value.type_name());
        Fault::new(EvalErrorKind::MissingKey, message)
    })
}

fn span_property(span: TimeSpan, name: &str) -> Option<Value> {
    let total = span.microseconds();
    let unit = match name {
        "microseconds" => return Some(Value::Int(total)),
        "milliseconds" => 1000,
        "seconds" => SECOND,
        "minutes" => 60 * SECOND,
        "hours" => 3600 * SECOND,
        "days" => DAY,
        _ => return None,
    };
    Some(Value::Float(total.to_f64()? / unit.to_f64()?))
}

fn moment_property(moment: DateTime, name: &str) -> Result<Option<Value>> {
    let civil = moment.civil();
    let midnight = moment.local().div_euclid(DAY) * DAY;
    let offset = moment.offset().unwrap_or(0);
    Ok(Some(match name {
        "year" => Value::Int(civil.year().into()),
        "month" => Value::Int(civil.month().into()),
        "day" => Value::Int(civil.day().into()),
        "hour" => Value::Int(civil.hour().into()),
        "minute" => Value::Int(civil.minute().into()),
        "second" => Value::Int(civil.second().into()),
        "microsecond" => Value::Int(moment.local().rem_euclid(SECOND)),
        "weekday" => Value::Int(civil.weekday().to_monday_zero_offset().into()),
        "offset" => span(Some(i64::from(offset) * SECOND))?,
        // The offset is taken off twice, once by what `utc` does: odd, but what YAQL does.
        "timestamp" => Value::Float(millionths(shown_in_utc(moment)?.instant())),
        "date" => DateTime::from_local(midnight, moment.offset())
            .map(Value::from)
            .ok_or_else(time_overflow)?,
        "time" => span(Some(moment.local() - midnight))?,
        "utc" => Value::from(shown_in_utc(moment)?),
        _ => return Ok(None),
    }))
}

/// The wall clock of UTC shown with the old offset: odd, but what YAQL does.
fn shown_in_utc(moment: DateTime) -> Result<DateTime> {
    DateTime::from_local(moment.instant(), moment.offset()).ok_or_else(time_overflow)
}

fn timespan(call: &mut Call<'_, '_>) -> Result<Value> {
    let units = [DAY, 3600 * SECOND, 60 * SECOND, SECOND, 1000, 1];
    let mut total: i64 = 0;
    for (index, unit) in units.into_iter().enumerate() {
        let part = int(&call.value(index))?.checked_mul(unit);
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(time_overflow)?;
    }
    span(Some(total))
}
