//! The table of clients and steps.

use std::collections::BTreeMap;
use std::fmt;

use crate::telling::{Telling, Verdict};
use crate::{chapters, client, commands};

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
        let chapters = chapters::ALL.iter().map(|chapter| chapter.name);
        let order: Vec<_> = chapters.chain(commands::ALL.iter().map(|area| area.name)).collect();
        told.sort_by_key(|telling| order.iter().position(|name| *name == telling.chapter));
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
        self.rows.iter().flat_map(|row| row.cells.values()).any(Verdict::is_failure)
    }

    /// The clients that a chapter was told to.
    fn columns(&self, chapter: &str) -> Vec<&'static str> {
        let rows: Vec<_> = self.rows.iter().filter(|row| row.chapter == chapter).collect();
        let labels = client::WANTED.iter().map(|wanted| wanted.label);
        labels.filter(|label| rows.iter().any(|row| row.cells.contains_key(label))).collect()
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
        let reasons = self.reasons();
        let width = self.rows.iter().map(|row| row.sentence.chars().count()).max().unwrap_or_default();
        let line = |first: &str, columns: &[&str], cells: Vec<String>| {
            let padded = columns.iter().zip(cells).map(|(label, cell)| format!("{cell:0$}", label.len().max(9)));
            format!("{first:width$}  {}", padded.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        };
        let mut chapter = "";
        let mut columns = Vec::new();
        for row in &self.rows {
            if row.chapter != chapter {
                chapter = row.chapter;
                columns = self.columns(chapter);
                let labels = columns.iter().map(|label| (*label).to_owned()).collect();
                writeln!(formatter, "\n{}", line(&chapter.to_uppercase(), &columns, labels))?;
            }
            let cells = columns.iter().map(|label| cell(row.cells.get(label), &reasons)).collect();
            writeln!(formatter, "{}", line(row.sentence, &columns, cells))?;
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
        writeln!(formatter, "-: the client has no such command")?;
        for (number, reason) in (1..).zip(reasons) {
            writeln!(formatter, "skip ({number}): {reason}")?;
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
        None => "unreached".to_owned(),
        Some(Verdict::Ok) => "ok".to_owned(),
        Some(Verdict::Lacking) => "-".to_owned(),
        Some(Verdict::Failed(_)) => "FAILED".to_owned(),
        Some(Verdict::Skipped(reason)) => {
            let number = reasons.iter().position(|one| one == reason).map_or(0, |place| place + 1);
            format!("skip ({number})")
        }
    }
}
