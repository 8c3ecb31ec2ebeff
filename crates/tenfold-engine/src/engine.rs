//! A loaded model as the decode loop sees it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use tenfold_core::{GenerateError, LoadError, LoadProgress, TokenId, Unsupported};
use tenfold_formats::{ModelDescription, RopeScaling};
use tenfold_generate::{ModelShape, Sequence, SequenceOptions, Step, TokenModel};
use tenfold_kernels::{Compute, Kernels, ThreadPool};

use crate::cache::EngineSequence;
use crate::error::EngineError;
use crate::forward::{Model, forward};
use crate::loader::Loader;
use crate::plan::Sizes;
use crate::rope::{RopeFactors, RopeTable};
use crate::weights::{Weights, rope_factors};
use crate::workspace::{MAX_ROWS, Workspace};
use crate::{arch, check};

/// How to load a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Longest sequence in tokens. `None` takes the context that the model was trained for; with
    /// LongRoPE the one before it was stretched, since beyond it all positions turn otherwise.
    pub context_length: Option<usize>,
    /// Threads to compute with; `None` takes as many as the process may run at once.
    pub threads: Option<NonZeroUsize>,
    /// Instructions to compute with; `None` takes the best that this CPU has.
    pub kernels: Option<Kernels>,
}

/// A model in memory, ready to turn tokens into logits.
///
/// It is immutable; what changes lives in [`EngineSequence`]s. Several threads may call it, and
/// take turns.
pub struct Engine {
    model: Model,
    compute: Compute,
    shape: ModelShape,
    /// Marks the sequences of this engine.
    owner: Arc<Sizes>,
    workspace: Mutex<Workspace>,
}

impl Engine {
    /// Whether the engine can run this model, as far as its header tells.
    ///
    /// # Errors
    /// What the engine lacks, and what to do.
    pub fn supports(description: &ModelDescription) -> Result<(), Unsupported> {
        check::supports(description).map(drop)
    }

    /// Whether the engine knows this architecture, by its GGUF name.
    ///
    /// # Errors
    /// The architectures that it knows.
    pub fn supports_architecture(architecture: &str) -> Result<(), Unsupported> {
        arch::find(architecture).map(drop)
    }

