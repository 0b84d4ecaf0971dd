//! The last word on the HTML of a README: a list of what is allowed, and nothing else remains.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ammonia::{Builder, UrlRelative};

use crate::contents::push_escaped;

use super::link::PREFIX;

/// Elements of a README. None loads, runs, submits or plays anything, but for images, whose addresses are looked at.
pub(super) const ELEMENTS: [&str; 58] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];

/// Attributes that any of them may have.
pub(super) const EVERYWHERE: [&str; 5] = ["align", "dir", "id", "lang", "title"];

/// Attributes that some of them may have besides.
pub(super) const ATTRIBUTES: [(&str, &[&str]); 9] = [
    ("a", &["href", "aria-label"]),
    ("details", &["open"]),
    ("div", &["tabindex"]),
    ("img", &["src", "alt", "width", "height", "loading"]),
    ("ol", &["start"]),
    ("pre", &["tabindex"]),
    ("span", &["role", "aria-label"]),
    ("td", &["colspan", "rowspan"]),
    ("th", &["colspan", "rowspan", "scope"]),
];

/// Classes: those that our renderers make, which a stylesheet of ours knows.
const CLASSES: [(&str, &[&str]); 6] = [
    ("a", &["elsewhere", "footnote-backref"]),
    (
        "div",
        &[
            "wide",
            "markdown-alert",
            "markdown-alert-note",
            "markdown-alert-tip",
            "markdown-alert-important",
            "markdown-alert-warning",
            "markdown-alert-caution",
        ],
    ),
    ("p", &["markdown-alert-title"]),
    ("section", &["footnotes"]),
    ("span", &["elsewhere", "t-c", "t-d", "t-f", "t-i", "t-k", "t-n", "t-s", "t-t", "t-x"]),
    ("sup", &["footnote-ref"]),
];

/// Takes everything out that is not allowed.
pub(super) fn clean(html: &str, image_hosts: &Arc<[String]>) -> String {
    let hosts = image_hosts.clone();
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(HashSet::from(EVERYWHERE))
        .tag_attributes(ATTRIBUTES.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect())
        .allowed_classes(
            CLASSES.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect::<HashMap<_, _>>(),
        )
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("nofollow noopener ugc"))
        .id_prefix(Some(PREFIX))
        .attribute_filter(move |element, attribute, value| filter(element, attribute, value, &hosts));
    builder.clean(html).to_string()
}

/// Says once more what [`rewrite`](super::rewrite) has made so: whoever changes that one day cannot open anything.
fn filter<'value>(element: &str, attribute: &str, value: &'value str, hosts: &[String]) -> Option<Cow<'value, str>> {
    let is_number = |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|one| one.is_ascii_digit());
    let is_ours = |url: &str| url.starts_with("/package/@");
    let is_fine = match attribute {
        "href" => {
            let lower = value.to_ascii_lowercase();
            let leads_out = ["http://", "https://", "mailto:"].iter().any(|start| lower.starts_with(start));
            leads_out || is_ours(value) || value.strip_prefix('#').is_some_and(|name| name.starts_with(PREFIX))
        }
        "src" => is_ours(value) || is_from(value, hosts),
        "align" => matches!(value, "left" | "right" | "center"),
        "dir" => matches!(value, "ltr" | "rtl" | "auto"),
        "width" | "height" => is_number(value.strip_suffix('%').unwrap_or(value)),
        "start" | "colspan" | "rowspan" => is_number(value),
        "tabindex" => value == "0",
        "role" => element == "span" && value == "img",
        "loading" => value == "lazy",
        "scope" => matches!(value, "col" | "row"),
        "id" | "lang" | "title" | "alt" | "aria-label" | "class" | "open" | "rel" => true,
        _ => false,
    };
    is_fine.then_some(Cow::Borrowed(value))
}

fn is_from(url: &str, hosts: &[String]) -> bool {
    url.parse::<http::Uri>().ok().is_some_and(|url| {
        url.scheme_str() == Some("https")
            && url.host().is_some_and(|host| hosts.iter().any(|one| host.eq_ignore_ascii_case(one)))
    })
}

/// Text as HTML that shows it.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    text.chars().for_each(|character| push_escaped(&mut html, character));
    html
}
