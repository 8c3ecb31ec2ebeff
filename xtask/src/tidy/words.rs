//! Words that must not stand in some places: printing, environment, unsafe without a reason.

use super::source::SourceFile;
use super::{Finding, is_test_code};

/// Crates that may talk to the terminal, read the environment, and exit.
const SURFACES: [&str; 2] = ["tenfold-cli", "xtask"];

/// Crates that may contain unsafe code.
const UNSAFE: [&str; 2] = ["tenfold-kernels", "tenfold-files"];

struct Rule {
    word: &'static str,
    what: &'static str,
    remedy: &'static str,
}

const BELOW_SURFACES: [Rule; 8] = [
    Rule { word: "println!(", what: "prints", remedy: "return data and let the surface print it" },
    Rule { word: "eprintln!(", what: "prints", remedy: "return data and let the surface print it" },
    Rule { word: "print!(", what: "prints", remedy: "return data and let the surface print it" },
    Rule {
        word: "env::var",
        what: "reads the environment",
        remedy: "take an option and let the surface read it",
    },
    Rule { word: "process::exit", what: "exits", remedy: "return an error" },
    Rule { word: "process::abort", what: "aborts", remedy: "return an error" },
    Rule {
        word: "todo!(",
        what: "is not finished",
        remedy: "build it, or return an Unsupported error",
    },
    Rule {
        word: "unimplemented!(",
        what: "is not finished",
        remedy: "build it, or return an Unsupported error",
    },
];

/// Checks every file.
pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let library =
        files.iter().filter(|file| !SURFACES.contains(&file.package()) && !is_test_code(file));
    library.flat_map(below_surfaces).chain(files.iter().flat_map(unsafe_code)).collect()
}

fn below_surfaces(file: &SourceFile) -> Vec<Finding> {
    let code = file.code_lines().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter_map(|(number, line)| {
        let rule = BELOW_SURFACES.iter().find(|rule| has_word(line, rule.word))?;
        Some(Finding::new(&file.path, number, format!("library code {}", rule.what), rule.remedy))
    })
    .collect()
}

/// True if `word` stands in `line` and does not merely end a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(place, _)| {
        !line[..place].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

/// `unsafe` stands in few crates, and each block says why it is sound.
fn unsafe_code(file: &SourceFile) -> Vec<Finding> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let opens = (has_word(code, "unsafe {") || code.starts_with("unsafe impl"))
            && !code.starts_with("//");
        if !opens || file.package() == "xtask" {
            continue;
        }
        if !UNSAFE.contains(&file.package()) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                "unsafe code in a crate without leave",
                "move it to tenfold-kernels, or find a safe way",
            ));
        } else if !has_reason(&lines, index) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                "unsafe code without a reason",
                "write `// SAFETY: …` above it",
            ));
        }
    }
    findings
}

/// A SAFETY note stands on the line, or above it within the same statement.
fn has_reason(lines: &[&str], index: usize) -> bool {
    let above = lines[..=index].iter().rev().take(8);
    above.into_iter().any(|line| line.contains("SAFETY:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile::parse(path.into(), text.to_owned()).unwrap();
        check(&[file]).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn library_code_must_not_print() {
        let text = "fn a() { println!(\"x\"); }\n#[cfg(test)]\nmod tests { fn b() { println!(\"x\"); } }\n";
        assert_eq!(findings("crates/tenfold-core/src/a.rs", text), ["library code prints"]);
        assert!(findings("crates/tenfold-cli/src/a.rs", text).is_empty());
        assert!(findings("crates/tenfold-core/tests/a.rs", text).is_empty());
    }

    #[test]
    fn unsafe_needs_leave_and_a_reason() {
        let bare = "fn a() { unsafe { b() } }\n";
        let reasoned = "fn a() {\n    // SAFETY: b is fine.\n    unsafe { b() }\n}\n";
        assert_eq!(
            findings("crates/tenfold-core/src/a.rs", reasoned),
            ["unsafe code in a crate without leave"]
        );
        assert_eq!(
            findings("crates/tenfold-kernels/src/a.rs", bare),
            ["unsafe code without a reason"]
        );
        assert!(findings("crates/tenfold-kernels/src/a.rs", reasoned).is_empty());
    }
}
