//! One connection, one request, one answer of bounded size.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::guard::Guard;
use super::{OutgoingError, Target};

/// The most that the head of an answer may take.
const HEAD_BYTES: usize = 32 * 1024;

/// A request to be made.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// There was more of it than was read.
    pub(super) cut: bool,
}

/// TLS that believes the public authorities and those in a file.
pub(super) fn tls(certificates: Option<&Path>) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = certificates {
        let unreadable = |cause| io::Error::other(format!("outgoing.certificates: {}: {cause}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| unreadable(cause.to_string()))? {
            let certificate = certificate.map_err(|cause| unreadable(cause.to_string()))?;
            roots.add(certificate).map_err(|cause| unreadable(cause.to_string()))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Makes one request and reads at most `max_bytes` of the answer's body.
pub(super) async fn exchange(
    guard: &Guard,
    tls: &TlsConnector,
    ask: Ask,
    max_bytes: usize,
) -> Result<Answer, OutgoingError> {
    let addresses = guard.resolve(&ask.target.host, ask.target.port).await?;
    let stream = connect(&addresses).await?;
    if !ask.target.secure {
        return speak(stream, ask, max_bytes).await;
    }
    let name = ServerName::try_from(ask.target.host.clone())
        .map_err(|_| OutgoingError::Address("its host is not a name that a certificate could have"))?;
    let stream = tls.connect(name, stream).await.map_err(unreachable)?;
    speak(stream, ask, max_bytes).await
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, OutgoingError> {
    let mut failure = OutgoingError::Refused;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(cause) => failure = unreachable(cause),
        }
    }
    Err(failure)
}

async fn speak<S>(stream: S, ask: Ask, max_bytes: usize) -> Result<Answer, OutgoingError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(unreachable)?;
    let conversation = async {
        let answer = sender.send_request(request(ask)?).await.map_err(unreachable)?;
        read(answer, max_bytes).await
    };
    // Both in this task, so that nothing outlives the caller's patience.
    let mut connection = std::pin::pin!(connection);
    let mut conversation = std::pin::pin!(conversation);
    let mut open = true;
    loop {
        tokio::select! {
            answer = &mut conversation => return answer,
            // A connection that ended has handed over what it had; the conversation tells what that was.
            _ = &mut connection, if open => open = false,
        }
    }
}

fn request(ask: Ask) -> Result<Request<Full<Bytes>>, OutgoingError> {
    let unusable = |_| OutgoingError::Address("it cannot be sent as it is");
    let mut request = Request::new(Full::new(ask.body));
    *request.method_mut() = ask.method;
    *request.uri_mut() = ask.target.path.parse().map_err(|_| OutgoingError::Address("it has no usable path"))?;
    let headers = request.headers_mut();
    *headers = ask.headers;
    headers.insert(HOST, HeaderValue::from_str(&ask.target.authority).map_err(unusable)?);
    headers.insert(USER_AGENT, HeaderValue::from_static("strongroom"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

async fn read(answer: http::Response<Incoming>, max_bytes: usize) -> Result<Answer, OutgoingError> {
    let status = answer.status();
    let mut body = answer.into_body();
    let mut bytes = BytesMut::new();
    let mut cut = false;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(unreachable)?.into_data() else { continue };
        let room = max_bytes - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            cut = true;
            break;
        }
    }
    Ok(Answer { status, body: bytes.freeze(), cut })
}

fn unreachable(cause: impl std::fmt::Display) -> OutgoingError {
    OutgoingError::Unreachable(cause.to_string())
}
