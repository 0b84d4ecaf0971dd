//! A browser without a screen and without script: cookies, links, forms.

use std::sync::Mutex;

use axum::body::Body;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use scraper::{ElementRef, Html, Selector};
use strongroom::names::AccountName;
use strongroom::tokens::Opening;

use super::app::{ADDRESS, Answer, PASSWORD, TestApp};

/// Somebody with a browser.
pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    cookies: Mutex<Vec<(String, String)>>,
}

/// A page as the browser shows it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) answer: Answer,
    /// Where it was found.
    pub(crate) path: String,
}

/// A form of a page, filled in as the page has it.
#[derive(Debug, Clone)]
pub(crate) struct FilledForm {
    pub(crate) action: String,
    pub(crate) method: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl TestApp {
    /// A browser that nobody has logged in with.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { app: self, cookies: Mutex::default() }
    }

    /// A browser that this user has logged in with, by the login page.
    pub(crate) async fn logged_in(&self, name: &str) -> Browser<'_> {
        let browser = self.browser();
        let page = browser.get("/login").await.expect(200);
        let form = page.form("/login").fill("name", name).fill("password", PASSWORD);
        browser.submit(form).await.expect(303);
        browser
    }

    /// A browser with a session that was opened without the login page, which costs a password.
    pub(crate) async fn session(&self, name: &str) -> Browser<'_> {
        let name: AccountName = name.parse().expect("a name");
        let account = self.app.users.find(&name).await.expect("an answer").expect("a user").id;
        let opening =
            Opening { account, name: &name, proven: None, client: "a test", address: ADDRESS.into(), days: 30 };
        let secret = self.app.tokens.open_session(opening).await.expect("a session");
        let browser = self.browser();
        browser.set_cookie("sr", &secret.expose());
        browser
    }
}

impl Browser<'_> {
    /// Opens an address.
    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[], Body::empty()).await
    }

    /// Sends a form as a browser does. What comes back is not followed.
    pub(crate) async fn submit(&self, form: FilledForm) -> Page {
        let pairs: Vec<_> =
            form.fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        if form.method == "get" {
            return self.get(&format!("{}?{}", form.action, pairs.join("&"))).await;
        }
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        self.send("POST", &form.action, &headers, Body::from(pairs.join("&"))).await
    }

    /// Sends a form, and opens the page that it leads to.
    pub(crate) async fn submit_and_follow(&self, form: FilledForm) -> Page {
        let sent = self.submit(form).await.expect(303);
        self.get(&sent.location()).await
    }

    /// Sends fields that no page offered, as from a page of this `site`.
    pub(crate) async fn post<N: AsRef<str>, V: AsRef<str>>(
        &self,
        path: &str,
        site: &str,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Page {
        let pair = |(name, value): (N, V)| format!("{}={}", encode(name.as_ref()), encode(value.as_ref()));
        let body = fields.into_iter().map(pair).collect::<Vec<_>>().join("&");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", site)];
        self.send("POST", path, &headers, Body::from(body)).await
    }

    /// Any request, with the browser's cookies.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Page {
        let mut request = Request::builder().method(method).uri(path).header("accept", "text/html,*/*;q=0.8");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies = self
            .cookies
            .lock()
            .expect("a jar")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let answer = self.app.send(request.body(body).expect("a request")).await;
        self.keep_cookies(&answer);
        Page { answer, path: path.to_owned() }
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("a jar").iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// Puts a cookie into the browser.
    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().expect("a jar");
        cookies.retain(|(key, _)| key != name);
        cookies.push((name.to_owned(), value.to_owned()));
    }

    fn keep_cookies(&self, answer: &Answer) {
        for value in answer.headers.get_all("set-cookie") {
            let text = value.to_str().expect("text");
            let (name, value) = text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.set_cookie(name, value);
            if text.contains("Max-Age=0") {
                self.cookies.lock().expect("a jar").retain(|(key, _)| key != name);
            }
        }
    }
}

impl Page {
    /// Fails the test where the status is another one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let Self { answer, path } = self;
        Self { answer: answer.expect(status), path }
    }

    /// The HTML.
    pub(crate) fn html(&self) -> String {
        String::from_utf8(self.answer.bytes.to_vec()).expect("UTF-8")
    }

    /// Where the browser is sent.
    pub(crate) fn location(&self) -> String {
        self.answer.header("location").to_owned()
    }

    /// The text of the first element that a selector finds, its blanks made one; empty where there is none.
    pub(crate) fn text(&self, selector: &str) -> String {
        self.texts(selector).into_iter().next().unwrap_or_default()
    }

    /// The texts of all elements that a selector finds.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html());
        let selector = Selector::parse(selector).expect("a selector");
        document.select(&selector).map(plain_text).collect()
    }

    /// An attribute of every element that a selector finds.
    pub(crate) fn attributes(&self, selector: &str, attribute: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html());
        let selector = Selector::parse(selector).expect("a selector");
        document.select(&selector).filter_map(|element| element.attr(attribute).map(str::to_owned)).collect()
    }

    /// The first form that leads to an address, as the page fills it in.
    #[track_caller]
    pub(crate) fn form(&self, action: &str) -> FilledForm {
        let forms = self.forms(action);
        forms
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no form leads to {action} on {}: {}", self.path, self.html()))
    }

    /// Every form that leads to an address.
    pub(crate) fn forms(&self, action: &str) -> Vec<FilledForm> {
        let document = Html::parse_document(&self.html());
        let forms = Selector::parse("form").expect("a selector");
        let leads = |form: &ElementRef<'_>| form.attr("action").unwrap_or(&self.path) == action;
        document.select(&forms).filter(leads).map(|form| FilledForm::of(form, action)).collect()
    }
}

impl FilledForm {
    fn of(form: ElementRef<'_>, action: &str) -> Self {
        let controls = Selector::parse("input[name], textarea[name], select[name]").expect("a selector");
        let fields = form.select(&controls).filter_map(value_of).collect();
        let method = form.attr("method").unwrap_or("get").to_lowercase();
        Self { action: action.to_owned(), method, fields }
    }

    /// Types into a field; of several with one name, all of them.
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(key, _)| key != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Presses a button with a name and a value.
    pub(crate) fn press(self, name: &str, value: &str) -> Self {
        self.fill(name, value)
    }

    /// Unticks a box.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(key, _)| key != name);
        self
    }
}

/// What a control sends if nobody touches it.
fn value_of(control: ElementRef<'_>) -> Option<(String, String)> {
    let name = control.attr("name")?.to_owned();
    let value = match control.value().name() {
        "textarea" => control.text().collect(),
        "select" => selected(control)?,
        _ => match control.attr("type").unwrap_or("text") {
            "checkbox" | "radio" if control.attr("checked").is_none() => return None,
            "checkbox" | "radio" => control.attr("value").unwrap_or("on").to_owned(),
            "submit" | "button" | "image" | "reset" => return None,
            _ => control.attr("value").unwrap_or_default().to_owned(),
        },
    };
    Some((name, value))
}

fn selected(select: ElementRef<'_>) -> Option<String> {
    let options = Selector::parse("option").expect("a selector");
    let chosen = select.select(&options).find(|option| option.attr("selected").is_some());
    let option = chosen.or_else(|| select.select(&options).next())?;
    Some(option.attr("value").map_or_else(|| plain_text(option), str::to_owned))
}

fn plain_text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
