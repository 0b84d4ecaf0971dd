//! Source in colours: lines of HTML whose spans carry one of a few short classes.
//!
//! Grammars know hundreds of names for what a word is, and a theme a hundred of them. A page has eight colours, so each
//! stretch gets at most one class here, and the HTML stays small. The source is a stranger's: it is escaped here and
//! nowhere else, the work is bounded, and what a grammar cannot digest stays plain.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::time::Duration;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use crate::names::is_misleading;

use super::deadline::Deadline;

/// Longer lines are made by machines; colouring them is slow and helps nobody.
const LONGEST_LINE: usize = 1000;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// The first that fits wins; a stretch is asked for from its innermost name outwards.
static CLASSES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let classes = [
        ("comment", "t-c"),
        ("string", "t-s"),
        ("constant.character.escape", "t-n"),
        ("constant", "t-n"),
        ("variable.language", "t-n"),
        ("keyword", "t-k"),
        ("storage", "t-k"),
        ("support.function", "t-f"),
        ("entity.name.function", "t-f"),
        ("variable.function", "t-f"),
        ("support", "t-t"),
        ("entity.name.tag", "t-k"),
        ("entity.other.attribute-name", "t-f"),
        ("entity.name", "t-t"),
        ("meta.mapping.key", "t-f"),
        ("markup.heading", "t-k"),
        ("markup.inserted", "t-i"),
        ("markup.deleted", "t-d"),
    ];
    let scope = |(name, class)| Scope::new(name).ok().map(|scope| (scope, class));
    classes.into_iter().filter_map(scope).collect()
});

/// How much may be coloured, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    bytes: usize,
    deadline: Deadline,
}

impl Budget {
    /// So many bytes, from now on for so long. Loading the grammars, once for each process, does not count.
    pub fn new(bytes: usize, work: Duration) -> Self {
        LazyLock::force(&SYNTAXES);
        Self { bytes, deadline: Deadline::after(work) }
    }

    /// What is left of it when so many bytes have been coloured.
    #[must_use]
    pub fn less(self, bytes: usize) -> Self {
        Self { bytes: self.bytes.saturating_sub(bytes), ..self }
    }

    fn allows(self, bytes: usize) -> bool {
        bytes <= self.bytes && !self.deadline.is_over()
    }
}

/// The lines of a file, by the grammar that its name or first line calls for.
pub(super) fn lines_of_file(path: &str, text: &str, budget: &Budget) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit('.').next().unwrap_or(name);
    let first_line = text.lines().next().unwrap_or_default();
    let by_line = || {
        let short = first_line.len() <= LONGEST_LINE;
        short.then(|| SYNTAXES.find_syntax_by_first_line(first_line)).flatten()
    };
    let grammar = SYNTAXES.find_syntax_by_extension(name).or_else(|| grammar_named(extension)).or_else(by_line);
    lines(text, grammar, budget)
}

/// Code in a language that its author named, as one text.
pub fn highlight_named(language: Option<&str>, code: &str, budget: &Budget) -> String {
    let grammar = language.filter(|name| name.len() <= 40).and_then(grammar_named);
    let mut lines = lines(code, grammar, budget);
    lines.push(String::new());
    lines.join("\n")
}

fn grammar_named(name: &str) -> Option<&'static SyntaxReference> {
    // What nobody has a grammar for, and what comes close enough.
    let name = match name.to_ascii_lowercase().as_str() {
        "mjs" | "cjs" | "jsx" | "node" => "js".to_owned(),
        "mts" | "cts" => "ts".to_owned(),
        "jsonc" | "json5" => "json".to_owned(),
        "console" | "shell" | "shellsession" => "sh".to_owned(),
        other => other.to_owned(),
    };
    SYNTAXES.find_syntax_by_token(&name)
}

fn lines(text: &str, grammar: Option<&SyntaxReference>, budget: &Budget) -> Vec<String> {
    let coloured = grammar.filter(|_| budget.allows(text.len())).and_then(|grammar| {
        // A grammar that panics is a fault of ours; a page without colours is how it shows.
        catch_unwind(AssertUnwindSafe(|| colour(text, grammar, budget))).ok()
    });
    coloured.unwrap_or_else(|| text.lines().map(plain_line).collect())
}

fn colour(text: &str, grammar: &SyntaxReference, budget: &Budget) -> Vec<String> {
    let mut state = Some(ParseState::new(grammar));
    let mut scopes = ScopeStack::new();
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let coloured = match &mut state {
            Some(parser) if line.len() <= LONGEST_LINE && budget.allows(0) => colour_line(line, parser, &mut scopes),
            _ => None,
        };
        if coloured.is_none() && line.len() <= LONGEST_LINE {
            // Where it was lost once, what follows would be coloured wrongly.
            state = None;
        }
        lines.push(coloured.unwrap_or_else(|| plain_line(without_end(line))));
    }
    lines
}

