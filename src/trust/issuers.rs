//! Whose word is taken: the issuers that the operator configured.
//!
//! Who administers a package chooses among these and names no other: the address of an issuer is one that the server
//! asks by itself, and its keys decide who publishes.

use crate::config::{self, TrustPreset};

/// What an issuer's claims are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GitHub Actions, on GitHub or on an Enterprise Server.
    GitHub,
    /// GitLab CI/CD, on GitLab or self-hosted.
    GitLab,
    /// `CircleCI`.
    CircleCi,
    /// Any other: Jenkins, Buildkite, Kubernetes…
    Oidc,
}

impl Kind {
    /// The kind as npm's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::CircleCi => "circleci",
            Self::Oidc => "oidc",
        }
    }

    /// Reads [`Kind::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::GitHub, Self::GitLab, Self::CircleCi, Self::Oidc].into_iter().find(|kind| kind.as_str() == word)
    }

    /// Who publishes, as a packument names them.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI/CD",
            Self::CircleCi => "CircleCI",
            Self::Oidc => "Trusted publisher",
        }
    }
}

/// One issuer.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// What the operator calls it.
    pub name: String,
    /// What its claims are called.
    pub kind: Kind,
    /// What it calls itself in `iss`. A star at the end stands for one more part of the path, as `CircleCI` has it.
    pub url: String,
    /// Whom its tokens may be meant for.
    pub audiences: Vec<String>,
    /// Where its keys are, if it does not say so itself.
    pub(super) keys_url: Option<String>,
    /// Whether each token is good for one exchange. A job at GitHub can have as many as it wants; elsewhere a job has
    /// one for all that it publishes.
    pub(super) single_use: bool,
}

impl Issuer {
    /// The part of `iss` that the star stands for; empty where there is no star. `None` for another issuer's `iss`.
    pub(super) fn fits<'a>(&self, iss: &'a str) -> Option<&'a str> {
        match self.url.strip_suffix('*') {
            None => (self.url == iss).then_some(""),
            Some(start) => {
                let part = iss.strip_prefix(start)?;
                let is_one_part =
                    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                is_one_part.then_some(part)
            }
        }
    }

    fn preset(preset: TrustPreset) -> Self {
        let (name, kind, url, single_use) = match preset {
            TrustPreset::GitHub => ("github", Kind::GitHub, "https://token.actions.githubusercontent.com", true),
            TrustPreset::GitLab => ("gitlab", Kind::GitLab, "https://gitlab.com", false),
            TrustPreset::CircleCi => ("circleci", Kind::CircleCi, "https://oidc.circleci.com/org/*", false),
        };
        Self { name: name.into(), kind, url: url.into(), audiences: Vec::new(), keys_url: None, single_use }
    }

    fn configured(issuer: &config::TrustedIssuer) -> Self {
        let kind = match issuer.kind {
            config::IssuerKind::GitHub => Kind::GitHub,
            config::IssuerKind::GitLab => Kind::GitLab,
            config::IssuerKind::CircleCi => Kind::CircleCi,
            config::IssuerKind::Oidc => Kind::Oidc,
        };
        Self {
            name: issuer.name.clone(),
            kind,
            url: issuer.url.clone(),
            audiences: issuer.audiences.clone(),
            keys_url: issuer.keys_url.clone(),
            single_use: issuer.single_use.unwrap_or(kind == Kind::GitHub),
        }
    }
}

/// All issuers, the operator's own before the well-known.
#[derive(Debug, Clone)]
pub struct Issuers(Vec<Issuer>);

impl Issuers {
    /// Reads the configuration. `audiences` are whom a token is meant for where its issuer's entry says nothing.
    pub(super) fn new(config: &config::Trust, audiences: &[String]) -> Self {
        let own = config.issuers.iter().map(Issuer::configured);
        let presets = config.presets.iter().copied().map(Issuer::preset);
        let with_audiences = |mut issuer: Issuer| {
            if issuer.audiences.is_empty() {
                audiences.clone_into(&mut issuer.audiences);
            }
            issuer
        };
        Self(own.chain(presets).map(with_audiences).collect())
    }

    /// Every issuer.
    pub fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.0.iter()
    }

    /// The issuer of a token.
    pub(super) fn of_token(&self, iss: &str) -> Option<&Issuer> {
        self.0.iter().find(|issuer| issuer.fits(iss).is_some())
    }

    /// The issuer that is meant by a name or an address.
    pub(super) fn named(&self, name: &str) -> Option<&Issuer> {
        self.0.iter().find(|issuer| issuer.name == name || issuer.url == name)
    }

    /// The issuer that is meant where only its kind is said, as npm does: the operator's own, if there is one.
    pub(super) fn first_of(&self, kind: Kind) -> Option<&Issuer> {
        self.0.iter().find(|issuer| issuer.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_known_by_exactly_its_address() {
        let issuers = Issuers::new(&config::Config::defaults().trust, &["npm:registry.example".to_owned()]);
        let kind = |iss: &str| issuers.of_token(iss).map(|issuer| issuer.kind);
        assert_eq!(kind("https://token.actions.githubusercontent.com"), Some(Kind::GitHub));
        assert_eq!(kind("https://token.actions.githubusercontent.com/"), None);
        assert_eq!(kind("https://token.actions.githubusercontent.com.evil.example"), None);
        assert_eq!(kind("http://gitlab.com"), None);
        assert_eq!(kind("https://gitlab.com"), Some(Kind::GitLab));
        assert_eq!(kind("https://oidc.circleci.com/org/3f2c-1"), Some(Kind::CircleCi));
        for iss in [
            "https://oidc.circleci.com/org/",
            "https://oidc.circleci.com/org/a/b",
            "https://oidc.circleci.com/org/..",
            "",
        ] {
            assert_eq!(kind(iss), None, "{iss}");
        }
        assert!(issuers.iter().all(|issuer| issuer.audiences == ["npm:registry.example"]));
    }
}
