//! From the source of a template to what the engine can read and run safely.
//!
//! A scanner goes over the tags of a template, knows strings, comments and raw blocks, and changes
//! three things, none of which moves a line:
//!
//! - line ends become `\n`, as jinja2 makes them;
//! - `{% generation %}` blocks, which mark what the model said, become plain scopes;
//! - values that a template makes out of others and keeps go through the filter [`MEASURED`], which
//!   gives them back unchanged or refuses them (see `limits`).

use std::borrow::Cow;

use crate::limits;

/// Name of the filter that measures a value. Templates could use it too; it would change nothing.
pub(crate) const MEASURED: &str = "tenfold_measured";

/// Longest code in one tag, without strings: nesting of expressions grows with it.
const LONGEST_TAG: usize = 8 << 10;

/// Most branches in a template: each nests in the one before.
const MOST_BRANCHES: usize = 1000;

/// Words that stand between operands, or before one.
const OPERATORS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

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
        let refused = match tag.scan() {
            Some(edits) => {
                self.edits.extend(edits);
                self.branches += usize::from(tag.keyword == Some("elif"));
                tag.code > LONGEST_TAG || self.branches > MOST_BRANCHES
            }
            None => false,
        };
        self.at = tag.at;
        if refused {
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
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_start();
    let length = inner.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = inner[length..].trim_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.starts_with("%}").then_some(&inner[..length])
}

/// What stands before the current token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The end of an operand: a name, a literal, a closing bracket.
    Operand,
    /// Anything else.
    Other,
}

/// What a bracket is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The tag itself.
    Tag,
    /// Arguments.
    Call,
    /// Parentheses around an expression, or a tuple.
    Group,
    /// A list or a map.
    Container,
    /// An index or a slice.
    Subscript,
}

/// An open bracket.
struct Bracket {
    kind: Kind,
    /// Where it opens.
    at: usize,
    /// Where the current item begins.
    item: usize,
    /// The item combines values with `+` or `*`.
    item_combines: bool,
    /// Some item does.
    combines: bool,
    /// The item unpacks a list with a leading `*`.
    unpacks: bool,
    has_comma: bool,
    has_name: bool,
    /// Where the current operand of `~` begins, if it is one.
    operand: usize,
    /// A `~` stands before the operand.
    follows_tilde: bool,
}

impl Bracket {
    /// A bracket at a place, and where its first item begins.
    fn new(kind: Kind, at: usize, item: usize) -> Self {
        Self {
            kind,
            at,
            item,
            item_combines: false,
            combines: false,
            unpacks: false,
            has_comma: false,
            has_name: false,
            operand: item,
            follows_tilde: false,
        }
    }
}

/// One tag, scanned token by token.
struct Tag<'s> {
    source: &'s str,
    at: usize,
    end: &'static str,
    /// The first word of a statement.
    keyword: Option<&'s str>,
    /// The word before the current token is `is`.
    follows_is: bool,
    /// Bytes that are no part of a string.
    code: usize,
    /// The tag itself as the outermost bracket.
    outermost: Bracket,
    brackets: Vec<Bracket>,
    before: Before,
    /// Past the `=` of a `set`, or the `in` of a `for`.
    is_past_target: bool,
    /// The target of a `set` is an attribute of a namespace.
    is_attribute: bool,
    edits: Vec<Edit>,
}

impl<'s> Tag<'s> {
    fn new(source: &'s str, at: usize, end: &'static str) -> Self {
        let at = at + usize::from(source[at..].starts_with(['-', '+']));
        Self {
            source,
            at,
            end,
            keyword: None,
            follows_is: false,
            code: 0,
            outermost: Bracket::new(Kind::Tag, at, at),
            brackets: Vec::new(),
            before: Before::Other,
            is_past_target: false,
            is_attribute: false,
            edits: Vec::new(),
        }
    }

