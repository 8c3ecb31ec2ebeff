//! A web server on this machine that misbehaves as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// No test needs more.
const MOST_REQUESTS: usize = 500;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    headers: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// First byte asked for.
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// An answer, and where it goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection breaks off after so many bytes of the body.
    cut: Option<usize>,
    /// Nothing comes after so many bytes of the body, and the connection stays open.
    hang: Option<usize>,
    /// The length is not said.
    chunked: bool,
    silent: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// The server reads the request and says nothing.
    pub(crate) fn silence() -> Self {
        Self { silent: true, ..Self::default() }
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::new(200, value.to_string())
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::new(302, "").with("Location", to)
    }

    /// A file, from the byte on that is asked for; `If-Range` is minded.
    pub(crate) fn file(bytes: &[u8], etag: Option<&str>, request: &Request) -> Self {
        let unchanged = request.header("if-range").is_none_or(|known| Some(known) == etag);
        let reply = match request.from().filter(|_| unchanged) {
            Some(from) if from >= bytes.len() => {
                Self::new(416, "").with("Content-Range", &format!("bytes */{}", bytes.len()))
            }
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Self::new(206, &bytes[from..]).with("Content-Range", &range)
            }
            None => Self::new(200, bytes),
        };
        match etag {
            Some(etag) => reply.with("ETag", etag),
            None => reply,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    pub(crate) fn hang_after(self, bytes: usize) -> Self {
        Self { hang: Some(bytes), ..self }
    }

    pub(crate) fn chunked(self) -> Self {
        Self { chunked: true, ..self }
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let says_length = self.headers.iter().any(|(name, _)| name == "Content-Length");
        if self.chunked {
            head.push_str("Transfer-Encoding: chunked\r\n");
        } else if !says_length {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head + "\r\n"
    }

    fn send(&self, stream: &mut TcpStream, stopped: &Stopped) -> std::io::Result<()> {
        if self.silent {
            stopped.wait(stream);
            return Ok(());
        }
        stream.write_all(self.head().as_bytes())?;
        let end = self.cut.or(self.hang).unwrap_or(self.body.len()).min(self.body.len());
        if self.chunked {
            for piece in self.body[..end].chunks(1000) {
                write!(stream, "{:x}\r\n", piece.len())?;
                stream.write_all(piece)?;
                stream.write_all(b"\r\n")?;
            }
            if end == self.body.len() {
                stream.write_all(b"0\r\n\r\n")?;
            }
        } else {
            stream.write_all(&self.body[..end])?;
        }
        if self.hang.is_some() {
            stopped.wait(stream);
        }
        stream.shutdown(Shutdown::Write)
    }
}

/// Answers a request for a file with these bytes.
pub(crate) type Answer = fn(&[u8], &Request) -> Reply;

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// Set when the server ends, so that no connection hangs longer.
#[derive(Default)]
struct Stopped {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Stopped {
    fn set(&self) {
        *self.flag.lock().unwrap() = true;
        self.changed.notify_all();
    }

    /// Waits for the end of the server, or of the client.
    fn wait(&self, stream: &TcpStream) {
        stream.set_nonblocking(true).unwrap();
        let mut stopped = self.flag.lock().unwrap();
        let gone = || matches!(stream.peek(&mut [0]), Ok(0));
        while !*stopped && !gone() {
            let wait = Duration::from_millis(20);
            stopped = self.changed.wait_timeout(stopped, wait).unwrap().0;
        }
        stream.set_nonblocking(false).unwrap();
    }
}

/// The server; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
    closing: Arc<AtomicBool>,
    stopped: Arc<Stopped>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), handler)
    }

    /// Takes the place of a server that ended.
    pub(crate) fn start_at(
        address: SocketAddr,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (log, closing) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicBool>::default());
        let stopped = Arc::<Stopped>::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let thread = std::thread::spawn({
            let (log, closing, stopped) =
                (Arc::clone(&log), Arc::clone(&closing), Arc::clone(&stopped));
            move || accept(&listener, &handler, &log, &closing, &stopped)
        });
        Self { address, log, closing, stopped, thread: Some(thread) }
    }

    /// Serves these bytes with one answer after the other, and the last one for ever.
    pub(crate) fn script(bytes: &[u8], answers: &[Answer]) -> Self {
        let (bytes, answers) = (bytes.to_vec(), answers.to_vec());
        let next = AtomicUsize::new(0);
        Self::start(move |request| {
            let turn = next.fetch_add(1, Ordering::AcqRel).min(answers.len() - 1);
            answers[turn](&bytes, request)
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// The paths asked for so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.log().into_iter().map(|request| request.path).collect()
    }

    /// The first bytes asked for so far.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.log().iter().map(Request::from).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Release);
        self.stopped.set();
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn accept(
    listener: &TcpListener,
    handler: &Arc<Handler>,
    log: &Arc<Mutex<Vec<Request>>>,
    closing: &AtomicBool,
    stopped: &Arc<Stopped>,
) {
    std::thread::scope(|scope| {
        for stream in listener.incoming() {
            if closing.load(Ordering::Acquire) {
                return;
            }
            let Ok(mut stream) = stream else { continue };
            scope.spawn(move || {
                // A client that does not finish its request must not keep the test waiting.
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let Some(request) = read_request(&stream) else { return };
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(request.clone());
                    log.len()
                };
                // A client that would ask for ever fails its test instead.
                let reply = match number {
                    0..MOST_REQUESTS => handler(&request),
                    _ => Reply::new(410, ""),
                };
                // A client that went away is what some tests are about.
                let _ = reply.send(&mut stream, stopped);
            });
        }
    });
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    Some(Request { path, headers })
}
