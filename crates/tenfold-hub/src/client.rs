//! Package clients that the user has: run, watched, stopped.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::address::without_credentials;
use crate::{CancelFlag, ClientCommand, HubError};

/// The most that is kept of what a client prints.
const MAX_OUTPUT: u64 = 16 << 20;
/// The most that an error repeats of it, in characters.
const MAX_MESSAGE: usize = 700;
/// How often a client is asked whether it ended: first this, later less often.
const POLL: Duration = Duration::from_millis(2);
const SLOWEST_POLL: Duration = Duration::from_millis(50);
/// How long a client's pipes may stay open after it ended (a grandchild may hold them).
const DRAIN: Duration = Duration::from_secs(2);

/// How to run a client.
pub(crate) struct Run<'a> {
    /// `pip` or `npm`, for errors.
    pub(crate) client: &'static str,
    /// Commands that may be it; the first that exists is used.
    pub(crate) commands: &'a [ClientCommand],
    pub(crate) args: &'a [&'a str],
    /// Where it runs and keeps its temporary files.
    pub(crate) folder: &'a Path,
    pub(crate) limit: Option<Duration>,
    /// Whether a line of its output says all that is wanted, so that it is stopped there.
    pub(crate) stop_at: Option<fn(&str) -> bool>,
}

impl Run<'_> {
    /// Runs the client to its end and gives what it printed; `tick` is called meanwhile.
    pub(crate) fn output(
        &self,
        cancel: &CancelFlag,
        tick: &mut dyn FnMut(),
    ) -> Result<Vec<u8>, HubError> {
        for command in self.commands {
            match self.try_command(command, cancel, tick)? {
                Some(output) => return Ok(output),
                None => continue,
            }
        }
        let tried: Vec<String> = self.commands.iter().map(ToString::to_string).collect();
        Err(HubError::ClientMissing { client: self.client, tried: tried.join(", ") })
    }

    /// `None` if this command is not the client.
    fn try_command(
        &self,
        command: &ClientCommand,
        cancel: &CancelFlag,
        tick: &mut dyn FnMut(),
    ) -> Result<Option<Vec<u8>>, HubError> {
        let mut child = match self.spawn(command) {
            Ok(child) => Guard(child),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(command, error.to_string())),
        };
        let stdout = Drain::start(child.0.stdout.take(), self.stop_at);
        let stderr = Drain::start(child.0.stderr.take(), None);
        let status = self.wait(&mut child.0, command, &stdout, cancel, tick)?;
        // One that was stopped said what was wanted.
        let Some(status) = status.filter(|status| !status.success()) else {
            drop(child);
            return Ok(Some(stdout.collect()));
        };
        let stderr = stderr.collect();
        let message = String::from_utf8_lossy(&stderr);
        if is_absent(&message) {
            return Ok(None);
        }
        Err(self.failed(command, last_lines(&message, status)))
    }

    fn spawn(&self, command: &ClientCommand) -> io::Result<Child> {
        Command::new(&command.program)
            .args(&command.args)
            .args(self.args)
            .current_dir(self.folder)
            .env("TMPDIR", self.folder)
            .env("TEMP", self.folder)
            .env("TMP", self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    /// Waits for its end; `None` if it said what was wanted before.
    fn wait(
        &self,
        child: &mut Child,
        command: &ClientCommand,
        stdout: &Drain,
        cancel: &CancelFlag,
        tick: &mut dyn FnMut(),
    ) -> Result<Option<ExitStatus>, HubError> {
        let start = Instant::now();
        let mut poll = POLL;
        loop {
            let ended =
                child.try_wait().map_err(|error| self.failed(command, error.to_string()))?;
            if ended.is_some() || stdout.has_said_enough() {
                return Ok(ended);
            }
            if self.limit.is_some_and(|limit| start.elapsed() > limit) {
                let problem = format!("no result within {:?}", self.limit.unwrap_or_default());
                return Err(self.failed(command, problem));
            }
            tick();
            cancel.sleep(poll)?;
            poll = SLOWEST_POLL.min(poll * 2);
        }
    }

    fn failed(&self, command: &ClientCommand, problem: String) -> HubError {
        let verb = self.args.first().copied().unwrap_or_default();
        HubError::ClientFailed { command: format!("{command} {verb}"), problem }
    }
}

/// Ends the client when the pull ends before it.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads a pipe on a thread of its own, so that a client never waits for us.
#[derive(Clone, Default)]
struct Drain(Arc<Drained>);

#[derive(Default)]
struct Drained {
    kept: Mutex<Vec<u8>>,
    said_enough: AtomicBool,
    ended: AtomicBool,
}

impl Drain {
    fn start<R: Read + Send + 'static>(pipe: Option<R>, stop_at: Option<fn(&str) -> bool>) -> Self {
        let drain = Self::default();
        let filled = drain.clone();
        std::thread::spawn(move || {
            if let Some(pipe) = pipe {
                filled.fill(pipe, stop_at);
            }
            filled.0.ended.store(true, Ordering::Release);
        });
        drain
    }

    /// Reads to the end and keeps the beginning.
    fn fill(&self, pipe: impl Read, stop_at: Option<fn(&str) -> bool>) {
        let mut pipe = BufReader::new(pipe);
        let mut room = MAX_OUTPUT;
        let mut line = Vec::new();
        while pipe.by_ref().take(room).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            self.kept().extend_from_slice(&line);
            if stop_at.is_some_and(|is_enough| is_enough(&String::from_utf8_lossy(&line))) {
                self.0.said_enough.store(true, Ordering::Release);
            }
            room = room.saturating_sub(line.len() as u64);
            line.clear();
        }
        let _ = io::copy(&mut pipe, &mut io::sink());
    }

    fn kept(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_said_enough(&self) -> bool {
        self.0.said_enough.load(Ordering::Acquire)
    }

    /// What came; a program that the client started may hold its pipe open for longer.
    fn collect(&self) -> Vec<u8> {
        let start = Instant::now();
        let is_done = || self.has_said_enough() || self.0.ended.load(Ordering::Acquire);
        while !is_done() && start.elapsed() < DRAIN {
            std::thread::sleep(POLL);
        }
        std::mem::take(&mut *self.kept())
    }
}

