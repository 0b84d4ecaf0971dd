//! Periods of whole days in UTC, as npm's counts name them (`protocol.md` 8.5).

use chrono::{Days, NaiveDate};

/// The longest period: two years with a leap day.
const MOST_DAYS: i64 = 731;

/// From one day to another, both counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub start: NaiveDate,
    /// The last day.
    pub end: NaiveDate,
}

/// No period, or one that is too long.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "Not a period. Give last-day, last-week, last-month, last-year, a day (2026-01-31), or two days of the last two years \
     (2026-01-01:2026-01-31)."
)]
pub struct InvalidPeriod;

impl Period {
    /// Reads a period; those that are counted back end today.
    ///
    /// # Errors
    /// [`InvalidPeriod`].
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, InvalidPeriod> {
        let back = |days: u64| Self { start: today.checked_sub_days(Days::new(days - 1)).unwrap_or(today), end: today };
        let period = match text {
            "last-day" => back(1),
            "last-week" => back(7),
            "last-month" => back(30),
            "last-year" => back(365),
            _ => {
                let (start, end) = text.split_once(':').unwrap_or((text, text));
                Self { start: day(start)?, end: day(end)? }
            }
        };
        let length = period.end.signed_duration_since(period.start).num_days() + 1;
        (1..=MOST_DAYS).contains(&length).then_some(period).ok_or(InvalidPeriod)
    }

    /// Each of its days.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.start.iter_days().take_while(move |day| *day <= self.end)
    }
}

/// Exactly `2026-01-31`: a year of more digits is nobody's.
fn day(text: &str) -> Result<NaiveDate, InvalidPeriod> {
    let day = (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
    day.ok_or(InvalidPeriod)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, String), InvalidPeriod> {
        let today = "2026-03-01".parse().unwrap();
        Period::parse(text, today).map(|period| (period.start.to_string(), period.end.to_string()))
    }

    #[test]
    fn periods_are_whole_days_and_both_ends_count() {
        let of = |start: &str, end: &str| Ok((start.to_owned(), end.to_owned()));
        assert_eq!(parse("last-day"), of("2026-03-01", "2026-03-01"));
        assert_eq!(parse("last-week"), of("2026-02-23", "2026-03-01"));
        assert_eq!(parse("2024-02-29"), of("2024-02-29", "2024-02-29"));
        assert_eq!(parse("2025-01-01:2026-12-31"), of("2025-01-01", "2026-12-31"));
        for text in
            ["", "last-decade", "2026-13-01", "2026-02-02:2026-02-01", "2020-01-01:2026-01-01", "+262000-1", ":"]
        {
            assert_eq!(parse(text), Err(InvalidPeriod), "{text}");
        }
    }

    #[test]
    fn a_week_has_seven_days() {
        let period = Period::parse("last-week", "2026-03-01".parse().unwrap()).unwrap();
        assert_eq!(period.days().count(), 7);
    }
}
