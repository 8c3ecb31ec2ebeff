//! From the source of a template to what the engine can read and run safely.
//!
//! A scanner goes over the tags of a template, knows strings, comments and raw blocks, and changes
//! three things, none of which moves a line:
//!
//! - line ends become `\n`, as jinja2 makes them;
//! - `{% generation %}` blocks, which mark what the model said, become plain scopes;
//! - values that a template makes and keeps go through the filter [`MEASURED`], which gives them back
//!   unchanged or refuses them (see `limits`), and the operands of `~` through `string`.

mod tag;

use std::borrow::Cow;

use self::tag::Tag;
use crate::limits;

/// Name of the filter that measures a value. Templates could use it too; it would change nothing.
pub(crate) const MEASURED: &str = "tenfold_measured";

/// Name of the filter for a value that becomes an attribute of a namespace.
pub(crate) const MEMBER: &str = "tenfold_member";

/// Longest code in one tag, without strings: nesting of expressions grows with it.
const LONGEST_TAG: usize = 8 << 10;

/// Most branches in a template: each nests in the one before.
const MOST_BRANCHES: usize = 1000;

/// Why a source is refused, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) what: String,
    pub(crate) line: usize,
}

/// The source for the engine.
pub(crate) fn prepare(source: &str) -> Result<String, Refused> {
    if source.len() > limits::SOURCE {
        let what =
            format!("the template has {} bytes; {} are allowed", source.len(), limits::SOURCE);
        return Err(Refused { what, line: 1 });
    }
    let source = with_plain_line_ends(source);
    let mut scanner = Scanner { source: &source, at: 0, edits: Vec::new(), branches: 0 };
    scanner.scan()?;
    Ok(edited(&source, scanner.edits))
}

fn with_plain_line_ends(source: &str) -> Cow<'_, str> {
    if source.contains('\r') {
        source.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        source.into()
    }
}

/// Text to be put in place of `length` bytes.
struct Edit {
    at: usize,
    length: usize,
    text: &'static str,
}

fn edited(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.at);
    let mut output = String::with_capacity(source.len() + 32 * edits.len());
    let mut from = 0;
    for edit in edits {
        output.push_str(&source[from..edit.at]);
        output.push_str(edit.text);
        from = edit.at + edit.length;
    }
    output.push_str(&source[from..]);
    output
}

struct Scanner<'s> {
    source: &'s str,
    at: usize,
    edits: Vec<Edit>,
    branches: usize,
}

impl<'s> Scanner<'s> {
    fn scan(&mut self) -> Result<(), Refused> {
        while let Some(start) = self.find_tag() {
            self.at = start + 2;
            match self.source.as_bytes()[start + 1] {
                b'#' => self.skip_past("#}"),
                b'{' => self.scan_tag(start, "}}")?,
                _ => self.scan_statement(start)?,
            }
        }
        Ok(())
    }

    fn find_tag(&self) -> Option<usize> {
        let bytes = self.source.as_bytes();
        let opens = |at: &usize| bytes[*at] == b'{' && b"{%#".contains(&bytes[*at + 1]);
        (self.at..bytes.len().saturating_sub(1)).find(opens)
    }

    /// The scanner stops where something does not end; the engine says what is wrong there.
    fn skip_past(&mut self, end: &str) {
        let found = self.source[self.at..].find(end);
        self.at = found.map_or(self.source.len(), |found| self.at + found + end.len());
    }

    fn scan_statement(&mut self, start: usize) -> Result<(), Refused> {
        match bare_word(&self.source[start..]) {
            Some("raw") => self.skip_raw(),
            Some(word @ ("generation" | "endgeneration")) => self.scope(start, word),
            _ => return self.scan_tag(start, "%}"),
        }
        Ok(())
    }

    fn skip_raw(&mut self) {
        while let Some(found) = self.source[self.at..].find("{%") {
            let start = self.at + found;
            self.at = start + 2;
            if bare_word(&self.source[start..]) == Some("endraw") {
                return self.skip_past("%}");
            }
        }
        self.at = self.source.len();
    }

