//! What pages did, as the browser tells it: requests, dialogs, and what it complained about.

use serde_json::Value;

/// What happened in a stretch of time.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The addresses that pages asked for, also those that the browser then refused to ask.
    pub(crate) requests: Vec<String>,
    /// The words of dialogs that scripts opened.
    pub(crate) dialogs: Vec<String>,
    /// What the console says of rules that were broken, and of scripts that failed.
    pub(crate) complaints: Vec<String>,
}

impl Log {
    /// Takes in an entry of one of the driver's logs.
    pub(crate) fn add(&mut self, kind: &str, entry: &Value) {
        let words = entry["message"].as_str().unwrap_or_default();
        if kind == "browser" {
            // Advice comes with lower levels.
            let matters = entry["level"] == "SEVERE" || words.contains("Content Security Policy");
            self.complaints.extend(matters.then(|| words.to_owned()));
            return;
        }
        let event: Value = serde_json::from_str(words).unwrap_or_default();
        let event = &event["message"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => self.requests.push(text(&event["params"]["request"]["url"])),
            "Network.webSocketCreated" => self.requests.push(text(&event["params"]["url"])),
            "Page.javascriptDialogOpening" => self.dialogs.push(text(&event["params"]["message"])),
            _ => {}
        }
    }

    /// The requests that were meant for others than the house.
    pub(crate) fn foreign(&self, origin: &str) -> Vec<&str> {
        let at_home = |url: &str| {
            let rest = url.strip_prefix(origin);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) || url.starts_with("data:")
        };
        self.requests.iter().map(String::as_str).filter(|url| !at_home(url)).collect()
    }

    /// The complaints that matter: a page of an error is an answer, and no trouble.
    pub(crate) fn troubles(&self) -> Vec<&str> {
        let answered = |words: &str| words.contains("Failed to load resource: the server responded with a status of");
        self.complaints.iter().map(String::as_str).filter(|words| !answered(words)).collect()
    }
}
