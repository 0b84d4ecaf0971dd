//! The chapters of the manual: the files of `docs/manual`, in the binary, rendered once.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use comrak::adapters::{HeadingAdapter, HeadingMeta};
use comrak::nodes::{NodeValue, Sourcepos};
use comrak::options::Plugins;
use comrak::{Anchorizer, Arena, Options, format_html_with_plugins, parse_document};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "docs/manual"]
struct Files;

/// The address that stands in the files for that of the instance.
const EXAMPLE: &str = "https://npm.example.com";

/// Who a chapter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Who has packages here, or is given some.
    User,
    /// Who runs the instance, or is about to run one.
    Operator,
}

/// The chapters in the order in which they are read.
const CHAPTERS: [(&str, Reader); 10] = [
    ("first-steps", Reader::User),
    ("sharing", Reader::User),
    ("organizations", Reader::User),
    ("ci", Reader::User),
    ("billing", Reader::User),
    ("security", Reader::User),
    ("install", Reader::Operator),
    ("running", Reader::Operator),
    ("backup", Reader::Operator),
    ("upgrade", Reader::Operator),
];

/// One chapter.
#[derive(Debug)]
pub(super) struct Chapter {
    /// Its name in addresses.
    pub(super) name: &'static str,
    pub(super) reader: Reader,
    pub(super) title: String,
    html: String,
}

static MANUAL: LazyLock<Vec<Chapter>> = LazyLock::new(|| CHAPTERS.iter().filter_map(Chapter::read).collect());

/// Every chapter.
pub(super) fn chapters() -> &'static [Chapter] {
    &MANUAL
}

impl Chapter {
    fn read((name, reader): &(&'static str, Reader)) -> Option<Self> {
        let file = Files::get(&format!("{name}.md"))?;
        let text = String::from_utf8_lossy(&file.data);
        let (heading, rest) = text.split_once('\n')?;
        let title = heading.trim_start_matches("# ").to_owned();
        Some(Self { name, reader: *reader, title, html: render(rest) })
    }

    /// The text below the title, as HTML. Users read the commands as they work here; operators read of any host.
    pub(super) fn html(&self, public_url: &str) -> String {
        if self.reader == Reader::Operator {
            return self.html.clone();
        }
        let mut url = String::new();
        // Writing to a text does not fail.
        let _ = comrak::html::escape(&mut url, public_url);
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
        let example_host = EXAMPLE.trim_start_matches("https://");
        self.html.replace(EXAMPLE, &url).replace(example_host, host)
    }
}

fn render(markdown: &str) -> String {
    let mut options = Options::default();
    options.extension.table = true;
    let arena = Arena::new();
    let document = parse_document(&arena, markdown, &options);
    for node in document.descendants() {
        if let NodeValue::Link(link) = &mut node.data.borrow_mut().value
            && let Some(chapter) = link.url.strip_suffix(".md")
        {
            link.url = format!("/docs/{chapter}");
        }
    }
    let mut plugins = Plugins::default();
    plugins.render.heading_adapter = Some(&Heading);
    let mut html = String::new();
    // Writing to a text does not fail.
    let _ = format_html_with_plugins(document, &options, &mut html, &plugins);
    html
}

/// Headings that links can lead to. comrak's own hold a link without words, which the Tab key would stop at.
struct Heading;

impl HeadingAdapter for Heading {
    fn enter(&self, output: &mut dyn Write, heading: &HeadingMeta, _: Option<Sourcepos>) -> fmt::Result {
        write!(output, "<h{} id=\"{}\">", heading.level, Anchorizer::new().anchorize(&heading.content))
    }

    fn exit(&self, output: &mut dyn Write, heading: &HeadingMeta) -> fmt::Result {
        write!(output, "</h{}>", heading.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_chapter_and_every_chapter_a_file() {
        let mut files: Vec<_> = Files::iter().map(|file| file.trim_end_matches(".md").to_owned()).collect();
        files.retain(|file| file != "README");
        files.sort();
        let mut names: Vec<_> = chapters().iter().map(|chapter| chapter.name.to_owned()).collect();
        names.sort();
        assert_eq!(names, files);
        assert_eq!(names.len(), CHAPTERS.len());
    }

    #[test]
    fn links_between_chapters_lead_somewhere() {
        for chapter in chapters() {
            let targets = chapter.html.split("href=\"/docs/").skip(1).filter_map(|rest| rest.split('"').next());
            for target in targets {
                let target = target.split('#').next().unwrap_or_default();
                assert!(chapters().iter().any(|other| other.name == target), "{} leads to {target}", chapter.name);
            }
        }
    }

    #[test]
    fn users_read_the_address_of_their_instance() {
        let steps = chapters().iter().find(|chapter| chapter.name == "first-steps").unwrap();
        let html = steps.html("http://127.0.0.1:4873");
        assert!(html.contains("npm login --scope=@ada --registry=http://127.0.0.1:4873"), "{html}");
        let ci = chapters().iter().find(|chapter| chapter.name == "ci").unwrap();
        assert!(ci.html("https://npm.test").contains("//npm.test/:_authToken"));
        assert!(
            chapters()
                .iter()
                .filter(|chapter| chapter.reader == Reader::User)
                .all(|chapter| { !chapter.html("https://registry.test").contains("npm.example.com") })
        );
    }
}
