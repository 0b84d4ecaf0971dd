//! How long work on a stranger's text may take.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment after so much work of one thread: on a busy machine the same text takes as much work as on an idle one, and
/// comes out the same. To be made and asked on the thread that works.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Duration,
}

impl Deadline {
    /// After so much work from now on.
    pub fn after(work: Duration) -> Self {
        Self { at: worked().saturating_add(work) }
    }

    /// Whether that has been done.
    pub fn is_over(self) -> bool {
        worked() >= self.at
    }
}

/// How much this thread has worked so far.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_counts() {
        assert!(Deadline::after(Duration::ZERO).is_over());
        let deadline = Deadline::after(Duration::from_millis(5));
        let mut rounds: u64 = 0;
        while !deadline.is_over() {
            rounds += 1;
        }
        assert!(rounds > 0);
        assert!(!Deadline::after(Duration::from_mins(1)).is_over());
    }
}
