use super::text::InvalidName;
use super::{PackageName, VersionNumber};

/// The file part of a tarball URL, `name-1.2.3.tgz`, already taken apart against the package it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarballName {
    /// The version that the file holds.
    pub version: VersionNumber,
}

impl TarballName {
    /// Parses the file name of a tarball of `package`, in both spellings that clients use: `one-1.0.0.tgz` and
    /// `@acme/one-1.0.0.tgz` (`protocol.md` 2.5). The version is what stands between the known name and `.tgz`; a split
    /// at the last hyphen would cut prereleases.
    ///
    /// # Errors
    /// [`InvalidName`] when the file cannot belong to this package.
    pub fn parse(package: &PackageName, file: &str) -> Result<Self, InvalidName> {
        let file = file.strip_prefix(package.as_str()).or_else(|| file.strip_prefix(package.unscoped()));
        file.and_then(|rest| rest.strip_prefix('-'))
            .and_then(|rest| rest.strip_suffix(".tgz"))
            .ok_or_else(|| InvalidName::new("Not a tarball of this package."))
            .and_then(|version| Ok(Self { version: version.parse()? }))
    }

    /// The conventional file name, which yarn 4 and pnpm recognise and leave out of their lock files.
    pub fn conventional(package: &PackageName, version: &VersionNumber) -> String {
        format!("{}-{version}.tgz", package.unscoped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_give_the_version() {
        let package: PackageName = "@acme/one".parse().unwrap();
        for file in ["one-1.0.0-rc.1-x.tgz", "@acme/one-1.0.0-rc.1-x.tgz"] {
            assert_eq!(TarballName::parse(&package, file).unwrap().version.as_str(), "1.0.0-rc.1-x");
        }
        for file in ["two-1.0.0.tgz", "one-1.0.0.zip", "one1.0.0.tgz", "one-.tgz", "@acme/two-1.0.0.tgz"] {
            assert!(TarballName::parse(&package, file).is_err(), "{file}");
        }
    }
}
