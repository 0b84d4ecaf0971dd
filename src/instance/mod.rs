//! The instance itself: what it is called, who may sign up, and its first setup.
//!
//! The configuration has the first word. What it leaves open the setup page was told, and that is kept here. Setup is open
//! exactly while nobody has an account, to who holds a code that a starting node has printed.

mod banner;
mod store;

use std::sync::Arc;

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::Clock;
use crate::config::{Config, Signup};
use crate::db::{Change, ChangeAwareCache, Db, Weigh};
use crate::error::{Error, Result};
use crate::names::UrlSecret;
use crate::users::{NewUser, Profile, Users};

pub use banner::Banner;

/// What an instance is called that nobody gave a name.
const NAMELESS: &str = "strongroom";

const MOST_NAME_CHARACTERS: usize = 60;

/// Handle to the instance.
#[derive(Debug, Clone)]
pub struct Instance {
    db: Db,
    clock: Clock,
    users: Users,
    configured_name: Option<Arc<str>>,
    configured_signup: Option<Signup>,
    said: Arc<ChangeAwareCache<(), Said>>,
}

/// What is kept in memory of what the setup page and administrators have said: also that they said nothing.
#[derive(Debug, Clone, Default)]
struct Said {
    name: Option<Arc<str>>,
    signup: Option<Signup>,
    banner: Option<Arc<Banner>>,
}

impl Weigh for Said {
    fn weight(&self) -> u64 {
        let banner = self.banner.as_ref().map_or(0, |banner| banner.sentence.len());
        64 + (banner + self.name.as_ref().map_or(0, |name| name.len())) as u64
    }
}

/// What the instance is called and who may sign up, with who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What pages and mails call it.
    pub name: String,
    /// Who may create an account.
    pub signup: Signup,
    /// Whether the configuration says the name, so that no page can.
    pub name_is_configured: bool,
    /// Whether the configuration says who may sign up.
    pub signup_is_configured: bool,
}

/// What the setup page is told.
#[derive(Debug)]
pub struct Setup {
    /// The first account, which administers the instance.
    pub administrator: NewUser,
    /// What the instance shall be called; ignored where the configuration says it.
    pub name: String,
    /// Who shall be able to sign up; ignored where the configuration says it.
    pub signup: Signup,
}

impl Instance {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock, users: Users, config: &Config) -> Self {
        let (configured_name, configured_signup) = (config.server.name.as_deref().map(Arc::from), config.auth.signup);
        let said = Arc::new(ChangeAwareCache::new(1, 1 << 20, db.changes().clone()));
        let heard: Arc<ChangeAwareCache<(), Said>> = said.clone();
        db.changes().subscribe(move |change| {
            if matches!(change, Some(Change::Instance) | None) {
                heard.clear();
            }
        });
        Self { db, clock, users, configured_name, configured_signup, said }
    }

    /// What holds now.
    ///
    /// # Errors
    /// The database's.
    pub async fn settings(&self) -> Result<Settings> {
        let said = self.said().await?;
        let name = self.configured_name.clone().or(said.name);
        Ok(Settings {
            name: name.as_deref().unwrap_or(NAMELESS).to_owned(),
            signup: self.configured_signup.or(said.signup).unwrap_or(Signup::Closed),
            name_is_configured: self.configured_name.is_some(),
            signup_is_configured: self.configured_signup.is_some(),
        })
    }

    /// What pages call the instance; from memory where possible. While the database does not answer that is what the
    /// configuration says: no page fails for it.
    pub async fn name(&self) -> Arc<str> {
        match &self.configured_name {
            Some(name) => name.clone(),
            None => self.said().await.ok().and_then(|said| said.name).unwrap_or_else(|| NAMELESS.into()),
        }
    }

    /// The same without asking anybody.
    pub fn name_at_hand(&self) -> Arc<str> {
        self.configured_name.clone().unwrap_or_else(|| NAMELESS.into())
    }

    async fn said(&self) -> Result<Said> {
        let load = async || {
            let kept = store::find(self.db.reads()).await?;
            let banner = store::find_banner(self.db.reads()).await?.map(Arc::new);
            Ok(Some(Said { name: kept.name.map(Arc::from), signup: kept.signup, banner }))
        };
        Ok(self.said.get_or_load(&(), load).await?.unwrap_or_default())
    }

    /// Who may create an account.
    ///
    /// # Errors
    /// The database's.
    pub async fn signup(&self) -> Result<Signup> {
        match self.configured_signup {
            Some(signup) => Ok(signup),
            None => Ok(self.settings().await?.signup),
        }
    }

    /// Makes a code for the setup page; `None` once somebody has an account.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_setup(&self) -> Result<Option<UrlSecret>> {
        if !self.users.is_empty().await? {
            return Ok(None);
        }
        let code = UrlSecret::random()?;
        let mut transaction = self.db.begin().await?;
        store::insert_code(&mut transaction, &code.digest(), self.clock.now()).await?;
        transaction.commit().await?;
        Ok(Some(code))
    }

    /// Asks whether the setup page behind a code is open.
    ///
    /// # Errors
    /// `NotFound` where it is not, for whatever reason.
    pub async fn check_setup(&self, code: &str) -> Result<()> {
        let code = UrlSecret::parse(code).ok_or_else(closed)?;
        let known = store::has_code(self.db.reads(), &code.digest()).await?;
        if known && self.users.is_empty().await? { Ok(()) } else { Err(closed()) }
    }

    /// Makes the first account and keeps the settings, once: of two who hold codes one comes first, and closes the page
    /// for good.
    ///
    /// # Errors
    /// `NotFound` where setup is over; `Unprocessable` for a name that is none.
    pub async fn set_up(&self, code: &str, setup: Setup, by: &By) -> Result<Profile> {
        let code = UrlSecret::parse(code).ok_or_else(closed)?;
        let name = name_of_instance(&setup.name)?;
        self.check_setup(&code.expose()).await?;
        let user = NewUser { administrator: true, ..setup.administrator };
        let user = self.users.prepare(user).await?;
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let taken = store::take_codes(&mut transaction).await?;
        if !taken.contains(&code.digest().to_vec()) || !store::nobody_has_an_account(&mut transaction).await? {
            return Err(closed());
        }
        let profile = self.users.insert(&mut transaction, &user, by).await?;
        store::keep(&mut transaction, name.as_deref(), setup.signup, now).await?;
        let event = audit::Event {
            action: "instance.setup",
            subject: name.as_deref().unwrap_or(NAMELESS),
            scope: Some(profile.id),
            outcome: Outcome::Done,
            detail: json!({ "signup": store::word(setup.signup) }),
        };
        audit::record(&mut transaction, by, &event, now).await?;
        transaction.announce(Change::Instance);
        transaction.commit().await?;
        Ok(profile)
    }
}

/// The name as it is kept; an empty one is none.
fn name_of_instance(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > MOST_NAME_CHARACTERS || text.chars().any(char::is_control) {
        let sentence =
            format!("The registry's name is one line of at most {MOST_NAME_CHARACTERS} characters. Shorten it.");
        return Err(Error::Unprocessable(sentence.into()));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn closed() -> Error {
    Error::NotFound(
        "This setup page is closed. A registry without accounts prints the address of a new one when it starts.".into(),
    )
}
