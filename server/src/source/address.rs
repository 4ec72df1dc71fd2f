//! Reads the address of a box as a person types it: over what it is asked, and where. It sends nothing.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use app::model::BoxKind;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

/// The longest address that is read.
const MAX_ADDRESS_BYTES: usize = 2048;
/// The longest path of a socket that a system takes.
const MAX_SOCKET_PATH_BYTES: usize = 107;
/// Where reply FIFOs and sockets are made unless the address says otherwise; OpenSIPS's `reply_dir` is this as well.
const REPLY_DIR: &str = "/tmp";
/// What is written as `%XX` in the path of a file.
const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'&').add(b'\\').add(b'\x7f');
/// How the kinds of address begin, for a sentence.
const SCHEMES: &str =
    "http://, https://, fifo:/, udp://, unix:/, xmlrpc+http://, xmlrpc+https://, prometheus+http:// or prometheus+https://";

/// What stands in the bodies of an HTTP server's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON, in the dialect of the box's kind.
    Json,
    /// XML-RPC.
    XmlRpc,
    /// Prometheus's text format, or OpenMetrics.
    Prometheus,
}

impl Content {
    /// What is written before `http://`.
    fn prefix(self) -> &'static str {
        match self {
            Self::Json => "",
            Self::XmlRpc => "xmlrpc+",
            Self::Prometheus => "prometheus+",
        }
    }
}

/// How the two ends of HTTPS prove who they are, where the system's certificates are not enough. The files are on the panel's host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `ca=`: who issued the server's certificate, in PEM; none: the system's certificates.
    pub ca: Option<PathBuf>,
    /// `cert=`: the certificate that the panel shows, in PEM; its key may be in the same file.
    pub cert: Option<PathBuf>,
    /// `key=`: that certificate's key, in PEM.
    pub key: Option<PathBuf>,
    /// `verify=off`: whatever certificate the server shows is taken.
    pub is_unchecked: bool,
}

impl Tls {
    /// What stands behind the `#` of an address.
    fn parse(text: &str) -> Result<Self, String> {
        let mut tls = Self::default();
        for (key, value) in options(text) {
            let file = || {
                absolute(value).ok_or_else(|| format!("{key} wants the whole path of a file; write it as {key}=/etc/tickmark/{key}.pem"))
            };
            match (key, value) {
                ("ca", _) => tls.ca = Some(file()?),
                ("cert", _) => tls.cert = Some(file()?),
                ("key", _) => tls.key = Some(file()?),
                ("verify", "off") => tls.is_unchecked = true,
                _ => return Err("behind the # of an address that begins with https:// may stand ca=/a/file, cert=/a/file, key=/a/file and verify=off, with & between; leave anything else out".into()),
            }
        }
        if tls.key.is_some() && tls.cert.is_none() {
            return Err("key is the key of a certificate: name that as well, with cert=/a/file".into());
        }
        if tls.is_unchecked && tls.ca.is_some() {
            return Err("verify=off checks nothing, and so ca is of no use with it; leave one of the two out".into());
        }
        Ok(tls)
    }

    fn options(&self) -> Vec<String> {
        let file = |key: &str, path: &Option<PathBuf>| path.as_ref().map(|path| format!("{key}={}", encoded(path)));
        let mut options: Vec<String> =
            [file("ca", &self.ca), file("cert", &self.cert), file("key", &self.key)].into_iter().flatten().collect();
        options.extend(self.is_unchecked.then(|| "verify=off".to_owned()));
        options
    }
}

/// A FIFO or a socket of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The server's FIFO or socket.
    pub path: PathBuf,
    /// The folder where answers are taken.
    pub reply_dir: PathBuf,
    /// What the address says of the dialect.
    pub dialect: Option<BoxKind>,
}

/// Where a box is asked, and over what. As text it is what [`parse_address`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// By HTTP or HTTPS.
    Http {
        /// `http://…` or `https://…`, without user, password and fragment.
        url: Url,
        /// What the bodies are.
        content: Content,
        /// For HTTPS alone.
        tls: Tls,
    },
    /// By the server's FIFO; it answers into another one.
    Fifo(Local),
    /// By UDP.
    Udp {
        /// A name, or an address; IPv6 in brackets.
        host: String,
        /// Never 0.
        port: u16,
        /// What the address says of the dialect.
        dialect: Option<BoxKind>,
    },
    /// By datagrams over a unix socket.
    Unix(Local),
}

