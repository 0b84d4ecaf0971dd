//! What people hold in their hands: an authenticator app, and a security key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use strongroom::clock::Time;

/// The origin of the pages of [`super::app::TestApp`].
const ORIGIN: &str = "http://registry.test";
const PARTY: &str = "registry.test";

/// An authenticator app that has scanned an `otpauth:` URL.
#[derive(Debug, Clone)]
pub(crate) struct App {
    seed: Vec<u8>,
}

impl App {
    /// Scans.
    pub(crate) fn scan(url: &str) -> Self {
        let secret = url.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).expect("a secret");
        let mut bits = 0_u64;
        let mut count = 0;
        let mut seed = Vec::new();
        for letter in secret.bytes() {
            let five = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == letter).expect("base32");
            bits = bits << 5 | five as u64;
            count += 5;
            if count >= 8 {
                count -= 8;
                seed.push(u8::try_from(bits >> count & 0xff).expect("a byte"));
            }
        }
        Self { seed }
    }

    /// The six digits of this moment.
    pub(crate) fn code(&self, now: Time) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.seed).expect("a key");
        mac.update(&(now.timestamp() / 30).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let word = u32::from_be_bytes(hash[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }
}

/// A security key: ES256, with a counter.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    signing: SigningKey,
    id: Vec<u8>,
    count: u32,
    /// Whether it knows its user, as a passkey does.
    verifies: bool,
    /// Whose it was told to be.
    user: Value,
}

impl Key {
    /// A key made of this byte.
    pub(crate) fn new(byte: u8) -> Self {
        let signing = SigningKey::from_slice(&[byte; 32]).expect("a scalar");
        Self { signing, id: vec![byte; 16], count: 0, verifies: false, user: Value::Null }
    }

    /// A key that knows its user by a finger.
    pub(crate) fn passkey(byte: u8) -> Self {
        Self { verifies: true, ..Self::new(byte) }
    }

    /// The same key, when nobody touched it with the right finger.
    pub(crate) fn unverified(&self) -> Self {
        Self { verifies: false, ..self.clone() }
    }

    /// The same key with somebody else's name on it.
    pub(crate) fn claiming(&self, user: Value) -> Self {
        Self { user, ..self.clone() }
    }

    /// Answers `PublicKeyCredentialCreationOptionsJSON` as a browser would.
    pub(crate) fn register(&mut self, options: &Value) -> Value {
        self.user = options["user"]["id"].clone();
        let point = self.signing.verifying_key().to_sec1_point(false);
        let integer = |number: i64| Cbor::Integer(number.into());
        let key = Cbor::Map(vec![
            (integer(1), integer(2)),
            (integer(3), integer(-7)),
            (integer(-1), integer(1)),
            (integer(-2), Cbor::Bytes(point.as_bytes()[1..33].to_vec())),
            (integer(-3), Cbor::Bytes(point.as_bytes()[33..].to_vec())),
        ]);
        let mut data = self.data(0x41 | self.verified());
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("short").to_be_bytes());
        data.extend(&self.id);
        ciborium::into_writer(&key, &mut data).expect("CBOR");
        let envelope = Cbor::Map(vec![
            (Cbor::Text("fmt".into()), Cbor::Text("none".into())),
            (Cbor::Text("attStmt".into()), Cbor::Map(Vec::new())),
            (Cbor::Text("authData".into()), Cbor::Bytes(data)),
        ]);
        let mut attestation = Vec::new();
        ciborium::into_writer(&envelope, &mut attestation).expect("CBOR");
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": encode(&client_data("webauthn.create", options)),
                "attestationObject": encode(&attestation),
            },
        })
    }

    /// Answers `PublicKeyCredentialRequestOptionsJSON` as a browser would.
    pub(crate) fn sign(&mut self, options: &Value) -> Value {
        self.count += 1;
        let data = self.data(0x01 | self.verified());
        let client_data = client_data("webauthn.get", options);
        let signed = [&data[..], &Sha256::digest(&client_data)[..]].concat();
        let signature: Signature = self.signing.sign(&signed);
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": encode(&client_data),
                "authenticatorData": encode(&data),
                "signature": encode(signature.to_der().as_bytes()),
                "userHandle": self.user,
            },
        })
    }

    fn verified(&self) -> u8 {
        if self.verifies { 0x04 } else { 0 }
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        [&Sha256::digest(PARTY)[..], &[flags], &self.count.to_be_bytes()].concat()
    }
}

fn client_data(kind: &str, options: &Value) -> Vec<u8> {
    json!({ "type": kind, "challenge": options["challenge"], "origin": ORIGIN, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
