//! Cache headers by name; the one place that writes them (`protocol.md` 2.6).

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};

// Whoever honours `no-store`, `no-cache` or `must-revalidate` is told all there is to tell. vlt (1.0.0-rc.23) knows none
// of them, takes `max-age=0` for "nothing said", and then keeps everything for five minutes, a 404 too, and goes on
// showing it for hours. It heeds a `max-age` of one second, and that nothing stale may be used. Nobody else does anything
// with these two beside the words above.
const NO_STORE: &str = "no-store, max-age=1, stale-while-revalidate=0";
const PUBLIC_REVALIDATED: &str = "public, no-cache, must-revalidate, max-age=1, stale-while-revalidate=0";
const PRIVATE_REVALIDATED: &str = "private, no-cache, max-age=1, stale-while-revalidate=0";

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
                Self::NoStore => NO_STORE,
                Self::PublicRevalidated => PUBLIC_REVALIDATED,
                Self::PrivateRevalidated => PRIVATE_REVALIDATED,
                Self::PublicImmutable => "public, max-age=31536000, immutable",
                Self::PrivateImmutable => "private, max-age=31536000, immutable",
            }),
        );
    }
}