    /// The architectures that the engine knows, by their GGUF names.
    pub fn architectures() -> impl Iterator<Item = &'static str> {
        arch::FAMILIES.iter().map(|family| family.name)
    }

    /// Reads and packs all weights out of the bytes of the model's files, in shard order.
    ///
    /// The bytes are not needed afterwards. `progress` counts the bytes of the weights.
    ///
    /// # Errors
    /// When the engine does not know the model's design, a tensor is missing or has other sizes
    /// than the header says, or an option is out of range.
    pub fn load(
        description: &ModelDescription,
        shards: &[&[u8]],
        options: &EngineOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, EngineError> {
        let plan = check::supports(description)?;
        check::sizes(description, &plan)?;
        let context_length = context_length(description, options)?;
        let compute = compute(options);
        let mut loader = Loader::new(&compute, &description.tensors, shards, progress);
        let factors = rope_factors(&mut loader, &plan)?;
        let trained = description.config.context_length;
        let rope = RopeTable::new(&plan.rope, &factors, context_length, trained)?;
        let local = |rope| RopeTable::new(rope, &RopeFactors::default(), context_length, trained);
        let local_rope = plan.local_rope.as_ref().map(local).transpose()?;
        let weights = Weights::load(&mut loader, &plan)?;
        loader.finish()?;
        let shape = ModelShape {
            vocabulary_size: plan.sizes.vocabulary,
            context_length,
            max_batch: MAX_ROWS,
        };
        let owner = Arc::new(plan.sizes);
        let model = Model { plan, weights, rope, local_rope };
        Ok(Self { model, compute, shape, owner, workspace: Mutex::default() })
    }

    /// The kernels in use.
    pub fn kernels(&self) -> Kernels {
        self.compute.kernels()
    }

    /// Threads in use, the caller's included.
    pub fn threads(&self) -> usize {
        self.compute.threads()
    }

    /// Bytes that the packed weights take.
    pub fn weight_bytes(&self) -> usize {
        self.model.weights.bytes()
    }

    /// Bytes of keys and values that one token takes.
    pub fn kv_bytes_per_token(&self) -> usize {
        self.owner.layers * self.owner.kv_shape().bytes_per_position()
    }

    /// What [`TokenModel::forward`] does, with the engine's own error.
    ///
    /// # Errors
    /// When a step is empty, asks for more logits than it has tokens, holds an unknown token, does
    /// not fit in its sequence, or its sequence is another engine's. No sequence has changed then.
    pub fn try_forward(&self, steps: &mut [Step<'_, EngineSequence>]) -> Result<(), EngineError> {
        steps.iter().try_for_each(|step| self.check(step))?;
        for step in steps.iter_mut() {
            step.sequence.reserve(step.sequence.len() + step.tokens.len())?;
        }
        // A panic while it was held has left nothing in it that a pass would read.
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        forward(&self.model, &self.compute, &mut workspace, steps);
        for step in steps.iter_mut() {
            step.sequence.commit(step.sequence.len() + step.tokens.len());
        }
        Ok(())
    }

    fn check(&self, step: &Step<'_, EngineSequence>) -> Result<(), EngineError> {
        let Step { sequence, tokens, wanted, .. } = step;
        if !sequence.belongs_to(&self.owner) {
            return Err(EngineError::ForeignSequence);
        }
        if tokens.is_empty() {
            return Err(EngineError::EmptyStep);
        }
        if *wanted > tokens.len() {
            return Err(EngineError::TooManyWanted { wanted: *wanted, tokens: tokens.len() });
        }
        let vocabulary_size = self.shape.vocabulary_size;
        let unknown = |&&token: &&TokenId| token as usize >= vocabulary_size;
        if let Some(&token) = tokens.iter().find(unknown) {
            return Err(EngineError::UnknownToken { token, vocabulary_size });
        }
        let (requested, allowed) = (sequence.len() + tokens.len(), sequence.context_length());
        if requested > allowed {
            return Err(EngineError::SequenceFull { requested, allowed });
        }
        Ok(())
    }
}

impl TokenModel for Engine {
    type Sequence = EngineSequence;

    fn shape(&self) -> &ModelShape {
        &self.shape
    }

    fn new_sequence(&self, options: &SequenceOptions) -> Result<EngineSequence, LoadError> {
        let most = self.shape.context_length;
        let context_length = options.context_length;
        check_context("context_length", context_length, most)?;
        Ok(EngineSequence::new(&self.owner, context_length))
    }

    fn forward(&self, steps: &mut [Step<'_, EngineSequence>]) -> Result<(), GenerateError> {
        Ok(self.try_forward(steps)?)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("shape", &self.shape)
            .field("compute", &self.compute)
            .finish_non_exhaustive()
    }
}

/// The context to load for.
fn context_length(
    description: &ModelDescription,
    options: &EngineOptions,
) -> Result<usize, EngineError> {
    let trained = description.config.context_length;
    match (options.context_length, &description.config.rope.scaling) {
        (Some(asked), _) => {
            check_context("context_length", asked, trained)?;
            Ok(asked)
        }
        (None, RopeScaling::LongRope { original_context, .. }) => {
            Ok(trained.min(*original_context).max(1))
        }
        (None, _) => Ok(trained),
    }
}

fn check_context(option: &'static str, asked: usize, most: usize) -> Result<(), EngineError> {
    let problem = format!("is {asked}, and should be from 1 to {most}");
    let is_fine = (1..=most).contains(&asked);
    if is_fine { Ok(()) } else { Err(EngineError::InvalidOption { option, problem }) }
}

fn compute(options: &EngineOptions) -> Compute {
    let kernels = options.kernels.unwrap_or_else(Kernels::detect);
    let available = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = options.threads.unwrap_or_else(available);
    Compute::new(kernels, Arc::new(ThreadPool::new(threads)))
}
