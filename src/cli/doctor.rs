//! `strongroom doctor`: each thing that a deployment needs, tried for real.

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::embedded::Role;
use crate::mail::Way;

use super::session::Database;

enum Finding {
    Ok(String),
    Warn(String),
    Fail(String),
}

/// Prints a line for each check; exit code 5 where one failed.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    report.add("config", Finding::Ok("valid".into()));
    match Database::find(&config, Role::Command).await {
        Ok(database) => {
            let chosen = database.embedded.as_ref().map(|embedded| embedded.describe().to_string());
            report.add("database", Finding::Ok(chosen.unwrap_or_else(|| "external, answers".into())));
            Box::pin(examine(&mut report, config, &database)).await;
            database.stop().await;
        }
        Err(cause) => report.add("database", Finding::Fail(cause.to_string())),
    }
    Ok(report.exit_code())
}

async fn examine(report: &mut Report, config: Config, database: &Database) {
    let app = match App::new(config, database.options.clone(), Clock::system()) {
        Ok(app) => app,
        Err(cause) => return report.add("storage", Finding::Fail(format!("{cause}. Check storage.path"))),
    };
    report.add("migrations", migrations(&app).await);
    report.add("clock", clock(&app).await);
    report.add("storage", storage(&app).await);
    report.add("public URL", public_url(&app).await);
    report.add("mail", mail(&app).await);
    app.db.close().await;
}

async fn migrations(app: &App) -> Finding {
    match app.db.is_ready().await {
        Ok(true) => Finding::Ok("all have run".into()),
        Ok(false) | Err(_) => Finding::Warn("not all have run. Run strongroom migrate, or start the server".into()),
    }
}

async fn clock(app: &App) -> Finding {
    match app.db.time().await {
        Ok(theirs) => {
            let apart = (theirs - app.clock.now()).abs();
            if apart < chrono::TimeDelta::seconds(2) {
                Finding::Ok("agrees with the database".into())
            } else {
                Finding::Warn(format!("{} s apart from the database. Set up NTP on both", apart.num_seconds()))
            }
        }
        Err(cause) => Finding::Fail(cause.to_string()),
    }
}

async fn storage(app: &App) -> Finding {
    let folder = app.config.blob_dir();
    match app.blobs.probe().await {
        Ok(()) => Finding::Ok(format!("{} takes and gives back a file", folder.display())),
        Err(cause) => Finding::Fail(format!("{}: {cause}", folder.display())),
    }
}

async fn mail(app: &App) -> Finding {
    match (app.mail.way(), app.mail.probe().await) {
        (Way::Smtp, Ok(())) => Finding::Ok("the server answers, and lets us in".into()),
        (Way::Smtp, Err(cause)) => Finding::Fail(format!("{cause}. Check the section mail of the configuration")),
        (Way::Log, _) => Finding::Warn("goes into the log. Set mail.host before others use this registry".into()),
        (Way::Nowhere, _) => {
            Finding::Warn("none is sent: no links for forgotten passwords, no notices. Set mail.host".into())
        }
    }
}

async fn public_url(app: &App) -> Finding {
    let url = &app.public_url;
    let Some(host) = url.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()) else {
        return Finding::Ok(format!("{url} (not tried: only http is tried from here)"));
    };
    let address = if host.contains(':') { host.clone() } else { format!("{host}:80") };
    match tokio::time::timeout(Duration::from_secs(3), ping(&address, &host)).await {
        Ok(Ok(true)) => Finding::Ok(format!("{url} answers")),
        Ok(Ok(false)) => Finding::Fail(format!("{url} is answered by something else. Check server.public_url")),
        Ok(Err(_)) | Err(_) => Finding::Warn(format!("{url} does not answer. Fine while the server is not running")),
    }
}

async fn ping(address: &str, host: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /-/ping HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200") && answer.trim_end().ends_with("{}"))
}

#[derive(Default)]
struct Report {
    failed: bool,
}

impl Report {
    fn add(&mut self, what: &str, finding: Finding) {
        let (word, sentence) = match finding {
            Finding::Ok(sentence) => ("ok  ", sentence),
            Finding::Warn(sentence) => ("warn", sentence),
            Finding::Fail(sentence) => {
                self.failed = true;
                ("fail", sentence)
            }
        };
        println!("{word}  {what}: {sentence}");
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.failed { 5 } else { 0 })
    }
}
