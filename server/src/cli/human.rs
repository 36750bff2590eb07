//! Times, durations and states as people read them.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time as seen from now: "3m ago", "in 2h".
pub(super) fn relative(time: Option<SystemTime>, now: SystemTime) -> String {
    let Some(time) = time else {
        return "-".to_owned();
    };
    match now.duration_since(time) {
        Ok(ago) if ago < Duration::from_secs(1) => "now".to_owned(),
        Ok(ago) => format!("{} ago", coarse(ago)),
        Err(ahead) if ahead.duration() < Duration::from_secs(1) => "now".to_owned(),
        Err(ahead) => format!("in {}", coarse(ahead.duration())),
    }
}

/// One number and its unit, rounded down.
fn coarse(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds < MINUTE => format!("{seconds}s"),
        seconds if seconds < HOUR => format!("{}m", seconds / MINUTE),
        seconds if seconds < DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}

/// A duration to about three digits: "7ms", "1.23s", "2m05s", "3h07m".
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..MINUTE => format!("{seconds}.{:02}s", duration.subsec_millis() / 10),
        MINUTE..HOUR => format!("{}m{:02}s", seconds / MINUTE, seconds % MINUTE),
        HOUR..DAY => format!("{}h{:02}m", seconds / HOUR, seconds % HOUR / MINUTE),
        _ => format!("{}d{:02}h", seconds / DAY, seconds % DAY / HOUR),
    }
}

/// From one time to another, if both are known and in that order.
pub(super) fn between(from: Option<SystemTime>, to: Option<SystemTime>) -> Option<Duration> {
    to?.duration_since(from?).ok()
}

/// The moment itself, to the second, in UTC.
pub(super) fn moment(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "?".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// The first line of a text, cut to so many characters.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let whole = line.len() == text.trim_end().len() && line.chars().count() <= chars_max;
    if whole {
        return line.to_owned();
    }
    let cut: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    on: bool,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    Strong,
    Good,
    Bad,
    Busy,
    Faint,
}

impl Paint {
    pub(super) fn new(on: bool) -> Self {
        Self { on }
    }

    /// The text in a tone.
    pub(super) fn text(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Plain => return text.to_string(),
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Busy => "36",
            Tone::Faint => "2",
        };
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    pub(super) fn bad(self, text: impl Display) -> String {
        self.text(Tone::Bad, text)
    }
}

/// The tone of a state word.
pub(super) fn state_tone(state: &str) -> Tone {
    match state {
        "SUCCESS" => Tone::Good,
        "ERROR" => Tone::Bad,
        "RUNNING" | "ROLLING_BACK" => Tone::Busy,
        "CANCELLED" | "SKIPPED" | "ROLLED_BACK" => Tone::Faint,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_to_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10 * DAY);
        for (seconds, expected) in [
            (0_i64, "now"),
            (-1, "1s ago"),
            (-59, "59s ago"),
            (-60, "1m ago"),
            (-3_599, "59m ago"),
            (-7_300, "2h ago"),
            (-200_000, "2d ago"),
            (1, "in 1s"),
            (90, "in 1m"),
        ] {
            let offset = Duration::from_secs(seconds.unsigned_abs());
            let time = if seconds < 0 {
                now - offset
            } else {
                now + offset
            };
            assert_eq!(relative(Some(time), now), expected);
        }
        assert_eq!(relative(None, now), "-");
        assert_eq!(moment(now), "1970-01-11 00:00:00Z");
    }

    #[test]
    fn durations_have_about_three_digits() {
        for (millis, expected) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_000, "1.00s"),
            (12_345, "12.34s"),
            (60_000, "1m00s"),
            (3_599_999, "59m59s"),
            (11_220_000, "3h07m"),
            (180_000_000, "2d02h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        for (text, expected) in [
            ("short", "short"),
            ("short\n", "short"),
            ("exactly 10", "exactly 10"),
            ("more than ten", "more than…"),
            ("two\nlines", "two…"),
            ("ééééééééééé", "ééééééééé…"),
            ("", ""),
        ] {
            assert_eq!(one_line(text, 10), expected);
        }
    }

    #[test]
    fn colours_are_for_terminals() {
        assert_eq!(Paint::new(false).text(Tone::Good, "x"), "x");
        assert_eq!(Paint::new(true).text(Tone::Good, "x"), "\x1b[32mx\x1b[0m");
        assert_eq!(Paint::new(true).text(Tone::Plain, "x"), "x");
    }
}
