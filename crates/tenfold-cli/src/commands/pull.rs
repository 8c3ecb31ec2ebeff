//! `tenfold pull`: fetches models.

use serde::Serialize;
use tenfold::ModelRef;
use tenfold::hub::{PulledModel, StoredModel};

use crate::app::App;
use crate::args::PullArgs;
use crate::exit::Ending;
use crate::size;

/// What `pull --json` prints of each model.
#[derive(Serialize)]
struct Pulled {
    model: String,
    source: Option<String>,
    bytes: Option<u64>,
    license: Option<String>,
    files: Vec<String>,
    was_there: bool,
}

/// Fetches each model; one that is there already costs nothing.
pub(crate) fn pull(app: &App, args: &PullArgs) -> anyhow::Result<Ending> {
    let references: Vec<ModelRef> =
        args.models.iter().map(|model| model.parse()).collect::<Result<_, _>>()?;
    let mut pulled = Vec::new();
    for reference in &references {
        let hub = app.runtime.hub();
        let model = app.with_pull_bar(|progress| hub.pull(reference, progress))?;
        if app.printer.is_json() {
            pulled.push(json(&model));
        } else {
            app.printer.line(&describe(&model))?;
        }
    }
    if app.printer.is_json() {
        app.printer.json(&pulled)?;
    }
    Ok(Ending::Done)
}

fn json(pulled: &PulledModel) -> Pulled {
    let stored = pulled.stored.as_ref();
    Pulled {
        model: pulled.name.clone(),
        source: stored.map(|stored| stored.source.clone()),
        bytes: stored.map(StoredModel::bytes),
        license: stored.and_then(|stored| stored.license.clone()),
        files: pulled.files.weights.iter().map(|path| path.display().to_string()).collect(),
        was_there: pulled.was_there,
    }
}

fn describe(pulled: &PulledModel) -> String {
    let Some(stored) = &pulled.stored else {
        return format!("{} is a path; there is nothing to fetch", pulled.name);
    };
    let what = if pulled.was_there { "was there already" } else { "pulled" };
    let license = stored.license.as_deref().unwrap_or("not stated");
    let bytes = size::bytes(stored.bytes());
    format!("{} {what}: {bytes}, licence {license}, from {}", pulled.name, stored.source)
}
