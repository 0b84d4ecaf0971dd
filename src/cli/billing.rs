//! `strongroom billing`.

use std::str::FromStr;

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime};
use clap::{Subcommand, ValueEnum};

use crate::app::App;
use crate::audit::By;
use crate::billing::{Offer, ReportLine};
use crate::clock::Time;
use crate::config::Config;
use crate::names::AccountName;
use crate::policy::{Actor, BillingFlag};

use super::session::with_app;

/// Verbs on the billing flag.
#[derive(Debug, Subcommand)]
pub(super) enum BillingCommand {
    /// Set the flag of an account; effective at the next request.
    Set {
        /// A user or an organization.
        account: AccountName,
        /// Paid or not.
        flag: Flag,
        /// The moment at which the plan ends, as in 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "RFC3339")]
        until: Option<Time>,
    },
    /// Let the payment service set the flag of an account again.
    Release {
        /// A user or an organization.
        account: AccountName,
    },
    /// Show the flag of an account.
    Status {
        /// A user or an organization.
        account: AccountName,
    },
    /// Show what can be bought, and how many accounts are paid.
    Plans,
    /// List every account with its flag, what it uses, and what it paid in a month; as tab-separated lines.
    Report {
        /// Which month, as in 2027-01. Not given: the present one.
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
    },
}

/// A month of the calendar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Month(NaiveDate);

impl FromStr for Month {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_month = text.len() == 7 && text.as_bytes()[4] == b'-';
        let first = is_month.then(|| NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()).flatten();
        first.map(Self).ok_or("a month is written as in 2027-01")
    }
}

impl Month {
    fn of(moment: Time) -> Self {
        Self(moment.date_naive().with_day(1).unwrap_or_default())
    }

    /// Its first moment, and the first one of the next.
    fn bounds(self) -> (Time, Time) {
        let next = self.0.checked_add_months(Months::new(1)).unwrap_or(self.0);
        (midnight(self.0), midnight(next))
    }
}

fn midnight(day: NaiveDate) -> Time {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The flag as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Flag {
    Paid,
    Unpaid,
}

pub(super) async fn run(command: BillingCommand, config: Config) -> anyhow::Result<()> {
    match command {
        BillingCommand::Set { account, flag, until } => {
            anyhow::ensure!(flag == Flag::Paid || until.is_none(), "--until goes with paid");
            let flag = if flag == Flag::Paid { BillingFlag::Paid { until } } else { BillingFlag::Unpaid };
            with_app(config, async |app| {
                app.billing.set(&account, flag, &By::from(&Actor::Operator)).await?;
                println!("{account}: {}", app.billing.in_words(flag));
                Ok(())
            })
            .await
        }
        BillingCommand::Release { account } => {
            with_app(config, async |app| {
                app.billing.release(&account, &By::from(&Actor::Operator)).await?;
                println!("{account}: {}", app.billing.in_words(app.billing.status(&account).await?));
                Ok(())
            })
            .await
        }
        BillingCommand::Plans => with_app(config, plans).await,
        BillingCommand::Report { month } => with_app(config, async |app| report(app, month).await).await,
        BillingCommand::Status { account } => {
            with_app(config, async |app| {
                let flag = app.billing.status(&account).await?;
                println!("{account}: {}", app.billing.in_words(flag));
                Ok(())
            })
            .await
        }
    }
}

async fn plans(app: &App) -> anyhow::Result<()> {
    let plans = app.billing.plans().await?;
    println!("provider: {}", plans.provider.as_str());
    println!("user: {}, {} paid", in_words(plans.personal.as_ref(), ""), plans.paid_users);
    println!("organization: {}, {} paid", in_words(plans.organization.as_ref(), " a member"), plans.paid_organizations);
    Ok(())
}

fn in_words(offer: Option<&Offer>, each: &str) -> String {
    match offer.map(|offer| (offer.seat_price.as_ref(), offer.interval)) {
        None => "not for sale".into(),
        Some((None, interval)) => format!("for sale, each {interval}"),
        Some((Some(price), interval)) => format!("{price}{each} each {interval}"),
    }
}

async fn report(app: &App, month: Option<Month>) -> anyhow::Result<()> {
    let (from, to) = month.unwrap_or_else(|| Month::of(app.clock.now())).bounds();
    println!("account\tkind\tplan\tmembers\tprivate packages\tpaid in the month\tinvoices");
    for line in app.billing.report(from, to).await? {
        println!("{}", row(app, &line));
    }
    Ok(())
}

fn row(app: &App, line: &ReportLine) -> String {
    let ReportLine { name, kind, flag, members, private_packages, income, invoices } = line;
    let plan = app.billing.in_words(*flag);
    let income = income.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    format!("{name}\t{}\t{plan}\t{members}\t{private_packages}\t{income}\t{invoices}", kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::to_npm_time;

    #[test]
    fn a_month_is_read_and_has_its_bounds() {
        let bounds = |text: &str| {
            let (from, to) = text.parse::<Month>().unwrap().bounds();
            (to_npm_time(from), to_npm_time(to))
        };
        let midnight = |day: &str| format!("{day}T00:00:00.000Z");
        assert_eq!(bounds("2027-01"), (midnight("2027-01-01"), midnight("2027-02-01")));
        assert_eq!(bounds("2026-12"), (midnight("2026-12-01"), midnight("2027-01-01")));
        let moment = "2028-02-29T23:59:59Z".parse().unwrap();
        assert_eq!(Month::of(moment).bounds(), "2028-02".parse::<Month>().unwrap().bounds());
        for text in ["", "2027", "2027-13", "2027-1", "2027-001", "01-2027", "2027-01-01", "2027-0\u{e9}"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
