//! The native engine as a Tenfold backend
