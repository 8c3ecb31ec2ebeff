//! Plain tables: columns as wide as their widest cell, two spaces between them.

/// Lays out rows under a header. Numbers (columns in `right`) end at the same place.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> Vec<String> {
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.max().unwrap_or(0).max(width(header[column]))
        })
        .collect();
    let lay = |cells: Vec<&str>| line(&cells, &widths, right);
    let mut lines = vec![lay(header.to_vec())];
    lines.extend(rows.iter().map(|row| lay(row.iter().map(String::as_str).collect())));
    lines
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

fn line(cells: &[&str], widths: &[usize], right: &[usize]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_line_up() {
        let rows = vec![
            vec!["a".to_owned(), "1".to_owned()],
            vec!["long name".to_owned(), "100".to_owned()],
        ];
        assert_eq!(
            table(&["NAME", "SIZE"], &rows, &[1]),
            ["NAME       SIZE", "a             1", "long name   100"]
        );
    }
}
