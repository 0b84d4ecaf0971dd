//! A Stripe for tests: localstripe, and before it checkout and portal, which localstripe lacks.
//!
//! It keeps every request, so that a test can look at what was asked; and it takes in the events that localstripe sends,
//! so that a test can hand them on late, twice or in another order.

use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use strongroom::config::Config;
use strongroom::outgoing::Outgoing;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::fetch;

/// What requests are let in with, and what events are signed with.
pub(crate) const KEY: &str = "sk_test_strongroom";
pub(crate) const SECRET: &str = "whsec_strongroom";

/// How long an event may be on its way; localstripe takes a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// A card that is good, one that can be kept and not charged, and one whose owner is asked whether they want to pay.
pub(crate) const GOOD_CARD: &str = "4242424242424242";
pub(crate) const FAILING_CARD: &str = "4000000000000341";
const ASKING_CARD: &str = "4000002500003155";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Names and values of the query and of the form, decoded.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    /// A field of the form or the query.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An event as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) signature: String,
    pub(crate) body: Bytes,
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an event")
    }
}

struct Inside {
    localstripe: String,
    own: String,
    outgoing: Outgoing,
    asked: Mutex<Vec<Asked>>,
    /// Checkouts and portals that were opened, by their id.
    sessions: Mutex<Vec<Value>>,
    /// With anything but nothing, every request is answered with this status.
    outage: AtomicU16,
    deliveries: UnboundedSender<Delivery>,
}

/// The whole of it. Ends with the test.
pub(crate) struct StandIn {
    inside: Arc<Inside>,
    deliveries: UnboundedReceiver<Delivery>,
    waiting: Vec<Delivery>,
    _localstripe: Child,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let (child, port) = start_localstripe().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, deliveries) = unbounded_channel();
        let inside = Arc::new(Inside {
            localstripe: format!("http://127.0.0.1:{port}"),
            own,
            outgoing: Outgoing::new(&Config::defaults().outgoing).expect("a client").for_operator(),
            asked: Mutex::default(),
            sessions: Mutex::default(),
            outage: AtomicU16::new(0),
            deliveries: sender,
        });
        let router = Router::new().fallback(answer).with_state(inside.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let stand_in = Self { inside, deliveries, waiting: Vec::new(), _localstripe: child };
        let hook = format!("{}/hook", stand_in.url());
        stand_in.stripe("POST", "/_config/webhooks/strongroom", &[("url", &hook), ("secret", SECRET)]).await;
        for (id, name) in [("plan_personal", "personal"), ("plan_seat", "seat")] {
            let interval = [("interval", "month"), ("product[name]", name)];
            let plan = [&[("id", id), ("amount", "700"), ("currency", "usd")][..], &interval].concat();
            stand_in.stripe("POST", "/v1/plans", &plan).await;
        }
        stand_in
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.inside.own
    }

    /// Everything that was asked since the last time.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.inside.asked.lock().expect("a list"))
    }

    /// From now on every request is answered with this status; zero ends it.
    pub(crate) fn answer_with(&self, status: u16) {
        self.inside.outage.store(status, Ordering::Relaxed);
    }

    /// Does something at localstripe, behind the back of strongroom.
    pub(crate) async fn stripe(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let method = Method::try_from(method).expect("a method");
        let (status, body) = self.inside.pass_on(method, path, &encode(form)).await;
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// Gives a customer another card.
    pub(crate) async fn change_card(&self, customer: &str, number: &str) {
        let card = [("card[number]", number), ("card[exp_month]", "12"), ("card[exp_year]", "2040")];
        let card = [&[("type", "card"), ("card[cvc]", "123")][..], &card].concat();
        let method = self.stripe("POST", "/v1/payment_methods", &card).await;
        let id = method["id"].as_str().expect("an id");
        self.stripe("POST", &format!("/v1/payment_methods/{id}/attach"), &[("customer", customer)]).await;
        let default = [("invoice_settings[default_payment_method]", id)];
        self.stripe("POST", &format!("/v1/customers/{customer}"), &default).await;
    }

    /// Pays at the page of a checkout, as its visitor would: what Stripe does then is done at localstripe.
    pub(crate) async fn pay(&self, page: &str, card: &str) -> Value {
        let session = self.session(page);
        let customer = session["customer"].as_str().expect("a customer").to_owned();
        self.change_card(&customer, card).await;
        self.complete(page);
        let item = &session["line_items_asked"];
        let (price, quantity) = (item["price"].as_str().expect("a price"), item["quantity"].as_str().expect("seats"));
        let subscription =
            [("customer", customer.as_str()), ("items[0][plan]", price), ("items[0][quantity]", quantity)];
        self.stripe("POST", "/v1/subscriptions", &subscription).await
    }

    /// The pages of checkouts that can be paid.
    pub(crate) fn open_pages(&self) -> Vec<String> {
        let sessions = self.inside.sessions.lock().expect("a list");
        let open = sessions.iter().filter(|session| session["status"] == "open");
        open.map(|session| session["url"].as_str().expect("an address").to_owned()).collect()
    }

    fn complete(&self, page: &str) {
        let mut sessions = self.inside.sessions.lock().expect("a list");
        let session = sessions.iter_mut().find(|session| session["url"] == page).expect("an open page");
        session["status"] = "complete".into();
    }

    /// Tries to renew a subscription and gets no money. Gives the invoice that stays open.
    pub(crate) async fn fail_to_renew(&self, subscription: &Value) -> String {
        let (customer, id) =
            (subscription["customer"].as_str().expect("an id"), subscription["id"].as_str().expect("an id"));
        self.change_card(customer, ASKING_CARD).await;
        let invoice = self.stripe("POST", "/v1/invoices", &[("customer", customer), ("subscription", id)]).await;
        let invoice = invoice["id"].as_str().expect("an id").to_owned();
        let tried = self.stripe("POST", &format!("/v1/invoices/{invoice}/pay"), &[]).await;
        let intent = format!("/v1/payment_intents/{}", tried["payment_intent"].as_str().expect("an id"));
        let secret = self.stripe("GET", &intent, &[]).await["client_secret"].as_str().expect("a secret").to_owned();
        let refused = [("client_secret", secret.as_str()), ("success", "false")];
        self.stripe("POST", &format!("{intent}/_authenticate"), &refused).await;
        invoice
    }

    /// The checkout or portal behind a page.
    pub(crate) fn session(&self, page: &str) -> Value {
        let sessions = self.inside.sessions.lock().expect("a list");
        sessions.iter().find(|session| session["url"] == page).expect("an open page").clone()
    }

    /// The next event of a type; those that come before it are kept for later.
    pub(crate) async fn event(&mut self, kind: &str) -> Delivery {
        loop {
            if let Some(at) = self.waiting.iter().position(|delivery| delivery.json()["type"] == kind) {
                return self.waiting.remove(at);
            }
            let next = tokio::time::timeout(PATIENCE, self.deliveries.recv()).await;
            let next = next.unwrap_or_else(|_| {
                let sent: Vec<_> = self.waiting.iter().map(|delivery| delivery.json()["type"].to_string()).collect();
                panic!("no {kind} was sent, but {sent:?}")
            });
            self.waiting.push(next.expect("a stand-in that listens"));
        }
    }
}

