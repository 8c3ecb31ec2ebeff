//! Tiny models, a fake backend and the conformance suite for backends
