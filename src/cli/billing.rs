//! `strongroom billing`.

use clap::{Subcommand, ValueEnum};

use crate::audit::By;
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
    /// Show the flag of an account.
    Status {
        /// A user or an organization.
        account: AccountName,
    },
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
