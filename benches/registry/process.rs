//! What a server's processes use, as Linux counts it.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::time::Duration;

use anyhow::Context;

/// A process and all below it: a database or workers that it started count as its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessTree(pub(crate) u32);

/// Memory of a server.
#[derive(Debug)]
pub(crate) struct Memory {
    resident: u64,
    tree: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        let (own, tree) = (megabytes(self.resident), megabytes(self.tree));
        write!(formatter, "{own} MB resident, {tree} MB with the database")
    }
}

impl ProcessTree {
    /// User and system time that its living processes have used so far.
    pub(crate) fn cpu_time(self) -> anyhow::Result<Duration> {
        let ticks: u64 = self.members()?.iter().map(|line| line.ticks).sum();
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_micros(ticks * 1_000_000 / per_second))
    }

    /// Resident memory of the first process, and what the whole tree would free by ending.
    pub(crate) fn memory(self) -> anyhow::Result<Memory> {
        let resident = kilobytes(&format!("/proc/{}/status", self.0), "VmRSS:")?;
        let members = self.members()?;
        // A process may end while we look.
        let share = |line: &Line| kilobytes(&format!("/proc/{}/smaps_rollup", line.process), "Pss:").unwrap_or(0);
        Ok(Memory { resident, tree: members.iter().map(share).sum() })
    }

    /// Begins a new peak of the first process's memory, and returns what it has now.
    pub(crate) fn reset_peak(self) -> anyhow::Result<u64> {
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").context("the peak cannot be reset")?;
        self.peak_bytes()
    }

    /// The most memory that the first process had since [`ProcessTree::reset_peak`].
    pub(crate) fn peak_bytes(self) -> anyhow::Result<u64> {
        kilobytes(&format!("/proc/{}/status", self.0), "VmHWM:")
    }

    fn members(self) -> anyhow::Result<Vec<Line>> {
        let lines: HashMap<u32, Line> = all_processes()?.into_iter().map(|line| (line.process, line)).collect();
        let belongs = |line: &&Line| {
            let ancestors = std::iter::successors(Some(*line), |line| lines.get(&line.parent));
            ancestors.take(32).any(|line| line.process == self.0)
        };
        Ok(lines.values().filter(belongs).copied().collect())
    }
}

/// What matters of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy)]
struct Line {
    process: u32,
    parent: u32,
    ticks: u64,
}

impl Line {
    /// The command's name stands in brackets and may hold anything; the fields are counted from behind it.
    fn parse(text: &str) -> Option<Self> {
        let process = text.split_once(' ')?.0.parse().ok()?;
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self { process, parent: fields.get(1)?.parse().ok()?, ticks: number(11)? + number(12)? })
    }
}

fn all_processes() -> anyhow::Result<Vec<Line>> {
    let folders = fs::read_dir("/proc").context("this needs Linux's /proc")?;
    let lines = folders.filter_map(|folder| fs::read_to_string(folder.ok()?.path().join("stat")).ok());
    Ok(lines.filter_map(|line| Line::parse(&line)).collect())
}

fn kilobytes(file: &str, key: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string(file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)).context("a line is missing")?;
    Ok(value.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
