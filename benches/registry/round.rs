//! One answer, asked of both servers in turn.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::fixtures::Sample;
use crate::load::drive;
use crate::nginx::Nginx;
use crate::process::ProcessTree;
use crate::server::Server;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1200);
const WARM_UP: Duration = Duration::from_millis(200);

/// Answers above this size are asked for over few connections.
const LARGE_BYTES: usize = 64 * 1024;

/// The figures of one answer.
#[derive(Debug)]
pub(crate) struct Comparison {
    name: &'static str,
    bytes: usize,
    own: Figures,
    nginx: Option<(Figures, f64)>,
}

/// What one server needed; the median of the rounds.
#[derive(Debug, Clone, Copy)]
struct Figures {
    per_second: f64,
    cpu_micros: f64,
}

impl Comparison {
    pub(crate) const HEADING: &str = "\
                                          strongroom            nginx
answer                             KB     req/s  µs CPU     req/s  µs CPU   times nginx's CPU";
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
        let kilobytes = self.bytes as f64 / 1000.0;
        let Figures { per_second, cpu_micros } = self.own;
        write!(formatter, "{:<30} {kilobytes:>6.1} {per_second:>9.0} {cpu_micros:>7.1}", self.name)?;
        match self.nginx {
            Some((Figures { per_second, cpu_micros }, ratio)) => {
                write!(formatter, " {per_second:>9.0} {cpu_micros:>7.1}   {ratio:.2}")
            }
            None => Ok(()),
        }
    }
}

/// Asks for one answer in alternating rounds.
pub(crate) fn compare(sample: &Sample, server: &Server, nginx: Option<&Nginx>) -> anyhow::Result<Comparison> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let own = measure(sample, server.address, server.process, &sample.request)?;
        let other = nginx.map(|nginx| measure(sample, nginx.address, nginx.process, &sample.nginx_request)).transpose();
        rounds.push((own, other?));
    }
    let own: Vec<Figures> = rounds.iter().map(|(own, _)| *own).collect();
    let others: Option<Vec<Figures>> = rounds.iter().map(|(_, other)| *other).collect();
    let ratios = rounds.iter().filter_map(|(own, other)| Some(own.cpu_micros / (*other)?.cpu_micros));
    let ratio = median(ratios.collect());
    let nginx = others.map(|others| (Figures::medians(&others), ratio));
    Ok(Comparison { name: sample.name, bytes: sample.body.len(), own: Figures::medians(&own), nginx })
}

fn measure(sample: &Sample, address: SocketAddr, process: ProcessTree, request: &[u8]) -> anyhow::Result<Figures> {
    let connections = if sample.body.len() > LARGE_BYTES { 8 } else { 64 };
    drive(address, request, sample.status, connections, WARM_UP)?;
    let before = process.cpu_time()?;
    let tally = drive(address, request, sample.status, connections, ROUND)?;
    let used = process.cpu_time()?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let answers = tally.answers as f64;
    Ok(Figures { per_second: answers / tally.took.as_secs_f64(), cpu_micros: used.as_secs_f64() * 1e6 / answers })
}

impl Figures {
    fn medians(rounds: &[Self]) -> Self {
        let of = |pick: fn(&Self) -> f64| median(rounds.iter().map(pick).collect());
        Self { per_second: of(|one| one.per_second), cpu_micros: of(|one| one.cpu_micros) }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
