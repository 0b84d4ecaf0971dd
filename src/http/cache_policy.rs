//! Cache headers by name; the one place that writes them (`protocol.md` 2.6).

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};

/// How long an answer may be kept, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy {
    /// Identity, errors, and everything that did not say otherwise.
    NoStore,
    /// A public packument: kept, and asked about each time.
    PublicRevalidated,
    /// Whatever needed a token: kept by its user alone, and asked about each time.
    PrivateRevalidated,
    /// A public tarball: its bytes never change.
    PublicImmutable,
    /// A restricted tarball: its bytes never change, and npm installs from its own cache when offline.
    PrivateImmutable,
}

impl CachePolicy {
    /// Writes the header.
    pub fn apply(self, headers: &mut HeaderMap) {
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static(match self {
                Self::NoStore => "no-store",
                Self::PublicRevalidated => "public, max-age=0, must-revalidate",
                Self::PrivateRevalidated => "private, no-cache",
                Self::PublicImmutable => "public, max-age=31536000, immutable",
                Self::PrivateImmutable => "private, max-age=31536000, immutable",
            }),
        );
    }
}
