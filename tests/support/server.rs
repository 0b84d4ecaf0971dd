//! Processes of the product, to be killed and started again.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The executable under test.
const EXECUTABLE: &str = env!("CARGO_BIN_EXE_demo");
/// The start of the line by which a server says that it is ready; the database's address follows.
const READY: &str = "ready: ";

/// A server on the private Postgres, killed when dropped.
pub(crate) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it said before it was ready.
    pub(crate) said: Vec<String>,
    /// The address of its database.
    pub(crate) url: String,
}

impl Server {
    /// Starts a server and waits until it is ready; what it said instead is the error.
    pub(crate) fn start(data_dir: &Path) -> Result<Self, String> {
        let mut server = Self::spawn(data_dir);
        server.wait_ready()?;
        Ok(server)
    }

    /// Starts a server and waits for nothing.
    pub(crate) fn spawn(data_dir: &Path) -> Self {
        let mut child = command(&["serve"], data_dir).spawn().expect("the server starts");
        let output = child.stdout.take().expect("a pipe");
        Self { child, lines: BufReader::new(output).lines(), said: Vec::new(), url: String::new() }
    }

    fn wait_ready(&mut self) -> Result<(), String> {
        let line = self.wait_line(READY).ok_or_else(|| self.said.join("\n"))?;
        line[READY.len()..].clone_into(&mut self.url);
        Ok(())
    }

    /// Reads on until a line that starts with `start`; `None` when the output ends before.
    pub(crate) fn wait_line(&mut self, start: &str) -> Option<String> {
        for line in self.lines.by_ref().map_while(Result::ok) {
            if line.starts_with(start) {
                return Some(line);
            }
            self.said.push(line);
        }
        None
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

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("the server can be signalled");
        self.child.wait().expect("the server ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a command beside or without a server; its one line of output tells when the postmaster started and
/// whether it was joined.
pub(crate) fn spawn_command(data_dir: &Path) -> Child {
    command(&["command"], data_dir).spawn().expect("the command starts")
}

/// Waits for a command and returns what it printed.
pub(crate) fn finish(child: Child) -> String {
    let output = child.wait_with_output().expect("the command ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

fn command(verbs: &[&str], data_dir: &Path) -> Command {
    let mut command = Command::new(EXECUTABLE);
    command.args(verbs).arg(data_dir).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}
