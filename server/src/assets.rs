//! The client's files and the styles, embedded and pre-compressed by `build.rs`. Knows nothing of pages or of who asks.

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The folder of all files here, as pages name it.
pub const ROOT: &str = "/cp/assets";
/// All styles.
pub const CSS: &str = "/cp/assets/tickmark.css";
/// The icon.
pub const MARK: &str = "/cp/assets/mark.svg";

/// A file in the three forms it is sent in.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    /// A hash of the content.
    tag: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

/// All files, sorted by name.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Answers `/cp/assets/{*file}` in the best form the browser takes.
pub async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    answer(&file, &headers)
}

fn answer(file: &str, headers: &HeaderMap) -> Response {
    let Ok(found) = ASSETS.binary_search_by(|asset| asset.name.cmp(file)) else {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    };
    let asset = &ASSETS[found];
    let (coding, body) = match Coding::accepted(headers) {
        Coding::Brotli => (Some("br"), asset.brotli),
        Coding::Gzip => (Some("gzip"), asset.gzip),
        Coding::Plain => (None, asset.plain),
    };
    // Forms differ in their bytes, so their tags must differ too.
    let tag = format!("\"{}-{}\"", asset.tag, coding.unwrap_or("plain"));
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| matches(value, &tag));
    // Names of islands change with their source while names of files stay: a browser must always ask.
    let common: [(HeaderName, &str); 4] =
        [(CACHE_CONTROL, "no-cache"), (VARY, "accept-encoding"), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (ETAG, &tag)];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let mut response = (common, [(CONTENT_TYPE, asset.media_type)], body).into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Whether an `If-None-Match` header names the tag; a proxy may have made it weak.
fn matches(header: &str, tag: &str) -> bool {
    header.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The form of a file that a browser takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
    Plain,
}

impl Coding {
    /// The smallest form that is not refused. Weights between forms don't count: all mean the same bytes in the end.
    fn accepted(headers: &HeaderMap) -> Self {
        let takes = |coding: &str| {
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(
                |offer| {
                    let mut parts = offer.split(';').map(str::trim);
                    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
                    let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)));
                    named && !refused
                },
            )
        };
        if takes("br") {
            Self::Brotli
        } else if takes("gzip") {
            Self::Gzip
        } else {
            Self::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use axum::body::to_bytes;

    use super::*;

    /// The most that the client may weigh, loader and WASM, as a browser gets them.
    const CLIENT_BUDGET_BYTES: usize = 180_000;

    fn ask(file: &str, headers: &[(HeaderName, &'static str)]) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value.parse().unwrap());
        }
        answer(file, &map)
    }

    fn header(response: &Response, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn everything_a_page_names_is_there() {
        let names: Vec<_> = ASSETS.iter().map(|asset| asset.name).collect();
        for name in ["hands.js", "mark.svg", "tickmark.css", "tickmark.js", "tickmark_bg.wasm"] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(names.is_sorted());
        assert!(CSS.starts_with(ROOT) && MARK.starts_with(ROOT));
    }

    #[test]
    fn the_client_stays_within_its_budget() {
        let weight: usize =
            ASSETS.iter().filter(|asset| asset.name.ends_with("js") || asset.name.ends_with("wasm")).map(|a| a.brotli.len()).sum();
        assert!(weight <= CLIENT_BUDGET_BYTES, "the client weighs {weight} bytes, allowed are {CLIENT_BUDGET_BYTES}");
    }

    #[test]
    fn both_compressed_forms_hold_the_plain_one() {
        for asset in ASSETS {
            let mut gzip = Vec::new();
            flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut gzip).unwrap();
            assert!(gzip == asset.plain, "{}.gz differs", asset.name);
            let mut brotli = Vec::new();
            brotli::BrotliDecompress(&mut &asset.brotli[..], &mut brotli).unwrap();
            assert!(brotli == asset.plain, "{}.br differs", asset.name);
        }
    }

    #[tokio::test]
    async fn a_browser_gets_the_best_form_it_takes() {
        for (accept, coding) in
            [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, GZIP;q=0.5", "gzip"), ("identity", ""), ("", "")]
        {
            let response = ask("tickmark.css", &[(ACCEPT_ENCODING, accept)]);
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, CONTENT_ENCODING), coding, "for “{accept}”");
            assert_eq!(header(&response, CONTENT_TYPE), "text/css; charset=utf-8");
            assert_eq!(header(&response, CACHE_CONTROL), "no-cache");
            assert_eq!(header(&response, VARY), "accept-encoding");
            assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert!(!to_bytes(response.into_body(), usize::MAX).await.unwrap().is_empty());
        }
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let tag: &'static str = header(&ask("tickmark.js", &[]), ETAG).to_owned().leak();
        for known in [tag, "*", format!("\"old\", W/{tag}").leak()] {
            let response = ask("tickmark.js", &[(IF_NONE_MATCH, known)]);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "for {known}");
            assert_eq!(header(&response, ETAG), tag);
        }
        assert_eq!(ask("tickmark.js", &[(IF_NONE_MATCH, "\"old\"")]).status(), StatusCode::OK);
        assert_eq!(ask("tickmark.js", &[(IF_NONE_MATCH, tag), (ACCEPT_ENCODING, "br")]).status(), StatusCode::OK);
    }

    #[test]
    fn nothing_else_is_served() {
        for file in ["", "tickmark.js.br", "../assets.rs", "tickmark.css/", "TICKMARK.CSS"] {
            assert_eq!(ask(file, &[]).status(), StatusCode::NOT_FOUND, "for “{file}”");
        }
    }
}
