//! What strangers write into READMEs.

use proptest::prelude::*;

use super::*;

fn rules() -> Rules {
    let image_hosts = ["img.example".to_owned()].into();
    Rules { name: "@ada/one".parse().unwrap(), version: "1.0.0".parse().unwrap(), image_hosts }
}

fn html(text: &str) -> String {
    render(text, "README.md", &rules(), Deadline::after(Duration::from_mins(1))).expect("not too much")
}

#[track_caller]
fn has(html: &str, part: &str) {
    assert!(html.contains(part), "no {part:?} in {html}");
}

#[track_caller]
fn lacks(html: &str, part: &str) {
    assert!(!html.contains(part), "{part:?} in {html}");
}

/// What must stand in no HTML of ours, whatever was written. Looks at tags only: as text, everything may be said.
fn is_harmless(html: &str) -> Result<(), String> {
    let elements: std::collections::HashSet<&str> = sanitize::ELEMENTS.into_iter().collect();
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').ok_or_else(|| format!("an open tag: {tag}"))?;
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if !elements.contains(name) {
            return Err(format!("an element {name}"));
        }
        for attribute in tag.split('"').step_by(2) {
            let name = attribute.rsplit(' ').next().unwrap_or_default().trim_end_matches('=');
            let is_bad =
                name.starts_with("on") || name.starts_with("hx-") || matches!(name, "style" | "srcdoc" | "action");
            if is_bad {
                return Err(format!("an attribute {name} in {tag}"));
            }
        }
        for (name, value) in attributes(tag) {
            let value = value.to_ascii_lowercase();
            let leads = |starts: &[&str]| starts.iter().any(|start| value.starts_with(start));
            let is_fine = match name {
                "href" => leads(&["http://", "https://", "mailto:", "/package/@ada/one/v/1.0.0/", "#readme-"]),
                "src" => leads(&["/package/@ada/one/v/1.0.0/image/", "https://img.example"]),
                "id" => value.starts_with("readme-"),
                _ => true,
            };
            if !is_fine {
                return Err(format!("{name} leads to {value}"));
            }
        }
    }
    Ok(())
}

fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = tag.split('"');
    std::iter::from_fn(move || {
        let name = parts.next()?.trim().trim_end_matches('=');
        let value = parts.next()?;
        Some((name.rsplit(' ').next().unwrap_or(name), value))
    })
}

#[test]
fn the_flavour_is_githubs() {
    let html = html(concat!(
        "# Title\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n- [x] done\n- [ ] open\n\n~~gone~~ www.example.com a[^1]\n\n",
        "> [!WARNING]\n> hot\n\n[^1]: A note.\n\n```js\nconst a = 1\n```\n"
    ));
    has(&html, "<h2 id=\"readme-title\">Title</h2>");
    has(&html, "<div class=\"wide\" tabindex=\"0\"><table>");
    has(&html, "<td align=\"center\">2</td>");
    has(&html, "<span role=\"img\" aria-label=\"done\">\u{2611}</span>");
    has(&html, "<span role=\"img\" aria-label=\"to do\">\u{2610}</span>");
    has(&html, "<del>gone</del>");
    has(&html, "<a href=\"http://www.example.com\" rel=\"nofollow noopener ugc\">www.example.com</a>");
    has(&html, "<div class=\"markdown-alert markdown-alert-warning\">");
    has(&html, "href=\"#readme-fn-1\"");
    has(&html, "id=\"readme-fn-1\"");
    has(&html, "<pre tabindex=\"0\"><code><span class=\"t-k\">const </span>");
    is_harmless(&html).unwrap();
}

#[test]
fn headings_rank_below_the_pages_own_and_skip_none() {
    let html = html("### deep\n\n# one\n\n###### six\n\n<h1 align=\"center\">raw</h1>\n");
    has(&html, "<h2 id=\"readme-deep\">deep</h2>");
    has(&html, "<h2 id=\"readme-one\">one</h2>");
    has(&html, "<h3 id=\"readme-six\">six</h3>");
    has(&html, "<h2 align=\"center\">raw</h2>");
    lacks(&html, "<h1");
}

