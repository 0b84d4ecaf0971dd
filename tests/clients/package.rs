//! Packages to publish.

use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
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

    /// Adds a program of this name, which prints the name and version of the package.
    pub(crate) fn with_program(self, program: &str) -> Self {
        self.with_field("bin", json!({ program: "cli.js" }))
            .with_file("cli.js", "#!/usr/bin/env node\nconsole.log(require('./index.js'));\n")
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

    pub(crate) fn name(&self) -> &str {
        self.manifest["name"].as_str().expect("a name")
    }

    fn version(&self) -> &str {
        self.manifest["version"].as_str().expect("a version")
    }

    fn written(&self) -> impl Iterator<Item = (&str, String)> {
        let manifest = ("package.json", format!("{:#}\n", self.manifest));
        std::iter::once(manifest).chain(self.files.iter().map(|(path, text)| (path.as_str(), text.clone())))
    }

    /// Writes it all.
    pub(crate) fn write_to(&self, folder: &Path) {
        for (path, text) in self.written() {
            write(&folder.join(path), &text);
        }
    }

    /// What a client sends to publish it.
    pub(crate) fn document(&self) -> Value {
        let (name, version, tarball) = (self.name(), self.version(), self.tarball());
        let mut manifest = self.manifest.clone();
        manifest["_id"] = json!(format!("{name}@{version}"));
        let attachment = json!({
            "content_type": "application/octet-stream",
            "data": STANDARD.encode(&tarball),
            "length": tarball.len(),
        });
        json!({
            "_id": name,
            "name": name,
            "dist-tags": { "latest": version },
            "versions": { version: manifest },
            "_attachments": { format!("{name}-{version}.tgz"): attachment },
        })
    }

    fn tarball(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text) in self.written() {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o755);
            let path = format!("package/{path}");
            archive.append_data(&mut header, path, text.as_bytes()).expect("an entry");
        }
        let mut encoder = archive.into_inner().expect("an archive");
        encoder.flush().expect("an archive");
        encoder.finish().expect("an archive")
    }
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file stands in a folder");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(path, text).expect("a file");
}
