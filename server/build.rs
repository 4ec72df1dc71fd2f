//! Builds what the browser gets (the islands as WASM, what hands do as JavaScript, the styles, the mark), compresses it, and writes the table that `assets.rs` embeds.
//!
//! The client is a cargo build inside this one, with a target folder of its own, so that a plain `cargo run` is whole. It runs only
//! when something the client is made of changed: pages are drawn by the server alone and do not count.
//! `TICKMARK_CLIENT_TOOLCHAIN=debian` builds it with Debian's rustc-web and rust-web-src, `TICKMARK_CLIENT_PROFILE=quick` without
//! the slow optimisations.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

type Outcome<T> = Result<T, Box<dyn Error>>;

const WASM: &str = "wasm32-unknown-unknown";

/// Where Debian's packages put their compiler; `rust-web-src` puts the standard library's source under its sysroot.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The outer build's variables that the inner one keeps: where the registry is and how it is reached.
const KEPT: [&str; 6] = ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_COLOR"];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line each: cargo shows every line with this prefix as an error, and nothing else.
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Outcome<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).parent().ok_or("the server has no workspace around it")?.to_path_buf();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    watch(&root)?;
    let mut files = styles(&root.join("style"))?;
    files.append(&mut client(&root, &out)?);
    files.append(&mut scripts(&root.join("app/js"))?);
    let site = out.join("site");
    for (name, bytes) in &files {
        compress(&site.join(name), bytes)?;
    }
    fs::write(out.join("assets.rs"), table(&files)?)?;
    Ok(())
}

/// Names what a change of makes this script run again.
fn watch(root: &Path) -> Outcome<()> {
    println!("cargo::rerun-if-env-changed=TICKMARK_CLIENT_TOOLCHAIN");
    println!("cargo::rerun-if-env-changed=TICKMARK_CLIENT_PROFILE");
    for path in ["Cargo.toml", "Cargo.lock", "app/Cargo.toml", "app/js", "style", "migrations", "server/build.rs"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    for entry in fs::read_dir(root.join("app/src"))? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with("pages") {
            println!("cargo::rerun-if-changed={}", entry.path().display());
        }
    }
    Ok(())
}

/// All style sheets as one, in the order of their names, without their comments; pictures as they are.
fn styles(folder: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let mut names: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    names.sort();
    let mut sheet = String::new();
    let mut files = BTreeMap::new();
    for path in names {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("css") => sheet.push_str(&without_comments(&fs::read_to_string(&path)?)),
            Some("svg") => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.insert(name, fs::read(&path)?);
            }
            _ => {}
        }
    }
    files.insert("tickmark.css".into(), sheet.into_bytes());
    Ok(files)
}

/// Drops comments, indentation and empty lines; compression takes care of the rest.
fn without_comments(css: &str) -> String {
    let mut bare = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(start) = rest.find("/*") {
        bare.push_str(&rest[..start]);
        rest = rest[start..].find("*/").map_or("", |end| &rest[start + end + 2..]);
    }
    bare.push_str(rest);
    bare.lines().map(str::trim).filter(|line| !line.is_empty()).fold(String::new(), |mut lines, line| {
        lines.push_str(line);
        lines.push('\n');
        lines
    })
}

/// A script without its comments, which have lines of their own, and without indentation.
fn bare_script(script: &str) -> String {
    let lines =
        script.lines().map(str::trim).filter(|line| !line.is_empty() && !["/*", "*", "//"].iter().any(|mark| line.starts_with(mark)));
    lines.fold(String::with_capacity(script.len()), |mut bare, line| {
        bare.push_str(line);
        bare.push('\n');
        bare
    })
}

/// The scripts that are written by hand.
fn scripts(folder: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    for script in files.values_mut() {
        *script = bare_script(std::str::from_utf8(script)?).into_bytes();
    }
    Ok(files)
}

/// The islands as WASM with the JavaScript that loads them.
fn client(root: &Path, out: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let profile = match env::var("TICKMARK_CLIENT_PROFILE").as_deref() {
        Ok("quick") => "client-quick",
        Ok("") | Err(_) => "client",
        Ok(other) => return Err(format!("TICKMARK_CLIENT_PROFILE is “{other}”; allowed is “quick”, or leave it unset").into()),
    };
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder)).join("client");
    let toolchain = Toolchain::choose()?;
    compile(root, &target, profile, &toolchain)?;

    let bound = out.join("client");
    if bound.exists() {
        fs::remove_dir_all(&bound)?;
    }
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(target.join(WASM).join(profile).join("app.wasm"))
        .out_name("tickmark")
        .web(true)
        .map_err(|error| error.to_string())?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&bound)
        .map_err(|error| format!("wasm-bindgen could not finish the client: {error:#}"))?;
    let mut files = BTreeMap::new();
    collect(&bound, "", &mut files)?;
    for (_, script) in files.iter_mut().filter(|(name, _)| name.ends_with(".js")) {
        *script = bare_script(std::str::from_utf8(script)?).into_bytes();
    }
    Ok(files)
}

