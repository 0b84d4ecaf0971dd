//! Times and sizes as pages show them.

use std::fmt;

use chrono::SecondsFormat;

use crate::clock::Time;

/// A moment: relative, with the exact time beside it for whoever looks (`ux.md` 5).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    time: Time,
    now: Time,
}

impl Moment {
    pub(super) fn new(time: Time, now: Time) -> Self {
        Self { time, now }
    }

    /// The moment itself.
    pub(crate) fn time(&self) -> Time {
        self.time
    }

    /// In words alone.
    pub(crate) fn in_words(&self) -> String {
        let seconds = (self.now - self.time).num_seconds();
        let (span, past) = (seconds.unsigned_abs(), seconds >= 0);
        let words = match span {
            0..60 => return if past { "just now".into() } else { "in a moment".into() },
            60..3_600 => count(span / 60, "minute"),
            3_600..86_400 => count(span / 3_600, "hour"),
            86_400..2_592_000 => count(span / 86_400, "day"),
            2_592_000..31_536_000 => count(span / 2_592_000, "month"),
            _ => count(span / 31_536_000, "year"),
        };
        if past { format!("{words} ago") } else { format!("in {words}") }
    }
}

fn count(number: u64, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let exact = self.time.format("%-d %B %Y, %H:%M UTC");
        write!(formatter, "<time datetime=\"{machine}\" title=\"{exact}\">{}</time>", self.in_words())
    }
}

impl askama::filters::HtmlSafe for Moment {}

/// A number of bytes in decimal units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..1_000 => write!(formatter, "{} B", self.0),
            1_000..1_000_000 => write!(formatter, "{:.1} kB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(formatter, "{:.1} MB", bytes / 1e6),
            _ => write!(formatter, "{:.1} GB", bytes / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn moments_and_sizes_read_well() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ago = |delta| Moment::new(now - delta, now).in_words();
        assert_eq!(ago(TimeDelta::seconds(5)), "just now");
        assert_eq!(ago(TimeDelta::minutes(1)), "1 minute ago");
        assert_eq!(ago(TimeDelta::days(-12)), "in 12 days");
        assert_eq!(ago(TimeDelta::days(800)), "2 years ago");
        assert_eq!(
            [Size(999), Size(1_234), Size(5_600_000)].map(|size| size.to_string()),
            ["999 B", "1.2 kB", "5.6 MB"]
        );
    }
}
