//! One tag of a template, scanned token by token.

use std::mem;

use super::Edit;

/// What follows an expression that is measured.
const MEASURED: &str = ")|tenfold_measured)";

/// Words that stand between operands, or before one.
const OPERATORS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

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
    /// The item calls something or goes through a filter.
    item_calls: bool,
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
            item_calls: false,
            unpacks: false,
            has_comma: false,
            has_name: false,
            operand: item,
            follows_tilde: false,
        }
    }
}

/// One tag, scanned token by token.
pub(super) struct Tag<'s> {
    source: &'s str,
    /// Where the scanner is.
    pub(super) at: usize,
    end: &'static str,
    /// The first word of a statement.
    pub(super) keyword: Option<&'s str>,
    /// The word before the current token is `is`.
    follows_is: bool,
    /// Bytes that are no part of a string.
    pub(super) code: usize,
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
    /// A tag whose inside begins at a place.
    pub(super) fn new(source: &'s str, at: usize, end: &'static str) -> Self {
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
    pub(super) fn scan(&mut self) -> Option<Vec<Edit>> {
        loop {
            let rest = self.source.get(self.at..)?;
            let first = rest.chars().next()?;
            if self.brackets.is_empty() && self.ends(rest) {
                return Some(mem::take(&mut self.edits));
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
            self.pass(closed.at, self.at, MEASURED);
        }
        let outer = self.bracket();
        outer.has_name |= closed.has_name;
        outer.item_combines |= closed.combines;
        outer.item_calls |= closed.item_calls || closed.kind == Kind::Call;
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
        if operator.is_ascii_whitespace() {
            self.at += 1;
            return;
        }
        match operator {
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
            '|' => self.bracket().item_calls = true,
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
        bracket.item_calls = false;
        bracket.unpacks = false;
    }

    /// Measures an argument, or a value that is bound to a name, if it could have grown.
    fn finish_item(&mut self) {
        let (end, keyword, is_attribute) = (self.at, self.keyword, self.is_attribute);
        let is_past_target = self.is_past_target;
        let bracket = self.bracket();
        bracket.combines |= bracket.item_combines;
        let grows = bracket.item_combines || bracket.item_calls;
        let is_kept = match (bracket.kind, keyword) {
            (Kind::Call, _) | (Kind::Tag, Some("with")) => grows,
            (Kind::Tag, Some("set")) => {
                is_past_target && (grows || bracket.has_comma || is_attribute)
            }
            _ => false,
        };
        let (item, unpacks) = (bracket.item, bracket.unpacks);
        if is_kept && !unpacks && !self.source[item..end].trim().is_empty() {
            let filter = if is_attribute { ")|tenfold_member)" } else { MEASURED };
            self.pass(item, end, filter);
        }
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