/// Runs cargo for the client, as if the build around it were not there.
fn compile(root: &Path, target: &Path, profile: &str, toolchain: &Toolchain) -> Outcome<()> {
    let mut cargo = Command::new(env::var_os("CARGO").ok_or("cargo did not name itself")?);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let outer = ["CARGO_", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CLIPPY_", "LEPTOS_"].iter().any(|prefix| text.starts_with(prefix));
        if outer && !KEPT.iter().any(|kept| text.starts_with(kept)) {
            cargo.env_remove(&name);
        }
    }
    cargo
        .current_dir(root)
        .args(["rustc", "--locked", "--package", "app", "--lib", "--crate-type", "cdylib", "--profile", profile])
        .args(["--no-default-features", "--features", "hydrate", "--target", WASM, "--target-dir"])
        .arg(target);
    toolchain.prepare(&mut cargo);
    let output = cargo.output().map_err(|error| format!("cargo could not be started for the client: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("the client could not be built:\n{}", String::from_utf8_lossy(&output.stderr)).into())
}

/// What compiles for the browser.
enum Toolchain {
    /// The toolchain of the build around this one, which has the target.
    Rustup,
    /// Debian's compiler with the standard library built from source, linked by the `rust-lld` of the toolchain around.
    Debian { linker: PathBuf },
}

impl Toolchain {
    fn choose() -> Outcome<Self> {
        let rustc = env::var_os("RUSTC").ok_or("cargo did not name the compiler")?;
        let asked = Command::new(rustc).args(["--print", "sysroot"]).output()?;
        let sysroot = PathBuf::from(String::from_utf8(asked.stdout)?.trim());
        let has_target = sysroot.join("lib/rustlib").join(WASM).join("lib").exists();
        let debian = || Self::debian(&sysroot);
        match env::var("TICKMARK_CLIENT_TOOLCHAIN").as_deref() {
            Ok("debian") => debian().ok_or_else(|| "Debian's compiler is not here; type `apt-get install rustc-web rust-web-src`".into()),
            Ok("rustup") | Ok("") | Err(_) if has_target => Ok(Self::Rustup),
            Ok("") | Err(_) => debian().ok_or_else(|| Self::missing().into()),
            Ok("rustup") => Err(Self::missing().into()),
            Ok(other) => Err(format!("TICKMARK_CLIENT_TOOLCHAIN is “{other}”; allowed are “rustup” and “debian”").into()),
        }
    }

    fn missing() -> String {
        format!(
            "the browser's half needs Rust's target {WASM}; type `rustup target add {WASM}`\n\
             where rustup cannot fetch it, `apt-get install rustc-web rust-web-src` stands in"
        )
    }

    fn debian(sysroot: &Path) -> Option<Self> {
        let host = env::var("HOST").ok()?;
        let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
        let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
        (linker.exists() && source.exists() && Path::new(DEBIAN_RUSTC).exists()).then_some(Self::Debian { linker })
    }

    fn prepare(&self, cargo: &mut Command) {
        if let Self::Debian { linker } = self {
            // The standard library's source builds only with unstable features, which this allows for this one command.
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                .arg("-Zbuild-std=std,panic_abort");
        }
    }
}

/// Reads a folder and those in it; names are relative to the first, with `/`.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

/// Writes a file with its two compressed forms, unless they are there from the last time.
fn compress(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let (brotli_path, gzip_path) = (suffixed(path, ".br"), suffixed(path, ".gz"));
    if fs::read(path).is_ok_and(|before| before == bytes) && brotli_path.exists() && gzip_path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut packed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &params)?;
    fs::write(brotli_path, packed)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    fs::write(gzip_path, gzip.finish()?)?;
    // Last, so that a run that was broken off is done over.
    fs::write(path, bytes)?;
    Ok(())
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The table as Rust: a slice of `assets::Asset`, sorted by name.
fn table(files: &BTreeMap<String, Vec<u8>>) -> Outcome<String> {
    let mut code = String::from("&[\n");
    for (name, bytes) in files {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let media_type = match name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("wasm") => "application/wasm",
            _ => return Err(format!("the client has a file of a kind that is not known here: {name}").into()),
        };
        writeln!(
            code,
            "Asset {{ name: {name:?}, media_type: {media_type:?}, tag: \"{:016x}\", plain: include_bytes!({:?}), \
             brotli: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
            hasher.finish(),
            format!("site/{name}"),
            format!("site/{name}.br"),
            format!("site/{name}.gz"),
        )?;
    }
    code.push_str("]\n");
    Ok(code)
}
