//! Makes the HTML of a README fit our page: where links and images lead, how headings rank, how deep things nest.
//!
//! It goes by tokens, not by a tree: HTML that is nested badly enough makes a parser's tree grow with the square of the
//! text. What leaves here is balanced and shallow, so that the sanitizer behind it has honest work. Safety is not decided
//! here; that is the sanitizer's.

use std::cell::RefCell;
use std::fmt::Write as _;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, EndTag, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::contents::Deadline;

use super::Rules;
use super::link::{self, Target};
use super::sanitize::{ATTRIBUTES, ELEMENTS, EVERYWHERE, escape};

/// How deep elements nest; further ones are left out, and what they hold stays.
const DEPTH: usize = 60;
/// How deep those nest that a parser opens again behind whatever closes them.
const INLINE_DEPTH: usize = 16;
/// Tags of one README.
const TAGS: usize = 60_000;

/// Elements whose content is never for reading.
const SILENT: [&str; 8] = ["script", "style", "iframe", "svg", "math", "template", "object", "noembed"];
const VOID: [&str; 4] = ["br", "hr", "img", "wbr"];
/// Elements that no paragraph holds.
const BLOCKS: [&str; 18] = [
    "blockquote",
    "details",
    "div",
    "dl",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];
/// Elements that end the one of the same kind before them: which of them, and where that may have begun.
const SIBLINGS: [(&str, &[&str], &[&str]); 6] = [
    ("li", &["li"], &["ul", "ol"]),
    ("dt", &["dt", "dd"], &["dl"]),
    ("dd", &["dt", "dd"], &["dl"]),
    ("td", &["td", "th"], &["tr", "table"]),
    ("th", &["td", "th"], &["tr", "table"]),
    ("tr", &["tr"], &["table"]),
];

/// Rewrites; `None` when it is too much, or the time is up.
pub(super) fn rewrite(html: &str, rules: &Rules, deadline: Deadline) -> Option<String> {
    let writer = Writer {
        html: String::with_capacity(html.len() * 2),
        open: Vec::new(),
        silent: None,
        heading: 1,
        tags: 0,
        gave_up: false,
        rules,
        deadline,
    };
    let tokenizer = Tokenizer::new(Sink(RefCell::new(writer)), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // The sink never asks to stop, so this comes back when there is nothing left.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut writer = tokenizer.sink.0.into_inner();
    writer.close_to(0);
    (!writer.gave_up).then_some(writer.html)
}

struct Sink<'a>(RefCell<Writer<'a>>);

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => writer.tag(&tag),
            Token::CharacterTokens(text) => writer.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

