//! What the user asked for a generation, on top of what the model's makers recommend.

use tenfold::{ContextOverflow, GenerateOptions, SamplingOptions, SessionOptions};

use crate::args::{GenerateArgs, Overflow};

/// Takes the value that was given, or leaves the one that is there.
fn set<T: Copy>(place: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *place = value;
    }
}

/// The options of one generation: `base` with everything that was given.
pub(crate) fn generate_options(args: &GenerateArgs, base: SamplingOptions) -> GenerateOptions {
    GenerateOptions {
        sampling: sampling(args, base),
        max_tokens: args.max_tokens,
        stop: args.stop.clone(),
        overflow: overflow(args.overflow),
        ..GenerateOptions::default()
    }
}

fn sampling(args: &GenerateArgs, mut options: SamplingOptions) -> SamplingOptions {
    set(&mut options.temperature, args.temperature);
    set(&mut options.top_p, args.top_p);
    set(&mut options.top_k, args.top_k);
    set(&mut options.min_p, args.min_p);
    set(&mut options.typical_p, args.typical_p);
    set(&mut options.repeat_penalty, args.repeat_penalty);
    set(&mut options.presence_penalty, args.presence_penalty);
    set(&mut options.frequency_penalty, args.frequency_penalty);
    options.seed = args.seed.or(options.seed);
    options
}

fn overflow(policy: Overflow) -> ContextOverflow {
    match policy {
        Overflow::Error => ContextOverflow::Error,
        Overflow::DropOldest => ContextOverflow::DropOldestTurns,
        Overflow::Slide => ContextOverflow::Slide,
    }
}

/// The options of the session.
pub(crate) fn session_options(args: &GenerateArgs, raw: bool) -> SessionOptions {
    SessionOptions { instructions: args.system.clone(), raw, ..SessionOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_the_recommendation() {
        let base = SamplingOptions { temperature: 0.2, top_p: 0.9, ..SamplingOptions::default() };
        let args =
            GenerateArgs { temperature: Some(0.0), seed: Some(7), ..GenerateArgs::default() };
        let options = generate_options(&args, base).sampling;
        assert_eq!((options.temperature, options.top_p, options.seed), (0.0, 0.9, Some(7)));
    }
}
