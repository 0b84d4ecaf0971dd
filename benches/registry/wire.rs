//! HTTP/1.1 as far as a benchmark needs it: fixed requests, kept-alive connections, bodies with a length.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

/// How long a server may keep a benchmark waiting.
const PATIENCE: Duration = Duration::from_mins(1);

/// Room for a head and for a piece of a body.
const BUFFER_BYTES: usize = 256 * 1024;

/// A kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) content_length: u64,
    pub(crate) text: String,
}

impl Head {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.text.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim()))
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).context("the server does not listen")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES].into() })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads an answer to its end and keeps all of it.
    pub(crate) fn receive(&mut self) -> anyhow::Result<(Head, Vec<u8>)> {
        let (head_bytes, filled) = self.read_head()?;
        let head = parse_head(&self.buffer[..head_bytes])?;
        let mut body = self.buffer[head_bytes..filled].to_vec();
        body.resize(usize::try_from(head.content_length)?, 0);
        self.stream.read_exact(&mut body[filled - head_bytes..])?;
        Ok((head, body))
    }

    /// Reads an answer to its end and throws it away, but for its status.
    pub(crate) fn skip(&mut self) -> anyhow::Result<u16> {
        let (head_bytes, filled) = self.read_head()?;
        let (status, length) = read_numbers(&self.buffer[..head_bytes])?;
        let mut left = length.saturating_sub((filled - head_bytes) as u64);
        while left > 0 {
            match self.stream.read(&mut self.buffer)? as u64 {
                0 => bail!("the server hung up in the middle of a body"),
                read => left = left.saturating_sub(read),
            }
        }
        Ok(status)
    }

    /// Reads until the head is complete: its length, and how much of the buffer is filled.
    fn read_head(&mut self) -> anyhow::Result<(usize, usize)> {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                bail!("the server hung up");
            }
            filled += read;
            if let Some(end) = memchr::memmem::find(&self.buffer[..filled], b"\r\n\r\n") {
                return Ok((end + 4, filled));
            }
        }
    }
}

fn parse_head(bytes: &[u8]) -> anyhow::Result<Head> {
    let (status, content_length) = read_numbers(bytes)?;
    Ok(Head { status, content_length, text: String::from_utf8_lossy(bytes).into_owned() })
}

/// The status and the length of the body.
fn read_numbers(head: &[u8]) -> anyhow::Result<(u16, u64)> {
    const LENGTH: &[u8] = b"content-length:";
    let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let is_length = |line: &&[u8]| line.get(..LENGTH.len()).is_some_and(|name| name.eq_ignore_ascii_case(LENGTH));
    let length = head.split(|byte| *byte == b'\n').find(is_length).map(|line| line[LENGTH.len()..].trim_ascii());
    let length = length.map_or(Ok(0), |digits| std::str::from_utf8(digits)?.parse().map_err(anyhow::Error::from))?;
    Ok((status.context("this is no HTTP")?, length))
}
