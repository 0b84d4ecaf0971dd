//! The pages of a package, as a browser gets them.

use chrono::TimeDelta;
use serde_json::json;
use strongroom::policy::{BillingFlag, Permission};

use crate::support::app::{Package, TestApp};
use crate::support::browser::Page;

/// A package with everything that its pages show.
fn rich(name: &str, version: &str) -> Package {
    let mut package = Package::new(name, version);
    package.manifest = json!({
        "description": "Keeps secrets",
        "license": "MIT",
        "type": "module",
        "types": "index.d.ts",
        "engines": { "node": ">=20" },
        "repository": "git+https://github.com/ada/one.git",
        "homepage": "https://one.example/docs",
        "keywords": ["vault", "secret"],
        "dependencies": { "@ada/base": "^1.0.0", "left-pad": "^1.3.0" },
        "devDependencies": { "@ada/hidden": "*" },
    });
    package.files = vec![
        ("README.md".into(), b"# One\n\nSee [the code](lib/index.js) and ![logo](img/logo.png).\n".to_vec()),
        ("lib/index.js".into(), b"export const one = 1 // <b>\n".to_vec()),
        ("img/logo.png".into(), b"\x89PNG\r\n\x1a\n\0".to_vec()),
    ];
    package
}

fn is_nothing(page: &Page) -> bool {
    page.answer.status == 404 && page.text("h1") == "Nothing here"
}

const PAGES: [&str; 13] = [
    "",
    "/v/1.0.0",
    "/code",
    "/code/lib",
    "/code/lib/index.js",
    "/v/1.0.0/code/lib/index.js",
    "/versions",
    "/diff/1.0.0..1.0.0",
    "/diff?from=1.0.0&to=1.0.0",
    "/dependencies",
    "/dependents",
    "/v/1.0.0/raw/lib/index.js",
    "/v/1.0.0/image/img/logo.png",
];

#[tokio::test]
async fn the_first_page_shows_the_readme_and_what_one_wants_to_know() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&rich("@ada/one", "1.0.0").access("public")).await.expect(201);
    app.run_chore("readmes.render").await;
    let page = app.browser().get("/package/@ada/one").await.expect(200);
    assert_eq!(page.texts("h1"), ["@ada/one"]);
    let line = page.text(".line");
    assert!(line.contains("1.0.0 public published just now by ada"), "{line}");
    assert_eq!(page.attributes(".readme img", "src"), ["/package/@ada/one/v/1.0.0/image/img/logo.png"]);
    assert_eq!(page.attributes(".readme a", "href"), ["/package/@ada/one/v/1.0.0/code/lib/index.js"]);
    assert_eq!(page.texts(".readme h2"), ["One"]);
    let aside = page.text("aside");
    for part in [
        "npm install @ada/one",
        "@ada:registry=http://registry.test/",
        "Keeps secrets",
        "LicenceMIT",
        "ESM, types",
        "node>=20",
        "github.com/ada/one",
        "one.example/docs",
        "anyone",
        "vault",
        "Weekly downloads 0",
    ] {
        assert!(aside.contains(part), "{part} is not in {aside}");
    }
    let tabs = page.texts("nav.tabs a");
    assert_eq!(tabs, ["Readme", "Code", "Versions 1", "Dependencies 2", "Dependents 0"]);
    assert!(page.texts("svg").is_empty(), "fewer than three weeks are no line");
    // Who works on it has more tabs.
    let tabs = app.logged_in("ada").await.get("/package/@ada/one").await.texts("nav.tabs a");
    assert_eq!(tabs[5..], ["Access", "Settings"]);
}

#[tokio::test]
async fn every_page_of_a_hidden_package_is_the_page_of_a_missing_one() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("eve").await;
    ada.publish(&rich("@ada/one", "1.0.0")).await.expect(201);
    let (owner, stranger, nobody) = (app.logged_in("ada").await, app.logged_in("eve").await, app.browser());
    for path in PAGES {
        let (hidden, missing) = (format!("/package/@ada/one{path}"), format!("/package/@ada/two{path}"));
        let shown = owner.get(&hidden).await;
        assert!(matches!(shown.answer.status.as_u16(), 200 | 303), "{path}: {}", shown.html());
        for browser in [&stranger, &nobody] {
            let (hidden, missing) = (browser.get(&hidden).await, browser.get(&missing).await);
            assert!(is_nothing(&hidden), "{path}: {}", hidden.html());
            let told = |page: &Page| (page.text("main"), page.text("title"), page.answer.status);
            assert_eq!(told(&hidden), told(&missing), "{path}");
            let headers = |page: &Page| {
                let own = ["x-request-id", "content-security-policy"];
                let rest = page.answer.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
                rest.map(|(name, value)| format!("{name}: {value:?}")).collect::<Vec<_>>()
            };
            assert_eq!(headers(&hidden), headers(&missing), "{path}");
        }
    }
}

