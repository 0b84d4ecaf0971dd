//! An ID token (JWT) taken apart, and its signature checked.
//!
//! Everything here works on what a stranger sent, so nothing is believed before [`IdToken::is_signed_by`]: the parts
//! are read only to find out whose keys to ask. The algorithm is one of a closed list of public-key signatures, and
//! the key says which kind it is for; there is no `none`, and no shared secret that a public key could be taken for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, Material};

/// The longest token that is looked at; real ones have one to three thousand characters.
const LONGEST: usize = 16 * 1024;

/// Public-key signatures that issuers use, named as in RFC 7518 and RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    /// Extensions that the reader must understand: none are understood.
    crit: Option<serde::de::IgnoredAny>,
}

/// A token that has the right form. Its claims are nobody's word until the signature was checked.
#[derive(Debug)]
pub(super) struct IdToken<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) claims: Map<String, Value>,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> IdToken<'a> {
    /// Takes a token apart; `None` where it has not the form of one that could be accepted.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&decode_json(header)?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        let claims = serde_json::from_slice(&decode_json(claims)?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { algorithm: header.alg, key_id: header.kid, claims, signed: signed.as_bytes(), signature })
    }

    /// A claim that is text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// Whether the signature is one of `key`.
    pub(super) fn is_signed_by(&self, key: &Key) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let verify = |algorithm: &'static dyn signature::VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(algorithm, point).verify(self.signed, &self.signature).is_ok()
        };
        match (&key.material, self.algorithm) {
            (Material::P256(point), ES256) => verify(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Material::P384(point), ES384) => verify(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Material::Ed25519(point), EdDSA) => verify(&signature::ED25519, point),
            (Material::Rsa { modulus, exponent }, algorithm) => {
                let parameters = match algorithm {
                    RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    PS384 => &signature::RSA_PSS_2048_8192_SHA384,
                    PS512 => &signature::RSA_PSS_2048_8192_SHA512,
                    ES256 | ES384 | EdDSA => return false,
                };
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, self.signed, &self.signature).is_ok()
            }
            _ => false,
        }
    }
}

/// Strict JSON, so that no claim can be there twice and be read in two ways.
fn decode_json(part: &str) -> Option<Vec<u8>> {
    let text = URL_SAFE_NO_PAD.decode(part).ok()?;
    crate::packages::check_json(&text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, KeyPair as _,
    };
    use serde_json::json;

    use super::*;

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let text = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(text.as_bytes()));
        format!("{text}.{signature}")
    }

    fn curve(algorithm: &'static EcdsaSigningAlgorithm) -> (impl Fn(&[u8]) -> Vec<u8>, Vec<u8>) {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        (move |text: &[u8]| pair.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec(), point)
    }

    fn key(material: Material) -> Key {
        Key { id: None, algorithm: None, material }
    }

    #[test]
    fn each_curve_signs_for_its_own_algorithm_and_no_other() {
        let (sign, point) = curve(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let (sign_large, point_large) = curve(&ECDSA_P384_SHA384_FIXED_SIGNING);
        let edwards =
            Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref()).unwrap();
        let small = key(Material::P256(point.clone()));
        let large = key(Material::P384(point_large));
        let modern = key(Material::Ed25519(edwards.public_key().as_ref().to_vec()));
        let claims = json!({ "iss": "https://ci.example" });

        let tokens = [
            signed(&json!({ "alg": "ES256", "kid": "1" }), &claims, &sign),
            signed(&json!({ "alg": "ES384", "kid": "1" }), &claims, sign_large),
            signed(&json!({ "alg": "EdDSA", "kid": "1" }), &claims, |text| edwards.sign(text).as_ref().to_vec()),
        ];
        for (at, text) in tokens.iter().enumerate() {
            let token = IdToken::parse(text).unwrap();
            assert_eq!(token.text("iss"), Some("https://ci.example"));
            let accepted = [&small, &large, &modern].map(|key| token.is_signed_by(key));
            assert_eq!(accepted, [at == 0, at == 1, at == 2], "{text}");
        }
        let mistaken = signed(&json!({ "alg": "RS256" }), &claims, &sign);
        assert!(!IdToken::parse(&mistaken).unwrap().is_signed_by(&small));
    }

    #[test]
    fn another_word_is_not_signed() {
        let (sign, point) = curve(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = key(Material::P256(point));
        let text = signed(&json!({ "alg": "ES256" }), &json!({ "sub": "a" }), sign);
        assert!(IdToken::parse(&text).unwrap().is_signed_by(&key));
        let (_, signature) = text.rsplit_once('.').unwrap();
        let forged = format!("{}.{}.{signature}", part(&json!({ "alg": "ES256" })), part(&json!({ "sub": "b" })));
        assert!(!IdToken::parse(&forged).unwrap().is_signed_by(&key));
        let empty = text.trim_end_matches(|one| one != '.').to_owned();
        assert!(!IdToken::parse(&empty).unwrap().is_signed_by(&key));
    }

    #[test]
    fn what_could_never_be_accepted_is_not_even_read() {
        let claims = json!({ "iss": "x" });
        let sign = |_: &[u8]| vec![0; 64];
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "None" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "HS512" }),
            json!({ "alg": "ES256", "crit": ["exp"] }),
            json!({ "kid": "1" }),
            json!([]),
        ] {
            assert!(IdToken::parse(&signed(&header, &claims, sign)).is_none(), "{header}");
        }
        let header = part(&json!({ "alg": "ES256" }));
        let twice = URL_SAFE_NO_PAD.encode("{\"iss\":\"a\",\"iss\":\"b\"}");
        let long = "x".repeat(LONGEST);
        for text in ["", ".", "..", "a.b.c", &header, &format!("{header}.{twice}.AA"), &format!("{header}.{long}.AA")] {
            assert!(IdToken::parse(text).is_none(), "{text}");
        }
    }
}
