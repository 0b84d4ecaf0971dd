//! The SQL of the room: flags, what a payment service said, and what pages and reports show.

mod customers;
mod flags;
mod shown;
mod subscriptions;

pub(super) use customers::*;
pub(super) use flags::*;
pub(super) use shown::*;
pub(super) use subscriptions::*;
