//! Where the key of the vault comes from.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::config::Config;

const KEY_BYTES: usize = 32;
/// In the data folder, readable by its owner alone.
const FILE_NAME: &str = "secrets.key";

/// The key of a vault.
#[derive(Clone)]
pub struct VaultKey([u8; KEY_BYTES]);

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("VaultKey")
    }
}

impl From<[u8; KEY_BYTES]> for VaultKey {
    fn from(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is configured, and is not a key.
    #[error("secrets.key (or the file that holds it) must be 64 hexadecimal digits; openssl rand -hex 32 makes some")]
    NotAKey,
    /// The file that should hold it cannot be read or made.
    #[error("cannot read the key of secrets in {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl VaultKey {
    /// The configured key; else the one in the data folder, which is made where there is none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(config: &Config) -> Result<Self, KeyError> {
        match &config.secrets.key {
            Some(secret) => Self::parse(secret.expose()),
            None => Self::keep(&config.data_dir().join(FILE_NAME)),
        }
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NotAKey)?;
        Ok(Self(bytes))
    }

    /// Reads the file, or makes it. Two processes that start at once end with the same key: the file is written in whole
    /// beside its name, and takes the name only where nobody has it.
    fn keep(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |cause| KeyError::Unreadable { path: path.to_owned(), cause };
        match std::fs::read_to_string(path) {
            Ok(text) => return Self::parse(&text),
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(unreadable(cause)),
        }
        make(path).map_err(unreadable)?;
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?)
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = tempfile::Builder::new()
        .prefix(".secrets")
        .make_in(folder, |draft| OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft))?;
    draft.as_file().write_all(hex::encode(bytes).as_bytes())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Err(refused) if refused.error.kind() != ErrorKind::AlreadyExists => Err(refused.error),
        _ => std::fs::File::open(folder)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made").join(FILE_NAME);
        let first = VaultKey::keep(&path).unwrap();
        assert_eq!(VaultKey::keep(&path).unwrap().bytes(), first.bytes());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(VaultKey::keep(&path), Err(KeyError::NotAKey)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
        assert!(VaultKey::parse(&"g".repeat(64)).is_err());
        assert!(VaultKey::parse(&"é".repeat(32)).is_err());
    }
}
