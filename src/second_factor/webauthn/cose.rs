//! The two pieces of CBOR in a registration: the envelope, and the public key.

use ciborium::Value;

use crate::error::Result;

use super::refused;

/// Levels that are read; the two pieces have three.
const LEVELS: usize = 8;

/// The authenticator's data in an attestation object. The statement beside it, which tells the maker, is not looked at.
pub(super) fn authenticator_data_of(attestation_object: &[u8]) -> Result<Vec<u8>> {
    let members = map(attestation_object)?;
    let data = members.into_iter().find(|(key, _)| key.as_text() == Some("authData")).map(|(_, value)| value);
    data.and_then(|value| value.into_bytes().ok()).ok_or_else(|| refused("it holds no data"))
}

/// The uncompressed SEC1 point of an ES256 key. What follows the key is left alone: extensions.
pub(super) fn public_key(bytes: &[u8]) -> Result<Vec<u8>> {
    const KEY_TYPE: i64 = 1;
    const ALGORITHM: i64 = 3;
    const CURVE: i64 = -1;
    const X: i64 = -2;
    const Y: i64 = -3;
    const EC2: i64 = 2;
    const ES256: i64 = -7;
    const P256: i64 = 1;
    let members = map(bytes)?;
    let find =
        |label: i64| members.iter().find(|(key, _)| key.as_integer() == Some(label.into())).map(|(_, value)| value);
    let is = |label: i64, wanted: i64| find(label).and_then(Value::as_integer) == Some(wanted.into());
    if !(is(KEY_TYPE, EC2) && is(ALGORITHM, ES256) && is(CURVE, P256)) {
        return Err(refused("its key is not of the kind ES256, the one that is taken here"));
    }
    let coordinate = |label: i64| find(label).and_then(Value::as_bytes).filter(|bytes| bytes.len() == 32);
    match (coordinate(X), coordinate(Y)) {
        (Some(x), Some(y)) => Ok([&[4][..], x, y].concat()),
        _ => Err(refused("its key lacks a coordinate")),
    }
}

fn map(bytes: &[u8]) -> Result<Vec<(Value, Value)>> {
    let value: Value =
        ciborium::de::from_reader_with_recursion_limit(bytes, LEVELS).map_err(|_| refused("it cannot be read"))?;
    value.into_map().map_err(|_| refused("it cannot be read"))
}