struct Writer<'a> {
    html: String,
    open: Vec<&'static str>,
    /// The element whose content is dropped, and how often it was opened.
    silent: Option<(&'static str, usize)>,
    /// The level of the last heading; the page's own is 1.
    heading: usize,
    tags: usize,
    gave_up: bool,
    rules: &'a Rules,
    deadline: Deadline,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        if self.silent.is_none() && !self.gave_up {
            self.html.push_str(&escape(text));
        }
    }

    fn tag(&mut self, tag: &Tag) {
        self.tags += 1;
        // The clock is not asked for each.
        if self.tags > TAGS || (self.tags.is_multiple_of(256) && self.deadline.is_over()) {
            self.gave_up = true;
        }
        if self.gave_up || self.is_silent(tag) {
            return;
        }
        match tag.kind {
            StartTag => self.start(tag),
            EndTag => self.end(tag),
        }
    }

    /// Whether the tag stands in what is dropped, or begins or ends it.
    fn is_silent(&mut self, tag: &Tag) -> bool {
        let name = SILENT.into_iter().find(|name| *name == &*tag.name);
        self.silent = match (self.silent, name) {
            (None, None) => return false,
            (None, Some(name)) => (tag.kind == StartTag && !tag.self_closing).then_some((name, 1)),
            (Some((inside, depth)), Some(name)) if inside == name => match tag.kind {
                StartTag => Some((inside, depth + 1)),
                EndTag if depth > 1 => Some((inside, depth - 1)),
                EndTag => None,
            },
            (inside, _) => inside,
        };
        true
    }

    fn start(&mut self, tag: &Tag) {
        if &*tag.name == "input" {
            return self.task(tag);
        }
        let Some(name) = self.element(&tag.name) else { return };
        if name == "img" {
            return self.image(tag);
        }
        self.make_room(name);
        let is_nested_link = name == "a" && self.open.contains(&"a");
        if is_nested_link || self.is_too_deep(name) {
            return;
        }
        if name == "table" {
            self.html.push_str("<div class=\"wide\" tabindex=\"0\">");
            self.open.push("div");
        }
        self.html.push('<');
        self.html.push_str(name);
        self.attributes(name, tag);
        if name == "pre" {
            // What scrolls has to be reached by keys.
            self.html.push_str(" tabindex=\"0\"");
        }
        self.html.push('>');
        if !VOID.contains(&name) {
            self.open.push(name);
        }
    }

    /// The element that stands for a tag: headings rank one lower, and never skip a rank.
    fn element(&mut self, name: &str) -> Option<&'static str> {
        let level = name.strip_prefix('h').and_then(|level| level.parse::<usize>().ok()).filter(|level| *level <= 6);
        if let Some(level) = level {
            self.heading = (level + 1).min(self.heading + 1).min(6);
        }
        let name = match (level, name) {
            (Some(_), _) => return ["h2", "h2", "h2", "h3", "h4", "h5", "h6"].get(self.heading).copied(),
            (None, "center") => "div",
            (None, "strike") => "s",
            (None, other) => other,
        };
        ELEMENTS.into_iter().find(|known| *known == name)
    }

    /// Ends what cannot hold the element.
    fn make_room(&mut self, name: &str) {
        if BLOCKS.contains(&name) {
            let last_block = self.open.iter().rposition(|open| BLOCKS.contains(open) || is_cell(open));
            if let Some(at) = last_block.filter(|at| self.open[*at] == "p") {
                self.close_to(at);
            }
        }
        if let Some((_, ends, within)) = SIBLINGS.iter().find(|(sibling, ..)| *sibling == name) {
            let start = self.open.iter().rposition(|open| within.contains(open)).map_or(0, |at| at + 1);
            if let Some(at) = self.open.iter().skip(start).position(|open| ends.contains(open)) {
                self.close_to(start + at);
            }
        }
    }

    fn is_too_deep(&self, name: &str) -> bool {
        let is_inline = |name: &str| !BLOCKS.contains(&name) && !is_cell(name);
        self.open.len() + 2 > DEPTH
            || (is_inline(name) && self.open.iter().filter(|open| is_inline(open)).count() >= INLINE_DEPTH)
    }

    fn end(&mut self, tag: &Tag) {
        let is_heading = tag.name.len() == 2 && tag.name.starts_with('h') && &*tag.name != "hr";
        let name = match &*tag.name {
            "center" => "div",
            "strike" => "s",
            other => other,
        };
        let fits =
            |open: &&'static str| if is_heading { open.len() == 2 && open.starts_with('h') } else { *open == name };
        let Some(at) = self.open.iter().rposition(fits) else { return };
        // A table brought a frame along.
        let has_frame = name == "table" && at > 0;
        self.close_to(if has_frame { at - 1 } else { at });
    }

    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            if let Some(name) = self.open.pop() {
                let _ = write!(self.html, "</{name}>");
            }
        }
    }

    fn attributes(&mut self, element: &str, tag: &Tag) {
        let own = ATTRIBUTES.iter().find(|(name, _)| *name == element).map_or(&[][..], |(_, names)| *names);
        for attribute in &tag.attrs {
            let value = &*attribute.value;
            let (name, value) = match &*attribute.name.local {
                "href" => match link::href(value, self.rules) {
                    Some(href) => ("href", href),
                    None => continue,
                },
                "id" => ("id", link::prefixed(value)),
                "name" if element == "a" => ("id", link::prefixed(value)),
                "align" => ("align", value.to_ascii_lowercase()),
                // Which classes remain is for the sanitizer to say.
                "class" => ("class", value.to_owned()),
                "tabindex" => continue,
                other => match EVERYWHERE.into_iter().chain(own.iter().copied()).find(|name| *name == other) {
                    Some(name) => (name, value.to_owned()),
                    None => continue,
                },
            };
            let _ = write!(self.html, " {name}=\"{}\"", escape(&value));
        }
    }

    /// An image of the package is shown; one from elsewhere would tell that host who reads this, so it is linked to.
    fn image(&mut self, tag: &Tag) {
        let value = |name: &str| tag.attrs.iter().find(|one| &*one.name.local == name).map(|one| &*one.value);
        let alt = value("alt").unwrap_or_default().trim();
        let target = value("src").and_then(link::read);
        let source = target.as_ref().and_then(|target| link::image(target, self.rules));
        match (source, target) {
            (Some(source), _) => {
                let _ = write!(self.html, "<img src=\"{}\" alt=\"{}\" loading=\"lazy\"", escape(&source), escape(alt));
                for name in ["width", "height", "align", "title"] {
                    if let Some(value) = value(name) {
                        let _ = write!(self.html, " {name}=\"{}\"", escape(value.trim_end_matches("px")));
                    }
                }
                self.html.push('>');
            }
            (None, Some(Target::Elsewhere { url, host })) => self.image_elsewhere(&url, &host, alt),
            (None, _) => self.html.push_str(&escape(alt)),
        }
    }

    fn image_elsewhere(&mut self, url: &str, host: &str, alt: &str) {
        let alt = if alt.is_empty() { "image" } else { alt };
        let text = escape(&format!("{alt} ({host})"));
        let _ = if self.open.contains(&"a") {
            write!(self.html, "<span class=\"elsewhere\">{text}</span>")
        } else {
            write!(self.html, "<a class=\"elsewhere\" href=\"{}\">{text}</a>", escape(url))
        };
    }

    /// The box of a task becomes a sign: nothing on a page of ours can be ticked that does not keep it.
    fn task(&mut self, tag: &Tag) {
        let has = |name: &str| tag.attrs.iter().any(|one| &*one.name.local == name);
        let is_box =
            tag.attrs.iter().any(|one| &*one.name.local == "type" && one.value.eq_ignore_ascii_case("checkbox"));
        if is_box {
            let (word, sign) = if has("checked") { ("done", '\u{2611}') } else { ("to do", '\u{2610}') };
            let _ = write!(self.html, "<span role=\"img\" aria-label=\"{word}\">{sign}</span>");
        }
    }
}

fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th" | "tr" | "thead" | "tbody" | "tfoot" | "caption" | "li" | "dd" | "dt" | "summary")
}
