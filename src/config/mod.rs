//! Configuration: built-in defaults, then a file, then the environment, then flags, merged once into typed sections.
//!
//! `config/default.toml` is the list of keys: what is not in it is an error that names the nearest key that is.

mod load;
mod sections;

pub use load::{ConfigError, Layers, Listed, Origin, Origins, listing, load};
pub use sections::{
    Auth, Billing, BillingProvider, Cache, Config, Database, IssuerKind, Limits, Log, LogFormat, Mail, MailLog,
    MailTls, Outgoing, Packages, PriceInterval, Readmes, Secret, Secrets, Server, Signup, Staging, Storage, Stripe,
    Trust, TrustPreset, TrustedIssuer,
};
