//! Pictures of the main pages, for people: `cargo test --test browser -- --ignored screenshots`.

use std::fs;
use std::path::Path;

use crate::browser::{Browser, Screen, Theme};
use crate::catalogue::PAGES;
use crate::texts::PLAIN;
use crate::world::{Who, World};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "nobody looks at pictures that nobody asked for"]
async fn screenshots() {
    let browser = Browser::open(None).await.expect("a browser");
    let world = World::told_in(&PLAIN).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    fs::create_dir_all(&folder).expect("a folder");
    for who in Who::ALL {
        world.sign_in(&browser, who).await;
        for page in PAGES.iter().filter(|page| page.who == who && wanted(page)) {
            page.open(&browser, &world).await;
            let looks = [
                ("light", Theme::Light, Screen::DESK),
                ("dark", Theme::Dark, Screen::DESK),
                ("phone", Theme::Light, Screen::PHONE),
            ];
            for (look, theme, screen) in looks {
                browser.set_theme(theme).await;
                browser.set_screen(screen).await;
                fs::write(folder.join(format!("{}-{look}.png", page.name)), browser.picture().await).expect("a file");
            }
            browser.set_screen(Screen::DESK).await;
        }
    }
    crate::process::say(&format!("screenshots: {}", folder.display()));
}

/// The main pages; all of them, or those whose names hold a word, where `SCREENSHOTS` says so.
fn wanted(page: &crate::catalogue::Page) -> bool {
    match std::env::var("SCREENSHOTS") {
        Ok(word) => word == "all" || page.name.contains(&word),
        Err(_) => page.is_main(),
    }
}
