//! The face for people with a browser: pages that are forms, and work without script (`ux.md`).
//!
//! [`routes`] is the whole surface; a test asks every row of it as every kind of visitor. A handler takes a [`Visitor`]
//! and, for what changes something, a [`Form`] that was checked already; it asks one room, and shows a template or sends
//! the browser on. What every page shares is in `shell`.

mod access;
mod admin;
mod arrival;
mod assets;
mod billing;
mod docs;
mod entrance;
mod home;
mod invited;
mod log;
mod notifications;
mod organizations;
mod over;
pub(crate) mod package;
mod package_list;
mod package_settings;
mod profile;
mod search;
mod settings;
mod shell;
mod status;
mod terminals;
mod theme;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tower::ServiceExt;

use crate::app::App;
use crate::error::Error;
use crate::http::{Faces, Route, router_over, row};
use crate::names::PackageName;
use crate::{ops, registry};

use shell::{PageResult, Problem, Visitor, see_other};

/// Every page, and every file of a package.
pub fn routes() -> Vec<Route<Arc<App>>> {
    let pages = vec![
        row(&["GET"], "/", get(home::home_page)),
        row(&["POST"], "/checklist", post(home::dismiss_checklist)),
        row(&["GET", "POST"], "/org/new", get(organizations::create::new_page).post(organizations::create::create)),
        row(&["GET"], "/org/{organization}", get(organizations::overview::packages)),
        row(
            &["GET", "POST"],
            "/org/{organization}/members",
            get(organizations::members::members_page).post(organizations::members::set_member),
        ),
        row(&["POST"], "/org/{organization}/members/remove", post(organizations::members::remove_member)),
        row(&["POST"], "/org/{organization}/members/invitations", post(organizations::members::change_invitation)),
        row(
            &["GET", "POST"],
            "/org/{organization}/invite",
            get(organizations::invite::invite_page).post(organizations::invite::invite),
        ),
        row(
            &["GET", "POST"],
            "/org/{organization}/teams",
            get(organizations::teams::teams_page).post(organizations::teams::create_team),
        ),
        row(
            &["GET", "POST"],
            "/org/{organization}/teams/{team}",
            get(organizations::team::team_page).post(organizations::team::describe),
        ),
        row(&["POST"], "/org/{organization}/teams/{team}/members", post(organizations::team::add)),
        row(&["POST"], "/org/{organization}/teams/{team}/members/remove", post(organizations::team::remove)),
        row(&["POST"], "/org/{organization}/teams/{team}/packages", post(organizations::team::give)),
        row(&["POST"], "/org/{organization}/teams/{team}/packages/remove", post(organizations::team::take)),
        row(&["POST"], "/org/{organization}/teams/{team}/delete", post(organizations::team::delete)),
        row(
            &["GET", "POST"],
            "/org/{organization}/settings",
            get(organizations::settings::settings_page).post(organizations::settings::change),
        ),
        row(&["POST"], "/org/{organization}/leave", post(organizations::settings::leave)),
        row(&["POST"], "/org/{organization}/close", post(organizations::settings::close)),
        row(
            &["GET", "POST"],
            "/org/{organization}/export",
            get(organizations::export::export_page).post(organizations::export::download),
        ),
        row(&["GET"], "/org/{organization}/audit", get(organizations::log::log_page)),
        row(&["GET"], "/org/{organization}/audit/export", get(organizations::log::export)),
        row(&["GET"], "/admin", get(admin::overview::overview)),
        row(&["GET", "POST"], "/admin/users", get(admin::accounts::users).post(admin::accounts::create)),
        row(&["POST"], "/admin/users/change", post(admin::accounts::change)),
        row(
            &["GET", "POST"],
            "/admin/invitations",
            get(admin::invitations::invitations).post(admin::invitations::invite),
        ),
        row(&["POST"], "/admin/invitations/change", post(admin::invitations::change)),
        row(&["GET"], "/admin/organizations", get(admin::accounts::organizations)),
        row(&["GET"], "/admin/packages", get(admin::inventory::packages)),
        row(&["GET"], "/admin/licences", get(admin::inventory::licences)),
        row(&["GET", "POST"], "/admin/plans", get(admin::plans::plans).post(admin::plans::set_plan)),
        row(&["GET", "POST"], "/admin/jobs", get(admin::jobs::jobs).post(admin::jobs::run)),
        row(&["GET"], "/admin/audit", get(admin::audit_log::audit_page)),
        row(&["GET"], "/admin/audit/export", get(admin::audit_log::export)),
        row(&["GET"], "/admin/health", get(admin::health::health)),
        row(&["GET"], "/admin/configuration", get(admin::health::configuration)),
        row(&["GET", "POST"], "/admin/message", get(admin::message::message).post(admin::message::say)),
        row(&["GET", "POST"], "/login", get(entrance::page_for_login).post(entrance::log_in)),
        row(&["POST"], "/logout", post(entrance::log_out)),
        row(&["GET", "POST"], "/confirm", get(entrance::confirm_page).post(entrance::confirmed)),
        row(&["GET", "POST"], "/setup/{code}", get(arrival::setup_page).post(arrival::set_up)),
        row(&["GET", "POST"], "/signup", get(arrival::signup_page).post(arrival::sign_up)),
        row(&["GET", "POST"], "/invite/{code}", get(arrival::invitation_page).post(arrival::answer)),
        row(&["GET"], "/invitations", get(arrival::own_invitations)),
        row(&["POST"], "/invitations/{key}", post(arrival::answer_own)),
        row(&["GET", "POST"], "/forgot", get(arrival::forgot_page).post(arrival::ask)),
        row(&["GET"], "/forgot/done", get(arrival::chosen)),
        row(&["GET", "POST"], "/forgot/{code}", get(arrival::reset_page).post(arrival::reset)),
        row(&["GET"], "/verify/done", get(arrival::proven)),
        row(&["GET", "POST"], "/verify/{code}", get(arrival::verify_page).post(arrival::prove)),
        row(&["GET", "POST"], "/login/cli/{code}", get(terminals::login_page).post(terminals::answer)),
        row(&["GET", "POST"], "/auth/cli/{code}", get(terminals::confirm_page).post(terminals::decide)),
        row(&["GET", "POST"], "/settings/notifications", get(notifications::show).post(notifications::change)),
        row(&["POST"], "/theme", post(theme::choose)),
        row(&["GET"], "/docs", get(docs::contents)),
        row(&["GET"], "/docs/errors", get(docs::errors)),
        row(&["GET"], "/docs/{chapter}", get(docs::chapter)),
        row(&["GET"], "/-/errors/{code}", get(docs::error)),
        row(&["GET"], "/-/strongroom/v1/errors/{code}", get(docs::error)),
        row(&["GET"], "/-/status", get(status::show)),
        row(&["GET"], "/search", get(search::search_page)),
        row(&["GET"], "/~{user}", get(profile::profile_page)),
        row(&["GET"], "/package/{package}", get(package::readme_page)),
        row(&["GET"], "/package/{package}/v/{version}", get(package::readme_page_of_version)),
        row(&["GET"], "/package/{package}/code", get(package::code_page)),
        row(&["GET"], "/package/{package}/code/{*path}", get(package::code_page)),
        row(&["GET"], "/package/{package}/v/{version}/code", get(package::code_page_of_version)),
        row(&["GET"], "/package/{package}/v/{version}/code/{*path}", get(package::code_page_of_version)),
        row(&["GET"], "/package/{package}/versions", get(package::versions_page)),
        row(&["GET"], "/package/{package}/diff", get(package::choose_diff)),
        row(&["GET"], "/package/{package}/diff/{range}", get(package::diff_page)),
        row(&["GET"], "/package/{package}/dependencies", get(package::dependencies_page)),
        row(&["GET"], "/package/{package}/dependents", get(package::dependents_page)),
        row(&["GET", "POST"], "/package/{package}/access", get(access::access_page).post(access::change)),
        row(&["GET", "POST"], "/package/{package}/access/public", get(access::page_to_open).post(access::open)),
        row(&["GET", "POST"], "/package/{package}/access/private", get(access::page_to_close).post(access::close)),
        row(&["GET"], "/settings/billing", get(billing::overview)),
        row(&["POST"], "/settings/billing/checkout", post(billing::check_out)),
        row(&["POST"], "/settings/billing/portal", post(billing::open_portal)),
        row(&["GET", "POST"], "/settings/billing/cancel", get(billing::cancel_page).post(billing::cancel)),
        row(&["POST"], "/settings/billing/resume", post(billing::resume)),
        row(&["GET"], "/org/{organization}/billing", get(billing::overview)),
        row(&["POST"], "/org/{organization}/billing/checkout", post(billing::check_out)),
        row(&["POST"], "/org/{organization}/billing/portal", post(billing::open_portal)),
        row(&["GET", "POST"], "/org/{organization}/billing/cancel", get(billing::cancel_page).post(billing::cancel)),
        row(&["POST"], "/org/{organization}/billing/resume", post(billing::resume)),
        row(
            &["GET", "POST"],
            "/package/{package}/settings",
            get(package_settings::settings_page).post(package_settings::change),
        ),
        row(
            &["GET", "POST"],
            "/package/{package}/settings/remove",
            get(package_settings::page_to_remove).post(package_settings::remove),
        ),
        row(
            &["GET", "POST"],
            "/package/{package}/settings/trust",
            get(package_settings::trust_page).post(package_settings::change_trust),
        ),
        row(
            &["GET", "POST"],
            "/package/{package}/staged/{id}",
            get(package_settings::staged_page).post(package_settings::review),
        ),
    ];
    pages.into_iter().chain(own_account()).chain(files()).collect()
}

