//! Running a command to its end, answering what it asks, and judging what it said.

use std::io::Write;
use std::process::{ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::terminal::{self, Reply};

/// After this a command is taken to hang; the slowest one, fetching a client, takes some ten seconds.
const LIMIT: Duration = Duration::from_mins(2);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// A line to type at a prompt. Clients word their prompts differently; all end in a blank.
pub(crate) struct Answer<'a> {
    /// A word of the prompt; when it is empty, there is none to wait for.
    pub(crate) prompt: &'a str,
    pub(crate) line: &'a str,
}

/// How a command ended.
pub(crate) struct Outcome {
    command: String,
    status: ExitStatus,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained about.
    pub(crate) stderr: String,
}

/// Waits for something; what it spawns goes on behind the tests.
pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// Prints a line for people to see, also where the test runner captures what tests print.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Runs a command to its end, with nothing to read.
pub(crate) fn run(command: Command) -> Outcome {
    converse(command, &[])
}

/// Runs a command to its end and types an answer at each prompt.
pub(crate) fn converse(mut command: Command, answers: &[Answer<'_>]) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let words = describe(&command);
    let ended = RUNTIME.block_on(async { tokio::time::timeout(LIMIT, follow(command, answers)).await });
    let (status, stdout, stderr) = ended
        .unwrap_or_else(|_| panic!("{words} did not end within {LIMIT:?}"))
        .unwrap_or_else(|cause| panic!("{words} could not be run: {cause}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Outcome { command: words, status, stdout: text(stdout), stderr: text(stderr) }
}

/// The same at a terminal, where clients ask what they would not ask a pipe. Both streams are one there.
pub(crate) fn converse_at_a_terminal(command: Command, replies: &[Reply<'_>]) -> Outcome {
    let words = describe(&command);
    let ended = terminal::converse(command.into_std(), replies, LIMIT);
    let (status, said) = ended.unwrap_or_else(|cause| panic!("{words} could not be run at a terminal: {cause}"));
    Outcome { command: words, status, stdout: String::from_utf8_lossy(&said).into_owned(), stderr: String::new() }
}

fn describe(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

async fn follow(mut command: Command, answers: &[Answer<'_>]) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut child = command.spawn()?;
    let mut typing = child.stdin.take().expect("a pipe");
    let mut output = child.stdout.take().expect("a pipe");
    let mut complaints = child.stderr.take().expect("a pipe");
    let talk = async move {
        let mut said = Vec::new();
        for answer in answers {
            if !read_to_prompt(&mut output, &mut said, answer.prompt).await? {
                break;
            }
            // Whoever does not listen any more will say why.
            let _ = typing.write_all(format!("{}\n", answer.line).as_bytes()).await;
        }
        drop(typing);
        output.read_to_end(&mut said).await?;
        Ok(said)
    };
    let listen = async move {
        let mut said = Vec::new();
        complaints.read_to_end(&mut said).await.map(|_| said)
    };
    let (said, complained, status) = tokio::try_join!(talk, listen, child.wait())?;
    Ok((status, said, complained))
}

/// npm 10 may print the line end that belongs to one prompt after the next.
fn ends_in_prompt(text: &str, prompt: &str) -> bool {
    prompt.is_empty() || (text.contains(prompt) && text.trim_end_matches('\n').ends_with(' '))
}

/// Reads on until the prompt stands at the end; false when the output ends before.
async fn read_to_prompt(
    output: &mut (impl AsyncRead + Unpin),
    said: &mut Vec<u8>,
    prompt: &str,
) -> std::io::Result<bool> {
    let begin = said.len();
    while !ends_in_prompt(&String::from_utf8_lossy(&said[begin..]), prompt) {
        if output.read_buf(said).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Outcome {
    /// Insists on success.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(self.status.success(), "it should have succeeded:\n{}", self.account());
        self
    }

    /// Insists on failure, with this code in npm's own line for it, such as `E404`. `npm owner` has one code for all
    /// failures and quotes the status.
    #[track_caller]
    pub(crate) fn fails_with(self, code: &str) -> Self {
        let quoted = format!("Failed to update package: \"{} ", code.trim_start_matches('E'));
        let coded = self.stderr.lines().any(|line| line.ends_with(&format!(" code {code}")) || line.contains(&quoted));
        assert!(!self.status.success() && coded, "it should have failed with {code}:\n{}", self.account());
        self
    }

    /// Insists on failure, whatever the code.
    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert!(!self.status.success(), "it should have failed:\n{}", self.account());
        self
    }

    /// Insists that these words were printed, on either stream.
    #[track_caller]
    pub(crate) fn saying(self, words: &str) -> Self {
        assert!(self.says(words), "it should have said {words:?}:\n{}", self.account());
        self
    }

    /// What it printed, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|_| panic!("it should have printed JSON:\n{}", self.account()))
    }

    fn says(&self, words: &str) -> bool {
        [&self.stdout, &self.stderr].into_iter().any(|text| text.contains(words))
    }

    /// Everything about it, for the message of a failed test.
    fn account(&self) -> String {
        let Self { command, status, stdout, stderr } = self;
        format!("$ {command}\n{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }

    /// Whether it succeeded.
    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }
}
