//! Why somebody can or cannot read, write and administer a package: by which grant, team, plan or token.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::names::{AccountName, PackageName, TokenId};
use crate::policy::{
    Action, Actor, BillingFacts, Decision, Ground, Intent, Narrowing, Offer, PackageFacts, Principal, TokenRight,
    Visibility, decide, grounds,
};

use super::{Access, existing, store};

/// The answer to "why can this user do that, or not?".
#[derive(Debug)]
pub struct Explanation {
    /// Who it is about.
    pub user: AccountName,
    /// Which package.
    pub package: PackageName,
    /// How visible it is.
    pub visibility: Visibility,
    /// What the user stands on.
    pub grounds: Vec<Ground>,
    /// What the user may do: read, write, administer.
    pub verdicts: Vec<Verdict>,
    /// What the user's token takes from them, where the question came with one that takes something.
    pub token: Option<TokenRight>,
}

/// Whether one deed would be done.
#[derive(Debug)]
pub struct Verdict {
    /// The deed as a word.
    pub deed: &'static str,
    /// The refusal: its code and its sentence; `None` where it would be done.
    pub refusal: Option<(&'static str, String)>,
}

/// The deeds that an explanation speaks of; each stands for all others that need as much.
const DEEDS: [(&str, Action); 3] = [("read", Action::Read), ("write", Action::Publish), ("administer", Action::Grant)];

impl Access {
    /// Explains where `user` stands on a package; without a name, where the asker does, through the token they ask with.
    /// Who administers the package may ask about anybody, everyone else about themselves.
    ///
    /// # Errors
    /// The refusal: for a package that the asker may not know of, the same as for a missing one.
    pub async fn explain(
        &self,
        asker: &Actor,
        package: &PackageName,
        user: Option<&AccountName>,
    ) -> Result<Explanation> {
        // The decision first, on what concerns the asker alone: the same work for a hidden package as for a missing one.
        self.permit_on(asker, &self.load_facts_for(asker, package).await?, Intent::EXPLAIN)?;
        let facts = self.load_facts(package).await?;
        self.permit_on(asker, &facts, Intent::EXPLAIN)?;
        let is_own = |name: &AccountName| asker.account().is_some_and(|account| account.name == *name);
        let subject = match user.filter(|name| !is_own(name)) {
            Some(name) => {
                self.permit_on(asker, &facts, Intent::EXPLAIN_OTHERS)?;
                self.stand_in(name).await?
            }
            None => asker.clone(),
        };
        self.explained(&subject, &facts)
    }

    /// The user as they are with a token that takes nothing from them.
    async fn stand_in(&self, name: &AccountName) -> Result<Actor> {
        let mut connection = self.db.reads().acquire().await?;
        let account = store::find_user(&mut connection, name).await?;
        let account = account.ok_or_else(|| crate::users::no_user(name))?;
        Ok(Actor::User(Principal {
            account,
            token: TokenId::from(0),
            narrowing: Arc::new(Narrowing::default()),
            address: [127, 0, 0, 1].into(),
            confirmed: false,
            offer: Offer::default(),
        }))
    }

    fn explained(&self, subject: &Actor, facts: &PackageFacts) -> Result<Explanation> {
        let Actor::User(principal) = subject else {
            return Err(Error::Malformed("Say which user to explain: add user=NAME.".into()));
        };
        let now = self.clock.now();
        let billing = BillingFacts::of(facts.owner.as_deref(), Some(&principal.account));
        let verdict = |(deed, action): (&'static str, Action)| {
            let decision = decide(subject, action, facts, &billing, now);
            let refusal = self.refusal(&decision, subject, &facts.name);
            let told = || (refusal.code(), refusal.to_string());
            Verdict { deed, refusal: (decision != Decision::Allow).then(told) }
        };
        Ok(Explanation {
            user: principal.account.name.clone(),
            package: facts.name.clone(),
            visibility: existing(facts)?.visibility,
            grounds: grounds(&principal.account, facts, now),
            verdicts: DEEDS.into_iter().map(verdict).collect(),
            token: (!principal.narrowing.is_whole()).then_some(principal.narrowing.right),
        })
    }
}
