//! `/admin/users` and `/admin/organizations`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::audit::By;
use crate::error::{Error, Result};
use crate::http::Query;
use crate::names::{AccountName, Email};
use crate::policy::{AccountKind, InstanceAction, InstancePermit};
use crate::users::{ListedAccount, NewUser, Password, Wanted};
use crate::web::shell::{Form, FormErrors, Moment, Notice, PageResult, Problem, Typed, Visitor, page, see_other_with};

use super::{ON_A_PAGE, Sought, TABS, administrator};

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    rows: Vec<Row>,
    total: i64,
    sought: Sought,
    has_more: bool,
    typed: Typed<'a>,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "admin/organizations.html")]
struct OrganizationsPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    rows: Vec<Row>,
    total: i64,
    sought: Sought,
    has_more: bool,
}

/// An account as the pages of administrators show it.
pub(super) struct Row {
    pub(super) name: AccountName,
    pub(super) email: String,
    pub(super) created: Moment,
    pub(super) disabled: Option<Moment>,
    pub(super) administrator: bool,
    pub(super) has_second_factor: bool,
    pub(super) plan: String,
    pub(super) paid: bool,
    pub(super) packages: i64,
    pub(super) members: i64,
    pub(super) last_seen: Option<Moment>,
}

impl Row {
    pub(super) fn of(app: &App, visitor: &Visitor, account: ListedAccount) -> Self {
        Self {
            created: visitor.moment(account.created_at),
            disabled: account.disabled_at.map(|at| visitor.moment(at)),
            last_seen: account.last_seen.map(|at| visitor.moment(at)),
            plan: app.billing.in_words(account.flag),
            paid: account.flag.is_paid(visitor.now),
            name: account.name,
            email: account.email,
            administrator: account.administrator,
            has_second_factor: account.has_second_factor,
            packages: account.packages,
            members: account.members,
        }
    }
}

/// A page of accounts of one kind, and how many there are.
pub(super) async fn rows(
    app: &App,
    visitor: &Visitor,
    permit: &InstancePermit,
    kind: AccountKind,
    sought: &Sought,
) -> Result<(Vec<Row>, i64)> {
    let wanted = Wanted { kind, sought: &sought.text, page: sought.number, size: ON_A_PAGE };
    let (accounts, total) = app.users.list_accounts(permit, wanted).await?;
    Ok((accounts.into_iter().map(|account| Row::of(app, visitor, account)).collect(), total))
}

/// `GET /admin/users`.
pub(in crate::web) async fn users(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    show_users(&app, &visitor, &permit, Sought::read(&query), Typed::default(), FormErrors::default()).await
}

async fn show_users(
    app: &App,
    visitor: &Visitor,
    permit: &InstancePermit,
    sought: Sought,
    typed: Typed<'_>,
    errors: FormErrors,
) -> PageResult {
    let (rows, total) = rows(app, visitor, permit, AccountKind::User, &sought).await?;
    let has_more = sought.has_more(total);
    let status = errors.status();
    let template = UsersPage { visitor, tab: "/users", rows, total, sought, has_more, typed, errors };
    page(visitor, status, &template)
}

/// `POST /admin/users`: a new account.
pub(in crate::web) async fn create(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::ChangeAccounts).await?;
    let mut errors = FormErrors::default();
    let name = noted(&mut errors, "name", AccountName::for_registration(&form.text("name").to_lowercase()))?;
    let email = noted(&mut errors, "email", form.text("email").parse::<Email>())?;
    let password = noted(&mut errors, "password", Password::chosen(form.raw("password")))?;
    let (Some(name), Some(email), Some(password)) = (name, email, password) else {
        return show_users(&app, &visitor, &permit, Sought::all(), Typed::from(&form), errors).await;
    };
    let user = NewUser { name, email, password, administrator: form.has("administrator") };
    match app.users.create(user, &By::from(permit.actor())).await {
        Ok(made) => {
            let notice = Notice::new(format!("{} has an account. Hand the password over on a safe way.", made.name));
            Ok(see_other_with(&visitor, &format!("/admin/users?q={}", made.name), &notice))
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("name", error)?;
            show_users(&app, &visitor, &permit, Sought::all(), Typed::from(&form), errors).await
        }
    }
}

/// Keeps what is right, and notes what is not.
fn noted<T, E: Into<Error>>(
    errors: &mut FormErrors,
    field: &'static str,
    outcome: Result<T, E>,
) -> Result<Option<T>, Problem> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            errors.0.extend(FormErrors::from_refusal(field, error.into())?.0);
            Ok(None)
        }
    }
}

/// `POST /admin/users/change`: one deed to one account, which its button names.
pub(in crate::web) async fn change(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::ChangeAccounts).await?;
    let done: Result<String> = async {
        let name = form.account("user")?;
        let deed = form.text("do");
        match deed {
            "disable" | "enable" => app.users.switch(&permit, &name, deed == "disable").await?,
            "promote" | "demote" => app.users.set_administrator(&permit, &name, deed == "promote").await?,
            "forget-factor" => app.second_factor.disable_by(&permit, &name).await?,
            "send-reset" => app.recovery.note_forgotten(name.as_str(), visitor.address).await?,
            _ => return Err(Error::Unprocessable("There is no such deed. Load the page again.".into())),
        }
        Ok(match deed {
            "disable" => format!("{name} is switched off: its sessions and tokens are dead, nobody logs in."),
            "enable" => format!("{name} is switched on again, with the tokens it had."),
            "promote" => format!("{name} administers this instance."),
            "demote" => format!("{name} administers this instance no longer."),
            "forget-factor" => format!("{name} has no second factor any more, and logs in by password alone."),
            _ => format!("If {name} has a mail address and mail is sent here, a link is on its way."),
        })
    }
    .await;
    match done {
        Ok(sentence) => {
            let path = format!("/admin/users?q={}", form.account("user")?);
            Ok(see_other_with(&visitor, &path, &Notice::new(sentence)))
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("q", error)?;
            show_users(&app, &visitor, &permit, Sought::all(), Typed::default(), errors).await
        }
    }
}

/// `GET /admin/organizations`.
pub(in crate::web) async fn organizations(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let sought = Sought::read(&query);
    let (rows, total) = rows(&app, &visitor, &permit, AccountKind::Organization, &sought).await?;
    let has_more = sought.has_more(total);
    let template = OrganizationsPage { visitor: &visitor, tab: "/organizations", rows, total, sought, has_more };
    page(&visitor, StatusCode::OK, &template)
}
