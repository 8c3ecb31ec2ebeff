//! What templates expect of Python: its texts for values, its JSON, its methods.

pub(crate) mod filters;
pub(crate) mod json;
pub(crate) mod methods;
pub(crate) mod repr;
pub(crate) mod strings;
