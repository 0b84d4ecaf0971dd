//! Plans: what an account has and pays, buying, changing and ending it.
//!
//! One set of handlers for users and organizations: whose plan it is stands in the address. Cards are seen by the payment
//! service alone; a form here leads to its pages, and the headers let it lead there and nowhere else.

mod banner;
mod view;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::billing::{Overview, page_for, page_of};
use crate::error::{Error, Result};
use crate::http::{PathParameters, Query};
use crate::names::AccountName;
use crate::policy::{
    AccountAction, AccountKind, AccountPermit, Debtor, HolderPermit, OrganizationAction, OrganizationPermit,
    PackageFacts,
};

use super::organizations::Tab;
use super::shell::{Form, Notice, PageResult, Problem, Visitor, allow_form_target, page, see_other, see_other_with};

pub(super) use banner::Banner;
use view::View;

#[derive(Template)]
#[template(path = "billing/overview.html")]
struct OverviewPage<'a> {
    visitor: &'a Visitor,
    view: View<'a>,
    banner: Option<Banner>,
    tabs: Vec<Tab>,
    /// Organizations that the visitor pays for, on their own page.
    organizations: Vec<AccountName>,
    /// They have just shown who they are, and can press the button again.
    may_go_on: bool,
}

#[derive(Template)]
#[template(path = "billing/cancel.html")]
struct CancelPage<'a> {
    visitor: &'a Visitor,
    view: View<'a>,
    tabs: Vec<Tab>,
}

/// Whose plan it is, as the address says.
enum Whose {
    Own,
    Organizations(AccountName),
}

/// The proof that the visitor may see it, or change it.
enum Permit {
    User(AccountPermit),
    Organization(OrganizationPermit),
}

impl Permit {
    fn payer(&self) -> HolderPermit<'_> {
        match self {
            Self::User(permit) => HolderPermit::User(permit),
            Self::Organization(permit) => HolderPermit::Organization(permit),
        }
    }
}

impl Whose {
    fn read(path: &PathParameters) -> Result<Self> {
        match path.get("organization") {
            "" => Ok(Self::Own),
            name => name.parse().map(Self::Organizations).map_err(|_| Error::NotFound("No such organization.".into())),
        }
    }

    async fn see(&self, app: &App, visitor: &Visitor) -> Result<Permit, Problem> {
        self.permit(app, visitor, AccountAction::See, OrganizationAction::SeeBilling).await
    }

    async fn change(&self, app: &App, visitor: &Visitor) -> Result<Permit, Problem> {
        self.permit(app, visitor, AccountAction::ChangeBilling, OrganizationAction::ChangeBilling).await
    }

    async fn permit(
        &self,
        app: &App,
        visitor: &Visitor,
        own: AccountAction,
        organizations: OrganizationAction,
    ) -> Result<Permit, Problem> {
        visitor.principal()?;
        Ok(match self {
            Self::Own => Permit::User(app.second_factor.permit(visitor.actor(), own).await?),
            Self::Organizations(name) => {
                Permit::Organization(app.organizations.permit(visitor.actor(), name, organizations).await?)
            }
        })
    }
}

/// `GET /settings/billing`, `GET /org/{organization}/billing`.
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    query: Query,
) -> PageResult {
    let whose = Whose::read(&path)?;
    let permit = whose.see(&app, &visitor).await?;
    let payer = permit.payer();
    let may_go_on = query.get("confirm").is_some();
    if may_go_on {
        visitor.require_confirmed(&app).await?;
    }
    let overview = app.billing.overview(&payer).await?;
    if query.get("checkout") == Some("done") {
        return come_back(&app, &visitor, &payer, overview).await;
    }
    let organizations = match (&whose, visitor.account()) {
        (Whose::Own, Some(account)) => app.billing.paid_for_by(account.id).await?,
        _ => Vec::new(),
    };
    let template = OverviewPage {
        visitor: &visitor,
        banner: Banner::of(payer.account(), overview.standing, true),
        tabs: view::tabs(&app, &visitor, payer.account()),
        organizations,
        may_go_on,
        view: View::new(&visitor, overview, page_for(&payer)),
    };
    let response = page(&visitor, StatusCode::OK, &template)?;
    leading_to_payment(&app, &visitor, response)
}

