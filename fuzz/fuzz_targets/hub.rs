//! Texts that the model manager reads: references, catalogues, records of the store, answers of a
//! hub and of package clients.
#![no_main]

// The parsers are no part of the API: the crate shows them to fuzzers only.
#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tenfold_hub::fuzz::parse(bytes));
