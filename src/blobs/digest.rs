use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The SHA-512 of some bytes: their address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Digest(Box<[u8; 64]>);

impl Digest {
    /// Wraps the 64 bytes of a hash.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(Box::new(bytes))
    }

    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// Lower-case hex, 128 characters.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0[..])
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.to_hex()[..16])
    }
}

impl TryFrom<Vec<u8>> for Digest {
    type Error = Vec<u8>;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Vec<u8>> {
        <Box<[u8; 64]>>::try_from(bytes).map(Self)
    }
}

/// The `dist.integrity` of a version: what clients hold its bytes against, and what the registry signs.
pub fn integrity(sha512: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(sha512))
}