/// Who paid a moment ago is told by the payment service itself, so that they need not wait for its event.
async fn come_back(app: &App, visitor: &Visitor, payer: &HolderPermit<'_>, before: Overview) -> PageResult {
    let is_known = before.running().is_some();
    if !is_known && let Err(cause) = app.billing.refresh(payer).await {
        tracing::warn!(%cause, "nothing was heard of a purchase yet");
    }
    let is_running = is_known || app.billing.overview(payer).await?.running().is_some();
    let sentence = if is_running {
        "Your payment has arrived. Private packages work from now on."
    } else {
        "The payment service has not confirmed the payment yet. As soon as it does, private packages work."
    };
    Ok(see_other_with(visitor, &page_for(payer), &Notice::new(sentence)))
}

/// `POST …/billing/checkout`: on to the page where the plan is paid.
pub(super) async fn check_out(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    _form: Form,
) -> PageResult {
    let whose = Whose::read(&path)?;
    match whose.change(&app, &visitor).await {
        Ok(permit) => Ok(see_other(&visitor, &app.billing.checkout(&permit.payer()).await?)),
        Err(problem) => confirm_first(&visitor, &whose, problem),
    }
}

/// `POST …/billing/portal`: on to the page where card and address are changed.
pub(super) async fn open_portal(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    _form: Form,
) -> PageResult {
    let whose = Whose::read(&path)?;
    match whose.change(&app, &visitor).await {
        Ok(permit) => Ok(see_other(&visitor, &app.billing.portal(&permit.payer()).await?)),
        Err(problem) => confirm_first(&visitor, &whose, problem),
    }
}

/// `POST …/billing/resume`.
pub(super) async fn resume(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    _form: Form,
) -> PageResult {
    let permit = Whose::read(&path)?.change(&app, &visitor).await?;
    app.billing.resume(&permit.payer()).await?;
    Ok(see_other_with(&visitor, &page_for(&permit.payer()), &Notice::new("The plan goes on.")))
}

/// `GET …/billing/cancel`: what will happen, when, and to whom.
pub(super) async fn cancel_page(State(app): State<Arc<App>>, visitor: Visitor, path: PathParameters) -> PageResult {
    let permit = Whose::read(&path)?.see(&app, &visitor).await?;
    let payer = permit.payer();
    let overview = app.billing.overview(&payer).await?;
    let tabs = view::tabs(&app, &visitor, payer.account());
    let template = CancelPage { visitor: &visitor, tabs, view: View::new(&visitor, overview, page_for(&payer)) };
    page(&visitor, StatusCode::OK, &template)
}

/// `POST …/billing/cancel`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    _form: Form,
) -> PageResult {
    let permit = Whose::read(&path)?.change(&app, &visitor).await?;
    let payer = permit.payer();
    app.billing.cancel(&payer).await?;
    let overview = app.billing.overview(&payer).await?;
    let notice = Notice::new(View::new(&visitor, overview, page_for(&payer)).cancelled());
    Ok(see_other_with(&visitor, &page_for(&payer), &notice.with_undo(format!("{}/resume", page_for(&payer)), &[])))
}

/// A form that leads to another host may not be sent from the page that asks who somebody is: its headers keep it here.
/// So that is asked first, and the button pressed again.
fn confirm_first(visitor: &Visitor, whose: &Whose, problem: Problem) -> PageResult {
    let page = match whose {
        Whose::Own => "/settings/billing".to_owned(),
        Whose::Organizations(name) => format!("/org/{name}/billing"),
    };
    match problem {
        Problem::Confirm(None) => Ok(see_other(visitor, &format!("{page}?confirm=first"))),
        problem => Err(problem),
    }
}

/// Forms of these pages may lead to the payment service.
fn leading_to_payment(app: &App, visitor: &Visitor, mut response: Response) -> PageResult {
    let pages = app.billing.payment_pages();
    if !pages.is_empty() {
        allow_form_target(visitor, &mut response, &pages.join(" "))?;
    }
    Ok(response)
}

/// Where the visitor can do something about the plan that an account lacks; nowhere, where it is not theirs to pick.
pub(super) fn plans_page(app: &App, visitor: &Visitor, debtor: &Debtor, facts: &PackageFacts) -> Option<String> {
    let owner = facts.owner.as_deref().filter(|owner| owner.name == debtor.name);
    let may_pay = match debtor.kind {
        AccountKind::User => visitor.is(debtor.name.as_str()),
        AccountKind::Organization => {
            owner.is_some_and(|owner| app.organizations.may(visitor.actor(), owner, OrganizationAction::SeeBilling))
        }
    };
    may_pay.then(|| page_of(debtor))
}
