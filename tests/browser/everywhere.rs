//! What holds on every page of the [`catalogue`](crate::catalogue), for everybody who looks.

use serde_json::json;

use crate::axe::Axe;
use crate::browser::{Browser, Screen};
use crate::catalogue::{NO_PAGES, PAGES, Page};
use crate::checks::{STICKING_OUT, faults, faults_of_the_keyboard, trespasses};
use crate::texts::{NASTY, PLAIN};
use crate::world::{Who, World};

#[test]
fn every_page_is_in_the_catalogue() {
    for route in strongroom::web::routes().iter().filter(|route| route.methods.contains(&"GET")) {
        let known = PAGES.iter().any(|page| page.route == route.path) || NO_PAGES.contains(&route.path);
        assert!(known, "{} has no entry in tests/browser/catalogue.rs", route.path);
    }
    for page in PAGES {
        let exists = strongroom::web::routes().iter().any(|route| route.path == page.route);
        assert!(exists, "{} ({}) is no page any more", page.name, page.route);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_light_and_fits_a_narrow_screen() {
    let Some(browser) = Browser::open(None).await else { return };
    let axe = Axe::find().await.unwrap_or_else(|reason| panic!("axe: {reason}"));
    let world = World::told_in(&PLAIN).await;
    let mut wrong = Vec::new();
    for who in Who::ALL {
        world.sign_in(&browser, who).await;
        for page in PAGES.iter().filter(|page| page.who == who) {
            wrong.extend(about(page, page.open(&browser, &world).await));
            wrong.extend(about(page, faults(&browser, &axe).await));
            wrong.extend(about(page, trespasses(&browser, &world.house.url).await));
            if page.is_main() {
                wrong.extend(about(page, faults_of_the_keyboard(&browser).await));
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// Scripts, pictures and pages of strangers, and what would lead there by itself.
const TRACES: &str = "(() => {
    const here = url => { try { return new URL(url, document.baseURI).origin === location.origin } catch { return false } };
    const found = [...document.querySelectorAll('iframe, object, embed, base, meta[http-equiv], style, video, audio')];
    for (const e of document.querySelectorAll('*')) {
        const attributes = [...e.attributes];
        if (attributes.some(({ name, value }) => name.startsWith('on') || name === 'style' || name === 'ping'
            || name.startsWith('hx-') || /^\\s*(javascript|vbscript|data):/i.test(value)
                && ['href', 'src', 'action', 'formaction'].includes(name)
                // What is to be kept as a file, and is text whatever it holds.
                && !(e.download && value.startsWith('data:text/plain;')))) found.push(e);
        else if (e.matches('img, script, link, source, input[type=image], form, button[formaction]')
            && attributes.some(({ name, value }) =>
                ['src', 'href', 'srcset', 'action', 'formaction'].includes(name) && !here(value))) found.push(e);
    }
    return found.map(e => e.outerHTML.slice(0, 200)).concat(window.pwned ? ['a script ran'] : []);
})()";

#[tokio::test(flavor = "multi_thread")]
async fn the_nastiest_input_runs_no_script_and_asks_nobody_else() {
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = trap.local_addr().expect("an address").port();
    let Some(browser) = Browser::open(Some(port)).await else { return };
    let caught = tokio::spawn(async move { trap.accept().await.map(drop) });
    let world = World::told_in(&NASTY).await;
    browser.set_screen(Screen::NARROW).await;
    let mut wrong = Vec::new();
    for who in Who::ALL {
        world.sign_in(&browser, who).await;
        for page in PAGES.iter().filter(|page| page.who == who) {
            wrong.extend(about(page, page.open(&browser, &world).await));
            let traces = browser.evaluate(TRACES).await;
            let traces = traces.as_array().cloned().unwrap_or_default();
            wrong.extend(about(page, traces.iter().map(ToString::to_string).collect()));
            wrong.extend(about(page, trespasses(&browser, &world.house.url).await));
            let wide = browser.evaluate(STICKING_OUT).await;
            wrong.extend((wide != json!([])).then(|| format!("{}: scrolls sideways for {wide}", page.name)));
        }
    }
    assert!(!caught.is_finished(), "something reached a host of the attacker's; {}", wrong.join("\n"));
    caught.abort();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

fn about(page: &Page, faults: Vec<String>) -> impl Iterator<Item = String> + use<> {
    let name = page.name;
    faults.into_iter().map(move |fault| format!("{name}: {fault}"))
}
