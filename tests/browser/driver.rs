//! Chromium and its driver as they are on this machine, and one driver as a child process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::process::say;

/// What Debian and others call the browser, and its driver.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const DRIVERS: &[&str] = &["chromedriver"];

/// The start of the line by which the driver says where it listens.
const STARTED: &str = "started successfully on port ";

/// How long a browser may take to end.
const LEAVE: Duration = Duration::from_secs(5);

/// Runs a driver until its own input ends, be it that the test was killed: then the driver and its browsers end too.
const KEEPER: &str = "\"$0\" --port=0 </dev/null & read -r _; kill -9 0";

/// A running chromedriver, ended when dropped, and its browser first: that would live on by itself.
pub(crate) struct Driver {
    child: Child,
    /// What the driver calls the browser it started.
    pub(crate) session: Option<String>,
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
        let mut child = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(driver)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let port = lines.find_map(|line| port(&line)).expect("the driver says where it listens");
        // It would stop at a full pipe.
        thread::spawn(move || lines.for_each(drop));
        Some(Self { child, session: None, port, browser })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.end_session();
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Driver {
    /// Without the client, since nothing can be awaited while a failed test unwinds.
    fn end_session(&self) -> io::Result<()> {
        let Some(session) = &self.session else { return Ok(()) };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(LEAVE))?;
        write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        stream.read(&mut [0; 512]).map(drop)
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
