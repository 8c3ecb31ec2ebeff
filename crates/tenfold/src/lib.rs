//! Language models on your own device: one API over many frameworks
