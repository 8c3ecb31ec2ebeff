//! Model manager: catalogue, pull, verify, store
