//! Projects that install packages.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A folder with a manifest.
pub(crate) struct Project {
    folder: PathBuf,
}

/// A package as a lock file has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) resolved: String,
    pub(crate) integrity: String,
}

impl Project {
    /// A project that depends on nothing. Without a manifest, npm would look for one in the folders above.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let manifest = json!({ "name": "project", "version": "1.0.0", "private": true });
        fs::write(folder.join("package.json"), manifest.to_string()).expect("a manifest");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Where a file of an installed package is.
    pub(crate) fn installed(&self, package: &str, file: &str) -> PathBuf {
        self.folder.join("node_modules").join(package).join(file)
    }

    /// The version of an installed package.
    pub(crate) fn installed_version(&self, package: &str) -> Option<String> {
        let manifest = fs::read(self.installed(package, "package.json")).ok()?;
        let manifest: Value = serde_json::from_slice(&manifest).expect("an installed manifest is JSON");
        manifest["version"].as_str().map(str::to_owned)
    }

    /// What the lock file says of a package: `packages` since npm 7, `dependencies` before.
    pub(crate) fn locked(&self, package: &str) -> Locked {
        let text = fs::read(self.folder.join("package-lock.json")).expect("a lock file");
        let lock: Value = serde_json::from_slice(&text).expect("a lock file is JSON");
        let entry = lock["packages"].get(format!("node_modules/{package}"));
        let entry = entry.unwrap_or(&lock["dependencies"][package]);
        let field = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Locked { resolved: field("resolved"), integrity: field("integrity") }
    }

    /// Another project with the same files, the lock file among them, as a colleague would check it out.
    pub(crate) fn checked_out_into(&self, folder: PathBuf) -> Self {
        let kept = fs::read_dir(&self.folder).expect("a project").flatten();
        for file in kept.filter(|entry| entry.path().is_file()) {
            fs::copy(file.path(), folder.join(file.file_name())).expect("a file of the project");
        }
        Self { folder }
    }
}
