//! The wire itself: what somebody with a token sees without any client in between, and packages put there beforehand.

use std::io::{Read, Write};
use std::net::TcpStream;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// An answer, taken apart.
pub(crate) struct Answered {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    /// The body, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// A header, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Insists on a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Sends a request to a server at this address and reads the answer to its end.
#[track_caller]
pub(crate) fn send(address: &str, token: Option<&str>, method: &str, path: &str, body: Option<&Value>) -> Answered {
    send_with_code(address, token, None, method, path, body)
}

/// The same with a one-time code, if there is one.
#[track_caller]
pub(crate) fn send_with_code(
    address: &str,
    token: Option<&str>,
    code: Option<&str>,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Answered {
    let body = body.map(Value::to_string).unwrap_or_default();
    let credential = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let code = code.map(|code| format!("npm-otp: {code}\r\n")).unwrap_or_default();
    let headers = format!("content-type: application/json\r\n{credential}{code}");
    exchange(address, &format!("{method} {path}"), &headers, &body)
}

/// Opens a page, as a browser does.
#[track_caller]
pub(crate) fn open_page(address: &str, path: &str, cookie: &str) -> Answered {
    exchange(address, &format!("GET {path}"), &format!("accept: text/html\r\ncookie: {cookie}\r\n"), "")
}

/// Sends a form, as a browser does from a page of the same origin.
#[track_caller]
pub(crate) fn send_form(address: &str, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answered {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let form: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let headers = format!(
        "accept: text/html\r\ncontent-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n\
         cookie: {cookie}\r\n"
    );
    exchange(address, &format!("POST {path}"), &headers, &form.join("&"))
}

#[track_caller]
fn exchange(address: &str, request: &str, headers: &str, body: &str) -> Answered {
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    let mut stream = TcpStream::connect(address).expect("a listening server");
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the head");
    let status = std::str::from_utf8(&answer[9..12]).ok().and_then(|status| status.parse().ok());
    let body = answer.split_off(end + 4);
    Answered { status: status.expect("a status"), head: String::from_utf8_lossy(&answer).into_owned(), body }
}
