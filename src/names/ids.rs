//! Row ids as types, so that an account's id cannot be handed over where a package's is wanted.
//!
//! They never leave the process: what outsiders hold (token keys) is random.

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(pub(crate) i64);

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )+};
}

impl TokenId {
    /// Stands where no token was shown: what somebody left behind acts for them.
    pub const NONE: Self = Self(0);
}

id! {
    #[doc = "A row of `accounts`: a user or an organization."] AccountId,
    #[doc = "A row of `packages`."] PackageId,
    #[doc = "A row of `versions`."] VersionId,
    #[doc = "A row of `tokens`."] TokenId,
    #[doc = "A row of `teams`."] TeamId,
}