#[tokio::test]
async fn who_has_no_plan_sees_that_it_is_there_and_nothing_of_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("bob").await;
    ada.publish(&rich("@ada/one", "1.0.0")).await.expect(201);
    app.grant("@ada/one", "bob", Permission::ReadOnly).await;
    app.set_billing("bob", BillingFlag::Unpaid).await;
    let browser = app.logged_in("bob").await;
    for path in PAGES.into_iter().filter(|path| !path.contains("/raw/") && !path.contains("/image/")) {
        let page = browser.get(&format!("/package/@ada/one{path}")).await.expect(402);
        assert_eq!(page.text("h1"), "@ada/one");
        assert!(page.attributes("main a", "href").contains(&"/settings/billing".to_owned()));
        let text = page.text("main");
        for secret in ["Keeps secrets", "1.0.0", "index.js", "README", "the code"] {
            assert!(!text.contains(secret), "{path}: {secret} in {text}");
        }
    }
    browser.get("/package/@ada/one/v/1.0.0/raw/lib/index.js").await.expect(402);
}

#[tokio::test]
async fn a_readme_that_is_not_rendered_yet_is_shown_as_text() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let mut package = Package::new("@ada/one", "1.0.0").access("public");
    package.files = vec![("README.md".into(), b"# <script>alert(1)</script>\n".to_vec())];
    ada.publish(&package).await.expect(201);
    let page = app.browser().get("/package/@ada/one").await.expect(200);
    assert_eq!(page.text(".readme pre"), "# <script>alert(1)</script>");
    app.run_chore("readmes.render").await;
    let page = app.browser().get("/package/@ada/one").await.expect(200);
    assert_eq!((page.text(".readme h2"), page.texts("script").len()), (String::new(), 1));
    package.version = "1.1.0".into();
    package.files.clear();
    ada.publish(&package).await.expect(201);
    let page = app.browser().get("/package/@ada/one").await.expect(200);
    assert_eq!(page.text(".readme"), "No README. Add README.md and publish again.");
}

#[tokio::test]
async fn a_version_has_a_page_of_its_own_and_so_has_a_tag() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&rich("@ada/one", "1.0.0").access("public")).await.expect(201);
    ada.publish(&rich("@ada/one", "1.1.0")).await.expect(201);
    let browser = app.browser();
    let old = browser.get("/package/@ada/one/v/1.0.0").await.expect(200);
    assert!(old.text("main").contains("1.0.0 is not the latest version. The latest is 1.1.0."));
    assert!(old.text("aside").contains("npm install @ada/one@1.0.0"));
    let latest = browser.get("/package/@ada/one/v/latest").await.expect(200);
    assert!(latest.text(".line").contains("1.1.0") && !latest.text("main").contains("not the latest"));
    for path in [
        "/v/9.9.9",
        "/v/nonsense",
        "/v/9.9.9/code",
        "/diff/1.0.0..9.9.9",
        "/diff/1.0.0",
        "/code/none",
        "/v/1.0.0/raw/none",
    ] {
        assert!(is_nothing(&browser.get(&format!("/package/@ada/one{path}")).await), "{path}");
    }
}

