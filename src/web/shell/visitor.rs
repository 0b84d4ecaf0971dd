//! Who looks at a page, and what every template needs to know of that.

use std::borrow::Borrow;
use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::header::USER_AGENT;
use http::request::Parts;

use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::http::RequestId;
use crate::instance::Banner;
use crate::policy::{AccountFacts, Actor, Principal};
use crate::tokens::SessionSecret;

use super::cookies::{self, Cookies};
use super::notice::Notice;
use super::problem::Problem;
use super::text::Moment;

/// What the codes of forms are made for.
const FORM: &str = "form";

/// How a visitor wants to look at pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As their system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The word for cookies, forms and the stylesheet.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads [`Theme::as_str`]; what is no theme is the system's.
    pub(crate) fn read(word: &str) -> Self {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word).unwrap_or_default()
    }
}

/// Somebody with a browser. Cheap to clone; a template holds one.
#[derive(Clone)]
pub(crate) struct Visitor(Arc<Known>);

/// What is known of a visitor.
#[derive(Clone)]
pub(crate) struct Known {
    actor: Actor,
    secret: Option<SessionSecret>,
    /// Where they are.
    pub(crate) address: IpAddr,
    /// What their browser says it is.
    pub(crate) client: String,
    /// The path and query that they asked for.
    pub(crate) place: String,
    /// What the page's own script carries.
    pub(crate) nonce: String,
    /// What they are to be told, once.
    pub(crate) notice: Option<Notice>,
    /// What they are to be shown once and is a secret, as it came.
    pub(super) once: Option<String>,
    /// How they want to look at it.
    pub(crate) theme: Theme,
    /// The time of the request.
    pub(crate) now: Time,
    /// The URL of the instance, without a slash at its end.
    pub(crate) public_url: Arc<str>,
    /// What the instance is called.
    pub(crate) instance: Arc<str>,
    /// Until when their session may do what asks again who they are, where that was asked.
    pub(crate) confirmed_until: Option<Time>,
    /// What administrators say on every page.
    pub(crate) banner: Option<Arc<Banner>>,
    /// By which the operator finds the request in the log.
    pub(crate) request_id: String,
    /// Whether the answer may be packed.
    pub(super) takes_gzip: bool,
}

impl Deref for Visitor {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.0
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Visitor").field(&self.actor).finish()
    }
}

impl Visitor {
    /// Tells who makes a request.
    pub(super) async fn of(app: &App, parts: &Parts, address: IpAddr) -> Result<Self> {
        let cookies = Cookies::of(&parts.headers);
        let secret = cookies.get(cookies::session_name(&app.public_url)).and_then(SessionSecret::parse);
        let principal = match &secret {
            Some(secret) => app.tokens.authenticate_session(secret, address).await?,
            None => None,
        };
        // What is no session any more vouches for nothing.
        let secret = secret.filter(|_| principal.is_some());
        let mut visitor = Self::nobody(app, parts, address)?;
        if let Some(known) = Arc::get_mut(&mut visitor.0) {
            let notice = cookies.get(cookies::NOTICE).zip(secret.as_ref());
            known.once = cookies.get(cookies::ONCE).map(str::to_owned);
            known.notice = notice.and_then(|(text, secret)| Notice::open(text, secret));
            known.actor = principal.map_or(Actor::Anonymous, Actor::User);
            known.secret = secret;
            known.banner = app.instance.banner().await;
            known.instance = app.instance.name().await;
        }
        Ok(visitor)
    }

    /// Somebody of whom nothing is known, for the page that says why.
    pub(super) fn nobody(app: &App, parts: &Parts, address: IpAddr) -> Result<Self> {
        let header = |name| parts.headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(Error::internal)?;
        Ok(Self(Arc::new(Known {
            actor: Actor::Anonymous,
            secret: None,
            address,
            client: header(USER_AGENT).unwrap_or_default().to_owned(),
            place: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            nonce: STANDARD_NO_PAD.encode(nonce),
            notice: None,
            once: None,
            theme: Theme::read(Cookies::of(&parts.headers).get(cookies::THEME).unwrap_or_default()),
            now: app.clock.now(),
            public_url: app.public_url.clone(),
            instance: app.instance.name_at_hand(),
            confirmed_until: None,
            banner: None,
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            takes_gzip: header(http::header::ACCEPT_ENCODING).is_some_and(|encodings| encodings.contains("gzip")),
        })))
    }

