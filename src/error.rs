//! The one error type of the rooms: variants are named for what the caller can do about it.
//!
//! Each has one status and one stable code ([`Error::status`], [`Error::code`]); the sentence says what happened, why,
//! and what to do next (`protocol.md` 1.6). Faces turn it into a response; nothing else decides a status.

use std::borrow::Cow;

use crate::policy::{Debtor, Lack};

/// What every fallible verb of a room returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A sentence for the person at the other end: what happened, why, what to do next.
pub type Sentence = Cow<'static, str>;

/// Everything that can go wrong, seen from outside.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: the request is malformed.
    #[error("{0}")]
    Malformed(Sentence),
    /// 401: an account is needed, and the request names none.
    #[error("{0}")]
    Unauthenticated(Sentence),
    /// 401: the token shown is unknown, expired or revoked.
    #[error("This token is not valid: it is unknown, expired or revoked. Log in again with npm login.")]
    DeadCredential,
    /// 401: name and password do not belong together.
    #[error("Incorrect user name or password. Check both and log in again.")]
    WrongPassword,
    /// 401 with a challenge: the deed asks for a second factor.
    #[error("This operation requires a one-time password. Give the code of your authenticator, or a recovery code.")]
    SecondFactorRequired {
        /// Where to confirm instead, for clients that can wait for it.
        web: Option<Box<WebChallenge>>,
    },
    /// 401 with a challenge: what was shown as a second factor is wrong, or was used before.
    #[error("This one-time password is wrong, or was used before. Wait for the next code and give that one.")]
    WrongSecondFactor,
    /// 402: an account has no plan.
    #[error("{sentence}")]
    PaymentRequired {
        /// Which.
        debtor: Box<Debtor>,
        /// The sentence, with the page where it picks one.
        sentence: Sentence,
    },
    /// 403: may be known, may not be done.
    #[error("{0}")]
    Forbidden(Sentence),
    /// 403 with a cause that has a name: something is missing, and somebody can give it.
    #[error("{sentence}")]
    Lacking {
        /// What is missing.
        lack: Lack,
        /// The sentence.
        sentence: Sentence,
        /// The account that can give it; `None` where the actor can help themselves.
        ask: Option<String>,
    },
    /// 404: unknown, or hidden from who asks.
    #[error("{0}")]
    NotFound(Sentence),
    /// 405: the address exists, the method does not.
    #[error("This address does not take {0} requests. Check the URL, or update the client.")]
    MethodNotAllowed(String),
    /// 405: the version has been out for too long to be unpublished; what npm and pnpm know this status for.
    #[error("{0}")]
    TooLateToUnpublish(Sentence),
    /// 409: somebody else was faster, or the version number is taken.
    #[error("{0}")]
    Conflict(Sentence),
    /// 409: the version number was used before.
    #[error("{0}")]
    VersionExists(Sentence),
    /// 413: larger than a limit allows.
    #[error("{0}")]
    TooLarge(Sentence),
    /// 415: a body in a form that is not read here.
    #[error("{0}")]
    UnsupportedMedia(Sentence),
    /// 422: well-formed, and not acceptable.
    #[error("{0}")]
    Unprocessable(Sentence),
    /// 429: too often.
    #[error("{sentence}")]
    TooManyRequests {
        /// What was too often.
        sentence: Sentence,
        /// Seconds until it may go on.
        retry_after_secs: u64,
    },
    /// 408: the body came too slowly, or stopped.
    #[error("The request body stopped arriving. Nothing was changed; send it again.")]
    BodyTimeout,
    /// 503: the database, the disk or a queue is not there right now.
    #[error("The registry cannot do this right now: {0}. Nothing was changed; try again in a moment.")]
    Unavailable(Sentence),
    /// 503: the database went away between being told to commit and saying that it had.
    #[error(
        "The registry lost its database while writing: this change may have been made, or not. Look, and try again."
    )]
    OutcomeUnknown,
    /// 507: the disk is full.
    #[error("The registry has no space left for package files. Nothing was changed; tell its operator.")]
    StorageFull,
    /// 500: our fault.
    #[error("Something went wrong on our side. Nothing was changed; the request id leads the operator to the cause.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where somebody confirms in a browser what their terminal is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebChallenge {
    /// The page.
    pub auth_url: String,
    /// What the terminal asks until the page was used.
    pub done_url: String,
}

