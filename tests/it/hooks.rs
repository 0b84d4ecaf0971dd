//! Hooks: who is told of what, and that nobody else is.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use strongroom::policy::{Narrowing, Permission};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::app::{Answer, Package, Person, TestApp};

/// An address that deliveries go to, which answers as it is told.
struct Receiver {
    url: String,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
    status: Arc<Mutex<&'static str>>,
}

impl Receiver {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/told", listener.local_addr().expect("an address"));
        let (heard, status) = (Arc::default(), Arc::new(Mutex::new("200 OK")));
        let receiver = Self { url, heard: Arc::clone(&heard), status: Arc::clone(&status) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut read = Vec::new();
                while !is_whole(&read) && stream.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {}
                heard.lock().expect("a list").push(take_apart(&read));
                let status = *status.lock().expect("a status");
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        receiver
    }

    fn answer(&self, status: &'static str) {
        *self.status.lock().expect("a status") = status;
    }

    /// What came since the last time.
    fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.heard.lock().expect("a list"))
    }

    fn events(&self) -> Vec<String> {
        self.take().iter().map(|(_, body)| format!("{} {}", body["event"], body["name"]).replace('"', "")).collect()
    }
}

fn split(request: &[u8]) -> Option<(String, &[u8])> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&request[..end]).to_lowercase(), &request[end + 4..]))
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

fn is_whole(request: &[u8]) -> bool {
    split(request).is_some_and(|(head, body)| header(&head, "content-length") == body.len().to_string())
}

/// The signature checked against the body, which it is over.
fn take_apart(request: &[u8]) -> (String, Value) {
    let (head, body) = split(request).expect("a whole request");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"s3cret").expect("a key");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let expected: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(header(&head, "x-npm-signature"), format!("sha256={}", expected.concat()));
    (head, serde_json::from_slice(body).expect("JSON"))
}

async fn app() -> TestApp {
    TestApp::with(|config| config.outgoing.allow = vec!["127.0.0.1/32".parse().expect("a network")]).await
}

async fn add(person: &Person<'_>, kind: &str, name: &str, url: &str) -> String {
    let body = json!({ "type": kind, "name": name, "endpoint": url, "secret": "s3cret" });
    let answer = person.json("POST", "/-/npm/v1/hooks/hook", &body).await.expect(201).json();
    answer["id"].as_str().expect("an id").to_owned()
}

async fn hook(person: &Person<'_>, id: &str) -> Value {
    person.get(&format!("/-/npm/v1/hooks/hook/{id}")).await.expect(200).json()
}

