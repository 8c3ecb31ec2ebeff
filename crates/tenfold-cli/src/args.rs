//! What can be typed, as it is typed.

use std::num::NonZeroUsize;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Run language models on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "tenfold",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        tenfold run smollm2 \"Give me three tips for sleeping better.\"\n  \
        tenfold chat qwen2.5-coder:0.5b --system \"You are a terse assistant.\"\n  \
        cat notes.txt | tenfold run smollm2 --max-tokens 200\n  \
        tenfold pull hf.co/org/repo:Q4_K_M\n  \
        tenfold bench smollm2 -p 512 -n 128"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print one JSON value instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No progress and no notices.
    #[arg(long, short = 'q', global = true)]
    pub(crate) quiet: bool,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer one prompt.
    Run(RunArgs),
    /// Talk with a model.
    Chat(ChatArgs),
    /// Fetch a model.
    Pull(PullArgs),
    /// List the models on this machine.
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show what is known about a model.
    Show(ModelArgs),
    /// Remove models.
    Rm(RmArgs),
    /// Check the files of models against their checksums.
    Verify(VerifyArgs),
    /// Turn text into token ids.
    Tokenize(TokenizeArgs),
    /// Turn token ids into text.
    Detokenize(DetokenizeArgs),
    /// List the frameworks and what they can do here.
    Backends,
    /// Look for problems on this machine.
    Doctor,
    /// Measure prefill and decode speed.
    Bench(BenchArgs),
}

/// One model.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Catalogue name, `hf.co/org/repo[:quant]`, https address, or path.
    pub(crate) model: String,
}

/// How to load.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Loading")]
pub(crate) struct LoadArgs {
    /// Context length in tokens [default: what the model was trained for].
    #[arg(long, short = 'c', value_name = "TOKENS", value_parser = positive)]
    pub(crate) ctx: Option<usize>,
    /// Threads to compute with [default: physical cores].
    #[arg(long, short = 't', value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Backend that runs the model, or auto.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(crate) backend: String,
}

/// How to generate. What is not given comes from the catalogue, then from the defaults.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Generating")]
pub(crate) struct GenerateArgs {
    /// Instructions for the model.
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// How freely to choose; 0 always takes the most likely token [default: 0.8].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f32>,
    /// Choose among the likeliest tokens of this total probability [default: 0.95].
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) top_p: Option<f32>,
    /// Choose among this many tokens; 0 is off [default: 40].
    #[arg(long, value_name = "N")]
    pub(crate) top_k: Option<usize>,
    /// Leave out tokens less likely than this share of the likeliest [default: 0.05].
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) min_p: Option<f32>,
    /// Keep the locally typical tokens of this total probability; 1 is off [default: 1].
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) typical_p: Option<f32>,
    /// Make repeated tokens less likely; 1 is off [default: 1].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) repeat_penalty: Option<f32>,
    /// Subtract this from the logit of tokens already used [default: 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) presence_penalty: Option<f32>,
    /// Subtract this for each time a token was used [default: 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) frequency_penalty: Option<f32>,
    /// Same seed, same text.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Most tokens to generate [default: until the model ends or the context is full].
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) max_tokens: Option<usize>,
    /// End the answer at this text; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,
    /// What to do when the context is too short.
    #[arg(long, value_name = "POLICY", default_value = "error")]
    pub(crate) overflow: Overflow,
}

/// What to do when the context is too short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Overflow {
    /// Fail, and say how many tokens were asked and allowed.
    #[default]
    Error,
    /// Leave out the oldest turns.
    DropOldest,
    /// Leave out the middle, and go on when the context fills up.
    Slide,
}

/// `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    tenfold run smollm2 \"Why is the sky blue?\"\n  \
    tenfold run smollm2 --temperature 0 --max-tokens 64 --json \"Hello\"\n  \
    git diff | tenfold run qwen2.5-coder:0.5b --system \"Write a commit message for this diff.\"\n\n\
    Without a prompt, the prompt is read from standard input; on a terminal a chat starts.")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// What to answer; `-` reads standard input.
    pub(crate) prompt: Option<String>,
    #[command(flatten)]
    pub(crate) generate: GenerateArgs,
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Continue the text as it stands, without a chat template; special tokens in it count.
    #[arg(long, help_heading = "Generating", conflicts_with = "system")]
    pub(crate) raw: bool,
    /// Print timings after the answer.
    #[arg(long, short = 'v')]
    pub(crate) verbose: bool,
}

/// `chat`.
#[derive(Debug, Args)]
#[command(
    after_help = "Type /help inside the chat for its commands. Ctrl-C stops an answer, Ctrl-D leaves."
)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) generate: GenerateArgs,
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Print timings after each answer.
    #[arg(long, short = 'v')]
    pub(crate) verbose: bool,
}

