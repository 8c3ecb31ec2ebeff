//! `tenfold backends`: every framework, and whether it can work here.

use serde::Serialize;
use tenfold::{Availability, BackendStatus, ModelFormat};

use crate::app::App;
use crate::exit::Ending;
use crate::stdout_table::table;

/// One row of `backends --json`.
#[derive(Serialize)]
struct Row {
    id: String,
    name: &'static str,
    state: &'static str,
    version: Option<String>,
    devices: Vec<String>,
    reason: Option<String>,
    remedy: Option<String>,
    formats: Vec<&'static str>,
}

/// Lists the frameworks.
pub(crate) fn backends(app: &App) -> anyhow::Result<Ending> {
    let rows: Vec<Row> = app.runtime.registry().status().into_iter().map(row).collect();
    if app.printer.is_json() {
        app.printer.json(&rows)?;
    } else {
        print(app, &rows)?;
    }
    Ok(Ending::Done)
}

fn row(status: BackendStatus) -> Row {
    let (state, reason, remedy) = match status.availability {
        Availability::Available => ("available", None, None),
        Availability::Unavailable { reason, remedy } => ("unavailable", Some(reason), Some(remedy)),
    };
    Row {
        id: status.info.id.to_string(),
        name: status.info.name,
        state,
        version: status.info.version,
        devices: status.info.devices,
        reason,
        remedy,
        formats: status.info.formats.iter().copied().map(ModelFormat::name).collect(),
    }
}

fn print(app: &App, rows: &[Row]) -> anyhow::Result<()> {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let note = row.reason.clone().unwrap_or_else(|| row.devices.join(", "));
            vec![
                row.id.clone(),
                row.state.to_owned(),
                row.version.clone().unwrap_or_else(|| "-".to_owned()),
                row.formats.join(", "),
                note,
            ]
        })
        .collect();
    let header = ["BACKEND", "STATE", "VERSION", "FORMATS", "DEVICES / REASON"];
    for line in table(&header, &cells, &[]) {
        app.printer.line(&line)?;
    }
    Ok(())
}
