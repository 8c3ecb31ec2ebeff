//! Prints the reference's logits of a tiny model as JSON:
//! `cargo run -p tenfold-testkit --example reference_logits -- NAME TOKEN…`.

use std::error::Error;
use std::io::Write;

use tenfold_testkit::reference::Reference;
use tenfold_testkit::tiny::TinyModel;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: reference_logits NAME TOKEN…")?;
    let tokens = arguments.map(|token| token.parse()).collect::<Result<Vec<u32>, _>>()?;
    let reference = Reference::from_tiny(&TinyModel::named(&name)?)?;
    let logits = serde_json::to_string(&reference.logits(&tokens)?)?;
    writeln!(std::io::stdout(), "{logits}")?;
    Ok(())
}
