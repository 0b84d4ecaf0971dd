//! `strongroom package`: what there is, and what was removed.

use clap::Subcommand;

use crate::clock::to_npm_time;
use crate::config::Config;
use crate::names::{PackageName, VersionNumber};
use crate::packages::Trashed;
use crate::policy::{Actor, Intent};

use super::session::with_app;

/// Verbs on packages.
#[derive(Debug, Subcommand)]
pub(super) enum PackageCommand {
    /// List what was unpublished and can be restored.
    List {
        /// What was unpublished, and until when it can be restored.
        #[arg(long, required = true)]
        deleted: bool,
        /// Of this package only.
        package: Option<PackageName>,
    },
    /// Bring back a package that was unpublished, or one version of it.
    Restore {
        /// Which: NAME or NAME@VERSION.
        package: Wanted,
    },
}

/// A package, or one of its versions.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    name: PackageName,
    version: Option<VersionNumber>,
}

impl std::str::FromStr for Wanted {
    type Err = crate::names::InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The first sign is that of the scope.
        match text.rfind('@').filter(|at| *at > 0) {
            Some(at) => Ok(Self { name: text[..at].parse()?, version: Some(text[at + 1..].parse()?) }),
            None => Ok(Self { name: text.parse()?, version: None }),
        }
    }
}

pub(super) async fn run(command: PackageCommand, config: Config) -> anyhow::Result<()> {
    let operator = Actor::Operator;
    match command {
        PackageCommand::List { package, .. } => {
            with_app(config, async |app| {
                for one in app.packages.list_trash(&operator, package.as_ref()).await? {
                    println!("{}", line(&one));
                }
                Ok(())
            })
            .await
        }
        PackageCommand::Restore { package: Wanted { name, version } } => {
            with_app(config, async |app| {
                let permit = app.access.permit(&operator, &name, Intent::RESTORE).await?;
                if let Some(version) = &version {
                    app.packages.restore_version(&permit, version).await?;
                    println!("{name}@{version}: restored");
                } else {
                    let restored = app.packages.restore_package(&permit).await?;
                    println!("{name}: restored, {} versions", restored.versions);
                }
                Ok(())
            })
            .await
        }
    }
}

fn line(one: &Trashed) -> String {
    let version = one.version.as_ref().map_or_else(String::new, |version| format!("@{version}"));
    let by = one.removed_by.as_ref().map_or_else(String::new, |name| format!(" by {name}"));
    let (removed, ends) = (to_npm_time(one.removed_at), to_npm_time(one.ends_at));
    format!("{}{version}: removed {removed}{by}, restorable until {ends}", one.package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_behind_the_second_sign() {
        let wanted: Wanted = "@acme/one@1.0.0-rc.1".parse().unwrap();
        assert_eq!((wanted.name.as_str(), wanted.version.unwrap().as_str()), ("@acme/one", "1.0.0-rc.1"));
        assert!("@acme/one".parse::<Wanted>().unwrap().version.is_none());
        for text in ["@acme/one@", "@acme/one@latest", "one@1.0.0", ""] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
    }
}
