//! What the pages of plans say, in words.

use crate::app::App;
use crate::billing::{Offer, Overview, Receipt, Standing, Subscribed};
use crate::clock::Time;
use crate::config::BillingProvider;
use crate::names::AccountName;
use crate::policy::{AccountFacts, AccountKind};
use crate::web::organizations::{self, Tab};
use crate::web::settings;
use crate::web::shell::{Size, Visitor};

/// The tabs among which the page stands: those of settings, or of the organization.
pub(super) fn tabs(app: &App, visitor: &Visitor, account: &AccountFacts) -> Vec<Tab> {
    match account.kind {
        AccountKind::User => {
            let own = settings::tabs(visitor.path()).into_iter();
            own.map(|tab| Tab { path: tab.path.into(), label: tab.label.into(), is_current: tab.is_current }).collect()
        }
        AccountKind::Organization => organizations::tabs(app, visitor, account, "billing"),
    }
}

/// An overview, and the sentences about it.
pub(super) struct View<'a> {
    visitor: &'a Visitor,
    pub(super) overview: Overview,
    /// The address of the page.
    pub(super) page: String,
}

impl<'a> View<'a> {
    pub(super) fn new(visitor: &'a Visitor, overview: Overview, page: String) -> Self {
        Self { visitor, overview, page }
    }

    pub(super) fn is_organization(&self) -> bool {
        self.overview.kind == AccountKind::Organization
    }

    pub(super) fn is_paid_here(&self) -> bool {
        self.overview.provider == BillingProvider::Stripe
    }

    pub(super) fn is_free(&self) -> bool {
        self.overview.provider == BillingProvider::None
    }

    pub(super) fn has_plan(&self) -> bool {
        !matches!(self.overview.standing, Standing::Lapsed { .. } | Standing::Unpaid)
    }

    pub(super) fn can_cancel(&self) -> bool {
        self.overview.running().is_some_and(|running| running.cancels_at.is_none())
    }

    /// What the account is called in a sentence.
    pub(super) fn whose(&self) -> String {
        if self.is_organization() { format!("@{}", self.overview.account) } else { "Your account".into() }
    }

    pub(super) fn plan_name(&self) -> &'static str {
        if self.is_organization() { "Organization" } else { "Personal" }
    }

    /// What a running plan costs: `3 members at 7.00 USD, 21.00 USD each month`.
    pub(super) fn cost(&self, running: &Subscribed) -> String {
        let interval = &running.interval;
        match (&running.seat_price, running.price()) {
            (Some(seat), Some(all)) if self.is_organization() => {
                format!("{} at {seat}, {all} each {interval}", members(running.seats))
            }
            (_, Some(all)) => format!("{all} each {interval}"),
            _ => format!("charged each {interval}"),
        }
    }

    /// What a plan would cost: `3 members at 7.00 USD, 21.00 USD each month`.
    pub(super) fn price(&self, offer: &Offer) -> String {
        let interval = offer.interval;
        let Some(seat) = &offer.seat_price else {
            return format!("charged each {interval}; the next page says how much");
        };
        let seats = self.overview.seats();
        if self.is_organization() {
            format!("{} at {seat}, {} each {interval}", members(seats), seat.times(seats))
        } else {
            format!("{seat} each {interval}")
        }
    }

    /// Seats that are paid for and seats there have to be, where they are not the same yet.
    pub(super) fn pending_seats(&self) -> Option<String> {
        let running = self.overview.running()?;
        let seats = self.overview.seats();
        (self.is_organization() && running.seats != seats).then(|| {
            format!(
                "{} now, {} paid for: the change is on its way and settled with the next invoice.",
                members(seats),
                running.seats
            )
        })
    }

    /// The day of a moment.
    pub(super) fn day(time: &Time) -> String {
        day(*time)
    }

    /// In use: `6 private packages, 3 people with access, 412 MB`.
    pub(super) fn in_use(&self) -> String {
        let usage = &self.overview.usage;
        let packages = count(usage.private_packages, "private package", "private packages");
        let people = count(usage.people, "person", "people");
        let size = Size(usage.bytes.unsigned_abs());
        if self.is_organization() {
            format!("{packages}, read by {people}, {size}")
        } else {
            format!("{packages}, {people} besides you with access, {size}")
        }
    }

    /// What cancelling means, when, and for whom.
    pub(super) fn consequence(&self) -> String {
        let end = self.overview.running().and_then(|running| running.period_end);
        let when = end.map_or_else(|| "When the period ends".to_owned(), |end| format!("On {}", day(end)));
        format!(
            "{when} private installs and publishes stop for {}. Until then everything goes on. Packages stay private: they can \
             be exported, made public or removed, and paying again brings everything back. Nothing is deleted, and nothing \
             becomes public.",
            self.concerned()
        )
    }

    fn concerned(&self) -> String {
        let people = self.overview.usage.people;
        match (self.is_organization(), people) {
            (true, people) => {
                format!("{} who can read packages of @{}", count(people, "person", "people"), self.overview.account)
            }
            (false, 0) => "you".into(),
            (false, people) => format!("you and for {}", count(people, "person", "people")),
        }
    }

    /// The button: `Cancel plan on 20 June 2027`.
    pub(super) fn cancel_button(&self) -> String {
        let end = self.overview.running().and_then(|running| running.period_end);
        end.map_or_else(|| "Cancel plan".into(), |end| format!("Cancel plan on {}", day(end)))
    }

    /// What is said once it was cancelled.
    pub(super) fn cancelled(&self) -> String {
        let end = self.overview.running().and_then(|running| running.cancels_at);
        end.map_or_else(
            || "The plan ends.".into(),
            |end| format!("The plan ends on {}. Until then nothing changes.", day(end)),
        )
    }

    /// Whom to ask, where plans are not bought: `ada, carol`.
    pub(super) fn administrators(&self) -> String {
        let names: Vec<_> = self.overview.administrators.iter().map(AccountName::as_str).collect();
        if names.is_empty() { "its operator".into() } else { names.join(", ") }
    }

    /// The same thing for who administers the registry.
    pub(super) fn command(&self) -> String {
        format!("strongroom billing status {}", self.overview.account)
    }

    /// A receipt's moment, as it is shown.
    pub(super) fn issued(&self, receipt: &Receipt) -> crate::web::shell::Moment {
        self.visitor.moment(receipt.issued_at)
    }
}

fn members(number: i64) -> String {
    count(number, "member", "members")
}

fn count(number: i64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

pub(super) fn day(time: Time) -> String {
    time.format("%-d %B %Y").to_string()
}
