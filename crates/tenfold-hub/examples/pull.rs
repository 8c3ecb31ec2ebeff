//! Pulls models into a folder: `cargo run -p tenfold-hub --example pull -- HOME MODEL…`.

use std::error::Error;
use std::io::{Write as _, stderr, stdout};
use std::time::Instant;

use tenfold_hub::{Hub, HubConfig, ModelRef, PullProgress};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let home = args.next().ok_or("give a folder and the names of models")?;
    let hub = Hub::new(HubConfig::with_home(home))?;
    for model in args {
        pull(&hub, &model.parse()?)?;
    }
    Ok(())
}

fn pull(hub: &Hub, model: &ModelRef) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let pulled = hub.pull(model, &mut |progress| {
        // Nobody is told twice a second where there is no bar.
        let is_news = !matches!(progress, PullProgress::Transfer(_) | PullProgress::Hashing { .. });
        if is_news {
            let _ = writeln!(stderr(), "{progress:?}");
        }
    })?;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(stdout(), "{} in {seconds:.1} s", pulled.name)?;
    for path in &pulled.files.weights {
        writeln!(stdout(), "  {}", path.display())?;
    }
    let report = hub.verify(model, &mut |_| ())?;
    report.check()?;
    Ok(())
}
