//! Reads the address of a box as a person types it. It sends nothing.

use url::Url;

/// The longest address that is read.
const MAX_ADDRESS_BYTES: usize = 2048;

/// Reads an address as a person types it: adds `http://` and nothing else, refuses what cannot be asked.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give an address, such as http://10.0.0.5:8888/mi".into());
    }
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(format!("the address is longer than {MAX_ADDRESS_BYTES} bytes"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("the address holds a space, a backslash or a control character; leave it out".into());
    }
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let (scheme, rest) = with_scheme.split_once("://").unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(format!("{scheme}:// cannot be asked; the address begins with http:// or https://"));
    }
    // The URL standard would take the first part of the path for the host here.
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
        return Err("the address has no host; write it as http://10.0.0.5:8888/mi".into());
    }
    let url = Url::parse(&with_scheme).map_err(|error| format!("this is no address ({error}); write it as http://10.0.0.5:8888/mi"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave user name and password out of the address and put them in their own fields".into());
    }
    if url.fragment().is_some() {
        return Err("the address holds a #, which no server sees; leave it and what follows out".into());
    }
    if url.port() == Some(0) {
        return Err("port 0 cannot be asked; give the port that the server listens on".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        match (parse_address(text), expect) {
            (Ok(url), Ok(expect)) => assert_eq!(url.as_str(), expect, "{text}"),
            (Err(sentence), Err(expect)) => assert!(sentence.contains(expect), "{text}: {sentence}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn what_can_be_asked() {
        check("10.0.0.5:8888/mi", Ok("http://10.0.0.5:8888/mi"));
        check(" http://sip1.example:8888/mi ", Ok("http://sip1.example:8888/mi"));
        check("https://sip1.example/mi", Ok("https://sip1.example/mi"));
        check("HTTPS://Sip1.Example/mi", Ok("https://sip1.example/mi"));
        check("[::1]:5071/RPC", Ok("http://[::1]:5071/RPC"));
        check("localhost:8888", Ok("http://localhost:8888/"));
        check("http://h/mi?x=1", Ok("http://h/mi?x=1"));
    }

    #[test]
    fn what_cannot() {
        check("", Err("give an address"));
        check("   ", Err("give an address"));
        check("ftp://h/mi", Err("ftp:// cannot be asked"));
        check("unix:///run/opensips", Err("unix:// cannot be asked"));
        check("http://", Err("no host"));
        check("http:///mi", Err("no host"));
        check("/mi", Err("no host"));
        check("http://:8888/mi", Err("no address"));
        check("http:10.0.0.5", Err("no address"));
        check("h:99999/mi", Err("no address"));
        check("h:0/mi", Err("port 0"));
        check("http://admin:secret@h/mi", Err("their own fields"));
        check("admin@h/mi", Err("their own fields"));
        check("http://h/mi#x", Err("#"));
        check("http://h/m i", Err("space"));
        check("http:\\\\h", Err("backslash"));
        check(&format!("h/{}", "x".repeat(MAX_ADDRESS_BYTES)), Err("longer"));
    }
}
