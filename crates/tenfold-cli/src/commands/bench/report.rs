//! Results as a table or as records with llama-bench's field names.

use std::io;
use std::num::NonZeroUsize;

use serde::Serialize;
use tenfold::{Loaded, ModelFiles};

use super::measure::{Measured, Test};
use crate::args::BenchOutput;
use crate::printer::Printer;

/// One test; the names of the fields are those of llama-bench.
#[derive(Clone, Debug, Serialize)]
struct Record {
    build_commit: &'static str,
    build_version: &'static str,
    cpu_info: String,
    backends: String,
    kernels: String,
    model_filename: String,
    model_type: String,
    model_size: u64,
    model_n_params: u64,
    n_threads: usize,
    n_prompt: usize,
    n_gen: usize,
    n_depth: usize,
    test: String,
    avg_ns: f64,
    median_ns: f64,
    stddev_ns: f64,
    avg_ts: f64,
    median_ts: f64,
    stddev_ts: f64,
    samples_ns: Vec<u64>,
    samples_ts: Vec<f64>,
    load_ns: u64,
    peak_memory_bytes: u64,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Array,
    Lines,
    Csv,
}

impl From<BenchOutput> for Form {
    fn from(output: BenchOutput) -> Self {
        match output {
            BenchOutput::Md => Self::Table,
            BenchOutput::Json => Self::Array,
            BenchOutput::Jsonl => Self::Lines,
            BenchOutput::Csv => Self::Csv,
        }
    }
}

/// Writes results as they come; an array at the end.
pub(super) struct Report {
    form: Form,
    printer: Printer,
    cpu: String,
    records: Vec<Record>,
}

impl Report {
    pub(super) fn new(form: Form, printer: Printer) -> io::Result<Self> {
        let cpu = tenfold::device::Host::probe().cpu.name;
        Ok(Self { form, printer, cpu, records: Vec::new() })
    }

    /// Adds one test.
    pub(super) fn add(
        &mut self,
        loaded: &Loaded,
        files: &ModelFiles,
        threads: NonZeroUsize,
        test: &Test,
        samples: &[Measured],
    ) -> io::Result<()> {
        let record = self.record(loaded, files, threads, test, samples);
        let is_first = self.records.is_empty();
        match self.form {
            Form::Table => self.table_row(&record, is_first)?,
            Form::Lines => self.printer.write(&format!("{}\n", to_json(&record)?))?,
            Form::Csv => self.csv_row(&record, is_first)?,
            Form::Array => {}
        }
        self.records.push(record);
        Ok(())
    }

    /// Writes what could not be written before everything was there.
    pub(super) fn finish(self) -> io::Result<()> {
        if self.form == Form::Array { self.printer.json(&self.records) } else { Ok(()) }
    }

    fn record(
        &self,
        loaded: &Loaded,
        files: &ModelFiles,
        threads: NonZeroUsize,
        test: &Test,
        samples: &[Measured],
    ) -> Record {
        let info = loaded.model.info();
        let times: Vec<f64> = samples.iter().map(|sample| sample.time.as_nanos() as f64).collect();
        let rates: Vec<f64> = times.iter().map(|time| test.tokens() as f64 * 1e9 / time).collect();
        let quantization = info.quantization.clone().unwrap_or_default();
        Record {
            build_commit: option_env!("TENFOLD_COMMIT").unwrap_or("unknown"),
            build_version: env!("CARGO_PKG_VERSION"),
            cpu_info: self.cpu.clone(),
            backends: loaded.backend.to_string(),
            kernels: loaded.device.clone().unwrap_or_default(),
            model_filename: files.main().display().to_string(),
            model_type: format!("{} {quantization}", info.architecture).trim().to_owned(),
            model_size: info.file_bytes,
            model_n_params: info.parameters,
            n_threads: threads.get(),
            n_prompt: test.n_prompt,
            n_gen: test.n_gen,
            n_depth: test.n_depth,
            test: test.name(),
            avg_ns: mean(&times),
            median_ns: median(&times),
            stddev_ns: deviation(&times),
            avg_ts: mean(&rates),
            median_ts: median(&rates),
            stddev_ts: deviation(&rates),
            samples_ns: times.iter().map(|time| *time as u64).collect(),
            samples_ts: rates,
            load_ns: u64::try_from(loaded.load_time.as_nanos()).unwrap_or(u64::MAX),
            peak_memory_bytes: tenfold::device::peak_memory_bytes(),
        }
    }

    fn table_row(&self, record: &Record, is_first: bool) -> io::Result<()> {
        if is_first {
            self.printer.line("| model | size | params | backend | threads | test | t/s |")?;
            self.printer.line("| --- | ---: | ---: | --- | ---: | ---: | ---: |")?;
        }
        self.printer.line(&format!(
            "| {} | {:.2} MiB | {:.2} M | {} ({}) | {} | {} | {:.2} ± {:.2} |",
            record.model_type,
            record.model_size as f64 / f64::from(1 << 20),
            record.model_n_params as f64 / 1e6,
            record.backends,
            record.kernels,
            record.n_threads,
            record.test,
            record.avg_ts,
            record.stddev_ts,
        ))
    }

    fn csv_row(&self, record: &Record, is_first: bool) -> io::Result<()> {
        let serde_json::Value::Object(fields) = serde_json::to_value(record)? else {
            return Ok(());
        };
        if is_first {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            self.printer.line(&names.join(","))?;
        }
        let cells: Vec<String> = fields.values().map(csv_cell).collect();
        self.printer.line(&cells.join(","))
    }
}

fn to_json(record: &Record) -> io::Result<String> {
    serde_json::to_string(record).map_err(io::Error::other)
}

fn csv_cell(value: &serde_json::Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len().max(1) as f64
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Sample standard deviation; 0 for a single sample, as llama-bench has it.
fn deviation(samples: &[f64]) -> f64 {
    if samples.len() < 2 {
        return 0.0;
    }
    let mean = mean(samples);
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    (squares / (samples.len() - 1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_right() {
        let samples = [2.0, 4.0, 4.0, 6.0];
        assert_eq!((mean(&samples), median(&samples)), (4.0, 4.0));
        assert!((deviation(&samples) - 1.632_993).abs() < 1e-6);
        assert_eq!((median(&[3.0]), deviation(&[3.0])), (3.0, 0.0));
    }

    #[test]
    fn csv_cells_are_quoted() {
        assert_eq!(csv_cell(&serde_json::json!("a \"b\", c")), "\"a \"\"b\"\", c\"");
        assert_eq!(csv_cell(&serde_json::json!([1, 2])), "\"[1,2]\"");
    }
}
