//! Every page in its states: where it is, who looks, and what they do first.

use crate::browser::Browser;
use crate::world::{Who, World};
use Who::{Ada, Bob, Carol, Dora, Freda, Lena, Nobody};

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
    page(Ada, "package", "/package/{package}", "/package/@ada/vault").main(),
    page(Nobody, "package-public", "/package/{package}", "/package/@ada/open"),
    page(Nobody, "package-hidden", "/package/{package}", "/package/@ada/vault").status(404),
    page(Nobody, "package-without-readme", "/package/{package}", "/package/@ada/bare"),
    page(Freda, "package-unpaid", "/package/{package}", "/package/@ada/vault").status(402),
    page(Lena, "package-lapsed", "/package/{package}", "/package/@lena/secret").status(402),
    page(Ada, "package-named-badly", "/package/{package}", "/package/{nasty}"),
    page(Ada, "package-deprecated", "/package/{package}/v/{version}", "/package/@ada/vault/v/1.0.0"),
    page(Ada, "package-prerelease", "/package/{package}/v/{version}", "/package/@ada/vault/v/{prerelease}"),
    page(Ada, "code", "/package/{package}/code", "/package/@ada/vault/code").main(),
    page(Ada, "code-folder", "/package/{package}/code/{*path}", "/package/@ada/vault/code/docs"),
    page(Ada, "code-file", "/package/{package}/code/{*path}", "/package/@ada/vault/code/{file}"),
    page(Ada, "code-html", "/package/{package}/code/{*path}", "/package/@ada/vault/code/docs/page.html"),
    page(Ada, "code-binary", "/package/{package}/code/{*path}", "/package/@ada/vault/code/keys.bin"),
    page(Ada, "code-missing", "/package/{package}/code/{*path}", "/package/@ada/vault/code/nothing.js").status(404),
    page(Ada, "code-of-version", "/package/{package}/v/{version}/code", "/package/@ada/vault/v/1.0.0/code"),
    page(
        Ada,
        "code-file-of-version",
        "/package/{package}/v/{version}/code/{*path}",
        "/package/@ada/vault/v/1.0.0/code/{file}",
    ),
    page(Ada, "versions", "/package/{package}/versions", "/package/@ada/vault/versions").main(),
    page(Ada, "diff", "/package/{package}/diff/{range}", "/package/@ada/vault/diff/1.0.0..1.1.0"),
    page(Ada, "dependencies", "/package/{package}/dependencies", "/package/@ada/vault/dependencies"),
    page(Nobody, "dependencies-public", "/package/{package}/dependencies", "/package/@ada/bare/dependencies"),
    page(Ada, "dependents", "/package/{package}/dependents", "/package/@ada/open/dependents"),
    page(Nobody, "dependents-few", "/package/{package}/dependents", "/package/@ada/bare/dependents"),
    page(Nobody, "search", "/search", "/search?q=keys").main(),
    page(Ada, "search-mine", "/search", "/search?q=vault"),
    page(Nobody, "search-nothing", "/search", "/search?q=nothing-of-this-name"),
    page(Nobody, "search-without-words", "/search", "/search"),
    page(Nobody, "profile-public", "/~{user}", "/~ada"),
    page(Ada, "profile-own", "/~{user}", "/~ada"),
    page(Nobody, "profile-few", "/~{user}", "/~carol"),
    page(Ada, "access", "/package/{package}/access", "/package/@ada/vault/access").main(),
    page(Ada, "access-public", "/package/{package}/access", "/package/@ada/open/access"),
    page(Ada, "access-of-organization", "/package/{package}/access", "/package/@acme/widgets/access"),
    page(Ada, "access-refused", "/package/{package}/access", "/package/@ada/vault/access")
        .status(422)
        .after(&[Fill("User name", "nobody-of-this-name"), Press("Add")]),
    page(Bob, "access-read-only", "/package/{package}/access", "/package/@ada/vault/access"),
    page(Lena, "access-lapsed", "/package/{package}/access", "/package/@lena/secret/access"),
    page(Freda, "access-unpaid", "/package/{package}/access", "/package/@ada/vault/access").status(402),
    page(Ada, "make-public", "/package/{package}/access/public", "/package/@ada/vault/access/public").main(),
    page(Ada, "make-public-refused", "/package/{package}/access/public", "/package/@ada/vault/access/public")
        .status(422)
        .after(&[Fill("Type", "something else"), Press("Make public")]),
    page(Ada, "make-private", "/package/{package}/access/private", "/package/@ada/open/access/private"),
    page(Nobody, "setup-is-over", "/setup/{code}", "/setup/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").status(404),
    page(Nobody, "signup", "/signup", "/signup"),
    page(Nobody, "signup-refused", "/signup", "/signup").status(422).after(&[
        Fill("User name", "ada"),
        Fill("Mail address", "ada@example.com"),
        Fill("Password", "every strongroom has one door"),
        Press("Sign up"),
    ]),
    page(Nobody, "invitation", "/invite/{code}", "/invite/{invitation}"),
    page(Bob, "invitation-for-somebody-else", "/invite/{code}", "/invite/{invitation}"),
    page(Lena, "invitations", "/invitations", "/invitations"),
    page(Freda, "invitations-none", "/invitations", "/invitations"),
    page(Nobody, "forgot", "/forgot", "/forgot"),
    page(Nobody, "forgot-sent", "/forgot", "/forgot")
        .after(&[Fill("User name or mail address", "bob"), Press("Send link")]),
    page(Nobody, "forgot-choose", "/forgot/{code}", "/forgot/{forgotten}"),
    page(Nobody, "forgot-over", "/forgot/{code}", "/forgot/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").status(404),
    page(Nobody, "forgot-done", "/forgot/done", "/forgot/done"),
    page(Carol, "address-to-prove", "/verify/{code}", "/verify/{proof}"),
    page(Nobody, "address-proven", "/verify/done", "/verify/done"),
    page(Ada, "terminal", "/login/cli/{code}", "/login/cli/{login}").main(),
    page(Bob, "terminal-refused", "/login/cli/{code}", "/login/cli/{refused}").after(&[Press("Refuse")]),
    page(Nobody, "terminal-deed", "/auth/cli/{code}", "/auth/cli/{deed}"),
    page(Ada, "profile", "/settings", "/settings"),
    page(Ada, "profile-refused", "/settings", "/settings")
        .status(422)
        .after(&[Fill("Homepage", "javascript://x"), Press("Save profile")]),
    page(Ada, "security", "/settings/security", "/settings/security").main(),
    page(Ada, "password", "/settings/security/password", "/settings/security/password"),
    page(Ada, "password-refused", "/settings/security/password", "/settings/security/password").status(422).after(&[
        Fill("Password you have", "not the password"),
        Fill("New password", "every strongroom has one door"),
        Press("Change password"),
    ]),
    page(Ada, "authenticator", "/settings/security/totp", "/settings/security/totp"),
    page(Ada, "passkey", "/settings/security/keys/new", "/settings/security/keys/new"),
    page(Ada, "tokens", "/settings/tokens", "/settings/tokens").main(),
    page(Carol, "tokens-few", "/settings/tokens", "/settings/tokens"),
    page(Ada, "token-purpose", "/settings/tokens/new", "/settings/tokens/new"),
    page(Ada, "token-for-computer", "/settings/tokens/new", "/settings/tokens/new?for=computer"),
    page(Ada, "token-for-publishing", "/settings/tokens/new", "/settings/tokens/new?for=publish"),
    page(Ada, "token-for-installing", "/settings/tokens/new", "/settings/tokens/new?for=install"),
    page(Ada, "token-for-anything", "/settings/tokens/new", "/settings/tokens/new?for=other"),
    page(Ada, "token-made", "/settings/tokens/made", "/settings/tokens/new?for=install").after(&[
        Fill("Name", "ci"),
        Press("Look over"),
        Press("Make token"),
    ]),
    page(Nobody, "revoke", "/revoke", "/revoke"),
    page(Nobody, "revoke-refused", "/revoke", "/revoke").after(&[Fill("Token", "npm_0"), Press("Revoke token")]),
    page(Dora, "security-with-factors", "/settings/security", "/settings/security"),
    page(Dora, "second-factor-off", "/settings/security/disable", "/settings/security/disable"),
    page(Dora, "recovery-codes", "/settings/security/recovery-codes", "/settings/security")
        .after(&[Press("Make new ones")]),
    page(Dora, "key", "/settings/security/keys/{key}", "/settings/security/keys/00000000000000000000"),
    page(Ada, "notifications", "/settings/notifications", "/settings/notifications"),
    page(Ada, "organization", "/org/{organization}", "/org/acme").main(),
    page(Nobody, "organization-from-outside", "/org/{organization}", "/org/acme"),
    page(Ada, "organization-new", "/org/new", "/org/new"),
    page(Ada, "organization-new-refused", "/org/new", "/org/new")
        .status(422)
        .after(&[Fill("Name", "Not a name!"), Press("Create organization")]),
    page(Ada, "members", "/org/{organization}/members", "/org/acme/members").main(),
    page(Carol, "members-seen-by-a-member", "/org/{organization}/members", "/org/acme/members"),
    page(Ada, "members-many", "/org/{organization}/invite", "/org/acme/invite"),
    page(Ada, "members-many-looked-at", "/org/{organization}/invite", "/org/acme/invite")
        .after(&[Fill("One person on each line", "lena,admin,ops"), Press("Look at the list")]),
    page(Ada, "members-many-refused", "/org/{organization}/invite", "/org/acme/invite")
        .status(422)
        .after(&[Fill("One person on each line", "nobody-of-this-name,captain"), Press("Look at the list")]),
    page(Ada, "teams", "/org/{organization}/teams", "/org/acme/teams"),
    page(Ada, "team", "/org/{organization}/teams/{team}", "/org/acme/teams/ops"),
    page(Carol, "team-seen-by-a-member", "/org/{organization}/teams/{team}", "/org/acme/teams/ops"),
    page(Ada, "organization-settings", "/org/{organization}/settings", "/org/acme/settings"),
    page(Carol, "organization-settings-seen-by-a-member", "/org/{organization}/settings", "/org/acme/settings"),
    page(Ada, "organization-audit", "/org/{organization}/audit", "/org/acme/audit"),
    page(Ada, "billing", "/settings/billing", "/settings/billing"),
    page(Freda, "billing-unpaid", "/settings/billing", "/settings/billing"),
    page(Lena, "billing-lapsed", "/settings/billing", "/settings/billing"),
    page(Ada, "billing-cancel", "/settings/billing/cancel", "/settings/billing/cancel"),
    page(Ada, "organization-billing", "/org/{organization}/billing", "/org/acme/billing"),
    page(Ada, "organization-billing-cancel", "/org/{organization}/billing/cancel", "/org/acme/billing/cancel"),
    page(Ada, "organization-export", "/org/{organization}/export", "/org/acme/export"),
    page(Ada, "export", "/settings/export", "/settings/export"),
    page(Ada, "admin", "/admin", "/admin"),
    page(Ada, "admin-audit", "/admin/audit", "/admin/audit"),
    page(Ada, "admin-configuration", "/admin/configuration", "/admin/configuration"),
    page(Ada, "admin-health", "/admin/health", "/admin/health"),
    page(Ada, "admin-invitations", "/admin/invitations", "/admin/invitations"),
    page(Ada, "admin-jobs", "/admin/jobs", "/admin/jobs"),
    page(Ada, "admin-licences", "/admin/licences", "/admin/licences"),
    page(Ada, "admin-message", "/admin/message", "/admin/message"),
    page(Ada, "admin-organizations", "/admin/organizations", "/admin/organizations"),
    page(Ada, "admin-packages", "/admin/packages", "/admin/packages"),
    page(Ada, "admin-plans", "/admin/plans", "/admin/plans"),
    page(Ada, "admin-users", "/admin/users", "/admin/users"),
    page(Ada, "package-settings", "/package/{package}/settings", "/package/@ada/vault/settings").main(),
    page(Bob, "package-settings-read-only", "/package/{package}/settings", "/package/@ada/vault/settings"),
    page(Ada, "package-removal", "/package/{package}/settings/remove", "/package/@ada/vault/settings/remove"),
    page(Dora, "trusted-publishers", "/package/{package}/settings/trust", "/package/@dora/new/settings/trust"),
    page(Ada, "staged", "/package/{package}/staged/{id}", "/package/@ada/vault/staged/{staged}"),
];

/// What browsers are given that is no page to look at: files as they are, and addresses that lead on.
pub(crate) const NO_PAGES: &[&str] = &[
    "/package/{package}/v/{version}/raw/{*path}",
    "/package/{package}/v/{version}/image/{*path}",
    "/package/{package}/diff",
    "/org/{organization}/audit/export",
    "/admin/audit/export",
    "/settings/{name}/{page}",
    "/settings/{name}/tokens/{rest}",
    "/settings/{name}/tokens/{rest}/new",
];
