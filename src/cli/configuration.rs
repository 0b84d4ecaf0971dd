//! `strongroom config`.

use clap::Subcommand;

use crate::config::{self, Layers, Origin};

/// Verbs on the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every key, its value and where that came from.
    Show {
        /// Only what is not at its default.
        #[arg(long)]
        changed: bool,
    },
    /// Say whether the configuration is valid.
    Check,
}

pub(super) fn run(command: &ConfigCommand, layers: &Layers) -> anyhow::Result<()> {
    config::load(layers)?;
    match command {
        ConfigCommand::Check => println!("the configuration is valid"),
        ConfigCommand::Show { changed } => {
            let lines = config::listing(layers)?;
            for (key, value, origin) in lines.iter().filter(|line| !changed || line.2 != Origin::Default) {
                println!("{key} = {value}  # {origin}");
            }
        }
    }
    Ok(())
}
