//! `tenfold verify`: hashes the files of models again.

use serde::Serialize;
use tenfold::ModelRef;
use tenfold::hub::{HubError, VerifyReport};

use crate::app::App;
use crate::args::VerifyArgs;
use crate::exit::Ending;

/// What `verify --json` prints of each file.
#[derive(Serialize)]
struct Checked {
    model: String,
    file: String,
    intact: bool,
    expected: String,
    found: String,
}

/// Checks models, all of them if none is named.
pub(crate) fn verify(app: &App, args: &VerifyArgs) -> anyhow::Result<Ending> {
    let reports: Vec<VerifyReport> =
        references(app, args)?.iter().map(|model| check(app, model)).collect::<Result<_, _>>()?;
    let checked: Vec<Checked> = reports.iter().flat_map(files).collect();
    if app.printer.is_json() {
        app.printer.json(&checked)?;
    } else {
        for file in &checked {
            print(app, file)?;
        }
        if checked.is_empty() {
            app.printer.note("No models to check.");
        }
    }
    let is_fine = checked.iter().all(|file| file.intact);
    Ok(if is_fine { Ending::Done } else { Ending::Problems })
}

fn references(app: &App, args: &VerifyArgs) -> anyhow::Result<Vec<ModelRef>> {
    let names: Vec<String> = match args.models.is_empty() {
        true => app.runtime.hub().list()?.into_iter().map(|model| model.name).collect(),
        false => args.models.clone(),
    };
    Ok(names.iter().map(|name| name.parse()).collect::<Result<_, HubError>>()?)
}

fn check(app: &App, model: &ModelRef) -> Result<VerifyReport, HubError> {
    app.with_pull_bar(|progress| app.runtime.hub().verify(model, progress))
}

fn files(report: &VerifyReport) -> impl Iterator<Item = Checked> + '_ {
    report.files.iter().map(|file| Checked {
        model: report.model.clone(),
        file: file.name.clone(),
        intact: file.is_intact(),
        expected: file.expected.clone(),
        found: file.found.clone(),
    })
}

fn print(app: &App, file: &Checked) -> anyhow::Result<()> {
    let Checked { model, file: name, expected, found, .. } = file;
    if file.intact {
        app.printer.line(&format!("ok       {model}  {name}"))?;
    } else {
        app.printer.line(&format!("DAMAGED  {model}  {name}"))?;
        app.printer.line(&format!("         expected {expected}"))?;
        app.printer.line(&format!("         found    {found}"))?;
        app.printer.note(&format!("`tenfold pull {model}` fetches it again."));
    }
    Ok(())
}
