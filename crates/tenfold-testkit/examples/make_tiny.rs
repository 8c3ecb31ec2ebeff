//! Writes every tiny model into a folder, as `NAME.gguf` and as the Hugging Face folder `NAME`:
//! `cargo run -p tenfold-testkit --example make_tiny -- DIR [FORMAT]`.
//!
//! With a FORMAT such as `Q4_K` the models are the wide ones, and only GGUF files are written.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use tenfold_core::DType;
use tenfold_testkit::tiny::{self, TinyModel};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: make_tiny DIR [FORMAT]")?);
    fs::create_dir_all(&folder)?;
    match arguments.next() {
        Some(dtype) => wide(&folder, dtype.parse()?),
        None => plain(&folder),
    }
}

fn plain(folder: &Path) -> Result<(), Box<dyn Error>> {
    for spec in tiny::all() {
        let model = TinyModel::make(spec);
        let name = model.spec().name;
        fs::write(folder.join(format!("{name}.gguf")), model.gguf(DType::F32)?)?;
        fs::create_dir_all(folder.join(name))?;
        for (file, bytes) in model.hf(DType::F32)? {
            fs::write(folder.join(name).join(file), bytes)?;
        }
    }
    Ok(())
}

fn wide(folder: &Path, dtype: DType) -> Result<(), Box<dyn Error>> {
    for spec in tiny::all() {
        let model = TinyModel::make(spec.wide());
        let file = format!("{}-{dtype}.gguf", model.spec().name);
        fs::write(folder.join(file), model.gguf(dtype)?)?;
    }
    Ok(())
}
