//! What must hold of every page, asked of the page that a browser shows.

use serde_json::Value;

use crate::axe::Axe;
use crate::browser::{Browser, Screen};

/// What a page may be in all, as it comes over the wire: itself, its stylesheet and its script.
const MOST_BYTES: u64 = 30_000;

/// The wire's bytes of the page and of all that it asked for.
const WEIGHT: &str = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)";

/// What sticks out of the window to the right, but for what scrolls by itself.
pub(crate) const STICKING_OUT: &str = "document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
        && ![...document.querySelectorAll('body *')].some(p => p !== e && p.contains(e)
            && getComputedStyle(p).overflowX !== 'visible'))
    .slice(0, 5).map(e => e.outerHTML.slice(0, 160))";

/// Hints that make a browser talk to others without a request that anybody sees.
const HINTS: &str = "[...document.querySelectorAll('link')].filter(e => new URL(e.href).origin !== location.origin)
    .map(e => e.outerHTML)";

/// What is wrong with the page, one line for each thing.
pub(crate) async fn faults(browser: &Browser, axe: &Axe) -> Vec<String> {
    let mut faults = Vec::new();
    faults.extend(axe.violations(browser).await.into_iter().map(|line| format!("axe: {line}")));
    let headings = browser.evaluate("document.querySelectorAll('h1').length").await;
    if headings != 1 {
        faults.push(format!("{headings} headings of the first level"));
    }
    let weight = browser.evaluate(WEIGHT).await.as_u64().unwrap_or(u64::MAX);
    if weight > MOST_BYTES || weight == 0 {
        faults.push(format!("{weight} bytes over the wire"));
    }
    if browser.evaluate("document.title.trim().length > 0").await != true {
        faults.push("no title".to_owned());
    }
    browser.set_screen(Screen::NARROW).await;
    faults.extend(lines(browser.evaluate(STICKING_OUT).await, "sticks out at 320 pixels"));
    browser.set_screen(Screen::DESK).await;
    faults.extend(lines(browser.evaluate(HINTS).await, "hints at others"));
    faults
}

/// What is wrong with what happened on the page.
pub(crate) async fn trespasses(browser: &Browser, origin: &str) -> Vec<String> {
    let log = browser.log().await;
    let foreign = log.foreign(origin).into_iter().map(|url| format!("asks others: {url}"));
    let dialogs = log.dialogs.iter().map(|words| format!("a script opened a dialog: {words}"));
    let troubles = log.troubles().into_iter().map(|words| format!("the console complains: {words}"));
    foreign.chain(dialogs).chain(troubles).collect()
}

fn lines(list: Value, what: &str) -> Vec<String> {
    let Value::Array(list) = list else { return vec![format!("{what}: {list}")] };
    list.iter().map(|line| format!("{what}: {line}")).collect()
}

/// Where Tab leads, from the start of the page until it comes round: what has the focus, and whether one sees it.
const FOCUSED: &str = "(() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const [x, y] = [box.left + Math.min(box.width / 2, 8), box.top + box.height / 2];
    const top = document.elementFromPoint(x, y);
    const seen = box.width > 0 && box.height > 0 && top && (e.contains(top) || top.contains(e));
    const number = window.testedElements ??= new Map();
    if (!number.has(e)) number.set(e, number.size);
    return { number: number.get(e), outlined, seen: Boolean(seen), html: e.outerHTML.slice(0, 160) };
})()";

/// Where Tab begins is where the focus was last.
const START: &str = "window.testedElements = new Map(); scrollTo(0, 0); document.activeElement.blur();
    document.body.tabIndex = -1; document.body.focus(); document.body.blur(); document.body.removeAttribute('tabindex')";

/// How many things of the page one should come to.
const REACHABLE: &str = "[...document.querySelectorAll(
        'a[href], button:not(:disabled), input:not([type=hidden]):not(:disabled), select, textarea, summary')]
    .filter(e => e.checkVisibility({ visibilityProperty: true }) && e.tabIndex >= 0
        && !(e.type === 'radio' && !e.checked)).length";

/// Goes over the whole page with Tab: everything is reached, and what has the focus is seen.
pub(crate) async fn faults_of_the_keyboard(browser: &Browser) -> Vec<String> {
    let mut faults = Vec::new();
    let mut reached = std::collections::BTreeSet::new();
    browser.evaluate(START).await;
    for _ in 0..400 {
        browser.tab().await;
        let focused = browser.evaluate(FOCUSED).await;
        let Some(number) = focused["number"].as_u64() else { break };
        // A field for a date is stopped at several times.
        if !reached.insert(number) && number == 0 {
            break;
        }
        if focused["outlined"] != true || focused["seen"] != true {
            faults.push(format!("one does not see that it has the focus: {focused}"));
        }
    }
    let reachable = browser.evaluate(REACHABLE).await.as_u64().unwrap_or(u64::MAX);
    if (reached.len() as u64) < reachable {
        faults.push(format!("Tab reaches {} of {reachable} things", reached.len()));
    }
    faults
}
