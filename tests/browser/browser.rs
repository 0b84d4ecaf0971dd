//! One headless Chromium: going to pages, looking at them, and hearing what they tried.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::driver::Driver;
use crate::log::Log;

/// A page that is not there after this will not come.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// Width and height in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen(pub(crate) u32, pub(crate) u32);

impl Screen {
    pub(crate) const DESK: Self = Self(1280, 900);
    pub(crate) const PHONE: Self = Self(390, 844);
    /// The narrowest that WCAG asks for.
    pub(crate) const NARROW: Self = Self(320, 640);
}

/// A browser window without any history, cookies or cache of others.
pub(crate) struct Browser {
    pub(crate) client: Client,
    /// Dropped last: its end is the browser's.
    _driver: Driver,
}

impl Browser {
    /// Opens a browser, unless this machine has none. What leads to `trap` for hosts below `.evil.example` is caught
    /// there; all other hosts but the loopback's address lead nowhere.
    pub(crate) async fn open(trap: Option<u16>) -> Option<Self> {
        let mut driver = Driver::start()?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&driver, trap).as_object().cloned().unwrap_or_default());
        let client = builder.connect(&format!("http://127.0.0.1:{}", driver.port)).await.expect("a browser");
        driver.session = client.session_id().await.expect("a session");
        let browser = Self { client, _driver: driver };
        browser.set_screen(Screen::DESK).await;
        Some(browser)
    }

    /// Goes to an address and waits until the page is there.
    pub(crate) async fn visit(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|cause| panic!("{url}: {cause}"));
    }

    /// Where it is.
    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.expect("an address").to_string()
    }

    /// Shows pages in a theme, as the system's setting would.
    pub(crate) async fn set_theme(&self, theme: Theme) {
        let value = if theme == Theme::Dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Gives the window another size.
    pub(crate) async fn set_screen(&self, Screen(width, height): Screen) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Switches the scripts of pages on or off; what tests evaluate runs all the same.
    pub(crate) async fn allow_script(&self, allowed: bool) {
        self.command("Emulation.setScriptExecutionDisabled", json!({ "value": !allowed })).await;
    }

    /// Forgets who is signed in.
    pub(crate) async fn forget(&self) {
        self.client.delete_all_cookies().await.expect("no cookies");
    }

    /// What an expression is worth in the page; promises are waited for.
    pub(crate) async fn evaluate(&self, expression: &str) -> Value {
        self.evaluate_in(None, expression).await
    }

    /// A world of its own over the page: the page's scripts and rules do not reach it, nor it them.
    pub(crate) async fn world_apart(&self) -> Value {
        let tree = self.command("Page.getFrameTree", json!({})).await;
        let world = json!({ "frameId": tree["frameTree"]["frame"]["id"], "worldName": "tests" });
        self.command("Page.createIsolatedWorld", world).await["executionContextId"].clone()
    }

    /// What an expression is worth in one of the worlds over the page.
    pub(crate) async fn evaluate_in(&self, context: Option<Value>, expression: &str) -> Value {
        let mut request = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        if let Some(context) = context {
            request["contextId"] = context;
        }
        let answer = self.command("Runtime.evaluate", request).await;
        let start: String = expression.chars().take(120).collect();
        assert!(answer.get("exceptionDetails").is_none(), "{start}: {}", answer["exceptionDetails"]);
        answer["result"].get("value").cloned().unwrap_or_default()
    }

    /// A command of the browser's tools for developers.
    pub(crate) async fn command(&self, name: &str, parameters: Value) -> Value {
        let path = "goog/cdp/execute";
        self.issue(path, json!({ "cmd": name, "params": parameters })).await
    }

    /// What happened since this was asked last.
    pub(crate) async fn log(&self) -> Log {
        let mut log = Log::default();
        for kind in ["performance", "browser"] {
            let entries = self.issue("se/log", json!({ "type": kind })).await;
            for entry in entries.as_array().into_iter().flatten() {
                log.add(kind, entry);
            }
        }
        log
    }

    async fn issue(&self, path: &'static str, body: Value) -> Value {
        let what: String = body.to_string().chars().take(200).collect();
        let answer = self.client.issue_cmd(Extension { path, body }).await;
        answer.unwrap_or_else(|cause| panic!("{what}: {cause}"))
    }

    /// The whole page as a PNG file.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.command("Page.captureScreenshot", whole).await;
        STANDARD.decode(answer["data"].as_str().unwrap_or_default()).expect("base64")
    }

    /// Presses the Tab key.
    pub(crate) async fn tab(&self) {
        for kind in ["rawKeyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            self.command("Input.dispatchKeyEvent", key).await;
        }
    }

    /// The words of the page, as they are shown.
    pub(crate) async fn words(&self) -> String {
        self.evaluate("document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a condition of the page holds.
    pub(crate) async fn wait_until(&self, condition: &str) {
        let begin = Instant::now();
        while self.evaluate(&format!("Boolean({condition})")).await != true {
            assert!(
                begin.elapsed() <= PATIENCE,
                "{condition} does not come true on {}:\n{}",
                self.address().await,
                self.words().await
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until the page says something.
    pub(crate) async fn wait_for(&self, words: &str) {
        self.wait_until(&format!("document.body && document.body.innerText.includes({})", json!(words))).await;
    }

    /// Insists that the page says something, now.
    pub(crate) async fn says(&self, words: &str) {
        let shown = self.words().await;
        assert!(shown.contains(words), "{} should say {words:?}:\n{shown}", self.address().await);
    }

    /// Insists that the page does not say something.
    pub(crate) async fn does_not_say(&self, words: &str) {
        let shown = self.words().await;
        assert!(!shown.contains(words), "{} should not say {words:?}:\n{shown}", self.address().await);
    }

    /// Presses the button, or follows the link, that people or screen readers know by this name, and waits for the page
    /// that it leads to.
    pub(crate) async fn press(&self, name: &str) {
        self.press_in("", name).await;
    }

    /// The same in a part of the page, such as one row of a table: the part is known by words in it.
    pub(crate) async fn press_near(&self, words: &str, name: &str) {
        let part = format!("//*[self::tr or self::li or self::form or self::section][contains(., {})]", quote(words));
        self.press_in(&part, name).await;
    }

    async fn press_in(&self, part: &str, name: &str) {
        let quoted = quote(name);
        let named = format!(
            "normalize-space(.) = {quoted} or @aria-label = {quoted} or @value = {quoted} or @title = {quoted}"
        );
        // What the page is about comes before its head and foot, and what does something before what leads somewhere.
        let paths = ["//main", ""].map(|place| {
            let tags = ["button", "input", "a", "summary"];
            tags.map(|tag| format!("{place}{part}//{tag}[{named}]"))
        });
        let element = self.element(paths.as_flattened()).await;
        self.evaluate("window.isBefore = true").await;
        element.click().await.unwrap_or_else(|cause| panic!("{name} cannot be pressed: {cause}"));
        self.wait_until("!window.isBefore && document.readyState === 'complete'").await;
    }

    /// Types into the field with this label; what stood there is gone.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("text");
    }

    /// Ticks a box, or picks a radio button.
    pub(crate) async fn tick(&self, label: &str) {
        let field = self.field(label).await;
        if !field.is_selected().await.expect("a state") {
            field.click().await.expect("a click");
        }
    }

    /// The control that a label names.
    async fn field(&self, label: &str) -> Element {
        let (label, control) = (quote(label), "[self::input or self::select or self::textarea]");
        let labelled = format!("//label[starts-with(normalize-space(.), {label})]");
        let path = format!("//*[@id = {labelled}/@for] | {labelled}//*{control} | //*{control}[@aria-label = {label}]");
        self.element(&[path]).await
    }

    /// The first shown element of the first path that has one.
    async fn element(&self, paths: &[String]) -> Element {
        let begin = Instant::now();
        loop {
            for path in paths {
                for element in self.client.find_all(Locator::XPath(path)).await.expect("an answer") {
                    if element.is_displayed().await.unwrap_or(false) {
                        return element;
                    }
                }
            }
            assert!(
                begin.elapsed() <= PATIENCE,
                "{} is not on {}:\n{}",
                paths[0],
                self.address().await,
                self.words().await
            );
            tokio::time::sleep(GLANCE).await;
        }
    }
}

/// Text as paths write it, which has no way to escape quotes.
fn quote(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

fn capabilities(driver: &Driver, trap: Option<u16>) -> Value {
    let caught = trap.map_or(String::new(), |port| format!("MAP *.evil.example 127.0.0.1:{port}, "));
    let resolver = format!("--host-resolver-rules={caught}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost");
    let mut arguments = vec![
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--hide-scrollbars",
        "--lang=en-GB",
        &resolver,
    ];
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox");
    }
    json!({
        "browserName": "chrome",
        "unhandledPromptBehavior": "accept",
        "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": driver.browser,
            "args": arguments,
            "perfLoggingPrefs": { "enableNetwork": true, "enablePage": true },
        },
    })
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
