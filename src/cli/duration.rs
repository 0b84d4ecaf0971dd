//! Durations as people type them.

use chrono::TimeDelta;

/// Reads `90d`, `12h`, `30m` or `45s`.
pub(super) fn parse_duration(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("{text:?} is not a duration; give one like 90d, 12h or 30m");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let duration = match unit {
        'd' => TimeDelta::try_days(count),
        'h' => TimeDelta::try_hours(count),
        'm' => TimeDelta::try_minutes(count),
        's' => TimeDelta::try_seconds(count),
        _ => None,
    };
    duration.filter(|duration| *duration > TimeDelta::zero() && *duration < TimeDelta::days(36_500)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_hours_minutes_and_seconds_are_read() {
        assert_eq!(parse_duration("90d"), Ok(TimeDelta::days(90)));
        assert_eq!(parse_duration("12h"), Ok(TimeDelta::hours(12)));
        for text in ["", "d", "90", "-1d", "0d", "1y", "1.5d", "9999999999999999d", "é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
