//! Merging the layers, and remembering which one each value came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::sections::{Config, Secret};

const DEFAULTS: &str = include_str!("../../config/default.toml");
const PREFIX: &str = "STRONGROOM__";

/// Keys whose values are never shown.
const SECRETS: &[&str] =
    &["database.url", "secrets.key", "mail.password", "stripe.secret_key", "stripe.webhook_secret"];

/// What a configuration is made of, lowest first; the built-in defaults lie beneath.
#[derive(Debug, Default, Clone)]
pub struct Layers {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Environment variables, of which those named `STRONGROOM__SECTION__KEY` are read.
    pub environment: Vec<(String, String)>,
    /// Flags, as `section.key` and text.
    pub flags: Vec<(String, String)>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `config/default.toml`.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Environment(name) => formatter.write_str(name),
            Self::Flag => formatter.write_str("flag"),
        }
    }
}

/// Says which key is wrong, where it was set, and what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML: line {line}: {reason}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where; the line itself is not shown, since it may hold a password.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A key that does not exist.
    #[error("unknown key {key} (set in {origin}); the nearest one is {nearest}")]
    UnknownKey {
        /// The key as given.
        key: String,
        /// Who set it.
        origin: Origin,
        /// The most similar key that exists.
        nearest: String,
    },
    /// A value of the wrong kind.
    #[error("{key} must be {expected} (set in {origin})")]
    WrongType {
        /// Which key.
        key: String,
        /// Who set it.
        origin: Origin,
        /// What is wanted, in words.
        expected: &'static str,
    },
    /// A value that its key does not allow.
    #[error("the configuration is not valid: {0}")]
    Value(String),
}

/// The origin of every key that is not at its default.
pub type Origins = BTreeMap<String, Origin>;

/// Merges the layers into a configuration, and tells where each value that is no default came from.
///
/// # Errors
/// [`ConfigError`], which names the key and its origin.
pub fn load(layers: &Layers) -> Result<(Config, Origins), ConfigError> {
    let merged = Merged::of(layers)?;
    let listing = merged.listing()?;
    let mut config: Config =
        merged.table.try_into().map_err(|cause: toml::de::Error| ConfigError::Value(cause.message().to_owned()))?;
    config.listing = listing;
    read_secret_files(&mut config)?;
    check_ranges(&config)?;
    check_issuers(&config.trust.issuers)?;
    check_stripe(&config)?;
    Ok((config, merged.origins))
}

/// Numbers that are well-formed and make no sense.
fn check_ranges(config: &Config) -> Result<(), ConfigError> {
    let at_least_one = [
        ("server.max_connections", config.server.max_connections as u64),
        ("server.max_connections_per_address", config.server.max_connections_per_address as u64),
        ("database.max_read_connections", config.database.max_read_connections.into()),
        ("database.max_write_connections", config.database.max_write_connections.into()),
        ("limits.login_per_minute", config.limits.login_per_minute.into()),
        ("outgoing.timeout_seconds", config.outgoing.timeout_seconds),
        ("staging.keep_days", config.staging.keep_days.into()),
        ("limits.max_uploads", config.limits.max_uploads as u64),
    ];
    if let Some((key, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
        return Err(ConfigError::Value(format!("{key} must be at least 1")));
    }
    if config.auth.login_token_days > 36_500 {
        return Err(ConfigError::Value("auth.login_token_days may be at most 36500; 0 means never".into()));
    }
    if config.billing.grace_days > 3_650 {
        return Err(ConfigError::Value("billing.grace_days may be at most 3650".into()));
    }
    if config.packages.trash_days > 36_500 {
        return Err(ConfigError::Value("packages.trash_days may be at most 36500".into()));
    }
    if config.limits.max_tarball_bytes > 1 << 40 {
        return Err(ConfigError::Value("limits.max_tarball_bytes may be at most 1099511627776".into()));
    }
    Ok(())
}

/// What Stripe cannot be spoken to without, where it is the one who says who is paid.
fn check_stripe(config: &Config) -> Result<(), ConfigError> {
    let stripe = &config.stripe;
    let refused = |sentence: &str| Err(ConfigError::Value(sentence.into()));
    if config.billing.provider != super::BillingProvider::Stripe {
        return Ok(());
    }
    if stripe.secret_key.is_none() {
        return refused("billing.provider is stripe, so stripe.secret_key must be set");
    }
    if stripe.webhook_secret.is_none() {
        return refused("billing.provider is stripe, so stripe.webhook_secret must be set");
    }
    if stripe.personal_price.is_none() && stripe.organization_price.is_none() {
        return refused("billing.provider is stripe, so stripe.personal_price or organization_price must be set");
    }
    if !stripe.api_url.starts_with("https://") && !stripe.api_url.starts_with("http://") {
        return refused("stripe.api_url must begin with https://");
    }
    if stripe.pages.iter().any(|page| !is_origin(page)) {
        return refused("each of stripe.pages must be as in https://checkout.stripe.com, with nothing behind the host");
    }
    Ok(())
}

/// Whether it can stand in a header as where a form may lead.
fn is_origin(text: &str) -> bool {
    let uri = text.parse::<http::Uri>().ok();
    let is_plain = |uri: &http::Uri| uri.path() == "/" && uri.query().is_none() && !text.ends_with('/');
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || ":/.-[]".contains(letter);
    text.chars().all(is_safe)
        && uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("https" | "http")) && is_plain(&uri))
}

