//! Colours: drawn as sentinels that no picture means, replaced at the end by CSS variables or by the look's own values.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Palette, UNITS, parts};

/// What something in a chart is, which decides its colour and, for text, its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The line of this index.
    Line(u8),
    /// Lines of the grid.
    Grid,
    /// The time axis and its ticks.
    Axis,
    /// Words of the axes.
    Label,
    /// Shaded gaps.
    Gap,
    /// The words of a gap, centred.
    Reason,
    /// Resets, and words right of one.
    Warn,
    /// Words left of a reset.
    WarnEnd,
    /// What people noted: its lines, and words right of one.
    Remark,
    /// Words left of one.
    RemarkEnd,
    /// Now, min, mean and max.
    Facts,
    /// The sentence where nothing is to draw.
    Note,
    /// What stands above a picture.
    Title,
    /// The ground of a picture.
    Sheet,
}

/// A colour of the look: its variable, its value in light and in dark. The same as in the style's tokens.
pub(super) struct Token {
    pub(super) name: &'static str,
    pub(super) light: &'static str,
    pub(super) dark: &'static str,
}

const fn token(name: &'static str, light: &'static str, dark: &'static str) -> Token {
    Token { name, light, dark }
}

/// The tokens, lines first; a sentinel's last byte is the index, counted from one.
pub(super) const TOKENS: [Token; 13] = [
    token("s1", "#0b6e69", "#3ecfc0"),
    token("s2", "#b35900", "#f0883e"),
    token("s3", "#3b5bdb", "#86a6ff"),
    token("s4", "#a61e4d", "#ff7eb6"),
    token("s5", "#5f6b12", "#c3d34a"),
    token("s6", "#7048e8", "#b197fc"),
    token("grid", "#e6eaed", "#222a31"),
    token("line-strong", "#c3cad0", "#3b454e"),
    token("ink-3", "#6a7782", "#82909b"),
    token("gap", "#12191f0d", "#ffffff0f"),
    token("warn", "#9a6700", "#d4a72c"),
    token("ink-2", "#46525c", "#aab6c0"),
    token("sheet", "#ffffff", "#151a1f"),
];
/// How many lines have a colour of their own.
const COLOURS: usize = 6;
/// How lines are dashed, in units of the drawing, so that they are told apart without their colours. The first is whole; the next
/// lines after [`COLOURS`] begin with the second, so that none has both of another one.
const DASHES: [&str; COLOURS] = ["", "90 45", "10 40", "140 40 10 40", "45 45", "90 40 10 40 10 40"];
/// The family that marks text; it is taken out again, so that text inherits the page's.
const FAMILY: &str = "tickmark";
/// The fonts of an image.
const FONTS: &str = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif";
/// `plotters` writes a size divided by this.
const SIZE_FACTOR: f64 = 1.24;

impl Role {
    /// The role of the line with this index.
    pub(super) fn line(index: usize) -> Self {
        Self::Line(u8::try_from(index % (COLOURS * COLOURS)).unwrap_or(0))
    }

    /// Its sentinel.
    pub(super) fn color(self) -> RGBColor {
        let index = match self {
            Self::Line(index) => return RGBColor(1, 2, index + 1),
            // The third line's, drawn as no line is.
            Self::Remark | Self::RemarkEnd => 2,
            Self::Grid => 6,
            Self::Axis => 7,
            Self::Label => 8,
            Self::Gap => 9,
            Self::Warn | Self::WarnEnd => 10,
            Self::Facts | Self::Reason | Self::Note | Self::Title => 11,
            Self::Sheet => 12,
        };
        RGBColor(1, 1, index + 1)
    }
}

/// The text style of a role.
pub(super) fn font(role: Role) -> TextStyle<'static> {
    // In tenths of a pixel. Not 120: divided again it would be written with all its digits.
    let (horizontal, vertical, size) = match role {
        Role::Reason => (HPos::Center, VPos::Top, 110),
        Role::WarnEnd | Role::RemarkEnd => (HPos::Right, VPos::Top, 110),
        Role::Note => (HPos::Center, VPos::Center, 130),
        Role::Facts => (HPos::Left, VPos::Top, 115),
        Role::Title => (HPos::Left, VPos::Top, 130),
        _ => (HPos::Left, VPos::Top, 110),
    };
    let size = f64::from(size) * SIZE_FACTOR;
    (FAMILY, size).into_font().color(&role.color()).pos(Pos::new(horizontal, vertical))
}

