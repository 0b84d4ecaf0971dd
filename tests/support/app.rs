//! The application in process, on a database of its own, with people who have standing.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::PgPool;
use strongroom::app::App;
use strongroom::audit::By;
use strongroom::clock::{Clock, Time};
use strongroom::config::Config;
use strongroom::db::Listening;
use strongroom::http::{Edge, TrustedProxies};
use strongroom::names::{AccountName, PackageName};
use strongroom::policy::{Actor, BillingFlag, Intent, Narrowing, OrganizationAction, Permission};
use strongroom::tokens::{NewToken, TokenKind};
use strongroom::users::{NewUser, Password};

use super::database::TestDatabase;

/// The address that requests of the tests come from.
pub(crate) const ADDRESS: [u8; 4] = [192, 0, 2, 1];

/// The password of every user of the tests.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A node of strongroom, whole but for the socket.
pub(crate) struct TestApp {
    /// The rooms.
    pub(crate) app: Arc<App>,
    /// The time, which stands still until a test moves it.
    pub(crate) clock: Clock,
    database: Arc<TestDatabase>,
    folder: Arc<tempfile::TempDir>,
    edge: Edge,
    _listening: Listening,
}

impl TestApp {
    /// A node on a fresh database.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A node on a fresh database, with a configuration of its own.
    pub(crate) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let database = Arc::new(TestDatabase::create().await);
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let clock = Clock::held_at(Clock::system().now());
        Self::node(database, folder, clock, configure).await
    }

    /// A second node on the same database and folder.
    pub(crate) async fn second_node(&self) -> Self {
        Self::node(self.database.clone(), self.folder.clone(), self.clock.clone(), |_| {}).await
    }

    async fn node(
        database: Arc<TestDatabase>,
        folder: Arc<tempfile::TempDir>,
        clock: Clock,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::defaults();
        config.server.data_dir = Some(folder.path().to_owned());
        config.server.public_url = Some("http://registry.test".into());
        config.database.max_read_connections = 3;
        config.database.max_write_connections = 3;
        config.limits.login_per_minute = 10_000;
        config.auth.signup = Some(strongroom::config::Signup::Open);
        configure(&mut config);
        let options = database.url.parse().expect("a database URL");
        let app = Arc::new(App::new(config, options, clock.clone()).expect("an application"));
        let listening = app.db.listen().expect("a thread");
        while app.db.changes().hearing().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let edge = Edge::new(strongroom::web::faces(&app), TrustedProxies::default(), false, app.public_url.clone())
            .expect("an edge");
        Self { app, clock, database, folder, edge, _listening: listening }
    }

    /// The folder with the package files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A pool on the database, for what no public door shows.
    pub(crate) async fn pool(&self) -> PgPool {
        self.database.pool(2).await
    }

    /// Creates a paid user and gives them a token.
    pub(crate) async fn user(&self, name: &str) -> Person<'_> {
        self.new_user(name, false).await
    }

    /// Creates a user who administers the instance.
    pub(crate) async fn administrator(&self, name: &str) -> Person<'_> {
        self.new_user(name, true).await
    }

    async fn new_user(&self, name: &str, administrator: bool) -> Person<'_> {
        let user = NewUser {
            name: name.parse().expect("a name"),
            email: format!("{name}@example.com").parse().expect("an address"),
            password: Password::chosen(PASSWORD).expect("a password"),
            administrator,
        };
        self.app.users.create(user, &By::default()).await.expect("a new user");
        self.token(name, Narrowing::default(), None).await
    }

    /// A person with a new token for an account that exists.
    pub(crate) async fn token(&self, name: &str, narrowing: Narrowing, expires_at: Option<Time>) -> Person<'_> {
        let account = self.app.users.find(&name.parse().expect("a name")).await.expect("an answer").expect("a user").id;
        let token = NewToken {
            account,
            name: "test".into(),
            description: None,
            kind: TokenKind::Granular,
            narrowing,
            expires_at,
        };
        let secret = self.app.tokens.issue(token, &By::default()).await.expect("a token");
        Person { app: self, token: Some(secret.expose().to_owned()) }
    }

    /// Somebody without a credential.
    pub(crate) fn anonymous(&self) -> Person<'_> {
        Person { app: self, token: None }
    }

    /// Somebody with this text for a token.
    pub(crate) fn with_token(&self, token: &str) -> Person<'_> {
        Person { app: self, token: Some(token.into()) }
    }

    /// Sets a billing flag as an administrator does.
    pub(crate) async fn set_billing(&self, account: &str, flag: BillingFlag) {
        let account: AccountName = account.parse().expect("a name");
        self.app.billing.set(&account, flag, &By::default()).await.expect("a flag");
    }

    /// Gives access as an operator does.
    pub(crate) async fn grant(&self, package: &str, user: &str, permission: Permission) {
        let package: PackageName = package.parse().expect("a name");
        let permit = self.app.access.permit(&Actor::Operator, &package, Intent::GRANT).await.expect("a permit");
        self.app.access.grant(&permit, &user.parse().expect("a name"), permission.into()).await.expect("a grant");
    }

    /// Creates a paid organization, as an operator does, with members besides its owner.
    pub(crate) async fn organization(&self, name: &str, owner: &str, members: &[(&str, &str)]) {
        let name: AccountName = name.parse().expect("a name");
        let organizations = &self.app.organizations;
        organizations.create(&name, &owner.parse().expect("a name"), &By::default()).await.expect("an organization");
        let action = OrganizationAction::ChangeMembers;
        let permit = organizations.permit(&Actor::Operator, &name, action).await.expect("a permit");
        for (user, role) in members {
            let role = role.parse().expect("a role");
            organizations.set_member(&permit, &user.parse().expect("a name"), role).await.expect("a member");
        }
    }

    /// Does a piece of background work, now and here.
    pub(crate) async fn run_chore(&self, name: &str) {
        self.app.run_chore(name).await.expect("a chore that succeeds");
    }

    /// Does all background work there is, now and here; what of it fails is no matter here.
    pub(crate) async fn run_all_chores(&self) {
        for chore in strongroom::chores::all() {
            let _ = chore.run(&self.app).await;
        }
    }

    /// Sends a request as it would arrive on the socket.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.edge.answer(request, IpAddr::from(ADDRESS)).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        // On the socket, a length that is not that of the body breaks the connection, or the answer after this one.
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        assert!(bytes.is_empty() || announced.is_none_or(|length: usize| length == bytes.len()), "{:?}", parts.headers);
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub(crate) struct Person<'a> {
    /// Where they are.
    pub(crate) app: &'a TestApp,
    /// Their token.
    pub(crate) token: Option<String>,
}