#[test]
fn links_and_images_stay_in_the_version() {
    let html = html(concat!(
        "[doc](docs/a.md) ![logo](./logo.png) <img src=\"a.svg\" width=\"20px\" onerror=\"x()\">\n\n",
        "![build](https://ci.example/b.svg) [![badge](https://ci.example/c.svg)](https://ci.example)\n\n",
        "![ok](https://img.example/i.png) [up](../../x) <a name=\"old\">x</a> [jump](#old)\n"
    ));
    has(&html, "<a href=\"/package/@ada/one/v/1.0.0/code/docs/a.md\"");
    has(&html, "<img src=\"/package/@ada/one/v/1.0.0/image/logo.png\" alt=\"logo\" loading=\"lazy\">");
    has(&html, "<img src=\"/package/@ada/one/v/1.0.0/image/a.svg\" alt=\"\" loading=\"lazy\" width=\"20\">");
    has(
        &html,
        "<a class=\"elsewhere\" href=\"https://ci.example/b.svg\" rel=\"nofollow noopener ugc\">build (ci.example)</a>",
    );
    has(&html, "<span class=\"elsewhere\">badge (ci.example)</span></a>");
    has(&html, "<img src=\"https://img.example/i.png\"");
    has(&html, ">up</a>");
    has(&html, "<a id=\"readme-old\"");
    has(&html, "href=\"#readme-old\"");
    lacks(&html, "onerror");
    is_harmless(&html).unwrap();
}

