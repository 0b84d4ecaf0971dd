//! The table of clients and steps.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use crate::client;
use crate::telling::{Telling, Verdict};

/// Prints a line for people to see, also where the test runner captures what tests print.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// How everything went; prints as a table, with the reasons and the failures below it.
#[derive(Default)]
pub(crate) struct Report {
    absent: BTreeMap<&'static str, String>,
    versions: BTreeMap<&'static str, String>,
    rows: Vec<Row>,
}

struct Row {
    chapter: &'static str,
    sentence: &'static str,
    cells: BTreeMap<&'static str, Verdict>,
}

impl Report {
    /// Remembers why a client is not there.
    pub(crate) fn add_absent(&mut self, label: &'static str, reason: String) {
        self.absent.insert(label, reason);
    }

    /// Takes in chapters; rows stand in the order in which chapters and steps are told.
    pub(crate) fn add_all(&mut self, mut told: Vec<Telling>) {
        let order = |chapter: &str| crate::chapters::ALL.iter().position(|one| one.name == chapter);
        told.sort_by_key(|telling| order(telling.chapter));
        for telling in told {
            self.add(telling);
        }
    }

    fn add(&mut self, telling: Telling) {
        self.versions.insert(telling.client, telling.version);
        for step in telling.steps {
            self.row(telling.chapter, step.sentence).cells.insert(telling.client, step.verdict);
        }
    }

    fn row(&mut self, chapter: &'static str, sentence: &'static str) -> &mut Row {
        let known = self.rows.iter().position(|row| row.chapter == chapter && row.sentence == sentence);
        let place = known.unwrap_or(self.rows.len());
        if known.is_none() {
            self.rows.push(Row { chapter, sentence, cells: BTreeMap::new() });
        }
        &mut self.rows[place]
    }

    /// Whether any step failed.
    pub(crate) fn has_failures(&self) -> bool {
        self.rows.iter().flat_map(|row| row.cells.values()).any(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    fn columns(&self) -> Vec<&'static str> {
        let labels = client::WANTED.iter().map(|wanted| wanted.label);
        labels.filter(|label| self.versions.contains_key(label)).collect()
    }

    /// The reasons for skipping, each once; cells name them by number.
    fn reasons(&self) -> Vec<&str> {
        let mut reasons = Vec::new();
        for verdict in self.rows.iter().flat_map(|row| row.cells.values()) {
            if let Verdict::Skipped(reason) = verdict
                && !reasons.contains(&reason.as_str())
            {
                reasons.push(reason);
            }
        }
        reasons
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        let reasons = self.reasons();
        let width = self.rows.iter().map(|row| row.sentence.chars().count()).max().unwrap_or_default();
        let line = |first: &str, cells: Vec<String>| {
            let padded = cells.iter().map(|cell| format!("{cell:13}")).collect::<Vec<_>>().join("  ");
            format!("{first:width$}  {padded}").trim_end().to_owned()
        };
        let mut chapter = "";
        for row in &self.rows {
            if row.chapter != chapter {
                chapter = row.chapter;
                let labels = columns.iter().map(|label| (*label).to_owned()).collect();
                writeln!(formatter, "\n{}", line(&chapter.to_uppercase(), labels))?;
            }
            let cells = columns.iter().map(|label| cell(row.cells.get(label), &reasons)).collect();
            writeln!(formatter, "{}", line(row.sentence, cells))?;
        }
        self.write_notes(formatter, &reasons)?;
        self.write_failures(formatter)
    }
}

impl Report {
    fn write_notes(&self, formatter: &mut fmt::Formatter<'_>, reasons: &[&str]) -> fmt::Result {
        writeln!(formatter)?;
        for (label, version) in &self.versions {
            writeln!(formatter, "{label} is {version}")?;
        }
        for (label, reason) in &self.absent {
            writeln!(formatter, "{label}: skipped: {reason}")?;
        }
        for (number, reason) in (1..).zip(reasons) {
            writeln!(formatter, "skipped ({number}): {reason}")?;
        }
        Ok(())
    }

    fn write_failures(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            for (label, verdict) in &row.cells {
                if let Verdict::Failed(message) = verdict {
                    writeln!(formatter, "\n{label}, {}: {}\n{message}", row.chapter, row.sentence)?;
                }
            }
        }
        Ok(())
    }
}

fn cell(verdict: Option<&Verdict>, reasons: &[&str]) -> String {
    match verdict {
        None => "not reached".to_owned(),
        Some(Verdict::Ok) => "ok".to_owned(),
        Some(Verdict::Failed(_)) => "FAILED".to_owned(),
        Some(Verdict::Skipped(reason)) => {
            let number = reasons.iter().position(|one| one == reason).map_or(0, |place| place + 1);
            format!("skipped ({number})")
        }
    }
}
