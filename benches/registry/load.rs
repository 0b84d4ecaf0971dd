//! The load: one thread that keeps many connections busy with one request each.
//!
//! It takes the answers in turn. While it reads one, the server works on all the others; so it needs no readiness
//! calls, and costs two system calls for a small answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::wire::Connection;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) answers: u64,
    pub(crate) took: Duration,
}

/// Asks for `span`, over as many connections, and expects `status` each time.
pub(crate) fn drive(
    address: SocketAddr,
    request: &[u8],
    status: u16,
    connections: usize,
    span: Duration,
) -> anyhow::Result<Tally> {
    let mut open = (0..connections).map(|_| Connection::open(address)).collect::<anyhow::Result<Vec<_>>>()?;
    let began = Instant::now();
    open.iter_mut().try_for_each(|connection| connection.send(request))?;
    let mut answers = 0;
    while began.elapsed() < span {
        for connection in &mut open {
            take_answer(connection, status)?;
            connection.send(request)?;
            answers += 1;
        }
    }
    for connection in &mut open {
        take_answer(connection, status)?;
        answers += 1;
    }
    Ok(Tally { answers, took: began.elapsed() })
}

fn take_answer(connection: &mut Connection, expected: u16) -> anyhow::Result<()> {
    let status = connection.skip()?;
    ensure!(status == expected, "a server answered {status} instead of {expected} under load");
    Ok(())
}
