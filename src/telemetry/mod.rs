//! Log lines: text for people, JSON for machines, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// Sends log lines to standard error as configured. Does nothing when called twice.
///
/// # Errors
/// Where `log.filter` is not a filter.
pub fn init(log: &Log) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second initialisation fails, which is what a test that starts two applications wants.
    let _ = if json { builder.json().flatten_event(true).try_init() } else { builder.compact().try_init() };
    Ok(())
}
