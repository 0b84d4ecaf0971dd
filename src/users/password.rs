//! Passwords: what is acceptable, and hashing on a bounded pool that nothing else waits for.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

use super::common_passwords::is_common;

/// argon2id with 19 MiB, two passes, one lane (`security.md` 3.1).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How long a login waits for its turn before it is told to come back.
const DEADLINE: Duration = Duration::from_secs(10);

const MIN_CHARACTERS: usize = 8;
const MAX_BYTES: usize = 1024;

/// A password in clear, on its way to being hashed. Never printed, never stored.
pub struct Password(Box<str>);

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(password)")
    }
}

impl Password {
    /// A password that somebody gives in order to log in: anything of a size that is safe to hash.
    ///
    /// # Errors
    /// `WrongPassword` where no account can have this one.
    pub fn offered(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(Error::WrongPassword);
        }
        Ok(Self(text.into()))
    }

    /// A password that somebody chooses: 8 characters to 1024 bytes, never cut, and not one of the well-known ones.
    ///
    /// # Errors
    /// `Unprocessable` with the rule that was broken.
    pub fn chosen(text: &str) -> Result<Self> {
        if text.chars().count() < MIN_CHARACTERS {
            return Err(Error::Unprocessable("A password needs at least 8 characters. Choose a longer one.".into()));
        }
        if text.len() > MAX_BYTES {
            return Err(Error::Unprocessable("A password may have at most 1024 bytes. Choose a shorter one.".into()));
        }
        if is_common(text) {
            return Err(Error::Unprocessable(
                "This password is one of those that attackers try first. Choose another one.".into(),
            ));
        }
        Ok(Self(text.into()))
    }
}

/// What came of checking a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// Whether it was the right one.
    pub(super) matches: bool,
    /// A new hash where the stored one was made with weaker parameters.
    pub(super) better_hash: Option<String>,
}

/// Hashes few passwords at a time; memory is permits times 19 MiB. Token checks never come here.
#[derive(Debug)]
pub(super) struct PasswordHasher {
    working: Arc<Semaphore>,
    waiting: Semaphore,
    /// What an unknown user's password is compared with, so that it takes as long as a known one's.
    decoy: String,
}

impl PasswordHasher {
    pub(super) fn new(at_once: usize, waiting: usize) -> Self {
        // A well-formed hash of the parameters above that no password matches.
        let decoy = format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$c3Ryb25ncm9vbS1kZWNveQ${}",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        );
        Self { working: Arc::new(Semaphore::new(at_once.max(1))), waiting: Semaphore::new(waiting.max(1)), decoy }
    }

    /// Hashes to a PHC string that carries its parameters.
    pub(super) async fn hash(&self, password: Password) -> Result<String> {
        self.run(move || hash(&password)).await?
    }

    /// Checks against a stored hash, or against a decoy where there is none.
    pub(super) async fn verify(&self, password: Password, stored: Option<String>) -> Result<Verified> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let verified = self.run(move || verify(&password, &stored)).await??;
        Ok(if known { verified } else { Verified { matches: false, better_hash: None } })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let busy = || Error::Unavailable("too many people are logging in".into());
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = tokio::time::timeout(DEADLINE, self.working.clone().acquire_owned());
        let permit = turn.await.map_err(|_| busy())?.map_err(Error::internal)?;
        let job = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        job.await.map_err(Error::internal)
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let parameters =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn hash(password: &Password) -> Result<String> {
    let hash = argon2()?.hash_password(password.0.as_bytes()).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(hash.to_string())
}

fn verify(password: &Password, stored: &str) -> Result<Verified> {
    let parsed = PasswordHash::new(stored).map_err(|cause| Error::internal(cause.to_string()))?;
    let matches = argon2()?.verify_password(password.0.as_bytes(), &parsed).is_ok();
    let better_hash = (matches && is_weaker(&parsed)).then(|| hash(password)).transpose()?;
    Ok(Verified { matches, better_hash })
}

fn is_weaker(stored: &PasswordHash) -> bool {
    Params::try_from(stored).map_or(true, |had| {
        had.m_cost() < MEMORY_KIB || had.t_cost() < PASSES || stored.algorithm != Algorithm::Argon2id.ident()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> PasswordHasher {
        PasswordHasher::new(1, 2)
    }

    #[tokio::test]
    async fn a_hash_carries_its_parameters_and_matches_its_password_alone() {
        let hash = hasher().hash(Password::chosen("correct horse").unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let check = async |text: &str| {
            hasher().verify(Password::offered(text).unwrap(), Some(hash.clone())).await.unwrap().matches
        };
        assert!(check("correct horse").await);
        assert!(!check("correct horsf").await);
    }

    #[tokio::test]
    async fn an_unknown_user_is_compared_with_a_decoy_that_never_matches() {
        let verified = hasher().verify(Password::offered("anything").unwrap(), None).await.unwrap();
        assert_eq!(verified, Verified { matches: false, better_hash: None });
    }

    #[tokio::test]
    async fn a_hash_of_weaker_parameters_is_made_anew_at_login() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1024, 1, 1, None).unwrap())
            .hash_password(b"correct horse")
            .unwrap()
            .to_string();
        let verified = hasher().verify(Password::offered("correct horse").unwrap(), Some(weak)).await.unwrap();
        assert!(verified.matches);
        assert!(verified.better_hash.unwrap().contains("m=19456"));
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_to_come_back() {
        let hasher = hasher();
        let _all = hasher.waiting.acquire_many(2).await.unwrap();
        let error = hasher.hash(Password::chosen("correct horse").unwrap()).await.unwrap_err();
        assert_eq!((error.status(), error.retry_after_secs()), (503, Some(5)));
    }

    #[test]
    fn short_and_common_passwords_cannot_be_chosen() {
        for text in ["short", "password", "12345678", "Password1"] {
            assert!(Password::chosen(text).is_err(), "{text}");
        }
        assert!(Password::chosen("päßwörter").is_ok());
        assert!(Password::chosen(&"x".repeat(1025)).is_err());
    }
}
