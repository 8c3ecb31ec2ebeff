//! Writes every tiny model into a folder: `cargo run -p tenfold-testkit --example make_tiny -- DIR`.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use tenfold_core::DType;
use tenfold_testkit::tiny::{self, TinyModel};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: make_tiny DIR")?;
    let folder = PathBuf::from(folder);
    for spec in tiny::all() {
        let model = TinyModel::make(spec);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{}.gguf", model.spec().name)), model.gguf(DType::F32)?)?;
    }
    Ok(())
}
