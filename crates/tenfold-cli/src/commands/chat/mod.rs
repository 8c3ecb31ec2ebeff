//! `tenfold chat`: a conversation on the terminal.

mod command;
mod editor;
mod state;

use crate::app::App;
use crate::args::ChatArgs;
use crate::exit::Ending;
use crate::interrupt;

use self::command::{Command, HELP};
use self::editor::{Editor, Line};
use self::state::Chat;

/// Talks until the user leaves.
pub(crate) fn chat(app: &App, args: &ChatArgs) -> anyhow::Result<Ending> {
    let files = app.fetch(&args.model.model)?;
    let loaded = app.load(&files, &args.load)?;
    let mut editor = Editor::new(&app.runtime.hub().config().home)?;
    let mut chat = Chat::start(app, args, &loaded)?;
    app.printer.note(&format!(
        "{} on {}. /help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves.",
        args.model.model, loaded.backend
    ));
    loop {
        match editor.read()? {
            Line::Text(text) if text.trim().is_empty() => {}
            Line::Text(text) => match Command::parse(&text) {
                None => chat.answer(&text)?,
                Some(Ok(Command::Bye)) => return Ok(Ending::Done),
                Some(Ok(command)) => obey(app, &mut chat, command)?,
                Some(Err(problem)) => app.printer.warn(&problem),
            },
            Line::Interrupted => app.printer.note("Ctrl-D or /bye leaves."),
            Line::End => return Ok(Ending::Done),
        }
        interrupt::forget();
    }
}

fn obey(app: &App, chat: &mut Chat<'_>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Help => app.printer.line(HELP)?,
        Command::Show => chat.show()?,
        Command::Set(name, value) => match chat.set(&name, &value) {
            Ok(()) => app.printer.note(&format!("{name} is {value} from the next answer on.")),
            Err(problem) => app.printer.warn(&problem),
        },
        Command::System(text) => {
            chat.set_system(&text)?;
            app.printer.note("New instructions; the conversation starts afresh.");
        }
        Command::Clear => {
            chat.clear()?;
            app.printer.note("The conversation starts afresh.");
        }
        Command::Stats => chat.stats()?,
        Command::Bye => {}
    }
    Ok(())
}