    /// A block that marks the model's words has a scope of its own in jinja2, too.
    fn scope(&mut self, start: usize, word: &str) {
        let found = self.source[start..].find(word).unwrap_or(0);
        let text = if word == "generation" { "with" } else { "endwith" };
        self.edits.push(Edit { at: start + found, length: word.len(), text });
        self.skip_past("%}");
    }

    fn scan_tag(&mut self, start: usize, end: &'static str) -> Result<(), Refused> {
        let mut tag = Tag::new(self.source, self.at, end);
        if let Some(edits) = tag.scan() {
            self.edits.extend(edits);
        }
        self.at = tag.at;
        self.branches += usize::from(tag.keyword == Some("elif"));
        if tag.code > LONGEST_TAG || self.branches > MOST_BRANCHES {
            let line = 1 + self.source[..start].matches('\n').count();
            let what = "a tag is too long, or has too many branches".to_owned();
            return Err(Refused { what, line });
        }
        Ok(())
    }
}

/// The word of a tag that holds nothing else, such as `{%- raw -%}`.
fn bare_word(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix("{%")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_ascii_start();
    let length = inner.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = inner[length..].trim_ascii_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.starts_with("%}").then_some(&inner[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prepared source, with short names for the filters.
    fn prepared(source: &str) -> String {
        prepare(source)
            .unwrap()
            .replace("tenfold_measured", "M")
            .replace("tenfold_member", "N")
            .replace("|string)", "|S)")
    }

    #[test]
    fn what_is_kept_is_measured() {
        let cases = [
            ("{{ x + y }}", "{{ x + y }}"),
            ("{{ f(x + y, [1], z) }}", "{{ f(((x + y)|M), [1], z) }}"),
            ("{{ f(a=x * 2, b=-y) }}", "{{ f(a=((x * 2)|M), b=-y) }}"),
            ("{{ f(*x, **y) }}", "{{ f(*x, **y) }}"),
            ("{{ [x, 'a'] }}", "{{ (([x, 'a'])|M) }}"),
            ("{{ [1, 2]['a'] }}", "{{ [1, 2]['a'] }}"),
            ("{{ x[y]['z'] }}", "{{ x[y]['z'] }}"),
            ("{{ {'a': x} }}", "{{ (({'a': x})|M) }}"),
            ("{{ (x, y) }}", "{{ (((x, y))|M) }}"),
            ("{{ (x or y) and (z + 1) }}", "{{ (x or y) and (((z + 1))|M) }}"),
            ("{% set x = y %}", "{% set x = y %}"),
            ("{%- set x = y + 'a' -%}", "{%- set x =(( y + 'a' )|M)-%}"),
            ("{% set x, y = y, x %}", "{% set x, y =(( y, x )|M)%}"),
            ("{% set (x, y) = z %}", "{% set (x, y) = z %}"),
            ("{% set n.x = y %}", "{% set n.x =(( y )|N)%}"),
            ("{% set n.x = y + [z] %}", "{% set n.x =(( y + (([z])|M) )|N)%}"),
            ("{% set x %}{{ y + z }}{% endset %}", "{% set x %}{{ y + z }}{% endset %}"),
            ("{% with a = x + y, b = z %}", "{% with a =(( x + y)|M), b = z %}"),
            ("{% for (k, v) in x %}", "{% for (k, v) in x %}"),
            ("{% for k, v in (x, y) %}", "{% for k, v in (((x, y))|M) %}"),
            ("{% call(a, b) f(x + 1) %}", "{% call(a, b) f(((x + 1)|M)) %}"),
            ("{% macro f(a, b=x + y) %}", "{% macro f(a, b=((x + y)|M)) %}"),
            ("{% if x <= y + 1 %}", "{% if x <= y + 1 %}"),
            ("{% set x = y | list %}", "{% set x =(( y | list )|M)%}"),
            ("{% set x = f(y).z %}", "{% set x =(( f(y).z )|M)%}"),
            ("{{ f(g(x), y|z, 'a') }}", "{{ f(((g(x))|M),(( y|z)|M), 'a') }}"),
            ("{{ (x | length) - 1 }}", "{{ (x | length) - 1 }}"),
            ("{{ call(call + 1) }}{{ x.in[y] }}", "{{ call(((call + 1)|M)) }}{{ x.in[y] }}"),
        ];
        for (source, expect) in cases {
            assert_eq!(prepared(source), expect, "{source}");
        }
    }

    #[test]
    fn operands_of_a_tilde_become_texts() {
        let cases = [
            ("{{ a ~ b }}", "{{(( a )|S)~(( b )|S)}}"),
            ("{{ a + b ~ c * 2 - d }}", "{{ a +(( b )|S)~(( c * 2 )|S)- d }}"),
            (
                "{{ -a ~ b if c else d ~ e }}",
                "{{(( -a )|S)~(( b )|S)if c else(( d )|S)~(( e )|S)}}",
            ),
            ("{{ a is not none ~ b }}", "{{(( a is not none )|S)~(( b )|S)}}"),
            ("{{ f(a ~ b, c) }}", "{{ f(((a )|S)~(( b)|S), c) }}"),
            ("{{ a == b ~ c }}", "{{ a ==(( b )|S)~(( c )|S)}}"),
            ("{{ '~' + \"~\" }}", "{{ '~' + \"~\" }}"),
            ("{%- set x = a ~ b -%}", "{%- set x =(( a )|S)~(( b )|S)-%}"),
        ];
        for (source, expect) in cases {
            assert_eq!(prepared(source), expect, "{source}");
        }
    }

    #[test]
    fn generation_blocks_become_scopes_and_nothing_else_does() {
        let cases = [
            ("{% generation %}x{% endgeneration %}", "{% with %}x{% endwith %}"),
            ("{%-generation-%}\n{%+  endgeneration\n+%}", "{%-with-%}\n{%+  endwith\n+%}"),
            ("{{ '{% generation %}' }}", "{{ '{% generation %}' }}"),
            ("{{ \"\\\"{% generation %}\" }}", "{{ \"\\\"{% generation %}\" }}"),
            ("{# {% generation %} #}", "{# {% generation %} #}"),
            ("{% raw %}{% generation %}{% endraw %}", "{% raw %}{% generation %}{% endraw %}"),
            (
                "{%- raw -%}{% generation %}{%- endraw -%}",
                "{%- raw -%}{% generation %}{%- endraw -%}",
            ),
            ("{% if generation %}{% generation x %}", "{% if generation %}{% generation x %}"),
            ("{% set x = {'a': '%}'} %}{% generation %}", "{% set x = {'a': '%}'} %}{% with %}"),
        ];
        for (source, expect) in cases {
            assert_eq!(prepared(source), expect, "{source}");
        }
    }

    #[test]
    fn no_line_moves_and_broken_sources_stay_as_they_are() {
        assert_eq!(prepared("a\r\nb\rc\n"), "a\nb\nc\n");
        assert_eq!(prepared("{{\n a\n ~ b\n}}"), "{{((\n a\n )|S)~(( b\n)|S)}}");
        for source in [
            "{{ 'a ~ b",
            "{{ (a ~ b }}",
            "{{ a ~ b)",
            "{% set x = ",
            "{% raw %}{{ a ~ b",
            "{#",
            "{",
            "{%",
        ] {
            assert_eq!(prepared(source), source);
        }
    }

    #[test]
    fn long_tags_and_many_branches_are_refused_with_their_line() {
        let long = format!("a\nb {{{{ x{} }}}}", "|a".repeat(LONGEST_TAG));
        let text = format!("{{{{ '{}' }}}}", "a".repeat(2 * LONGEST_TAG));
        let branches = "\n{% elif x %}".repeat(MOST_BRANCHES + 1);
        assert_eq!(prepare(&long).unwrap_err().line, 2);
        assert!(prepare(&text).is_ok());
        assert_eq!(prepare(&branches).unwrap_err().line, MOST_BRANCHES + 2);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_scanned(source in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|[-+~*=.,:()\\[\\]{}'\"\\\\ \n]|raw|set|for|in|is|not|é|a|1){0,60}") {
            let prepared = prepare(&source).unwrap();
            let plain = prepared.replace("|tenfold_measured", "").replace("|tenfold_member", "").replace("|string", "").replace(['(', ')'], "");
            proptest::prop_assert_eq!(plain, source.replace(['(', ')'], ""));
        }
    }
}
