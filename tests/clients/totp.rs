//! An authenticator app: codes by the clock from the secret that the registry tells once.

use sha1::{Digest, Sha1};
use strongroom::clock::Clock;

const BLOCK: usize = 64;

/// The code of now for the secret in an `otpauth:` URL, or anywhere behind the word `secret=`.
pub(crate) fn code(url: &str) -> String {
    let (_, secret) = url.split_once("secret=").expect("a secret");
    code_for(secret.split('&').next().unwrap_or_default())
}

/// The code of now for a secret in base 32.
pub(crate) fn code_for(secret: &str) -> String {
    let step = Clock::system().now().timestamp() / 30;
    let hash = hmac(&decoded(secret), &step.to_be_bytes());
    let offset = usize::from(hash[19] & 15);
    let word: [u8; 4] = hash[offset..offset + 4].try_into().expect("four bytes");
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

fn decoded(secret: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut value, mut bits) = (0_u32, 0);
    for letter in secret.bytes().filter(|letter| *letter != b'=') {
        let five = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("{secret:?} is not in base 32"),
        };
        value = (value << 5) | u32::from(five);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((value >> bits) & 0xff).expect("a byte"));
            value &= (1 << bits) - 1;
        }
    }
    bytes
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= BLOCK, "the key of an authenticator is short");
    let padded =
        |pad: u8| (0..BLOCK).map(|place| key.get(place).copied().unwrap_or_default() ^ pad).collect::<Vec<_>>();
    let inner = Sha1::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha1::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

#[test]
fn codes_are_those_of_the_standard() {
    let key = b"12345678901234567890";
    assert_eq!(decoded("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), key);
    // RFC 4226, appendix D.
    assert_eq!(hmac(key, &0_u64.to_be_bytes())[..4], [0xcc, 0x93, 0xcf, 0x18]);
}
