//! Reads what the user says: line editing, history, texts of several lines.

use std::fs;
use std::path::{Path, PathBuf};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, Result};

const PROMPT: &str = ">>> ";
const MORE: &str = "... ";
const FENCE: &str = "\"\"\"";
const HISTORY_LINES: usize = 1000;

/// What came from the keyboard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    Interrupted,
    End,
}

/// A line editor whose history lives in the data folder.
pub(super) struct Editor {
    editor: DefaultEditor,
    history: PathBuf,
}

impl Editor {
    /// An editor with the history of earlier chats; a history that cannot be read is an empty one.
    pub(super) fn new(home: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(home)?;
        let history = home.join("chat_history");
        let mut editor = DefaultEditor::new()?;
        editor.set_max_history_size(HISTORY_LINES)?;
        drop(editor.load_history(&history));
        Ok(Self { editor, history })
    }

    /// The next thing the user says.
    pub(super) fn read(&mut self) -> anyhow::Result<Line> {
        let editor = &mut self.editor;
        let line = match assemble(&mut |prompt| editor.readline(prompt)) {
            Ok(text) => Line::Text(text),
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(ReadlineError::Eof) => Line::End,
            Err(error) => return Err(error.into()),
        };
        if let Line::Text(text) = &line {
            self.remember(text);
        }
        Ok(line)
    }

    /// A history that cannot be written is no reason to stop a chat.
    fn remember(&mut self, text: &str) {
        if matches!(self.editor.add_history_entry(text), Ok(true)) {
            drop(self.editor.append_history(&self.history));
        }
    }
}

/// Puts lines together: between fences, or while a line ends in a backslash.
fn assemble(read: &mut dyn FnMut(&str) -> Result<String>) -> Result<String> {
    let first = read(PROMPT)?;
    if let Some(begin) = first.trim_start().strip_prefix(FENCE) {
        return fenced(begin.to_owned(), read);
    }
    let mut text = first;
    while text.ends_with('\\') {
        text.pop();
        text.push('\n');
        text.push_str(&read(MORE)?);
    }
    Ok(text)
}

fn fenced(mut text: String, read: &mut dyn FnMut(&str) -> Result<String>) -> Result<String> {
    loop {
        if let Some(end) = text.find(FENCE) {
            text.truncate(end);
            return Ok(text.trim_matches('\n').to_owned());
        }
        text.push('\n');
        text.push_str(&read(MORE)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &[&str]) -> String {
        let mut lines = lines.iter();
        let read = &mut |_: &str| lines.next().map(|it| (*it).to_owned()).ok_or(ReadlineError::Eof);
        assemble(read).unwrap()
    }

    #[test]
    fn lines_are_put_together() {
        assert_eq!(typed(&["hello"]), "hello");
        assert_eq!(typed(&["a \\", "b\\", "c"]), "a \nb\nc");
        assert_eq!(typed(&["\"\"\"", "one", "two", "\"\"\""]), "one\ntwo");
        assert_eq!(typed(&["\"\"\"one", "two\"\"\""]), "one\ntwo");
        assert_eq!(typed(&["\"\"\"one\"\"\""]), "one");
    }
}