impl Person<'_> {
    /// A GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Body::empty()).await
    }

    /// A GET with headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, Body::empty()).await
    }

    /// A request with a JSON body.
    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], Body::from(body.to_string())).await
    }

    /// Any request.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(body).expect("a request");
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(HeaderName::try_from(*name).expect("a header"), HeaderValue::from_str(value).expect("a value"));
        }
        self.app.send(request).await
    }

    /// Publishes a package as npm would.
    pub(crate) async fn publish(&self, package: &Package) -> Answer {
        self.json("PUT", &format!("/{}", package.name.replace('/', "%2f")), &package.document()).await
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// A header as text, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The sentence of an error.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails the test where the status is another one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }
}

/// A package to be published.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// `@scope/name`.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// The tag it is published under.
    pub(crate) tag: String,
    /// The document's `access`.
    pub(crate) access: Value,
    /// What the `package.json` says beside name and version.
    pub(crate) manifest: Value,
    /// Files beside the `package.json`.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Package {
    /// A small package with the client's default access.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            tag: "latest".into(),
            access: Value::Null,
            manifest: json!({ "description": "made by a test", "main": "index.js" }),
            files: vec![
                ("index.js".into(), b"module.exports = 1\n".to_vec()),
                ("README.md".into(), b"# Hi\n".to_vec()),
            ],
        }
    }

    /// The same with this access.
    pub(crate) fn access(mut self, access: &str) -> Self {
        self.access = access.into();
        self
    }

    /// What stands in `package.json`.
    pub(crate) fn package_json(&self) -> Value {
        let mut object = json!({ "name": self.name, "version": self.version });
        object.as_object_mut().expect("an object").extend(self.manifest.as_object().cloned().unwrap_or_default());
        object
    }

    /// The tarball.
    pub(crate) fn tarball(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let manifest = ("package.json".to_owned(), self.package_json().to_string().into_bytes());
        for (path, bytes) in std::iter::once(&manifest).chain(&self.files) {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, format!("package/{path}"), &bytes[..]).expect("an entry");
        }
        archive.into_inner().expect("an archive").finish().expect("gzip")
    }

    /// The document that npm sends.
    pub(crate) fn document(&self) -> Value {
        self.document_around(&self.tarball())
    }

    /// The document around a tarball of another making.
    pub(crate) fn document_around(&self, tarball: &[u8]) -> Value {
        use sha2::{Digest as _, Sha512};
        let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(tarball)));
        let mut manifest = self.package_json();
        manifest["_id"] = format!("{}@{}", self.name, self.version).into();
        let file = format!("{}-{}.tgz", self.name, self.version);
        manifest["dist"] = json!({ "integrity": integrity, "tarball": format!("http://elsewhere/{file}") });
        json!({
            "_id": self.name,
            "name": self.name,
            "dist-tags": { self.tag.as_str(): self.version },
            "versions": { self.version.as_str(): manifest },
            "access": self.access,
            "_attachments": {
                file: {
                    "content_type": "application/octet-stream",
                    "data": STANDARD.encode(tarball),
                    "length": tarball.len(),
                }
            },
        })
    }
}