impl Address {
    /// The kind of box that the address names by itself.
    #[must_use]
    pub fn kind(&self) -> Option<BoxKind> {
        match self {
            Self::Http { content: Content::Prometheus, .. } => Some(BoxKind::Prometheus),
            Self::Http { .. } => None,
            Self::Udp { dialect, .. } => *dialect,
            Self::Fifo(local) | Self::Unix(local) => local.dialect,
        }
    }

    /// Whether a box of this kind can be asked here.
    ///
    /// # Errors
    /// A sentence that says which kinds can, or how the address of this kind is written.
    pub fn check_kind(&self, kind: BoxKind) -> Result<(), String> {
        match (self, kind) {
            (_, BoxKind::Tickmark) => {
                Err("a box is of kind opensips, opensips2, kamailio or prometheus; tickmark is built in, once".into())
            }
            (Self::Http { content: Content::Prometheus, .. }, BoxKind::Prometheus) => Ok(()),
            (Self::Http { content: Content::Prometheus, .. }, _) => {
                Err(format!("an address that begins with prometheus+ is of kind prometheus, not {}", kind.as_str()))
            }
            (_, BoxKind::Prometheus) => Err("the address of an exporter is written as prometheus+http://10.0.0.5:9100/metrics".into()),
            (Self::Http { content: Content::XmlRpc, .. }, BoxKind::Kamailio) => {
                Err("XML-RPC is spoken with OpenSIPS; a Kamailio is asked at an address such as http://10.0.0.5:5060/RPC".into())
            }
            _ => match self.kind() {
                Some(told) if told != kind => Err(format!(
                    "the address says dialect={}, which is of kind {}, not {}; leave one of the two out",
                    dialect_word(told),
                    told.as_str(),
                    kind.as_str()
                )),
                _ => Ok(()),
            },
        }
    }

    /// Whether another address is one of the same server, to which the same password may be sent.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http { url: one, tls, .. }, Self::Http { url: two, tls: other, .. }) => {
                let server = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
                // Another certificate may be that of another server.
                server(one) == server(two) && tls == other
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = Vec::new();
        match self {
            Self::Http { url, content, tls } => {
                write!(f, "{}{url}", content.prefix())?;
                let options = tls.options();
                return if options.is_empty() { Ok(()) } else { write!(f, "#{}", options.join("&")) };
            }
            Self::Udp { host, port, dialect } => {
                write!(f, "udp://{host}:{port}")?;
                options.extend(dialect.map(|kind| format!("dialect={}", dialect_word(kind))));
            }
            Self::Fifo(local) | Self::Unix(local) => {
                let scheme = if matches!(self, Self::Fifo(_)) { "fifo" } else { "unix" };
                write!(f, "{scheme}:{}", encoded(&local.path))?;
                if local.reply_dir.as_os_str() != REPLY_DIR {
                    options.push(format!("reply_dir={}", encoded(&local.reply_dir)));
                }
                options.extend(local.dialect.map(|kind| format!("dialect={}", dialect_word(kind))));
            }
        }
        if options.is_empty() { Ok(()) } else { write!(f, "?{}", options.join("&")) }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_address(text)
    }
}

fn encoded(path: &Path) -> String {
    utf8_percent_encode(&path.to_string_lossy(), IN_PATH).to_string()
}

