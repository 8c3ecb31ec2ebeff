//! `tenfold doctor`: looks for problems on this machine.

use std::process::{Command, Stdio};

use serde::Serialize;
use tenfold::device::Host;

use crate::app::App;
use crate::exit::Ending;
use crate::size;

/// Below this, the smallest models do not fit comfortably.
const LITTLE_MEMORY: u64 = 1 << 30;

/// One finding.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    detail: String,
    remedy: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Problem,
}

/// Runs all checks; exit code 1 if one finds a problem.
pub(crate) fn doctor(app: &App) -> anyhow::Result<Ending> {
    let host = Host::probe();
    let checks =
        vec![cpu(&host), memory(&host), store(app), models(app), backends(app), hub(app), pip(app)];
    if app.printer.is_json() {
        app.printer.json(&checks)?;
    } else {
        for check in &checks {
            print(app, check)?;
        }
    }
    let has_problem = checks.iter().any(|check| check.state == State::Problem);
    Ok(if has_problem { Ending::Problems } else { Ending::Done })
}

fn print(app: &App, check: &Check) -> anyhow::Result<()> {
    let mark = match check.state {
        State::Ok => "ok     ",
        State::Warning => "warning",
        State::Problem => "PROBLEM",
    };
    app.printer.line(&format!("{mark}  {:<9} {}", check.name, check.detail))?;
    if let Some(remedy) = check.remedy.filter(|_| check.state != State::Ok) {
        app.printer.line(&format!("                   try: {remedy}"))?;
    }
    Ok(())
}

fn cpu(host: &Host) -> Check {
    let cpu = &host.cpu;
    let features = if cpu.features.is_empty() { "none".to_owned() } else { cpu.features.join(" ") };
    let is_fast = cpu.features.iter().any(|feature| matches!(*feature, "avx2" | "neon"));
    Check {
        name: "cpu",
        state: if is_fast { State::Ok } else { State::Warning },
        detail: format!(
            "{} ({}), {} of {} cores, {features}",
            cpu.name, host.arch, cpu.usable_cores, cpu.physical_cores
        ),
        remedy: Some("a CPU with AVX2 or NEON is several times faster"),
    }
}

fn memory(host: &Host) -> Check {
    let memory = &host.memory;
    Check {
        name: "memory",
        state: if memory.available_bytes < LITTLE_MEMORY { State::Warning } else { State::Ok },
        detail: format!(
            "{} of {} available",
            size::bytes(memory.available_bytes),
            size::bytes(memory.total_bytes)
        ),
        remedy: Some("close other programs, or take a smaller model"),
    }
}

fn store(app: &App) -> Check {
    let home = &app.runtime.hub().config().home;
    let writable = std::fs::create_dir_all(home).and_then(|()| tempfile::tempfile_in(home));
    Check {
        name: "store",
        state: if writable.is_ok() { State::Ok } else { State::Problem },
        detail: match writable {
            Ok(_) => format!("{} can be written", home.display()),
            Err(error) => format!("{} cannot be written: {error}", home.display()),
        },
        remedy: Some("set TENFOLD_HOME to a folder that you may write"),
    }
}

fn models(app: &App) -> Check {
    let (state, detail) = match app.runtime.hub().list() {
        Err(error) => (State::Problem, error.to_string()),
        Ok(models) => {
            let damaged: Vec<&str> = models
                .iter()
                .filter(|model| model.is_damaged())
                .map(|model| model.name.as_str())
                .collect();
            match damaged.is_empty() {
                true => (State::Ok, format!("{} on this machine", models.len())),
                false => (State::Problem, format!("damaged: {}", damaged.join(", "))),
            }
        }
    };
    Check {
        name: "models",
        state,
        detail,
        remedy: Some("`tenfold pull` fetches a damaged model again"),
    }
}

fn backends(app: &App) -> Check {
    let available: Vec<String> = app
        .runtime
        .registry()
        .status()
        .into_iter()
        .filter(|status| status.availability.is_available())
        .map(|status| format!("{} ({})", status.info.id, status.info.devices.join(", ")))
        .collect();
    Check {
        name: "backends",
        state: if available.is_empty() { State::Problem } else { State::Ok },
        detail: available.join(", "),
        remedy: Some("`tenfold backends` says what each needs"),
    }
}

fn hub(app: &App) -> Check {
    let config = app.runtime.hub().config();
    let token = if config.token.is_some() { "with a token" } else { "without a token" };
    let detail = match config.offline {
        true => "offline by your wish (HF_HUB_OFFLINE)".to_owned(),
        false => format!("{}, {token}", config.endpoint),
    };
    Check { name: "hub", state: State::Ok, detail, remedy: None }
}

fn pip(app: &App) -> Check {
    let commands = &app.runtime.hub().config().pip;
    let works = commands.iter().find(|command| {
        let mut probe = Command::new(&command.program);
        probe.args(&command.args).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    });
    Check {
        name: "pip",
        state: if works.is_some() { State::Ok } else { State::Warning },
        detail: works.map_or_else(|| "not found".to_owned(), ToString::to_string),
        remedy: Some("install Python's pip: some models can also be had as packages"),
    }
}
