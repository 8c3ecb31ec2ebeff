//! A chat in progress.

use tenfold::{GenerateOptions, Loaded, Message, Session};

use crate::answer::{Answer, Finish, timings, warn_of_dropped};
use crate::app::App;
use crate::args::ChatArgs;
use crate::settings::{generate_options, session_options};

/// Model, conversation and settings.
pub(super) struct Chat<'a> {
    app: &'a App,
    loaded: &'a Loaded,
    system: Option<String>,
    options: GenerateOptions,
    session: Box<dyn Session>,
    last: Option<Finish>,
    verbose: bool,
}

impl<'a> Chat<'a> {
    pub(super) fn start(app: &'a App, args: &ChatArgs, loaded: &'a Loaded) -> anyhow::Result<Self> {
        let base = app.sampling(&args.model.model);
        Ok(Self {
            app,
            loaded,
            system: args.generate.system.clone(),
            options: generate_options(&args.generate, base),
            session: loaded.model.clone().start_session(&session_options(&args.generate, false))?,
            last: None,
            verbose: args.verbose,
        })
    }

    /// Answers; what goes wrong is told, and the chat goes on.
    pub(super) fn answer(&mut self, text: &str) -> anyhow::Result<()> {
        let printer = &self.app.printer;
        let turn = [Message::user(text)];
        let stream = match self.session.generate(&turn, &self.options) {
            Ok(stream) => stream,
            Err(error) => {
                printer.error(
                    &error.to_string(),
                    &[],
                    error.remedy().or(Some("/clear starts afresh")),
                );
                return Ok(());
            }
        };
        let answer = Answer::pull(stream, &mut |text| Ok(printer.write(text)?))?;
        printer.write("\n")?;
        match &answer.finish {
            Some(finish) => warn_of_dropped(&finish.usage, printer),
            None => printer.note("(stopped)"),
        }
        self.last = answer.finish;
        if self.verbose { self.stats() } else { Ok(()) }
    }

    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        let options = tenfold::SessionOptions {
            instructions: self.system.clone(),
            ..tenfold::SessionOptions::default()
        };
        self.session = self.loaded.model.clone().start_session(&options)?;
        self.last = None;
        Ok(())
    }

    pub(super) fn set_system(&mut self, text: &str) -> anyhow::Result<()> {
        self.system = (!text.is_empty()).then(|| text.to_owned());
        self.clear()
    }

    /// Timings of the last answer.
    pub(super) fn stats(&self) -> anyhow::Result<()> {
        match &self.last {
            None => self.app.printer.note("No complete answer yet."),
            Some(finish) => {
                for line in timings(finish, self.loaded.load_time) {
                    self.app.printer.line(&line)?;
                }
            }
        }
        Ok(())
    }

    /// The settings.
    pub(super) fn show(&self) -> anyhow::Result<()> {
        let sampling = &self.options.sampling;
        let optional = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let rows = [
            ("system", optional(self.system.clone())),
            ("temperature", sampling.temperature.to_string()),
            ("top_k", sampling.top_k.to_string()),
            ("top_p", sampling.top_p.to_string()),
            ("min_p", sampling.min_p.to_string()),
            ("typical_p", sampling.typical_p.to_string()),
            ("repeat_penalty", sampling.repeat_penalty.to_string()),
            ("presence_penalty", sampling.presence_penalty.to_string()),
            ("frequency_penalty", sampling.frequency_penalty.to_string()),
            ("seed", optional(sampling.seed.map(|seed| seed.to_string()))),
            ("max_tokens", optional(self.options.max_tokens.map(|most| most.to_string()))),
            ("stop", self.options.stop.join(" | ")),
        ];
        for (name, value) in rows {
            self.app.printer.line(&format!("{name:<18} {value}"))?;
        }
        Ok(())
    }

    /// Changes one setting.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let sampling = &mut self.options.sampling;
        match name {
            "temperature" => sampling.temperature = number(value)?,
            "top_p" => sampling.top_p = number(value)?,
            "top_k" => sampling.top_k = number(value)?,
            "min_p" => sampling.min_p = number(value)?,
            "typical_p" => sampling.typical_p = number(value)?,
            "repeat_penalty" => sampling.repeat_penalty = number(value)?,
            "presence_penalty" => sampling.presence_penalty = number(value)?,
            "frequency_penalty" => sampling.frequency_penalty = number(value)?,
            "seed" => sampling.seed = Some(number(value)?),
            "max_tokens" | "num_predict" => self.options.max_tokens = Some(number(value)?),
            "stop" => self.options.stop.push(value.to_owned()),
            _ => return Err(format!("there is no setting {name}; /help lists them")),
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{value:?} is not a number that fits here"))
}
