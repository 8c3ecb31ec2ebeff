//! One file per command.

mod backends;
mod bench;
mod chat;
mod doctor;
mod list;
mod pull;
mod rm;
mod run;
mod show;
mod tokens;
mod verify;

use crate::app::App;
use crate::args::Command;
use crate::exit::Ending;
use crate::printer::Printer;

/// Runs a command.
pub(crate) fn dispatch(command: Command, printer: Printer) -> anyhow::Result<Ending> {
    let app = App::new(printer)?;
    match command {
        Command::Run(args) => run::run(&app, args),
        Command::Chat(args) => chat::chat(&app, &args),
        Command::Pull(args) => pull::pull(&app, &args),
        Command::List(args) => list::list(&app, &args),
        Command::Show(args) => show::show(&app, &args),
        Command::Rm(args) => rm::rm(&app, &args),
        Command::Verify(args) => verify::verify(&app, &args),
        Command::Tokenize(args) => tokens::tokenize(&app, &args),
        Command::Detokenize(args) => tokens::detokenize(&app, &args),
        Command::Backends => backends::backends(&app),
        Command::Doctor => doctor::doctor(&app),
        Command::Bench(args) => bench::bench(&app, &args),
    }
}