/// Issuers whose entry cannot mean anything.
fn check_issuers(issuers: &[super::TrustedIssuer]) -> Result<(), ConfigError> {
    for (at, issuer) in issuers.iter().enumerate() {
        let refused = |reason| Err(ConfigError::Value(format!("trust.issuers: {:?} {reason}", issuer.name)));
        if issuer.name.is_empty() || issuers[..at].iter().any(|other| other.name == issuer.name) {
            return refused("must have a name of its own");
        }
        if !issuer.url.starts_with("https://") && !issuer.url.starts_with("http://") {
            return refused("must have a url that begins with https://");
        }
        if issuer.url.contains('*') && issuer.kind != super::IssuerKind::CircleCi {
            return refused("may have a star in its url only if its type is circleci");
        }
    }
    Ok(())
}

/// Every key with its value as TOML and its origin; secrets are covered. For `strongroom config show`.
///
/// # Errors
/// As [`load`].
pub fn listing(layers: &Layers) -> Result<Vec<(String, String, Origin)>, ConfigError> {
    let lines = Merged::of(layers)?.listing()?;
    Ok(lines.into_iter().map(|line| (line.key, line.value, line.origin)).collect())
}

/// A key with its value, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `section.key`.
    pub key: String,
    /// The value as TOML; of a secret, whether it is set.
    pub value: String,
    /// What it would be if nobody set it.
    pub default: String,
    /// Where the value comes from.
    pub origin: Origin,
}

struct Merged {
    table: Table,
    origins: Origins,
}

impl Merged {
    fn of(layers: &Layers) -> Result<Self, ConfigError> {
        let mut merged = Self::defaults()?;
        if let Some(path) = &layers.file {
            merged.apply_file(path)?;
        }
        for (name, value) in &layers.environment {
            if let Some(key) = name.strip_prefix(PREFIX) {
                let key = key.to_ascii_lowercase().replacen("__", ".", 1);
                merged.apply_text(&key, value, &Origin::Environment(name.clone()))?;
            }
        }
        for (key, value) in &layers.flags {
            merged.apply_text(key, value, &Origin::Flag)?;
        }
        Ok(merged)
    }

    fn defaults() -> Result<Self, ConfigError> {
        Ok(Self { table: parse(DEFAULTS, Path::new("config/default.toml"))?, origins: Origins::new() })
    }