/// Reads an address as a person types it: adds `http://` and nothing else, refuses what cannot be asked.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_address(text: &str) -> Result<Address, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give an address, such as http://10.0.0.5:8888/mi".into());
    }
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(format!("the address is longer than {MAX_ADDRESS_BYTES} bytes"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(
            "the address holds a space, a backslash or a control character; leave it out, or write it as %20 in the path of a file".into(),
        );
    }
    if let Some(rest) = without_scheme(text, "fifo") {
        return Ok(Address::Fifo(local("fifo", rest)?));
    }
    if let Some(rest) = without_scheme(text, "unix") {
        let local = local("unix", rest)?;
        if local.path.as_os_str().len() > MAX_SOCKET_PATH_BYTES {
            return Err(format!("the path of a socket has at most {MAX_SOCKET_PATH_BYTES} bytes"));
        }
        return Ok(Address::Unix(local));
    }
    let (scheme, _) = text.split_once("://").unwrap_or(("http", text));
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => http(text, Content::Json),
        "xmlrpc+http" | "xmlrpc+https" => http(&text["xmlrpc+".len()..], Content::XmlRpc),
        "prometheus+http" | "prometheus+https" => http(&text["prometheus+".len()..], Content::Prometheus),
        "udp" => udp(text),
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

fn http(text: &str, content: Content) -> Result<Address, String> {
    let (text, behind) = text.split_once('#').unwrap_or((text, ""));
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let (_, rest) = with_scheme.split_once("://").unwrap_or_default();
    // The URL standard would take the first part of the path for the host here.
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
        return Err("the address has no host; write it as http://10.0.0.5:8888/mi".into());
    }
    let url = Url::parse(&with_scheme).map_err(|error| format!("this is no address ({error}); write it as http://10.0.0.5:8888/mi"))?;
    check_url(&url)?;
    if !behind.is_empty() && url.scheme() != "https" {
        return Err("what stands behind the # of an address is for https:// alone; leave it out".into());
    }
    Ok(Address::Http { url, content, tls: Tls::parse(behind)? })
}

fn check_url(url: &Url) -> Result<(), String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave user name and password out of the address and put them in their own fields".into());
    }
    if url.port() == Some(0) {
        return Err("port 0 cannot be asked; give the port that the server listens on".into());
    }
    Ok(())
}

fn udp(text: &str) -> Result<Address, String> {
    const EXAMPLE: &str = "write it as udp://10.0.0.5:8080";
    let url = Url::parse(text).map_err(|error| format!("this is no address ({error}); {EXAMPLE}"))?;
    check_url(&url)?;
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

fn options(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|option| !option.is_empty()).map(|option| option.split_once('=').unwrap_or((option, "")))
}

/// The path of a file, from the root on.
fn absolute(text: &str) -> Option<PathBuf> {
    let path = percent_decode_str(text).decode_utf8().ok()?;
    (path.starts_with('/') && path.len() > 1 && !path.contains('\0')).then(|| PathBuf::from(path.into_owned()))
}

fn parse_dialect(word: &str) -> Result<BoxKind, String> {
    match word {
        "2" => Ok(BoxKind::Opensips2),
        "3" | "4" => Ok(BoxKind::Opensips),
        "kamailio" => Ok(BoxKind::Kamailio),
        _ => Err("dialect is 2 for OpenSIPS 2.x, 3 for OpenSIPS 3.x and later, or kamailio".into()),
    }
}

