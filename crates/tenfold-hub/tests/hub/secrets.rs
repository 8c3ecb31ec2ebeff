//! Who gets the token, and where it must never be seen.

use std::net::TcpListener;

use serde_json::json;
use tenfold_hub::{HubErrorKind, Token};

use crate::support::{
    COMMIT, FakeHub, Place, Reply, Request, Server, entry, model_bytes, url_source,
};

const TOKEN: &str = "hf_VerySecretToken";

fn authorized(request: &Request) -> bool {
    request.header("authorization") == Some(&format!("Bearer {TOKEN}"))
}

fn place(endpoint: &str) -> Place {
    let mut place = Place::new();
    place.config.endpoint = endpoint.to_owned();
    place.config.token = Some(Token::new(TOKEN));
    place
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_where_it_redirects() {
    let bytes = model_bytes(10_000, 1);
    let store = Server::start({
        let bytes = bytes.clone();
        move |request| Reply::file(&bytes, None, request)
    });
    let elsewhere = store.url("/store?signature=abc");
    let hub = FakeHub::start(&[("m.gguf", &bytes)], move |request| {
        match request.path.as_str() {
            // The hub first moves the file on its own server, then to a store of another one.
            path if path.contains("/resolve/") => Some(Reply::redirect("/moved")),
            "/moved" => Some(Reply::redirect(&elsewhere)),
            _ => None,
        }
    });
    let place = place(&hub.server.url(""));
    place.pull("hf.co/o/r").unwrap();
    assert!(hub.server.log().iter().all(authorized), "{:?}", hub.server.paths());
    assert_eq!(store.paths(), ["/store?signature=abc"]);
    assert!(store.log().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn the_token_does_not_go_to_other_addresses() {
    let bytes = model_bytes(1000, 1);
    let other = Server::start({
        let bytes = bytes.clone();
        move |request| Reply::file(&bytes, None, request)
    });
    let hub = FakeHub::with(&[]);
    let mut place = place(&hub.server.url("/hub"));
    place.pull(&other.url("/m.gguf")).unwrap();
    place.pull(&hub.server.url("/hubris/m.gguf")).unwrap_err();
    place.catalogue(&entry(&bytes, &json!([url_source(&other.url("/n.gguf"))])));
    place.hub().remove(&other.url("/m.gguf").parse().unwrap()).unwrap();
    place.pull("m").unwrap();
    for request in other.log().iter().chain(&hub.server.log()) {
        assert_eq!(request.header("authorization"), None, "{}", request.path);
    }
}

#[test]
fn errors_and_the_store_hold_no_secrets() {
    let failing = FakeHub::start(&[], |_| Some(Reply::new(500, "")));
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let evil = FakeHub::start(&[], |_| Some(Reply::redirect("http://me:pw@192.0.2.1/x?key=1")));
    for endpoint in [failing.server.url(""), format!("http://{refused}"), evil.server.url("")] {
        let mut place = place(&endpoint);
        place.config.retries = 0;
        let error = place.pull("hf.co/o/r").unwrap_err();
        let mut text = format!("{error} {error:?} {:?}", place.config);
        for (path, _) in crate::support::files_below(place.path()) {
            text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
        }
        assert!(!text.contains("Secret") && !text.contains("pw@"), "{endpoint}: {text}");
    }
}

#[test]
fn a_token_that_is_no_header_is_an_error_that_does_not_show_it() {
    let hub = FakeHub::with(&[("m.gguf", &model_bytes(1000, 1))]);
    let mut place = place(&hub.server.url(""));
    place.config.token = Some(Token::new("hf_VerySecret\nToken"));
    let error = place.pull("hf.co/o/r").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Secret"), "{error:?}");
    assert!(hub.server.paths().is_empty());
}

/// Redirects of a file's address, and the error of each.
const REDIRECTS: [(&str, &str, HubErrorKind); 6] = [
    ("unprotected", "http://192.0.2.1/m.gguf", HubErrorKind::Network),
    ("disguised", "http://127.0.0.1:80@192.0.2.1/m.gguf", HubErrorKind::Network),
    ("no address", "", HubErrorKind::Network),
    ("another scheme", "ftp://127.0.0.1/m.gguf", HubErrorKind::Network),
    ("a file", "file:///etc/passwd", HubErrorKind::Network),
    ("itself", "/m.gguf", HubErrorKind::Network),
];

#[test]
fn redirects_lead_to_protected_places_only() {
    for (what, target, kind) in REDIRECTS {
        let server = Server::start(move |_| Reply::redirect(target));
        let start = std::time::Instant::now();
        let error = Place::new().pull(&server.url("/m.gguf")).unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.to_string().contains("redirects"), "{what}: {error}");
        assert!(server.log().len() < 12, "{what}");
        // Nobody tried to reach that machine: there is none.
        assert!(start.elapsed() < std::time::Duration::from_secs(3), "{what}");
    }
}

#[test]
fn a_worn_out_link_is_renewed() {
    let bytes = model_bytes(1000, 1);
    let store = Server::script(
        &bytes,
        &[|_, _| Reply::new(403, "expired"), |bytes, request| Reply::file(bytes, None, request)],
    );
    let link = store.url("/signed");
    let hub = FakeHub::start(&[("m.gguf", &bytes)], move |request| {
        request.path.contains("/resolve/").then(|| Reply::redirect(&link))
    });
    place(&hub.server.url("")).pull("hf.co/o/r").unwrap();
    assert_eq!(hub.downloads(), [("m.gguf".to_owned(), None), ("m.gguf".to_owned(), None)]);
    assert_eq!(hub.server.paths().iter().filter(|path| path.contains(COMMIT)).count(), 3);
}
