//! Plans that are paid for, against localstripe: a stateful Stripe that we did not write.
//!
//! It has customers, subscriptions, seats, invoices, failing cards and signed webhooks, and neither checkout nor portal:
//! these two are [`stand_in`]'s, whose requests and answers are held against Stripe's own client ([`official`]).
//! `localstripe` comes from `PyPI` and the client from npm, once, into the target folder. Without them these tests fail:
//! nothing else shows that a payment service would understand what it is told.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod support;

mod events;
mod fetch;
mod official;
mod pages;
mod paying;
mod place;
mod seats;
mod stand_in;
