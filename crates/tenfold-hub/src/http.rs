//! HTTP requests with the caller's proxy, certificates, token and patience.

use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy, Timeout};

use crate::config::Timeouts;
use crate::reference::is_safe_url;
use crate::{CancelFlag, HubConfig, HubError, ProxyConfig};

const MAX_JSON_BYTES: u64 = 64 << 20;
const JSON_ATTEMPTS: u32 = 3;
const HOST_NOT_FOUND: &str = "the host is not known (no network, or a wrong name)";

/// Makes requests; cheap until the first one.
pub(crate) struct Http {
    settings: HubConfig,
    config: OnceLock<Config>,
}

/// Which bytes of a file to ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range<'a> {
    /// First byte wanted.
    pub(crate) from: u64,
    /// Send the range only if the file is still this one.
    pub(crate) validator: Option<&'a str>,
}

impl Http {
    pub(crate) fn new(settings: &HubConfig) -> Self {
        Self { settings: settings.clone(), config: OnceLock::new() }
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.settings.timeouts
    }

    pub(crate) fn settings(&self) -> &HubConfig {
        &self.settings
    }

    /// Asks for JSON, a few times if the server stumbles.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        url: &str,
    ) -> Result<(T, Option<String>), HubError> {
        let mut wait = self.settings.timeouts.retry;
        for _ in 1..JSON_ATTEMPTS {
            match self.json_once(url) {
                Err(HubError::Network { transient: true, .. }) => {
                    self.settings.cancel.sleep(wait)?;
                    wait *= 2;
                }
                other => return other,
            }
        }
        self.json_once(url)
    }

    /// The answer and the address of its next page.
    fn json_once<T: DeserializeOwned>(&self, url: &str) -> Result<(T, Option<String>), HubError> {
        self.cancellable(|agent| {
            let response = self.get(agent, url, Range::default())?;
            let next = next_page(&response);
            let reader = response.into_body().into_reader().take(MAX_JSON_BYTES);
            let value = serde_json::from_reader(io::BufReader::new(reader));
            let value = value.map_err(|error| {
                let transient = error.is_io();
                HubError::network(
                    url,
                    format!("the answer is not the JSON expected: {error}"),
                    transient,
                )
            })?;
            Ok((value, next))
        })
    }

    /// Sends a request; every answer but success, and 416 to a range, is an error. Redirects keep
    /// the token only on the same host, and never lead from https to http.
    pub(crate) fn get(
        &self,
        agent: &Agent,
        url: &str,
        range: Range<'_>,
    ) -> Result<Response<Body>, HubError> {
        if !is_safe_url(url) {
            return Err(HubError::network(url, "only https addresses are fetched", false));
        }
        let secure = url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
        let mut request = agent.get(url).header("Accept-Encoding", "identity");
        if let Some(token) = self.token_for(url) {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if range.from > 0 {
            request = request.header("Range", format!("bytes={}-", range.from));
            if let Some(validator) = range.validator {
                request = request.header("If-Range", validator);
            }
        }
        let result = request.config().https_only(secure).build().call();
        let response = result.map_err(|error| self.transport_error(url, error))?;
        let past_the_end = response.status() == StatusCode::RANGE_NOT_SATISFIABLE && range.from > 0;
        if response.status().is_success() || past_the_end {
            return Ok(response);
        }
        Err(status_error(url, &response, self.token_for(url).is_some()))
    }

    /// Runs requests that end soon after the caller cancels, even while a server is silent.
    pub(crate) fn cancellable<T>(
        &self,
        work: impl FnOnce(&Agent) -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let cancel = &self.settings.cancel;
        cancel.check()?;
        let agent = Agent::new_with_config(self.config()?.clone());
        let result = std::thread::scope(|scope| {
            let done = StopOnDrop(Arc::new(AtomicBool::new(false)));
            let (watched, stop) = (agent.clone(), Arc::clone(&done.0));
            scope.spawn(move || watch(watched, cancel, &stop));
            work(&agent)
        });
        cancel.check()?;
        result
    }

    fn token_for(&self, url: &str) -> Option<&str> {
        let token = self.settings.token.as_ref()?.secret();
        let rest = url.strip_prefix(self.settings.endpoint.trim_end_matches('/'))?;
        (rest.starts_with('/') && !token.is_empty()).then_some(token)
    }

    fn config(&self) -> Result<&Config, HubError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = self.build_config()?;
        Ok(self.config.get_or_init(|| config))
    }

    fn build_config(&self) -> Result<Config, HubError> {
        let settings = &self.settings;
        let times = settings.timeouts;
        let tls = TlsConfig::builder().root_certs(root_certs(settings)?).build();
        Ok(Agent::config_builder()
            .http_status_as_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .user_agent(concat!("tenfold/", env!("CARGO_PKG_VERSION")))
            .proxy(settings.proxy.as_ref().map(proxy).transpose()?)
            .tls_config(tls)
            .timeout_resolve(Some(times.connect))
            .timeout_connect(Some(times.connect))
            .timeout_send_request(Some(times.response))
            .timeout_recv_response(Some(times.response))
            .timeout_per_read(Some(times.stall))
            .build())
    }

    fn transport_error(&self, url: &str, error: ureq::Error) -> HubError {
        let (problem, transient) = explain(&error, self.settings.timeouts);
        HubError::Network { url: url.to_owned(), problem, transient, source: Some(Box::new(error)) }
    }

    /// What a failed read of a body means.
    pub(crate) fn read_error(&self, url: &str, error: io::Error) -> HubError {
        self.transport_error(url, ureq::Error::from(error))
    }
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn watch(agent: Agent, cancel: &CancelFlag, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        if cancel.is_cancelled() {
            agent.shutdown();
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn proxy(config: &ProxyConfig) -> Result<Proxy, HubError> {
    let wrong =
        |error: ureq::Error| HubError::Config { option: "proxy", problem: error.to_string() };
    let plain = Proxy::new(&config.url).map_err(wrong)?;
    let mut builder = Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
    if let Some(user) = plain.username() {
        builder = builder.username(user);
    }
    if let Some(password) = plain.password() {
        builder = builder.password(password);
    }
    config
        .no_proxy
        .iter()
        .fold(builder, |builder, host| builder.no_proxy(host))
        .build()
        .map_err(wrong)
}

/// The caller's certificates, or the system's, or (on a system that has none) Mozilla's.
fn root_certs(settings: &HubConfig) -> Result<RootCerts, HubError> {
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(HubError::io("read", path))?;
        let certs: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        return if certs.is_empty() { Err(no_certificates(path)) } else { Ok(certs.into()) };
    }
    let system = rustls_native_certs::load_native_certs().certs;
    if system.is_empty() {
        return Ok(RootCerts::WebPki);
    }
    let certs = system.iter().map(|der| Certificate::from_der(der).to_owned());
    Ok(certs.collect::<Vec<_>>().into())
}

fn no_certificates(path: &std::path::Path) -> HubError {
    HubError::Config {
        option: "ca_file",
        problem: format!("{} holds no certificate in PEM format", path.display()),
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
        ureq::Error::RequireHttpsOnly(_) => {
            ("it redirects to an unprotected address".into(), false)
        }
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

fn status_error(url: &str, response: &Response<Body>, with_token: bool) -> HubError {
    let status = response.status();
    let message = header(response, "x-error-message").map(|text| text.chars().take(300).collect());
    match status.as_u16() {
        401 | 403 => HubError::Unauthorized {
            url: url.to_owned(),
            status: status.as_u16(),
            problem: message.unwrap_or_else(|| "it is private, gated or does not exist".to_owned()),
            remedy: access_remedy(with_token).to_owned(),
        },
        404 | 410 => HubError::NotFound {
            what: message.unwrap_or_else(|| "such file".to_owned()),
            place: url.to_owned(),
            remedy: Some("check the spelling".to_owned()),
        },
        code => {
            let transient = matches!(code, 408 | 425 | 429) || status.is_server_error();
            HubError::network(url, describe_status(status), transient)
        }
    }
}

fn access_remedy(with_token: bool) -> &'static str {
    if with_token {
        "check that the token may read it, and that its terms are accepted on its page"
    } else {
        "check the spelling; for a private or gated model accept its terms on its page and set HF_TOKEN"
    }
}

fn describe_status(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("no reason given");
    format!("the server answered {} ({reason})", status.as_u16())
}

/// A header as text.
pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// The address marked `rel="next"` in a `Link` header.
fn next_page(response: &Response<Body>) -> Option<String> {
    let links = header(response, "link")?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let address = next.split('<').nth(1)?.split('>').next()?;
    Some(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;

    #[test]
    fn the_token_goes_to_the_hub_and_nowhere_else() {
        let http = Http::new(&HubConfig {
            token: Some(Token::new("t")),
            endpoint: "https://hub.example".into(),
            ..HubConfig::with_home("x")
        });
        for (url, sent) in [
            ("https://hub.example/api/models/a/b", true),
            ("https://hub.example.evil.example/x", false),
            ("https://hub.example:444/x", false),
            ("http://hub.example/x", false),
            ("https://cdn.example/x", false),
        ] {
            assert_eq!(http.token_for(url).is_some(), sent, "{url}");
        }
    }

    #[test]
    fn unprotected_addresses_are_not_fetched() {
        let http = Http::new(&HubConfig::with_home("x"));
        let result = http.json::<serde_json::Value>("http://example.org/x");
        assert!(matches!(result, Err(HubError::Network { transient: false, .. })));
    }

    #[test]
    fn proxies_keep_their_credentials_and_exceptions() {
        let config = ProxyConfig {
            url: "http://me:pw@proxy.example:3128".into(),
            no_proxy: vec![".internal.example".into()],
        };
        let proxy = proxy(&config).unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
        assert_eq!((proxy.username(), proxy.password()), (Some("me"), Some("pw")));
        assert!(proxy.is_no_proxy(&"https://a.internal.example/".parse().unwrap()));
        assert!(!proxy.is_no_proxy(&"https://a.example/".parse().unwrap()));
        let wrong = ProxyConfig { url: "nonsense://".into(), no_proxy: vec![] };
        assert_eq!(super::proxy(&wrong).unwrap_err().kind(), crate::HubErrorKind::Config);
    }

    #[test]
    fn a_certificate_file_without_certificates_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "nothing").unwrap();
        let config = HubConfig { ca_file: Some(path), ..HubConfig::with_home("x") };
        assert_eq!(root_certs(&config).unwrap_err().kind(), crate::HubErrorKind::Config);
    }
}
