//! Every environment variable that Tenfold reads, in one place.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `TENFOLD_HOME` | data folder: models, chat history |
//! | `TENFOLD_CATALOGUE` | a catalogue file of your own, before the built-in one |
//! | `HF_ENDPOINT` | address of the hub |
//! | `HF_TOKEN` | token for the hub; else the file `token` in `HF_HOME` |
//! | `HF_HOME`, `HF_HUB_CACHE` | the standard hub cache, which is read |
//! | `HF_HUB_OFFLINE` | 1 never uses the network |
//! | `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` | proxy for downloads (small letters too) |
//! | `SSL_CERT_FILE` | certificates to trust instead of the built-in ones |
//! | `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` | colours |

use std::env;
use std::path::PathBuf;

use tenfold::HubConfig;
use tenfold::hub::{HubError, ProxyConfig, Token};

/// The configuration of the model manager from the platform and the environment.
pub(crate) fn hub_config() -> Result<HubConfig, HubError> {
    let mut config = match path("TENFOLD_HOME") {
        Some(home) => HubConfig::with_home(home),
        None => HubConfig::for_platform()?,
    };
    config.catalogue_file = path("TENFOLD_CATALOGUE");
    config.ca_file = path("SSL_CERT_FILE");
    config.offline = text("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value));
    if let Some(endpoint) = text("HF_ENDPOINT") {
        config.endpoint = endpoint.trim_end_matches('/').to_owned();
    }
    if let Some(cache) = hub_cache() {
        config.hub_caches = vec![cache];
    }
    config.token = hub_token();
    config.proxy = proxy();
    Ok(config)
}

fn hub_home() -> Option<PathBuf> {
    path("HF_HOME").or_else(|| Some(env::home_dir()?.join(".cache").join("huggingface")))
}

fn hub_cache() -> Option<PathBuf> {
    path("HF_HUB_CACHE").or_else(|| Some(hub_home()?.join("hub")))
}

fn hub_token() -> Option<Token> {
    let stored = || std::fs::read_to_string(hub_home()?.join("token")).ok();
    let token = text("HF_TOKEN").or_else(stored)?;
    (!token.trim().is_empty()).then(|| Token::new(&token))
}

fn proxy() -> Option<ProxyConfig> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let url = names.into_iter().find_map(text)?;
    let direct = text("NO_PROXY").or_else(|| text("no_proxy")).unwrap_or_default();
    let no_proxy = direct.split(',').map(str::trim).filter(|host| !host.is_empty());
    Some(ProxyConfig { url, no_proxy: no_proxy.map(str::to_owned).collect() })
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_as_people_write_them() {
        for (value, expect) in
            [("1", true), ("TRUE", true), ("0", false), ("False", false), ("off", false)]
        {
            assert_eq!(is_true(value), expect, "{value}");
        }
    }
}
