//! Whole bodies through [`receive`], and the scanner against `serde_json`.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;
use sha2::{Digest as _, Sha512};
use tokio::runtime::Runtime;

use super::*;
use crate::packages::archive::tests::Tar;
use crate::packages::json::Scanner;

const NAME: &str = "@acme/one-1.0.0.tgz";

fn tarball() -> Vec<u8> {
    let noise: Vec<u8> = (0..9000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    Tar::package().file("package/noise", &noise).gz()
}

fn attachment(tarball: &[u8]) -> String {
    let data = STANDARD.encode(tarball);
    let length = tarball.len();
    format!(r#"{{"content_type":"application/octet-stream","data":"{data}","length":{length}}}"#)
}

fn document(tarball: &[u8]) -> String {
    let attachment = attachment(tarball);
    format!(
        r#"{{"_id":"@acme/one","_attachments":{{"{NAME}":{attachment}}},"name":"@acme/one","versions":{{"1.0.0":{{"a":[1,-2.5e3,true,null,"\u00fc\ud83d\ude00"]}}}}}}"#
    )
}

fn run<T>(future: impl Future<Output = T>) -> T {
    Runtime::new().unwrap().block_on(future)
}

async fn receive_split(body: &[u8], sizes: &[usize], limits: Limits) -> Result<Received<Vec<u8>>, BodyError> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut rest = body;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(rest.len()).clamp(1, rest.len());
        let (chunk, tail) = rest.split_at(size);
        chunks.push(Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)));
        rest = tail;
    }
    receive(stream::iter(chunks), limits, || Ok(Vec::new())).await
}

fn read(body: &str) -> Result<Received<Vec<u8>>, BodyError> {
    run(receive_split(body.as_bytes(), &[], Limits::default()))
}

#[track_caller]
fn malformed(body: &str, words: &str) {
    match read(body).unwrap_err() {
        BodyError::Malformed(error) => assert!(error.reason.contains(words), "{error}"),
        error => panic!("{error}"),
    }
}

#[track_caller]
fn malformed_attachments(attachments: &str, words: &str) {
    malformed(&format!(r#"{{"_attachments":{attachments}}}"#), words);
}

#[test]
fn a_publish_document_is_taken_apart() {
    let bytes = tarball();
    let received = read(&document(&bytes)).unwrap();
    let tarball = received.tarball.unwrap();
    assert_eq!(tarball.sink, bytes);
    assert_eq!(tarball.sha512[..], Sha512::digest(&bytes)[..]);
    assert_eq!(tarball.size_bytes, bytes.len() as u64);
    assert_eq!(tarball.declared_length, Some(bytes.len() as u64));
    assert_eq!(tarball.file_name, NAME);
    assert_eq!(tarball.content_type.as_deref(), Some("application/octet-stream"));
    assert_eq!(tarball.archive.file_count(), 2);
    let names: Vec<_> = received.document.members().map(|(name, _)| name).collect();
    assert_eq!(names, ["_id", "name", "versions"]);
    let versions = received.document.get("versions").unwrap().get();
    assert_eq!(versions, r#"{"1.0.0":{"a":[1,-2.5e3,true,null,"\u00fc\ud83d\ude00"]}}"#);
    assert!(received.has_attachments && received.provenance.is_none());
}

#[test]
fn facts_may_stand_on_either_side_of_the_data_and_slashes_may_be_escaped() {
    let bytes = tarball();
    let data = STANDARD.encode(&bytes).replace('/', "\\/").replace('A', "\\u0041");
    let body = format!(
        r#" {{ "_attachments" : {{ "{NAME}" : {{ "length" : {} , "data" : "{data}" , "x" : [ 1 ] , "content_type" : "a\/b" }} }} }} "#,
        bytes.len()
    );
    let tarball = read(&body).unwrap().tarball.unwrap();
    assert_eq!(tarball.sink, bytes);
    assert_eq!(tarball.content_type.as_deref(), Some("a/b"));
}

#[test]
fn a_body_without_attachments_needs_no_sink() {
    for body in [r#"{"_id":"x","users":{}}"#, r#"{"_attachments":{},"users":{"a":true}}"#] {
        let sink = || Err::<Vec<u8>, _>(io::Error::other("no sink wanted"));
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(body.as_bytes()))]);
        let received = run(receive(body, Limits::default(), sink)).unwrap();
        assert!(!received.has_attachments && received.tarball.is_none());
        assert!(received.document.get("users").is_some());
    }
}

