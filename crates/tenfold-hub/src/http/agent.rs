//! How connections are made: proxy, certificates, patience.

use std::path::Path;

use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use crate::{HubConfig, HubError, ProxyConfig};

/// The settings of every request. Redirects are not followed here: each is checked by the caller.
pub(super) fn config(settings: &HubConfig) -> Result<Config, HubError> {
    let times = settings.timeouts;
    let tls = TlsConfig::builder().root_certs(root_certs(settings)?).build();
    Ok(Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
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
        return certificates(path);
    }
    let system = rustls_native_certs::load_native_certs().certs;
    if system.is_empty() {
        return Ok(RootCerts::WebPki);
    }
    let certs = system.iter().map(|der| Certificate::from_der(der).to_owned());
    Ok(certs.collect::<Vec<_>>().into())
}

fn certificates(path: &Path) -> Result<RootCerts, HubError> {
    let pem = std::fs::read(path).map_err(HubError::io("read", path))?;
    let certs: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certs.is_empty() {
        let problem = format!("{} holds no certificate in PEM format", path.display());
        return Err(HubError::Config { option: "ca_file", problem });
    }
    Ok(certs.into())
}

#[cfg(test)]
mod tests {
    use super::*;

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
