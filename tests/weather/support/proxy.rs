//! A cable between a node and its Postgres that a test can cut.

use std::io;
use std::net::SocketAddr;

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

/// The cable; it vanishes when dropped.
pub(crate) struct Proxy {
    /// The database's address through the cable.
    pub(crate) url: String,
    cable: watch::Sender<Cable>,
    refusing: watch::Receiver<bool>,
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
        let accepting = tokio::spawn(accept(listener, upstream, state, refuse));
        Self { url: redirect(url, address), cable, refusing, accepting }
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

    async fn carry(&self, near: TcpStream, state: watch::Receiver<Cable>) -> io::Result<()> {
        match self {
            Self::Socket(path) => carry(near, UnixStream::connect(path).await?, state).await,
            Self::Host(host) => carry(near, TcpStream::connect(host).await?, state).await,
        }
    }
}

/// Accepts connections while the cable is not cut. While it is, nobody listens on the port.
async fn accept(
    mut listener: TcpListener,
    upstream: Upstream,
    state: watch::Receiver<Cable>,
    refuse: watch::Sender<bool>,
) {
    let address = listener.local_addr().expect("an address");
    loop {
        tokio::select! {
            () = accept_all(&listener, &upstream, &state) => {}
            () = until(&state, |cable| cable == Cable::Cut) => {}
        }
        drop(listener);
        refuse.send_replace(true);
        until(&state, |cable| cable != Cable::Cut).await;
        listener = TcpListener::bind(address).await.expect("the port is still free");
        refuse.send_replace(false);
    }
}

async fn accept_all(listener: &TcpListener, upstream: &Upstream, state: &watch::Receiver<Cable>) {
    while let Ok((near, _)) = listener.accept().await {
        let (upstream, state) = (upstream.clone(), state.clone());
        tokio::spawn(async move { upstream.carry(near, state).await });
    }
}

/// Waits until the cable is as wanted; for ever once the test is over.
async fn until(state: &watch::Receiver<Cable>, mut wanted: impl FnMut(Cable) -> bool) {
    if state.clone().wait_for(|cable| wanted(*cable)).await.is_err() {
        std::future::pending().await
    }
}

/// Carries one connection until an end closes it or the cable is cut.
async fn carry(
    near: TcpStream,
    far: impl AsyncRead + AsyncWrite + Unpin,
    state: watch::Receiver<Cable>,
) -> io::Result<()> {
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = tokio::io::split(far);
    tokio::select! {
        ended = pump(near_read, far_write, state.clone()) => ended,
        ended = pump(far_read, near_write, state.clone()) => ended,
        () = until(&state, |cable| cable == Cable::Cut) => Ok(()),
    }
}

/// Carries one direction. What was read when the cable fell silent is held back.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: watch::Receiver<Cable>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        until(&state, |cable| cable != Cable::Silent).await;
        to.write_all(&buffer[..length]).await?;
    }
}
