//! A connection that may not dawdle (`security.md` 5.1).
//!
//! hyper's timer for the request head also runs while a kept-alive connection is idle, where clients want a minute. So
//! the limits are kept here, where bytes arrive: a head has ten seconds, also on a connection that sends nothing at all;
//! an idle connection has a minute; a client that does not take its answer has half a minute.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

const HEAD: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_mins(1);
const WRITE_STALL: Duration = Duration::from_secs(30);

/// Whether a request of the connection is being answered, and when the last answer ended. The service tells, the
/// connection looks: it is not woken when an answer ends, so it must find out by itself.
#[derive(Debug, Clone)]
pub(super) struct Busy(Arc<Answers>);

#[derive(Debug)]
struct Answers {
    under_way: AtomicUsize,
    opened_at: Instant,
    last_ended_ms: AtomicU64,
}

/// One request being answered, until dropped.
#[derive(Debug)]
pub(super) struct Answering(Busy);

impl Busy {
    pub(super) fn new() -> Self {
        let (under_way, last_ended_ms) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self(Arc::new(Answers { under_way, opened_at: Instant::now(), last_ended_ms }))
    }

    pub(super) fn begin(&self) -> Answering {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    fn is_busy(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) > 0
    }

    fn last_ended(&self) -> Instant {
        self.0.opened_at + Duration::from_millis(self.0.last_ended_ms.load(Ordering::Relaxed))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let answers = &self.0.0;
        let now_ms = u64::try_from(answers.opened_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        answers.last_ended_ms.store(now_ms, Ordering::Relaxed);
        answers.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the connection waits for the client to send, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    FirstHead(Instant),
    NextRequest(Instant),
    RestOfHead(Instant),
    Nothing,
}

/// A TCP stream with the limits above.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    busy: Busy,
    waiting: Waiting,
    write_stalled_since: Option<Instant>,
    /// One timer for all limits. It is not moved with each request, which would cost more than the request: when it
    /// fires, the deadline is looked at again.
    alarm: Pin<Box<Sleep>>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, busy: Busy) -> Self {
        let now = Instant::now();
        Self {
            stream,
            busy,
            waiting: Waiting::FirstHead(now),
            write_stalled_since: None,
            alarm: Box::pin(sleep_until(now + HEAD)),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let reading = match self.waiting {
            Waiting::FirstHead(since) | Waiting::RestOfHead(since) => Some(since + HEAD),
            Waiting::NextRequest(since) => Some(since + IDLE),
            Waiting::Nothing if self.busy.is_busy() => Some(Instant::now() + IDLE),
            Waiting::Nothing => Some(self.busy.last_ended() + IDLE),
        };
        let writing = self.write_stalled_since.map(|since| since + WRITE_STALL);
        reading.into_iter().chain(writing).min()
    }

    /// Whether the connection has waited too long; else has the task woken when it will have.
    fn is_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline() else { return false };
        if deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(deadline);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            if deadline <= Instant::now() {
                return true;
            }
            self.alarm.as_mut().reset(deadline);
        }
        false
    }

    fn note_read(&mut self, got_bytes: bool) {
        if self.busy.is_busy() {
            self.waiting = Waiting::Nothing;
        } else if got_bytes {
            self.waiting = match self.waiting {
                Waiting::FirstHead(since) | Waiting::RestOfHead(since) => Waiting::RestOfHead(since),
                Waiting::NextRequest(_) | Waiting::Nothing => Waiting::RestOfHead(Instant::now()),
            };
        } else if self.waiting == Waiting::Nothing {
            self.waiting = Waiting::NextRequest(Instant::now());
        }
    }

    fn note_write<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_stalled_since = None;
            return outcome;
        }
        self.write_stalled_since.get_or_insert_with(Instant::now);
        if self.is_overdue(context) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.note_read(buffer.filled().len() > before);
        if outcome.is_pending() && self.is_overdue(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        outcome
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note_write(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.note_write(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
