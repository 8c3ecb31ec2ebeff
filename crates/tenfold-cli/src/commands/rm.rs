//! `tenfold rm`: removes models.

use serde_json::json;
use tenfold::ModelRef;

use crate::app::App;
use crate::args::RmArgs;
use crate::exit::Ending;
use crate::size;

/// Removes each model; files that another model needs stay.
pub(crate) fn rm(app: &App, args: &RmArgs) -> anyhow::Result<Ending> {
    let references: Vec<ModelRef> =
        args.models.iter().map(|model| model.parse()).collect::<Result<_, _>>()?;
    let mut removed = Vec::new();
    for reference in &references {
        let result = app.runtime.hub().remove(reference)?;
        if app.printer.is_json() {
            removed
                .push(json!({ "model": reference.to_string(), "bytes_freed": result.bytes_freed }));
            continue;
        }
        app.printer
            .line(&format!("removed {reference}, {} free", size::bytes(result.bytes_freed)))?;
        if result.kept_in_place {
            app.printer.note("Files in the hub's own cache were left where they are.");
        }
    }
    if app.printer.is_json() {
        app.printer.json(&removed)?;
    }
    Ok(Ending::Done)
}
