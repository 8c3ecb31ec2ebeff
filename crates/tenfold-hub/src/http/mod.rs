//! HTTP requests with the caller's proxy, certificates, token and patience.

mod agent;
mod explain;
mod patience;

use std::io::{self, Read};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::config::Config;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use self::explain::{Asked, insecure, status_error, transport_error};
pub(crate) use self::patience::Patience;
use crate::address::{is_https, is_safe_url, join, same_server};
use crate::config::Timeouts;
use crate::{CancelFlag, HubConfig, HubError};

const MAX_JSON_BYTES: u64 = 16 << 20;
const JSON_RETRIES: u32 = 2;
const MAX_REDIRECTS: usize = 8;
/// How soon a cancellation is noticed.
const WATCH: Duration = Duration::from_millis(20);

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

/// Is told of each failure that is followed by another try, and how long that waits.
pub(crate) type Waiting<'a> = dyn FnMut(&HubError, Duration) + 'a;

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

    /// Asks for JSON, a few times if the server stumbles; gives the address of the next page too.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        url: &str,
        waiting: &mut Waiting<'_>,
    ) -> Result<(T, Option<String>), HubError> {
        let mut patience = Patience::new(&self.settings, JSON_RETRIES);
        loop {
            let error = match self.json_once(url) {
                Err(error) => error,
                answer => return answer,
            };
            let Some(wait) = patience.wait(&error, false) else { return Err(error) };
            waiting(&error, wait);
            self.settings.cancel.sleep(wait)?;
        }
    }

    fn json_once<T: DeserializeOwned>(&self, url: &str) -> Result<(T, Option<String>), HubError> {
        self.cancellable(|agent| {
            let response = self.get(agent, url, Range::default())?;
            let next = next_page(&response).and_then(|next| join(url, next));
            let reader = response.into_body().into_reader().take(MAX_JSON_BYTES);
            let value = serde_json::from_reader(io::BufReader::new(reader));
            let value = value.map_err(|error| {
                let problem = format!("the answer is not the JSON expected: {error}");
                HubError::network(url, problem, error.is_io())
            })?;
            Ok((value, next))
        })
    }

    /// Sends a request and follows redirects, each of which is checked: the token goes to the hub
    /// and to nobody else, and nothing leads from https to http. Every answer but success, and 416
    /// to a range, is an error.
    pub(crate) fn get(
        &self,
        agent: &Agent,
        url: &str,
        range: Range<'_>,
    ) -> Result<Response<Body>, HubError> {
        let mut address = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            if !is_safe_url(&address) || (is_https(url) && !is_https(&address)) {
                return Err(insecure(url, &address));
            }
            let response = self.send(agent, url, &address, range)?;
            if !is_redirect(response.status()) {
                return self.judge(url, &address, response, range);
            }
            let target = header(&response, "location").and_then(|link| join(&address, link));
            address = target
                .ok_or_else(|| HubError::network(url, "it redirects, and not to where", false))?;
        }
        Err(HubError::network(url, "it redirects without end", false))
    }

    fn send(
        &self,
        agent: &Agent,
        url: &str,
        address: &str,
        range: Range<'_>,
    ) -> Result<Response<Body>, HubError> {
        let mut request = agent.get(address).header("Accept-Encoding", "identity");
        if let Some(token) = self.token_for(address) {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if range.from > 0 {
            request = request.header("Range", format!("bytes={}-", range.from));
            if let Some(validator) = range.validator {
                request = request.header("If-Range", validator);
            }
        }
        request.call().map_err(|error| transport_error(url, error, self.settings.timeouts))
    }

    fn judge(
        &self,
        url: &str,
        address: &str,
        response: Response<Body>,
        range: Range<'_>,
    ) -> Result<Response<Body>, HubError> {
        let past_the_end = response.status() == StatusCode::RANGE_NOT_SATISFIABLE && range.from > 0;
        if response.status().is_success() || past_the_end {
            return Ok(response);
        }
        let asked = Asked {
            elsewhere: !same_server(url, address),
            with_token: self.token_for(address).is_some(),
        };
        Err(status_error(url, &response, asked))
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
            // Dropped at the end of the work, however it ends, which ends the watch.
            let (_working, done) = mpsc::channel();
            let watched = agent.clone();
            scope.spawn(move || watch(watched, cancel, &done));
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
        let config = agent::config(&self.settings)?;
        Ok(self.config.get_or_init(|| config))
    }

    /// What a failed read of a body means.
    pub(crate) fn read_error(&self, url: &str, error: io::Error) -> HubError {
        transport_error(url, ureq::Error::from(error), self.settings.timeouts)
    }
}

/// Closes the connections when the caller cancels.
fn watch(agent: Agent, cancel: &CancelFlag, done: &Receiver<()>) {
    while done.recv_timeout(WATCH) == Err(RecvTimeoutError::Timeout) {
        if cancel.is_cancelled() {
            agent.shutdown();
            return;
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// A header as text.
pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// The address marked `rel="next"` in a `Link` header.
fn next_page(response: &Response<Body>) -> Option<&str> {
    let links = header(response, "link")?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    next.split('<').nth(1)?.split('>').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HubErrorKind, Token};

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
            ("https://hub.example@evil.example/x", false),
            ("http://hub.example/x", false),
            ("https://cdn.example/x", false),
        ] {
            assert_eq!(http.token_for(url).is_some(), sent, "{url}");
        }
    }

    #[test]
    fn unprotected_addresses_are_not_fetched() {
        let http = Http::new(&HubConfig::with_home("x"));
        let result = http.json::<serde_json::Value>("http://example.org/x?key=1", &mut |_, _| ());
        let error = result.unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::Insecure);
        assert_eq!(error.to_string(), "http://example.org/x: only https addresses are fetched");
    }
}
