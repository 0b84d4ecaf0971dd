//! A terminal to run a command at: clients ask for one-time passwords nowhere else.

use std::fs::File;
use std::io::{Read, Result, Write};
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// What to type at a prompt, which may depend on what was said until then; or what to do instead.
pub(crate) struct Reply<'a> {
    prompt: &'a str,
    line: Box<Act<'a>>,
}

/// What was said leads to a line, or to something else.
type Act<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl<'a> Reply<'a> {
    pub(crate) fn new(prompt: &'a str, line: &'a str) -> Self {
        Self::from(prompt, move |_| line.to_owned())
    }

    pub(crate) fn from(prompt: &'a str, line: impl Fn(&str) -> String + 'a) -> Self {
        Self { prompt, line: Box::new(move |said| Some(line(said))) }
    }

    /// Types nothing.
    pub(crate) fn by(prompt: &'a str, act: impl Fn(&str) + 'a) -> Self {
        let line = move |said: &str| {
            act(said);
            None
        };
        Self { prompt, line: Box::new(line) }
    }
}

/// Runs a command to its end and types a reply at each prompt; ends it when it takes too long.
pub(crate) fn converse(mut command: Command, replies: &[Reply<'_>], limit: Duration) -> Result<(ExitStatus, Vec<u8>)> {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&near)?;
    unlockpt(&near)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let far = open(ptsname(&near, Vec::new())?, flags, Mode::empty())?;
    command.env("TERM", "xterm").stdin(far.try_clone()?).stdout(far.try_clone()?).stderr(far);
    let mut child = command.spawn()?;
    // It holds the far end, and reading ends when nobody does.
    drop(command);
    let process = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if end.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = kill_process(process, Signal::KILL);
        }
    });
    let said = talk(&mut File::from(near), replies);
    let status = child.wait()?;
    drop(ended);
    let _ = watch.join();
    Ok((status, said))
}

/// Reads to the end, which Linux makes known by an error, and types the next reply whenever its prompt has come.
fn talk(terminal: &mut File, replies: &[Reply<'_>]) -> Vec<u8> {
    let mut waiting = replies.iter();
    let mut next = waiting.next();
    let (mut said, mut begin, mut piece) = (Vec::new(), 0, [0; 4096]);
    while let Ok(length @ 1..) = terminal.read(&mut piece) {
        said.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&said[begin..]).into_owned();
        if let Some(reply) = next
            && text.to_lowercase().contains(&reply.prompt.to_lowercase())
        {
            begin = said.len();
            wait_for_silence(terminal, reply.prompt);
            next = waiting.next();
            if let Some(line) = (reply.line)(&text) {
                // Whoever does not listen any more will say why.
                let _ = terminal.write_all(format!("{line}\r").as_bytes());
            }
        }
    }
    said
}

/// Some clients ask for a password before they tell the terminal to keep it, and forget what was typed until then.
fn wait_for_silence(terminal: &File, prompt: &str) {
    let echoes = || tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO));
    let begin = Instant::now();
    while prompt.eq_ignore_ascii_case("password") && echoes() && begin.elapsed() < Duration::from_secs(10) {
        thread::yield_now();
    }
}
