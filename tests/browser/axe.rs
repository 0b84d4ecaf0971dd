//! axe-core, which knows the rules of accessibility, over the page that a browser shows.

use std::fs;

use serde_json::Value;

use crate::browser::{Browser, Theme};
use crate::fetched;

/// Pinned by its first number, as all clients are.
const PACKAGE: &str = "axe-core@4";

/// WCAG 2.2 AA with all it builds upon, and what axe's authors recommend beyond.
const RUN: &str = "axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    rules: { 'target-size': { enabled: true } },
    resultTypes: ['violations'],
}).then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, html, any, all, none }) => `${id}: ${help}: ${target.join(' ')}\n        ${html}\n        `
        + [...any, ...all, ...none].map(({ message }) => message).join('; '))))";

/// The rules, as one script.
pub(crate) struct Axe {
    script: String,
}

impl Axe {
    /// Fetches the rules, unless they cannot be had: then the reason.
    pub(crate) async fn find() -> Result<Self, String> {
        let fetching = tokio::task::spawn_blocking(|| fetched::package("axe", PACKAGE));
        let file = fetching.await.expect("no panic")?.join("axe-core/axe.min.js");
        let script =
            fs::read_to_string(&file).map_err(|cause| format!("{} cannot be read: {cause}", file.display()))?;
        Ok(Self { script })
    }

    /// What is wrong with the page in each theme, one line for each element.
    pub(crate) async fn violations(&self, browser: &Browser) -> Vec<String> {
        let world = browser.world_apart().await;
        browser.evaluate_in(Some(world.clone()), &format!("{};0", self.script)).await;
        let mut violations = Vec::new();
        for theme in [Theme::Dark, Theme::Light] {
            browser.set_theme(theme).await;
            let found = browser.evaluate_in(Some(world.clone()), RUN).await;
            let Value::Array(found) = found else { panic!("axe gives no list: {found}") };
            violations.extend(found.iter().map(|line| format!("{theme:?}: {}", line.as_str().unwrap_or_default())));
        }
        violations
    }
}
