//! One chapter as one client lived it: its steps, and how each went.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::client::Client;

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    Skipped(String),
    Failed(String),
}

/// A step, named by a sentence.
pub(crate) struct Step {
    pub(crate) sentence: &'static str,
    pub(crate) verdict: Verdict,
}

/// The steps of a chapter so far; the last one is under way.
pub(crate) struct Telling {
    pub(crate) chapter: &'static str,
    /// The client, with its version.
    pub(crate) client: &'static str,
    pub(crate) version: String,
    pub(crate) steps: Vec<Step>,
}

impl Telling {
    /// Tells a chapter to its end, or to the step that fails.
    pub(crate) fn of(chapter: &'static str, client: &Client, tell: impl FnOnce(&mut Self)) -> Self {
        let version = client.version.clone();
        let mut telling = Self { chapter, client: client.label, version, steps: Vec::new() };
        telling.step("the stage is set");
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| tell(&mut telling))) {
            telling.judge(Verdict::Failed(words_of(panic.as_ref())));
        }
        telling
    }

    /// Begins a step; the one before went well.
    pub(crate) fn step(&mut self, sentence: &'static str) {
        self.steps.push(Step { sentence, verdict: Verdict::Ok });
    }

    /// Passes over a step, where the client has a reason.
    #[must_use]
    pub(crate) fn step_unless(&mut self, reason: Option<&str>, sentence: &'static str) -> bool {
        self.step(sentence);
        if let Some(reason) = reason {
            self.judge(Verdict::Skipped(reason.to_owned()));
        }
        reason.is_none()
    }

    fn judge(&mut self, verdict: Verdict) {
        if let Some(step) = self.steps.last_mut() {
            step.verdict = verdict;
        }
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked without words").to_owned()
}