    /// Every key, with the values that may be shown.
    fn listing(&self) -> Result<Vec<Listed>, ConfigError> {
        let defaults = Self::defaults()?;
        let mut lines = Vec::new();
        for (section, values) in &self.table {
            for (name, value) in values.as_table().into_iter().flatten() {
                let key = format!("{section}.{name}");
                let default = defaults.table.get(section).and_then(|values| values.get(name));
                let default = default.map(|value| shown(&key, value)).unwrap_or_default();
                let origin = self.origins.get(&key).cloned().unwrap_or(Origin::Default);
                lines.push(Listed { value: shown(&key, value), key, default, origin });
            }
        }
        Ok(lines)
    }

    fn apply_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        let table = parse(&text, path)?;
        let origin = Origin::File(path.to_owned());
        for (section, values) in table {
            let Value::Table(values) = values else { return Err(self.unknown(section, origin)) };
            for (key, value) in values {
                let key = format!("{section}.{key}");
                *self.slot(&key, &origin)? = value;
                self.origins.insert(key, origin.clone());
            }
        }
        Ok(())
    }

    fn apply_text(&mut self, key: &str, text: &str, origin: &Origin) -> Result<(), ConfigError> {
        let slot = self.slot(key, origin)?;
        let wrong = |expected| ConfigError::WrongType { key: key.to_owned(), origin: origin.clone(), expected };
        *slot = match slot {
            Value::Integer(_) => Value::Integer(text.trim().parse().map_err(|_| wrong("a whole number"))?),
            Value::Boolean(_) => Value::Boolean(text.trim().parse().map_err(|_| wrong("true or false"))?),
            Value::Array(_) => {
                Value::Array(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect())
            }
            _ => Value::from(text),
        };
        self.origins.insert(key.to_owned(), origin.clone());
        Ok(())
    }

    fn slot(&mut self, key: &str, origin: &Origin) -> Result<&mut Value, ConfigError> {
        let found = key
            .split_once('.')
            .is_some_and(|(section, name)| self.table.get(section).and_then(|values| values.get(name)).is_some());
        if !found {
            return Err(self.unknown(key.to_owned(), origin.clone()));
        }
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        Ok(&mut self.table[section][name])
    }

    fn unknown(&self, key: String, origin: Origin) -> ConfigError {
        let keys = self.table.iter().flat_map(|(section, values)| {
            values.as_table().into_iter().flatten().map(move |(name, _)| format!("{section}.{name}"))
        });
        let nearest = keys.min_by_key(|known| strsim::damerau_levenshtein(known, &key)).unwrap_or_default();
        ConfigError::UnknownKey { key, origin, nearest }
    }
}

/// A secret shows whether it is set, and no more.
fn shown(key: &str, value: &Value) -> String {
    match (SECRETS.contains(&key), value.as_str() == Some("")) {
        (true, false) => "(set)".to_owned(),
        (true, true) => "(unset)".to_owned(),
        (false, _) => value.to_string(),
    }
}

fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    text.parse().map_err(|cause: toml::de::Error| {
        let before = cause.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        ConfigError::Syntax { path: path.to_owned(), line, reason: cause.message().to_owned() }
    })
}

