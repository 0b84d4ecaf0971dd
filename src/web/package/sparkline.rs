//! Downloads of a year, week by week, as a line.

use std::fmt::Write as _;

use chrono::{Days, NaiveDate};

use crate::downloads::Period;

const WEEKS: usize = 52;
const WIDTH: usize = 208;
const HEIGHT: usize = 36;

/// What the sidebar says of downloads.
#[derive(Debug)]
pub(super) struct Downloads {
    /// In the last seven days.
    pub(super) week: i64,
    /// Against the seven days before, in percent.
    pub(super) change: Option<String>,
    /// The line, where there are weeks enough for one.
    pub(super) line: Option<Line>,
}

/// A line with what it shows in words and numbers.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) points: String,
    pub(super) sentence: String,
    /// The first day of each week, and its downloads; the last week first.
    pub(super) weeks: Vec<(NaiveDate, i64)>,
}

/// The days that a line is drawn over.
pub(super) fn period(today: NaiveDate) -> Period {
    let days = Days::new(WEEKS as u64 * 7 - 1);
    Period { start: today.checked_sub_days(days).unwrap_or(today), end: today }
}

impl Downloads {
    /// Sums days up. Fewer than three weeks since `first` are no line.
    pub(super) fn of(days: &[(NaiveDate, i64)], first: NaiveDate) -> Self {
        let weeks: Vec<(NaiveDate, i64)> = days
            .chunks(7)
            .filter_map(|week| Some((week.first()?.0, week.iter().map(|(_, count)| count).sum())))
            .collect();
        let counts: Vec<i64> = weeks.iter().map(|(_, count)| *count).collect();
        let (week, before) = match counts.as_slice() {
            [.., before, week] => (*week, *before),
            [week] => (*week, 0),
            [] => (0, 0),
        };
        let age = days.last().map_or(0, |(today, _)| today.signed_duration_since(first).num_days());
        Self { week, change: change(week, before), line: (age >= 21).then(|| Line::over(weeks)) }
    }
}

fn change(week: i64, before: i64) -> Option<String> {
    let percent = (before > 0).then(|| (week - before) * 100 / before)?;
    Some(format!("{percent:+} %"))
}

impl Line {
    fn over(mut weeks: Vec<(NaiveDate, i64)>) -> Self {
        let most = weeks.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let step = WIDTH / weeks.len().max(1);
        let mut points = String::new();
        for (at, (_, count)) in weeks.iter().enumerate() {
            let _ = write!(points, "{},{} ", at * step + step / 2, height(*count, most));
        }
        let all: i64 = weeks.iter().map(|(_, count)| count).sum();
        weeks.reverse();
        let sentence = format!("Downloads in each of the last {WEEKS} weeks: {all} in all, {most} in the best week");
        Self { width: WIDTH, height: HEIGHT, points: points.trim_end().to_owned(), sentence, weeks }
    }
}

/// From the top; a week without downloads is on the ground.
fn height(count: i64, most: i64) -> i64 {
    let room = i64::try_from(HEIGHT).unwrap_or(0) - 4;
    room + 2 - count * room / most.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn downloads(count: impl Fn(usize) -> i64, age: u64) -> Downloads {
        let today: NaiveDate = "2026-06-30".parse().unwrap();
        let days: Vec<_> = period(today).days().enumerate().map(|(at, day)| (day, count(at))).collect();
        assert_eq!(days.len(), 364);
        Downloads::of(&days, today - Days::new(age))
    }

    #[test]
    fn weeks_are_summed_up_and_compared() {
        let grown = downloads(|at| if at >= 357 { 2 } else { 1 }, 300);
        assert_eq!((grown.week, grown.change.as_deref()), (14, Some("+100 %")));
        let line = grown.line.unwrap();
        assert_eq!(line.weeks.len(), 52);
        assert_eq!(line.weeks[0].1, 14);
        assert!(line.points.starts_with("2,18 ") && line.points.ends_with("206,2"), "{}", line.points);
    }

    #[test]
    fn weeks_without_downloads_are_drawn_and_a_young_package_has_no_line() {
        let none = downloads(|_| 0, 300);
        assert_eq!((none.week, none.change.as_deref()), (0, None));
        assert!(none.line.unwrap().points.split(' ').all(|point| point.ends_with(",34")));
        assert!(downloads(|_| 1, 20).line.is_none());
    }
}
