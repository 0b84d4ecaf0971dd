//! The face that npm's clients see: `protocol.md`, one file for each part of it.
//!
//! Handlers parse, ask one room, and shape the answer. [`routes`] is the whole surface; a test asks every row of it as
//! every kind of actor.

mod access;
mod attestations;
mod audits;
mod billing;
mod collaborators;
mod confirmation;
mod downloads;
mod errors;
mod feeds;
mod hooks;
mod lists;
mod organizations;
mod owners;
mod packument;
mod ping;
mod profile;
mod publish;
mod revisions;
mod search;
mod security_keys;
mod session;
mod signing_keys;
mod staging;
mod stars;
mod tags;
mod tarball;
mod teams;
mod tokens;
mod trash;
mod trust;
mod user;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::Value;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CachePolicy, Json, Query, Route, router_over, row};
use crate::policy::Actor;

/// Every route of the npm face.
pub fn routes() -> Vec<Route<Arc<App>>> {
    vec![
        row(&["GET"], "/", get(feeds::root)),
        row(&["GET"], "/-/ping", get(ping::ping)),
        row(&["GET"], "/-/whoami", get(session::whoami)),
        row(&["GET", "PUT"], "/-/user/{user}", get(user::get).put(session::log_in)),
        row(&["PUT"], "/-/user/{user}/-rev/{rev}", put(session::log_in)),
        row(&["DELETE"], "/-/user/token/{token}", delete(session::log_out)),
        row(&["GET", "POST"], "/-/npm/v1/tokens", get(tokens::list).post(tokens::create)),
        row(&["DELETE"], "/-/npm/v1/tokens/token/{token}", delete(tokens::delete)),
        row(&["GET", "POST"], "/-/npm/v1/user", get(profile::get).post(profile::set)),
        row(&["GET", "PUT", "POST", "DELETE"], "/-/v1/done/{secret}", done()),
        row(&["POST"], "/-/strongroom/v1/confirmations/{secret}/challenge", post(confirmation::challenge)),
        row(&["POST"], "/-/strongroom/v1/confirmations/{secret}/assertion", post(confirmation::assert)),
        row(&["GET", "POST"], "/-/strongroom/v1/security-keys", get(security_keys::list).post(security_keys::register)),
        row(&["POST"], "/-/strongroom/v1/security-keys/challenge", post(security_keys::challenge)),
        row(&["DELETE"], "/-/strongroom/v1/security-keys/{key}", delete(security_keys::remove)),
        row(&["GET"], "/-/user/{user}/package", get(lists::of_user)),
        row(&["GET"], "/-/-/package", get(lists::own)),
        row(&["GET"], "/-/org/{account}/package", get(lists::of_organization)),
        row(
            &["GET", "PUT", "DELETE"],
            "/-/org/{account}/user",
            get(organizations::list).put(organizations::set).delete(organizations::remove),
        ),
        row(&["GET", "PUT"], "/-/org/{account}/team", get(teams::list).put(teams::create)),
        row(&["DELETE"], "/-/team/{account}/{team}", delete(teams::destroy)),
        row(
            &["GET", "PUT", "DELETE"],
            "/-/team/{account}/{team}/user",
            get(teams::list_users).put(teams::add_user).delete(teams::remove_user),
        ),
        row(
            &["GET", "PUT", "DELETE"],
            "/-/team/{account}/{team}/package",
            get(teams::list_packages).put(teams::grant).delete(teams::revoke),
        ),
        // npm's own description of its interface writes the teams' paths so.
        row(&["DELETE"], "/-/org/{account}/{team}", delete(teams::destroy)),
        row(
            &["GET", "PUT", "DELETE"],
            "/-/org/{account}/{team}/user",
            get(teams::list_users).put(teams::add_user).delete(teams::remove_user),
        ),
        row(
            &["GET", "PUT", "DELETE"],
            "/-/org/{account}/{team}/package",
            get(teams::list_packages).put(teams::grant).delete(teams::revoke),
        ),
        row(
            &["PUT", "DELETE"],
            "/-/strongroom/v1/package/{package}/access/{who}",
            put(collaborators::put).delete(collaborators::delete),
        ),
        row(&["GET"], "/-/strongroom/v1/access/explain", get(collaborators::explain)),
        row(&["POST"], "/-/strongroom/v1/billing/stripe", post(billing::hear)),
        row(&["GET"], "/-/strongroom/v1/errors/{code}", get(errors::get)),
        row(&["POST"], "/-/v1/login", post(session::web_login)),
        row(&["GET", "POST"], "/-/package/{package}/access", get(access::get).post(access::set)),
        row(&["GET"], "/-/package/{package}/visibility", get(access::visibility)),
        row(&["GET"], "/-/package/{package}/collaborators", get(access::collaborators)),
        row(&["GET"], "/-/npm/v1/keys", get(signing_keys::get)),
        row(&["POST"], "/-/npm/v1/security/advisories/bulk", post(audits::bulk)),
        row(&["POST"], "/-/npm/v1/security/audits", post(audits::report)),
        row(&["POST"], "/-/npm/v1/security/audits/quick", post(audits::report)),
        row(&["GET"], "/-/npm/v1/attestations/{spec}", get(attestations::get)),
        row(&["GET"], "/-/package/{package}/version/{version}/status", get(staging::status)),
        row(&["POST"], "/-/stage/package/{package}", post(staging::stage)),
        row(&["GET"], "/-/stage", get(staging::list)),
        row(&["GET", "DELETE"], "/-/stage/{id}", get(staging::view).delete(staging::reject)),
        row(&["GET"], "/-/stage/{id}/tarball", get(staging::tarball)),
        row(&["POST"], "/-/stage/{id}/approve", post(staging::approve)),
        row(&["GET"], "/-/v1/search", get(search::search)),
        row(&["GET"], "/-/all", get(search::all)),
        row(&["GET"], "/-/all/since", get(search::all)),
        row(&["GET"], "/downloads/point/{period}", get(downloads::public_point)),
        row(&["GET"], "/downloads/range/{period}", get(downloads::public_range)),
        row(&["GET"], "/downloads/point/{period}/{package}", get(downloads::point)),
        row(&["GET"], "/downloads/range/{period}/{package}", get(downloads::range)),
        row(&["GET"], "/versions/{package}/last-week", get(downloads::versions)),
        row(&["GET"], "/-/npm/v1/hooks", get(hooks::list)),
        row(&["POST"], "/-/npm/v1/hooks/hook", post(hooks::create)),
        row(
            &["GET", "PUT", "DELETE"],
            "/-/npm/v1/hooks/hook/{hook}",
            get(hooks::get).put(hooks::change).delete(hooks::remove),
        ),
        row(&["GET"], "/-/npm/v1/hooks/hook/{hook}/deliveries", get(hooks::deliveries)),
        row(&["GET"], "/_changes", get(feeds::changes)),
        row(&["GET"], "/_all_docs", get(feeds::all_docs)),
        row(&["GET", "PUT"], "/-/package/{package}/owners", get(owners::get).put(owners::put)),
        row(&["DELETE"], "/-/package/{package}/owners/{user}", delete(owners::delete)),
        row(
            &["GET", "PUT", "POST"],
            "/-/package/{package}/dist-tags",
            get(tags::list).put(tags::put_all).post(tags::post_all),
        ),
        row(&["PUT", "DELETE"], "/-/package/{package}/dist-tags/{tag}", put(tags::put).delete(tags::delete)),
        row(&["GET"], "/-/_view/starredByUser", get(stars::by_user)),
        row(&["GET"], "/-/_view/starredByPackage", get(stars::by_package)),
        row(&["GET", "PUT", "DELETE"], "/-/user/v1/star", get(stars::own).put(stars::change).delete(stars::change)),
        row(&["PUT", "DELETE"], "/-/user/package/{package}/star", put(stars::change_named).delete(stars::change_named)),
        row(&["GET"], "/-/user/{user}/stars", get(stars::of_user)),
        row(&["GET"], "/-/util/user/{user}/stars", get(stars::of_user)),
        row(&["GET"], "/-/strongroom/v1/trash", get(trash::list)),
        row(&["POST"], "/-/strongroom/v1/package/{package}/restore", post(trash::restore)),
        row(&["PUT"], "/-/pnpr/v0/publish", put(publish::put_batch)),
        row(&["PUT"], "/-/pnpm/v1/publish", put(publish::put_batch)),
        row(&["GET", "POST"], "/-/package/{package}/trust", get(trust::list).post(trust::add)),
        row(&["DELETE"], "/-/package/{package}/trust/{id}", delete(trust::remove)),
        row(
            &["GET", "POST"],
            "/-/strongroom/v1/scope/{scope}/trust",
            get(trust::list_for_scope).post(trust::add_for_scope),
        ),
        row(&["DELETE"], "/-/strongroom/v1/scope/{scope}/trust/{id}", delete(trust::remove_for_scope)),
        row(&["POST"], "/-/npm/v1/oidc/token/exchange/package/{package}", post(trust::exchange)),
        row(&["GET", "PUT"], "/{package}", get(packument::get).put(publish::put)),
        row(&["GET"], "/{package}/{version}", get(packument::version)),
        row(&["PUT", "DELETE"], "/{package}/-rev/{rev}", put(revisions::put).delete(revisions::delete)),
        row(&["GET"], "/{package}/-/{file}", get(tarball::get)),
        row(&["DELETE"], "/{package}/-/{file}/-rev/{rev}", delete(revisions::delete_file)),
    ]
}

