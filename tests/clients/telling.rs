//! One chapter as one client lived it: its steps, and how each went.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::families::{Deed, Words};
use crate::process::say;

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    /// The client has no such command.
    Lacking,
    Skipped(String),
    Failed(String),
}

impl Verdict {
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
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
        let began = Instant::now();
        let version = client.version.clone();
        let mut telling = Self { chapter, client: client.label, version, steps: Vec::new() };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| tell(&mut telling))) {
            if telling.steps.is_empty() {
                telling.step("the stage is set");
            }
            telling.judge(Verdict::Failed(words_of(panic.as_ref())));
        }
        say(&telling.summary(began.elapsed()));
        telling
    }

    fn summary(&self, took: Duration) -> String {
        let count = |judge: fn(&Verdict) -> bool| self.steps.iter().filter(|step| judge(&step.verdict)).count();
        let (well, badly) = (count(|verdict| *verdict == Verdict::Ok), count(Verdict::is_failure));
        format!("{}, {}: {well} ok, {badly} failed, {:.1} s", self.client, self.chapter, took.as_secs_f32())
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

    /// Tries a command and judges it by itself: what comes after it is told in any case.
    pub(crate) fn command(&mut self, row: &'static str, client: &Client, deed: &Deed<'_>, check: impl FnOnce()) {
        self.step(row);
        match client.words(deed) {
            Words::Unknown => self.judge(Verdict::Lacking),
            Words::Skipped(reason) => self.judge(Verdict::Skipped(reason.to_owned())),
            Words::Said(_) => self.check(check),
        }
    }

    /// Tries something for which a client has words that no [`Deed`] holds.
    pub(crate) fn attempt(&mut self, row: &'static str, check: impl FnOnce()) {
        self.step(row);
        self.check(check);
    }

    fn check(&mut self, check: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(check)) {
            self.judge(Verdict::Failed(words_of(panic.as_ref())));
        }
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
