//! Login attempts: so many a minute for one account and for one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::names::AccountName;

use super::address::network_of;

/// Above this many keys the ones that are full again are dropped.
const MANY: usize = 50_000;

/// What attempts are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(AccountName),
    Address(IpAddr),
}

/// Counts attempts. A bucket holds a minute's worth and fills evenly; each attempt above doubles the wait, up to a
/// quarter of an hour. Who holds a token never comes here, so nobody can lock somebody else out of installing.
#[derive(Debug)]
pub struct Throttle {
    per_minute: u32,
    buckets: Mutex<HashMap<Key, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
    refused: u32,
    closed_until: Option<Instant>,
}

impl Throttle {
    /// Allows `per_minute` attempts for each key.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), buckets: Mutex::default() }
    }

    /// Counts an attempt to log in.
    ///
    /// # Errors
    /// `TooManyRequests` with the seconds to wait.
    pub fn attempt(&self, account: &AccountName, address: IpAddr) -> Result<()> {
        // The address first: who is refused by it must not use up the account's attempts, nor make a bucket for it.
        self.take(&[Key::Address(network_of(address)), Key::Account(account.clone())])
    }

    /// Counts an attempt that concerns no account, or one that nobody is told of.
    ///
    /// # Errors
    /// `TooManyRequests` with the seconds to wait.
    pub fn attempt_from(&self, address: IpAddr) -> Result<()> {
        self.take(&[Key::Address(network_of(address))])
    }

    fn take(&self, keys: &[Key]) -> Result<()> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() > MANY {
            buckets.retain(|_, bucket| !bucket.is_full(self.per_minute, now));
        }
        for key in keys {
            let bucket = buckets.entry(key.clone()).or_insert_with(|| Bucket::full(self.per_minute, now));
            if let Some(wait) = bucket.take(self.per_minute, now) {
                return Err(Error::TooManyRequests {
                    sentence: format!("Too many attempts. Wait {} seconds and try again.", wait.as_secs()).into(),
                    retry_after_secs: wait.as_secs(),
                });
            }
        }
        Ok(())
    }
}

impl Bucket {
    fn full(per_minute: u32, now: Instant) -> Self {
        Self { left: f64::from(per_minute), at: now, refused: 0, closed_until: None }
    }

    fn refill(&mut self, per_minute: u32, now: Instant) {
        let most = f64::from(per_minute);
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() / 60.0 * most).min(most);
        self.at = now;
        if self.left >= most {
            self.refused = 0;
        }
    }

    fn is_full(&mut self, per_minute: u32, now: Instant) -> bool {
        self.refill(per_minute, now);
        self.left >= f64::from(per_minute) && self.closed_until.is_none_or(|until| until <= now)
    }

    /// Takes one, or says how long to wait.
    fn take(&mut self, per_minute: u32, now: Instant) -> Option<Duration> {
        self.refill(per_minute, now);
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Some((until - now).max(Duration::from_secs(1)));
        }
        if self.left >= 1.0 {
            self.left -= 1.0;
            return None;
        }
        let base = Duration::from_secs_f64(60.0 / f64::from(per_minute)).max(Duration::from_secs(1));
        let wait = (base * 2_u32.saturating_pow(self.refused.min(10))).min(Duration::from_mins(15));
        self.refused += 1;
        self.closed_until = Some(now + wait);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_minutes_worth_and_then_makes_one_wait_longer_and_longer() {
        let mut now = Instant::now();
        let mut bucket = Bucket::full(3, now);
        for _ in 0..3 {
            assert_eq!(bucket.take(3, now), None);
        }
        let first = bucket.take(3, now).unwrap();
        assert_eq!(first, Duration::from_secs(20));
        bucket.left = 0.0;
        now += first;
        bucket.at = now;
        assert_eq!(bucket.take(3, now), Some(Duration::from_secs(40)));
    }

    #[test]
    fn account_and_address_are_counted_apart() {
        let throttle = Throttle::new(2);
        let (alice, bob): (AccountName, AccountName) = ("alice".parse().unwrap(), "bob".parse().unwrap());
        let (one, two): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        throttle.attempt(&alice, one).unwrap();
        throttle.attempt(&alice, two).unwrap();
        assert!(throttle.attempt(&alice, "10.0.0.3".parse().unwrap()).is_err(), "the account's are used up");
        throttle.attempt(&bob, one).unwrap();
        let error = throttle.attempt(&bob, one).unwrap_err();
        assert_eq!(error.status(), 429, "the address's are used up");
        assert!(error.retry_after_secs().unwrap() >= 1);
        throttle.attempt(&bob, two).unwrap();
    }
}
