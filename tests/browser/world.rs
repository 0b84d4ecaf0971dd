//! A registry with people and packages in every state that pages know, told in plain words or in the nastiest.

use std::collections::BTreeMap;

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::audit::By;
use strongroom::config::MailTls;
use strongroom::invitations::Invitee;
use strongroom::policy::{Actor, BillingFlag, Intent, Narrowing, Permission};
use strongroom::users::{NewUser, Password};

use crate::browser::Browser;
use crate::house::House;
use crate::support::app::{PASSWORD, Package, Person};
use crate::support::authenticator::App;
use crate::support::smtp::Smtp;
use crate::texts::Texts;

/// Who looks at pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Without an account.
    Nobody,
    /// Administrator of the instance, owner of most of what there is.
    Ada,
    /// Was given access to packages of Ada's, and is an admin of her organization.
    Bob,
    /// Has nothing yet.
    Carol,
    /// Shows a second factor whenever she changes something.
    Dora,
    /// Was given access, and has no plan.
    Freda,
    /// Owns packages, and the plan has ended.
    Lena,
}

impl Who {
    pub(crate) const ALL: [Self; 7] =
        [Self::Nobody, Self::Ada, Self::Bob, Self::Carol, Self::Dora, Self::Freda, Self::Lena];

    /// The name of the account.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::Ada => "ada",
            Self::Bob => "bob",
            Self::Carol => "carol",
            Self::Dora => "dora",
            Self::Freda => "freda",
            Self::Lena => "lena",
        }
    }
}

/// The registry, its people and packages.
pub(crate) struct World {
    pub(crate) house: House,
    smtp: Smtp,
    /// Dora's authenticator.
    phone: Option<App>,
    tokens: BTreeMap<&'static str, String>,
    /// What stands in addresses for what has no fixed name.
    places: BTreeMap<&'static str, String>,
}

impl World {
    /// Fills a registry.
    pub(crate) async fn told_in(texts: &Texts) -> Self {
        let smtp = Smtp::start().await;
        let port = smtp.port;
        let house = House::with("127.0.0.1", |config| {
            config.mail.host = Some("localhost".into());
            config.mail.port = port;
            config.mail.tls = MailTls::None;
            config.mail.from = Some("registry@strongroom.example".into());
        })
        .await;
        let mut world = Self { house, smtp, phone: None, tokens: BTreeMap::new(), places: BTreeMap::new() };
        world.settle_people(texts).await;
        world.publish(texts).await;
        world.share().await;
        world.use_everything(texts).await;
        world.invite().await;
        world.show_second_factor().await;
        world.house.app.run_all_chores().await;
        world
    }

