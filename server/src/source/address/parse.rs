//! Reads the address of a box as a person types it.

use percent_encoding::percent_decode_str;
use url::Url;

use super::{
    Address, Content, Local, REPLY_DIR, Tls, Typed,
    options::{absolute, options, parse_dialect},
};
use crate::source::Secret;

/// The longest address that is read.
pub(super) const MAX_ADDRESS_BYTES: usize = 2048;
/// The longest path of a socket that a system takes.
pub(super) const MAX_SOCKET_PATH_BYTES: usize = 107;
/// How the kinds of address begin, for a sentence.
const SCHEMES: &str =
    "http://, https://, fifo:/, udp://, unix:/, xmlrpc+http://, xmlrpc+https://, prometheus+http:// or prometheus+https://";
/// How a login is written of which an address cannot be told apart.
pub(super) const LOGIN_HINT: &str =
    "in a user name or a password before the host write / as %2F, ? as %3F, # as %23 and @ as %40, and so any other @ in the address";

/// Reads an address as it is kept, and as a person types it who gives user and password apart: adds `http://` and nothing else, refuses
/// what cannot be asked.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_address(text: &str) -> Result<Address, String> {
    match read(text)? {
        Typed { address, user: None, password: None } => Ok(address),
        _ => Err("the address holds a user or a password, which are kept apart from it".into()),
    }
}

/// The same, with a login that stands in it.
pub(super) fn read(text: &str) -> Result<Typed, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give an address, such as http://10.0.0.5:8888/mi".into());
    }
    let too_long = || format!("the address is longer than {MAX_ADDRESS_BYTES} bytes");
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(too_long());
    }
    let typed = of_scheme(text)?;
    // It is kept as it is written, where a letter may take several bytes, and must be read again then.
    if typed.address.to_string().len() > MAX_ADDRESS_BYTES { Err(too_long()) } else { Ok(typed) }
}

fn of_scheme(text: &str) -> Result<Typed, String> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(
            "the address holds a space, a backslash or a control character; leave it out, or write it as %20 and the like where it belongs to a file or a password".into(),
        );
    }
    if let Some(rest) = without_scheme(text, "fifo") {
        return Ok(Address::Fifo(local("fifo", rest)?).into());
    }
    if let Some(rest) = without_scheme(text, "unix") {
        let local = local("unix", rest)?;
        if local.path.as_os_str().len() > MAX_SOCKET_PATH_BYTES {
            return Err(format!("the path of a socket has at most {MAX_SOCKET_PATH_BYTES} bytes"));
        }
        return Ok(Address::Unix(local).into());
    }
    let (scheme, _) = text.split_once("://").unwrap_or(("http", text));
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => http(text, Content::Json),
        "xmlrpc+http" | "xmlrpc+https" => http(&text["xmlrpc+".len()..], Content::XmlRpc),
        "prometheus+http" | "prometheus+https" => http(&text["prometheus+".len()..], Content::Prometheus),
        "udp" => udp(text).map(Typed::from),
        // What stands there may be a password.
        _ if text.contains('@') => Err(format!("this is no address; one begins with {SCHEMES}")),
        _ => Err(format!("{scheme}:// cannot be asked; the address begins with {SCHEMES}")),
    }
}

/// What follows `scheme:`, when a path does.
fn without_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_once(':')?;
    // `fifo:8888` is a host of that name.
    let is_path = !rest.starts_with(|c: char| c.is_ascii_digit());
    (begin.eq_ignore_ascii_case(scheme) && is_path).then_some(rest)
}

fn http(typed: &str, content: Content) -> Result<Typed, String> {
    let (text, behind) = typed.split_once('#').unwrap_or((typed, ""));
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let (_, rest) = with_scheme.split_once("://").unwrap_or_default();
    // The URL standard would take the first part of the path for the host here.
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
        return Err("the address has no host; write it as http://10.0.0.5:8888/mi".into());
    }
    let mut url = Url::parse(&with_scheme).map_err(|error| {
        let hint = if typed.contains('@') { LOGIN_HINT } else { "write it as http://10.0.0.5:8888/mi" };
        format!("this is no address ({error}); {hint}")
    })?;
    let (user, password) = take_login(&mut url)?;
    check_port(&url)?;
    if !behind.is_empty() && url.scheme() != "https" {
        return Err("what stands behind the # of an address is for https:// alone; leave it out".into());
    }
    Ok(Typed { address: Address::Http { url, content, tls: Tls::parse(behind)? }, user, password })
}

/// Takes user and password out of an address.
fn take_login(url: &mut Url) -> Result<(Option<String>, Option<Secret>), String> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().ok().filter(|text| !text.chars().any(char::is_control));
        text.map(std::borrow::Cow::into_owned)
            .ok_or("user and password in an address are visible characters in UTF-8; write them as they are, or as %XX")
    };
    let user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
    let password = url.password().map(decoded).transpose()?.filter(|password| !password.is_empty());
    if user.as_ref().is_some_and(|user| user.contains(':')) {
        return Err("a user name holds no colon".into());
    }
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| "the address has no host")?;
    Ok((user, password.map(Secret)))
}

fn check_port(url: &Url) -> Result<(), String> {
    if url.port() == Some(0) {
        return Err("port 0 cannot be asked; give the port that the server listens on".into());
    }
    Ok(())
}

fn udp(text: &str) -> Result<Address, String> {
    const EXAMPLE: &str = "write it as udp://10.0.0.5:8080";
    let url = Url::parse(text).map_err(|error| format!("this is no address ({error}); {EXAMPLE}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("by UDP nobody asks for a user or a password; leave them out".into());
    }
    check_port(&url)?;
    if url.fragment().is_some() {
        return Err("the address holds a #, which no server sees; leave it and what follows out".into());
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| format!("the address has no host; {EXAMPLE}"))?;
    let port = url.port().ok_or_else(|| format!("the address has no port; {EXAMPLE}"))?;
    if !matches!(url.path(), "" | "/") {
        return Err(format!("a UDP address has no path; {EXAMPLE}"));
    }
    let mut dialect = None;
    for (key, value) in options(url.query().unwrap_or_default()) {
        match key {
            "dialect" => dialect = Some(parse_dialect(value)?),
            _ => return Err(format!("{key} is no option of a UDP address: dialect is one")),
        }
    }
    Ok(Address::Udp { host: host.to_owned(), port, dialect })
}

fn local(scheme: &str, rest: &str) -> Result<Local, String> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.contains('#') {
        return Err("the address holds a #; write it as %23 where it belongs to the path".into());
    }
    // `fifo:///tmp/x` is the same as `fifo:/tmp/x`.
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = absolute(path).ok_or_else(|| format!("{scheme}: wants the whole path; write it as {scheme}:/tmp/opensips_{scheme}"))?;
    let mut local = Local { path, reply_dir: REPLY_DIR.into(), dialect: None };
    for (key, value) in options(query) {
        match key {
            "reply_dir" => {
                local.reply_dir = absolute(value).ok_or("reply_dir wants the whole path of a folder; write it as reply_dir=/tmp")?;
            }
            "dialect" => local.dialect = Some(parse_dialect(value)?),
            _ => return Err(format!("{key} is no option of this address: reply_dir and dialect are some")),
        }
    }
    Ok(local)
}
