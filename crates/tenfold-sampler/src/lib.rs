//! Logits to a token: filters, penalties, the sampler chain
