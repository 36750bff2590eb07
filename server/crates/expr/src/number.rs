//! Arithmetic as Python does it: integers of any size, floor division, `%` with the divisor's
//! sign, and the arithmetic of moments and durations. Which kinds an operator takes is left to
//! `operators`.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{FromPrimitive, ToPrimitive, Zero};

use crate::fault::{Fault, Result};
use crate::value::{DateTime, TimeSpan};
use crate::{Limit, Value};

/// The most bits an integer may have: some 19,000 digits.
const BITS_MAX: u64 = 1 << 16;

/// Two numbers of one kind.
enum Pair {
    Small(i64, i64),
    Big(BigInt, BigInt),
    Float(f64, f64),
}

pub(crate) fn add(left: &Value, right: &Value) -> Result<Value> {
    match pair(left, right)? {
        Pair::Small(a, b) => Ok(match a.checked_add(b) {
            Some(sum) => Value::Int(sum),
            None => Value::from_bigint(BigInt::from(a) + b),
        }),
        Pair::Big(a, b) => integer(a + b),
        Pair::Float(a, b) => Ok(Value::Float(a + b)),
    }
}

pub(crate) fn subtract(left: &Value, right: &Value) -> Result<Value> {
    match pair(left, right)? {
        Pair::Small(a, b) => Ok(match a.checked_sub(b) {
            Some(difference) => Value::Int(difference),
            None => Value::from_bigint(BigInt::from(a) - b),
        }),
        Pair::Big(a, b) => integer(a - b),
        Pair::Float(a, b) => Ok(Value::Float(a - b)),
    }
}

pub(crate) fn multiply(left: &Value, right: &Value) -> Result<Value> {
    match pair(left, right)? {
        Pair::Small(a, b) => Ok(match a.checked_mul(b) {
            Some(product) => Value::Int(product),
            None => Value::from_bigint(BigInt::from(a) * b),
        }),
        Pair::Big(a, b) => integer(a * b),
        Pair::Float(a, b) => Ok(Value::Float(a * b)),
    }
}

/// Rounds down between integers.
pub(crate) fn divide(left: &Value, right: &Value) -> Result<Value> {
    match pair(left, right)? {
        Pair::Small(_, 0) | Pair::Float(_, 0.0) => Err(by_zero()),
        Pair::Small(i64::MIN, -1) => integer(-BigInt::from(i64::MIN)),
        Pair::Small(a, b) => Ok(Value::Int(Integer::div_floor(&a, &b))),
        Pair::Big(_, b) if b.is_zero() => Err(by_zero()),
        Pair::Big(a, b) => integer(a.div_floor(&b)),
        Pair::Float(a, b) => Ok(Value::Float(a / b)),
    }
}

/// The result has the sign of the divisor.
pub(crate) fn modulo(left: &Value, right: &Value) -> Result<Value> {
    match pair(left, right)? {
        Pair::Small(_, 0) | Pair::Float(_, 0.0) => Err(by_zero()),
        Pair::Small(_, -1) => Ok(Value::Int(0)),
        Pair::Small(a, b) => Ok(Value::Int(Integer::mod_floor(&a, &b))),
        Pair::Big(_, b) if b.is_zero() => Err(by_zero()),
        Pair::Big(a, b) => integer(a.mod_floor(&b)),
        Pair::Float(a, b) => {
            let rest = a % b;
            Ok(Value::Float(if rest == 0.0 {
                0.0_f64.copysign(b)
            } else if (rest < 0.0) != (b < 0.0) {
                rest + b
            } else {
                rest
            }))
        }
    }
}

