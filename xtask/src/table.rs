//! Columns of text: the first flush left, the others flush right.

#[derive(Default)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.0.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn print(&self) {
        print!("{}", self.render());
    }

    pub(crate) fn render(&self) -> String {
        let columns = self.columns();
        let width = |column: usize| {
            self.0
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.0 {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width - cell.chars().count());
                if column == 0 {
                    line = format!("{cell}{padding}");
                } else {
                    line.push_str(&format!("  {padding}{cell}"));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The same for a page: the first row is the head.
    pub(crate) fn markdown(&self) -> String {
        let columns = self.columns();
        let line = |row: &Vec<String>| {
            let cells =
                (0..columns).map(|column| row.get(column).map_or("", String::as_str).replace('|', "\\|"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let mut rows = self.0.iter();
        let Some(head) = rows.next() else { return String::new() };
        let rule = format!("| ---{} |\n", " | ---:".repeat(columns - 1));
        line(head) + &rule + &rows.map(line).collect::<String>()
    }

    fn columns(&self) -> usize {
        self.0.iter().map(Vec::len).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        table.row(["", "CPU s", "×"]);
        table.row(["tcpdump", "0.15", "1.00"]);
        assert_eq!(table.render(), "         CPU s     ×\ntcpdump   0.15  1.00\n");
    }

    #[test]
    fn a_page_has_a_rule_below_the_head() {
        let mut table = Table::default();
        table.row(["a", "b", "c"]);
        table.row(["x|y", "1"]);
        assert_eq!(table.markdown(), "| a | b | c |\n| --- | ---: | ---: |\n| x\\|y | 1 |  |\n");
        assert_eq!(Table::default().markdown(), "");
    }
}
