//! One version's manifest: is it the tarball's, and what of it is kept.
//!
//! A publish document carries the manifest that clients will resolve by, and the tarball carries the `package.json`
//! that they will run by. This module parses both strictly, refuses a manifest that tells another story than its
//! tarball, checks the announced hashes, and builds the stored texts. Pure: no names are judged, nothing is fetched.

mod bin;
mod compare;
mod error;
mod fields;
mod hints;
mod hosted;
mod stored;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub use self::compare::compare;
pub use self::error::{Difference, ManifestError};
pub use self::hints::check_dist;
pub use self::stored::{StoredManifest, stored};
use crate::packages::json::{self, Malformed};

/// A parsed manifest or `package.json`; keeps the order of its members.
pub type Object = Map<String, Value>;

/// Parses the `package.json` of a tarball. A byte order mark is taken off, as npm does.
///
/// # Errors
/// [`ManifestError::PackageJson`] if it is not strict JSON: a name that comes twice means one thing to the client
/// and another to a scanner. [`ManifestError::NoObject`].
pub fn parse_package_json(bytes: &[u8]) -> Result<Object, ManifestError> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    json::check(text).map_err(ManifestError::PackageJson)?;
    let value = serde_json::from_slice(text).map_err(|error| {
        // The grammar has been checked: what is left is a number too large for anyone.
        let (offset, reason) = (0, error.to_string().into());
        ManifestError::PackageJson(Malformed { offset, reason })
    })?;
    into_object(value)
}

/// Parses one member of a document's `versions`, whose syntax [`receive`](super::publish::body::receive) has checked.
///
/// # Errors
/// [`ManifestError::NoObject`].
pub fn parse_manifest(text: &RawValue) -> Result<Object, ManifestError> {
    let value = serde_json::from_str(text.get()).map_err(|_| ManifestError::NoObject)?;
    into_object(value)
}

fn into_object(value: Value) -> Result<Object, ManifestError> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(ManifestError::NoObject),
    }
}

/// Refuses a manifest that differs from the tarball's `package.json`.
///
/// # Errors
/// [`ManifestError::Differs`] with every [`Difference`]; the first few are named in its sentence.
pub fn check_same(manifest: &Object, package_json: &Object) -> Result<(), ManifestError> {
    let differences = compare(manifest, package_json);
    if differences.is_empty() { Ok(()) } else { Err(ManifestError::Differs(differences)) }
}
