//! The native engine: weights to logits on the CPU, in plain Rust
