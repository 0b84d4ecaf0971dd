//! Everything that can be checked of a publish without asking the database (`security.md` 1.4 to 1.7).

use serde_json::{Map, Value};

use crate::blobs::{Digest, Staged};
use crate::error::{Error, Result};
use crate::names::{DistTag, PackageName, TarballName, VersionNumber};
use crate::packages::archive::{ArchiveSummary, FileEntry, Readme};
use crate::packages::manifest::{self, ManifestError, Object, StoredManifest};
use crate::packages::provenance::{self, Provenance, Subject, TrustedRoots};
use crate::policy::Visibility;

use super::body::{self, Document, Received, Tarball};

/// The largest manifest, its README included, and the most values in it or in a `package.json`. A value takes some
/// seventy bytes of memory once it is taken apart, so the count is what bounds the memory of a publish.
const MANIFEST_BYTES: usize = 2 << 20;
const MANIFEST_VALUES: usize = 100_000;

/// A publish in which everything agrees with everything else.
#[derive(Debug)]
pub struct Checked {
    /// Its version.
    pub version: VersionNumber,
    /// The dist-tag that it moves.
    pub tag: DistTag,
    /// What the document says of the visibility, where it says something.
    pub access: Option<Visibility>,
    /// What packuments say of it.
    pub manifest: StoredManifest,
    /// Where its file is.
    pub digest: Digest,
    /// The SHA-1 of the same bytes, for old clients.
    pub sha1: [u8; 20],
    /// How large the file is.
    pub size_bytes: u64,
    /// How large it is unpacked.
    pub unpacked_bytes: u64,
    /// How many files are in it.
    pub file_count: usize,
    /// What files those are; `None` where nobody walks through it now, and a chore will.
    pub files: Option<Vec<FileEntry>>,
    /// The README in it.
    pub readme: Option<Readme>,
    /// The provenance bundle beside it.
    pub provenance: Option<Provenance>,
}

impl Checked {
    /// What it takes up, its file aside.
    pub(super) fn memory_bytes(&self) -> usize {
        let readme = self.readme.as_ref().map_or(0, |readme| readme.text.len());
        let provenance = self.provenance.as_ref().map_or(0, |provenance| provenance.bundle.len());
        let files = self.files.iter().flatten().map(|file| file.path.len() + size_of::<FileEntry>()).sum::<usize>();
        self.manifest.full.len() + self.manifest.abbreviated.len() + readme + provenance + files
    }
}

/// Checks a received document against itself, its tarball and the name in the URL. Works for milliseconds on large
/// documents: not for an async thread.
pub(super) fn check(name: &PackageName, received: Received<Staged>, roots: &TrustedRoots) -> Result<(Checked, Staged)> {
    let Received { document, tarball, provenance, .. } = received;
    let tarball = tarball.ok_or_else(no_tarball)?;
    same_name(name, &document)?;
    let (version, manifest) = only_version(name, &document)?;
    let tag = only_tag(&document, &version)?;
    right_file_names(name, &version, &tarball, provenance.as_ref())?;
    let access = access(&document)?;
    let subject = Subject { name, version: &version, sha512: &tarball.sha512 };
    let provenance = provenance.map(|bundle| fitting_provenance(bundle.text, subject, roots)).transpose()?;
    let manifest = agreed_manifest(name, &manifest, &tarball)?;
    let ArchiveSummary { unpacked_size, readme, files, .. } = tarball.archive;
    let checked = Checked {
        file_count: files.len(),
        files: Some(files),
        version,
        tag,
        access,
        manifest,
        digest: Digest::from_bytes(tarball.sha512),
        sha1: tarball.sha1,
        size_bytes: tarball.size_bytes,
        unpacked_bytes: unpacked_size,
        readme: readme.map(without_nul),
        provenance,
    };
    Ok((checked, tarball.sink))
}

pub(super) fn no_tarball() -> Error {
    malformed("it carries no tarball. Publish with npm publish, pnpm publish, yarn npm publish or bun publish")
}

fn malformed(reason: &str) -> Error {
    Error::Malformed(format!("This is not a publish document: {reason}.").into())
}

fn unprocessable(reason: impl std::fmt::Display) -> Error {
    Error::Unprocessable(format!("The publish was refused: {reason}. Nothing was changed.").into())
}

/// The member as text; absent and null are the same.
fn text_member(document: &Document, key: &str) -> Result<Option<String>> {
    let Some(raw) = document.get(key) else { return Ok(None) };
    serde_json::from_str(raw.get()).map_err(|_| malformed(&format!("its member \"{key}\" is not text")))
}

fn same_name(name: &PackageName, document: &Document) -> Result<()> {
    let own = text_member(document, "name")?.ok_or_else(|| malformed("it has no name"))?;
    let id = text_member(document, "_id")?.unwrap_or_else(|| own.clone());
    if own == name.as_str() && id == name.as_str() {
        Ok(())
    } else {
        Err(unprocessable(format!("it was sent to {name}, and names another package")))
    }
}

