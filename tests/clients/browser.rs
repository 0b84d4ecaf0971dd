//! What a person does in a browser while a terminal waits: opens the address it named, logs in, says yes.

use crate::server::Server;
use crate::wire::{self, Answered};

/// How the path of a page begins on which one confirms what waits at a terminal.
pub(crate) const CONFIRMING: &str = "/auth/cli/";

/// The same, of the page on which one lets a terminal in.
pub(crate) const LOGGING_IN: &str = "/login/cli/";

/// Opens the page that a client has named, and confirms with a code.
pub(crate) fn confirm(server: &Server, said: &str, code: &str) {
    let path = path_in(said, CONFIRMING);
    wire::send_form(server.address(), &path, "", &[("code", code), ("decision", "approve")]).expect(303);
}

/// Opens the page that a client has named, is sent to log in, and lets the terminal in.
pub(crate) fn let_in(server: &Server, said: &str, name: &str, password: &str) {
    let path = path_in(said, LOGGING_IN);
    let sent = wire::open_page(server.address(), &path, "").expect(303);
    assert!(sent.header("location").starts_with("/login?then="), "{}", sent.header("location"));
    let fields = [("name", name), ("password", password), ("then", path.as_str())];
    let logged_in = wire::send_form(server.address(), "/login", "", &fields).expect(303);
    assert_eq!(logged_in.header("location"), path);
    let cookie = logged_in.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let page = wire::open_page(server.address(), &path, &cookie).expect(200);
    let form = hidden_field(&page);
    let fields = [("_form", form.as_str()), ("token_name", "a terminal"), ("days", "30"), ("decision", "approve")];
    wire::send_form(server.address(), &path, &cookie, &fields).expect(303);
}

/// The path in what a terminal said that begins so.
fn path_in(said: &str, start: &str) -> String {
    let (_, rest) = said.split_once(start).expect("a page is named");
    let is_of_secret = |letter: &char| letter.is_ascii_alphanumeric() || "-_".contains(*letter);
    start.chars().chain(rest.chars().take_while(is_of_secret)).collect()
}

fn hidden_field(page: &Answered) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"_form\" value=\"").expect("a form");
    rest.split('"').next().expect("a value").to_owned()
}
