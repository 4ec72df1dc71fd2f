//! Renders every page with invented models into a folder, to look at them without a server:
//! `cargo run -p app --features ssr --example gallery -- FOLDER`, then open the files. It needs no network and no JavaScript.

#[path = "gallery/samples.rs"]
mod samples;

use std::{fs, path::Path};

use app::{
    model::{Frame, Page, Theme},
    pages::shell,
};
use leptos::prelude::*;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        return Err(std::io::Error::other("name the folder to write the pages to"));
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("tickmark.css"), styles()?)?;
    fs::copy("style/mark.svg", folder.join("mark.svg"))?;
    for (name, frame, page) in samples::all() {
        for theme in [Theme::Light, Theme::Dark] {
            let html = render(Frame { theme, ..frame.clone() }, page.clone());
            fs::write(folder.join(format!("{name}-{}.html", theme.as_str())), html)?;
        }
    }
    Ok(())
}

/// All styles in the order of their names, as the server joins them.
fn styles() -> std::io::Result<String> {
    let mut files: Vec<_> = fs::read_dir("style")?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "css"));
    files.sort();
    files.iter().map(fs::read_to_string).collect()
}

fn render(frame: Frame, page: Page) -> String {
    let owner = Owner::new();
    let html = owner.with(|| {
        provide_context(frame);
        provide_context(page);
        shell(LeptosOptions::builder().output_name("tickmark").site_pkg_dir("assets").build()).into_view().to_html()
    });
    html.replace("/cp/assets/", "").replace("type=\"module\"", "type=\"text/plain\"")
}
