//! The words of the registry as types: each has one parser, used by paths, bodies, the database and the command line.
//!
//! A value of one of these types is valid by construction (`security.md` 1.3), so nothing past the first line of a
//! handler looks at a name as a raw string. This module knows no I/O and no other module.

mod account_name;
mod dist_tag;
mod email;
mod ids;
mod package_name;
mod package_pattern;
mod random_id;
mod tarball_name;
mod team_name;
mod text;
mod url_secret;
mod version_number;

pub use account_name::AccountName;
pub use dist_tag::DistTag;
pub use email::Email;
pub use ids::{AccountId, PackageId, TeamId, TokenId, VersionId};
pub use package_name::{PackageName, Scope};
pub use package_pattern::PackagePattern;
pub use random_id::RandomId;
pub use tarball_name::TarballName;
pub use team_name::TeamName;
pub use text::{InvalidName, is_misleading};
pub use url_secret::UrlSecret;
pub use version_number::VersionNumber;
