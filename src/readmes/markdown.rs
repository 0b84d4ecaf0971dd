//! Markdown into HTML: GitHub's flavour, with source in colours.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use comrak::adapters::{HeadingAdapter, HeadingMeta, SyntaxHighlighterAdapter};
use comrak::nodes::Sourcepos;
use comrak::options::Plugins;
use comrak::{Anchorizer, Arena, Options};

use crate::contents::{Budget, Deadline, highlight_named};

use super::sanitize::escape;

/// How much code of one README is coloured, and how much of its time that may take.
const COLOURED_BYTES: usize = 100 << 10;
const COLOURING: Duration = Duration::from_millis(250);

/// Makes HTML of Markdown; `None` when the time is up. HTML in it comes through as it is.
pub(super) fn to_html(text: &str, deadline: Deadline) -> Option<String> {
    let is_late = || deadline.is_over();
    let options = options();
    let arena = Arena::new();
    let root = comrak::try_parse_document(&arena, text, &options, &is_late).ok()?;
    let highlighter = Highlighter { budget: Mutex::new(Budget::new(COLOURED_BYTES, COLOURING)) };
    let headings = Headings { names: Mutex::new(Anchorizer::new()) };
    let mut plugins = Plugins::default();
    plugins.render.codefence_syntax_highlighter = Some(&highlighter);
    plugins.render.heading_adapter = Some(&headings);
    let mut html = String::with_capacity(text.len() * 2);
    comrak::format_html_with_plugins(root, &options, &mut html, &plugins).ok()?;
    (!is_late()).then_some(html)
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    // What is allowed of HTML is said behind this, once for what is written as HTML and as Markdown.
    options.render.r#unsafe = true;
    options
}

/// Colours code, as long as there is some budget.
struct Highlighter {
    budget: Mutex<Budget>,
}

impl SyntaxHighlighterAdapter for Highlighter {
    fn write_highlighted(&self, output: &mut dyn fmt::Write, language: Option<&str>, code: &str) -> fmt::Result {
        let language = language.and_then(|info| info.split([' ', ',', '{']).next());
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let html = highlight_named(language, code, &budget);
        *budget = budget.less(code.len());
        output.write_str(&html)
    }

    fn write_pre_tag(&self, output: &mut dyn fmt::Write, _: HashMap<&'static str, Cow<'_, str>>) -> fmt::Result {
        output.write_str("<pre>")
    }

    fn write_code_tag(&self, output: &mut dyn fmt::Write, _: HashMap<&'static str, Cow<'_, str>>) -> fmt::Result {
        output.write_str("<code>")
    }
}

/// Gives headings names to link to, each once.
struct Headings {
    names: Mutex<Anchorizer>,
}

impl HeadingAdapter for Headings {
    fn enter(&self, output: &mut dyn fmt::Write, heading: &HeadingMeta, _: Option<Sourcepos>) -> fmt::Result {
        let name = self.names.lock().unwrap_or_else(PoisonError::into_inner).anchorize(&heading.content);
        write!(output, "<h{} id=\"{}\">", heading.level, escape(&name))
    }

    fn exit(&self, output: &mut dyn fmt::Write, heading: &HeadingMeta) -> fmt::Result {
        writeln!(output, "</h{}>", heading.level)
    }
}
