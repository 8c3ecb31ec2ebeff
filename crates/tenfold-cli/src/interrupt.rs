//! Ctrl-C: the first one asks the work to stop, the second one ends the program.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::INTERRUPTED;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Takes over Ctrl-C; `also` is called on the first one.
pub(crate) fn install(also: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    ctrlc::set_handler(move || {
        if ASKED.swap(true, Ordering::SeqCst) {
            #[allow(clippy::exit)]
            process::exit(i32::from(INTERRUPTED));
        }
        also();
    })?;
    Ok(())
}

/// True if Ctrl-C was pressed since the last [`forget`].
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// The wish was granted; the next Ctrl-C is a new one.
pub(crate) fn forget() {
    ASKED.store(false, Ordering::SeqCst);
}
