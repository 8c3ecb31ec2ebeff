//! Whether a model can fit, asked before any work starts.

use tenfold_core::{LoadError, LoadErrorKind, ModelInfo};
use tenfold_device::{Host, Memory};

/// Refuses a model whose weights alone are larger than what is free.
///
/// Packed weights take about as much memory as their file; mapped pages of the file are caches that
/// the system gives up.
///
/// # Errors
/// How much is needed, how much there is, and what to do.
pub(crate) fn check(model: &ModelInfo) -> Result<(), LoadError> {
    fits(model.file_bytes, Host::probe().memory)
}

fn fits(needed: u64, memory: Memory) -> Result<(), LoadError> {
    // Where the system tells nothing, nothing can be refused.
    if memory.total_bytes == 0 || needed <= memory.available_bytes {
        return Ok(());
    }
    let what = format!(
        "the weights need {} of memory, and {} of {} are free",
        gigabytes(needed),
        gigabytes(memory.available_bytes),
        gigabytes(memory.total_bytes),
    );
    let remedy = if needed > memory.total_bytes {
        "choose a smaller model or a smaller quantization"
    } else {
        "close other programs, or choose a smaller model or a smaller quantization"
    };
    Err(LoadError::new(LoadErrorKind::OutOfMemory, what).with_remedy(remedy))
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_beyond_memory_is_refused_with_what_would_help() {
        let memory = Memory { total_bytes: 8_000_000_000, available_bytes: 2_000_000_000 };
        assert!(fits(2_000_000_000, memory).is_ok());
        let busy = fits(4_000_000_000, memory).unwrap_err();
        assert_eq!(busy.kind(), LoadErrorKind::OutOfMemory);
        assert_eq!(
            busy.to_string(),
            "the weights need 4.0 GB of memory, and 2.0 GB of 8.0 GB are free"
        );
        assert!(busy.remedy().unwrap().starts_with("close other programs"));
        let never = fits(9_000_000_000, memory).unwrap_err();
        assert!(never.remedy().unwrap().starts_with("choose a smaller model"));
    }

    #[test]
    fn nothing_is_refused_where_nothing_is_known() {
        assert!(fits(u64::MAX, Memory { total_bytes: 0, available_bytes: 0 }).is_ok());
    }
}