#[test]
fn a_provenance_bundle_is_plain_text_counted_in_utf16_units() {
    let bytes = tarball();
    let bundle = |length: usize| {
        let attachment = attachment(&bytes);
        let data = r#"{\"a\":\"\u00fc😀\"}"#;
        format!(
            r#"{{"_attachments":{{"{NAME}":{attachment},"@acme/one-1.0.0.sigstore":{{"data":"{data}","length":{length},"content_type":"t"}}}}}}"#
        )
    };
    let provenance = read(&bundle(11)).unwrap().provenance.unwrap();
    assert_eq!(provenance.text, r#"{"a":"ü😀"}"#);
    assert_eq!(provenance.content_type.as_deref(), Some("t"));
    assert!(matches!(read(&bundle(12)), Err(BodyError::Length { actual: 11, declared: 12, .. })));
}

#[test]
fn attachments_of_another_shape_are_refused() {
    let good = attachment(&tarball());
    malformed_attachments(r#"{"x.zip":{"data":""}}"#, "ends neither");
    malformed_attachments(r#"{".tgz":{"data":""}}"#, "ends neither");
    malformed_attachments(r#"{"x.tgz":{"data":1}}"#, "not a string");
    malformed_attachments(r#"{"x.tgz":{"data":["a"]}}"#, "not a string");
    malformed_attachments(r#"{"x.tgz":{"data":null}}"#, "not a string");
    malformed_attachments(r#"{"x.tgz":{"length":0}}"#, "no data");
    malformed_attachments(r#"{"x.tgz":[]}"#, "not an object");
    malformed_attachments("[]", "not an object");
    malformed_attachments("null", "not an object");
    malformed_attachments(r#"{"x.sigstore":{"data":"","length":-1}}"#, "whole number");
    malformed_attachments(r#"{"x.sigstore":{"data":"","content_type":{}}}"#, "content_type");
    malformed_attachments(&format!(r#"{{"x.tgz":{good},"y.tgz":{good}}}"#), "not two");
    malformed_attachments(&format!(r#"{{"x.tgz":{good},"\u0078.tgz":{good}}}"#), "same name");
    malformed_attachments(r#"{"x.sigstore":{"data":""},"y.sigstore":{"data":""}}"#, "not two");
    malformed(&format!(r#"{{"_attachments":{{}},"_attachments":{{"x.tgz":{good}}}}}"#), "same name");
}

#[test]
fn base64_is_strict() {
    for data in ["AAA", "AAA=A", "AA=A", "AB==", "AA AA", "AA\\nAA", "AA-_", "=AAA", "AA==AA==", "AAAA=", "ÄAAA"] {
        malformed_attachments(&format!(r#"{{"x.tgz":{{"data":"{data}"}}}}"#), "strict base64");
    }
}

#[test]
fn wrong_json_is_refused_with_its_place() {
    for (body, words) in [
        ("[]", "JSON object"),
        ("1", "JSON object"),
        ("", "too early"),
        (r#"{"a":1"#, "too early"),
        (r#"{"a":1}x"#, "behind the end"),
        (r#"{"a":1}{}"#, "behind the end"),
        (r#"{"a":1,"a":2}"#, "same name"),
        (r#"{"b":[{"a":1,"\u0061":2}]}"#, "same name"),
        (r#"{"a":"\ud800"}"#, "surrogate"),
        (r#"{"a":"\ud800\n"}"#, "surrogate"),
        (r#"{"a":"\ud800\ud800"}"#, "surrogate"),
        (r#"{"a":"\udc00"}"#, "surrogate"),
        (r#"{"\ud800":1}"#, "surrogate"),
        (r#"{"a":"\u12g4"}"#, "hexadecimal"),
        (r#"{"a":"\x"}"#, "escape"),
        ("{\"a\":\"\n\"}", "control"),
        ("{\"a\":\"\0\"}", "control"),
        (r#"{"a":01}"#, "comma"),
        (r#"{"a":-}"#, "number"),
        (r#"{"a":1.}"#, "number"),
        (r#"{"a":1e+}"#, "number"),
        (r#"{"a":+1}"#, "value"),
        (r#"{"a":.5}"#, "value"),
        (r#"{"a":NaN}"#, "value"),
        (r#"{"a":nul}"#, "words"),
        (r#"{"a":[1,]}"#, "value"),
        (r#"{"a":[}"#, "value"),
        (r#"{"a":[1}"#, "does not match"),
        (r#"{"a":1,}"#, "name in double quotes"),
        (r"{'a':1}", "name in double quotes"),
        (r#"{"a" 1}"#, "colon"),
        (r#"{"a":1 "b":2}"#, "comma"),
        ("\u{feff}{}", "value"),
    ] {
        malformed(body, words);
    }
    match read(r#"{"a":tru0}"#).unwrap_err() {
        BodyError::Malformed(error) => assert_eq!(error.offset, 8),
        error => panic!("{error}"),
    }
}

#[test]
fn invalid_utf8_is_refused() {
    for bytes in [&b"\xFF"[..], b"\xC0\x80", b"\xED\xA0\x80", b"\xF5\x80\x80\x80", b"\xE2\x82", b"\x80"] {
        let body = [b"{\"a\":\"", bytes, b"\"}"].concat();
        let error = run(receive_split(&body, &[1], Limits::default())).unwrap_err();
        assert!(error.to_string().contains("UTF-8"), "{error}");
    }
}

#[test]
fn the_outline_says_which_versions_there_are_and_what_is_deprecated() {
    let body = r#"{"_rev":"1-x","versions":{"1.0.0":{"deprecated":"ol\u0064 \ud83d\ude00","dist":{"deprecated":"not me"}},
        "1.1.0":{"dependencies":{"deprecated":"^1"},"deprecated":""},"1.2.0":{"deprecated":["no"]},"1.3.0":null}}"#;
    for size in [1, 3, 1000] {
        let received = run(receive_split(body.as_bytes(), &[size], Limits::default())).unwrap();
        let told: Vec<_> = received.versions.unwrap().into_iter().map(|one| (one.number, one.deprecated)).collect();
        let expected = [("1.0.0", Some("old 😀")), ("1.1.0", Some("")), ("1.2.0", None), ("1.3.0", None)];
        assert_eq!(told, expected.map(|(number, text)| (number.to_owned(), text.map(str::to_owned))));
    }
    for body in [r#"{"versions":[]}"#, r#"{"versions":[{"1.0.0":{}}]}"#, r#"{"versions":null}"#, "{}"] {
        assert_eq!(read(body).unwrap().versions, None, "{body}");
    }
    assert_eq!(read(r#"{"versions":{}}"#).unwrap().versions, Some(Vec::new()));
}

#[test]
fn a_packument_that_comes_back_may_be_longer_than_what_is_remembered() {
    let versions: Vec<String> = (0..50).map(|n| format!(r#""1.0.{n}":{{"x":"{}"}}"#, "x".repeat(1000))).collect();
    let body = |rest: &str| format!(r#"{{"_rev":"1-x","versions":{{{}}}{rest}}}"#, versions.join(","));
    let limits = Limits { document_bytes: 6_000, ..Limits::default() };
    let received = run(receive_split(body(r#","users":{"a":true}"#).as_bytes(), &[100], limits)).unwrap();
    assert_eq!(received.versions.unwrap().len(), 50);
    assert!(received.document.get("versions").is_none());
    assert_eq!(received.document.get("users").unwrap().get(), r#"{"a":true}"#);

    let too_large = |body: &str, limits: Limits| {
        let error = run(receive_split(body.as_bytes(), &[100], limits)).unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { limit: Limit::Document, .. }), "{error}");
    };
    too_large(&body(&format!(r#","_attachments":{{"{NAME}":{}}}"#, attachment(&tarball()))), limits);
    too_large(&body(""), Limits { document_bytes: 3_000, ..limits });
    too_large(&body(""), Limits { packument_bytes: 50_000, ..limits });
}

#[test]
fn an_attachment_is_refused_where_none_is_taken() {
    let limits = Limits { takes_attachments: false, ..Limits::default() };
    let publish = document(&tarball());
    assert!(matches!(run(receive_split(publish.as_bytes(), &[50], limits)), Err(BodyError::Attachment)));
    run(receive_split(br#"{"_attachments":{},"users":{}}"#, &[50], limits)).unwrap();
}

async fn batch(body: &str, size: usize, total_bytes: u64) -> Result<Vec<Received<Vec<u8>>>, BodyError> {
    let chunks: Vec<_> =
        body.as_bytes().chunks(size).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    let mut documents = Documents::new(stream::iter(chunks), Limits::default(), total_bytes, || Ok(Vec::new()));
    let mut received = Vec::new();
    while let Some(one) = documents.next().await? {
        received.push(one);
    }
    Ok(received)
}

#[test]
fn a_batch_is_split_into_its_documents() {
    let bytes = tarball();
    let one = document(&bytes);
    let body = format!(r#" {{ "x":[{{}}], "packages" : [ {one} , {{"name":"@acme/two"}},{one}] , "y":1 }} "#);
    for size in [1, 7, 100_000] {
        let received = run(batch(&body, size, u64::MAX)).unwrap();
        assert_eq!(received.len(), 3);
        assert_eq!(received[0].tarball.as_ref().unwrap().sink, bytes);
        assert_eq!(received[1].document.get("name").unwrap().get(), "\"@acme/two\"");
        assert!(received[1].tarball.is_none() && received[2].tarball.is_some());
    }
    for body in [
        "[]",
        "{}",
        "1",
        "",
        r#"{"packages":{}}"#,
        r#"{"packages":[1]}"#,
        r#"{"packages":[[]]}"#,
        r#"{"packages":[{}"#,
        r#"{"packages":[]}x"#,
        r#"{"packages":[{"_attachments":1}]}"#,
    ] {
        assert!(matches!(run(batch(body, 3, 1_000)), Err(BodyError::Malformed(_))), "{body}");
    }
    assert!(matches!(run(batch(&body, 100, 5_000)), Err(BodyError::TooLarge { limit: Limit::Batch, .. })));
}

#[test]
fn nesting_ends_at_64_levels() {
    let nested = |levels: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
    read(&nested(63)).unwrap();
    malformed(&nested(64), "nested deeper");
    malformed(&nested(100_000), "nested deeper");
}

#[test]
fn every_part_has_its_limit() {
    let too_large = |body: &str, change: fn(&mut Limits), expected: Limit| {
        let mut limits = Limits::default();
        change(&mut limits);
        match run(receive_split(body.as_bytes(), &[100], limits)).unwrap_err() {
            BodyError::TooLarge { limit, .. } => assert_eq!(limit, expected),
            error => panic!("{error}"),
        }
    };
    let bytes = tarball();
    let body = document(&bytes);
    too_large(&body, |limits| limits.tarball_bytes = 1000, Limit::Tarball);
    too_large(&body, |limits| limits.document_bytes = 100, Limit::Document);
    too_large(&" ".repeat(2000), |limits| limits.document_bytes = 1000, Limit::Document);
    too_large(&" ".repeat(2000), |limits| limits.packument_bytes = 1000, Limit::Document);
    let bundle = format!(r#"{{"_attachments":{{"x.sigstore":{{"data":"{}"}}}}}}"#, "x".repeat(99));
    too_large(&bundle, |limits| limits.provenance_bytes = 98, Limit::Provenance);

    let exact = Limits { tarball_bytes: bytes.len() as u64, document_bytes: 300, ..Limits::default() };
    run(receive_split(body.as_bytes(), &[77], exact)).unwrap();
}

#[test]
fn a_wrong_length_or_archive_is_refused() {
    let bytes = tarball();
    let body = document(&bytes).replace(&format!(":{}}}", bytes.len()), ":1}");
    assert!(matches!(read(&body), Err(BodyError::Length { declared: 1, .. })));
    assert!(matches!(read(&document(b"no gzip")), Err(BodyError::Archive(_))));
    assert!(matches!(read(&document(b"")), Err(BodyError::Archive(_))));
}

/// Counts how many of them are alive, and may fail.
#[derive(Debug)]
struct Sink {
    alive: Arc<AtomicUsize>,
    fails: bool,
}

impl Sink {
    fn new(alive: &Arc<AtomicUsize>, fails: bool) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        let alive = Arc::clone(alive);
        Self { alive, fails }
    }
}

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.fails {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_failing_sink_ends_the_upload_with_its_kind() {
    let alive = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&alive);
    // Goes on for ever: only the sink's failure can end it.
    let head = Bytes::from(format!(r#"{{"_attachments":{{"{NAME}":{{"data":""#));
    let more = Bytes::from(vec![b'A'; 4096]);
    let body = stream::iter([head]).chain(stream::repeat(more)).map(Ok::<_, Infallible>);
    let limits = Limits { tarball_bytes: u64::MAX, ..Limits::default() };
    let error = run(receive(body, limits, move || Ok(Sink::new(&counter, true)))).unwrap_err();
    assert!(matches!(error, BodyError::Sink(error) if error.kind() == io::ErrorKind::StorageFull));
    assert_eq!(alive.load(Ordering::SeqCst), 0);

    let body = stream::iter([Ok::<_, Infallible>(Bytes::from(document(&tarball())))]);
    let closed = || Err::<Vec<u8>, _>(io::ErrorKind::PermissionDenied.into());
    let error = run(receive(body, Limits::default(), closed)).unwrap_err();
    assert!(matches!(error, BodyError::Sink(error) if error.kind() == io::ErrorKind::PermissionDenied));
}

#[test]
fn an_error_in_the_body_drops_the_sink_before_it_is_told() {
    let body = document(&tarball());
    for cut in [body.len() / 2, body.len() - 1] {
        for with_error in [true, false] {
            let alive = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&alive);
            let part = Ok(Bytes::copy_from_slice(&body.as_bytes()[..cut]));
            let hang_up = with_error.then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
            let body = stream::iter([part]).chain(stream::iter(hang_up));
            let error = run(receive(body, Limits::default(), move || Ok(Sink::new(&counter, false)))).unwrap_err();
            assert_eq!(matches!(error, BodyError::Transport(_)), with_error, "{error}");
            assert_eq!(alive.load(Ordering::SeqCst), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dropping_the_upload_drops_the_sink() {
    let alive = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&alive);
    let document = document(&tarball());
    let half = Bytes::copy_from_slice(&document.as_bytes()[..document.len() / 2]);
    let body = stream::iter([Ok::<_, Infallible>(half)]).chain(stream::pending());
    let upload = receive(body, Limits::default(), move || Ok(Sink::new(&counter, false)));
    tokio::time::timeout(Duration::from_millis(300), upload).await.unwrap_err();
    tokio::time::timeout(Duration::from_secs(5), async {
        while alive.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

/// What can be compared of a result.
fn outline(result: Result<Received<Vec<u8>>, BodyError>) -> String {
    match result {
        Ok(received) => {
            let members: Vec<_> =
                received.document.members().map(|(name, value)| (name.to_owned(), value.get().to_owned())).collect();
            let tarball =
                received.tarball.map(|tarball| (tarball.sha512, tarball.declared_length, tarball.content_type));
            format!("{members:?} {tarball:?} {:?}", received.provenance)
        }
        Err(error) => error.to_string(),
    }
}

/// Whether our scanner takes a text for JSON.
fn accepts(text: &[u8], split: usize) -> bool {
    let mut scanner = Scanner::new();
    let (mut head, mut tail) = text.split_at(split.min(text.len()));
    for part in [&mut head, &mut tail] {
        loop {
            match scanner.next(part) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return false,
            }
        }
    }
    scanner.finish().is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_gives_the_same_result(sizes in prop::collection::vec(1usize..20_000, 1..8), small in 1usize..9) {
        let body = document(&tarball());
        let whole = outline(read(&body));
        let limits = Limits::default();
        prop_assert_eq!(&whole, &outline(run(receive_split(body.as_bytes(), &sizes, limits))));
        prop_assert_eq!(&whole, &outline(run(receive_split(body.as_bytes(), &[small], limits))));
    }

    #[test]
    fn no_byte_makes_it_panic_and_errors_do_not_depend_on_the_split(at: prop::sample::Index, byte: u8) {
        let mut body = document(&Tar::package().gz()).into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let limits = Limits::default();
        let whole = run(receive_split(&body, &[], limits));
        let split = run(receive_split(&body, &[3], limits));
        prop_assert_eq!(whole.is_ok(), split.is_ok());
    }
}

proptest! {
    #[test]
    fn the_scanner_accepts_what_serde_json_accepts(text in r#"([\[\]{},: ]|"[ab]?"|"\\u[dD][89c]00"|-?[0-9]{1,2}|[.eE+]|true|null|\\|")*"#, split in 0usize..20) {
        // Duplicates and lone surrogates are ours alone to refuse.
        let ours = accepts(text.as_bytes(), split);
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert!(!ours || theirs, "{text}");
    }

    #[test]
    fn the_scanner_accepts_what_serde_json_writes(strings in prop::collection::vec(any::<String>(), 0..6), numbers in prop::collection::vec(any::<f64>(), 0..6), split in 0usize..200) {
        let value = serde_json::json!({ "s": strings, "n": numbers, "o": { "d": [{}, [], null, true] } });
        prop_assert!(accepts(value.to_string().as_bytes(), split));
        prop_assert!(accepts(serde_json::to_string_pretty(&value)?.as_bytes(), split));
    }
}