/// `base` to the power of `exponent`, in integers where Python would.
pub(crate) fn power(base: &Value, exponent: &Value) -> Result<Value> {
    if let (Some(integer_base), Some(times)) = (to_bigint(base), to_bigint(exponent))
        && times >= BigInt::ZERO
    {
        let trivial = integer_base.bits() <= 1 && integer_base.magnitude() <= &1u32.into();
        let times = if trivial {
            // 0, 1 and -1 stay small however large the exponent is.
            if times.is_zero() {
                0
            } else {
                2 - u32::from(times.is_odd())
            }
        } else {
            times
                .to_u32()
                .filter(|times| integer_base.bits() * u64::from(*times) <= BITS_MAX)
                .ok_or(Limit::Output)?
        };
        return integer(integer_base.pow(times));
    }
    let (a, b) = (to_f64(base)?, to_f64(exponent)?);
    if !a.is_finite() || !b.is_finite() {
        return Ok(Value::Float(a.powf(b)));
    }
    if a == 0.0 && b < 0.0 {
        return Err(Fault::value("0 cannot be raised to a negative power"));
    }
    if a < 0.0 && b.fract() != 0.0 {
        return Err(Fault::value(
            "a negative number cannot be raised to a fraction",
        ));
    }
    finite(a.powf(b))
}

/// `base ** exponent % modulus` of integers.
pub(crate) fn power_modulo(base: &Value, exponent: &Value, modulus: &Value) -> Result<Value> {
    let (Some(base), Some(exponent), Some(modulus)) =
        (to_bigint(base), to_bigint(exponent), to_bigint(modulus))
    else {
        return Err(Fault::value(
            "pow() with three arguments takes integers only",
        ));
    };
    if modulus.is_zero() {
        return Err(by_zero());
    }
    if exponent < BigInt::ZERO {
        let inverse = base.modinv(&modulus);
        let inverse = inverse.ok_or_else(|| Fault::value("the base has no inverse"))?;
        return integer(inverse.modpow(&-exponent, &modulus));
    }
    integer(base.modpow(&exponent, &modulus))
}

/// Rounds to so many decimals, halves to even, as Python does.
pub(crate) fn round(number: &Value, digits: i64) -> Result<Value> {
    match number {
        Value::Float(number) => {
            if !number.is_finite() || digits > 323 {
                return Ok(Value::Float(*number));
            }
            if digits < -308 {
                return Ok(Value::Float(0.0 * number));
            }
            if digits >= 0 {
                // The standard formatter rounds the exact value, halves to even.
                let places = usize::try_from(digits).unwrap_or(0);
                let text = format!("{number:.places$}");
                return Ok(Value::Float(text.parse().unwrap_or(*number)));
            }
            let unit = 10f64.powi(i32::try_from(-digits).unwrap_or(308));
            Ok(Value::Float((number / unit).round_ties_even() * unit))
        }
        _ if digits >= 0 => Ok(number.clone()),
        _ => {
            let number = to_bigint(number).ok_or_else(|| Fault::value("not a number"))?;
            let places = u32::try_from(digits.unsigned_abs()).unwrap_or(u32::MAX);
            if u64::from(places) > number.bits() {
                return Ok(Value::Int(0));
            }
            let unit = BigInt::from(10).pow(places);
            let (quotient, rest) = number.div_mod_floor(&unit);
            let twice = rest * 2;
            let up = twice > unit || (twice == unit && quotient.is_odd());
            integer((quotient + i32::from(up)) * unit)
        }
    }
}

/// `value` shifted left, or right if `bits` is negative.
pub(crate) fn shift_bits(value: &Value, bits: i64) -> Result<Value> {
    let number = to_bigint(value).ok_or_else(|| Fault::value("not an integer"))?;
    if bits >= 0 {
        let bits = u64::try_from(bits).unwrap_or(0);
        if !number.is_zero() && number.bits().saturating_add(bits) > BITS_MAX {
            return Err(Limit::Output.into());
        }
        return integer(number << bits);
    }
    integer(number >> bits.unsigned_abs().min(BITS_MAX + 1))
}

/// The integer that a number, boolean included, is; floats are none.
pub(crate) fn to_bigint(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(flag) => Some(BigInt::from(i32::from(*flag))),
        Value::Int(number) => Some(BigInt::from(*number)),
        Value::BigInt(number) => Some((**number).clone()),
        _ => None,
    }
}

/// The whole part of a float.
pub(crate) fn truncate(number: f64) -> Result<Value> {
    BigInt::from_f64(number.trunc())
        .map(Value::from_bigint)
        .ok_or_else(|| Fault::value("an infinite number or NaN has no integer"))
}

