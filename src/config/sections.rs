//! The sections as types. Units and meanings stand beside the keys in `config/default.toml`.
#![expect(missing_docs, reason = "each key is explained in config/default.toml, once")]

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub storage: Storage,
    pub secrets: Secrets,
    pub auth: Auth,
    pub mail: Mail,
    pub billing: Billing,
    pub stripe: Stripe,
    pub provenance: Provenance,
    pub limits: Limits,
    pub packages: Packages,
    pub readmes: Readmes,
    pub cache: Cache,
    pub outgoing: Outgoing,
    pub staging: Staging,
    pub trust: Trust,
    pub log: Log,
    /// Every key as it may be shown to administrators.
    #[serde(skip)]
    pub listing: Vec<super::Listed>,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "optional")]
    pub public_url: Option<String>,
    #[serde(deserialize_with = "optional")]
    pub name: Option<String>,
    #[serde(deserialize_with = "optional_path")]
    pub data_dir: Option<PathBuf>,
    pub trusted_proxies: Vec<IpNet>,
    pub max_connections: usize,
    pub max_connections_per_address: usize,
    pub drain_seconds: u64,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(deserialize_with = "optional_secret")]
    pub url: Option<Secret>,
    #[serde(deserialize_with = "optional_path")]
    pub url_file: Option<PathBuf>,
    pub max_read_connections: u32,
    pub max_write_connections: u32,
    #[serde(deserialize_with = "optional_path")]
    pub postgres_bin: Option<PathBuf>,
    pub offline: bool,
}

/// `[storage]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    #[serde(deserialize_with = "optional_path")]
    pub path: Option<PathBuf>,
}

/// `[secrets]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    #[serde(deserialize_with = "optional_secret")]
    pub key: Option<Secret>,
    #[serde(deserialize_with = "optional_path")]
    pub key_file: Option<PathBuf>,
}

/// `[auth]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(deserialize_with = "optional_signup")]
    pub signup: Option<Signup>,
    pub login_token_days: u32,
    pub session_days: u32,
    pub password_hashes_at_once: usize,
    pub password_hashes_waiting: usize,
}

/// Who may create an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signup {
    /// Anybody, by `npm adduser`.
    Open,
    /// Who was invited.
    Invite,
    /// Nobody but the operator.
    Closed,
}

/// `[mail]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    #[serde(deserialize_with = "optional")]
    pub host: Option<String>,
    pub port: u16,
    pub tls: MailTls,
    #[serde(deserialize_with = "optional")]
    pub user: Option<String>,
    #[serde(deserialize_with = "optional_secret")]
    pub password: Option<Secret>,
    #[serde(deserialize_with = "optional_path")]
    pub password_file: Option<PathBuf>,
    #[serde(deserialize_with = "optional")]
    pub from: Option<String>,
    pub to_log: MailLog,
}

/// How the connection to the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// It begins in clear and must become TLS.
    StartTls,
    /// It is TLS from the start.
    Implicit,
    /// It is not.
    None,
}

/// Whether mail goes into the log where there is no mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailLog {
    /// Where the public URL leads to this very machine: in development.
    Auto,
    /// Always: whoever reads the log can use every link in it.
    Always,
    /// Never.
    Never,
}

/// `[billing]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Billing {
    pub provider: BillingProvider,
    pub grace_days: u32,
}

/// Where the billing flag comes from (`domain.md`, "Billing").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BillingProvider {
    /// A new account is paid.
    None,
    /// A new account is unpaid; an administrator sets the flag.
    Manual,
    /// A new account is unpaid; Stripe's events set the flag.
    Stripe,
}

impl BillingProvider {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Manual => "manual",
            Self::Stripe => "stripe",
        }
    }
}

/// `[stripe]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stripe {
    pub api_url: String,
    pub api_version: String,
    #[serde(deserialize_with = "optional_secret")]
    pub secret_key: Option<Secret>,
    #[serde(deserialize_with = "optional_path")]
    pub secret_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "optional_secret")]
    pub webhook_secret: Option<Secret>,
    #[serde(deserialize_with = "optional_path")]
    pub webhook_secret_file: Option<PathBuf>,
    pub pages: Vec<String>,
    #[serde(deserialize_with = "optional")]
    pub personal_price: Option<String>,
    #[serde(deserialize_with = "optional")]
    pub organization_price: Option<String>,
    pub personal_amount: i64,
    pub organization_amount: i64,
    pub currency: String,
    pub interval: PriceInterval,
}

/// How often a price is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceInterval {
    Day,
    Week,
    Month,
    Year,
}

impl PriceInterval {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// `[provenance]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    #[serde(deserialize_with = "optional_path")]
    pub trusted_roots: Option<PathBuf>,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub login_per_minute: u32,
    pub organizations_per_user: u32,
    pub max_tarball_bytes: u64,
    pub max_document_bytes: u64,
    pub max_packument_bytes: u64,
    pub max_unpacked_bytes: u64,
    pub max_files: u64,
    pub max_batch_packages: usize,
    pub max_batch_bytes: u64,
    pub max_uploads: usize,
}

/// `[packages]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    pub unpublish_window_hours: u32,
    pub trash_days: u32,
}

/// `[readmes]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readmes {
    pub image_hosts: Vec<String>,
}

/// `[cache]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    pub packument_bytes: u64,
    pub tarball_bytes: u64,
    pub recheck_seconds: u64,
}

/// `[trust]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    pub presets: Vec<TrustPreset>,
    pub issuers: Vec<TrustedIssuer>,
}

/// An issuer that everybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustPreset {
    GitHub,
    GitLab,
    CircleCi,
}

/// An issuer of the operator's own, `[[trust.issuers]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: IssuerKind,
    pub url: String,
    #[serde(default)]
    pub audiences: Vec<String>,
    pub keys_url: Option<String>,
    pub single_use: Option<bool>,
}

/// What the claims of an issuer are called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerKind {
    GitHub,
    GitLab,
    CircleCi,
    #[default]
    Oidc,
}

/// `[staging]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staging {
    pub keep_days: u32,
}

/// `[outgoing]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    pub allow: Vec<IpNet>,
    #[serde(deserialize_with = "optional_path")]
    pub certificates: Option<PathBuf>,
    pub timeout_seconds: u64,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
    pub access: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Lines for people.
    Text,
    /// Lines for machines.
    Json,
}

/// A value that must not be printed by accident.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn optional_signup<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Signup>, D::Error> {
    use serde::de::IntoDeserializer;
    let text = optional(deserializer)?;
    text.map(|text| Signup::deserialize(text.into_deserializer())).transpose()
}

fn optional_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(optional(deserializer)?.map(PathBuf::from))
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(optional(deserializer)?.map(Secret))
}

impl Config {
    /// The built-in defaults, as `config/default.toml` gives them.
    pub fn defaults() -> Self {
        super::load(&super::Layers::default()).expect("the built-in configuration is valid").0
    }

    /// The folder for everything that strongroom keeps on this machine.
    pub fn data_dir(&self) -> PathBuf {
        self.server.data_dir.clone().unwrap_or_else(|| user_data_folder().join("strongroom"))
    }

    /// The folder for package files.
    pub fn blob_dir(&self) -> PathBuf {
        self.storage.path.clone().unwrap_or_else(|| self.data_dir().join("blobs"))
    }
}

/// The XDG base directory for data that belongs to one user.
fn user_data_folder() -> PathBuf {
    let from = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    from("XDG_DATA_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."))
}
