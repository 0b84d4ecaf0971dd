//! The pages of a package: README, files, versions and what differs between them, dependencies and dependents.
//!
//! Everything in a package is a stranger's text. Templates escape it; what is HTML already was made so by the rooms
//! `readmes` and `contents`, which let nothing through that does more than show.

mod code;
mod dependencies;
mod diff;
mod frame;
mod raw;
mod readme;
mod sparkline;
mod versions;

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use crate::access::PersonAccess;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PackagePath;
use crate::names::{PackageName, VersionNumber};
use crate::packages::{Opened, no_version};
use crate::policy::{Debtor, Intent};

use super::billing::plans_page;
use super::shell::{PageResult, Visitor, page};

pub(super) use code::{code_page, code_page_of_version};
pub(super) use dependencies::{dependencies_page, dependents_page};
pub(super) use diff::{choose_diff, diff_page};
pub(crate) use frame::Frame;
pub(super) use raw::{image, raw_file};
pub(super) use readme::{readme_page, readme_page_of_version};
pub(super) use versions::versions_page;

/// What somebody sees of a package that they may read, as soon as somebody pays.
#[derive(Template)]
#[template(path = "package/unpaid.html")]
struct UnpaidPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    /// What they were given; `None` for who administers it.
    own: Option<PersonAccess>,
    /// Where the visitor can pick a plan, where it is theirs to pick.
    plans: Option<String>,
    sentence: String,
}

/// Opens a package for a page: whoever may not read it gets the common page for nothing, and who would have to pay first a
/// page that says so and shows nothing else.
async fn with_package(
    app: &Arc<App>,
    visitor: &Visitor,
    path: PackagePath,
    show: impl AsyncFnOnce(Opened) -> PageResult,
) -> PageResult {
    let name = path.for_reading()?;
    match app.packages.open(visitor.actor(), &name, Intent::READ).await {
        Ok(opened) => show(opened).await,
        Err(Error::PaymentRequired { debtor, sentence }) => {
            show_unpaid(app, visitor, name, (&debtor, sentence.to_string())).await
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn show_unpaid(
    app: &App,
    visitor: &Visitor,
    name: PackageName,
    (debtor, sentence): (&Debtor, String),
) -> PageResult {
    let facts = app.access.load_facts_for(visitor.actor(), &name).await?;
    let frame = Frame::of_facts(app, visitor, &facts, "");
    let plans = plans_page(app, visitor, debtor, &facts);
    let permit = app.access.permit_known(visitor.actor(), &facts, Intent::EXPLAIN).await?;
    let own = app.access.own_access(&permit).await?;
    page(visitor, StatusCode::PAYMENT_REQUIRED, &UnpaidPage { visitor, frame, own, plans, sentence })
}

/// The version of a path.
fn version_of(text: &str) -> Result<VersionNumber> {
    text.parse().map_err(|_| no_version(text))
}
