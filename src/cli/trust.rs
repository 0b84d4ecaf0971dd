//! `strongroom trust`: the operator's door to the verbs of `npm trust`, for a whole scope too.

use std::str::FromStr;

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value};

use crate::app::App;
use crate::config::Config;
use crate::names::{AccountName, PackageName, RandomId};
use crate::policy::{Actor, Intent};
use crate::trust::{NewPublisher, Publisher, TrustPermission};

use super::session::with_app;

/// Verbs on trusted publishers.
#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// List who is trusted.
    List {
        /// A package, or a scope as @acme.
        what: Subject,
    },
    /// Trust a publisher, and print its id.
    Add {
        /// A package, or a scope as @acme; neither needs to have been published.
        what: Subject,
        /// How its claims are called: github, gitlab, circleci or oidc.
        #[arg(long = "type", value_name = "TYPE", required_unless_present = "issuer")]
        kind: Option<String>,
        /// The name or the address of its issuer; else the first one of the type.
        #[arg(long, value_name = "ISSUER")]
        issuer: Option<String>,
        /// What its tokens must say, as in {"repository":"acme/one"}.
        #[arg(long, value_name = "JSON", value_parser = parse_claims)]
        claims: Map<String, Value>,
        /// What it may do; may be given again.
        #[arg(long, value_name = "DEED", default_value = "publish")]
        allow: Vec<Deed>,
    },
    /// End the trust, and the tokens that came of it.
    Remove {
        /// A package, or a scope as @acme.
        what: Subject,
        /// The id as in the list.
        id: RandomId,
    },
}

/// What a publisher is trusted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Package(PackageName),
    Scope(AccountName),
}

impl FromStr for Subject {
    type Err = crate::names::InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('@') {
            Some(scope) if !scope.contains('/') => scope.parse().map(Self::Scope),
            _ => text.parse().map(Self::Package),
        }
    }
}

/// A permission as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Deed {
    Publish,
    Stage,
    Tags,
}

impl From<Deed> for TrustPermission {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Publish => Self::CreatePackage,
            Deed::Stage => Self::CreateStagedPackage,
            Deed::Tags => Self::ManageDistTags,
        }
    }
}

fn parse_claims(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|cause| format!("not an object in JSON: {cause}"))
}

pub(super) async fn run(command: TrustCommand, config: Config) -> anyhow::Result<()> {
    with_app(config, async |app| match command {
        TrustCommand::List { what } => list(app, &what).await,
        TrustCommand::Add { what, kind, issuer, claims, allow } => {
            let permissions = Some(allow.into_iter().map(TrustPermission::from).collect());
            add(app, &what, NewPublisher { kind, issuer, claims, permissions }).await
        }
        TrustCommand::Remove { what, id } => remove(app, &what, &id).await,
    })
    .await
}

async fn list(app: &App, what: &Subject) -> anyhow::Result<()> {
    let (publishers, scope) = match what {
        Subject::Package(name) => {
            let permit = app.access.permit(&Actor::Operator, name, Intent::SEE_TRUST).await?;
            (app.trust.list(&permit).await?, format!("@{}", name.scope()))
        }
        Subject::Scope(scope) => {
            let permit = app.access.permit_scope(&Actor::Operator, scope, Intent::SEE_TRUST).await?;
            (app.trust.list_for_scope(&permit).await?, permit.scope())
        }
    };
    for publisher in &publishers {
        println!("{}", publisher.as_json(&scope));
    }
    Ok(())
}

async fn add(app: &App, what: &Subject, wanted: NewPublisher) -> anyhow::Result<()> {
    let wanted = [wanted];
    let added: Vec<Publisher> = match what {
        Subject::Package(name) => {
            let permit = app.access.permit(&Actor::Operator, name, Intent::SET_TRUST).await?;
            app.trust.add(&permit, &wanted).await?
        }
        Subject::Scope(scope) => {
            let permit = app.access.permit_scope(&Actor::Operator, scope, Intent::SET_TRUST).await?;
            app.trust.add_for_scope(&permit, &wanted).await?
        }
    };
    for publisher in added {
        println!("{}", publisher.id);
    }
    Ok(())
}

async fn remove(app: &App, what: &Subject, id: &RandomId) -> anyhow::Result<()> {
    match what {
        Subject::Package(name) => {
            let permit = app.access.permit(&Actor::Operator, name, Intent::SET_TRUST).await?;
            app.trust.remove(&permit, id).await?;
        }
        Subject::Scope(scope) => {
            let permit = app.access.permit_scope(&Actor::Operator, scope, Intent::SET_TRUST).await?;
            app.trust.remove_for_scope(&permit, id).await?;
        }
    }
    println!("{id}: not trusted any more");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: TrustCommand,
    }

    fn parse(words: &[&str]) -> Result<TrustCommand, clap::Error> {
        Line::try_parse_from(["trust"].iter().chain(words)).map(|line| line.command)
    }

    #[test]
    fn a_scope_and_a_package_are_told_apart() {
        assert_eq!("@acme".parse(), Ok(Subject::Scope("acme".parse().unwrap())));
        assert_eq!("@acme/one".parse(), Ok(Subject::Package("@acme/one".parse().unwrap())));
        assert!("@".parse::<Subject>().is_err());
        assert!("@acme/".parse::<Subject>().is_err());
    }

    #[test]
    fn who_is_trusted_must_be_said() {
        let claims = r#"{"repository":"acme/one"}"#;
        let added = parse(&["add", "@acme", "--type=github", "--claims", claims, "--allow=stage", "--allow=tags"]);
        let Ok(TrustCommand::Add { kind, claims: read, allow, .. }) = added else { panic!("{added:?}") };
        assert_eq!(kind.as_deref(), Some("github"));
        assert_eq!(read["repository"], "acme/one");
        assert_eq!(allow, [Deed::Stage, Deed::Tags]);
        let Ok(TrustCommand::Add { allow, .. }) = parse(&["add", "@acme", "--issuer=ours", "--claims", claims]) else {
            panic!("an issuer is enough")
        };
        assert_eq!(allow, [Deed::Publish]);
        assert!(parse(&["add", "@acme", "--claims", claims]).is_err());
        assert!(parse(&["add", "@acme", "--type=github"]).is_err());
        assert!(parse(&["add", "@acme", "--type=github", "--claims=[]"]).is_err());
        assert!(parse(&["remove", "@acme", "no-id"]).is_err());
    }
}