/// An integer that is not too large.
pub(crate) fn integer(number: BigInt) -> Result<Value> {
    if number.bits() > BITS_MAX {
        Err(Limit::Output.into())
    } else {
        Ok(Value::from_bigint(number))
    }
}

/// A moment moved by microseconds.
pub(crate) fn shift(moment: DateTime, microseconds: i64) -> Result<Value> {
    let local = moment.local().checked_add(microseconds);
    let moved = local.and_then(|local| DateTime::from_local(local, moment.offset()));
    moved.map(Value::from).ok_or_else(time_overflow)
}

/// A duration, if it did not overflow.
pub(crate) fn span(microseconds: Option<i64>) -> Result<Value> {
    let span = microseconds.map(TimeSpan::from_microseconds);
    span.map(Value::from).ok_or_else(time_overflow)
}

/// A duration times a number.
pub(crate) fn scale(duration: TimeSpan, factor: &Value) -> Result<Value> {
    match factor {
        Value::Int(factor) => span(duration.microseconds().checked_mul(*factor)),
        Value::BigInt(_) if duration.microseconds() == 0 => span(Some(0)),
        Value::BigInt(_) => Err(time_overflow()),
        factor => whole_span(duration.microseconds().to_f64().unwrap_or(0.0) * to_f64(factor)?),
    }
}

/// A duration divided by a number. The quotient of two integers is rounded to a float once, and
/// the microseconds of that to whole ones, halves to even.
pub(crate) fn unscale(duration: TimeSpan, divisor: &Value) -> Result<Value> {
    let microseconds = duration.microseconds();
    let integer = match divisor {
        Value::Int(divisor) => i128::from(*divisor),
        // Of more bits no more than half a microsecond is left, which rounds to none.
        Value::BigInt(divisor) if divisor.bits() > 64 => return span(Some(0)),
        Value::BigInt(divisor) => divisor.to_i128().ok_or_else(time_overflow)?,
        divisor => {
            let divisor = to_f64(divisor)?;
            if divisor == 0.0 {
                return Err(by_zero());
            }
            return whole_span(microseconds.to_f64().unwrap_or(f64::NAN) / divisor);
        }
    };
    if integer == 0 {
        return Err(by_zero());
    }
    whole_span(nearest_quotient(microseconds, integer))
}

/// How often one integer is in another. Both are rounded to floats before they are divided.
pub(crate) fn ratio(left: i64, right: i64) -> Result<Value> {
    if right == 0 {
        return Err(by_zero());
    }
    Ok(Value::Float(
        left.to_f64().unwrap_or(0.0) / right.to_f64().unwrap_or(1.0),
    ))
}

/// The float nearest to a number of millionths.
pub(crate) fn millionths(number: i64) -> f64 {
    nearest_quotient(number, 1_000_000)
}

/// The float nearest to the quotient of two integers, of two equally near ones the even one. An
/// integer may have more digits than a float, so none is made one before the division. The
/// divisor is not 0, and has no more than 64 bits.
fn nearest_quotient(left: i64, right: i128) -> f64 {
    let dividend = u128::from(left.unsigned_abs());
    let divisor = right.unsigned_abs();
    if dividend == 0 {
        return 0.0;
    }
    // With its first bit in place the quotient has 64 bits at least, more than a float has.
    let shift = dividend.leading_zeros();
    let dividend = dividend << shift;
    // What is left over counts where the quotient lies right between two floats.
    let sticky = u128::from(!dividend.is_multiple_of(divisor));
    let quotient = ((dividend / divisor) | sticky).to_f64();
    let shift = shift.to_i32().unwrap_or(i32::MAX);
    let nearest = quotient.unwrap_or(f64::NAN) * 2f64.powi(-shift);
    if (left < 0) == (right < 0) {
        nearest
    } else {
        -nearest
    }
}

pub(crate) fn time_overflow() -> Box<Fault> {
    Fault::value("the time is out of range")
}

pub(crate) fn to_f64(value: &Value) -> Result<f64> {
    let number = value.as_f64().ok_or_else(|| Fault::value("not a number"))?;
    if number.is_infinite() && !matches!(value, Value::Float(_)) {
        return Err(Fault::value("the integer is too large for a float"));
    }
    Ok(number)
}

