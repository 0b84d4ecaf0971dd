//! What is done to every page and every form: who looks, is the form theirs, what becomes of problems.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{ClientAddress, read_form};
use crate::policy::Actor;

use super::form::{self, Form};
use super::problem::{Problem, Told, show_refusal};
use super::visitor::Visitor;
use super::{confirm, kept, page};

/// The layer around every route of the web face.
pub(crate) async fn frame(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let address = parts.extensions.get().map_or(IpAddr::from([0; 4]), |ClientAddress(address)| *address);
    let visitor = match Visitor::of(&app, &parts, address).await {
        Ok(visitor) => visitor,
        Err(error) => return without_visitor(&app, &parts, address, error),
    };
    if parts.method.is_safe() {
        return run(&app, visitor, None, parts, body, next).await;
    }
    match take_form(&app, &visitor, &parts, body).await {
        Ok((visitor, form)) => run(&app, visitor, Some(form), parts, Body::empty(), next).await,
        Err((form, problem)) => show(&app, &visitor, form.as_ref(), &problem).await,
    }
}

async fn run(app: &App, visitor: Visitor, form: Option<Form>, mut parts: Parts, body: Body, next: Next) -> Response {
    parts.extensions.insert(visitor.clone());
    if let Some(form) = &form {
        parts.extensions.insert(form.clone());
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let told = response.extensions_mut().remove::<Told>();
    let mut response = match told {
        Some(Told(problem)) => show(app, &visitor, form.as_ref(), &problem).await,
        None => response,
    };
    page::close(&visitor, &mut response);
    response
}

/// Reads the form, once it is known that a page of ours sent it, and what it shows of its sender.
async fn take_form(
    app: &App,
    visitor: &Visitor,
    parts: &Parts,
    body: Body,
) -> Result<(Visitor, Form), (Option<Form>, Problem)> {
    let refused = |error: Error| (None, Problem::from(error));
    form::require_same_origin(&parts.headers, &app.public_url).map_err(refused)?;
    let query = read_form(Request::from_parts(parts.clone(), body)).await.map_err(refused)?;
    form::require_code(visitor, &query).map_err(refused)?;
    let form = kept::read(app, visitor, &query).map_err(|problem| (None, problem))?;
    confirm::check(app, visitor, &query).await.map_err(|problem| (Some(form.clone()), problem))?;
    let visitor = with_confirmation(app, visitor).await.map_err(refused)?;
    Ok((visitor, form))
}

/// A session that has shown its second factor lately need not show it with every form.
async fn with_confirmation(app: &App, visitor: &Visitor) -> Result<Visitor> {
    match visitor.actor() {
        Actor::User(principal) => Ok(visitor.confirmed(app.tokens.session_confirmed_until(principal).await?)),
        _ => Ok(visitor.clone()),
    }
}

async fn show(app: &App, visitor: &Visitor, form: Option<&Form>, problem: &Problem) -> Response {
    match problem {
        Problem::Refused(error) => show_refusal(visitor, error),
        Problem::Confirm(wrong) => confirm::answer(app, visitor, form, wrong.as_ref()).await,
    }
}

fn without_visitor(app: &App, parts: &Parts, address: IpAddr, error: Error) -> Response {
    match Visitor::nobody(app, parts, address) {
        Ok(visitor) => show_refusal(&visitor, &Arc::new(error)),
        Err(worse) => axum::response::IntoResponse::into_response(worse),
    }
}
