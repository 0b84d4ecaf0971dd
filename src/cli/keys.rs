//! `strongroom keys`: the keys that versions are signed with.

use clap::Subcommand;

use crate::audit::By;
use crate::clock::to_npm_time;
use crate::config::Config;
use crate::policy::Actor;

use super::session::with_app;

/// Verbs on signing keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List every key that ever signed, the present one first.
    List,
    /// Sign new versions with a new key from now on; what the present one signed stays valid.
    Rotate,
}

pub(super) async fn run(command: KeysCommand, config: Config) -> anyhow::Result<()> {
    match command {
        KeysCommand::List => {
            with_app(config, async |app| {
                for key in app.signatures.keys().await? {
                    let made = to_npm_time(key.created_at);
                    let state =
                        key.expires_at.map_or_else(|| "signs".into(), |end| format!("ended {}", to_npm_time(end)));
                    println!("{}  made {made}  {state}", key.key_id);
                }
                Ok(())
            })
            .await
        }
        KeysCommand::Rotate => {
            with_app(config, async |app| {
                let key_id = app.signatures.rotate(&By::from(&Actor::Operator)).await?;
                println!("{key_id}");
                Ok(())
            })
            .await
        }
    }
}
