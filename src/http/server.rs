//! Accepting connections, and letting them go.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Request;

use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::address::{TrustedProxies, network_of};
use super::connection::{Answering, Busy, Connection};
use super::edge::Edge;

/// What the server allows at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections in all; further ones wait to be accepted.
    pub connections: usize,
    /// Connections from one address; further ones are closed.
    pub per_address: usize,
    /// How long running requests may take once the server is to stop.
    pub drain: Duration,
}

/// Serves until `stop` resolves; then accepts nothing more, lets running requests finish, and returns.
///
/// # Errors
/// The listener's, when it cannot accept at all any more.
pub async fn serve(
    listener: TcpListener,
    edge: Arc<Edge>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(limits.connections));
    let neighbours = Neighbours::new(limits.per_address, edge.proxies().clone());
    let (stopping, stopped) = watch::channel(false);
    let connections = TaskTracker::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, address, place) = accepted;
        let Some(seat) = neighbours.seat(address) else { continue };
        connections.spawn(hold(stream, address, edge.clone(), stopped.clone(), (place, seat)));
    }
    drop(listener);
    let _ = stopping.send(true);
    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests still ran when the time to drain was over");
    }
    Ok(())
}

/// Accepts the next connection once there is a place for it. Out of file descriptors and the like pass by themselves.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return std::future::pending().await };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip().to_canonical(), place),
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn hold<P>(stream: TcpStream, address: IpAddr, edge: Arc<Edge>, mut stopped: watch::Receiver<bool>, _place: P) {
    let _ = stream.set_nodelay(true);
    let busy = Busy::new();
    let io = TokioIo::new(Connection::new(stream, busy.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        let (edge, answering) = (edge.clone(), busy.begin());
        async move {
            let response = edge.answer(request.map(Body::new), address).await;
            Ok::<_, Infallible>(response.map(|body| Counted { body, _answering: answering }))
        }
    });
    let connection =
        http1::Builder::new().header_read_timeout(None).max_buf_size(64 * 1024).serve_connection(io, service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = told_to_stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error means that the server itself is gone, which is no less a reason.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// A response body that keeps its connection busy until it has been sent.
struct Counted {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Counts connections by address. A trusted proxy speaks for many clients, so it is not counted.
#[derive(Debug, Clone)]
struct Neighbours {
    most: usize,
    proxies: TrustedProxies,
    seats: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A counted connection, or an uncounted one.
struct Seat(Option<(IpAddr, Neighbours)>);

impl Neighbours {
    fn new(most: usize, proxies: TrustedProxies) -> Self {
        Self { most, proxies, seats: Arc::default() }
    }

    fn seat(&self, address: IpAddr) -> Option<Seat> {
        if self.proxies.contains(address) {
            return Some(Seat(None));
        }
        let address = network_of(address);
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(address).or_insert(0);
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Seat(Some((address, self.clone()))))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((address, neighbours)) = &self.0 else { return };
        let mut seats = neighbours.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(address) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(address);
            }
        }
    }
}
