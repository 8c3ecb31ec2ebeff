//! The time of day, as Python formats it.

use std::fmt::Write;

use jiff::ZonedDateTime;
use jiff::civil::DateTime;

/// A time without a zone, which templates ask for with `strftime_now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime(DateTime);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl LocalTime {
    /// The time of this machine in its zone.
    pub fn now() -> Self {
        Self(ZonedDateTime::now().datetime())
    }

    /// A time; `None` if there is no such day or hour.
    pub fn new(year: i16, month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Option<Self> {
        DateTime::new(year, month, day, hour, minute, second, 0).ok().map(Self)
    }

    /// The time in this format of C and Python. What is no directive stays as it is.
    pub(crate) fn format(self, format: &str) -> String {
        let mut text = String::with_capacity(2 * format.len());
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            text.push_str(&rest[..at]);
            let directive = &rest[at..];
            let flags = directive[1..].bytes().take_while(|byte| b"-_0^#".contains(byte)).count();
            let letter = directive[1 + flags..].chars().next();
            let end = 1 + flags + letter.map_or(0, char::len_utf8);
            match letter.and_then(|letter| self.directive(letter)) {
                Some(piece) => text.push_str(&piece.flagged(&directive[1..1 + flags])),
                None => text.push_str(&directive[..end]),
            }
            rest = &directive[end..];
        }
        text.push_str(rest);
        text
    }

    fn directive(self, letter: char) -> Option<Piece> {
        let weekday = i64::from(self.0.weekday().to_sunday_zero_offset());
        let hour = i64::from(self.0.hour());
        let year = i64::from(self.0.year());
        Some(match letter {
            'Y' => Piece::number(year, 1),
            'C' => Piece::number(year.div_euclid(100), 2),
            'y' => Piece::number(year.rem_euclid(100), 2),
            'm' => Piece::number(self.0.month().into(), 2),
            'd' => Piece::number(self.0.day().into(), 2),
            'e' => Piece::spaced(self.0.day().into(), 2),
            'H' => Piece::number(hour, 2),
            'k' => Piece::spaced(hour, 2),
            'I' => Piece::number((hour + 11) % 12 + 1, 2),
            'l' => Piece::spaced((hour + 11) % 12 + 1, 2),
            'M' => Piece::number(self.0.minute().into(), 2),
            'S' => Piece::number(self.0.second().into(), 2),
            'f' => Piece::number((self.0.subsec_nanosecond() / 1000).into(), 6),
            'j' => Piece::number(self.0.day_of_year().into(), 3),
            'w' => Piece::number(weekday, 1),
            'u' => Piece::number((weekday + 6) % 7 + 1, 1),
            'U' => Piece::number(self.week(weekday), 2),
            'W' => Piece::number(self.week((weekday + 6) % 7), 2),
            'V' => Piece::number(self.0.date().iso_week_date().week().into(), 2),
            'G' => Piece::number(self.0.date().iso_week_date().year().into(), 1),
            'g' => Piece::number(i64::from(self.0.date().iso_week_date().year()) % 100, 2),
            letter => return self.text(letter, weekday),
        })
    }

    fn text(self, letter: char, weekday: i64) -> Option<Piece> {
        let month = MONTHS.get(usize::try_from(self.0.month() - 1).ok()?)?;
        let day = DAYS.get(usize::try_from(weekday).ok()?)?;
        let text = match letter {
            'A' => (*day).to_owned(),
            'a' => day[..3].to_owned(),
            'B' => (*month).to_owned(),
            'b' | 'h' => month[..3].to_owned(),
            'p' => if self.0.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            'P' => if self.0.hour() < 12 { "am" } else { "pm" }.to_owned(),
            'c' => self.format("%a %b %e %H:%M:%S %Y"),
            'D' | 'x' => self.format("%m/%d/%y"),
            'F' => self.format("%Y-%m-%d"),
            'R' => self.format("%H:%M"),
            'r' => self.format("%I:%M:%S %p"),
            'T' | 'X' => self.format("%H:%M:%S"),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            // There is no zone.
            'Z' | 'z' => String::new(),
            _ => return None,
        };
        Some(Piece::Text(text))
    }

    /// The week of the year when weeks begin `days` days ago.
    fn week(self, days: i64) -> i64 {
        (i64::from(self.0.day_of_year()) + 6 - days) / 7
    }
}

/// What a directive stands for.
enum Piece {
    Text(String),
    Number { number: i64, width: usize, pad: char },
}

impl Piece {
    fn number(number: i64, width: usize) -> Self {
        Self::Number { number, width, pad: '0' }
    }

    fn spaced(number: i64, width: usize) -> Self {
        Self::Number { number, width, pad: ' ' }
    }

    /// The piece under flags such as the one in `%-d`.
    fn flagged(self, flags: &str) -> String {
        let flag = |flag: char| flags.contains(flag);
        match self {
            Self::Text(text) if flag('^') => text.to_uppercase(),
            Self::Text(text) if flag('#') => swapped(&text),
            Self::Text(text) => text,
            Self::Number { number, .. } if flag('-') => number.to_string(),
            Self::Number { number, width, pad } => {
                let pad = if flag('_') {
                    ' '
                } else if flag('0') {
                    '0'
                } else {
                    pad
                };
                padded(number, width, pad)
            }
        }
    }
}

fn padded(number: i64, width: usize, pad: char) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match pad {
        '0' => write!(text, "{number:0width$}"),
        _ => write!(text, "{number:width$}"),
    };
    text
}

/// `AM` becomes `am`, `Monday` becomes `MONDAY`.
fn swapped(text: &str) -> String {
    let is_upper = !text.chars().any(char::is_lowercase);
    if is_upper { text.to_lowercase() } else { text.to_uppercase() }
}
