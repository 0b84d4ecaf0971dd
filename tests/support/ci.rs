//! CI services: each signs ID tokens for its jobs, and tells a job of them by its environment.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use strongroom::clock::Clock;
use strongroom::names::RandomId;

use crate::issuer::{Issuer, SigningKey};
use crate::process;

const KEY: &str = "ours";
/// The host of the server under test, as clients ask their CI for tokens for it.
const AUDIENCE: &str = "npm:127.0.0.1";

/// What a job finds in its environment.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// The services, which the server under test knows by [`Services::configuration`].
pub(crate) struct Services {
    key: Arc<SigningKey>,
    github: Issuer,
    gitlab: Issuer,
    circleci: Issuer,
    /// Where a job at GitHub asks for its tokens, without a slash at the end.
    tokens: String,
}

impl Services {
    /// Starts them; they answer until the tests end.
    pub(crate) fn start() -> Self {
        let key = Arc::new(SigningKey::ec());
        let issuer = || process::wait_for(Issuer::start(KEY, &key));
        let (github, gitlab, circleci) = (issuer(), issuer(), issuer());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let tokens = format!("http://{}", listener.local_addr().expect("an address"));
        let (signing, url) = (key.clone(), github.url.clone());
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(&stream, &signing, &url)));
        Self { key, github, gitlab, circleci, tokens }
    }

    /// What the server is told of them.
    pub(crate) fn configuration(&self) -> String {
        let told =
            |(kind, url)| format!("[[trust.issuers]]\nname = \"our-{kind}\"\ntype = \"{kind}\"\nurl = \"{url}\"\n");
        let issuers: String = self.issuers().map(told).concat();
        format!("[outgoing]\nallow = [\"127.0.0.1/32\"]\n\n{issuers}")
    }

    /// The kind of each, and its URL.
    pub(crate) fn issuers(&self) -> [(&'static str, &str); 3] {
        [("github", &self.github.url), ("gitlab", &self.gitlab.url), ("circleci", &self.circleci.url)]
    }

    /// A job of GitHub Actions, which may ask for tokens.
    pub(crate) fn github_job(&self, repository: &str) -> Environment {
        vec![
            ("CI", "true".into()),
            ("GITHUB_ACTIONS", "true".into()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/{repository}?api-version=2.0", self.tokens)),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of this job".into()),
        ]
    }

    /// A job of GitLab CI, which was given a token.
    pub(crate) fn gitlab_job(&self, project: &str) -> Environment {
        let claims = json!({
            "project_path": project,
            "ci_config_ref_uri": format!("gitlab.example.com/{project}//.gitlab-ci.yml@refs/heads/main"),
        });
        let token = token(&self.key, &self.gitlab.url, AUDIENCE, claims);
        vec![("CI", "true".into()), ("GITLAB_CI", "true".into()), ("NPM_ID_TOKEN", token)]
    }

    /// A job of `CircleCI`, which was given a token; organization, project and definition have one id.
    pub(crate) fn circleci_job(&self, id: &str, repository: &str) -> Environment {
        let claims = json!({
            "oidc.circleci.com/org-id": id,
            "oidc.circleci.com/project-id": id,
            "oidc.circleci.com/pipeline-definition-id": id,
            "oidc.circleci.com/vcs-origin": format!("github.com/{repository}"),
        });
        let token = token(&self.key, &self.circleci.url, AUDIENCE, claims);
        vec![("CI", "true".into()), ("CIRCLECI", "true".into()), ("NPM_ID_TOKEN", token)]
    }
}

fn token(key: &SigningKey, issuer: &str, audience: &str, mut claims: Value) -> String {
    let now = Clock::system().now().timestamp();
    claims["iss"] = issuer.into();
    claims["aud"] = audience.into();
    claims["sub"] = "a job".into();
    claims["jti"] = json!(RandomId::generate().expect("an id"));
    claims["iat"] = now.into();
    claims["nbf"] = now.into();
    claims["exp"] = (now + 300).into();
    key.token(KEY, &claims)
}

/// Gives a job at GitHub a token for the audience that it asks for.
fn answer(mut stream: &TcpStream, key: &SigningKey, issuer: &str) {
    let head: Vec<String> =
        BufReader::new(stream).lines().map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
    let asks_as_itself = head.iter().any(|line| line.to_lowercase() == "authorization: bearer of this job");
    let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let (repository, query) = target.split_once('?').unwrap_or((target, ""));
    let repository = repository.trim_matches('/');
    let audience = query.split('&').find_map(|pair| pair.strip_prefix("audience=")).unwrap_or_default();
    let claims = json!({
        "repository": repository,
        "workflow_ref": format!("{repository}/.github/workflows/release.yml@refs/heads/main"),
    });
    let (status, body) = if asks_as_itself {
        ("200 OK", json!({ "value": token(key, issuer, &audience.replace("%3A", ":"), claims) }))
    } else {
        ("401 Unauthorized", json!({}))
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
    let _ = stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes());
}