#[tokio::test]
async fn files_are_shown_with_numbered_lines_and_handed_out_as_nothing_to_open() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let mut package = rich("@ada/one", "1.0.0").access("public");
    package.files.push(("a b/<i>&'\".txt".into(), b"one\ntwo \xe2\x80\xae\n".to_vec()));
    package.files.push(("big.txt".into(), vec![b'x'; 600 << 10]));
    package.files.push(("page.html".into(), b"<script>alert(1)</script>".to_vec()));
    ada.publish(&package).await.expect(201);
    let browser = app.browser();
    let folder = browser.get("/package/@ada/one/code").await.expect(200);
    let names = folder.texts("tbody th a");
    assert_eq!(names, ["a b/", "img/", "lib/", "README.md", "big.txt", "package.json", "page.html"]);
    let odd = folder.attributes("tbody th a", "href")[0].clone();
    let file = browser.get(&odd).await.expect(200).attributes("tbody th a", "href")[0].clone();
    let page = browser.get(&file).await.expect(200);
    assert_eq!(page.text("nav.path"), "one / a b / <i>&'\".txt");
    assert_eq!(page.attributes(".source a", "id"), ["L1", "L2"]);
    assert!(page.text(".source").contains("1one 2two U+202E"), "{}", page.text(".source"));
    let source = browser.get("/package/@ada/one/code/lib/index.js").await.expect(200);
    assert!(source.html().contains("<span class=\"t-c\">// &lt;b&gt;</span>"), "{}", source.html());
    let binary = browser.get("/package/@ada/one/code/img/logo.png").await.expect(200);
    assert!(binary.text("main").contains("not text"));
    assert!(browser.get("/package/@ada/one/code/big.txt").await.expect(200).text("main").contains("too large"));
    let raw = browser.get("/package/@ada/one/v/1.0.0/raw/page.html").await.expect(200).answer;
    assert_eq!(raw.header("content-type"), "application/octet-stream");
    assert_eq!(raw.header("content-disposition"), "attachment");
    assert_eq!(raw.header("x-content-type-options"), "nosniff");
    assert!(raw.header("content-security-policy").contains("sandbox"));
    assert_eq!(raw.bytes, "<script>alert(1)</script>");
}

#[tokio::test]
async fn images_of_a_readme_are_images_and_nothing_else() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let mut package = rich("@ada/one", "1.0.0").access("public");
    package.files.push(("fake.png".into(), b"<script>alert(1)</script>".to_vec()));
    package
        .files
        .push(("a.svg".into(), b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec()));
    ada.publish(&package).await.expect(201);
    // What a browser asks for where a page has an image.
    let ask = async |path: &str| {
        let path = format!("/package/@ada/one/v/1.0.0/image/{path}");
        app.anonymous().get_with(&path, &[("accept", "image/avif,image/webp,*/*;q=0.8")]).await
    };
    let image = ask("img/logo.png").await.expect(200);
    assert_eq!(image.header("content-type"), "image/png");
    assert!(image.header("cache-control").contains("immutable"));
    let svg = ask("a.svg").await.expect(200);
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    let policy = svg.header("content-security-policy");
    assert!(
        policy.contains("sandbox") && policy.contains("default-src 'none'") && !policy.contains("script"),
        "{policy}"
    );
    for path in ["fake.png", "lib/index.js", "README.md", "none.png"] {
        ask(path).await.expect(404);
    }
}

#[tokio::test]
async fn versions_are_listed_and_compared() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&rich("@ada/one", "1.0.0").access("public")).await.expect(201);
    app.clock.set(app.clock.now() + TimeDelta::days(30));
    let mut next = rich("@ada/one", "1.1.0");
    next.files[1].1 = b"export const one = 2 // <b>\n".to_vec();
    next.files.push(("new.md".into(), b"new\n".to_vec()));
    ada.publish(&next).await.expect(201);
    app.anonymous().get("/@ada%2fone/-/one-1.0.0.tgz").await.expect(200);
    app.run_chore("downloads.flush").await;
    let browser = app.browser();
    let page = browser.get("/package/@ada/one/versions").await.expect(200);
    let rows = page.texts("table.stacked tbody tr");
    assert!(rows[0].starts_with("1.1.0 latest just now ada"), "{rows:?}");
    assert!(rows[1].starts_with("1.0.0") && rows[1].contains("1 month ago") && rows[1].ends_with('1'), "{rows:?}");
    let form = page.form("/package/@ada/one/diff").fill("from", "1.0.0").fill("to", "1.1.0");
    let sent = browser.submit(form).await.expect(303);
    assert_eq!(sent.location(), "/package/@ada/one/diff/1.0.0..1.1.0");
    let diff = browser.get(&sent.location()).await.expect(200);
    let headings = diff.texts("h3");
    assert_eq!(headings.len(), 3, "{headings:?}");
    assert!(
        headings[0].starts_with("package.json changed") && headings[2].starts_with("new.md added +1"),
        "{headings:?}"
    );
    let lines = diff.texts(".lines .new code");
    assert!(lines.contains(&"+ export const one = 2 // <b>".to_owned()), "{lines:?}");
    // A chart comes with the weeks, and its numbers as a table.
    let page = browser.get("/package/@ada/one").await.expect(200);
    assert!(page.text("svg title").contains("1 in all"), "{}", page.text("svg title"));
    assert_eq!(page.texts("aside table tbody tr").len(), 52);
}