fn read_secret_files(config: &mut Config) -> Result<(), ConfigError> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|cause| ConfigError::Unreadable { path: path.clone(), cause })?;
        Ok(Secret::new(text.trim()))
    };
    if let Some(path) = &config.database.url_file {
        config.database.url = Some(read(path)?);
    }
    if let Some(path) = &config.secrets.key_file {
        config.secrets.key = Some(read(path)?);
    }
    if let Some(path) = &config.mail.password_file {
        config.mail.password = Some(read(path)?);
    }
    if let Some(path) = &config.stripe.secret_key_file {
        config.stripe.secret_key = Some(read(path)?);
    }
    if let Some(path) = &config.stripe.webhook_secret_file {
        config.stripe.webhook_secret = Some(read(path)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Layers {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Layers { environment, ..Layers::default() }
    }

    #[test]
    fn flags_win_over_environment_over_file_over_default() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "[limits]\nlogin_per_minute = 1\nmax_uploads = 2\nmax_files = 3").unwrap();
        let layers = Layers {
            file: Some(file.path().to_owned()),
            flags: vec![("limits.login_per_minute".into(), "9".into())],
            ..environment(&[("STRONGROOM__LIMITS__LOGIN_PER_MINUTE", "5"), ("STRONGROOM__LIMITS__MAX_UPLOADS", "7")])
        };
        let (config, origins) = load(&layers).unwrap();
        assert_eq!(config.limits.login_per_minute, 9);
        assert_eq!(config.limits.max_uploads, 7);
        assert_eq!(config.limits.max_files, 3);
        assert_eq!(config.limits.max_tarball_bytes, 100 * 1024 * 1024);
        assert_eq!(origins["limits.login_per_minute"], Origin::Flag);
        assert_eq!(origins["limits.max_uploads"], Origin::Environment("STRONGROOM__LIMITS__MAX_UPLOADS".into()));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest() {
        let message = load(&environment(&[("STRONGROOM__AUTH__SIGNUPS", "open")])).unwrap_err().to_string();
        assert!(message.contains("STRONGROOM__AUTH__SIGNUPS") && message.contains("auth.signup"), "{message}");
    }

    #[test]
    fn every_kind_of_value_can_come_from_the_environment() {
        let (config, _) = load(&environment(&[
            ("STRONGROOM__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.168.0.0/16"),
            ("STRONGROOM__LOG__ACCESS", "true"),
            ("STRONGROOM__DATABASE__URL", "12345"),
            ("HOME", "/nowhere"),
        ]))
        .unwrap();
        assert_eq!(config.server.trusted_proxies.len(), 2);
        assert!(config.log.access);
        assert_eq!(config.database.url.unwrap().expose(), "12345");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_key() {
        let refused = |name, value| load(&environment(&[(name, value)])).unwrap_err().to_string();
        assert!(refused("STRONGROOM__LIMITS__MAX_FILES", "many").contains("limits.max_files must be a whole number"));
        assert!(refused("STRONGROOM__AUTH__SIGNUP", "ajar").contains("ajar"));
        assert!(refused("STRONGROOM__BILLING__PROVIDER", "cash").contains("cash"));
        assert!(refused("STRONGROOM__AUTH__LOGIN_TOKEN_DAYS", "4294967295").contains("login_token_days"));
        assert!(refused("STRONGROOM__LIMITS__MAX_UPLOADS", "0").contains("at least 1"));
    }

    #[test]
    fn stripe_is_not_spoken_to_without_its_keys() {
        let key = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(key.path(), "sk_test_hunter2\n").unwrap();
        let mut layers = environment(&[("STRONGROOM__BILLING__PROVIDER", "stripe")]);
        let missing = |layers: &Layers| load(layers).unwrap_err().to_string();
        assert!(missing(&layers).contains("stripe.secret_key"));
        let mut set = |name: &str, value: &str| {
            layers.environment.push((format!("STRONGROOM__STRIPE__{name}"), value.to_owned()));
            load(&layers).map(|(config, _)| config).map_err(|cause| cause.to_string())
        };
        assert!(set("SECRET_KEY_FILE", &key.path().to_string_lossy()).unwrap_err().contains("webhook_secret"));
        assert!(set("WEBHOOK_SECRET", "whsec_hunter2").unwrap_err().contains("personal_price"));
        let config = set("PERSONAL_PRICE", "price_1").unwrap();
        assert_eq!(config.stripe.secret_key.as_ref().unwrap().expose(), "sk_test_hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
        for page in ["https://pay.example/", "https://a;script-src *", "ftp://a", "pay.example"] {
            assert!(set("PAGES", page).unwrap_err().contains("stripe.pages"), "{page}");
        }
        assert!(set("PAGES", "https://pay.example, http://localhost:8080").is_ok());
    }

    #[test]
    fn a_broken_line_is_named_and_not_shown() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "[database]\nurl = \"postgres://u:hunter2@h/d").unwrap();
        let layers = Layers { file: Some(file.path().to_owned()), ..Layers::default() };
        let message = load(&layers).unwrap_err().to_string();
        assert!(message.contains("line 2") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let (config, _) = load(&environment(&[("STRONGROOM__DATABASE__URL", "postgres://u:hunter2@h/d")])).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
