//! The commands of a chat.

/// What `/help` prints.
pub(super) const HELP: &str = "\
/set NAME VALUE   temperature, top_p, top_k, min_p, typical_p, repeat_penalty,
                  presence_penalty, frequency_penalty, seed, max_tokens, stop
/show             the settings
/system TEXT      new instructions; starts afresh
/clear            start afresh, keep the instructions
/stats            timings of the last answer
/help             this list
/bye              leave (also Ctrl-D)
\"\"\"               begin and end a text of several lines; a line that ends in \\ goes on, too";

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Show,
    Set(String, String),
    System(String),
    Clear,
    Stats,
    Bye,
}

impl Command {
    /// The command in a line; `None` if it is something to say to the model.
    pub(super) fn parse(line: &str) -> Option<Result<Self, String>> {
        let words = line.trim().strip_prefix('/')?;
        let (verb, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let rest = rest.trim();
        Some(match verb {
            "help" | "?" => Ok(Self::Help),
            "show" => Ok(Self::Show),
            "set" => set(rest),
            "system" => Ok(Self::System(rest.to_owned())),
            "clear" => Ok(Self::Clear),
            "stats" => Ok(Self::Stats),
            "bye" | "exit" | "quit" => Ok(Self::Bye),
            _ => Err(format!("there is no command /{verb}; /help lists them")),
        })
    }
}

fn set(rest: &str) -> Result<Command, String> {
    let usage = "write /set NAME VALUE, such as /set temperature 0.2";
    let rest = rest.strip_prefix("parameter ").unwrap_or(rest);
    let (name, value) = rest.split_once(char::is_whitespace).ok_or(usage)?;
    Ok(Command::Set(name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_parse() {
        let set = |name: &str, value: &str| Ok(Command::Set(name.to_owned(), value.to_owned()));
        let cases: [(&str, Option<Result<Command, ()>>); 8] = [
            ("hello", None),
            ("/help", Some(Ok(Command::Help))),
            ("/set temperature 0.2", Some(set("temperature", "0.2"))),
            ("/set parameter top_k  5", Some(set("top_k", "5"))),
            ("/set temperature", Some(Err(()))),
            ("/system Be brief. ", Some(Ok(Command::System("Be brief.".to_owned())))),
            ("  /bye", Some(Ok(Command::Bye))),
            ("/nonsense", Some(Err(()))),
        ];
        for (line, expect) in cases {
            assert_eq!(Command::parse(line).map(|parsed| parsed.map_err(drop)), expect, "{line:?}");
        }
    }
}
