//! `/org/new`: anybody who is logged in may own an organization.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::config::BillingProvider;
use crate::error::Result;
use crate::names::AccountName;
use crate::policy::AccountAction;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};

#[derive(Template)]
#[template(path = "organizations/new.html")]
struct NewPage<'a> {
    visitor: &'a Visitor,
    name: &'a str,
    /// Whether it begins without a plan.
    unpaid: bool,
    most: u32,
    errors: FormErrors,
}

/// `GET /org/new`.
pub(in crate::web) async fn new_page(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    visitor.principal()?;
    show(&app, &visitor, "", FormErrors::default())
}

/// `POST /org/new`.
pub(in crate::web) async fn create(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::CreateOrganization).await?;
    let text = form.text("name").trim_start_matches('@').to_lowercase();
    let created: Result<AccountName> = async {
        let name = AccountName::for_registration(&text)?;
        app.organizations.create_own(&permit, &name).await?;
        Ok(name)
    }
    .await;
    match created {
        Ok(name) => {
            let notice = Notice::new(format!("The organization {name} is yours. Invite the others."));
            Ok(see_other_with(&visitor, &format!("/org/{name}/invite"), &notice))
        }
        Err(error) => show(&app, &visitor, form.text("name"), FormErrors::from_refusal("name", error)?),
    }
}

fn show(app: &App, visitor: &Visitor, name: &str, errors: FormErrors) -> PageResult {
    let status = errors.status();
    let unpaid = app.config.billing.provider != BillingProvider::None;
    let most = app.config.limits.organizations_per_user;
    page(visitor, status, &NewPage { visitor, name, unpaid, most, errors })
}
