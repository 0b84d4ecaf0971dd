//! What is remembered of names and passwords that came with a request (`Authorization: Basic`), so that an install costs
//! one password hash and not one for each of its requests. Why: `docs/decisions/`.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;

use crate::error::{Error, Result};

use super::TokenDigest;

/// How long a right password is believed, and a wrong one not looked at again.
const BELIEVED: Duration = Duration::from_mins(5);
const DISBELIEVED: Duration = Duration::from_mins(1);

const MOST_REMEMBERED: usize = 2_000;

/// Names and passwords by a digest under a key that only this process has: nothing in it can be tried against a list
/// without the process's own memory, and all of it is gone with the next change of any account.
pub(super) struct PasswordMemory {
    key: [u8; 32],
    known: Cache<[u8; 32], Remembered>,
}

/// What came of a password when it was last checked.
#[derive(Debug, Clone)]
struct Remembered {
    /// The token that stands for it; none where it was wrong.
    token: Option<TokenDigest>,
    at: Instant,
}

impl Remembered {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.token.is_some() { BELIEVED } else { DISBELIEVED }
    }
}

impl PasswordMemory {
    pub(super) fn new() -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(Error::internal)?;
        Ok(Self { key, known: Cache::new(MOST_REMEMBERED) })
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.known.clear();
    }

    /// The token that stands for a name and password, found by `check` where that is not remembered. Requests that come
    /// at the same time with the same password share one check.
    pub(super) async fn token_for<C>(
        &self,
        name: &str,
        password: &str,
        check: impl FnOnce() -> C,
    ) -> Result<Option<TokenDigest>>
    where
        C: Future<Output = Result<Option<TokenDigest>>>,
    {
        let place = self.place_of(name, password);
        if self.known.get(&place).is_some_and(|remembered| !remembered.is_fresh()) {
            self.known.remove(&place);
        }
        let check = async || Ok::<_, Error>(Remembered { token: check().await?, at: Instant::now() });
        Ok(self.known.get_or_insert_async(&place, check()).await?.token)
    }

    /// Forgets one, whose token has ended.
    pub(super) fn forget(&self, name: &str, password: &str) {
        self.known.remove(&self.place_of(name, password));
    }

    fn place_of(&self, name: &str, password: &str) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(&name.len().to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for PasswordMemory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(passwords)")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_password_is_checked_once_and_again_after_a_change() {
        let memory = PasswordMemory::new().unwrap();
        let checks = Cell::new(0);
        let token = TokenDigest::from_slice(&[7; 32]);
        let ask = async |name: &str, password: &str| {
            let check = async || {
                checks.set(checks.get() + 1);
                Ok((password == "right").then_some(token).flatten())
            };
            memory.token_for(name, password, check).await.unwrap()
        };
        assert_eq!((ask("ada", "right").await, ask("ada", "right").await), (token, token));
        assert_eq!(checks.get(), 1);
        assert_eq!((ask("ada", "wrong").await, ask("ada", "wrong").await), (None, None));
        assert_eq!(checks.get(), 2);
        // The border between name and password is part of what is remembered.
        assert_eq!(ask("adar", "ight").await, None);
        memory.clear();
        assert_eq!(ask("ada", "right").await, token);
        assert_eq!(checks.get(), 4);
    }
}
