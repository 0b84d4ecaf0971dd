//! How somebody wants to look at pages: a cookie, and nothing that is stored.

use axum::response::Response;
use http::header::SET_COOKIE;

use super::shell::{Form, Target, Theme, Visitor, see_other, theme_cookie};

/// `POST /theme`.
pub(super) async fn choose(visitor: Visitor, form: Form) -> Response {
    let mut response = see_other(&visitor, Target::read(form.text("then")).as_str());
    let cookie = theme_cookie(&visitor.public_url, Theme::read(form.text("theme")));
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
