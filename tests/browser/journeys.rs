//! What people come to do, from start to end; each journey with the scripts of pages and without them.

mod entrance;

use crate::browser::Browser;
use crate::house::House;

/// Plays a journey twice, each time in a registry of its own: with script, and without.
async fn twice(journey: impl AsyncFn(&Browser, &House)) {
    for script in [true, false] {
        let Some(browser) = Browser::open(None).await else { return };
        browser.allow_script(script).await;
        journey(&browser, &House::open().await).await;
    }
}
