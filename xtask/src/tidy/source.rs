//! The Rust files of the workspace, parsed once.

use std::path::{Path, PathBuf};

use anyhow::Context;
use syn::spanned::Spanned;
use syn::visit::Visit;
use walkdir::{DirEntry, WalkDir};

/// One parsed file.
pub(crate) struct SourceFile {
    /// Relative to the workspace.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) functions: Vec<Function>,
    /// Lines (from 1) of items that are only compiled for tests.
    test_lines: Vec<std::ops::RangeInclusive<usize>>,
}

/// One function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// From the signature to the closing brace.
    pub(crate) lines: usize,
    pub(crate) is_test: bool,
}

impl SourceFile {
    pub(crate) fn parse(path: PathBuf, text: String) -> anyhow::Result<Self> {
        let tree = syn::parse_file(&text).with_context(|| format!("{path:?} does not parse"))?;
        let mut finder = Finder::default();
        finder.visit_file(&tree);
        Ok(Self { path, text, functions: finder.functions, test_lines: finder.test_lines })
    }

    /// The crate's folder name.
    pub(crate) fn package(&self) -> &str {
        let mut parts = self.path.iter().filter_map(|part| part.to_str());
        match parts.next() {
            Some("crates" | "backends") => parts.next().unwrap_or_default(),
            first => first.unwrap_or_default(),
        }
    }

    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// The lines outside tests, numbered from 1.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(number, _)| !self.is_test_line(*number))
    }
}

#[derive(Default)]
struct Finder {
    functions: Vec<Function>,
    test_lines: Vec<std::ops::RangeInclusive<usize>>,
    depth_of_tests: usize,
}

impl Finder {
    fn function(
        &mut self,
        signature: &syn::Signature,
        block: &syn::Block,
        attributes: &[syn::Attribute],
    ) {
        let line = signature.span().start().line;
        let end = block.span().end().line;
        let is_test = self.depth_of_tests > 0 || attributes.iter().any(is_test_attribute);
        let name = signature.ident.to_string();
        self.functions.push(Function { name, line, lines: end + 1 - line, is_test });
    }
}

fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    let text = match &attribute.meta {
        syn::Meta::Path(path) => return path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
        _ => return false,
    };
    text == "test" || text.starts_with("all (test") || text.contains("(test ,")
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = module.attrs.iter().any(is_test_attribute);
        if is_test {
            self.test_lines.push(module.span().start().line..=module.span().end().line);
        }
        self.depth_of_tests += usize::from(is_test);
        syn::visit::visit_item_mod(self, module);
        self.depth_of_tests -= usize::from(is_test);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block, &function.attrs);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block, &function.attrs);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block, &function.attrs);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

/// Reads every Rust file of the workspace.
pub(crate) fn read_all(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_ours) {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(entry.path())?;
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_path_buf();
            files.push(SourceFile::parse(path, text)?);
        }
    }
    Ok(files)
}

fn is_ours(entry: &DirEntry) -> bool {
    !matches!(entry.file_name().to_str(), Some("target" | ".git" | "node_modules"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_test_lines_are_found() {
        let text =
            "fn a() {\n    b();\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn c() {}\n}\n";
        let file = SourceFile::parse("crates/x/src/lib.rs".into(), text.to_owned()).unwrap();
        let found: Vec<_> =
            file.functions.iter().map(|f| (f.name.as_str(), f.lines, f.is_test)).collect();
        assert_eq!(found, [("a", 3, false), ("c", 1, true)]);
        assert!(!file.is_test_line(2));
        assert!(file.is_test_line(8));
        assert_eq!(file.package(), "x");
    }
}
