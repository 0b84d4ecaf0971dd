//! `/admin/plans`: who is paid, where that is an administrator's to say.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};

use crate::app::App;
use crate::audit::By;
use crate::config::BillingProvider;
use crate::error::{Error, Result};
use crate::http::Query;
use crate::names::AccountName;
use crate::policy::{AccountKind, BillingFlag, InstanceAction, InstancePermit};
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Typed, Visitor, page, see_other_with};

use super::accounts::{Row, rows};
use super::{Sought, TABS, administrator};

#[derive(Template)]
#[template(path = "admin/plans.html")]
struct PlansPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    /// Where plans come from.
    provider: BillingProvider,
    organizations: bool,
    rows: Vec<Row>,
    total: i64,
    sought: Sought,
    has_more: bool,
    typed: Typed<'a>,
    errors: FormErrors,
}

impl PlansPage<'_> {
    fn kind_query(&self) -> &'static str {
        kind_query(self.organizations)
    }

    fn is_sold(&self) -> bool {
        self.provider == BillingProvider::Stripe
    }

    fn is_free(&self) -> bool {
        self.provider == BillingProvider::None
    }
}

/// What keeps the next page to the same kind of accounts.
fn kind_query(organizations: bool) -> &'static str {
    if organizations { "&kind=organizations" } else { "" }
}

/// `GET /admin/plans`.
pub(in crate::web) async fn plans(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let organizations = query.get("kind") == Some("organizations");
    show(&app, &visitor, &permit, (Sought::read(&query), organizations), Typed::default(), FormErrors::default()).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    permit: &InstancePermit,
    (sought, organizations): (Sought, bool),
    typed: Typed<'_>,
    errors: FormErrors,
) -> PageResult {
    let kind = if organizations { AccountKind::Organization } else { AccountKind::User };
    let (rows, total) = rows(app, visitor, permit, kind, &sought).await?;
    let has_more = sought.has_more(total);
    let provider = app.config.billing.provider;
    let status = errors.status();
    let template =
        PlansPage { visitor, tab: "/plans", provider, organizations, rows, total, sought, has_more, typed, errors };
    page(visitor, status, &template)
}

/// `POST /admin/plans`: sets the flag of one account.
pub(in crate::web) async fn set_plan(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::ChangePlans).await?;
    let done: Result<AccountName> = async {
        let name = form.account("account")?;
        let flag = flag_of(&form)?;
        app.billing.set(&name, flag, &By::from(permit.actor())).await?;
        Ok(name)
    }
    .await;
    match done {
        Ok(name) => {
            let flag = app.billing.in_words(app.billing.status(&name).await?);
            let notice = Notice::new(format!("{name} is {flag}, on every node from its next request."));
            let kind = kind_query(form.has("organizations"));
            Ok(see_other_with(&visitor, &format!("/admin/plans?q={name}{kind}"), &notice))
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("account", error)?;
            let place = (Sought::all(), form.has("organizations"));
            show(&app, &visitor, &permit, place, Typed::from(&form), errors).await
        }
    }
}

/// Paid, paid up to the beginning of a day, or unpaid.
fn flag_of(form: &Form) -> Result<BillingFlag> {
    let until = form.text("until");
    match form.text("paid") {
        "unpaid" => Ok(BillingFlag::Unpaid),
        "paid" if until.is_empty() => Ok(BillingFlag::Paid { until: None }),
        "paid" => {
            let day: NaiveDate = until.parse().map_err(|_| {
                Error::Unprocessable("The end of a plan is a day such as 2027-01-31, or nothing.".into())
            })?;
            Ok(BillingFlag::Paid { until: Some(day.and_time(NaiveTime::MIN).and_utc()) })
        }
        _ => Err(Error::Unprocessable("An account is paid or unpaid. Choose one of them.".into())),
    }
}
