//! `strongroom token`.

use std::io::BufRead;

use clap::Subcommand;
use ipnet::IpNet;

use crate::app::App;
use crate::audit::By;
use crate::clock::{Time, to_npm_time};
use crate::config::Config;
use crate::error::Error;
use crate::names::{AccountId, AccountName, PackagePattern};
use crate::policy::{Actor, Narrowing};
use crate::tokens::{ListedToken, NewToken, TokenKind, TokenSecret};

use super::duration::parse_duration;
use super::session::with_app;

/// Verbs on tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token and print it, once.
    Create {
        /// Whose it shall be.
        #[arg(long, value_name = "NAME")]
        user: AccountName,
        /// What it is called in lists.
        #[arg(long, value_name = "TEXT", default_value = "created by the operator")]
        name: String,
        /// It may change nothing.
        #[arg(long)]
        read_only: bool,
        /// A network that it may be used from; may be given again.
        #[arg(long, value_name = "CIDR")]
        cidr: Vec<IpNet>,
        /// A package (@acme/one) or scope (@acme/*) that it reaches; may be given again.
        #[arg(long, value_name = "PATTERN")]
        packages: Vec<PackagePattern>,
        /// When it ends, counted from now, as in 90d, 12h or 30m.
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        expires: Option<chrono::TimeDelta>,
        /// The moment at which it ends, as in 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "RFC3339", conflicts_with = "expires")]
        until: Option<Time>,
    },
    /// List living tokens.
    List {
        /// Only those of this user.
        #[arg(long, value_name = "NAME")]
        user: Option<AccountName>,
    },
    /// End a token at once.
    Revoke {
        /// Its key as in the list (the first six characters do), or the token itself; - reads that from standard input,
        /// where other users of the machine cannot see it.
        key: String,
    },
    /// Say what a token may do, and whether it is alive.
    Inspect {
        /// The token; - reads it from standard input, where other users of the machine cannot see it.
        token: String,
    },
}

pub(super) async fn run(command: TokenCommand, config: Config) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create { user, name, read_only, cidr, packages, expires, until } => {
            let whole = if read_only { Narrowing::read_only() } else { Narrowing::default() };
            let narrowing = Narrowing { packages, networks: cidr, ..whole };
            with_app(config, async |app| {
                let expires_at = until.or_else(|| expires.map(|after| app.clock.now() + after));
                create(app, &user, name, narrowing, expires_at).await
            })
            .await
        }
        TokenCommand::List { user } => with_app(config, async |app| list(app, user.as_ref()).await).await,
        TokenCommand::Revoke { key } => with_app(config, async |app| revoke(app, &key).await).await,
        TokenCommand::Inspect { token } => with_app(config, async |app| inspect(app, &token).await).await,
    }
}

async fn create(
    app: &App,
    user: &AccountName,
    name: String,
    narrowing: Narrowing,
    expires_at: Option<Time>,
) -> anyhow::Result<()> {
    let token = NewToken {
        account: find_user(app, user).await?,
        name,
        description: None,
        kind: TokenKind::Granular,
        narrowing,
        expires_at,
    };
    let secret = app.tokens.issue(token, &By::from(&Actor::Operator)).await?;
    println!("{}", secret.expose());
    Ok(())
}

async fn list(app: &App, user: Option<&AccountName>) -> anyhow::Result<()> {
    let account = match user {
        Some(user) => Some(find_user(app, user).await?),
        None => None,
    };
    for token in app.tokens.list(account).await? {
        println!("{}", line(&token));
    }
    Ok(())
}

fn line(token: &ListedToken) -> String {
    let narrowing = &token.narrowing;
    let mut limits = vec![narrowing.right.as_str().to_owned()];
    limits.extend(narrowing.packages.iter().map(ToString::to_string));
    limits.extend(narrowing.networks.iter().map(|network| format!("from {network}")));
    let end = token.expires_at.map_or_else(|| "never ends".to_owned(), |end| format!("ends {}", to_npm_time(end)));
    format!(
        "{}  {}…  {}  \"{}\"  {}  made {}  {end}",
        token.key,
        token.prefix,
        token.account,
        token.name,
        limits.join(", "),
        to_npm_time(token.created_at),
    )
}

async fn revoke(app: &App, key: &str) -> anyhow::Result<()> {
    let named = given(key)?;
    if TokenSecret::parse(&named).is_some() {
        app.tokens.revoke_secret(&named, [127, 0, 0, 1].into()).await?;
    } else {
        app.tokens.revoke_key(&named, &By::from(&Actor::Operator)).await?;
    }
    println!("revoked");
    Ok(())
}

async fn inspect(app: &App, token: &str) -> anyhow::Result<()> {
    let dead = || Error::NotFound("This is no living token: it is unknown, expired or revoked.".into());
    let token = app.tokens.inspect(&given(token)?).await?.ok_or_else(dead)?;
    println!("{}", line(&token));
    Ok(())
}

/// What was given, or for - the first line of standard input.
fn given(text: &str) -> std::io::Result<String> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

async fn find_user(app: &App, name: &AccountName) -> anyhow::Result<AccountId> {
    Ok(app.users.find(name).await?.ok_or_else(|| crate::users::no_user(name))?.id)
}
