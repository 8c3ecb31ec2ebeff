//! Size budgets: functions, files, share of tests and documentation.

use super::source::{Function, SourceFile};
use super::{Finding, is_test_code};

const LONGEST_FUNCTION: usize = 100;
const LONGEST_FILE: usize = 1000;
const LONGEST_CODE: usize = 500;
const MEDIAN_FUNCTION: usize = 6;
const NINETIETH_FUNCTION: usize = 30;
const LEAST_TESTS: f64 = 0.30;
const LEAST_DOCS: f64 = 0.12;

/// Measures everything; gives a line for people and what is over budget.
pub(super) fn check(files: &[SourceFile]) -> (String, Vec<Finding>) {
    let mut findings: Vec<Finding> = files.iter().flat_map(check_file).collect();
    let totals = Totals::of(files);
    findings.extend(totals.check());
    (totals.summary(), findings)
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    let code = file.code_lines().filter(|(_, line)| is_code(line)).count();
    if lines > LONGEST_FILE {
        let what = format!("{lines} lines, more than {LONGEST_FILE}");
        findings.push(Finding::new(&file.path, 0, what, "split the file along what its parts do"));
    }
    if code > LONGEST_CODE && !is_test_code(file) && !is_table(file) {
        let what = format!("{code} lines of code, more than {LONGEST_CODE}");
        findings.push(Finding::new(&file.path, 0, what, "split the file along what its parts do"));
    }
    for function in file.functions.iter().filter(|function| function.lines > LONGEST_FUNCTION) {
        let what = format!(
            "function {} has {} lines, more than {LONGEST_FUNCTION}",
            function.name, function.lines
        );
        findings.push(Finding::new(
            &file.path,
            function.line,
            what,
            "give its parts names of their own",
        ));
    }
    findings
}

/// Tables of numbers are long by nature.
fn is_table(file: &SourceFile) -> bool {
    file.functions.is_empty()
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

fn is_doc(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("///") || line.starts_with("//!")
}

#[derive(Debug, Default)]
struct Totals {
    lengths: Vec<usize>,
    code: usize,
    docs: usize,
    tests: usize,
}

impl Totals {
    fn of(files: &[SourceFile]) -> Self {
        let mut totals = Self::default();
        for file in files {
            totals.add(file);
        }
        totals.lengths.sort_unstable();
        totals
    }

    fn add(&mut self, file: &SourceFile) {
        let in_tests = is_test_code(file);
        for (index, line) in file.text.lines().enumerate() {
            match line {
                line if is_code(line) && (in_tests || file.is_test_line(index + 1)) => {
                    self.tests += 1;
                }
                line if is_code(line) => self.code += 1,
                line if is_doc(line) && !in_tests => self.docs += 1,
                _ => {}
            }
        }
        let counted = |function: &&Function| !function.is_test && !in_tests;
        self.lengths.extend(file.functions.iter().filter(counted).map(|function| function.lines));
    }

    fn percentile(&self, percent: usize) -> usize {
        let index = self.lengths.len().saturating_sub(1) * percent / 100;
        self.lengths.get(index).copied().unwrap_or(0)
    }

    fn test_share(&self) -> f64 {
        self.tests as f64 / (self.tests + self.code).max(1) as f64
    }

    fn doc_share(&self) -> f64 {
        self.docs as f64 / self.code.max(1) as f64
    }

    fn summary(&self) -> String {
        format!(
            "{} functions, median {} lines, 90th percentile {}; {} lines of code, tests {:.0} % of all, documentation {:.0} % of code",
            self.lengths.len(),
            self.percentile(50),
            self.percentile(90),
            self.code,
            self.test_share() * 100.0,
            self.doc_share() * 100.0,
        )
    }

    fn check(&self) -> Vec<Finding> {
        let rules: [(bool, &str, &'static str); 4] = [
            (
                self.percentile(50) > MEDIAN_FUNCTION,
                "the median function is too long",
                "split functions",
            ),
            (
                self.percentile(90) > NINETIETH_FUNCTION,
                "one function in ten is too long",
                "split the longest functions",
            ),
            (self.test_share() < LEAST_TESTS, "too few tests", "test what is not tested"),
            (
                self.doc_share() < LEAST_DOCS,
                "too little documentation",
                "document what is not obvious",
            ),
        ];
        let broken = rules.into_iter().filter(|(is_broken, _, _)| *is_broken);
        broken
            .map(|(_, what, remedy)| {
                Finding::new(".", 0, format!("{what}: {}", self.summary()), remedy)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile::parse("crates/x/src/lib.rs".into(), text.to_owned()).unwrap()
    }

    #[test]
    fn a_long_function_is_found_with_its_line() {
        let body = "    let _x = 1;\n".repeat(120);
        let findings = check_file(&file(&format!("\nfn long() {{\n{body}}}\n")));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
        assert!(findings[0].what.contains("long has 122 lines"), "{}", findings[0].what);
    }

    #[test]
    fn shares_are_counted() {
        let text = "/// A.\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let totals = Totals::of(&[file(text)]);
        assert_eq!((totals.code, totals.docs), (1, 1));
        assert_eq!(totals.tests, 4, "the attribute belongs to the tests");
        assert_eq!(totals.lengths, [1]);
    }
}
