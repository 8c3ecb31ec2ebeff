//! Pulls one answer and shows it while it forms.

use std::time::Duration;

use serde::Serialize;
use tenfold::{Event, EventStream, FinishReason, Metrics, Usage};

use crate::interrupt;
use crate::printer::Printer;
use crate::size;

/// One answer, complete or as far as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) tokens: Vec<u32>,
    /// `None` if the user stopped it.
    pub(crate) finish: Option<Finish>,
}

/// How an answer ended.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    pub(crate) reason: FinishReason,
    pub(crate) usage: Usage,
    pub(crate) metrics: Metrics,
}

impl Answer {
    /// Pulls the stream to its end, or until Ctrl-C; `show` gets each piece of text.
    pub(crate) fn pull(
        stream: EventStream<'_>,
        show: &mut dyn FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let mut answer = Self::default();
        for event in stream {
            answer.take(event?, show)?;
            if interrupt::asked() {
                break;
            }
        }
        Ok(answer)
    }

    fn take(
        &mut self,
        event: Event,
        show: &mut dyn FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match event {
            Event::Text(text) => {
                show(&text)?;
                self.text.push_str(&text);
            }
            Event::Token(token) => self.tokens.push(token.id),
            Event::Finished { reason, usage, metrics } => {
                self.finish = Some(Finish { reason, usage, metrics });
            }
            _ => {}
        }
        Ok(())
    }
}

/// Says what was left out of the prompt, if anything was.
pub(crate) fn warn_of_dropped(usage: &Usage, printer: &Printer) {
    if usage.dropped_tokens > 0 {
        printer.warn(&format!(
            "the context was too short: {} tokens{} were left out",
            usage.dropped_tokens,
            match usage.dropped_messages {
                0 => String::new(),
                messages => format!(" ({messages} messages)"),
            },
        ));
    }
}

/// Timings for people, one fact a line.
pub(crate) fn timings(finish: &Finish, load: Duration) -> Vec<String> {
    let Finish { reason, usage, metrics } = finish;
    let fresh = usage.prompt_tokens - usage.cached_tokens;
    vec![
        format!("load         {}", size::duration(load)),
        format!("first token  {}", size::duration(metrics.ttft)),
        format!(
            "prefill      {fresh} tokens in {} ({:.1} tokens/s), {} cached",
            size::duration(metrics.prefill),
            metrics.prefill_tps,
            usage.cached_tokens,
        ),
        format!(
            "decode       {} tokens in {} ({:.1} tokens/s)",
            usage.output_tokens,
            size::duration(metrics.decode),
            metrics.decode_tps,
        ),
        format!("memory       {} at most", size::bytes(metrics.peak_memory_bytes)),
        format!("ended by     {reason}"),
    ]
}

/// The figures of an answer as JSON; see README for the meaning of each.
#[derive(Serialize)]
pub(crate) struct MetricsJson {
    ttft_ms: f64,
    prefill_tps: f64,
    decode_tps: f64,
    peak_memory_bytes: u64,
}

impl From<&Metrics> for MetricsJson {
    fn from(metrics: &Metrics) -> Self {
        Self {
            ttft_ms: metrics.ttft.as_secs_f64() * 1e3,
            prefill_tps: metrics.prefill_tps,
            decode_tps: metrics.decode_tps,
            peak_memory_bytes: metrics.peak_memory_bytes,
        }
    }
}

/// The token counts of an answer as JSON.
#[derive(Serialize)]
pub(crate) struct UsageJson {
    prompt_tokens: usize,
    output_tokens: usize,
    cached_tokens: usize,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_messages: usize,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_tokens: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl From<&Usage> for UsageJson {
    fn from(usage: &Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            output_tokens: usage.output_tokens,
            cached_tokens: usage.cached_tokens,
            dropped_messages: usage.dropped_messages,
            dropped_tokens: usage.dropped_tokens,
        }
    }
}
