//! The audit log as pages show it and as files give it: an organization's owners see theirs, administrators all of it.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use futures_util::stream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::app::App;
use crate::audit::{self, Filter, Layout, Line, Reach};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::http::Query;

use super::shell::{Moment, PageResult, Visitor};

const ON_A_PAGE: u32 = 50;

/// Pages further back are reached by dates.
const LAST_PAGE: u32 = 200;

/// How many lines of an export are read at once, and how many it has at most.
const AT_ONCE: i64 = 1_000;
const MOST_LINES: usize = 200_000;

const MOST_CHARACTERS: usize = 100;

/// A line as a page shows it.
pub(super) struct LogLine {
    pub(super) moment: Moment,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) is_refused: bool,
    pub(super) address: String,
    pub(super) token: String,
    pub(super) scope: String,
    /// What else is known, as `name: value` pairs.
    pub(super) detail: String,
}

/// What is looked for.
pub(super) struct Sought {
    pub(super) text: String,
    /// Days as the browser's date fields have them; empty where they are not given.
    pub(super) since: String,
    pub(super) until: String,
    pub(super) number: u32,
}

impl Sought {
    /// Reads the query; what cannot be read is not looked for.
    pub(super) fn read(query: &Query) -> Self {
        let text = |name| query.get(name).unwrap_or_default().trim();
        let day = |name| text(name).parse::<NaiveDate>().map(|day| day.to_string()).unwrap_or_default();
        Self {
            text: text("q").chars().take(MOST_CHARACTERS).collect(),
            since: day("since"),
            until: day("until"),
            number: text("page").parse().unwrap_or(1).clamp(1, LAST_PAGE),
        }
    }

    /// The same as a query, for the next page and for exports.
    pub(super) fn as_query(&self) -> String {
        let text = utf8_percent_encode(&self.text, NON_ALPHANUMERIC);
        format!("q={text}&since={}&until={}", self.since, self.until)
    }

    fn filter(&self) -> Filter {
        let midnight = |day: &str, later: i64| -> Option<Time> {
            let day: NaiveDate = day.parse().ok()?;
            let day = day.checked_add_signed(TimeDelta::days(later))?;
            Some(day.and_time(NaiveTime::MIN).and_utc())
        };
        Filter {
            text: self.text.clone(),
            since: midnight(&self.since, 0),
            // The last day is meant, too.
            until: midnight(&self.until, 1),
            before: None,
            skip: (self.number - 1) * ON_A_PAGE,
        }
    }
}

/// A page of the log, the latest first, and whether there is another.
pub(super) async fn page_of(
    app: &App,
    visitor: &Visitor,
    reach: Reach,
    sought: &Sought,
) -> Result<(Vec<LogLine>, bool)> {
    let most = i64::from(ON_A_PAGE);
    let mut lines = audit::list(app.db.reads(), reach, &sought.filter(), most + 1).await?;
    let has_more = lines.len() > ON_A_PAGE as usize && sought.number < LAST_PAGE;
    lines.truncate(ON_A_PAGE as usize);
    Ok((lines.into_iter().map(|line| LogLine::of(visitor, line)).collect(), has_more))
}

impl LogLine {
    fn of(visitor: &Visitor, line: Line) -> Self {
        Self {
            moment: visitor.moment(line.at),
            is_refused: line.outcome == "refused",
            detail: in_words(&line.detail),
            actor: line.actor,
            action: line.action,
            subject: line.subject,
            address: line.address.unwrap_or_default(),
            token: line.token_key.unwrap_or_default(),
            scope: line.scope.map(|scope| scope.to_string()).unwrap_or_default(),
        }
    }
}

/// `user: bob, permission: read-only`.
fn in_words(detail: &Value) -> String {
    let said = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{name}: {text}")),
        other => Some(format!("{name}: {other}")),
    };
    let pairs: Vec<_> = detail.as_object().into_iter().flatten().filter_map(said).collect();
    pairs.join(", ").replace('_', " ")
}

/// All that fits, as a file that is read from the database as it goes out.
pub(super) fn export(app: &Arc<App>, reach: Reach, query: &Query, name: &str) -> PageResult {
    let layout = Layout::read(query.get("format").unwrap_or("csv"))
        .ok_or_else(|| Error::Malformed("An export is csv or jsonl. Choose one of them.".into()))?;
    let filter = Filter { skip: 0, ..Sought::read(query).filter() };
    let begun = Export { app: app.clone(), reach, filter, layout, sent: None };
    let parts = stream::try_unfold(begun, |export| async move { export.next().await });
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    let disposition = format!("attachment; filename=\"{name}.{}\"", layout.extension());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(layout.media_type()));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(disposition).map_err(Error::internal)?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

struct Export {
    app: Arc<App>,
    reach: Reach,
    filter: Filter,
    layout: Layout,
    /// How many lines are out; none before the heading.
    sent: Option<usize>,
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        let Some(sent) = self.sent else {
            self.sent = Some(0);
            return Ok(Some((Bytes::from_static(self.layout.heading().as_bytes()), self)));
        };
        if sent >= MOST_LINES {
            return Ok(None);
        }
        let lines = audit::list(self.app.db.reads(), self.reach, &self.filter, AT_ONCE).await?;
        let Some(last) = lines.last() else { return Ok(None) };
        self.filter.before = Some(last.id);
        self.sent = Some(sent + lines.len());
        let mut out = String::new();
        for line in &lines {
            self.layout.write(&mut out, line);
        }
        Ok(Some((out.into(), self)))
    }
}
