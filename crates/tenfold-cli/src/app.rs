//! What every command works with.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tenfold::hub::{HubError, PullProgress};
use tenfold::{
    BackendChoice, LoadOptions, LoadProgress, Loaded, ModelFiles, ModelRef, Runtime,
    SamplingOptions,
};

use crate::args::LoadArgs;
use crate::printer::Printer;
use crate::pull_bar::PullBar;
use crate::{env, interrupt};

/// The runtime and the way to the terminal.
pub(crate) struct App {
    pub(crate) runtime: Runtime,
    pub(crate) printer: Printer,
}

impl App {
    /// Reads the environment and takes over Ctrl-C.
    pub(crate) fn new(printer: Printer) -> anyhow::Result<Self> {
        let config = env::hub_config()?;
        let cancel = config.cancel.clone();
        interrupt::install(move || cancel.cancel())?;
        Ok(Self { runtime: Runtime::new(config)?, printer })
    }

    /// The files of a model; pulls it, with progress, if it is not on this machine.
    pub(crate) fn fetch(&self, model: &str) -> Result<ModelFiles, HubError> {
        let reference: ModelRef = model.parse()?;
        self.with_pull_bar(|progress| self.runtime.fetch(&reference, progress))
    }

    /// Runs `work` with a bar that shows what is pulled.
    pub(crate) fn with_pull_bar<T>(
        &self,
        work: impl FnOnce(&mut dyn FnMut(PullProgress<'_>)) -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let mut bar = PullBar::new(self.printer);
        let result = work(&mut |progress| bar.show(&progress));
        bar.clear();
        result
    }

    /// Loads a model, with progress.
    pub(crate) fn load(&self, files: &ModelFiles, args: &LoadArgs) -> anyhow::Result<Loaded> {
        let options = LoadOptions { context_length: args.ctx, threads: args.threads };
        let choice = BackendChoice::from(args.backend.as_str());
        let bar = self.bar("{spinner} loading {wide_bar} {bytes}/{total_bytes}");
        let show = &mut |progress: LoadProgress| {
            bar.set_length(progress.progress.total);
            bar.set_position(progress.progress.done);
        };
        let loaded = self.runtime.load(files, &choice, &options, show);
        bar.finish_and_clear();
        let loaded = loaded?;
        for notice in loaded.model.notices() {
            self.printer.warn(notice);
        }
        Ok(loaded)
    }

    /// What the makers of a model recommend, or the usual defaults.
    pub(crate) fn sampling(&self, model: &str) -> SamplingOptions {
        let Ok(reference) = model.parse::<ModelRef>() else { return SamplingOptions::default() };
        let entry = self.runtime.hub().entry(&reference);
        entry.map_or_else(SamplingOptions::default, |entry| entry.sampling.options())
    }

    fn bar(&self, template: &str) -> ProgressBar {
        if self.printer.shows_progress() { styled(template) } else { ProgressBar::hidden() }
    }
}

pub(crate) fn styled(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).ok();
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(ProgressStyle::default_bar));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
