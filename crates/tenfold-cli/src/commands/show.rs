//! `tenfold show`: what is known about a model.

use serde_json::{Map, Value, json};
use tenfold::hub::{CatalogueEntry, StoredModel};
use tenfold::{HubErrorKind, ModelInfo, ModelRef};

use crate::app::App;
use crate::args::ModelArgs;
use crate::exit::Ending;
use crate::printer::bold;
use crate::size;

/// Shows the catalogue's facts, the stored files, and what the header of the weights says.
pub(crate) fn show(app: &App, args: &ModelArgs) -> anyhow::Result<Ending> {
    let reference: ModelRef = args.model.parse()?;
    let hub = app.runtime.hub();
    let entry = catalogue_entry(app, &reference);
    let header = match hub.resolve(&reference) {
        Ok(files) => Some(app.runtime.describe(&files)?),
        Err(error) if error.kind() == HubErrorKind::NotPulled && entry.is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let stored = hub.show(&reference).ok();
    let sections = [
        ("model", header.as_ref().map(header_facts)),
        ("store", stored.as_ref().map(store_facts)),
        ("catalogue", entry.map(catalogue_facts)),
    ];
    let sections: Vec<(&str, Map<String, Value>)> =
        sections.into_iter().filter_map(|(name, facts)| Some((name, facts?))).collect();
    if app.printer.is_json() {
        app.printer.json(&sections.into_iter().collect::<std::collections::BTreeMap<_, _>>())?;
    } else {
        print(app, &sections)?;
    }
    Ok(Ending::Done)
}

fn catalogue_entry<'a>(app: &'a App, reference: &ModelRef) -> Option<&'a CatalogueEntry> {
    match reference {
        ModelRef::Catalogue { name, tag } => {
            app.runtime.hub().catalogue().find(name, tag.as_deref()).ok()
        }
        _ => None,
    }
}

fn facts(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

fn header_facts(info: &ModelInfo) -> Map<String, Value> {
    facts(json!({
        "name": info.name,
        "title": info.title,
        "architecture": info.architecture,
        "format": info.format.map(tenfold::ModelFormat::name),
        "quantization": info.quantization,
        "parameters": info.parameters,
        "file_bytes": info.file_bytes,
        "context_length": info.context_length,
        "embedding_length": info.embedding_length,
        "layers": info.layers,
        "vocabulary_size": info.vocabulary_size,
        "kv_bytes_per_token": info.kv_bytes_per_token,
        "license": info.license,
        "has_chat_template": info.has_chat_template,
    }))
}

fn store_facts(model: &StoredModel) -> Map<String, Value> {
    let files: Vec<Value> = model
        .files
        .iter()
        .map(|file| {
            json!({ "name": file.name, "bytes": file.bytes, "sha256": file.sha256, "path": file.path })
        })
        .collect();
    facts(json!({
        "name": model.name,
        "source": model.source,
        "revision": model.revision,
        "license": model.license,
        "state": if model.is_damaged() { "damaged" } else { "intact as far as known" },
        "files": files,
    }))
}

fn catalogue_facts(entry: &CatalogueEntry) -> Map<String, Value> {
    facts(json!({
        "name": entry.full_name(),
        "title": entry.title,
        "description": entry.description,
        "license": entry.license.as_deref().unwrap_or("not stated"),
        "notes": entry.notes,
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "sources": entry.sources.iter().map(tenfold::hub::Source::describe).collect::<Vec<_>>(),
    }))
}

fn print(app: &App, sections: &[(&str, Map<String, Value>)]) -> anyhow::Result<()> {
    for (name, facts) in sections {
        app.printer.line(&bold(name))?;
        for (key, value) in facts {
            app.printer.line(&format!("  {key:<20} {}", text(key, value)))?;
        }
    }
    Ok(())
}

fn text(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if key.contains("bytes") => {
            size::bytes(number.as_u64().unwrap_or_default())
        }
        Value::Number(number) if key == "parameters" => {
            size::count(number.as_u64().unwrap_or_default())
        }
        Value::Array(items) => {
            let lines: Vec<String> = items.iter().map(item_text).collect();
            lines.join(&format!("\n{:23}", ""))
        }
        other => other.to_string(),
    }
}

fn item_text(item: &Value) -> String {
    match item {
        Value::String(text) => text.clone(),
        Value::Object(file) => {
            let field = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
            let bytes = file.get("bytes").and_then(Value::as_u64).unwrap_or_default();
            format!("{}  {}  {}", field("name"), size::bytes(bytes), field("path"))
        }
        other => other.to_string(),
    }
}