fn whole_span(microseconds: f64) -> Result<Value> {
    span(microseconds.round_ties_even().to_i64())
}

fn finite(number: f64) -> Result<Value> {
    if number.is_infinite() {
        return Err(Fault::value("the result is too large for a float"));
    }
    Ok(Value::Float(number))
}

fn by_zero() -> Box<Fault> {
    Fault::value("division by zero")
}

fn pair(left: &Value, right: &Value) -> Result<Pair> {
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Pair::Small(*a, *b),
        (Value::Float(a), Value::Float(b)) => Pair::Float(*a, *b),
        (Value::Float(a), b) => Pair::Float(*a, to_f64(b)?),
        (a, Value::Float(b)) => Pair::Float(to_f64(a)?, *b),
        (a, b) => match (to_bigint(a), to_bigint(b)) {
            (Some(a), Some(b)) => Pair::Big(a, b),
            _ => return Err(Fault::value("not a number")),
        },
    })
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::{millionths, ratio, scale, unscale};
    use crate::Value;
    use crate::value::TimeSpan;

    /// From the last minute of 9999 back to the start of 2021, in microseconds.
    const LONG: i64 = -251_792_841_540_000_000;

    fn microseconds(value: crate::fault::Result<Value>) -> i64 {
        match value {
            Ok(Value::TimeSpan(span)) => span.microseconds(),
            other => panic!("{other:?} is no duration"),
        }
    }

    #[test]
    fn millionths_are_rounded_once() {
        for (number, wanted) in [
            (0, 0.0),
            (-1, -1e-6),
            (1_500_000, 1.5),
            (-62_033_299_192_999_745, -62_033_299_192.999_75),
            (i64::MAX, 9_223_372_036_854.775),
            (i64::MIN, -9_223_372_036_854.775),
        ] {
            assert_eq!(
                millionths(number).to_bits(),
                f64::to_bits(wanted),
                "{number}"
            );
        }
    }

    #[test]
    fn durations_are_divided_by_integers_with_one_rounding() {
        // What Python gives; other than that of floats where it says so.
        for (span, divisor, wanted) in [
            (LONG, 3, -83_930_947_180_000_000),
            // In floats ...716 and ...330.
            (LONG + 7, 7, -35_970_405_934_285_712),
            (9_007_199_254_740_993, 3, 3_002_399_751_580_331),
            (9_007_199_254_740_993, -3, -3_002_399_751_580_331),
            (5, 2, 2),
            (-5, 2, -2),
            (7, 2, 4),
            (0, -9, 0),
        ] {
            let span = TimeSpan::from_microseconds(span);
            let found = unscale(span, &Value::Int(divisor));
            assert_eq!(microseconds(found), wanted, "{span:?} / {divisor}");
        }
    }

    #[test]
    fn durations_are_divided_by_integers_of_any_size() {
        let longest = TimeSpan::from_microseconds(i64::MAX);
        for (bits, wanted) in [(63, 1), (64, 0), (2_000, 0)] {
            let divisor = Value::from_bigint(BigInt::from(1) << bits);
            let found = unscale(longest, &divisor);
            assert_eq!(microseconds(found), wanted, "2 ** {bits}");
        }
        assert!(unscale(longest, &Value::Int(0)).is_err());
        assert!(unscale(longest, &Value::Float(0.0)).is_err());
        assert!(unscale(longest, &Value::Float(0.5)).is_err());
    }

    #[test]
    fn durations_and_floats_meet_as_floats() {
        let span = TimeSpan::from_microseconds(9_007_199_254_740_993);
        let half = scale(span, &Value::Float(0.5));
        assert_eq!(microseconds(half), 4_503_599_627_370_496);
        let third = unscale(span, &Value::Float(3.0));
        assert_eq!(microseconds(third), 3_002_399_751_580_331 - 1);
        // Both are rounded before they are divided: exactly it would be ...31.
        let Ok(Value::Float(found)) = ratio(9_007_199_254_740_993, 3) else {
            panic!("durations can be divided");
        };
        assert_eq!(found.to_bits(), 3_002_399_751_580_330.5_f64.to_bits());
    }
}