/// `pull`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenfold pull smollm2\n  tenfold pull hf.co/org/repo:Q4_K_M\n  tenfold pull https://example.com/model.gguf\n\nA pull that was interrupted continues where it stopped."
)]
pub(crate) struct PullArgs {
    /// Models to fetch.
    #[arg(required = true)]
    pub(crate) models: Vec<String>,
}

/// `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Also list what the catalogue offers.
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
}

/// `rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// Models to remove.
    #[arg(required = true)]
    pub(crate) models: Vec<String>,
}

/// `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Models to check [default: all].
    pub(crate) models: Vec<String>,
}

/// `tokenize`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenfold tokenize smollm2 \"Hello, world\"\n  tenfold tokenize ./vocab.gguf < page.txt"
)]
pub(crate) struct TokenizeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// The text; standard input, byte for byte, if absent.
    pub(crate) text: Option<String>,
    /// Leave out the tokens that the model puts around a text, such as the beginning-of-text token.
    #[arg(long)]
    pub(crate) no_special: bool,
    /// Turn the texts of special tokens into those tokens.
    #[arg(long)]
    pub(crate) parse_special: bool,
}

/// `detokenize`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenfold detokenize smollm2 19556 28 905\n  tenfold tokenize smollm2 hi | tenfold detokenize smollm2"
)]
pub(crate) struct DetokenizeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Token ids; read from standard input if absent.
    pub(crate) ids: Vec<u32>,
    /// Leave out special tokens.
    #[arg(long)]
    pub(crate) no_special: bool,
}

/// `bench`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenfold bench smollm2\n  tenfold bench smollm2 -p 128,512 -n 64 -d 0,1024 -r 5 -o json\n\npp is prefill (prompt processing), tg is decode (text generation), @ d is the depth: tokens already in the cache."
)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Prompt lengths to measure prefill with; 0 leaves prefill out.
    #[arg(long, short = 'p', value_name = "N", value_delimiter = ',', default_value = "512")]
    pub(crate) n_prompt: Vec<usize>,
    /// Tokens to measure decode with; 0 leaves decode out.
    #[arg(long, short = 'n', value_name = "N", value_delimiter = ',', default_value = "128")]
    pub(crate) n_gen: Vec<usize>,
    /// Tokens in the cache before each test.
    #[arg(long, short = 'd', value_name = "N", value_delimiter = ',', default_value = "0")]
    pub(crate) n_depth: Vec<usize>,
    /// Repetitions of each test.
    #[arg(long, short = 'r', value_name = "N", default_value = "5")]
    pub(crate) repetitions: NonZeroUsize,
    /// Form of the result.
    #[arg(long, short = 'o', value_name = "FORM", default_value = "md")]
    pub(crate) output: BenchOutput,
    /// Threads to compute with [default: physical cores].
    #[arg(long, short = 't', value_name = "N", value_delimiter = ',')]
    pub(crate) threads: Vec<NonZeroUsize>,
    /// Backend that runs the model, or auto.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(crate) backend: String,
}

/// Form of the result of `bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchOutput {
    /// A Markdown table.
    Md,
    /// A JSON array.
    Json,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

fn positive(text: &str) -> Result<usize, String> {
    let number = text.parse().map(NonZeroUsize::get);
    number.map_err(|_| "must be a whole number of at least 1".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lists_and_short_flags_of_bench_parse_as_llama_bench_does() {
        let cli = Cli::parse_from([
            "tenfold",
            "bench",
            "m",
            "-p",
            "0,64",
            "-n",
            "8",
            "-d",
            "0,512",
            "-r",
            "2",
            "-o",
            "jsonl",
            "--threads",
            "1,2",
        ]);
        let Command::Bench(bench) = cli.command else { panic!("not bench") };
        assert_eq!(
            (bench.n_prompt, bench.n_gen, bench.n_depth),
            (vec![0, 64], vec![8], vec![0, 512])
        );
        assert_eq!(bench.output, BenchOutput::Jsonl);
        assert_eq!(bench.threads.len(), 2);
    }

    #[test]
    fn usage_errors_are_found_early() {
        let cases: [&[&str]; 5] = [
            &["run"],
            &["run", "m", "--ctx", "0"],
            &["run", "m", "--raw", "--system", "x"],
            &["pull"],
            &["run", "m", "--temperature", "hot"],
        ];
        for case in cases {
            let words = std::iter::once(&"tenfold").chain(case);
            assert!(Cli::try_parse_from(words).is_err(), "{case:?}");
        }
    }
}
