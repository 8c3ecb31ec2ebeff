//! What a failed request or an unwelcome answer means, in words.

use std::io::{self, ErrorKind};
use std::time::Duration;

use ureq::http::{Response, StatusCode};
use ureq::{Body, Timeout};

use super::header;
use crate::HubError;
use crate::address::shown;
use crate::config::Timeouts;

const HOST_NOT_FOUND: &str = "the host is not known (no network, or a wrong name)";
const NOT_HTTPS: &str = "it redirects to an unprotected address";
const WITH_TOKEN: &str =
    "check that the token may read it, and that its terms are accepted on its page";
const WITHOUT_TOKEN: &str = "check the spelling; for a private or gated model accept its terms on its page and set HF_TOKEN";
/// The most that is kept of what a server says.
const MAX_MESSAGE: usize = 300;

/// What a request that got no answer, or lost it, ran into.
pub(super) fn transport_error(url: &str, error: ureq::Error, times: Timeouts) -> HubError {
    let (problem, transient) = explain(&error, times);
    HubError::Network {
        url: shown(url),
        problem,
        transient,
        retry_after: None,
        source: Some(Box::new(error)),
    }
}

/// What happened, and whether trying again may help. A host that cannot be reached at all is not
/// tried again: the next source is quicker.
fn explain(error: &ureq::Error, times: Timeouts) -> (String, bool) {
    match error {
        ureq::Error::HostNotFound => (HOST_NOT_FOUND.into(), false),
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            (format!("no connection within {:?}", times.connect), false)
        }
        ureq::Error::Timeout(Timeout::RecvResponse | Timeout::SendRequest) => {
            (format!("no answer within {:?}", times.response), true)
        }
        ureq::Error::Timeout(_) => (format!("no data for {:?}", times.stall), true),
        ureq::Error::Io(io) => explain_io(io),
        ureq::Error::Rustls(tls) => (format!("no secure connection: {tls}"), false),
        other => (other.to_string(), false),
    }
}

/// A connection that broke may be made again; one that could not be made is not tried again.
fn explain_io(error: &io::Error) -> (String, bool) {
    match error.kind() {
        ErrorKind::ConnectionRefused => ("connection refused".into(), false),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
            ("the connection broke off".into(), true)
        }
        ErrorKind::BrokenPipe | ErrorKind::NotConnected => {
            ("the connection broke off".into(), true)
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => (error.to_string(), true),
        // The standard library has no kind for what the resolver says.
        _ if error.to_string().contains("lookup address") => (HOST_NOT_FOUND.into(), false),
        _ => (error.to_string(), false),
    }
}

/// An address that must not be asked: the one that was given, or one that a server points to.
pub(super) fn insecure(url: &str, address: &str) -> HubError {
    if url == address {
        return HubError::Insecure { url: shown(url) };
    }
    HubError::network(url, NOT_HTTPS, false)
}

/// Who was asked: the server of the address, or another one that it redirected to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) elsewhere: bool,
    pub(super) with_token: bool,
}

/// An answer that is no success.
pub(super) fn status_error(url: &str, response: &Response<Body>, asked: Asked) -> HubError {
    let status = response.status();
    match status.as_u16() {
        // A link of a server to its store of files wears out; the next request gets a fresh one.
        401 | 403 if asked.elsewhere => HubError::network(url, describe(status, None), true),
        401 | 403 => HubError::Unauthorized {
            url: shown(url),
            status: status.as_u16(),
            problem: message(response)
                .unwrap_or_else(|| "it is private, gated or does not exist".to_owned()),
            remedy: access_remedy(asked.with_token).to_owned(),
        },
        404 | 410 => HubError::NotFound {
            what: message(response).unwrap_or_else(|| "such file".to_owned()),
            place: shown(url),
            remedy: Some("check the spelling".to_owned()),
        },
        _ => unwilling(url, response),
    }
}

/// The server is busy, broken, or does not want to.
fn unwilling(url: &str, response: &Response<Body>) -> HubError {
    let status = response.status();
    let transient = matches!(status.as_u16(), 408 | 425 | 429) || status.is_server_error();
    let retry_after = header(response, "retry-after").and_then(seconds).filter(|_| transient);
    let problem = describe(status, retry_after);
    HubError::Network { url: shown(url), problem, transient, retry_after, source: None }
}

fn message(response: &Response<Body>) -> Option<String> {
    let text = header(response, "x-error-message")?.trim();
    (!text.is_empty()).then(|| text.chars().take(MAX_MESSAGE).collect())
}

fn access_remedy(with_token: bool) -> &'static str {
    if with_token { WITH_TOKEN } else { WITHOUT_TOKEN }
}

fn describe(status: StatusCode, retry_after: Option<Duration>) -> String {
    let reason = status.canonical_reason().unwrap_or("no reason given");
    let answer = format!("the server answered {} ({reason})", status.as_u16());
    let wait = retry_after.map(|wait| format!(" and asks to wait {} s", wait.as_secs()));
    answer + &wait.unwrap_or_default()
}

/// A number of seconds. The other form, a date, needs clocks that agree: our own waiting does.
fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubErrorKind;

    const HUB: Asked = Asked { elsewhere: false, with_token: false };

    fn error(status: u16, headers: &[(&str, &str)], asked: Asked) -> HubError {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Body::builder().data("")).unwrap();
        status_error("https://me:pw@h/f?sig=1", &response, asked)
    }

    #[test]
    fn statuses_become_kinds_and_only_passing_ones_are_tried_again() {
        use HubErrorKind::{Network, NotFound, Unauthorized};
        for (status, kind, transient) in [
            (401, Unauthorized, false),
            (403, Unauthorized, false),
            (404, NotFound, false),
            (410, NotFound, false),
            (400, Network, false),
            (451, Network, false),
            (304, Network, false),
            (408, Network, true),
            (429, Network, true),
            (500, Network, true),
            (503, Network, true),
        ] {
            let error = error(status, &[], HUB);
            assert_eq!(error.kind(), kind, "{status}");
            let passing = matches!(error, HubError::Network { transient: true, .. });
            assert_eq!(passing, transient, "{status}");
            assert!(!error.to_string().contains("pw") && !error.to_string().contains("sig"));
            assert!(error.remedy().is_some(), "{status}");
        }
    }

    #[test]
    fn a_worn_out_link_elsewhere_is_asked_for_again() {
        let error = error(403, &[], Asked { elsewhere: true, with_token: true });
        assert!(matches!(error, HubError::Network { transient: true, .. }));
    }

    #[test]
    fn the_servers_own_words_and_wishes_are_kept() {
        let gated = [("x-error-message", "Access to model o/r is restricted.")];
        let text = error(403, &gated, Asked { elsewhere: false, with_token: true }).to_string();
        assert!(text.ends_with("(403): Access to model o/r is restricted."), "{text}");
        for (value, wait) in
            [("30", Some(30)), (" 7 ", Some(7)), ("soon", None), ("-1", None), ("1.5", None)]
        {
            let HubError::Network { retry_after, .. } = error(429, &[("retry-after", value)], HUB)
            else {
                panic!("another error")
            };
            assert_eq!(retry_after, wait.map(Duration::from_secs), "{value}");
        }
        let text = error(503, &[("retry-after", "30")], HUB).to_string();
        assert!(text.ends_with("503 (Service Unavailable) and asks to wait 30 s"), "{text}");
    }
}
