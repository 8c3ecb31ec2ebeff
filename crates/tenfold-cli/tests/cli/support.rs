//! Calls the command in a home of its own, with tiny models and a server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tenfold_core::DType;
use tenfold_testkit::OnDisk;

/// A home folder for one test.
pub(crate) struct Home(TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command with these arguments, and nothing of the caller's environment that it reads.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenfold"));
        command.args(args).env("TENFOLD_HOME", self.path()).env("HF_HUB_OFFLINE", "0");
        command.env("HF_HOME", self.path().join("hf")).current_dir(self.path());
        for name in ["HF_TOKEN", "HF_ENDPOINT", "HF_HUB_CACHE", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "TENFOLD_CATALOGUE"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn tenfold(&self, args: &[&str]) -> Done {
        self.with_input(args, b"")
    }

    pub(crate) fn with_input(&self, args: &[&str], input: &[u8]) -> Done {
        let mut child = start(self.command(args).stdin(Stdio::piped()));
        // A command that fails early closes its end first.
        drop(child.stdin.take().unwrap().write_all(input));
        child.wait_with_output().unwrap().into()
    }

    /// The JSON that a command prints which must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let done = self.tenfold(&[args, &["--json"]].concat());
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}", done.out))
    }

    /// Writes a file and returns its path as an argument.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        argument(&path)
    }
}

pub(crate) fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Fails if one of the texts is not in what was said beside the result.
    pub(crate) fn assert_says(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.err.contains(text), "{text:?} is not said: {self:#?}");
        }
        self
    }
}

/// A tiny model as a GGUF file.
pub(crate) fn tiny() -> OnDisk {
    OnDisk::gguf("qwen2", DType::Q8_0).unwrap()
}

/// The path of a model as an argument.
pub(crate) fn path(model: &OnDisk) -> String {
    argument(model.files().main())
}

pub(crate) fn argument(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Serves one file on loopback, with ranges; counts what is asked.
pub(crate) struct Server {
    address: String,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    body: Vec<u8>,
    /// Bytes after which each answer stops for ever; `usize::MAX` for none.
    stall_at: AtomicUsize,
    stop: AtomicBool,
    ranges: Mutex<Vec<String>>,
}

impl Server {
    pub(crate) fn start(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            body,
            stall_at: AtomicUsize::new(usize::MAX),
            stop: AtomicBool::new(false),
            ranges: Mutex::default(),
        });
        let served = Arc::clone(&state);
        let thread = thread::spawn(move || serve(&listener, &served));
        Self { address, state, thread: Some(thread) }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    pub(crate) fn stall_at(&self, bytes: usize) {
        self.state.stall_at.store(bytes, Ordering::SeqCst);
    }

    /// The first byte of each range that was asked.
    pub(crate) fn ranges(&self) -> Vec<String> {
        self.state.ranges.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(&self.address));
        drop(self.thread.take().unwrap().join());
    }
}

fn serve(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming() {
        if state.stop.load(Ordering::SeqCst) {
            return;
        }
        let state = Arc::clone(state);
        thread::spawn(move || drop(answer(&stream.unwrap(), &state)));
    }
}

fn answer(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    for line in BufReader::new(stream).lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            state.ranges.lock().unwrap().push(range.trim().to_owned());
        }
    }
    let asked = state.ranges.lock().unwrap().last().cloned().unwrap_or_default();
    let start: usize = asked.split('-').next().and_then(|it| it.parse().ok()).unwrap_or(0);
    let start = if asked.is_empty() { 0 } else { start.min(state.body.len()) };
    let (rest, len) = (&state.body[start..], state.body.len());
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{len}\r\n\
         Accept-Ranges: bytes\r\nETag: \"one\"\r\nConnection: close\r\n\r\n",
        rest.len(),
        len.saturating_sub(1)
    )?;
    let shown = state.stall_at.load(Ordering::SeqCst).saturating_sub(start).min(rest.len());
    out.write_all(&rest[..shown])?;
    out.flush()?;
    while shown < rest.len() && !state.stop.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}