impl Error {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.entry().0
    }

    /// The stable code that documentation and support speak of.
    pub fn code(&self) -> &'static str {
        self.entry().1
    }

    /// The one table of statuses and codes.
    fn entry(&self) -> (u16, &'static str) {
        match self {
            Self::Malformed(_) => (400, "SR-INPUT-01"),
            Self::Unprocessable(_) => (422, "SR-INPUT-02"),
            Self::TooLarge(_) => (413, "SR-INPUT-03"),
            Self::UnsupportedMedia(_) => (415, "SR-INPUT-04"),
            Self::MethodNotAllowed(_) => (405, "SR-INPUT-05"),
            Self::TooLateToUnpublish(_) => (405, "SR-VERSION-02"),
            Self::BodyTimeout => (408, "SR-INPUT-06"),
            Self::Unauthenticated(_) => (401, "SR-AUTH-01"),
            Self::DeadCredential => (401, "SR-AUTH-02"),
            Self::WrongPassword => (401, "SR-AUTH-03"),
            Self::SecondFactorRequired { .. } => (401, "SR-AUTH-04"),
            Self::WrongSecondFactor => (401, "SR-AUTH-06"),
            Self::PaymentRequired { .. } => (402, "SR-PLAN-01"),
            Self::Forbidden(_) => (403, "SR-ACCESS-03"),
            Self::Lacking { lack, .. } => (403, lack.code()),
            Self::NotFound(_) => (404, "SR-ACCESS-04"),
            Self::Conflict(_) => (409, "SR-CONFLICT-01"),
            Self::VersionExists(_) => (409, "SR-VERSION-01"),
            Self::TooManyRequests { .. } => (429, "SR-LIMIT-01"),
            Self::Internal(_) => (500, "SR-SERVER-01"),
            Self::Unavailable(_) => (503, "SR-SERVER-02"),
            Self::StorageFull => (507, "SR-SERVER-03"),
            Self::OutcomeUnknown => (503, "SR-SERVER-04"),
        }
    }

    /// What is missing, as a word for programs, and the account that can give it: for those who may know.
    pub fn missing(&self) -> Option<(&'static str, Option<&str>)> {
        match self {
            Self::Lacking { lack, ask, .. } => Some((lack.as_str(), ask.as_deref())),
            Self::Unauthenticated(_) | Self::DeadCredential => Some(("login", None)),
            Self::SecondFactorRequired { .. } | Self::WrongSecondFactor => Some(("second-factor", None)),
            Self::PaymentRequired { .. } => Some(("plan", None)),
            _ => None,
        }
    }

    /// Seconds after which trying again makes sense, where that is known.
    pub fn retry_after_secs(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after_secs, .. } => Some(*retry_after_secs),
            Self::Unavailable(_) | Self::StorageFull | Self::OutcomeUnknown => Some(5),
            _ => None,
        }
    }

    /// Wraps a failure that no caller can do anything about.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<sqlx::Error> for Error {
    /// A database that cannot be reached is 503, a change that gave way to another 409; almost everything else is a bug of
    /// ours.
    fn from(cause: sqlx::Error) -> Self {
        if is_outage(&cause) {
            tracing::warn!(%cause, "the database cannot be reached");
            return Self::Unavailable("the database does not answer".into());
        }
        match cause.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
            // Text with a NUL, which Postgres keeps nowhere.
            Some("22021" | "22P05") => {
                Self::Malformed("The request holds a NUL character, which nothing here can have. Leave it out.".into())
            }
            // Two changes waited for each other, and this one gave way.
            Some("40P01" | "40001") => {
                Self::Conflict("Somebody changed the same at the same moment. Run the command again.".into())
            }
            _ => Self::internal(cause),
        }
    }
}

fn is_outage(cause: &sqlx::Error) -> bool {
    match cause {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // Class 08: connection; 53: out of resources; 57: shutting down, or a statement past its time; 25006: read-only.
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || matches!(&*code, "25006" | "55P03")
        }),
        _ => false,
    }
}

impl From<getrandom::Error> for Error {
    fn from(cause: getrandom::Error) -> Self {
        Self::internal(cause)
    }
}

impl From<std::io::Error> for Error {
    /// A full disk is 507, any other failure of the storage 503: both pass without a restart.
    fn from(cause: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            return Self::StorageFull;
        }
        tracing::warn!(%cause, "the file storage failed");
        Self::Unavailable("the file storage does not answer".into())
    }
}

impl From<crate::names::InvalidName> for Error {
    fn from(cause: crate::names::InvalidName) -> Self {
        Self::Unprocessable(cause.to_string().into())
    }
}

/// Turns a broken constraint, by its name, into the error that its meaning is for the caller.
pub trait OnConstraint<T> {
    /// Where the failure is a violation of `constraint`, gives `error()` instead.
    ///
    /// # Errors
    /// `error()`, or the database's own failure.
    fn on_constraint(self, constraint: &str, error: impl FnOnce() -> Error) -> Result<T>;
}

impl<T> OnConstraint<T> for std::result::Result<T, sqlx::Error> {
    fn on_constraint(self, constraint: &str, error: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|cause| match &cause {
            sqlx::Error::Database(database) if database.constraint() == Some(constraint) => error(),
            _ => cause.into(),
        })
    }
}

/// Said of a token from a network that it may not be used from, whatever it was about to do.
pub const WRONG_NETWORK: &str =
    "This token may not be used from your network address. Use one that may, or ask who made it.";

/// Said of a read-only token that was about to change a package or an organization.
pub const READ_ONLY_TOKEN: &str = "This token is read-only, so it changes nothing. Use one that may write.";

