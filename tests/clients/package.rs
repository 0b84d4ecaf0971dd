//! Packages to publish.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// What a package folder will hold.
#[derive(Clone)]
pub(crate) struct Package {
    manifest: Value,
    files: Vec<(String, String)>,
}

impl Package {
    /// A package with a module that exports its own name and version.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let manifest = json!({ "name": name, "version": version, "main": "index.js", "license": "MIT" });
        let module = format!("module.exports = '{name}@{version}';\n");
        Self { manifest, files: Vec::new() }.with_file("index.js", &module)
    }

    /// Adds a field to the manifest.
    pub(crate) fn with_field(mut self, name: &str, value: Value) -> Self {
        self.manifest[name] = value;
        self
    }

    /// Adds a file.
    pub(crate) fn with_file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// Writes it all.
    pub(crate) fn write_to(&self, folder: &Path) {
        write(&folder.join("package.json"), &format!("{:#}\n", self.manifest));
        for (path, text) in &self.files {
            write(&folder.join(path), text);
        }
    }
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file stands in a folder");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(path, text).expect("a file");
}
