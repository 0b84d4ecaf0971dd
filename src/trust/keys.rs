//! The public keys of issuers: fetched where they are published, and kept for a while.
//!
//! Who sends us a token decides whose keys we look at, so looking is bounded: the keys of an issuer are fetched at most
//! once in [`PAUSE`], whatever key ids are asked for. An issuer that does not answer is believed by the keys we last
//! saw for [`STALE`], so that its short outage stops nobody's publish, and a key that it withdrew does not live on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use crate::clock::{Clock, Time};
use crate::outgoing::{Outgoing, OutgoingError};

use super::jwt::{Algorithm, IdToken};

/// How long keys are used without asking again.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How long they are used while the issuer does not answer.
const STALE: TimeDelta = TimeDelta::hours(6);
/// The least time between two questions to one issuer.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

const DISCOVERY_BYTES: usize = 64 * 1024;
const KEYS_BYTES: usize = 256 * 1024;
/// The most keys of one issuer, and the most issuers that are remembered.
const MANY_KEYS: usize = 64;
const MANY_ISSUERS: usize = 1000;

/// A public key of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// The one algorithm that it is for, where it says so.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    /// An uncompressed point.
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A key as RFC 7517 writes it.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn into_key(self) -> Option<Key> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let without_zeros = |bytes: Vec<u8>| bytes.into_iter().skip_while(|byte| *byte == 0).collect();
                Material::Rsa {
                    modulus: without_zeros(decode(self.n.as_ref()?)?),
                    exponent: without_zeros(decode(self.e.as_ref()?)?),
                }
            }
            ("EC", Some("P-256")) => Material::P256(self.point(32)?),
            ("EC", Some("P-384")) => Material::P384(self.point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(decode(self.x.as_ref()?)?),
            _ => return None,
        };
        let algorithm = match self.alg {
            Some(alg) => Some(serde_json::from_value(Value::String(alg)).ok()?),
            None => None,
        };
        Some(Key { id: self.kid, algorithm, material })
    }

    fn point(&self, bytes: usize) -> Option<Vec<u8>> {
        let (x, y) = (decode(self.x.as_ref()?)?, decode(self.y.as_ref()?)?);
        (x.len() == bytes && y.len() == bytes).then(|| [&[4][..], &x, &y].concat())
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Keys of kinds that are not known here stand beside others and are passed over.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl KeySet {
    fn into_keys(self) -> Arc<[Key]> {
        let read = |value| serde_json::from_value::<Jwk>(value).ok()?.into_key();
        self.keys.into_iter().take(MANY_KEYS).filter_map(read).collect()
    }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// What is known of one issuer's keys.
#[derive(Debug, Default)]
struct Known {
    keys: Arc<[Key]>,
    fetched_at: Option<Time>,
    asked_at: Option<Time>,
}

/// The keys of all issuers.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    outgoing: Outgoing,
    clock: Clock,
    issuers: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<Known>>>>>,
}

impl Keys {
    pub(super) fn new(outgoing: Outgoing, clock: Clock) -> Self {
        Self { outgoing, clock, issuers: Arc::default() }
    }

    /// Whether the token was signed with a key that its issuer publishes. `keys_url` is asked where it is given, else
    /// the issuer says where its keys are.
    pub(super) async fn has_signed(&self, issuer: &str, keys_url: Option<&str>, token: &IdToken<'_>) -> bool {
        let known = self.known(issuer);
        // Those who come while the keys are being fetched wait for them.
        let mut known = known.lock().await;
        let now = self.clock.now();
        let is_fresh = known.fetched_at.is_some_and(|at| now < at + FRESH);
        if !(is_fresh && candidates(&known.keys, token).next().is_some())
            && known.asked_at.is_none_or(|at| now >= at + PAUSE)
        {
            known.asked_at = Some(now);
            match self.fetch(issuer, keys_url).await {
                Ok(keys) => {
                    known.keys = keys;
                    known.fetched_at = Some(now);
                }
                Err(cause) => tracing::warn!(issuer, %cause, "the keys of an issuer could not be fetched"),
            }
        }
        let is_usable = known.fetched_at.is_some_and(|at| now < at + STALE);
        is_usable && candidates(&known.keys, token).any(|key| token.is_signed_by(key))
    }

    fn known(&self, issuer: &str) -> Arc<tokio::sync::Mutex<Known>> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= MANY_ISSUERS && !issuers.contains_key(issuer) {
            issuers.clear();
        }
        issuers.entry(issuer.to_owned()).or_default().clone()
    }

    async fn fetch(&self, issuer: &str, keys_url: Option<&str>) -> Result<Arc<[Key]>, OutgoingError> {
        let url = match keys_url {
            Some(url) => url.to_owned(),
            None => self.discover(issuer).await?,
        };
        let set: KeySet = self.outgoing.get_json(&url, KEYS_BYTES).await?;
        Ok(set.into_keys())
    }

    /// Asks the issuer where its keys are. It must call itself what we call it, and may not lead from https to http.
    async fn discover(&self, issuer: &str) -> Result<String, OutgoingError> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let found: Discovery = self.outgoing.get_json(&url, DISCOVERY_BYTES).await?;
        if found.issuer != issuer {
            return Err(OutgoingError::NotJson("it names another issuer".into()));
        }
        if issuer.starts_with("https://") && !found.jwks_uri.starts_with("https://") {
            return Err(OutgoingError::Address("its keys are not behind https"));
        }
        Ok(found.jwks_uri)
    }
}

/// The keys that a token may have been signed with: the one that it names, or all where it names none.
fn candidates<'a>(keys: &'a [Key], token: &'a IdToken<'_>) -> impl Iterator<Item = &'a Key> {
    keys.iter().filter(|key| {
        let named = token.key_id.as_deref().is_none_or(|wanted| key.id.as_deref() == Some(wanted));
        named && key.algorithm.is_none_or(|only| only == token.algorithm)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(keys: &Value) -> Arc<[Key]> {
        serde_json::from_value::<KeySet>(json!({ "keys": keys })).unwrap().into_keys()
    }

    #[test]
    fn keys_of_other_kinds_and_purposes_are_passed_over() {
        let point = URL_SAFE_NO_PAD.encode([1; 32]);
        let read = keys(&json!([
            { "kty": "EC", "crv": "P-256", "kid": "a", "x": point, "y": point, "use": "sig", "alg": "ES256" },
            { "kty": "EC", "crv": "P-256", "kid": "b", "x": point, "y": point, "use": "enc" },
            { "kty": "EC", "crv": "P-256", "kid": "c", "x": "AA", "y": point },
            { "kty": "EC", "crv": "secp256k1", "kid": "d", "x": point, "y": point },
            { "kty": "oct", "kid": "e", "k": point },
            { "kty": "RSA", "kid": "f", "n": "AQAB", "e": "AQAB", "alg": "HS256" },
            { "kty": "RSA", "kid": "g", "n": "AAEC", "e": "AQAB" },
            "no key",
        ]));
        let names: Vec<_> = read.iter().map(|key| key.id.as_deref().unwrap()).collect();
        assert_eq!(names, ["a", "g"]);
        assert_eq!(read[0].algorithm, Some(Algorithm::ES256));
        assert_eq!(read[1].material, Material::Rsa { modulus: vec![1, 2], exponent: vec![1, 0, 1] });
    }
}