/// A code with what it means and what helps: for `GET /-/strongroom/v1/errors/CODE`, and for the table in `protocol.md`.
#[derive(Debug, Clone, Copy)]
pub struct Meaning {
    /// The code.
    pub code: &'static str,
    /// The status that comes with it.
    pub status: u16,
    /// When it is sent.
    pub when: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

const fn meaning(code: &'static str, status: u16, when: &'static str, help: &'static str) -> Meaning {
    Meaning { code, status, when, help }
}

/// Every code that an answer can carry.
pub const MEANINGS: [Meaning; 33] = [
    meaning(
        "SR-ACCESS-01",
        403,
        "The account is no collaborator of the package.",
        "Ask the owner of the scope for access.",
    ),
    meaning(
        "SR-ACCESS-02",
        403,
        "The account may read the package, and not change it.",
        "Ask the owner of the scope for read-write access.",
    ),
    meaning("SR-ACCESS-03", 403, "A rule forbids it, whoever asks.", "The sentence names the rule."),
    meaning(
        "SR-ACCESS-04",
        404,
        "There is no such thing, or nothing that the account may know of.",
        "Check the name; log in; ask its owner for access.",
    ),
    meaning("SR-ACCESS-05", 403, "Only who owns the scope can do this.", "Ask the owner of the scope to do it."),
    meaning("SR-ACCESS-06", 403, "The account is no member of the organization.", "Ask one of its owners to be added."),
    meaning(
        "SR-ACCESS-07",
        403,
        "The account's role in the organization does not include this.",
        "Ask an admin or owner of the organization.",
    ),
    meaning("SR-AUTH-01", 401, "An account is needed, and the request names none.", "Run npm login."),
    meaning("SR-AUTH-02", 401, "The token is unknown, expired or revoked.", "Run npm login again."),
    meaning(
        "SR-AUTH-03",
        401,
        "User name and password do not belong together.",
        "Check both; the operator can help who forgot.",
    ),
    meaning(
        "SR-AUTH-04",
        401,
        "A second factor is asked for.",
        "Give the code of the authenticator, or a recovery code: --otp=123456.",
    ),
    meaning(
        "SR-AUTH-05",
        403,
        "A second factor is asked for, and the account has none.",
        "Set one up: npm profile enable-2fa.",
    ),
    meaning(
        "SR-AUTH-06",
        401,
        "The second factor shown is wrong, or was used before.",
        "Wait for the next code and give that one, or a recovery code.",
    ),
    meaning(
        "SR-CONFLICT-01",
        409,
        "Somebody else was faster, or the name is taken.",
        "Look again, and repeat the command.",
    ),
    meaning("SR-INPUT-01", 400, "The request is malformed.", "Update the client; the sentence says what is wrong."),
    meaning("SR-INPUT-02", 422, "Well-formed, and not acceptable.", "The sentence says what is not."),
    meaning(
        "SR-INPUT-03",
        413,
        "Larger than a limit of this registry.",
        "Send less, or ask the operator to raise the limit.",
    ),
    meaning("SR-INPUT-04", 415, "A body in a form that is not read here.", "Send application/json."),
    meaning("SR-INPUT-05", 405, "The address exists, the method does not.", "Check the URL, or update the client."),
    meaning("SR-INPUT-06", 408, "The body stopped arriving.", "Send it again."),
    meaning("SR-LIMIT-01", 429, "Too many attempts.", "Wait as long as Retry-After says."),
    meaning(
        "SR-PLAN-01",
        402,
        "An account that has to pay has no plan.",
        "The sentence names the account, and where it can pick one.",
    ),
    meaning("SR-SERVER-01", 500, "Our fault.", "Tell the operator the request id: it leads to the cause in the log."),
    meaning("SR-SERVER-02", 503, "Database, storage or a queue is not there right now.", "Try again in a moment."),
    meaning("SR-SERVER-03", 507, "The disk is full.", "Tell the operator."),
    meaning(
        "SR-SERVER-04",
        503,
        "The database went away while it was writing.",
        "Look whether it was done, and try again.",
    ),
    meaning(
        "SR-TOKEN-01",
        403,
        "The token may not be used from this network.",
        "Use one that may, or ask who made it.",
    ),
    meaning("SR-TOKEN-02", 403, "The token is read-only.", "Use one that may write."),
    meaning("SR-TOKEN-03", 403, "The token was made for less than this.", "Use one that may do it, or log in."),
    meaning("SR-TOKEN-04", 403, "The token was made for other packages.", "Use one that covers this package."),
    meaning(
        "SR-TOKEN-05",
        403,
        "The token stands in for a second factor, which is not good enough for this.",
        "Log in, and do it with the second factor.",
    ),
    meaning(
        "SR-VERSION-01",
        409,
        "The version number was used before, and is never used twice.",
        "Raise the version, and publish again.",
    ),
    meaning(
        "SR-VERSION-02",
        405,
        "The version has been out for too long to be unpublished by who does not administer the package.",
        "Deprecate it, or ask who administers the package to remove it.",
    ),
];
