//! What answers cost: strongroom beside nginx, which sends the same bytes as ready-made files.
//!
//! `cargo bench` starts the release build on a data folder of its own, publishes a few packages, and asks both servers
//! for the same answers in alternating rounds. The figure to watch is the CPU time of the server for one request, as a
//! multiple of nginx's in the same round: other work on the machine moves both alike. Nothing here fails because it was
//! slow; wrong answers fail. Everything stays on the loopback interface and is removed at the end.
//!
//! A word on the command line keeps the answers whose name contains it: `cargo bench -- tarball`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod fixtures;
mod load;
mod nginx;
mod process;
mod publish;
mod round;
mod server;
mod wire;

use std::time::Instant;

use fixtures::Fixtures;
use nginx::Nginx;
use round::{Comparison, compare};
use server::Server;

/// Versions of the large package.
const MANY_VERSIONS: u32 = 1000;
/// Bytes of the upload whose memory is watched.
const UPLOAD_BYTES: usize = 100_000_000;

fn main() -> anyhow::Result<()> {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let server = Server::start()?;
    println!("at the start: {}", server.memory()?);
    let fixtures = publish_fixtures(&server)?;
    compare_answers(&server, &fixtures, &wanted)?;
    println!("\nafter all rounds: {}", server.memory()?);
    watch_upload(&server, &fixtures)
}

fn publish_fixtures(server: &Server) -> anyhow::Result<Fixtures> {
    let began = Instant::now();
    let fixtures = Fixtures::publish(server.address, MANY_VERSIONS)?;
    let each = began.elapsed().as_secs_f64() * 1000.0 / f64::from(fixtures.publishes);
    println!("after {} publishes of {each:.1} ms each: {}", fixtures.publishes, server.memory()?);
    Ok(fixtures)
}

fn compare_answers(server: &Server, fixtures: &Fixtures, wanted: &str) -> anyhow::Result<()> {
    let asked = fixtures.asked().into_iter().filter(|asked| asked.name.contains(wanted));
    let samples = asked.map(|asked| asked.sample(server.address)).collect::<anyhow::Result<Vec<_>>>()?;
    let nginx = Nginx::start(&samples, &fixtures.token)?;
    if nginx.is_none() {
        println!("nginx is not installed: there is nothing to compare with");
    }
    println!("\n{}", Comparison::HEADING);
    for sample in &samples {
        println!("{}", compare(sample, server, nginx.as_ref())?);
    }
    Ok(())
}

/// Publishes one large tarball and watches how much memory that takes.
fn watch_upload(server: &Server, fixtures: &Fixtures) -> anyhow::Result<()> {
    let body = fixtures.large_upload(UPLOAD_BYTES)?;
    let before = server.process.reset_peak()?;
    let began = Instant::now();
    fixtures.send(&body)?;
    let took = began.elapsed().as_secs_f64();
    let added = server.process.peak_bytes()?.saturating_sub(before);
    let megabytes = |bytes: u64| bytes / 1_000_000;
    println!(
        "a publish of {} MB: {took:.2} s, {} MB of memory more at its peak",
        megabytes(UPLOAD_BYTES as u64),
        megabytes(added),
    );
    println!("after it: {}", server.memory()?);
    Ok(())
}
