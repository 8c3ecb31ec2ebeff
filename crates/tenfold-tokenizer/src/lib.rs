//! Text to tokens and back: tokenizers, incremental detokenizer, stop matcher
