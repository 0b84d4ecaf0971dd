//! Chance that can be repeated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Names a seed for [`Dice::announced`], to repeat a run that failed.
const SEED: &str = "STRONGROOM_TEST_SEED";

/// A small generator of numbers (splitmix64), the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of a seed that is told to whoever reads the output of a failed test.
    pub(crate) fn announced() -> Self {
        let given = std::env::var(SEED).ok().and_then(|text| text.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = given.unwrap_or(u64::from(now.subsec_nanos()));
        eprintln!("the seed is {seed}; set {SEED} to repeat");
        Self(seed)
    }

    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A time below `limit`, in whole milliseconds.
    pub(crate) fn time_below(&mut self, limit: Duration) -> Duration {
        let milliseconds = u64::try_from(limit.as_millis()).expect("a short time").max(1);
        Duration::from_millis(self.roll() % milliseconds)
    }
}
