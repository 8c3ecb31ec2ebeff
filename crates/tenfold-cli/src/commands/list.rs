//! `tenfold list`: the models on this machine, and those that can be had.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use tenfold::hub::{CatalogueEntry, StoredModel};

use crate::app::App;
use crate::args::ListArgs;
use crate::exit::Ending;
use crate::size;
use crate::stdout_table::table;

/// One row.
#[derive(Serialize)]
struct Row {
    name: String,
    state: &'static str,
    format: String,
    quantization: Option<String>,
    bytes: u64,
    license: Option<String>,
    source: Option<String>,
    pulled_seconds_ago: Option<u64>,
    description: Option<String>,
}

/// Lists models.
pub(crate) fn list(app: &App, args: &ListArgs) -> anyhow::Result<Ending> {
    let hub = app.runtime.hub();
    let mut rows: Vec<Row> = hub.list()?.iter().map(stored).collect();
    if args.all {
        let is_new = |entry: &&CatalogueEntry| rows.iter().all(|row| row.name != entry.full_name());
        let offered: Vec<Row> =
            hub.catalogue().entries().iter().filter(is_new).map(offered).collect();
        rows.extend(offered);
    }
    if app.printer.is_json() {
        app.printer.json(&rows)?;
    } else if rows.is_empty() {
        app.printer.note("No models yet. `tenfold list --all` shows what the catalogue offers, `tenfold pull smollm2` fetches the smallest one.");
    } else {
        print(app, &rows)?;
    }
    Ok(Ending::Done)
}

fn stored(model: &StoredModel) -> Row {
    let age = SystemTime::now().duration_since(model.pulled_at).ok();
    Row {
        name: model.name.clone(),
        state: if model.is_damaged() { "damaged" } else { "pulled" },
        format: model.format.to_string(),
        quantization: model.quantization.clone(),
        bytes: model.bytes(),
        license: model.license.clone(),
        source: Some(model.source.clone()),
        pulled_seconds_ago: age.map(|age| age.as_secs()),
        description: None,
    }
}

fn offered(entry: &CatalogueEntry) -> Row {
    Row {
        name: entry.full_name(),
        state: "available",
        format: entry.format.clone(),
        quantization: entry.quantization.clone(),
        bytes: entry.bytes,
        license: entry.license.clone(),
        source: None,
        pulled_seconds_ago: None,
        description: Some(entry.description.clone()),
    }
}

fn print(app: &App, rows: &[Row]) -> anyhow::Result<()> {
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let header = ["NAME", "STATE", "FORMAT", "SIZE", "LICENCE", "PULLED"];
    for line in table(&header, &cells, &[3]) {
        app.printer.line(&line)?;
    }
    Ok(())
}

fn cells(row: &Row) -> Vec<String> {
    let format = [row.format.as_str(), row.quantization.as_deref().unwrap_or_default()].join(" ");
    vec![
        row.name.clone(),
        row.state.to_owned(),
        format,
        size::bytes(row.bytes),
        row.license.clone().unwrap_or_else(|| "not stated".to_owned()),
        row.pulled_seconds_ago.map_or_else(|| "-".to_owned(), ago),
    ]
}

fn ago(seconds: u64) -> String {
    match Duration::from_secs(seconds).as_secs() {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn ages_are_rough() {
        let cases =
            [(5, "just now"), (90, "1 min ago"), (7200, "2 h ago"), (200_000, "2 days ago")];
        for (seconds, expect) in cases {
            assert_eq!(ago(seconds), expect);
        }
    }
}
