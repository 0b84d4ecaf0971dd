//! Carries what Postgres writes on standard error into our log, and keeps its last lines for error messages.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How many lines an error message shows at most.
const KEPT: usize = 12;

/// The last lines of one or more postmasters.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    /// Starts a thread that reads `stderr` to its end. Somebody must: Postgres waits when the pipe is full.
    pub(super) fn follow(&self, stderr: impl Read + Send + 'static) -> std::io::Result<thread::JoinHandle<()>> {
        let lines = self.clone();
        thread::Builder::new().name("postgres-log".to_owned()).spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                pass_on(&line);
                lines.keep(line.into_owned());
            }
        })
    }

    fn keep(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines in one, for a message.
    pub(super) fn joined(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return "nothing".to_owned();
        }
        lines.iter().map(String::as_str).collect::<Vec<_>>().join(" / ")
    }
}

/// Writes the line at the level that suits an operator: the daily notes of Postgres are for debugging.
fn pass_on(line: &str) {
    let contains = |mark: &str| line.contains(mark);
    if contains("PANIC: ") {
        tracing::error!(target: "postgres", "{line}");
    } else if contains("FATAL: ") || contains("ERROR: ") || contains("WARNING: ") {
        tracing::warn!(target: "postgres", "{line}");
    } else {
        tracing::debug!(target: "postgres", "{line}");
    }
}