#[test]
fn what_would_do_something_is_gone() {
    for (text, rest) in [
        ("<script>alert(1)</script>after", "after"),
        ("<style>body{display:none}</style>after", "after"),
        ("<svg><script>alert(1)</script><a xlink:href=\"javascript:x\">in</a></svg>after", "after"),
        ("<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">", ""),
        ("<iframe src=\"https://evil.example\">in</iframe>after", "after"),
        ("<a href=\"javascript:alert(1)\">js</a>", "js"),
        ("[js](javascript:alert(1))", "js"),
        ("[js](<java\tscript:alert(1)>)", "js"),
        ("<a href=\"&#106;avascript:alert(1)\">js</a>", "js"),
        ("[d](data:text/html;base64,PHNjcmlwdD4=)", "d"),
        ("<img src=\"data:image/svg+xml,<svg onload=alert(1)>\" alt=\"pic\">", "pic"),
        (
            "<p onclick=\"x()\" style=\"position:fixed\" hx-get=\"/-/whoami\" data-hx-get=\"/\" class=\"button\">p</p>",
            "p",
        ),
        ("<form action=\"/logout\"><input name=\"a\"><button formaction=\"/x\">b</button></form>", "b"),
        ("<div id=\"main\"><a id=\"search\" name=\"forms\">c</a></div>", "c"),
        (
            "<meta http-equiv=\"refresh\" content=\"0;url=//evil.example\"><base href=\"//evil.example\"><link rel=\"stylesheet\" href=\"//e\">m",
            "m",
        ),
        (
            "<video src=\"x\" autoplay></video><audio src=\"x\"></audio><embed src=\"x\"><object data=\"x\">o</object>v",
            "v",
        ),
        ("<img src=\"x.png\" srcset=\"https://evil.example/x.png 2x\" alt=\"s\">", ""),
        ("<picture><source srcset=\"https://evil.example/dark.png\"><img src=\"light.png\" alt=\"l\"></picture>", ""),
        ("<table background=\"https://evil.example/x\"><tr><td background=\"//e\">t</td></tr></table>", "t"),
        ("<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">n</noscript>", ""),
        ("<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\">", ""),
        ("<a target=\"_blank\" rel=\"opener\" ping=\"https://evil.example\" href=\"https://e.example\">t</a>", "t"),
    ] {
        let html = html(text);
        is_harmless(&html).unwrap_or_else(|cause| panic!("{cause}\n{text}\n{html}"));
        has(&html, rest);
        for word in ["evil.example\"", "alert(1)\"", "xlink", "srcset", "target=", "opener\"", "ping=", "http-equiv"] {
            if word != "opener\"" || html.contains("rel=\"opener") {
                lacks(&html, word);
            }
        }
    }
}

/// The README that the tests with a browser publish, too.
#[test]
fn the_nastiest_readme_only_shows() {
    let html = html(include_str!("../../tests/browser/nasty.md"));
    is_harmless(&html).unwrap_or_else(|cause| panic!("{cause} in {html}"));
    for word in ["contenteditable", "accesskey", "data-copy", "<input", "<button", "class=\"skip\"", "id=\"main\""] {
        lacks(&html, word);
    }
}

#[test]
fn text_that_turns_around_stands_straight() {
    let html = html("user\u{202e}gnp.exe\u{2066} \u{0}a\u{200b}b # \u{e0041}\n");
    for character in ['\u{202e}', '\u{2066}', '\u{0}', '\u{200b}', '\u{e0041}'] {
        lacks(&html, &character.to_string());
    }
    has(&html, "usergnp.exe");
}

#[test]
fn what_is_no_markdown_or_takes_too_long_is_shown_as_it_is() {
    let soon = Deadline::after(Duration::from_mins(1));
    assert_eq!(render("a", "README.txt", &rules(), soon), None);
    assert_eq!(render("a", "README.rst", &rules(), soon), None);
    assert!(render("a", "README", &rules(), soon).is_some());
    assert_eq!(render(&"# a\n".repeat(5000), "README.md", &rules(), Deadline::after(Duration::ZERO)), None);
    assert_eq!(plain("<b>\u{202e}&"), "<pre tabindex=\"0\">&lt;b&gt;&amp;</pre>");
}

/// Texts that make some renderer somewhere take a stack, a minute, or all memory.
#[test]
fn bombs_do_not_go_off() {
    let times = |piece: &str| piece.repeat((512 << 10) / piece.len());
    let unclosed = |number: usize| format!("<b id=\"{number}\"><p>");
    let bombs = [
        times(">"),
        times("> "),
        times("- "),
        times("* * "),
        times("["),
        times("![["),
        times("[a]("),
        times("*a_"),
        times("**a "),
        times("`"),
        times("~~"),
        times("<div>"),
        times("<b>"),
        times("<table><tr><td>"),
        times("<a href=\"x\">"),
        times("</p>"),
        times("<!--"),
        times("<p><b><i><u>"),
        times("<svg><math>"),
        times("<h1>"),
        times("| "),
        times("|-"),
        times("&#x41;"),
        times("[^1]"),
        times("a@b.c "),
        times("www.a."),
        times("\\"),
        times("```\n"),
        times("    x\n"),
        times("<details><summary>"),
        format!("|{}\n|{}\n{}", "a|".repeat(2000), "-|".repeat(2000), "|\n".repeat(2000)),
        (0..20_000).map(unclosed).collect::<String>(),
        format!("```js\n{}\n```", "(".repeat(100_000)),
        format!("```js\n{}\n```", "/*a".repeat(30_000)),
        format!("```html\n{}\n```", "<a ".repeat(30_000)),
        format!("{}a", "[a]: b\n".repeat(50_000)),
    ];
    let started = Instant::now();
    for (number, bomb) in bombs.iter().enumerate() {
        let html = render(bomb, "README.md", &rules(), Deadline::after(TIME));
        if let Some(html) = &html {
            is_harmless(html).unwrap_or_else(|cause| panic!("{cause} in bomb {number}"));
            assert!(html.len() < 100 * bomb.len(), "bomb {number} makes {} bytes", html.len());
        }
    }
    assert!(started.elapsed() < Duration::from_mins(2), "{:?}", started.elapsed());
}

const PIECES: &str = "(<[a-z]{1,6}|</[a-z]{1,6}>|<a href=|<img src=|<svg>|<math>|<style>|<!--|-->|]]>|<table>|<td>|<p>|on[a-z]{3}=|\
                      javascript:|data:|\"|'|>|`|\\[|\\]\\(|\\)|# |\\n|\n|&lt;|&#x3c;|&quot;| |x|hx-get=|id=|=|/|<h1>|\\| a \\|\n)";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_written_only_shows(pieces in proptest::collection::vec(PIECES, 0..40)) {
        let text = pieces.concat();
        let html = html(&text);
        prop_assert!(is_harmless(&html).is_ok(), "{:?}\n{}\n{}", is_harmless(&html), text, html);
        // A parser that reads what came out sees what the sanitizer saw: nothing changes its mind the second time.
        let again = sanitize::clean(&html, &rules().image_hosts);
        prop_assert_eq!(&again, &html);
    }

    #[test]
    fn any_text_at_all_is_survived(text in "\\PC{0,200}") {
        is_harmless(&html(&text)).unwrap();
    }
}