fn colour_line(line: &str, parser: &mut ParseState, scopes: &mut ScopeStack) -> Option<String> {
    let operations = parser.parse_line(line, &SYNTAXES).ok()?;
    let end = without_end(line).len();
    let mut html = String::with_capacity(line.len() * 2);
    let mut open = None;
    let mut position = 0;
    for (at, operation) in operations {
        let at = at.min(end);
        if at > position {
            write_stretch(&mut html, line.get(position..at)?, class_of(scopes), &mut open);
            position = at;
        }
        scopes.apply(&operation).ok()?;
    }
    if position < end {
        write_stretch(&mut html, line.get(position..end)?, class_of(scopes), &mut open);
    }
    if open.is_some() {
        html.push_str("</span>");
    }
    Some(html)
}

fn write_stretch(html: &mut String, text: &str, class: Option<&'static str>, open: &mut Option<&'static str>) {
    let is_blank = text.trim().is_empty();
    if *open != class && !is_blank {
        if open.is_some() {
            html.push_str("</span>");
        }
        if let Some(class) = class {
            html.push_str("<span class=\"");
            html.push_str(class);
            html.push_str("\">");
        }
        *open = class;
    }
    escape(html, text);
}

fn class_of(scopes: &ScopeStack) -> Option<&'static str> {
    let class = |scope: &Scope| CLASSES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, class)| *class);
    scopes.as_slice().iter().rev().find_map(class)
}

fn without_end(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

/// A line as HTML without colours.
pub fn plain_line(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    escape(&mut html, text);
    html
}

/// Characters that show nothing, or turn around what stands beside them, are written out: source must not look like
/// other source than it is.
fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        if is_misleading(character) {
            let _ = write!(html, "<span class=\"t-x\">U+{:04X}</span>", u32::from(character));
        } else {
            push_escaped(html, character);
        }
    }
}

/// Adds a character to HTML so that it stands for itself, in text and in attributes.
pub fn push_escaped(html: &mut String, character: char) {
    match character {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        other => html.push(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget() -> Budget {
        Budget::new(1 << 20, Duration::from_mins(1))
    }

    fn without_tags(html: &str) -> String {
        let mut text = String::new();
        let mut in_tag = false;
        for character in html.chars() {
            match character {
                '<' => in_tag = true,
                '>' => in_tag = false,
                other if !in_tag => text.push(other),
                _ => {}
            }
        }
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    #[test]
    fn words_get_the_class_of_what_they_are() {
        let lines = lines_of_file("lib/index.js", "const a = 'b' // c\n", &budget());
        assert_eq!(lines.len(), 1);
        for part in ["<span class=\"t-k\">const </span>", "<span class=\"t-s\">", "<span class=\"t-c\">"] {
            assert!(lines[0].contains(part), "{lines:?}");
        }
        for path in ["a.ts", "a.tsx", "a.mjs", "a.json", "README.md", "a.css", "a.html", "a.yml", "a.toml", "a.sh"] {
            let text = "key: \"value\" # <b>\n";
            assert_eq!(without_tags(&lines_of_file(path, text, &budget()).join("\n")), text.trim_end(), "{path}");
        }
    }

    #[test]
    fn source_that_hides_is_written_out() {
        let lines = lines_of_file("a.txt", "a\u{202e}b\u{0}<i>\n", &budget());
        assert_eq!(lines, ["a<span class=\"t-x\">U+202E</span>b<span class=\"t-x\">U+0000</span>&lt;i&gt;"]);
    }

    #[test]
    fn what_is_too_much_stays_plain() {
        let code = "const a = 1\n".repeat(100);
        let plain = lines_of_file("a.js", &code, &Budget::new(10, Duration::from_mins(1)));
        assert_eq!(plain[0], "const a = 1");
        assert_eq!(lines_of_file("a.js", &code, &Budget::new(1 << 20, Duration::ZERO))[99], "const a = 1");
        let long = format!("const a = 1\n{}\nconst b = 1\n", "(".repeat(5000));
        let lines = lines_of_file("a.js", &long, &budget());
        assert!(lines[2].contains("t-k"), "{}", lines[2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_of_the_source_is_lost_or_becomes_markup(
            code in "[a-z<>&\"'`{}()/*\\\\$#\n ;=-]{0,200}",
            path in "a\\.(js|ts|md|html|css|json|php|rb|sh)",
        ) {
            let html = lines_of_file(&path, &code, &budget()).join("\n");
            prop_assert_eq!(without_tags(&html), code.lines().collect::<Vec<_>>().join("\n"));
            for tag in html.split('<').skip(1) {
                prop_assert!(tag.starts_with("span class=\"t-") || tag.starts_with("/span>"), "{}", html);
            }
        }
    }
}