    /// The edits of a whole tag; `None` if it does not end, or its brackets do not match.
    fn scan(&mut self) -> Option<Vec<Edit>> {
        loop {
            let rest = self.source.get(self.at..)?;
            let first = rest.chars().next()?;
            if self.brackets.is_empty() && self.ends(rest) {
                return Some(std::mem::take(&mut self.edits));
            }
            let start = self.at;
            match first {
                '\'' | '"' => {
                    self.at += string_length(rest)?;
                    self.before = Before::Operand;
                    continue;
                }
                '_' | 'a'..='z' | 'A'..='Z' => self.word(rest),
                '0'..='9' => self.number(rest),
                '(' | '[' | '{' => self.open(first),
                ')' | ']' | '}' => self.close()?,
                _ => self.operator(first),
            }
            self.code += self.at - start;
        }
    }

    /// True if the tag ends here, with or without a sign for white space.
    fn ends(&mut self, rest: &str) -> bool {
        let sign = usize::from(rest.starts_with(['-', '+']));
        if !rest[sign..].starts_with(self.end) {
            return false;
        }
        self.end_operand(0, false);
        self.finish_item();
        self.at += sign + self.end.len();
        true
    }

    fn bracket(&mut self) -> &mut Bracket {
        self.brackets.last_mut().unwrap_or(&mut self.outermost)
    }

    fn word(&mut self, rest: &'s str) {
        let length =
            rest.bytes().take_while(|it| it.is_ascii_alphanumeric() || *it == b'_').count();
        let word = &rest[..length];
        let is_attribute = self.source[..self.at].ends_with('.');
        if self.keyword.is_none() && self.end == "%}" {
            self.keyword = Some(word);
            // The names that a `call` block takes are no tuple.
            self.before = if word == "call" { Before::Operand } else { Before::Other };
            self.end_operand(length, false);
        } else if OPERATORS.contains(&word) && !is_attribute {
            // `is not` and `is in` are tests, which belong to the operand.
            if word != "is" && !self.follows_is {
                self.is_past_target |= word == "in";
                self.end_operand(length, false);
            }
            self.before = Before::Other;
        } else {
            self.bracket().has_name = true;
            self.before = Before::Operand;
        }
        self.follows_is = word == "is" && !is_attribute;
        self.at += length;
    }

    fn number(&mut self, rest: &str) {
        self.at += rest.bytes().take_while(|it| it.is_ascii_alphanumeric() || *it == b'_').count();
        self.before = Before::Operand;
    }

    fn open(&mut self, bracket: char) {
        let kind = match (bracket, self.before) {
            ('(', Before::Operand) => Kind::Call,
            ('[', Before::Operand) => Kind::Subscript,
            ('(', Before::Other) => Kind::Group,
            _ => Kind::Container,
        };
        self.brackets.push(Bracket::new(kind, self.at, self.at + 1));
        self.at += 1;
        self.before = Before::Other;
    }

    fn close(&mut self) -> Option<()> {
        self.end_operand(0, false);
        self.finish_item();
        let closed = self.brackets.pop()?;
        self.at += 1;
        let keeps = match closed.kind {
            Kind::Container => closed.has_name || closed.combines,
            Kind::Group => (closed.has_comma && !self.is_target()) || closed.combines,
            _ => false,
        };
        if keeps {
            self.measure(closed.at, self.at);
        }
        let outer = self.bracket();
        outer.has_name |= closed.has_name;
        outer.item_combines |= closed.combines;
        self.before = Before::Operand;
        Some(())
    }

    /// True within the names that a statement binds.
    fn is_target(&self) -> bool {
        matches!(self.keyword, Some("for" | "set")) && !self.is_past_target
    }

    fn operator(&mut self, operator: char) {
        let rest = &self.source[self.at..];
        let is_pair = ["==", "!=", "<=", ">=", "**"].iter().any(|pair| rest.starts_with(pair));
        let length = if is_pair { 2 } else { operator.len_utf8() };
        let is_sign = self.before == Before::Other;
        match operator {
            ' ' | '\n' | '\t' => {
                self.at += 1;
                return;
            }
            '~' => self.end_operand(1, true),
            ',' | ':' | '=' | '<' | '>' | '!' => self.end_operand(length, false),
            '+' | '-' if !is_sign => self.end_operand(1, false),
            _ => {}
        }
        match operator {
            ',' => self.separate(),
            '.' if self.brackets.is_empty() && self.is_target() => self.is_attribute = true,
            '*' if is_sign => self.bracket().unpacks = true,
            '+' | '*' => self.bracket().item_combines = true,
            '=' if !is_pair => self.assign(),
            _ => {}
        }
        self.at += length;
        self.before = Before::Other;
    }

