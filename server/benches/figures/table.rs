//! What was measured, as one table: figure, median and spread, target, verdict, and the machine beside it. It measures nothing.

/// The middle of many measurements, and where nine in ten of them lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Half are smaller.
    pub(crate) median: f64,
    /// One in twenty is smaller.
    pub(crate) low: f64,
    /// One in twenty is larger.
    pub(crate) high: f64,
}

impl Spread {
    /// Of measurements in any order.
    pub(crate) fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |per_cent: usize| all.get((all.len().saturating_sub(1) * per_cent + 50) / 100).copied().unwrap_or(f64::NAN);
        Self { median: at(50), low: at(5), high: at(95) }
    }

    /// Of what is the same each time.
    pub(crate) fn exact(value: f64) -> Self {
        Self { median: value, low: value, high: value }
    }
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Less is better.
    AtMost(f64),
    /// More is better.
    AtLeast(f64),
    /// It stands beside another figure.
    None,
}

/// One line.
struct Line {
    figure: String,
    measured: Spread,
    unit: &'static str,
    target: Target,
    beside: Option<(&'static str, f64)>,
}

/// All lines.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<Line>,
}

impl Table {
    /// Adds a figure with what the machine itself does beside it, in the same unit.
    pub(crate) fn add(
        &mut self,
        figure: impl Into<String>,
        measured: Spread,
        unit: &'static str,
        target: Target,
        beside: Option<(&'static str, f64)>,
    ) {
        self.lines.push(Line { figure: figure.into(), measured, unit, target, beside });
    }

    /// Prints it as Markdown; says how many figures miss their target.
    pub(crate) fn print(&self) -> usize {
        let head = ["figure", "measured", "spread (5–95 %)", "target", "", "the machine beside it"].map(str::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(head).chain(self.lines.iter().map(Line::cells)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..6).map(width).collect();
        for (place, row) in rows.iter().enumerate() {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("| {} |", cells.join(" | "));
            if place == 0 {
                println!("|{}|", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|"));
            }
        }
        self.lines.iter().filter(|line| line.is_met() == Some(false)).count()
    }
}

impl Line {
    fn is_met(&self) -> Option<bool> {
        match self.target {
            Target::AtMost(most) => Some(self.measured.median <= most),
            Target::AtLeast(least) => Some(self.measured.median >= least),
            Target::None => None,
        }
    }

    fn cells(&self) -> [String; 6] {
        let Spread { median, low, high } = self.measured;
        let spread = if low < high { format!("{} – {}", short(low), short(high)) } else { String::new() };
        let target = match self.target {
            Target::AtMost(most) => format!("≤ {}", short(most)),
            Target::AtLeast(least) => format!("≥ {}", short(least)),
            Target::None => String::new(),
        };
        let verdict = match self.is_met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        let beside = self.beside.map_or_else(String::new, |(what, value)| {
            let ratio = if value > 0.0 { format!(" (× {})", short(median / value)) } else { String::new() };
            format!("{what}: {}{ratio}", short(value))
        });
        [self.figure.clone(), format!("{} {}", short(median), self.unit), spread, target, verdict.to_owned(), beside]
    }
}

/// Three digits that count, thousands apart.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, _)| (whole, &text[whole.len()..]));
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 && whole.len() > 4 {
            apart.push(' ');
        }
        apart.push(digit);
    }
    apart + fraction
}
