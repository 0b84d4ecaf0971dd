//! An issuer of the tests' own: it publishes keys and signs tokens, as a CI does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A key pair with the name of its algorithm.
pub(crate) enum SigningKey {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl SigningKey {
    /// The RSA key of the fixtures: making one takes seconds.
    pub(crate) fn rsa() -> Self {
        Self::Rsa(Box::new(
            RsaKeyPair::from_pkcs8(include_bytes!("../fixtures/trust/rsa.pk8")).expect("the key of the fixtures"),
        ))
    }

    /// A new key on the curve P-256.
    pub(crate) fn ec() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        Self::Ec(pair.expect("a key"))
    }

    /// A new Ed25519 key.
    pub(crate) fn ed() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        Self::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key"))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn public(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": text(&n), "e": text(&e) })
            }
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Self::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).expect("a signature");
                signature
            }
            Self::Ec(pair) => pair.sign(&random, text).expect("a signature").as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(text).as_ref().to_vec(),
        }
    }

    /// A token with these claims.
    pub(crate) fn token(&self, id: &str, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": self.algorithm(), "kid": id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(self.sign(text.as_bytes())))
    }
}

/// A server with the keys of an issuer.
pub(crate) struct Issuer {
    /// What it calls itself.
    pub(crate) url: String,
    /// What it publishes as its keys, by their ids; the tests change it.
    pub(crate) keys: Arc<Mutex<BTreeMap<String, Value>>>,
    /// How often it was asked for its keys.
    pub(crate) asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Issuer {
    /// An issuer on this machine that publishes one key.
    pub(crate) async fn start(id: &str, key: &SigningKey) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let keys = Arc::new(Mutex::new(BTreeMap::from([(id.to_owned(), key.public(id))])));
        let asked = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(serve(listener, url.clone(), keys.clone(), asked.clone()));
        Self { url, keys, asked, task }
    }

    /// Publishes a key, beside those there are.
    pub(crate) fn publish(&self, id: &str, key: &SigningKey) {
        self.keys.lock().expect("no panic").insert(id.to_owned(), key.public(id));
    }

    /// Publishes a key no more.
    pub(crate) fn withdraw(&self, id: &str) {
        self.keys.lock().expect("no panic").remove(id);
    }

    /// How often it was asked for its keys.
    pub(crate) fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Answers nobody any more.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, url: String, keys: Arc<Mutex<BTreeMap<String, Value>>>, asked: Arc<AtomicUsize>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = vec![0; 8192];
        let read = stream.read(&mut head).await.unwrap_or(0);
        let is_discovery = String::from_utf8_lossy(&head[..read]).starts_with("GET /.well-known/openid-configuration ");
        let body = if is_discovery {
            json!({ "issuer": url, "jwks_uri": format!("{url}/keys") })
        } else {
            asked.fetch_add(1, Ordering::SeqCst);
            json!({ "keys": keys.lock().expect("no panic").values().collect::<Vec<_>>() })
        };
        let body = body.to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
