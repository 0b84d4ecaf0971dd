//! What the integration tests stand on.

pub(crate) mod app;
pub(crate) mod authenticator;
pub(crate) mod browser;
pub(crate) mod database;
pub(crate) mod issuer;
pub(crate) mod provenance;
pub(crate) mod smtp;