    /// Somebody with their token.
    fn person(&self, name: &str) -> Person<'_> {
        self.house.app.with_token(&self.tokens[name])
    }

    async fn settle_people(&mut self, texts: &Texts) {
        for who in &Who::ALL[1..] {
            let name = who.name();
            let user = NewUser {
                name: name.parse().expect("a name"),
                email: format!("{name}@example.com").parse().expect("an address"),
                password: Password::chosen(PASSWORD).expect("a password"),
                administrator: *who == Who::Ada,
            };
            self.house.app.app.users.create(user, &By::default()).await.expect("a new user");
            let token = self.house.app.token(name, Narrowing::default(), None).await.token.expect("a token");
            self.tokens.insert(name, token);
        }
        let profile = json!({
            "fullname": texts.full_name, "homepage": texts.link, "github": texts.word, "twitter": texts.word,
        });
        let _ = self.person("ada").json("POST", "/-/npm/v1/user", &profile).await;
        self.house.app.organization("acme", "ada", &[("bob", "admin"), ("carol", "developer")]).await;
    }

    async fn publish(&self, texts: &Texts) {
        let ada = self.person("ada");
        for (version, tag) in [("1.0.0", "latest"), ("1.1.0", "latest"), (texts.prerelease, texts.tag)] {
            let mut package = texts.package("@ada/vault", version);
            package.tag = tag.into();
            ada.publish(&package).await.expect(201);
        }
        ada.publish(&texts.package("@ada/open", "1.0.0").access("public")).await.expect(201);
        let mut bare = Package::new("@ada/bare", "1.0.0").access("public");
        bare.files.retain(|(path, _)| path != "README.md");
        bare.manifest = json!({ "dependencies": { "@ada/vault": "^1.0.0", "@ada/open": texts.range } });
        ada.publish(&bare).await.expect(201);
        ada.publish(&texts.package(texts.package, "1.0.0")).await.expect(201);
        ada.publish(&texts.package("@acme/widgets", "1.0.0")).await.expect(201);
        self.person("lena").publish(&texts.package("@lena/secret", "1.0.0")).await.expect(201);
        self.deprecate(texts).await;
        let staged = texts.package("@ada/vault", "1.2.0").document();
        ada.json("POST", "/-/stage/package/@ada%2fvault", &staged).await.expect(201);
    }

    async fn deprecate(&self, texts: &Texts) {
        let ada = self.person("ada");
        let mut document = ada.get("/@ada%2fvault").await.expect(200).json();
        document["versions"]["1.0.0"]["deprecated"] = texts.sentence.into();
        ada.json("PUT", "/@ada%2fvault", &document).await.expect(201);
    }

    async fn share(&self) {
        let app = &self.house.app;
        app.grant("@ada/vault", "bob", Permission::ReadOnly).await;
        app.grant("@ada/vault", "carol", Permission::ReadWrite).await;
        app.grant("@ada/vault", "freda", Permission::ReadOnly).await;
        app.grant("@lena/secret", "bob", Permission::ReadOnly).await;
        let ada = self.person("ada");
        ada.json("PUT", "/-/org/acme/team", &json!({ "name": "ops", "description": "Keeps it running" }))
            .await
            .expect(200);
        ada.json("PUT", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(200);
        let grant = json!({ "package": "@acme/widgets", "permissions": "read-only" });
        ada.json("PUT", "/-/team/acme/ops/package", &grant).await.expect(200);
        app.set_billing("freda", BillingFlag::Unpaid).await;
        let until = Some(app.clock.now() - TimeDelta::days(3));
        app.set_billing("lena", BillingFlag::Paid { until }).await;
    }

    async fn use_everything(&mut self, texts: &Texts) {
        let ada = self.person("ada");
        let hook =
            json!({ "type": "package", "name": "@ada/vault", "endpoint": texts.endpoint, "secret": "tell nobody" });
        ada.json("POST", "/-/npm/v1/hooks/hook", &hook).await.expect(201);
        let token = json!({
            "password": PASSWORD, "name": texts.token, "token_description": texts.sentence, "expires": 30,
            "packages": ["@ada/vault"], "packages_and_scopes_permission": "read-only",
        });
        let _ = ada.json("POST", "/-/npm/v1/tokens", &token).await;
        ada.json("PUT", "/-/user/package/@ada%2fopen/star", &Value::Null).await;
        let listed = ada.get("/-/stage").await.expect(200).json();
        let staged = listed["items"][0]["id"].as_str().expect("something staged").to_owned();
        drop(ada);
        self.places.insert("{staged}", staged);
        self.places.insert("{nasty}", texts.package.to_owned());
        self.places.insert("{file}", texts.file_in_address());
        self.places.insert("{prerelease}", texts.prerelease.to_owned());
        for place in ["{login}", "{refused}"] {
            let login = self.begin_login(texts).await;
            self.places.insert(place, login);
        }
    }

    /// A terminal that asks for a login: the last part of the address that it shows.
    async fn begin_login(&self, texts: &Texts) -> String {
        let headers = [("content-type", "application/json"), ("npm-auth-type", "web"), ("user-agent", texts.client)];
        let body = Body::from(json!({ "hostname": texts.host }).to_string());
        let answer = self.house.app.anonymous().send("POST", "/-/v1/login", &headers, body).await.expect(200);
        last_part(answer.json()["loginUrl"].as_str().expect("an address"))
    }

    /// Letters with links that wait for an answer.
    async fn invite(&mut self) {
        let rooms = &self.house.app.app;
        let name = "@ada/vault".parse().expect("a name");
        let permit = rooms.access.permit(&Actor::Operator, &name, Intent::GRANT).await.expect("a permit");
        for invitee in ["eve@example.com", "lena"] {
            let invitee = Invitee::read(invitee).expect("somebody");
            rooms.invitations.invite_to_package(&permit, &invitee).await.expect("an invitation");
        }
        self.house.app.run_chore("mail.deliver").await;
        let invitation = last_part(self.smtp.take_letter_to("eve@example.com").link());
        let forgotten = rooms.recovery.hand_out(&"bob".parse().expect("a name")).await.expect("a link");
        let carol = rooms.users.find(&"carol".parse().expect("a name")).await.expect("an answer").expect("a user");
        rooms.recovery.ask_for_proof(carol.id).await.expect("a letter");
        self.house.app.run_chore("mail.deliver").await;
        let proof = last_part(self.smtp.take_letter_to("carol@example.com").link());
        self.places.extend([("{invitation}", invitation), ("{forgotten}", last_part(&forgotten)), ("{proof}", proof)]);
    }

    /// Dora turns her second factor on, and a terminal of hers waits for it.
    async fn show_second_factor(&mut self) {
        let dora = self.house.app.with_token(&self.tokens["dora"]);
        let wish = json!({ "tfa": { "mode": "auth-and-writes", "password": PASSWORD } });
        let begun = dora.json("POST", "/-/npm/v1/user", &wish).await.expect(200).json();
        let phone = App::scan(begun["tfa"].as_str().expect("an address to scan"));
        let code = phone.code(self.house.app.clock.now());
        dora.json("POST", "/-/npm/v1/user", &json!({ "tfa": [code] })).await.expect(200);
        // What a key answers is of no matter here, only that she has one.
        let key = "insert into security_keys (account_id, key, credential, public_key, sign_count, name, created_at)
            select id, '00000000000000000000', '\\x01', '\\x02', 0, 'grey key', now() from accounts where name = 'dora'";
        sqlx::query(key).execute(&self.house.app.pool().await).await.expect("a key");
        let headers = [("content-type", "application/json"), ("npm-auth-type", "web"), ("npm-command", "publish")];
        let body = Body::from(Package::new("@dora/deeds", "1.0.0").document().to_string());
        let answer = dora.send("PUT", "/@dora%2fdeeds", &headers, body).await.expect(401);
        let deed = last_part(answer.json()["authUrl"].as_str().expect("an address"));
        drop(dora);
        self.places.insert("{deed}", deed);
        self.phone = Some(phone);
    }

    /// An address of this world.
    pub(crate) fn address(&self, path: &str) -> String {
        let filled = self.places.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        format!("{}{filled}", self.house.url)
    }

    /// Signs somebody in, or everybody out.
    pub(crate) async fn sign_in(&self, browser: &Browser, who: Who) {
        self.house.sign_in(browser, who.name()).await;
        if let (Who::Dora, Some(phone)) = (who, &self.phone) {
            // A code is good for once.
            let clock = &self.house.app.clock;
            clock.set(clock.now() + TimeDelta::seconds(30));
            browser.fill("One-time code", &phone.code(clock.now())).await;
            browser.press("Log in").await;
        }
    }
}

/// The secret at the end of an address.
fn last_part(address: &str) -> String {
    address.rsplit('/').next().unwrap_or_default().to_owned()
}
