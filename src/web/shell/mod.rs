//! What every page shares: who looks, forms and their guard, asking again who somebody is, errors as pages, headers.

mod confirm;
mod cookies;
mod form;
mod frame;
mod kept;
mod notice;
mod once;
mod page;
mod problem;
mod target;
mod text;
mod visitor;

pub(super) use confirm::show_confirmation;
pub(super) use cookies::{session_cookie, session_cookie_over, theme_cookie};
pub(super) use form::{Form, FormErrors, Typed};
pub(super) use frame::frame;
pub(super) use notice::Notice;
pub(super) use once::{forget_shown, show_next, shown_next};
pub(super) use page::{allow_form_target, allow_images, large_page, page, see_other, see_other_with};
pub(super) use problem::{PageResult, Problem};
pub(super) use target::Target;
pub(super) use text::{Moment, Size};
pub(super) use visitor::{Theme, Visitor};