fn only_version(name: &PackageName, document: &Document) -> Result<(VersionNumber, Object)> {
    let raw = document.get("versions").ok_or_else(|| malformed("it has no versions"))?;
    reasonable_size(raw.get().as_bytes())?;
    let versions: Map<String, Value> =
        serde_json::from_str(raw.get()).map_err(|_| malformed("its member \"versions\" is not an object"))?;
    let mut versions = versions.into_iter();
    let (Some((key, manifest)), None) = (versions.next(), versions.next()) else {
        return Err(unprocessable("a publish brings exactly one version"));
    };
    let Value::Object(mut manifest) = manifest else { return Err(malformed("its version is not an object")) };
    let version: VersionNumber = key.parse()?;
    let says = |member: &str| manifest.get(member).and_then(Value::as_str);
    if says("name") != Some(name.as_str()) {
        return Err(unprocessable("the name in its manifest is not that of the package"));
    }
    if says("version").and_then(|text| text.parse().ok()).as_ref() != Some(&version) {
        return Err(unprocessable("the version in its manifest is not the one that it is published under"));
    }
    manifest.insert("version".into(), version.as_str().into());
    Ok((version, manifest))
}

/// Refuses what would take much more memory than it has bytes, before it is taken apart.
fn reasonable_size(text: &[u8]) -> Result<()> {
    let values = text.iter().filter(|byte| matches!(byte, b'[' | b'{' | b',')).count();
    if text.len() > MANIFEST_BYTES || values > MANIFEST_VALUES {
        return Err(Error::TooLarge(
            "The package.json is larger than 2 MB, or holds more than 100000 values. Publish less metadata.".into(),
        ));
    }
    Ok(())
}

fn only_tag(document: &Document, version: &VersionNumber) -> Result<DistTag> {
    let Some(raw) = document.get("dist-tags") else { return Ok(DistTag::latest()) };
    reasonable_size(raw.get().as_bytes())?;
    let tags: Map<String, Value> =
        serde_json::from_str(raw.get()).map_err(|_| malformed("its member \"dist-tags\" is not an object"))?;
    let mut tags = tags.into_iter();
    let (tag, target) = match (tags.next(), tags.next()) {
        (None, _) => return Ok(DistTag::latest()),
        (Some(pair), None) => pair,
        (Some(_), Some(_)) => return Err(unprocessable("a publish sets exactly one dist-tag")),
    };
    if target.as_str().and_then(|text| text.parse().ok()).as_ref() != Some(version) {
        return Err(unprocessable("its dist-tag points at another version than the one it brings"));
    }
    Ok(tag.parse()?)
}

fn right_file_names(
    name: &PackageName,
    version: &VersionNumber,
    tarball: &Tarball<Staged>,
    provenance: Option<&body::Provenance>,
) -> Result<()> {
    let names_version = |file: &str| TarballName::parse(name, file).is_ok_and(|parsed| parsed.version == *version);
    let bundle_fits = provenance.is_none_or(|bundle| {
        bundle.name.strip_suffix(".sigstore").is_some_and(|stem| names_version(&format!("{stem}.tgz")))
    });
    if names_version(&tarball.file_name) && bundle_fits {
        Ok(())
    } else {
        Err(unprocessable("an attachment is named for another package or version"))
    }
}

fn fitting_provenance(bundle: String, subject: Subject<'_>, roots: &TrustedRoots) -> Result<Provenance> {
    provenance::check(bundle, subject, roots).map_err(|cause| unprocessable(format!("its provenance {cause}")))
}

/// Postgres keeps every character in text but this one.
fn without_nul(readme: Readme) -> Readme {
    Readme { text: readme.text.replace('\0', "\u{fffd}"), ..readme }
}

/// `null` and absent say nothing; a word that npm does not know must never pass for one that it does.
fn access(document: &Document) -> Result<Option<Visibility>> {
    let Some(text) = text_member(document, "access")? else { return Ok(None) };
    let known = text.parse().map_err(|()| malformed("its access is neither \"public\" nor \"restricted\""))?;
    Ok(Some(known))
}

fn agreed_manifest(name: &PackageName, manifest: &Object, tarball: &Tarball<Staged>) -> Result<StoredManifest> {
    let refuse = |cause: ManifestError| unprocessable(cause);
    reasonable_size(&tarball.archive.package_json)?;
    let package_json = manifest::parse_package_json(&tarball.archive.package_json).map_err(refuse)?;
    let says = |member: &str| package_json.get(member).and_then(Value::as_str);
    if says("name") != Some(name.as_str()) {
        return Err(unprocessable("the package.json in the tarball has another name"));
    }
    manifest::check_same(manifest, &package_json).map_err(refuse)?;
    manifest::check_dist(manifest, &tarball.sha512, &tarball.sha1).map_err(refuse)?;
    Ok(manifest::stored(manifest, &package_json, &tarball.archive))
}