#[tokio::test]
async fn dependencies_resolve_to_what_the_visitor_may_see() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/base", "1.2.0")).await.expect(201);
    ada.publish(&Package::new("@ada/hidden", "3.0.0")).await.expect(201);
    ada.publish(&rich("@ada/one", "1.0.0").access("public")).await.expect(201);
    let rows = async |browser: &crate::support::browser::Browser<'_>| {
        browser.get("/package/@ada/one/dependencies").await.expect(200).texts("tbody tr")
    };
    let owner = app.logged_in("ada").await;
    assert_eq!(
        rows(&owner).await,
        ["@ada/base ^1.0.0 1.2.0", "left-pad ^1.3.0 not hosted here", "@ada/hidden * 3.0.0"]
    );
    assert!(rows(&app.browser()).await.iter().all(|row| row.ends_with("not hosted here")));
    assert_eq!(
        owner.get("/package/@ada/base/dependents").await.expect(200).texts("tbody th"),
        ["@ada/one Keeps secrets"]
    );
    assert!(owner.get("/package/@ada/one/dependents").await.text("main").contains("No package that you may see"));
}

#[tokio::test]
async fn a_deprecated_version_says_so_on_its_pages() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&rich("@ada/one", "1.0.0").access("public")).await.expect(201);
    let mut packument = ada.get("/@ada%2fone").await.json();
    packument["versions"]["1.0.0"]["deprecated"] = "use <b>two</b>".into();
    ada.json("PUT", "/@ada%2fone", &packument).await.expect(201);
    for path in ["", "/code", "/dependents"] {
        let page = app.browser().get(&format!("/package/@ada/one{path}")).await.expect(200);
        assert_eq!(page.text(".bar.danger"), "1.0.0 is deprecated. use <b>two</b> ada, just now");
    }
    assert!(app.browser().get("/package/@ada/one/versions").await.text("table.stacked").contains("deprecated use"));
}

#[tokio::test]
async fn addresses_of_old_lead_to_the_tabs() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&rich("@ada/one", "1.0.0").access("public")).await.expect(201);
    for (old, new) in [("versions", "/versions"), ("code", "/code"), ("explore", "/code"), ("admin", "/settings")] {
        let page = app.browser().get(&format!("/package/@ada/one?activeTab={old}")).await.expect(303);
        assert_eq!(page.location(), format!("/package/@ada/one{new}"));
    }
    app.browser().get("/package/@ada/one?activeTab=whatever").await.expect(200);
    assert!(is_nothing(&app.browser().get("/package/@ada/two?activeTab=versions").await));
}

#[tokio::test]
async fn nothing_that_strangers_write_does_more_than_show() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'\u{202e}";
    let mut package = Package::new("@ada/one", "1.0.0").access("public");
    package.manifest = json!({
        "description": evil,
        "license": evil,
        "author": evil,
        "keywords": [evil, "javascript:alert(1)"],
        "homepage": "javascript:alert(1)",
        "repository": { "url": "javascript:alert(1)" },
        "bugs": "data:text/html,<script>alert(1)</script>",
        "engines": { evil: evil },
        "bin": { "x\"><script>alert(1)<": "./index.js" },
        "dependencies": { evil: evil },
    });
    let readme = format!(
        "# {evil}\n\n[a](javascript:alert(1)) ![b](https://evil.example/x.png)\n\n<svg onload=alert(1)>\n\n\
         <a href=\"https://evil.example\" target=_blank hx-get=/x style=\"position:fixed\">c</a><iframe src=//evil.example></iframe>"
    );
    package.files = vec![
        ("README.md".into(), readme.into_bytes()),
        ("x/<img src=x onerror=alert(1)>.js".into(), evil.as_bytes().to_vec()),
    ];
    ada.publish(&package).await.expect(201);
    let mut next = package.clone();
    next.version = "1.1.0".into();
    next.files[1].1 = [evil.as_bytes(), b"\n</script>"].concat();
    ada.publish(&next).await.expect(201);
    app.run_chore("readmes.render").await;
    let browser = app.browser();
    let folder = browser.get("/package/@ada/one/code/x").await.expect(200);
    let file = folder.attributes("tbody th a", "href")[0].clone();
    let paths = ["", "/code", "/code/x", "/versions", "/diff/1.0.0..1.1.0", "/dependencies", "/dependents"];
    let pages = paths.map(|path| format!("/package/@ada/one{path}"));
    for path in pages.iter().chain([&file, &"/search?q=one".to_owned(), &"/~ada".to_owned()]) {
        let page = browser.get(path).await.expect(200);
        assert_eq!(page.texts("script").len(), 1, "{path}: {}", page.html());
        for selector in
            ["[onerror]", "[onload]", "[style]", "[hx-get]", "iframe", "[target]", "main img", "main svg[onload]"]
        {
            assert!(
                page.attributes(selector, "class").is_empty() && page.texts(selector).is_empty(),
                "{path}: {selector}"
            );
        }
        for href in page.attributes("a", "href") {
            let leads = href.starts_with('/') || href.starts_with('#') || href.starts_with("https://evil.example");
            assert!(leads, "{path}: {href}");
        }
        for src in [page.attributes("img", "src"), page.attributes("script", "src")].concat() {
            assert!(src.starts_with("/-/static/"), "{path}: {src}");
        }
        assert!(!page.html().contains('\u{202e}'), "{path}");
    }
}

