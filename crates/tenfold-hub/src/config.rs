//! Everything the model manager needs to know about its surroundings.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use etcetera::BaseStrategy;

use crate::{CancelFlag, HubError};

/// The public hub.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// Everything the model manager needs to know about its surroundings.
///
/// The crate reads no environment variables; a surface fills the fields from them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubConfig {
    /// Data folder of Tenfold; models are stored in its `models` folder.
    pub home: PathBuf,
    /// The user's own folder, for paths that begin with `~`.
    pub user_home: Option<PathBuf>,
    /// Folders in the layout of the standard hub cache (`models--org--name/…`), read only.
    pub hub_caches: Vec<PathBuf>,
    /// Sent to the hub, and to nobody else.
    pub token: Option<Token>,
    /// Address of the hub, without a slash at the end.
    pub endpoint: String,
    /// Never use the network.
    pub offline: bool,
    /// Commands that may be pip; the first one that exists is used.
    pub pip: Vec<ClientCommand>,
    /// Commands that may be npm.
    pub npm: Vec<ClientCommand>,
    /// A catalogue of the user's own, whose entries come before the built-in ones.
    pub catalogue_file: Option<PathBuf>,
    /// The proxy for all requests.
    pub proxy: Option<ProxyConfig>,
    /// Certificates (PEM) to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How often a transfer that makes no progress is tried again.
    pub retries: u32,
    /// Bytes to leave free on the disk.
    pub reserve_bytes: u64,
    /// Set it to stop the work in progress.
    pub cancel: CancelFlag,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a name to resolve, and for a connection.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub response: Duration,
    /// For the next byte of a transfer.
    pub stall: Duration,
    /// For a package client to find out where a package is.
    pub locate: Duration,
    /// Before the first repetition; each further one waits twice as long.
    pub retry: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            response: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            locate: Duration::from_secs(90),
            retry: Duration::from_millis(500),
        }
    }
}

/// A secret that debug output does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps the text, without spaces and line ends around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A program with its first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCommand {
    /// Name or path of the program.
    pub program: OsString,
    /// Arguments that come before all others.
    pub args: Vec<OsString>,
}

impl ClientCommand {
    /// A program with its first arguments.
    pub fn new(program: impl Into<OsString>, args: &[&str]) -> Self {
        Self { program: program.into(), args: args.iter().map(OsString::from).collect() }
    }
}

impl fmt::Display for ClientCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program.to_string_lossy())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

/// A proxy and the hosts that go without it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyConfig {
    /// Address, such as `http://proxy:3128`, with credentials where it wants them.
    pub url: String,
    /// Hosts to reach directly: `localhost`, `.internal.example`, `*`.
    pub no_proxy: Vec<String>,
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.rsplit('@').next().unwrap_or_default();
        f.debug_struct("ProxyConfig")
            .field("host", &host)
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

impl HubConfig {
    /// The usual places of this platform: the data folder of the user (`~/.local/share/tenfold`,
    /// `~/Library/Application Support/tenfold`, `%LOCALAPPDATA%\tenfold`) and the standard hub
    /// cache.
    ///
    /// # Errors
    /// When the system does not say where the user's folder is.
    pub fn for_platform() -> Result<Self, HubError> {
        let folders =
            etcetera::base_strategy::choose_native_strategy().map_err(|_| HubError::Config {
                option: "home",
                problem: "the system does not say where your folder is; set TENFOLD_HOME".into(),
            })?;
        // Models are too large for the folder of Windows that follows its user over the network.
        let data = if cfg!(windows) { folders.cache_dir() } else { folders.data_dir() };
        let user = folders.home_dir().to_owned();
        let cache = user.join(".cache").join("huggingface").join("hub");
        Ok(Self {
            user_home: Some(user),
            hub_caches: vec![cache],
            ..Self::with_home(data.join("tenfold"))
        })
    }

    /// Programs that are started, and records that are kept, know no current folder.
    pub(crate) fn make_absolute(&mut self) {
        for path in self.hub_caches.iter_mut().chain([&mut self.home]) {
            *path = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        }
    }

    /// A configuration that knows only its data folder; everything else is the default.
    pub fn with_home(home: impl Into<PathBuf>) -> Self {
        Self {
            home: home.into(),
            user_home: None,
            hub_caches: Vec::new(),
            token: None,
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            offline: false,
            pip: default_pip(),
            npm: default_npm(),
            catalogue_file: None,
            proxy: None,
            ca_file: None,
            timeouts: Timeouts::default(),
            retries: 5,
            reserve_bytes: 64 << 20,
            cancel: CancelFlag::default(),
        }
    }
}

fn default_pip() -> Vec<ClientCommand> {
    let launcher = cfg!(windows).then(|| ClientCommand::new("py", &["-m", "pip"]));
    let usual = [
        ClientCommand::new("python3", &["-m", "pip"]),
        ClientCommand::new("pip3", &[]),
        ClientCommand::new("pip", &[]),
        ClientCommand::new("python", &["-m", "pip"]),
    ];
    launcher.into_iter().chain(usual).collect()
}

fn default_npm() -> Vec<ClientCommand> {
    vec![ClientCommand::new(if cfg!(windows) { "npm.cmd" } else { "npm" }, &[])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_keeps_secrets() {
        let config = HubConfig {
            token: Some(Token::new(" hf_secret\n")),
            proxy: Some(ProxyConfig { url: "http://me:secret@proxy:1".into(), no_proxy: vec![] }),
            ..HubConfig::with_home("x")
        };
        let text = format!("{config:?}");
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("proxy:1"));
        assert_eq!(config.token.unwrap().secret(), "hf_secret");
    }

    #[test]
    fn relative_folders_are_made_absolute() {
        let mut config =
            HubConfig { hub_caches: vec!["cache".into()], ..HubConfig::with_home("x") };
        config.make_absolute();
        let here = std::env::current_dir().unwrap();
        assert_eq!((config.home, config.hub_caches), (here.join("x"), vec![here.join("cache")]));
    }

    #[test]
    fn the_platform_has_a_data_folder_and_a_hub_cache() {
        let config = HubConfig::for_platform().unwrap();
        assert!(config.home.ends_with("tenfold"));
        assert!(config.hub_caches[0].ends_with("huggingface/hub"));
        assert_eq!(ClientCommand::new("python3", &["-m", "pip"]).to_string(), "python3 -m pip");
    }
}
