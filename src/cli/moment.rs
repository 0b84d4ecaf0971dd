//! Moments as people type them.

use chrono::{NaiveDate, NaiveTime};

use crate::clock::{Clock, Time};

use super::duration::parse_duration;

/// Reads `2027-01-31T12:00:00Z`, `2027-01-31` (its first moment, UTC), or how long from now, such as `90d`.
pub(super) fn parse_moment(text: &str) -> Result<Time, String> {
    if let Ok(moment) = text.parse::<Time>() {
        return Ok(moment);
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    let wrong = |_| format!("{text:?} is not a moment; give a date (2027-01-31), a time (2027-01-31T12:00:00Z) or 90d");
    Ok(Clock::system().now() + parse_duration(text).map_err(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_dates_and_durations_are_read() {
        let text = |moment: Result<Time, String>| moment.unwrap().to_rfc3339();
        assert_eq!(text(parse_moment("2027-01-31T12:00:00Z")), "2027-01-31T12:00:00+00:00");
        assert_eq!(text(parse_moment("2027-01-31T12:00:00+02:00")), "2027-01-31T10:00:00+00:00");
        assert_eq!(text(parse_moment("2027-01-31")), "2027-01-31T00:00:00+00:00");
        assert!(parse_moment("90d").unwrap() > Clock::system().now() + chrono::TimeDelta::days(89));
        for text in ["", "tomorrow", "2027-13-01", "-1d"] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