/// Clients poll with the method of the request that was refused.
fn done() -> MethodRouter<Arc<App>> {
    get(confirmation::done).put(confirmation::done).post(confirmation::done).delete(confirmation::done)
}

/// The router over [`routes`]; every miss is answered in npm's shape.
pub fn router(app: Arc<App>) -> Router {
    router_over(routes()).fallback(no_route).method_not_allowed_fallback(no_method).with_state(app)
}

async fn no_route(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(100).collect();
    Error::NotFound(format!("There is nothing at {path}. Check the registry URL.").into()).into_response()
}

async fn no_method(method: Method) -> Response {
    let method: String = method.as_str().chars().take(16).collect();
    Error::MethodNotAllowed(method).into_response()
}

/// A number in the query of a URL.
fn number(query: &Query, name: &str, otherwise: u32) -> Result<u32> {
    let Some(text) = query.get(name) else { return Ok(otherwise) };
    text.parse().map_err(|_| Error::Malformed(format!("{name} is a whole number that is not negative.").into()))
}

/// An answer that is somebody's own: a client asks again each time whether it still holds.
fn private(value: Value) -> Response {
    let mut response = Json(value).into_response();
    CachePolicy::PrivateRevalidated.apply(response.headers_mut());
    response
}

/// A dead token on a read that anyone may do is told about, and the read is served (`domain.md`).
fn notice_dead_token(actor: &Actor, headers: &mut HeaderMap) {
    if matches!(actor, Actor::Dead) {
        notice(headers, "Your token is not valid any more; public packages only. Log in again with npm login.");
    }
}

/// Puts a line beside the answer that npm prints as `npm notice`.
fn notice(headers: &mut HeaderMap, line: &str) {
    if let Ok(value) = HeaderValue::from_str(line) {
        headers.insert("npm-notice", value);
    }
}