fn dialect_word(kind: BoxKind) -> &'static str {
    match kind {
        BoxKind::Opensips2 => "2",
        BoxKind::Kamailio => "kamailio",
        BoxKind::Opensips | BoxKind::Prometheus | BoxKind::Tickmark => "3",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        match (parse_address(text), expect) {
            (Ok(address), Ok(expect)) => {
                assert_eq!(address.to_string(), expect, "{text}");
                assert_eq!(parse_address(expect), Ok(address), "what is written is read the same");
            }
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
        check("fifo:8888/mi", Ok("http://fifo:8888/mi"));
        check("http://h/mi?x=1", Ok("http://h/mi?x=1"));
        check("http://h/json", Ok("http://h/json"));
        check("xmlrpc+http://h:8080/RPC2", Ok("xmlrpc+http://h:8080/RPC2"));
        check("XMLRPC+https://h/RPC2", Ok("xmlrpc+https://h/RPC2"));
        check("prometheus+http://h:9100/metrics?a=b", Ok("prometheus+http://h:9100/metrics?a=b"));
    }

    #[test]
    fn certificates() {
        check("https://h/mi#ca=/etc/a%20b.pem", Ok("https://h/mi#ca=/etc/a%20b.pem"));
        check("https://h/mi?x=1#key=/k.pem&cert=/c.pem", Ok("https://h/mi?x=1#cert=/c.pem&key=/k.pem"));
        check("prometheus+https://h/metrics#verify=off", Ok("prometheus+https://h/metrics#verify=off"));
    }

    #[test]
    fn files_and_datagrams() {
        check("fifo:/tmp/opensips_fifo", Ok("fifo:/tmp/opensips_fifo"));
        check("FIFO:///tmp/opensips_fifo", Ok("fifo:/tmp/opensips_fifo"));
        check("fifo:/run/a%20b?dialect=2&reply_dir=/run/r", Ok("fifo:/run/a%20b?reply_dir=/run/r&dialect=2"));
        check("fifo:/tmp/f?reply_dir=/tmp", Ok("fifo:/tmp/f"));
        check("fifo:/tmp/f?dialect=4", Ok("fifo:/tmp/f?dialect=3"));
        check("unix:/run/kamailio/rpc.sock?dialect=kamailio", Ok("unix:/run/kamailio/rpc.sock?dialect=kamailio"));
        check("unix:///run/opensips", Ok("unix:/run/opensips"));
        check("udp://10.0.0.5:8080", Ok("udp://10.0.0.5:8080"));
        check("udp://[::1]:8080/?dialect=2", Ok("udp://[::1]:8080?dialect=2"));
    }

    #[test]
    fn what_cannot() {
        check("", Err("give an address"));
        check("   ", Err("give an address"));
        check("ftp://h/mi", Err("ftp:// cannot be asked; the address begins with http://"));
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
        check("https://h/mi#x", Err("ca=/a/file"));
        check("https://h/mi#verify=on", Err("verify=off"));
        check("https://h/mi#ca=ca.pem", Err("the whole path"));
        check("https://h/mi#key=/k.pem", Err("cert=/a/file"));
        check("https://h/mi#ca=/c.pem&verify=off", Err("leave one of the two out"));
        check("https://a:b@h/mi#verify=off", Err("their own fields"));
        check("http://h/m i", Err("space"));
        check("http:\\\\h", Err("backslash"));
        check(&format!("h/{}", "x".repeat(MAX_ADDRESS_BYTES)), Err("longer"));
        check("prometheus+ftp://h", Err("cannot be asked"));
        check("fifo:tmp/f", Err("the whole path"));
        check("fifo:/", Err("the whole path"));
        check("fifo:/tmp/f#x", Err("%23"));
        check("fifo:/tmp/f?reply_dir=tmp", Err("the whole path of a folder"));
        check("fifo:/tmp/f?dialect=5", Err("dialect is 2"));
        check("fifo:/tmp/f?mode=1", Err("mode is no option"));
        check("fifo:/tmp/%ff", Err("the whole path"));
        check(&format!("unix:/{}", "x".repeat(MAX_SOCKET_PATH_BYTES)), Err("at most 107"));
        check("udp://h", Err("no port"));
        check("udp://h:0", Err("port 0"));
        check("udp://h:1/x", Err("no path"));
        check("udp://h:1?reply_dir=/tmp", Err("no option"));
        check("udp://a:b@h:1", Err("their own fields"));
    }

    #[test]
    fn kinds_and_addresses_fit_together() {
        let fits = |text: &str, kind| parse_address(text).unwrap().check_kind(kind).is_ok();
        for (text, kinds) in [
            ("http://h/mi", &[BoxKind::Opensips, BoxKind::Opensips2, BoxKind::Kamailio] as &[_]),
            ("xmlrpc+http://h/RPC2", &[BoxKind::Opensips, BoxKind::Opensips2]),
            ("prometheus+http://h/metrics", &[BoxKind::Prometheus]),
            ("fifo:/tmp/f", &[BoxKind::Opensips, BoxKind::Opensips2, BoxKind::Kamailio]),
            ("fifo:/tmp/f?dialect=2", &[BoxKind::Opensips2]),
            ("unix:/tmp/f?dialect=kamailio", &[BoxKind::Kamailio]),
            ("udp://h:1?dialect=3", &[BoxKind::Opensips]),
        ] {
            for kind in [BoxKind::Opensips, BoxKind::Opensips2, BoxKind::Kamailio, BoxKind::Prometheus, BoxKind::Tickmark] {
                assert_eq!(fits(text, kind), kinds.contains(&kind), "{text}, {kind:?}");
            }
        }
    }

    #[test]
    fn a_password_is_for_one_server() {
        let same = |one: &str, two: &str| parse_address(one).unwrap().is_same_server(&parse_address(two).unwrap());
        assert!(same("http://h/mi", "http://h:80/RPC") && same("http://h/mi", "prometheus+http://h/metrics"));
        assert!(!same("https://h/mi", "https://h/mi#verify=off"));
        assert!(!same("http://h/mi", "https://h/mi") && !same("http://h/mi", "http://h:81/mi") && !same("http://h/mi", "udp://h:80"));
    }
}
