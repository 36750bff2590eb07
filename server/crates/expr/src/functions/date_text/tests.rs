//! What `dateutil` 2.9 reads of each text in the year 2026, and what it refuses or fills up with
//! parts of the present date.

use super::*;
use crate::value::DateTime;

fn shown((local, offset): Reading) -> String {
    let moment = DateTime::from_local(local, None).expect("it can be read, so it can be written");
    let clock = moment.civil().strftime("%Y-%m-%d %H:%M:%S");
    let decimals = match local.rem_euclid(1_000_000) {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    let zone = offset.map_or_else(String::new, |offset| {
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    });
    format!("{clock}{decimals}{zone}")
}

#[test]
fn dates_are_read_as_dateutil_reads_them() {
    let mut differences = Vec::new();
    for line in include_str!("cases.txt").lines() {
        let (text, expected) = line.split_once(" => ").expect("text => reading");
        let found = parse(text, || Ok(2026)).map_or_else(|_| "refused".to_owned(), shown);
        if found != expected {
            differences.push(format!("{text}: {found} instead of {expected}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_year_of_two_digits_is_the_nearest() {
    for (year, this_year, expected) in [
        (26, 2026, 2026),
        (75, 2026, 2075),
        (76, 2026, 1976),
        (99, 2026, 1999),
        (10, 2065, 2110),
        (15, 2065, 2015),
        (0, 1999, 2000),
    ] {
        assert_eq!(near(year, this_year), expected, "{year} in {this_year}");
    }
}
