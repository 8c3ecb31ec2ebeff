//! Prints the reference's logits of a tiny model as JSON:
//! `cargo run -p tenfold-testkit --example reference_logits -- NAME[@CONTEXT] TOKEN…`.

use std::error::Error;
use std::io::Write;

use tenfold_testkit::reference::Reference;
use tenfold_testkit::tiny::TinyModel;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: reference_logits NAME[@CONTEXT] TOKEN…")?;
    let tokens = arguments.map(|token| token.parse()).collect::<Result<Vec<u32>, _>>()?;
    let model = TinyModel::named(name.split('@').next().unwrap_or_default())?;
    let mut reference = Reference::from_tiny(&model)?;
    if let Some((_, context)) = name.split_once('@') {
        reference = reference.with_context(context.parse()?);
    }
    let logits = serde_json::to_string(&reference.logits(&tokens)?)?;
    writeln!(std::io::stdout(), "{logits}")?;
    Ok(())
}
