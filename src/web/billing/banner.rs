//! What is said above pages while a plan is missing, or about to be.

use crate::billing::{Standing, page_of};
use crate::policy::{AccountFacts, AccountKind, Debtor};

use super::view::day;

/// An amber bar: `billing/banner.html` shows an `Option` of it called `banner`.
#[derive(Debug)]
pub(crate) struct Banner {
    /// What is so, since when, and what is not.
    pub(crate) sentence: String,
    /// Where the owner can do something about it; `None` on that page itself.
    pub(crate) page: Option<String>,
    /// What the button says that leads there.
    pub(crate) button: &'static str,
}

impl Banner {
    /// What is to be said to who owns the account; nothing where the plan is as it should be.
    pub(crate) fn of(account: &AccountFacts, standing: Standing, on_its_page: bool) -> Option<Self> {
        let page = page_of(&Debtor::from(account));
        let plan = match account.kind {
            AccountKind::User => "Your plan".to_owned(),
            AccountKind::Organization => format!("The plan of @{}", account.name),
        };
        let sentence = match standing {
            Standing::Paid => return None,
            Standing::Ending { at } => format!(
                "{plan} ends on {}. Then private installs and publishes stop; nothing is deleted or becomes public.",
                day(at)
            ),
            Standing::Overdue { until } => format!(
                "A payment failed. Private packages go on working until {}: change the card before then.",
                day(until)
            ),
            Standing::Lapsed { since } => format!(
                "{plan} lapsed on {}: private packages can be neither installed nor published. Nothing was deleted and \
                 nothing became public; exporting, making public and removing stay possible.",
                day(since)
            ),
            Standing::Unpaid => {
                let plan = plan.replace("Your plan", "Your account").replace("The plan of ", "");
                format!(
                    "{plan} has no plan: private packages can be neither published nor installed. Nothing becomes public."
                )
            }
        };
        let button = if standing == Standing::Unpaid { "See plans" } else { "See the plan" };
        Some(Self { sentence, page: (!on_its_page).then_some(page), button })
    }

    /// What those are told who are covered by a plan and have no say in it: that nothing works, not that it soon may not.
    pub(crate) fn for_members(account: &AccountFacts, standing: Standing) -> Option<Self> {
        let stopped = matches!(standing, Standing::Lapsed { .. } | Standing::Unpaid);
        Self::of(account, standing, true).filter(|_| stopped)
    }
}