/// True if the program ran and said that the client is not there.
fn is_absent(message: &str) -> bool {
    ["No module named pip", "command not found", "is not recognized as an internal"]
        .iter()
        .any(|sign| message.contains(sign))
}

/// The lines that say what went wrong, without the client's chatter, and without the secrets that
/// an index or a proxy may have in its address.
fn last_lines(message: &str, status: ExitStatus) -> String {
    let message = without_credentials(message);
    let lines: Vec<String> =
        message.lines().map(printable).filter(|line| !line.is_empty()).collect();
    let picked = |is_wanted: fn(&str) -> bool, most: usize| {
        let lines: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| is_wanted(line)).collect();
        lines.get(lines.len().saturating_sub(most)..).unwrap_or_default().join("; ")
    };
    let (trouble, errors) = (picked(is_trouble, 1), picked(is_error, 3));
    let told = match (trouble.is_empty(), errors.is_empty()) {
        (_, true) => picked(|_| true, 3),
        (true, false) => errors,
        (false, false) => format!("{errors}; {trouble}"),
    };
    if told.is_empty() {
        return format!("it ended with {status}");
    }
    told.chars().take(MAX_MESSAGE).collect()
}

fn is_error(line: &str) -> bool {
    ["ERROR:", "npm error", "npm ERR!"].iter().any(|start| line.starts_with(start))
}

/// pip reports a network that fails as a warning, and then that there is no such package.
fn is_trouble(line: &str) -> bool {
    line.starts_with("WARNING:") && line.contains("connection broken")
}

fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::HubErrorKind;

    fn run(scripts: &[&str], limit: Option<Duration>) -> Result<Vec<u8>, HubError> {
        let folder = tempfile::tempdir().unwrap();
        let mut commands = vec![ClientCommand::new("/no/such/program", &[])];
        commands.extend(scripts.iter().map(|script| ClientCommand::new("sh", &["-c", script])));
        let run = Run {
            client: "pip",
            commands: &commands,
            args: &["verb"],
            folder: folder.path(),
            limit,
            stop_at: Some(|line| line.contains("ENOUGH")),
        };
        run.output(&CancelFlag::default(), &mut || ())
    }

    #[test]
    fn the_first_command_that_is_the_client_answers() {
        let absent = "echo 'python3: No module named pip' >&2; exit 1";
        assert_eq!(run(&[absent, "echo yes", "echo no"], None).unwrap(), b"yes\n");
        let error = run(&[absent], None).unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::ClientMissing);
        assert!(error.to_string().contains("/no/such/program"), "{error}");
    }

    #[test]
    fn a_failure_ends_with_the_clients_own_words() {
        let script = "echo noise >&2; echo 'ERROR: no such package' >&2; echo tail >&2; exit 3";
        let error = run(&[script, "echo never"], None).unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::ClientFailed);
        assert!(error.to_string().ends_with("ERROR: no such package"), "{error}");
        assert!(run(&["exit 3"], None).unwrap_err().to_string().contains('3'));
    }

    #[test]
    fn what_the_network_did_is_told_and_secrets_are_not() {
        let lines = "WARNING: Retrying after connection broken by 'Name or service not known': /simple/x/\nERROR: Could not find a version (from https://me:hush@mirror/simple)\nERROR: No matching distribution found for x==1\nnoise";
        let told = |script: &str| match run(&[script], None) {
            Err(HubError::ClientFailed { problem, .. }) => problem,
            other => panic!("{other:?}"),
        };
        let text = told(&format!("printf '%b' \"{lines}\" >&2; exit 1"));
        for part in
            ["No matching distribution", "Name or service not known", "https://mirror/simple"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("hush") && !text.contains("noise"), "{text}");
        assert_eq!(
            told("echo 'npm ERR! code E404' >&2; echo tail >&2; exit 1"),
            "npm ERR! code E404"
        );
        assert_eq!(told("printf '\\033[31mbad\\033[0m' >&2; exit 1"), "[31mbad[0m");
    }

    #[test]
    fn a_client_that_hangs_is_stopped() {
        let start = Instant::now();
        assert!(run(&["exec sleep 60"], Some(Duration::from_millis(100))).is_err());
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_client_that_said_enough_is_stopped() {
        let start = Instant::now();
        let output = run(&["echo before; echo ENOUGH; exec sleep 60"], None).unwrap();
        assert_eq!(output, b"before\nENOUGH\n");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_program_that_the_client_leaves_behind_is_not_waited_for() {
        let start = Instant::now();
        assert_eq!(run(&["echo yes; sleep 5 & exit 0"], None).unwrap(), b"yes\n");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn much_output_on_both_pipes_does_not_block() {
        let script = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done";
        assert_eq!(run(&[script], None).unwrap().len(), 3000 * 41);
    }
}
