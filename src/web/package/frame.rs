//! What stands above every page of a package: its name, who sees it, the version in a line, and the tabs.
//!
//! Include it with `{% include "package/frame.html" %}` in a template that has a field `frame`, and `visitor`.

use crate::app::App;
use crate::dependencies::Dependents;
use crate::error::{Error, Result};
use crate::names::PackageName;
use crate::packages::{Described, ListedVersion, Opened};
use crate::policy::{Intent, PackageFacts, Right, Visibility};
use crate::web::shell::Visitor;

/// The head of a package's pages.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The package.
    pub(crate) name: PackageName,
    /// Whether anyone may read it.
    pub(crate) is_public: bool,
    /// The tab that is open: `readme`, `code`, `versions`, `dependencies`, `dependents`, `access` or `settings`.
    pub(crate) tab: &'static str,
    /// The version in the line below the name.
    pub(crate) version: Option<Line>,
    /// What the tabs count.
    pub(crate) counts: Counts,
    /// Whether the tab with those who have access is there for the visitor.
    pub(crate) shows_access: bool,
    /// Whether the one with the settings is.
    pub(crate) shows_settings: bool,
}

/// A version in one line.
#[derive(Debug)]
pub(crate) struct Line {
    /// The version.
    pub(crate) version: ListedVersion,
    /// Whether it is the latest.
    pub(crate) is_latest: bool,
    /// The latest, where that is another.
    pub(crate) latest: Option<String>,
}

/// What the tabs count.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Versions.
    pub(crate) versions: Option<i64>,
    /// What the version needs.
    pub(crate) dependencies: Option<usize>,
    /// Who needs the package, of those that the visitor may see; a text, for there may be more.
    pub(crate) dependents: Option<String>,
}

impl Frame {
    /// The head over a version: the latest where none is named. Returns what is known of the version besides.
    ///
    /// # Errors
    /// `NotFound` for a version that the package does not have.
    pub(crate) async fn load(
        app: &App,
        visitor: &Visitor,
        opened: &Opened,
        wanted: Option<&str>,
        tab: &'static str,
    ) -> Result<(Self, Described)> {
        let mut described = app.packages.describe(opened, wanted).await?;
        let dependents = app.dependencies.dependents(opened.permit.name(), visitor.actor()).await?;
        let mut frame = Self::of_facts(app, visitor, &opened.entry.facts, tab);
        frame.counts = Counts {
            versions: Some(described.versions),
            dependencies: Some(described.about.dependencies.iter().filter(|one| one.kind == "dependencies").count()),
            dependents: Some(in_short(&dependents)),
        };
        let is_latest = described.latest.as_deref() == Some(described.version.number.as_str());
        let latest = described.latest.take().filter(|_| !is_latest);
        frame.version = Some(Line { version: described.version.clone(), is_latest, latest });
        Ok((frame, described))
    }

    /// The head with nothing but what a decision knows: for who may see no more.
    pub(crate) fn of_facts(app: &App, visitor: &Visitor, facts: &PackageFacts, tab: &'static str) -> Self {
        let visibility = facts.package.as_ref().map(|package| package.visibility);
        Self {
            name: facts.name.clone(),
            is_public: visibility == Some(Visibility::Public),
            tab,
            version: None,
            counts: Counts::default(),
            shows_access: may(app, visitor, facts, Intent::LIST_COLLABORATORS),
            // Who only reads finds little there; where somebody sent them, the tab that is open is shown.
            shows_settings: tab == "settings"
                || may(app, visitor, facts, Intent::MOVE_TAG)
                || may(app, visitor, facts, Intent::REVOKE),
        }
    }

    /// Where links of the page lead that are about this version, and not about whichever is the latest.
    pub(crate) fn base(&self) -> String {
        match &self.version {
            Some(line) if !line.is_latest => format!("/package/{}/v/{}", self.name, line.version.number),
            _ => format!("/package/{}", self.name),
        }
    }
}

/// Whether something would be done, be it after a second factor was shown or somebody has paid.
fn may<R: Right>(app: &App, visitor: &Visitor, facts: &PackageFacts, intent: Intent<R>) -> bool {
    let answer = app.access.permit_on(visitor.actor(), facts, intent);
    matches!(answer, Ok(_) | Err(Error::SecondFactorRequired { .. } | Error::PaymentRequired { .. }))
}

fn in_short(dependents: &Dependents) -> String {
    let more = if dependents.has_more { "+" } else { "" };
    format!("{}{more}", dependents.list.len())
}