#[tokio::test]
async fn search_says_why_it_found_something_and_shows_only_what_one_may_read() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("bob").await;
    ada.publish(&rich("@ada/open-vault", "1.0.0").access("public")).await.expect(201);
    app.clock.set(app.clock.now() + TimeDelta::hours(1));
    ada.publish(&rich("@ada/closed-vault", "1.0.0")).await.expect(201);
    let names = |page: &Page| page.texts(".results a.name");
    let (owner, nobody) = (app.logged_in("ada").await, app.browser());
    let found = nobody.get("/search?q=vault").await.expect(200);
    assert_eq!(names(&found), ["@ada/open-vault"]);
    assert!(found.text(".results").contains("Found by name, keyword vault"), "{}", found.text(".results"));
    assert!(!found.html().contains("closed"));
    let found = owner.get("/search?q=vault&sort=newest").await.expect(200);
    assert_eq!(names(&found), ["@ada/closed-vault", "@ada/open-vault"]);
    assert_eq!(names(&owner.get("/search?q=vault&show=private").await), ["@ada/closed-vault"]);
    assert_eq!(names(&owner.get("/search?q=&show=mine").await).len(), 2);
    assert_eq!(owner.get("/search").await.texts("nav.choices")[0], "Show all mine private deprecated");
    assert_eq!(nobody.get("/search").await.texts("nav.choices")[0], "Show all deprecated");
    let empty = nobody.get("/search?q=nothing-like-it").await.expect(200);
    assert!(empty.text(".empty").contains("Private packages appear after you log in"));
    let long = format!("/search?q={}", "x".repeat(300));
    assert!(nobody.get(&long).await.expect(422).text(".problem").contains("at most 256 characters"));
}

#[tokio::test]
async fn a_profile_shows_what_the_visitor_may_read() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("bob").await;
    ada.publish(&rich("@ada/open", "1.0.0").access("public")).await.expect(201);
    ada.publish(&rich("@ada/closed", "1.0.0")).await.expect(201);
    let names = async |browser: &crate::support::browser::Browser<'_>| {
        browser.get("/~ada").await.expect(200).texts(".results a.name")
    };
    let bob = app.logged_in("bob").await;
    assert_eq!(names(&bob).await, ["@ada/open"]);
    assert_eq!(names(&app.browser()).await, ["@ada/open"]);
    assert_eq!(names(&app.logged_in("ada").await).await.len(), 2);
    app.grant("@ada/closed", "bob", Permission::ReadOnly).await;
    assert_eq!(names(&bob).await.len(), 2);
    ada.json("POST", "/-/package/@ada%2fopen/access", &json!({ "access": "restricted" })).await.expect(200);
    assert!(names(&app.browser()).await.is_empty());
    assert!(is_nothing(&bob.get("/~nobody").await) && is_nothing(&bob.get("/~No%20Body").await));
    app.organization("acme", "ada", &[]).await;
    assert_eq!(bob.get("/~acme").await.expect(303).location(), "/org/acme");
}
