//! The encodings of a packument, each made once for a revision and never for a request.

use std::io::{self, Write};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};

/// Below this a document is compressed where it stands; above, on the blocking pool.
const SMALL_BYTES: usize = 16 * 1024;

/// How a body is encoded on the wire (RFC 9110, 8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// What every client takes.
    Gzip,
    /// Smaller; yarn 4, bun and browsers take it.
    Brotli,
    /// Smaller and quick to unpack; pnpm 12 and bun take it.
    Zstandard,
}

impl Encoding {
    /// Each of them, in the order above.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstandard];

    /// The word of `content-encoding`; none for identity.
    pub fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstandard => Some("zstd"),
        }
    }

    /// The best encoding that an `accept-encoding` header allows. Ties go to the one that is cheapest to unpack.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let Some(accept) = accept else { return Self::Identity };
        let weight = |token: &str| weight_of(accept, token);
        [Self::Zstandard, Self::Brotli, Self::Gzip]
            .into_iter()
            .filter_map(|encoding| {
                let weight = weight(encoding.token()?)?;
                (weight > 0).then_some((encoding, weight))
            })
            // max_by_key would take the last of equals.
            .fold(None, |best: Option<(Self, u32)>, next| match best {
                Some(best) if best.1 >= next.1 => Some(best),
                _ => Some(next),
            })
            .map_or(Self::Identity, |(encoding, _)| encoding)
    }
}

/// The q-value of a token in thousandths; `None` where it is not listed, also not by `*`.
fn weight_of(accept: &str, token: &str) -> Option<u32> {
    let mut by_star = None;
    for item in accept.split(',') {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case(token) {
            return Some(q_value(parameters));
        }
        if name == "*" {
            by_star = Some(q_value(parameters));
        }
    }
    by_star
}

/// The weight among the parameters of a listed item, in thousandths; 1000 where there is none (RFC 9110, 12.4.2).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000 first")]
pub fn q_value(parameters: &str) -> u32 {
    let q = parameters.trim().strip_prefix("q=").and_then(|text| text.trim().parse::<f32>().ok()).unwrap_or(1.0);
    (q.clamp(0.0, 1.0) * 1000.0) as u32
}

/// A document and its compressed twins.
#[derive(Debug)]
pub(super) struct Variants {
    identity: Bytes,
    gzip: OnceCell<Bytes>,
    brotli: OnceCell<Bytes>,
    zstandard: OnceCell<Bytes>,
}

impl Variants {
    pub(super) fn new(identity: Bytes) -> Self {
        Self { identity, gzip: OnceCell::new(), brotli: OnceCell::new(), zstandard: OnceCell::new() }
    }

    pub(super) fn identity(&self) -> &Bytes {
        &self.identity
    }

    pub(super) fn get(&self, encoding: Encoding) -> Option<Bytes> {
        match self.cell(encoding) {
            Some(cell) => cell.get().cloned(),
            None => Some(self.identity.clone()),
        }
    }

    /// Compresses; those who ask meanwhile wait for the same result. The one who did it is told the length by `made`.
    pub(super) async fn make(&self, encoding: Encoding, made: impl FnOnce(u64)) -> Result<Bytes> {
        let Some(cell) = self.cell(encoding) else { return Ok(self.identity.clone()) };
        let compress = async {
            let bytes = compress_somewhere(self.identity.clone(), encoding).await?;
            made(bytes.len() as u64);
            Ok(bytes)
        };
        cell.get_or_try_init(|| compress).await.cloned()
    }

    fn cell(&self, encoding: Encoding) -> Option<&OnceCell<Bytes>> {
        match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(&self.gzip),
            Encoding::Brotli => Some(&self.brotli),
            Encoding::Zstandard => Some(&self.zstandard),
        }
    }
}

async fn compress_somewhere(bytes: Bytes, encoding: Encoding) -> Result<Bytes> {
    let compressed = if bytes.len() <= SMALL_BYTES {
        compress(&bytes, encoding)
    } else {
        tokio::task::spawn_blocking(move || compress(&bytes, encoding)).await.map_err(Error::internal)?
    };
    compressed.map_err(Error::internal)
}

fn compress(bytes: &[u8], encoding: Encoding) -> io::Result<Bytes> {
    let compressed = match encoding {
        Encoding::Identity => bytes.to_vec(),
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(bytes)?;
            encoder.finish()?
        }
        Encoding::Brotli => {
            let mut compressed = Vec::new();
            let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
            brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &parameters)?;
            compressed
        }
        Encoding::Zstandard => zstd::bulk::compress(bytes, 6)?,
    };
    Ok(compressed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_gets_the_best_it_takes() {
        let pairs = [
            (None, Encoding::Identity),
            (Some("identity"), Encoding::Identity),
            (Some("gzip,deflate"), Encoding::Gzip),
            (Some("zstd,gzip,deflate"), Encoding::Zstandard),
            (Some("gzip, deflate, br"), Encoding::Brotli),
            (Some("gzip, deflate, br, zstd"), Encoding::Zstandard),
            (Some("br;q=0.1, gzip;q=0.9"), Encoding::Gzip),
            (Some("gzip;q=0"), Encoding::Identity),
            (Some("*;q=0"), Encoding::Identity),
            (Some("gzip;q=0, *"), Encoding::Zstandard),
            (Some(""), Encoding::Identity),
        ];
        for (accept, expected) in pairs {
            assert_eq!(Encoding::negotiate(accept), expected, "{accept:?}");
        }
    }

    #[tokio::test]
    async fn every_variant_unpacks_to_the_same_bytes() {
        let text = Bytes::from("{\"name\":\"@alice/x\"}".repeat(5_000));
        let variants = Variants::new(text.clone());
        let mut gunzipped = Vec::new();
        let gzip = variants.make(Encoding::Gzip, |_| ()).await.unwrap();
        io::copy(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut gunzipped).unwrap();
        let mut unbrotlied = Vec::new();
        let brotli = variants.make(Encoding::Brotli, |_| ()).await.unwrap();
        brotli::BrotliDecompress(&mut &brotli[..], &mut unbrotlied).unwrap();
        let zstandard = variants.make(Encoding::Zstandard, |_| ()).await.unwrap();
        let unzstandarded = zstd::bulk::decompress(&zstandard, text.len()).unwrap();
        assert!(gunzipped == text && unbrotlied == text && unzstandarded == text);
        assert_eq!(variants.get(Encoding::Gzip), Some(gzip));
    }
}
