//! The release build of strongroom, on a data folder of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::process::{Memory, ProcessTree};

/// A running server; stopped and removed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) process: ProcessTree,
    child: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts it, or the build that `STRONGROOM_BIN` names, and waits until it is ready.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = std::env::var_os("STRONGROOM_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_strongroom").into());
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path())
            .env("STRONGROOM__AUTH__SIGNUP", "open")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("strongroom does not start")?;
        let output = child.stdout.take().context("a pipe")?;
        let process = ProcessTree(child.id());
        let mut server = Self { address: ([127, 0, 0, 1], 0).into(), process, child, _folder: folder };
        server.address = ready_address(BufReader::new(output))?;
        Ok(server)
    }

    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        self.process.memory()
    }
}

fn ready_address(output: impl BufRead) -> anyhow::Result<SocketAddr> {
    for line in output.lines() {
        if let Some(address) = line?.strip_prefix("strongroom ready at http://") {
            return Ok(address.parse()?);
        }
    }
    bail!("strongroom ended before it was ready")
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Asks a child to end, and waits for it.
pub(crate) fn stop(child: &mut Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let _ = child.wait();
}
