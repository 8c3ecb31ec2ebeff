//! What comes through standard input.

use std::io::{self, IsTerminal, Read};

/// True if a person types there.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Everything, byte for byte.
pub(crate) fn bytes() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Everything as text, without the line end that a shell adds.
pub(crate) fn prompt() -> anyhow::Result<String> {
    let text = String::from_utf8(bytes()?)
        .map_err(|error| anyhow::anyhow!("standard input is not UTF-8: {}", error.utf8_error()))?;
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |text| text.trim_end_matches('\r')).to_owned())
}