async fn deliveries(person: &Person<'_>, id: &str) -> Vec<Value> {
    let answer = person.get(&format!("/-/npm/v1/hooks/hook/{id}/deliveries")).await.expect(200).json();
    answer["objects"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn hooks_are_kept_as_npm_keeps_them() {
    let app = app().await;
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    alice.publish(&Package::new("@alice/x", "1.0.0")).await.expect(201);
    let id = add(&alice, "package", "@alice/x", "https://x.test/a").await;
    let scope = add(&alice, "scope", "@alice", "https://x.test/b").await;
    add(&alice, "owner", "bob", "https://x.test/c").await;
    let made = hook(&alice, &id).await;
    for (member, value) in [
        ("username", json!("alice")),
        ("name", json!("@alice/x")),
        ("endpoint", json!("https://x.test/a")),
        ("type", json!("package")),
        ("delivered", json!(false)),
        ("last_delivery", Value::Null),
        ("response_code", json!(0)),
        ("status", json!("active")),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert!(!made.to_string().contains("s3cret"), "the secret is never shown again");
    let names = async |query: &str| {
        let listed = alice.get(&format!("/-/npm/v1/hooks{query}")).await.expect(200).json();
        listed["objects"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["@alice/x", "@alice", "bob"]);
    assert_eq!(names("?package=@alice").await, ["@alice"]);
    assert_eq!(names("?limit=1&offset=2").await, ["bob"]);

    let path = format!("/-/npm/v1/hooks/hook/{scope}");
    let change = json!({ "endpoint": "https://x.test/d", "secret": "other" });
    assert_eq!(alice.json("PUT", &path, &change).await.expect(200).json()["endpoint"], "https://x.test/d");
    for (method, path) in [("GET", path.clone()), ("DELETE", path.clone()), ("GET", format!("{path}/deliveries"))] {
        bob.send(method, &path, &[], axum::body::Body::empty()).await.expect(404);
    }
    bob.json("PUT", &path, &change).await.expect(404);
    let gone = alice.send("DELETE", &path, &[], axum::body::Body::empty()).await.expect(200).json();
    assert_eq!((&gone["deleted"], &gone["name"]), (&json!(true), &json!("@alice")), "npm prints what went");
    alice.get(&path).await.expect(404);
}

#[tokio::test]
async fn only_what_may_be_read_is_followed_and_only_with_a_whole_token() {
    let app = app().await;
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    alice.publish(&Package::new("@alice/shut", "1.0.0")).await.expect(201);
    let wish = |kind: &str, name: &str, url: &str, secret: &str| json!({ "type": kind, "name": name, "endpoint": url, "secret": secret });
    let post = async |person: &Person<'_>, body: Value| person.json("POST", "/-/npm/v1/hooks/hook", &body).await;
    let fine = wish("package", "@alice/shut", "https://x.test", "s");
    let hidden = post(&bob, fine.clone()).await.expect(404);
    let missing = post(&bob, wish("package", "@alice/none", "https://x.test", "s")).await.expect(404);
    assert_eq!(hidden.error().replace("shut", "none"), missing.error());
    post(&bob, wish("scope", "@nobody", "https://x.test", "s")).await.expect(404);
    for odd in [
        wish("planet", "@alice/shut", "https://x.test", "s"),
        wish("package", "@alice/shut", "ftp://x.test", "s"),
        wish("package", "@alice/shut", "https://u:p@x.test", "s"),
        wish("package", "@alice/shut", "https://x.test", ""),
    ] {
        post(&alice, odd).await.expect(422);
    }
    let narrow = Narrowing { packages: vec!["@alice/*".parse().expect("a pattern")], ..Narrowing::default() };
    for narrowing in [Narrowing::read_only(), narrow] {
        post(&app.token("alice", narrowing, None).await, fine.clone()).await.expect(403);
    }
    post(&app.anonymous(), fine.clone()).await.expect(401);
    for at in 0..100 {
        post(&alice, wish("package", "@alice/shut", &format!("https://x.test/{at}"), "s")).await.expect(201);
    }
    post(&alice, fine).await.expect(422);
}

#[tokio::test]
async fn a_change_is_told_once_signed_and_in_npms_shape() {
    let app = app().await;
    let receiver = Receiver::new().await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    alice.publish(&Package::new("@alice/x", "1.0.0")).await.expect(201);
    let id = add(&alice, "package", "@alice/x", &receiver.url).await;
    alice.publish(&Package::new("@alice/x", "1.1.0")).await.expect(201);
    alice.publish(&Package::new("@alice/other", "1.0.0")).await.expect(201);
    let twice = Package { files: Vec::new(), ..Package::new("@alice/x", "1.1.0") };
    alice.publish(&twice).await.expect(409);
    tokio::join!(app.run_chore("hooks.deliver"), app.run_chore("hooks.deliver"));
    let told = receiver.take();
    assert_eq!(told.len(), 1, "once, though two came for it; and nothing of what did not happen");
    let (head, body) = &told[0];
    assert!(head.starts_with("post /told http/1.1"), "{head}");
    assert_eq!(header(head, "content-type"), "application/json");
    assert_eq!(
        (&body["event"], &body["name"], &body["type"]),
        (&json!("package:publish"), &json!("@alice/x"), &json!("package"))
    );
    assert_eq!((&body["version"], &body["hookOwner"]), (&json!("1.0.0"), &json!({ "username": "alice" })));
    assert_eq!((&body["change"]["version"], &body["payload"]["name"]), (&json!("1.1.0"), &json!("@alice/x")));
    assert_eq!(body["time"], app.clock.now().timestamp_millis());
    let after = hook(&alice, &id).await;
    assert_eq!((&after["delivered"], &after["response_code"]), (&json!(true), &json!(200)));

    let scope = add(&alice, "scope", "@alice", &receiver.url).await;
    let owner = add(&alice, "owner", "~alice", &receiver.url).await;
    app.grant("@alice/other", "bob", Permission::ReadWrite).await;
    app.run_chore("hooks.deliver").await;
    assert_eq!(receiver.events(), ["package:owner @alice/other"; 2]);
    for id in [scope, owner] {
        assert_eq!(deliveries(&alice, &id).await[0]["status"], "delivered");
    }
}

/// Each of npm's events, by the verb that makes it.
#[tokio::test]
async fn every_kind_of_change_is_told_by_its_name() {
    let app = app().await;
    let receiver = Receiver::new().await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    alice.publish(&Package::new("@alice/x", "1.0.0")).await.expect(201);
    alice.publish(&Package::new("@alice/x", "1.1.0")).await.expect(201);
    add(&alice, "package", "@alice/x", &receiver.url).await;
    let tag = "/-/package/@alice%2fx/dist-tags/beta";
    let star = json!({ "name": "@alice/x" });
    let deprecate = async |message: &str| {
        let mut packument = alice.get("/@alice%2fx?write=true").await.expect(200).json();
        packument["versions"]["1.0.0"]["deprecated"] = message.into();
        alice.json("PUT", "/@alice%2fx", &packument).await
    };
    let unpublish = async || {
        let mut packument = alice.get("/@alice%2fx?write=true").await.expect(200).json();
        let rev = packument["_rev"].as_str().expect("a rev").to_owned();
        packument["versions"].as_object_mut().expect("versions").remove("1.0.0");
        alice.json("PUT", &format!("/@alice%2fx/-rev/{rev}"), &packument).await
    };
    let restore = json!({ "version": "1.0.0" });
    let owner = "/-/strongroom/v1/package/@alice%2fx/access/bob";
    let events = async |answer: Answer| {
        assert!(answer.status.is_success(), "{answer:?}");
        app.run_chore("hooks.deliver").await;
        receiver.take().iter().map(|(_, body)| body["event"].as_str().expect("a word").to_owned()).collect::<Vec<_>>()
    };
    let empty = axum::body::Body::empty;
    assert_eq!(events(alice.json("PUT", tag, &json!("1.0.0")).await).await, ["package:dist-tag"]);
    assert_eq!(events(alice.send("DELETE", tag, &[], empty()).await).await, ["package:dist-tag-rm"]);
    assert_eq!(events(deprecate("use 1.1.0").await).await, ["package:deprecated"]);
    assert_eq!(events(deprecate("").await).await, ["package:undeprecated"]);
    assert_eq!(events(alice.json("PUT", "/-/user/v1/star", &star).await).await, ["package:star"]);
    assert_eq!(events(alice.json("DELETE", "/-/user/v1/star", &star).await).await, ["package:unstar"]);
    assert_eq!(events(unpublish().await).await, ["package:unpublish"]);
    let restored = alice.json("POST", "/-/strongroom/v1/package/@alice%2fx/restore", &restore).await;
    assert_eq!(events(restored).await, ["package:change"]);
    let granted = alice.json("PUT", owner, &json!({ "permission": "read-write" })).await;
    assert_eq!(events(granted).await, ["package:owner"]);
    assert_eq!(events(alice.send("DELETE", owner, &[], empty()).await).await, ["package:owner-rm"]);
    let open = alice.json("POST", "/-/package/@alice%2fx/access", &json!({ "access": "public" })).await;
    assert_eq!(events(open).await, ["package:change"]);
}

#[tokio::test]
async fn what_does_not_arrive_is_tried_again_ever_later_and_given_up() {
    let app = app().await;
    app.clock.set("2026-05-01T12:00:00Z".parse().expect("a time"));
    let receiver = Receiver::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/x", "1.0.0")).await.expect(201);
    let id = add(&alice, "package", "@alice/x", &receiver.url).await;
    alice.publish(&Package::new("@alice/x", "1.1.0")).await.expect(201);
    receiver.answer("500 Internal Server Error");
    let mut waits = Vec::new();
    loop {
        app.run_chore("hooks.deliver").await;
        app.run_chore("hooks.deliver").await;
        assert_eq!(receiver.take().len(), 1, "one attempt, until the next is due");
        let line = deliveries(&alice, &id).await.remove(0);
        assert_eq!(line["response_code"], 500);
        let Some(next) = line["next_attempt"].as_str() else { break };
        let next: strongroom::clock::Time = next.parse().expect("a time");
        waits.push((next - app.clock.now()).num_seconds());
        app.clock.set(next + TimeDelta::seconds(1));
    }
    assert_eq!((waits.len(), &waits[..3]), (8, &[10, 40, 160][..]));
    assert!(waits.is_sorted());
    assert_eq!(deliveries(&alice, &id).await[0]["status"], "given up");

    receiver.answer("204 No Content");
    alice.publish(&Package::new("@alice/x", "1.2.0")).await.expect(201);
    app.run_chore("hooks.deliver").await;
    assert_eq!(receiver.events(), ["package:publish @alice/x"]);
    app.clock.set(app.clock.now() + TimeDelta::days(31));
    app.run_chore("hooks.forget").await;
    assert_eq!(deliveries(&alice, &id).await.len(), 0);
}

#[tokio::test]
async fn a_hook_leads_to_no_machine_that_strangers_may_not_ask() {
    let app = TestApp::new().await;
    let receiver = Receiver::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/x", "1.0.0")).await.expect(201);
    let id = add(&alice, "package", "@alice/x", &receiver.url).await;
    alice.publish(&Package::new("@alice/x", "1.1.0")).await.expect(201);
    app.run_chore("hooks.deliver").await;
    assert_eq!(receiver.take().len(), 0);
    let line = deliveries(&alice, &id).await.remove(0);
    assert_eq!(line["response_code"], 0);
    assert!(line["failure"].as_str().is_some_and(|failure| failure.contains("not open")), "{line}");
}

/// The canary: whoever may not read a package is told nothing of it, by no kind of hook, and sees no trace in the log.
#[tokio::test]
async fn who_may_not_read_is_told_nothing_and_who_lost_the_right_nothing_more() {
    let app = app().await;
    let (receiver, stranger_receiver) = (Receiver::new().await, Receiver::new().await);
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    let stranger = app.user("stranger").await;
    alice.publish(&Package::new("@alice/canary", "1.0.0")).await.expect(201);
    app.grant("@alice/canary", "bob", Permission::ReadOnly).await;
    let bobs = add(&bob, "package", "@alice/canary", &receiver.url).await;
    let mut strangers = Vec::new();
    for (kind, name) in [("scope", "@alice"), ("owner", "alice")] {
        strangers.push(add(&stranger, kind, name, &stranger_receiver.url).await);
    }
    alice.publish(&Package::new("@alice/canary", "1.1.0")).await.expect(201);
    app.run_chore("hooks.deliver").await;
    assert_eq!(receiver.events(), ["package:publish @alice/canary"]);

    // The right is lost after the change and before its delivery.
    alice.publish(&Package::new("@alice/canary", "1.2.0")).await.expect(201);
    let permit = strongroom::policy::Intent::REVOKE;
    let name = "@alice/canary".parse().expect("a name");
    let permit = app.app.access.permit(&strongroom::policy::Actor::Operator, &name, permit).await.expect("a permit");
    app.app.access.revoke(&permit, &"bob".parse().expect("a name")).await.expect("a revocation");
    app.run_chore("hooks.deliver").await;
    assert_eq!(receiver.events(), [""; 0]);
    assert_eq!(deliveries(&bob, &bobs).await.len(), 1, "what was told before");

    assert_eq!(stranger_receiver.events(), [""; 0]);
    for id in &strangers {
        assert_eq!(deliveries(&stranger, id).await.len(), 0);
        assert_eq!(hook(&stranger, id).await["last_delivery"], Value::Null);
    }
    let path = "/-/package/@alice%2fcanary/access";
    alice.json("POST", path, &json!({ "access": "public" })).await.expect(200);
    app.run_chore("hooks.deliver").await;
    assert_eq!(stranger_receiver.events(), ["package:change @alice/canary"; 2]);
    alice.json("POST", path, &json!({ "access": "restricted" })).await.expect(200);
    app.run_chore("hooks.deliver").await;
    assert_eq!(stranger_receiver.events(), [""; 0], "not even that it went");
}
