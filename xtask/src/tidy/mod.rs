//! `cargo xtask tidy`: the invariants of ARCHITECTURE.md and the budgets of STYLE.md.

mod arrows;
mod budgets;
mod pages;
mod source;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::bail;

use self::source::SourceFile;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: PathBuf,
    line: usize,
    what: String,
    remedy: &'static str,
}

impl Finding {
    fn new(
        place: impl Into<PathBuf>,
        line: usize,
        what: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { place: place.into(), line, what: what.into(), remedy }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}\n    do: {}", self.what, self.remedy)
    }
}

/// Runs every check and fails if one finds something.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let files = source::read_all(root)?;
    let mut findings = arrows::check(root)?;
    findings.extend(words::check(&files));
    findings.extend(pages::check(root, &files)?);
    let (summary, over) = budgets::check(&files);
    findings.extend(over);
    println!("{summary}");
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing found", files.len());
        return Ok(());
    }
    bail!("tidy found {} thing(s) to mend", findings.len())
}

/// True for a file of tests, benchmarks, examples, or of a crate that only serves them.
fn is_test_code(file: &SourceFile) -> bool {
    file.path.components().any(|part| {
        matches!(
            part.as_os_str().to_str(),
            Some("tests" | "benches" | "examples" | "tenfold-testkit")
        )
    })
}