    /// A comma ends an argument and a binding of `with`; elsewhere it makes a tuple or a longer list.
    fn separate(&mut self) {
        let is_item = match self.bracket().kind {
            Kind::Call => true,
            Kind::Tag => self.keyword == Some("with"),
            _ => false,
        };
        if is_item {
            self.finish_item();
            self.begin_item();
        }
        self.bracket().has_comma = true;
    }

    /// An operand of `~` ends here, and the next one begins after a token of this length. Python's
    /// `str` makes text of it, before the engine does.
    fn end_operand(&mut self, length: usize, is_tilde: bool) {
        let at = self.at;
        let bracket = self.bracket();
        let (from, is_operand) = (bracket.operand, bracket.follows_tilde || is_tilde);
        bracket.operand = at + length;
        bracket.follows_tilde = is_tilde;
        if is_operand && !self.source[from..at].trim().is_empty() {
            self.pass(from, at, ")|string)");
        }
    }

    /// What follows the `=` of a statement or of a named argument is an item of its own.
    fn assign(&mut self) {
        self.begin_item();
        self.is_past_target |= self.brackets.is_empty();
        self.bracket().has_comma = false;
    }

    /// The next item begins after the character here.
    fn begin_item(&mut self) {
        let at = self.at + 1;
        let bracket = self.bracket();
        bracket.item = at;
        bracket.item_combines = false;
        bracket.unpacks = false;
    }

    /// Measures an argument, or a value that is bound to a name, if it could have grown.
    fn finish_item(&mut self) {
        let (end, keyword, is_attribute) = (self.at, self.keyword, self.is_attribute);
        let is_past_target = self.is_past_target;
        let bracket = self.bracket();
        bracket.combines |= bracket.item_combines;
        let is_kept = match (bracket.kind, keyword) {
            (Kind::Call, _) | (Kind::Tag, Some("with")) => bracket.item_combines,
            (Kind::Tag, Some("set")) if is_past_target => {
                bracket.combines || bracket.has_comma || is_attribute
            }
            _ => false,
        };
        let (item, unpacks) = (bracket.item, bracket.unpacks);
        if is_kept && !unpacks && !self.source[item..end].trim().is_empty() {
            self.measure(item, end);
        }
    }

    fn measure(&mut self, from: usize, to: usize) {
        self.pass(from, to, ")|tenfold_measured)");
    }

    /// Passes an expression through a filter.
    fn pass(&mut self, from: usize, to: usize, filter: &'static str) {
        self.edits.push(Edit { at: from, length: 0, text: "((" });
        self.edits.push(Edit { at: to, length: 0, text: filter });
    }
}

/// The length of the string at the beginning; `None` if it does not end.
fn string_length(rest: &str) -> Option<usize> {
    let quote = *rest.as_bytes().first()?;
    let mut bytes = rest.bytes().enumerate().skip(1);
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            byte if byte == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prepared source, with short names for the filters.
    fn prepared(source: &str) -> String {
        prepare(source).unwrap().replace("tenfold_measured", "M").replace("|string)", "|S)")
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
            ("{% set n.x = y %}", "{% set n.x =(( y )|M)%}"),
            ("{% set x %}{{ y + z }}{% endset %}", "{% set x %}{{ y + z }}{% endset %}"),
            ("{% with a = x + y, b = z %}", "{% with a =(( x + y)|M), b = z %}"),
            ("{% for (k, v) in x %}", "{% for (k, v) in x %}"),
            ("{% for k, v in (x, y) %}", "{% for k, v in (((x, y))|M) %}"),
            ("{% call(a, b) f(x + 1) %}", "{% call(a, b) f(((x + 1)|M)) %}"),
            ("{% macro f(a, b=x + y) %}", "{% macro f(a, b=((x + y)|M)) %}"),
            ("{% if x <= y + 1 %}", "{% if x <= y + 1 %}"),
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
            let plain = prepared.replace("|tenfold_measured", "").replace("|string", "").replace(['(', ')'], "");
            proptest::prop_assert_eq!(plain, source.replace(['(', ')'], ""));
        }
    }
}
