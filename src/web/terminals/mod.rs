//! What terminals wait for: being logged in, and having confirmed what they are about to do.

mod confirm;
mod login;

pub(super) use confirm::{confirm_page, decide};
pub(super) use login::{answer, login_page};
