//! READMEs as pages: Markdown of strangers made into HTML that does nothing but show.
//!
//! A README is rendered once, in the background after its publish, within bounds of size and time; what came out is kept
//! with the number of the renderer, and made anew when that has become a better one. Three layers, each suspicious of the
//! one before: [`markdown`] (comrak) makes HTML of Markdown and lets HTML through, [`rewrite`] tells links, images,
//! headings and nesting how they have to be, and [`sanitize`] (ammonia) has the last word by a list of what is allowed.

mod link;
mod markdown;
mod rewrite;
mod sanitize;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::config;
use crate::contents::Deadline;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::names::{PackageName, VersionNumber, is_misleading};
use crate::packages::Opened;

use store::Unrendered;

/// Grows with every change of what is made of a README; what an older one made is made anew.
const RENDERER: u32 = 1;

/// How much work a README may be; what is more stays plain.
const TIME: Duration = Duration::from_millis(500);

/// When a thread that does not look at the time is given up. It holds its turn until it ends.
const GIVE_UP: Duration = Duration::from_secs(10);

/// READMEs asked for at once.
const BATCH: i64 = 20;

/// How long one run of the chore goes on.
const RUN: Duration = Duration::from_mins(4);

/// Handle to the READMEs.
#[derive(Debug, Clone)]
pub struct Readmes {
    db: Db,
    image_hosts: Arc<[String]>,
    turns: Arc<Semaphore>,
}

/// The README of a version.
#[derive(Debug, PartialEq, Eq)]
pub struct Readme {
    /// Its name in the tarball.
    pub file_name: String,
    /// What it says.
    pub body: Body,
}

/// What a README says.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// HTML that may stand on a page as it is.
    Html(String),
    /// Text as it was written: nobody has rendered it yet.
    Plain(String),
}

/// Which version a README is of, and what it may show.
#[derive(Debug, Clone)]
struct Rules {
    name: PackageName,
    version: VersionNumber,
    image_hosts: Arc<[String]>,
}

impl Readmes {
    /// Sets the room up.
    pub fn new(db: Db, config: &config::Readmes) -> Self {
        let mut hosts: Vec<String> = config.image_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.sort_unstable();
        Self { db, image_hosts: hosts.into(), turns: Arc::new(Semaphore::new(1)) }
    }

    /// The hosts that images may come from.
    pub fn image_hosts(&self) -> &[String] {
        &self.image_hosts
    }

    /// The README of a version; `None` where it has none.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, opened: &Opened, version: &VersionNumber) -> Result<Option<Readme>> {
        store::find(self.db.reads(), opened.permit.name(), version).await
    }

    /// Renders what is still to be rendered, the newest first. A chore; returns how many READMEs that were.
    ///
    /// # Errors
    /// The database's; what was rendered before stays.
    pub async fn render_missing(&self) -> Result<usize> {
        let (current, next) = self.renderer();
        let end = Instant::now() + RUN;
        let mut rendered = 0;
        while Instant::now() < end {
            let batch = store::list_unrendered(self.db.reads(), current, next, BATCH).await?;
            if batch.is_empty() {
                break;
            }
            for unrendered in batch {
                let version = unrendered.version_id;
                let html = self.render(unrendered).await?;
                let mut transaction = self.db.begin().await?;
                store::keep(&mut transaction, version, current, &html).await?;
                transaction.commit().await?;
                rendered += 1;
            }
        }
        Ok(rendered)
    }

    /// The number of this renderer, and the first of the next one. In the lower half stands what it was told by the
    /// configuration; in the upper its version, so that two releases that run side by side do not take turns.
    fn renderer(&self) -> (i64, i64) {
        let hosts = crc32fast::hash(self.image_hosts.join(" ").as_bytes());
        let version = i64::from(RENDERER) << 32;
        (version | i64::from(hosts), version + (1 << 32))
    }

    async fn render(&self, unrendered: Unrendered) -> Result<String> {
        let Unrendered { name, version, text, file_name, .. } = unrendered;
        let turn = self.turns.clone().acquire_owned().await.map_err(Error::internal)?;
        let version = version.parse().map_err(Error::internal)?;
        let rules = Rules { name, version, image_hosts: self.image_hosts.clone() };
        let plain = plain(&text);
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            render(&text, &file_name, &rules, Deadline::after(TIME))
        });
        let rendered = tokio::time::timeout(GIVE_UP, work).await;
        Ok(rendered.ok().and_then(std::result::Result::ok).flatten().unwrap_or(plain))
    }
}

/// Makes HTML of a README; `None` for what is no Markdown, or too much of it.
fn render(text: &str, file_name: &str, rules: &Rules, deadline: Deadline) -> Option<String> {
    if !is_markdown(file_name) {
        return None;
    }
    let text = without_misleading(text);
    let html = markdown::to_html(&text, deadline)?;
    let html = rewrite::rewrite(&html, rules, deadline)?;
    Some(sanitize::clean(&html, &rules.image_hosts))
}

fn is_markdown(file_name: &str) -> bool {
    let lower = file_name.to_ascii_lowercase();
    lower
        .rsplit_once('.')
        .is_none_or(|(_, extension)| matches!(extension, "md" | "markdown" | "mdown" | "mkdn" | "mkd"))
}

/// Characters that turn text around, or hide it, have no place in what a stranger writes onto our page.
fn without_misleading(text: &str) -> String {
    text.chars().filter(|character| !is_misleading(*character)).collect()
}

/// A README as it was written.
fn plain(text: &str) -> String {
    format!("<pre tabindex=\"0\">{}</pre>", sanitize::escape(&without_misleading(text)))
}
