//! SVG → PNG, with a font of its own so that every machine draws the same. It knows nothing of charts; it understands no `var()`.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree, fontdb};
use thiserror::Error;

/// The widest and highest picture, in pixels.
pub const SIDE_MAX_PX: u32 = 8192;
/// The largest picture, in pixels: 4 bytes each are held in memory while it is drawn.
pub const AREA_MAX_PX: u64 = 4096 * 4096;
/// The longest drawing, in bytes.
pub const SVG_MAX_BYTES: usize = 8 * 1024 * 1024;

/// The only font: DejaVu Sans has most letters that a name may be written in.
const FONT: &[u8] = include_bytes!("../assets/font/DejaVuSans.ttf");
/// Its family.
const FAMILY: &str = "DejaVu Sans";

/// Why there is no picture.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PngError {
    /// The picture would be too large.
    #[error("a picture of {width}×{height} pixels is too large: ask for at most {SIDE_MAX_PX} a side and {AREA_MAX_PX} in all")]
    TooLarge {
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
    },
    /// The drawing is longer than any chart.
    #[error("the drawing has {0} bytes, more than a chart can have: ask for fewer lines")]
    TooLong(usize),
    /// The drawing is no SVG.
    #[error("the drawing is no SVG that can be read: {0}")]
    Unreadable(String),
    /// The picture could not be encoded.
    #[error("the picture could not be encoded: {0}")]
    Encode(String),
}

/// The fonts, read once.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    fonts.set_serif_family(FAMILY);
    fonts.set_monospace_family(FAMILY);
    Arc::new(fonts)
});

/// Draws an SVG at `scale` device pixels a CSS pixel.
///
/// # Errors
/// When the picture would be too large, or the drawing cannot be read.
pub fn render(svg: &str, scale: f32) -> Result<Vec<u8>, PngError> {
    if svg.len() > SVG_MAX_BYTES {
        return Err(PngError::TooLong(svg.len()));
    }
    let options = Options {
        font_family: FAMILY.to_owned(),
        fontdb: Arc::clone(&FONTS),
        // A drawing refers to nothing outside itself.
        image_href_resolver: ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) },
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|e| PngError::Unreadable(e.to_string()))?;
    let (width, height) = (pixels(tree.size().width(), scale), pixels(tree.size().height(), scale));
    let too_large = PngError::TooLarge { width, height };
    if width > SIDE_MAX_PX || height > SIDE_MAX_PX || u64::from(width) * u64::from(height) > AREA_MAX_PX {
        return Err(too_large);
    }
    let mut pixmap = Pixmap::new(width, height).ok_or(too_large)?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|e| PngError::Encode(e.to_string()))
}

/// A length in whole pixels; what is no length is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "floats saturate, and the caller checks the bound")]
fn pixels(length: f32, scale: f32) -> u32 {
    (length * scale).ceil().max(1.0) as u32
}

#[cfg(test)]
mod tests;
