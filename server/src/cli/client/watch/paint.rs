//! Paints what is watched over what stood there before. Knows the terminal, and no server.

use std::{
    io::{self, Write},
    time::Duration,
};

use app::{format, shown::visible};
use terminal_size::{Height, Width};

use super::{Change, Row, time, value};
use crate::{config::format_duration, source::SourceError};

/// Where the terminal does not say how large it is.
const SIZE: (usize, usize) = (80, 24);
/// The screen of its own that full-screen programs use, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the top left; to the end of the line; to the end of the screen.
const HOME: &str = "\x1b[H";
const END_LINE: &str = "\x1b[K";
const END_SCREEN: &str = "\x1b[J";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// The terminal while it is painted on. It is itself again when this is dropped, whatever happened.
pub(super) struct Screen {
    heading: String,
    is_open: bool,
}

impl Screen {
    /// For a server; nothing is written yet.
    pub(super) fn new(address: &str, every: Duration) -> Self {
        Self { heading: format!("{} every {}", visible(address), format_duration(every)), is_open: false }
    }

    /// Paints the rows that there is room for, and why there is no newer answer.
    pub(super) fn paint(&mut self, rows: &[Row], at_ms: i64, error: Option<&SourceError>, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_open {
            out.write_all(ENTER.as_bytes())?;
            self.is_open = true;
        }
        let size = terminal_size::terminal_size().map_or(SIZE, |(Width(width), Height(height))| (usize::from(width), usize::from(height)));
        let second = error.map_or_else(|| summary(rows), |error| format!("No answer: {error}"));
        let frame = frame([&format!("{}  {}", time(at_ms), self.heading), &second], rows, size);
        out.write_all(frame.as_bytes())?;
        out.flush()
    }

    /// Gives the terminal back.
    pub(super) fn close(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.is_open = false;
        out.write_all(LEAVE.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.is_open {
            // Standard output may be locked by whoever failed; standard error is the same terminal.
            eprint!("{LEAVE}");
        }
    }
}

fn summary(rows: &[Row]) -> String {
    let moved = rows.iter().filter(|row| !matches!(row.change, Change::None | Change::New)).count();
    match rows.len() {
        0 => "Nothing matches. Ctrl-C ends.".to_owned(),
        1 => "One statistic. Ctrl-C ends.".to_owned(),
        many => format!("{many} statistics, {moved} of them changed. Ctrl-C ends."),
    }
}

/// One picture: the head, then a line a row, each cut at the right edge, and how many rows there is no room for.
fn frame(head: [&str; 2], rows: &[Row], (width, height): (usize, usize)) -> String {
    let room = height.saturating_sub(head.len() + 1);
    let shown = if rows.len() > room { room.saturating_sub(1) } else { rows.len() };
    let cells: Vec<[String; 3]> = rows.iter().take(shown).map(cells).collect();
    let widest = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (value, rate) = (widest(1), widest(2));
    // Names give way to the numbers.
    let name = widest(0).min(width.saturating_sub(value + rate + 6)).max(12);
    let mut lines: Vec<String> = head.iter().map(|text| cut(text, width)).collect();
    lines.push(String::new());
    for (row, [full, number, grown]) in rows.iter().zip(&cells) {
        let mark = match row.change {
            Change::Up => '▲',
            Change::Down => '▼',
            Change::Other => '●',
            Change::New | Change::None => ' ',
        };
        let text = format!("{:<name$}  {number:>value$} {mark} {grown:>rate$}", cut(full, name));
        let text = cut(text.trim_end(), width);
        lines.push(if mark == ' ' { text } else { format!("{BOLD}{text}{PLAIN}") });
    }
    if shown < rows.len() {
        lines.push(cut(&format!("… and {} more: name fewer, or make this window taller", rows.len() - shown), width));
    }
    // No line end after the last: it would scroll a screen that is full.
    format!("{HOME}{}{END_LINE}{END_SCREEN}", lines.join(&format!("{END_LINE}\r\n")))
}

fn cells(row: &Row) -> [String; 3] {
    [visible(&row.name).into_owned(), value(&row.reading), row.rate.map(format::rate).unwrap_or_default()]
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use app::model::Number;

    use super::*;

    fn row(name: &str, value: i64, rate: Option<f64>, change: Change) -> Row {
        Row { name: name.to_owned(), reading: Ok(Number::Int(value)), rate, change }
    }

    /// The lines of a frame as a person sees them.
    fn seen(rows: &[Row], size: (usize, usize)) -> Vec<String> {
        let frame = frame(["first", "second"], rows, size);
        assert!(frame.starts_with(HOME) && frame.ends_with(END_SCREEN));
        let text = [HOME, END_LINE, END_SCREEN, PLAIN].iter().fold(frame, |text, code| text.replace(code, ""));
        text.replace(BOLD, "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_frame_has_columns_and_marks_what_changed() {
        let rows = [
            row("core:rcv_requests", 1_234, Some(184.0), Change::Up),
            row("dialog:active_dialogs", 9, None, Change::Down),
            row("x:y", 0, None, Change::None),
        ];
        let rate = format::rate(184.0);
        let expect = [
            "first".to_owned(),
            "second".to_owned(),
            String::new(),
            format!("core:rcv_requests      1234 ▲ {rate}"),
            "dialog:active_dialogs     9 ▼".to_owned(),
            "x:y                       0".to_owned(),
        ];
        assert_eq!(seen(&rows, (80, 24)), expect);
        assert_eq!(frame(["", ""], &rows, (80, 24)).matches(BOLD).count(), 2);
    }

    #[test]
    fn a_small_window_says_what_it_does_not_show() {
        let rows: Vec<Row> = (0..20).map(|number| row(&format!("a_long_group:a_long_name_{number}"), number, None, Change::None)).collect();
        let lines = seen(&rows, (24, 8));
        assert_eq!(lines.len(), 8);
        assert!(lines.iter().all(|line| line.chars().count() <= 24), "{lines:?}");
        assert!(lines[3].starts_with("a_long_group") && lines[3].ends_with('0'), "{lines:?}");
        assert_eq!(lines[7], "… and 16 more: name few…");
    }

    #[test]
    fn a_name_cannot_act_on_the_terminal() {
        let rows = [row("x:\u{1b}[2J", 1, None, Change::None)];
        assert!(seen(&rows, (80, 24))[3].starts_with("x:␛[2J"));
    }
}