    /// The same visitor with what their session was confirmed for: an account with a second factor has shown it.
    pub(super) fn confirmed(&self, until: Option<Time>) -> Self {
        let mut known = (*self.0).clone();
        if let Actor::User(principal) = &mut known.actor {
            principal.confirmed = until.is_some() && principal.account.second_factor.is_some();
        }
        known.confirmed_until = until;
        Self(Arc::new(known))
    }

    /// Whoever acts, for rooms.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The account and its session.
    ///
    /// # Errors
    /// Sends who is not logged in to the page for that, and back here.
    pub(crate) fn principal(&self) -> Result<&Principal, Problem> {
        match &self.actor {
            Actor::User(principal) => Ok(principal),
            _ => Err(Error::Unauthenticated("Log in to see this page.".into()).into()),
        }
    }

    /// The account, where somebody is logged in.
    pub(crate) fn account(&self) -> Option<&AccountFacts> {
        self.actor.account()
    }

    /// The name of the account, where somebody is logged in.
    pub(crate) fn name(&self) -> Option<&str> {
        self.account().map(|account| account.name.as_str())
    }

    /// Whether they administer the instance; what that allows is asked where it is done.
    pub(crate) fn is_administrator(&self) -> bool {
        self.account().is_some_and(|account| account.administrator)
    }

    /// Whether they are this user.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name() == Some(name)
    }

    /// The session's secret, where there is a session.
    pub(super) fn secret(&self) -> Option<&SessionSecret> {
        self.secret.as_ref()
    }

    /// Asks for a session that has shown lately who its user is, for what matters most; go on with the visitor returned.
    ///
    /// # Errors
    /// Shows the page that asks for a password, a code or a key, and comes back here with everything that was filled in.
    pub(crate) async fn require_confirmed(&self, app: &App) -> Result<Self, Problem> {
        let principal = self.principal()?;
        match app.tokens.session_confirmed_until(principal).await? {
            Some(until) => Ok(self.confirmed(Some(until))),
            None => Err(Problem::Confirm(None)),
        }
    }

    /// Ends the session, if there is one.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn end(&self, app: &App) -> Result<()> {
        match &self.secret {
            Some(secret) => app.tokens.end_session(secret, self.address).await,
            None => Ok(()),
        }
    }

    /// The hidden field that every form of this visitor carries: another text each time for the same code, so that no page
    /// tells the code by how well it packs.
    pub(crate) fn form(&self) -> FormField {
        let code = self.secret.as_ref().map(|secret| secret.code_for(FORM)).unwrap_or_default();
        let mut masked = [0_u8; 64];
        // Without randomness nothing is masked, and nothing else would work either.
        let _ = getrandom::fill(&mut masked[..32]);
        for at in 0..32 {
            masked[32 + at] = masked[at] ^ code[at];
        }
        FormField(URL_SAFE_NO_PAD.encode(masked))
    }

    /// Whether a form of this visitor carried this.
    pub(super) fn gave_form(&self, field: &str) -> bool {
        let Some(secret) = &self.secret else { return true };
        let masked = URL_SAFE_NO_PAD.decode(field).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        masked.is_some_and(|masked| {
            let code: [u8; 32] = std::array::from_fn(|at| masked[at] ^ masked[32 + at]);
            secret.vouches_for(FORM, &code)
        })
    }

    /// A moment as it is shown on this page.
    pub(crate) fn moment(&self, time: impl Borrow<Time>) -> Moment {
        Moment::new(*time.borrow(), self.now)
    }

    /// The host that clients are told.
    pub(crate) fn host(&self) -> &str {
        let url = &self.public_url;
        url.split_once("://").map_or(url, |(_, host)| host)
    }

    /// Whether the instance is reached over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The path of the page, without its query.
    pub(crate) fn path(&self) -> &str {
        self.place.split('?').next().unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| Error::internal("a page without a frame").into())
    }
}

/// The hidden field with the code of the session.
#[derive(Debug)]
pub(crate) struct FormField(String);

impl fmt::Display for FormField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", super::form::CODE, self.0)
    }
}

impl askama::filters::HtmlSafe for FormField {}