/// One's own account, and tokens that anybody found.
fn own_account() -> Vec<Route<Arc<App>>> {
    vec![
        row(&["GET", "POST"], "/settings", get(settings::profile::show).post(settings::profile::change)),
        row(&["GET", "POST"], "/settings/export", get(settings::export::show).post(settings::export::download)),
        row(&["GET"], "/settings/security", get(settings::security::show)),
        row(
            &["GET", "POST"],
            "/settings/security/password",
            get(settings::security::password_page).post(settings::security::change_password),
        ),
        row(&["POST"], "/settings/security/mode", post(settings::security::change_mode)),
        row(
            &["GET", "POST"],
            "/settings/security/disable",
            get(settings::security::disable_page).post(settings::security::disable),
        ),
        row(&["POST"], "/settings/security/sessions", post(settings::sessions::end)),
        row(&["GET", "POST"], "/settings/security/totp", get(settings::totp::show).post(settings::totp::adopt)),
        row(
            &["GET", "POST"],
            "/settings/security/recovery-codes",
            get(settings::recovery::show).post(settings::recovery::renew),
        ),
        row(&["POST"], "/settings/security/keys", post(settings::keys::add)),
        row(&["GET"], "/settings/security/keys/new", get(settings::keys::new)),
        row(&["GET", "POST"], "/settings/security/keys/{key}", get(settings::keys::edit).post(settings::keys::change)),
        row(&["GET", "POST"], "/settings/tokens", get(settings::tokens::list).post(settings::tokens::revoke)),
        row(&["GET", "POST"], "/settings/tokens/new", get(settings::new_token::steps).post(settings::new_token::make)),
        row(&["GET"], "/settings/tokens/made", get(settings::new_token::made)),
        row(&["GET"], "/settings/{name}/{page}", get(settings::redirects::named)),
        row(&["GET"], "/settings/{name}/tokens/{rest}", get(settings::redirects::new_token)),
        row(&["GET"], "/settings/{name}/tokens/{rest}/new", get(settings::redirects::new_token)),
        row(&["GET", "POST"], "/revoke", get(settings::revoke::show).post(settings::revoke::revoke)),
    ]
}

