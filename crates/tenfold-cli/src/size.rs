//! Numbers for people.

use std::time::Duration;

/// Bytes in decimal units, as disks and networks count them.
pub(crate) fn bytes(count: u64) -> String {
    scaled(count, &["B", "kB", "MB", "GB", "TB"])
}

/// A count such as parameters: `134.5M`.
pub(crate) fn count(count: u64) -> String {
    scaled(count, &["", "K", "M", "B", "T"]).replace(' ', "")
}

fn scaled(number: u64, units: &[&str]) -> String {
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if unit == 0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.digits$} {}", units[unit]).trim_end().to_owned()
}

/// A duration with three digits.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.2} s"),
        s => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (98_362_432, "98.4 MB"),
            (999_999, "1.0 MB"),
            (1_117_320_768, "1.1 GB"),
        ];
        for (number, expect) in cases {
            assert_eq!(bytes(number), expect);
        }
        assert_eq!(count(134_515_008), "135M");
        assert_eq!(count(1_100_048_384), "1.1B");
        assert_eq!(duration(Duration::from_millis(12)), "12 ms");
        assert_eq!(duration(Duration::from_secs(75)), "1 min 15 s");
    }
}
