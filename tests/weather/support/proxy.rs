//! A cable between a node and its Postgres that a test can cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the cable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cable {
    /// It carries everything.
    Whole,
    /// Connections break, and new ones are refused, as when Postgres is down.
    Cut,
    /// Nothing arrives any more and nothing breaks, as when a firewall has forgotten the connection.
    Silent,
}

/// How a transaction ends on the wire.
const COMMIT: &[u8] = b"COMMIT";

/// The cable; it vanishes when dropped.
pub(crate) struct Proxy {
    /// The database's address through the cable.
    pub(crate) url: String,
    cable: watch::Sender<Cable>,
    refusing: watch::Receiver<bool>,
    unanswered_commit: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Lays a cable to the database at `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let upstream = Upstream::of(url);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (cable, state) = watch::channel(Cable::Whole);
        let (refuse, refusing) = watch::channel(false);
        let unanswered_commit = Arc::<AtomicUsize>::default();
        let line = Line { upstream, state, unanswered_commit: unanswered_commit.clone() };
        let accepting = tokio::spawn(accept(listener, line, refuse));
        Self { url: redirect(url, address), cable, refusing, unanswered_commit, accepting }
    }

    /// Breaks all connections and refuses new ones. Returns when it does.
    pub(crate) async fn cut(&self) {
        self.become_now(Cable::Cut).await;
    }

    /// Stops carrying anything, in either direction, and breaks nothing.
    pub(crate) async fn silence(&self) {
        self.become_now(Cable::Silent).await;
    }

    /// Carries everything again.
    pub(crate) async fn mend(&self) {
        self.become_now(Cable::Whole).await;
    }

    /// Lets the `number`th commit from now on arrive, and breaks its connection before the answer comes back.
    pub(crate) fn lose_answer_to_commit(&self, number: usize) {
        self.unanswered_commit.store(number, Ordering::SeqCst);
    }

    async fn become_now(&self, cable: Cable) {
        self.cable.send_replace(cable);
        let mut refusing = self.refusing.clone();
        refusing.wait_for(|refusing| *refusing == (cable == Cable::Cut)).await.expect("the cable is there");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Replaces host and port in `postgres://user:password@host:port/name?…`.
fn redirect(url: &str, address: SocketAddr) -> String {
    let (who, rest) = url.split_once('@').expect("a user");
    let (_, what) = rest.split_once('/').expect("a database");
    format!("{who}@{address}/{what}")
}

/// Where the database really is.
#[derive(Clone)]
enum Upstream {
    Socket(std::path::PathBuf),
    Host(String),
}

impl Upstream {
    fn of(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("a database URL");
        let port = options.get_port();
        match options.get_socket() {
            Some(directory) => Self::Socket(directory.join(format!(".s.PGSQL.{port}"))),
            None => Self::Host(format!("{}:{port}", options.get_host())),
        }
    }
}

/// What every connection through the cable knows.
#[derive(Clone)]
struct Line {
    upstream: Upstream,
    state: watch::Receiver<Cable>,
    /// How many commits from now the one is whose answer is lost; 0 where none is.
    unanswered_commit: Arc<AtomicUsize>,
}

/// Accepts connections while the cable is not cut. While it is, nobody listens on the port.
async fn accept(mut listener: TcpListener, line: Line, refuse: watch::Sender<bool>) {
    let address = listener.local_addr().expect("an address");
    loop {
        tokio::select! {
            () = accept_all(&listener, &line) => {}
            () = line.until(|cable| cable == Cable::Cut) => {}
        }
        drop(listener);
        refuse.send_replace(true);
        line.until(|cable| cable != Cable::Cut).await;
        listener = TcpListener::bind(address).await.expect("the port is still free");
        refuse.send_replace(false);
    }
}

async fn accept_all(listener: &TcpListener, line: &Line) {
    while let Ok((near, _)) = listener.accept().await {
        let line = line.clone();
        tokio::spawn(async move { line.open(near).await });
    }
}

impl Line {
    /// Waits until the cable is as wanted; for ever once the test is over.
    async fn until(&self, mut wanted: impl FnMut(Cable) -> bool) {
        if self.state.clone().wait_for(|cable| wanted(*cable)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn open(&self, near: TcpStream) -> io::Result<()> {
        match &self.upstream {
            Upstream::Socket(path) => self.carry(near, UnixStream::connect(path).await?).await,
            Upstream::Host(host) => self.carry(near, TcpStream::connect(host).await?).await,
        }
    }

    /// Carries one connection until an end closes it or the cable is cut.
    async fn carry(&self, near: TcpStream, far: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = tokio::io::split(far);
        tokio::select! {
            ended = self.pump(near_read, far_write, |sent| self.is_to_lose_its_answer(sent)) => ended,
            ended = self.pump(far_read, near_write, |_| false) => ended,
            () = self.until(|cable| cable == Cable::Cut) => Ok(()),
        }
    }

    /// Carries one direction, up to what is the last. What was read when the cable fell silent is held back.
    async fn pump(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        is_last: impl Fn(&[u8]) -> bool,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            self.until(|cable| cable != Cable::Silent).await;
            to.write_all(&buffer[..length]).await?;
            if is_last(&buffer[..length]) {
                return Ok(());
            }
        }
    }

    fn is_to_lose_its_answer(&self, sent: &[u8]) -> bool {
        let is_commit = sent.windows(COMMIT.len()).any(|window| window == COMMIT);
        let count = |left: usize| left.checked_sub(1);
        is_commit && self.unanswered_commit.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count) == Ok(1)
    }
}