/// Puts the body of a drawing into an `<svg>` of our own, with colours and words.
pub(super) fn finish(drawn: &str, palette: Palette, (width, height): (i32, i32), summary: &str) -> String {
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    let body = body.trim_end().strip_suffix("</svg>").unwrap_or(body);
    let summary = escape(summary);
    let mut out = String::with_capacity(body.len() + 2048);
    let (units_x, units_y) = (width * UNITS, height * UNITS);
    out.push_str(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{summary}\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {units_x} {units_y}\" stroke-linejoin=\"round\" stroke-linecap=\"round\" font-family=\"{}\">",
        if palette == Palette::Page { "inherit" } else { FONTS },
    ));
    // In a page a title would pop up over the plot: the label tells the same.
    if palette != Palette::Page {
        out.push_str(&format!("<title>{summary}</title>"));
    }
    if palette == Palette::Auto {
        let rules = |pick: fn(&Token) -> &str| TOKENS.iter().map(|t| format!("--{}:{};", t.name, pick(t))).collect::<String>();
        let (light, dark) = (rules(|t| t.light), rules(|t| t.dark));
        out.push_str(&format!("<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"));
    }
    replace(body, palette, &mut out);
    out.push_str("</svg>");
    out
}

/// Copies the body, its sentinels replaced and what says nothing left out.
fn replace(body: &str, palette: Palette, out: &mut String) {
    let family = format!(" font-family=\"{FAMILY}\"");
    let drop = [" opacity=\"1\"", " stroke=\"none\"", family.as_str(), "\n"];
    // Lines of the grid lie between pixels; sharp ones are calmer. Lines that warn are dashed.
    let body = body.replace("<line ", "<line shape-rendering=\"crispEdges\" ");
    let body = if palette == Palette::Page { parts::group(body) } else { body };
    let body = body.replace("stroke=\"#01010B\"", "stroke=\"#01010B\" stroke-dasharray=\"30 30\" stroke-linecap=\"butt\"");
    let mut rest = body.as_str();
    while let Some(at) = rest.find(['#', ' ', '\n']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(skipped) = drop.iter().find(|word| from.starts_with(**word)) {
            rest = from.get(skipped.len()..).unwrap_or_default();
        } else if let Some((token, dash)) = sentinel(from).filter(|_| out.ends_with("=\"")) {
            // A colour, and no words, in which quotes are escaped.
            let strokes = out.ends_with("stroke=\"");
            color(token, palette, out);
            if strokes && !dash.is_empty() {
                // The quote that ended the colour ends this.
                out.push_str("\" stroke-dasharray=\"");
                out.push_str(dash);
            }
            rest = from.get(7..).unwrap_or_default();
        } else {
            let (one, more) = from.split_at(1);
            out.push_str(one);
            rest = more;
        }
    }
    out.push_str(rest);
}

/// The token that a `#0101NN` in the drawing stands for, or the colour and the dashes of the line `#0102NN`.
fn sentinel(text: &str) -> Option<(&'static Token, &'static str)> {
    let number = |text: &str| usize::from_str_radix(text.get(..2)?, 16).ok()?.checked_sub(1);
    if let Some(line) = text.strip_prefix("#0102") {
        let line = number(line)?;
        return Some((TOKENS.get(line % COLOURS)?, DASHES.get((line + line / COLOURS) % COLOURS)?));
    }
    Some((TOKENS.get(number(text.strip_prefix("#0101")?)?)?, ""))
}

fn color(token: &Token, palette: Palette, out: &mut String) {
    match palette {
        Palette::Page => out.push_str(&format!("var(--{})", token.name)),
        // Should the style be refused, the light colours still stand.
        Palette::Auto => out.push_str(&format!("var(--{},{})", token.name, token.light)),
        Palette::Light => out.push_str(token.light),
        Palette::Dark => out.push_str(token.dark),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
