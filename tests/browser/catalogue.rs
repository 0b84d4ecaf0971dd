//! Every page in its states: where it is, who looks, and what they do first.

use crate::browser::Browser;
use crate::world::{Who, World};
use Who::{Ada, Bob, Carol, Freda, Lena, Nobody};

/// A page in one state.
#[derive(Debug)]
pub(crate) struct Page {
    /// What it is called in messages, and its picture.
    pub(crate) name: &'static str,
    /// Its row of `strongroom::web::routes`.
    pub(crate) route: &'static str,
    pub(crate) who: Who,
    /// Its address; names in braces are filled in by the world.
    path: &'static str,
    /// The status that it comes with.
    status: u16,
    acts: &'static [Act],
    main: bool,
}

/// What somebody does before the page is in its state.
#[derive(Debug)]
enum Act {
    Fill(&'static str, &'static str),
    Press(&'static str),
}

use Act::{Fill, Press};

const fn page(who: Who, name: &'static str, route: &'static str, path: &'static str) -> Page {
    Page { name, route, who, path, status: 200, acts: &[], main: false }
}

impl Page {
    const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    const fn after(self, acts: &'static [Act]) -> Self {
        Self { acts, ..self }
    }

    /// One of the ten that are looked at most.
    const fn main(self) -> Self {
        Self { main: true, ..self }
    }

    pub(crate) fn is_main(&self) -> bool {
        self.main
    }

    /// Opens it, and says what is not as it should be.
    pub(crate) async fn open(&self, browser: &Browser, world: &World) -> Vec<String> {
        let address = world.address(self.path);
        browser.visit(&address).await;
        for act in self.acts {
            match act {
                Fill(label, text) => browser.fill(label, text).await,
                Press(name) => browser.press(name).await,
            }
        }
        let status = browser.evaluate("performance.getEntriesByType('navigation')[0].responseStatus").await;
        let mut wrong = Vec::new();
        if status != self.status {
            wrong.push(format!("answers {status} instead of {}", self.status));
        }
        let path = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
        let shown = browser.address().await;
        if self.acts.is_empty() && path(&shown) != path(&address) {
            wrong.push(format!("leads to {shown}"));
        }
        wrong
    }
}

/// Every page.
pub(crate) const PAGES: &[Page] = &[
    page(Nobody, "home-signed-out", "/", "/").main(),
    page(Ada, "home", "/", "/").main(),
    page(Carol, "home-of-a-newcomer", "/", "/"),
    page(Nobody, "login", "/login", "/login?then=/settings").main(),
    page(Nobody, "login-refused", "/login", "/login").status(422).after(&[
        Fill("User name", "nobody"),
        Fill("Password", "not the password"),
        Press("Log in"),
    ]),
    page(Ada, "confirm", "/confirm", "/confirm"),
    page(Ada, "billing", "/settings/billing", "/settings/billing"),
    page(Lena, "billing-lapsed", "/settings/billing", "/settings/billing"),
    page(Ada, "organization-billing", "/org/{organization}/billing", "/org/acme/billing"),
    page(Ada, "organization-billing-cancel", "/org/{organization}/billing/cancel", "/org/acme/billing/cancel"),
    page(Ada, "billing-cancel", "/settings/billing/cancel", "/settings/billing/cancel"),
    page(Nobody, "nothing-here", "/docs/{chapter}", "/docs/nothing-here").status(404),
    page(Ada, "nothing-here-signed-in", "/docs/{chapter}", "/docs/nothing-here").status(404),
    page(Nobody, "manual", "/docs", "/docs"),
    page(Nobody, "manual-first-steps", "/docs/{chapter}", "/docs/first-steps").main(),
    page(Nobody, "manual-sharing", "/docs/{chapter}", "/docs/sharing"),
    page(Nobody, "manual-organizations", "/docs/{chapter}", "/docs/organizations"),
    page(Nobody, "manual-ci", "/docs/{chapter}", "/docs/ci"),
    page(Nobody, "manual-billing", "/docs/{chapter}", "/docs/billing"),
    page(Nobody, "manual-security", "/docs/{chapter}", "/docs/security"),
    page(Nobody, "manual-install", "/docs/{chapter}", "/docs/install"),
    page(Nobody, "manual-running", "/docs/{chapter}", "/docs/running"),
    page(Nobody, "manual-backup", "/docs/{chapter}", "/docs/backup"),
    page(Nobody, "manual-upgrade", "/docs/{chapter}", "/docs/upgrade"),
    page(Nobody, "manual-errors", "/docs/errors", "/docs/errors"),
    page(Nobody, "error-code", "/-/errors/{code}", "/-/errors/SR-PLAN-01"),
    page(Nobody, "error-code-of-clients", "/-/strongroom/v1/errors/{code}", "/-/strongroom/v1/errors/SR-PLAN-01"),
    page(Nobody, "status", "/-/status", "/-/status"),
    page(Ada, "status-for-administrators", "/-/status", "/-/status"),
];
