//! One file from one server that does one thing wrong.

use std::time::Duration;

use serde_json::json;
use tenfold_hub::{HubError, HubErrorKind};

use crate::support::{
    Answer, Place, Reply, Request, Server, entry, model, model_bytes, pull_with_events, url_source,
    wait_until,
};

const SIZE: usize = 300_000;
const HALF: usize = SIZE / 2;

/// What a well-behaved server does.
fn whole(bytes: &[u8], request: &Request) -> Reply {
    Reply::file(bytes, Some("\"one\""), request)
}

fn half(bytes: &[u8], request: &Request) -> Reply {
    whole(bytes, request).cut_after(HALF)
}

/// A server without ranges.
fn from_the_start(bytes: &[u8], _: &Request) -> Reply {
    Reply::new(200, bytes)
}

struct Case {
    what: &'static str,
    answers: &'static [Answer],
    result: Result<(), HubErrorKind>,
    /// The first byte that each request asked for.
    asked: &'static [usize],
}

/// A file of the catalogue, whose size and hash are known.
const KNOWN: &[Case] = &[
    Case { what: "all is well", answers: &[whole], result: Ok(()), asked: &[0] },
    Case {
        what: "the connection breaks off",
        answers: &[half, whole],
        result: Ok(()),
        asked: &[0, HALF],
    },
    Case {
        what: "it breaks off, and there are no ranges",
        answers: &[half, from_the_start],
        result: Ok(()),
        asked: &[0, HALF],
    },
    Case {
        what: "it breaks off again and again, and there are no ranges",
        answers: &[
            |bytes, request| from_the_start(bytes, request).cut_after(HALF),
            |bytes, request| from_the_start(bytes, request).cut_after(10_000),
            |bytes, request| from_the_start(bytes, request).cut_after(20_000),
            |bytes, request| from_the_start(bytes, request).cut_after(30_000),
        ],
        result: Err(HubErrorKind::Network),
        asked: &[0, HALF, 10_000, 20_000],
    },
    Case {
        what: "each connection brings a little",
        answers: &[
            |bytes, request| whole(bytes, request).cut_after(70_000),
            |bytes, request| whole(bytes, request).cut_after(50_000),
            |bytes, request| whole(bytes, request).cut_after(50_000),
            |bytes, request| whole(bytes, request).cut_after(50_000),
            |bytes, request| whole(bytes, request).cut_after(50_000),
            whole,
        ],
        result: Ok(()),
        asked: &[0, 70_000, 120_000, 170_000, 220_000, 270_000],
    },
    Case {
        what: "nothing comes any more",
        answers: &[|bytes, request| whole(bytes, request).hang_after(HALF), whole],
        result: Ok(()),
        asked: &[0, HALF],
    },
    Case {
        what: "there is no answer at all, once",
        answers: &[|_, _| Reply::silence(), whole],
        result: Ok(()),
        asked: &[0, 0],
    },
    Case {
        what: "the server is busy",
        answers: &[
            |_, _| Reply::new(429, "").with("Retry-After", "0"),
            |_, _| Reply::new(503, "later"),
            |_, _| Reply::new(500, ""),
            whole,
        ],
        result: Ok(()),
        asked: &[0, 0, 0, 0],
    },
    Case {
        what: "the server stays broken",
        answers: &[|_, _| Reply::new(502, "")],
        result: Err(HubErrorKind::Network),
        asked: &[0, 0, 0, 0],
    },
    Case {
        what: "the server asks to come back tomorrow",
        answers: &[|_, _| Reply::new(429, "").with("Retry-After", "86400")],
        result: Err(HubErrorKind::Network),
        asked: &[0],
    },
    Case {
        what: "the file is not there",
        answers: &[|_, _| Reply::new(404, "")],
        result: Err(HubErrorKind::NotFound),
        asked: &[0],
    },
    Case {
        what: "access is denied",
        answers: &[|_, _| Reply::new(403, "")],
        result: Err(HubErrorKind::Unauthorized),
        asked: &[0],
    },
    Case {
        what: "the request is refused",
        answers: &[|_, _| Reply::new(451, "")],
        result: Err(HubErrorKind::Network),
        asked: &[0],
    },
    Case {
        what: "it is another file, shorter",
        answers: &[|bytes, request| whole(&bytes[..HALF], request)],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
    Case {
        what: "it is another file, longer, of a length that is not said",
        answers: &[|bytes, request| whole(&[bytes, bytes].concat(), request).chunked()],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
    Case {
        what: "the length is not said",
        answers: &[|bytes, request| whole(bytes, request).chunked()],
        result: Ok(()),
        asked: &[0],
    },
    Case {
        what: "the length is too large",
        answers: &[|bytes, request| {
            let more = (bytes.len() + 1).to_string();
            whole(bytes, request).with("Content-Length", &more)
        }],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
    Case {
        what: "the length is nonsense",
        answers: &[|bytes, request| {
            whole(bytes, request).with("Content-Length", "99999999999999999999999")
        }],
        result: Err(HubErrorKind::Network),
        asked: &[0],
    },
    Case {
        what: "a page of a login comes instead",
        answers: &[|bytes, _| {
            let mut page = b"<!DOCTYPE html><title>Log in</title>".to_vec();
            page.resize(bytes.len(), b' ');
            Reply::new(200, page)
        }],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
    Case {
        what: "a byte is wrong",
        answers: &[|bytes, request| whole(&flipped(bytes), request)],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
    Case {
        what: "another range comes than was asked",
        answers: &[
            half,
            |bytes, _| {
                let range = format!("bytes 5-{}/{}", bytes.len() - 1, bytes.len());
                Reply::new(206, &bytes[5..]).with("Content-Range", &range)
            },
            whole,
        ],
        result: Ok(()),
        asked: &[0, HALF, 0],
    },
    Case {
        what: "a range comes that does not say which",
        answers: &[half, |bytes, _| Reply::new(206, &bytes[HALF..]), whole],
        result: Ok(()),
        asked: &[0, HALF, 0],
    },
    Case {
        what: "the rest is refused",
        answers: &[half, |_, _| Reply::new(416, ""), whole],
        result: Ok(()),
        asked: &[0, HALF, 0],
    },
    Case {
        what: "the second half is of another file",
        answers: &[half, |bytes, request| whole(&flipped(bytes), request)],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0, HALF],
    },
];

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    bytes
}

#[test]
fn a_file_arrives_or_the_reason_is_told_and_nothing_wrong_is_kept() {
    std::thread::scope(|scope| {
        for case in KNOWN {
            scope.spawn(|| check_known(case));
        }
    });
}

fn check_known(case: &Case) {
    let what = case.what;
    let bytes = model_bytes(SIZE, 1);
    let server = Server::script(&bytes, case.answers);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    let result = place.pull("m").map(drop);
    let asked: Vec<usize> = server.ranges().iter().map(|from| from.unwrap_or(0)).collect();
    assert_eq!(asked, case.asked, "{what}");
    assert_eq!(kind(what, result), case.result, "{what}");
    if case.result.is_err() {
        assert!(place.hub().resolve(&model("m")).is_err(), "{what}");
        // Whatever this try left must not harm the next one.
        let good = Server::script(&bytes, &[whole]);
        place.catalogue(&entry(&bytes, &json!([url_source(&good.url("/m.gguf"))])));
        place.pull("m").unwrap();
    }
    assert_eq!(place.content("m"), bytes, "{what}");
    assert_eq!(place.partial_files(), [], "{what}");
}

/// The kind of an error that says what, where and what to do.
fn kind(what: &str, result: Result<(), HubError>) -> Result<(), HubErrorKind> {
    result.map_err(|error| {
        assert!(error.remedy().is_some(), "{what}: {error}");
        error.kind()
    })
}

fn without_validator(bytes: &[u8], request: &Request) -> Reply {
    Reply::file(bytes, None, request)
}

/// A file of an address, of which nothing is known before. The answer must be one file, not two
/// halves of different ones.
const UNKNOWN: &[Case] = &[
    Case { what: "all is well", answers: &[whole], result: Ok(()), asked: &[0] },
    Case { what: "it stays the same", answers: &[half, whole], result: Ok(()), asked: &[0, HALF] },
    Case {
        what: "it changes meanwhile",
        answers: &[
            |bytes, request| Reply::file(&flipped(bytes), Some("\"old\""), request).cut_after(HALF),
            whole,
        ],
        result: Ok(()),
        asked: &[0, HALF],
    },
    Case {
        what: "nobody knows whether it changed",
        answers: &[
            |bytes, request| without_validator(&flipped(bytes), request).cut_after(HALF),
            without_validator,
        ],
        result: Ok(()),
        asked: &[0, 0],
    },
    Case {
        what: "the tag is a weak one",
        answers: &[
            |bytes, request| Reply::file(bytes, Some("W/\"one\""), request).cut_after(HALF),
            whole,
        ],
        result: Ok(()),
        asked: &[0, 0],
    },
    Case {
        what: "there is a date instead of a tag",
        answers: &[
            |bytes, request| {
                let reply = without_validator(bytes, request).cut_after(HALF);
                reply.with("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
            },
            |bytes, request| {
                let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
                assert_eq!(request.header("if-range"), date);
                Reply::file(bytes, date, request)
            },
        ],
        result: Ok(()),
        asked: &[0, HALF],
    },
    Case {
        what: "the length is too large",
        answers: &[|bytes, request| {
            let more = (bytes.len() + 1).to_string();
            match request.from() {
                None => whole(bytes, request).with("Content-Length", &more),
                Some(_) => Reply::new(416, ""),
            }
        }],
        result: Err(HubErrorKind::Network),
        asked: &[0, SIZE, 0, SIZE],
    },
    Case {
        what: "it is empty",
        answers: &[|_, _| Reply::new(200, "")],
        result: Err(HubErrorKind::Network),
        asked: &[0],
    },
    Case {
        what: "it is too short for anything",
        answers: &[|bytes, _| Reply::new(200, &bytes[..3])],
        result: Err(HubErrorKind::Network),
        asked: &[0],
    },
    Case {
        what: "it is a page",
        answers: &[|_, _| Reply::new(200, "<html>hello</html>")],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
    Case {
        what: "it is short and no model",
        answers: &[|_, _| Reply::new(200, "no")],
        result: Err(HubErrorKind::ChecksumMismatch),
        asked: &[0],
    },
];

#[test]
fn a_file_of_an_address_is_never_joined_from_two() {
    std::thread::scope(|scope| {
        for case in UNKNOWN {
            scope.spawn(|| check_unknown(case));
        }
    });
}

fn check_unknown(case: &Case) {
    let what = case.what;
    let bytes = model_bytes(SIZE, 2);
    let server = Server::script(&bytes, case.answers);
    let place = Place::new();
    let url = server.url("/m.gguf");
    let result = place.pull(&url).map(drop);
    let asked: Vec<usize> = server.ranges().iter().map(|from| from.unwrap_or(0)).collect();
    assert_eq!(asked, case.asked, "{what}");
    assert_eq!(kind(what, result), case.result, "{what}");
    if case.result.is_ok() {
        assert_eq!(place.content(&url), bytes, "{what}");
    }
}

#[test]
fn another_pull_goes_on_where_the_first_stopped_only_with_the_same_file() {
    let old = model_bytes(SIZE, 3);
    let new = model_bytes(SIZE, 4);
    for (tag, content, asked) in [("\"one\"", &old, Some(HALF)), ("\"two\"", &new, Some(HALF))] {
        let first = Server::script(&old, &[half]);
        let mut place = Place::new();
        place.config.retries = 0;
        let url = first.url("/m.gguf");
        place.pull(&url).unwrap_err();
        assert_eq!(place.longest_partial(), HALF as u64);
        let address = first.address();
        drop(first);
        let (content, tag) = (content.clone(), tag.to_owned());
        let second = Server::start_at(address, {
            let content = content.clone();
            move |request| Reply::file(&content, Some(&tag), request)
        });
        place.pull(&url).unwrap();
        assert_eq!(place.content(&url), content);
        assert_eq!(second.ranges(), [asked], "the range is asked for if the file is the same");
    }
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let bytes = model_bytes(1000, 5);
    let busy: Answer = |_, _| Reply::new(503, "").with("Retry-After", "1");
    let server = Server::script(&bytes, &[busy, whole]);
    let place = Place::new();
    let start = std::time::Instant::now();
    let (result, events) = pull_with_events(&place, &server.url("/m.gguf"));
    result.unwrap();
    assert_eq!(events, ["wait 1000"]);
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn waits_grow_and_progress_makes_patience_new() {
    let bytes = model_bytes(SIZE, 6);
    let broken: Answer = |_, _| Reply::new(500, "");
    let server = Server::script(&bytes, &[broken, broken, half, broken, whole]);
    let (result, events) = pull_with_events(&Place::new(), &server.url("/m.gguf"));
    result.unwrap();
    assert_eq!(events, ["wait 10", "wait 20", "wait 10", "wait 20"]);
}

#[test]
fn a_cancelled_pull_ends_soon_and_keeps_what_it_has() {
    let bytes = model_bytes(SIZE, 7);
    let hang: Answer = |bytes, request| whole(bytes, request).hang_after(HALF);
    let server = Server::script(&bytes, &[hang, whole]);
    let mut place = Place::new();
    place.config.timeouts.stall = Duration::from_secs(60);
    let url = server.url("/m.gguf");
    let flag = place.config.cancel.clone();
    let start = std::time::Instant::now();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("the first half", || place.longest_partial() == HALF as u64);
            flag.cancel();
        });
        place.pull(&url).unwrap_err()
    });
    assert_eq!(error.kind(), HubErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(10));
    flag.reset();
    place.pull(&url).unwrap();
    assert_eq!(server.ranges(), [None, Some(HALF)]);
    assert_eq!(place.content(&url), bytes);
}

#[test]
fn sources_are_tried_in_turn_and_each_reason_is_kept() {
    let bytes = model_bytes(SIZE, 8);
    let wrong = Server::script(&bytes, &[|bytes, request| whole(&flipped(bytes), request)]);
    let missing = Server::script(&bytes, &[|_, _| Reply::new(404, "")]);
    let good = Server::script(&bytes, &[whole]);
    let mut place = Place::new();
    let sources = |servers: &[&Server]| {
        let sources: Vec<_> =
            servers.iter().map(|server| url_source(&server.url("/m.gguf"))).collect();
        entry(&bytes, &json!(sources))
    };
    place.catalogue(&sources(&[&wrong, &missing]));
    let error = place.pull("m").unwrap_err();
    let HubError::AllSourcesFailed { failures, .. } = &error else { panic!("{error}") };
    let kinds: Vec<_> = failures.iter().map(|failure| failure.error.kind()).collect();
    assert_eq!(kinds, [HubErrorKind::ChecksumMismatch, HubErrorKind::NotFound]);
    let text = error.to_string();
    assert!(text.contains(&wrong.url("")) && text.contains(&missing.url("")), "{text}");
    place.catalogue(&sources(&[&wrong, &missing, &good]));
    let pulled = place.pull("m").unwrap();
    assert_eq!(pulled.failures.len(), 2);
    assert_eq!(pulled.stored.unwrap().source, good.url("/m.gguf"));
}

#[test]
fn a_second_source_goes_on_where_the_first_stopped() {
    let bytes = model_bytes(SIZE, 9);
    let cut: Answer = |bytes, request| match request.from() {
        None => half(bytes, request),
        Some(_) => Reply::new(500, ""),
    };
    let (first, second) = (Server::script(&bytes, &[cut]), Server::script(&bytes, &[whole]));
    let mut place = Place::new();
    let sources = [url_source(&first.url("/m.gguf")), url_source(&second.url("/m.gguf"))];
    place.catalogue(&entry(&bytes, &json!(sources)));
    place.pull("m").unwrap();
    assert_eq!(second.ranges(), [Some(HALF)]);
    assert_eq!(place.content("m"), bytes);
}

#[test]
fn shards_of_an_address_come_together() {
    let (one, two) = (model_bytes(1000, 10), model_bytes(2000, 11));
    let server = Server::start({
        let (one, two) = (one.clone(), two.clone());
        move |request| match request.path.as_str() {
            "/m-00001-of-00002.gguf" => whole(&one, request),
            "/m-00002-of-00002.gguf" => whole(&two, request),
            _ => Reply::new(404, ""),
        }
    });
    let place = Place::new();
    let pulled = place.pull(&server.url("/m-00002-of-00002.gguf")).unwrap();
    let contents = pulled.files.weights.iter().map(|path| std::fs::read(path).unwrap());
    assert_eq!(contents.collect::<Vec<_>>(), [one, two]);
    let error = place.pull(&server.url("/n-00001-of-00002.gguf")).unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::NotFound);
}