/// Files of packages: of this face by who may see them, and yet no pages, so that it matters not what a browser asks for.
fn files() -> Vec<Route<Arc<App>>> {
    vec![
        row(&["GET"], "/package/{package}/v/{version}/raw/{*path}", get(package::raw_file)),
        row(&["GET"], "/package/{package}/v/{version}/image/{*path}", get(package::image)),
    ]
}

/// Both faces of the origin: the pages, and for whoever does not ask for pages npm's protocol, the operator's tools and
/// the files that pages are made of.
pub fn faces(app: &Arc<App>) -> Faces {
    let framed = from_fn_with_state(app.clone(), shell::frame);
    let by_themselves = router_over(files()).layer(framed.clone()).with_state(app.clone());
    let registry =
        registry::router(app.clone()).merge(ops::router(app.clone())).merge(assets::router()).merge(by_themselves);
    let beyond = Beyond { registry: registry.clone() };
    let pages = router_over(routes())
        .fallback(move |request: Request| beyond.answer(request))
        .layer(framed)
        .with_state(app.clone());
    Faces { registry, pages }
}

/// What a browser asks for that is no page.
#[derive(Clone)]
struct Beyond {
    registry: Router,
}

impl Beyond {
    /// Tarballs and what else lies below `/-/` is the registry's; the registry's address of a package leads to its page.
    async fn answer(self, request: Request) -> PageResult {
        let path = request.uri().path();
        if path.contains("/-/") || assets::PATHS.contains(&path) {
            return Ok(self.registry.oneshot(request).await.into_response());
        }
        match path.trim_start_matches('/').replace("%2f", "/").parse::<PackageName>() {
            Ok(name) if request.method().is_safe() => {
                let visitor = request.extensions().get::<Visitor>();
                visitor.map_or_else(|| Err(no_page()), |visitor| Ok(see_other(visitor, &format!("/package/{name}"))))
            }
            _ => Err(no_page()),
        }
    }
}

fn no_page() -> Problem {
    Error::NotFound("There is no such page, or nothing that you may see.".into()).into()
}
