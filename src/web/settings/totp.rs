//! Setting up an authenticator app, also in the place of another one.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use qrcode::{Color, EcLevel, QrCode};

use crate::app::App;
use crate::error::{Error, Result};
use crate::policy::AccountPermit;
use crate::second_factor::Draft;

use super::super::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};
use super::security::{PLACE, read_mode};
use super::{confirmed_permit, recovery};

#[derive(Template)]
#[template(path = "settings/totp.html")]
struct TotpPage<'a> {
    visitor: &'a Visitor,
    draft: Draft,
    picture: Picture,
    /// Whether there is a second factor already, whose mode stays.
    has_factor: bool,
    replaces: bool,
    writes: bool,
    errors: FormErrors,
}

/// `GET /settings/security/totp`.
pub(in crate::web) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let draft = app.second_factor.draft_seed(&permit)?;
    show_draft(&app, &visitor, &permit, draft, true, FormErrors::default()).await
}

/// `POST /settings/security/totp`: the first code.
pub(in crate::web) async fn adopt(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let (sealed, mode) = (form.raw("secret"), read_mode(&form));
    let adopted = app.second_factor.adopt_seed(&permit, sealed, form.text("code"), mode).await;
    if adopted.is_ok() {
        // Whoever turns it on has just shown it.
        app.tokens.confirm_session(permit.principal(), true).await?;
    }
    let refused = match adopted {
        Ok(Some(codes)) => return recovery::lead_to(&app, &visitor, codes),
        Ok(None) => {
            let notice = Notice::new("Your authenticator app is set up.");
            return Ok(see_other_with(&visitor, PLACE, &notice));
        }
        Err(refused) => refused,
    };
    let errors = FormErrors::from_refusal("code", refused)?;
    let draft = match app.second_factor.drafted_seed(&permit, sealed) {
        Err(Error::Unprocessable(_)) => app.second_factor.draft_seed(&permit)?,
        draft => draft?,
    };
    show_draft(&app, &visitor, &permit, draft, form.text("mode") != "auth-only", errors).await
}

async fn show_draft(
    app: &App,
    visitor: &Visitor,
    permit: &AccountPermit,
    draft: Draft,
    writes: bool,
    errors: FormErrors,
) -> PageResult {
    let factor = app.second_factor.overview(permit).await?;
    let status = errors.status();
    let template = TotpPage {
        visitor,
        picture: Picture::of(&draft.url)?,
        draft,
        has_factor: factor.mode.is_some(),
        replaces: factor.has_totp,
        writes,
        errors,
    };
    page(visitor, status, &template)
}

/// A QR code as the path of an SVG; one unit for each of its squares, with the quiet zone that scanners want.
struct Picture {
    size: usize,
    path: String,
}

const QUIET: usize = 4;

impl Picture {
    fn of(text: &str) -> Result<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(Error::internal)?;
        let width = code.width();
        let mut path = String::new();
        for (at, color) in code.into_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x, y) = (at % width + QUIET, at / width + QUIET);
                // Writing to a string does not fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        Ok(Self { size: width + 2 * QUIET, path })
    }
}
