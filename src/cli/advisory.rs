//! `strongroom advisory`: what `npm audit` answers from.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Subcommand;

use crate::advisories::{self, Advisory, Fate, Item};
use crate::app::App;
use crate::audit::By;
use crate::config::Config;
use crate::policy::Actor;

use super::session::with_app;

/// How many files are imported in one transaction.
const BATCH: usize = 500;

/// How often a line tells how far it is, where no terminal shows it.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Verbs on advisories.
#[derive(Debug, Subcommand)]
pub(super) enum AdvisoryCommand {
    /// Import advisories in the OSV format; again and again, only what changed is written.
    Import {
        /// A .json file, a folder of such files, or a .zip archive of them.
        path: PathBuf,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// List advisories.
    List {
        /// Only those about this package.
        #[arg(long, value_name = "NAME")]
        package: Option<String>,
    },
    /// Remove an advisory.
    Remove {
        /// Its id, as GHSA-1234-5678-9abc.
        id: String,
    },
}

pub(super) async fn run(command: AdvisoryCommand, config: Config) -> anyhow::Result<()> {
    match command {
        AdvisoryCommand::Import { path, dry_run } => {
            with_app(config, async |app| import(app, &path, dry_run).await).await
        }
        AdvisoryCommand::List { package } => {
            with_app(config, async |app| {
                for advisory in app.advisories.list(package.as_deref()).await? {
                    println!("{}", line(&advisory));
                }
                Ok(())
            })
            .await
        }
        AdvisoryCommand::Remove { id } => {
            with_app(config, async |app| {
                app.advisories.remove(&id, &By::from(&Actor::Operator)).await?;
                println!("{id}: removed");
                Ok(())
            })
            .await
        }
    }
}

fn line(advisory: &Advisory) -> String {
    let Advisory { osv_id, severity, package, affected, title, .. } = advisory;
    format!("{osv_id}  {}  {package} {affected}  {title}", severity.as_str())
}

#[derive(Default)]
struct Counts {
    imported: usize,
    unchanged: usize,
    removed: usize,
    skipped: usize,
    failed: usize,
}

async fn import(app: &App, path: &Path, dry_run: bool) -> anyhow::Result<()> {
    let mut source = advisories::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (total, mut done) = (source.len(), 0);
    let (mut counts, mut told) = (Counts::default(), Instant::now());
    loop {
        let items: Vec<Item> = source.by_ref().take(BATCH).collect();
        if items.is_empty() {
            break;
        }
        let fates = app.advisories.import(&items, dry_run, &By::from(&Actor::Operator)).await?;
        for (item, fate) in items.iter().zip(fates) {
            counts.add(item, &fate);
        }
        done += items.len();
        tell_progress(done, total, &mut told);
    }
    let Counts { imported, unchanged, removed, skipped, failed } = counts;
    let would = if dry_run { "would be " } else { "" };
    println!(
        "{would}imported {imported}, unchanged {unchanged}, removed {removed}, skipped {skipped}, failed {failed}"
    );
    anyhow::ensure!(failed == 0, "{failed} files could not be read; everything else was done");
    Ok(())
}

impl Counts {
    fn add(&mut self, item: &Item, fate: &Fate) {
        match fate {
            Fate::Imported => self.imported += 1,
            Fate::Unchanged => self.unchanged += 1,
            Fate::Removed => self.removed += 1,
            Fate::Skipped => self.skipped += 1,
            Fate::Failed(reason) => {
                self.failed += 1;
                say(&format!("{}: {reason}", item.name));
            }
        }
    }
}

fn tell_progress(done: usize, total: usize, told: &mut Instant) {
    let is_terminal = std::io::stderr().is_terminal();
    if (is_terminal || told.elapsed() >= TELL_EVERY) && total > BATCH {
        say(&format!("{done} of {total} files. Stop at any time; the same command goes on from there"));
        *told = Instant::now();
    }
}

#[expect(clippy::print_stderr, reason = "progress is no result")]
fn say(line: &str) {
    eprintln!("strongroom: {line}");
}
