//! Servers, to be killed and started again.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;
use super::place::Place;

/// The start of the line by which a server says that it is ready; its URL follows.
const READY: &str = "strongroom ready at http://";
/// What every test server is told.
const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// A running server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    output: Arc<Output>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it is ready; what it said instead is the error.
    pub(crate) fn start(place: &Place) -> Result<Self, String> {
        Starting::of(place.command(&SERVE)).ready()
    }

    /// Starts a server beside what else the test does, which must succeed.
    pub(crate) async fn start_aside(place: &Place) -> Self {
        let starting = Starting::of(place.command(&SERVE));
        let ready = tokio::task::spawn_blocking(move || starting.ready()).await;
        ready.expect("no panic").expect("a start")
    }

    /// Waits until the server has said `text`, in its log or to scripts.
    pub(crate) fn wait_for_words(&self, text: &str) -> Option<String> {
        self.output.wait_for(text)
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
    }

    /// Tells it to end.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the server can be signalled");
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }

    /// Tells it to end, and waits.
    pub(crate) fn stop(self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// All that it said so far, for a failing test.
    pub(crate) fn said(&self) -> String {
        self.output.lines().text.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that has been started and is not ready yet, killed when dropped.
pub(crate) struct Starting(Option<Server>);

impl Starting {
    /// Starts a server with the usual flags on a place.
    pub(crate) fn on(place: &Place) -> Self {
        Self::of(place.command(&SERVE))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the server starts");
        let output = Arc::new(Output::default());
        output.follow(child.stdout.take().expect("a pipe"));
        output.follow(child.stderr.take().expect("a pipe"));
        Self(Some(Server { child, output, address: ([0, 0, 0, 0], 0).into() }))
    }

    fn server(&self) -> &Server {
        self.0.as_ref().expect("a server that was not given away")
    }

    /// Waits until it has said `text`.
    pub(crate) fn wait_for_words(&self, text: &str) -> Option<String> {
        self.server().wait_for_words(text)
    }

    /// Waits until the server is ready; what it said instead is the error.
    pub(crate) fn ready(mut self) -> Result<Server, String> {
        let line = self.wait_for_words(READY).ok_or_else(|| self.server().said())?;
        let (_, address) = line.split_once(READY).expect("the words that were waited for");
        let mut server = self.0.take().expect("a server that was not given away");
        server.address = address.parse().expect("an address");
        Ok(server)
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.0.take().expect("a server that was not given away").kill();
    }
}

/// What a process says, line by line as it says it.
#[derive(Default)]
struct Output {
    lines: Mutex<Lines>,
    grown: Condvar,
}

#[derive(Default)]
struct Lines {
    text: Vec<String>,
    open_pipes: usize,
}

impl Output {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a pipe to its end, on a thread of its own.
    fn follow(self: &Arc<Self>, pipe: impl Read + Send + 'static) {
        self.lines().open_pipes += 1;
        let output = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                output.lines().text.push(line);
                output.grown.notify_all();
            }
            output.lines().open_pipes -= 1;
            output.grown.notify_all();
        });
    }

    /// The first line that holds `text`, once there is one; `None` when the process ended without.
    fn wait_for(&self, text: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines();
        loop {
            if let Some(line) = lines.text.iter().find(|line| line.contains(text)) {
                return Some(line.clone());
            }
            if lines.open_pipes == 0 {
                return None;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the server never said {text:?}: {}", lines.text.join("\n"));
            (lines, _) = self.grown.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