async fn start_localstripe() -> (Child, u16) {
    let python = tokio::task::spawn_blocking(fetch::localstripe).await.expect("a fetch");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/billing/serve_localstripe.py");
    let mut command = Command::new(python);
    command.arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("a Python that starts");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let port = lines.next_line().await.expect("a line").expect("localstripe says its port");
    (child, port.parse().expect("a port"))
}

async fn answer(State(inside): State<Arc<Inside>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    if parts.uri.path() == "/hook" {
        let signature = parts.headers["stripe-signature"].to_str().expect("text").to_owned();
        let _ = inside.deliveries.send(Delivery { signature, body });
        return Response::new(Body::empty());
    }
    let text = String::from_utf8(body.to_vec()).expect("a form");
    let query = parts.uri.query().unwrap_or_default();
    let fields = [query, &text].into_iter().flat_map(decode).collect();
    let asked = Asked { method: parts.method, path: parts.uri.path().to_owned(), fields, headers: parts.headers };
    inside.asked.lock().expect("a list").push(asked.clone());
    let (status, body) = match (inside.outage.load(Ordering::Relaxed), asked.path.as_str()) {
        (0, "/v1/checkout/sessions") if asked.method == Method::GET => inside.list_checkouts(&asked),
        (0, path) if path.ends_with("/expire") => inside.expire(path),
        (0, "/v1/checkout/sessions") => inside.open(&asked, "cs_test_", "checkout.session"),
        (0, "/v1/billing_portal/sessions") => inside.open(&asked, "bps_", "billing_portal.session"),
        (0, path) => {
            let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            inside.pass_on(asked.method.clone(), &target, &text).await
        }
        (status, _) => (StatusCode::from_u16(status).expect("a status"), Bytes::from_static(b"{}")),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Inside {
    async fn pass_on(&self, method: Method, path: &str, form: &str) -> (StatusCode, Bytes) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {KEY}")).expect("a value"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let url = format!("{}{path}", self.localstripe);
        let answer = self.outgoing.ask(method, &url, headers, form.to_owned().into(), 8 << 20).await;
        answer.expect("an answer of localstripe")
    }

    /// The checkouts of a customer that have the status asked for.
    fn list_checkouts(&self, asked: &Asked) -> (StatusCode, Bytes) {
        let sessions = self.sessions.lock().expect("a list");
        let is_wanted = |session: &&Value| {
            session["object"] == "checkout.session"
                && ["customer", "status"]
                    .iter()
                    .all(|name| asked.field(name).is_none_or(|value| session[*name] == value))
        };
        let found: Vec<_> = sessions.iter().filter(is_wanted).map(told).collect();
        let list = json!({ "object": "list", "url": asked.path, "has_more": false, "data": found });
        (StatusCode::OK, Bytes::from(list.to_string()))
    }

    /// Closes a checkout that is open.
    fn expire(&self, path: &str) -> (StatusCode, Bytes) {
        let id = path.trim_start_matches("/v1/checkout/sessions/").trim_end_matches("/expire");
        let mut sessions = self.sessions.lock().expect("a list");
        match sessions.iter_mut().find(|session| session["id"] == id && session["status"] == "open") {
            Some(session) => {
                session["status"] = "expired".into();
                session["url"] = Value::Null;
                (StatusCode::OK, Bytes::from(told(session).to_string()))
            }
            None => (StatusCode::BAD_REQUEST, Bytes::from_static(br#"{"error":{"type":"invalid_request_error"}}"#)),
        }
    }

    /// Opens a page, for a request that has what Stripe asks for.
    fn open(&self, asked: &Asked, prefix: &str, object: &str) -> (StatusCode, Bytes) {
        let refuse = |sentence: &str| {
            let error = json!({ "error": { "type": "invalid_request_error", "message": sentence } });
            (StatusCode::BAD_REQUEST, Bytes::from(error.to_string()))
        };
        if asked.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes) != Some(format!("Bearer {KEY}").as_bytes()) {
            return (StatusCode::UNAUTHORIZED, Bytes::from_static(br#"{"error":{"message":"Invalid API Key"}}"#));
        }
        if asked.method != Method::POST
            || asked.headers.contains_key(CONTENT_LENGTH) && asked.headers.get(HOST).is_none()
        {
            return refuse("Unrecognized request");
        }
        let mut sessions = self.sessions.lock().expect("a list");
        let id = format!("{prefix}{}", sessions.len());
        let url = format!("{}/pages/{id}", self.own);
        let session = match object {
            "checkout.session" => checkout(asked, &id, &url),
            _ => portal(asked, &id, &url),
        };
        match session {
            Err(missing) => refuse(&format!("Missing required param: {missing}")),
            Ok(session) => {
                let answer = told(&session).to_string();
                sessions.push(session);
                (StatusCode::OK, Bytes::from(answer))
            }
        }
    }
}

/// A session as Stripe would tell of it: without what the test wants to know besides.
fn told(session: &Value) -> Value {
    let mut told = session.clone();
    if let Some(members) = told.as_object_mut() {
        members.remove("line_items_asked");
    }
    told
}

/// The answer has every member that Stripe's client declares for it ([`crate::official`] holds it to that).
fn checkout(asked: &Asked, id: &str, url: &str) -> Result<Value, &'static str> {
    let need = |name: &'static str| asked.field(name).ok_or(name);
    let (price, quantity) = (need("line_items[0][price]")?, need("line_items[0][quantity]")?);
    if need("mode")? != "subscription" {
        return Err("mode=subscription");
    }
    let mut session = json!({
        "id": id, "object": "checkout.session", "url": url, "mode": "subscription", "status": "open",
        "payment_status": "unpaid", "livemode": false, "created": 1_700_000_000, "expires_at": 4_000_000_000_u32,
        "customer": need("customer")?, "client_reference_id": asked.field("client_reference_id"),
        "success_url": need("success_url")?, "cancel_url": asked.field("cancel_url"),
        "currency": "usd", "amount_subtotal": 700, "amount_total": 700,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "custom_fields": [], "payment_method_types": ["card"], "shipping_options": [],
        "custom_text": { "after_submit": null, "shipping_address": null, "submit": null,
            "terms_of_service_acceptance": null },
        "metadata": {}, "ui_mode": "hosted",
        "line_items_asked": { "price": price, "quantity": quantity },
    });
    let nothing = [
        "adaptive_pricing",
        "after_expiration",
        "allowed_payment_method_types",
        "allow_promotion_codes",
        "billing_address_collection",
        "branding_settings",
        "client_secret",
        "collected_information",
        "consent",
        "consent_collection",
        "currency_conversion",
        "customer_account",
        "customer_creation",
        "customer_details",
        "customer_email",
        "discounts",
        "integration_identifier",
        "invoice",
        "invoice_creation",
        "locale",
        "managed_payments",
        "origin_context",
        "payment_intent",
        "payment_link",
        "payment_method_collection",
        "payment_method_configuration_details",
        "payment_method_options",
        "permissions",
        "recovered_from",
        "saved_payment_method_options",
        "setup_intent",
        "shipping_address_collection",
        "shipping_cost",
        "submit_type",
        "subscription",
        "total_details",
        "wallet_options",
    ];
    for member in nothing {
        session[member] = Value::Null;
    }
    Ok(session)
}

fn portal(asked: &Asked, id: &str, url: &str) -> Result<Value, &'static str> {
    let customer = asked.field("customer").ok_or("customer")?;
    Ok(json!({
        "id": id, "object": "billing_portal.session", "url": url, "customer": customer, "livemode": false,
        "created": 1_700_000_000, "configuration": "bpc_1", "return_url": asked.field("return_url"),
        "locale": null, "on_behalf_of": null, "flow": null, "customer_account": null,
    }))
}

fn encode(form: &[(&str, &str)]) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let escape = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    form.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

fn decode(text: &str) -> Vec<(String, String)> {
    let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().expect("text").into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}
