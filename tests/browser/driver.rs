//! Chromium and its driver as they are on this machine, and one driver as a child process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::process::say;

/// What Debian and others call the browser, and its driver.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const DRIVERS: &[&str] = &["chromedriver"];

/// The start of the line by which the driver says where it listens.
const STARTED: &str = "started successfully on port ";

/// A running chromedriver, ended when dropped. Its browser ends with it.
pub(crate) struct Driver {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    /// The browser that it shall start.
    pub(crate) browser: PathBuf,
}

impl Driver {
    /// Starts a driver, unless this machine has none: then it says so aloud.
    pub(crate) fn start() -> Option<Self> {
        let (Some(browser), Some(driver)) = (find(BROWSERS), find(DRIVERS)) else {
            say("browser: skipped: there is no Chromium with its driver on this machine; as root: \
                 apt-get install --no-install-recommends chromium chromium-driver");
            return None;
        };
        let mut child = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let port = lines.find_map(|line| port(&line)).expect("the driver says where it listens");
        // It would stop at a full pipe.
        thread::spawn(move || lines.for_each(drop));
        Some(Self { child, port, browser })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn port(line: &str) -> Option<u16> {
    line.split(STARTED).nth(1)?.trim_end_matches('.').parse().ok()
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| Path::is_file(place))
}
