//! HTTP from scripts: only to hosts that an administrator named, within bounds, and never further than asked. It must not know scripts.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Once, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect,
};
use url::{Host, Url};

/// A whole answer must have come within this time.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A connection must be there within this time.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// No answer is larger, in bytes.
const MAX_ANSWER: usize = 512 << 10;
/// So many hosts may be named.
const MAX_HOSTS: usize = 200;

/// A host that scripts may reach, and at which port; none: at any.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    host: String,
    port: Option<u16>,
}

/// The hosts that scripts may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Allowed>);

impl Hosts {
    /// Reads names and addresses between spaces or commas, each with a port if it is of one alone: `hooks.example.com 10.0.0.5:8080`.
    ///
    /// # Errors
    /// Names what is no host.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = text.split([',', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty());
        let hosts: Vec<Allowed> = words.map(allowed).collect::<Result<_, _>>()?;
        if hosts.len() > MAX_HOSTS { Err(format!("at most {MAX_HOSTS} hosts can be named")) } else { Ok(Self(hosts)) }
    }

    /// These and others.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        Self(self.0.iter().chain(&others.0).cloned().collect())
    }

    /// Each as it is written.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|one| {
            let host = if one.host.contains(':') { format!("[{}]", one.host) } else { one.host.clone() };
            one.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
        })
    }

    /// The address, if scripts may reach it.
    ///
    /// # Errors
    /// Says what is wrong, or how to allow it.
    pub fn check(&self, url: &str) -> Result<Url, String> {
        let url = Url::parse(url).map_err(|why| format!("{url:?} is no address ({why}): write such as https://hooks.example.com/x"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{}: is not spoken here: write http:// or https://", url.scheme()));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return Err(format!("{url} names no host")) };
        let host = plain(&host);
        if self.names(&host, port) {
            return Ok(url);
        }
        Err(format!(
            "scripts may not reach {host}: an administrator can allow it, on the page Scripts or as script_hosts = \"{host}\" in the \
             configuration file"
        ))
    }

    fn names(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|one| one.host == host && one.port.is_none_or(|only| only == port))
    }

    /// Whether a name may lead to an address: to a private one only where that is named as well.
    fn leads(&self, name: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !is_private(address) || (name == "localhost" && address.is_loopback()) || self.0.iter().any(|one| one.host.parse() == Ok(address))
    }
}

fn allowed(word: &str) -> Result<Allowed, String> {
    let wrong = || {
        format!(
            "{word:?} is no host: write a name or an address, and a port if it is of one alone, such as hooks.example.com or 10.0.0.5:8080"
        )
    };
    if let Ok(address) = word.parse::<IpAddr>() {
        return Ok(Allowed { host: address.to_string(), port: None });
    }
    if word.contains(['/', '@', '*', '?', '#']) {
        return Err(wrong());
    }
    let url = Url::parse(&format!("foreign://{word}")).map_err(|_| wrong())?;
    // Of a scheme that it knows, the name is read as browsers do.
    let host = Url::parse(&format!("http://{}", url.host_str().ok_or_else(wrong)?)).map_err(|_| wrong())?;
    let host = host.host().as_ref().map(plain).ok_or_else(wrong)?;
    Ok(Allowed { host, port: url.port() })
}

fn plain(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_canonical().to_string(),
    }
}

/// Addresses that lead into somebody's own network, or to nobody.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [one, two, ..] = address.octets();
            let shared = one == 100 && (64..128).contains(&two);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || one == 0
                || one >= 240
                || shared
                || address == Ipv4Addr::BROADCAST
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            let within = (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80;
            // What translates to an address of the old kind leads wherever that one does.
            let translated = first == 0x64 && address.segments()[1] == 0xff9b;
            within || translated || address.is_loopback() || address.is_unspecified() || address.is_multicast() || first == 0x2002
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks hosts that are allowed.
pub(super) struct Reach {
    client: Client,
    hosts: Arc<RwLock<Hosts>>,
}

/// Looks names up, and forgets the addresses to which they may not lead.
struct Lookup(Arc<RwLock<Hosts>>);

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let name = name.as_str().trim_end_matches('.').to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| hosts.leads(&name, address.ip()));
            if let (true, Some(address)) = (good.is_empty(), bad.first()) {
                let address = address.ip();
                let why = format!("{name} leads to the private address {address}: allow that one as well");
                return Err(Box::<dyn Error + Send + Sync>::from(why));
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

impl Reach {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        static PROVIDER: Once = Once::new();
        // A provider that is there already serves as well.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let hosts = Arc::new(RwLock::new(Hosts::default()));
        let builder = || {
            Client::builder()
                .user_agent(concat!("tickmark/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT_LIMIT)
                .timeout(ANSWER_LIMIT)
                .pool_max_idle_per_host(1)
                .dns_resolver(Arc::new(Lookup(Arc::clone(&hosts))))
        };
        // A machine without root certificates can still ask by plain HTTP.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(Self { client, hosts })
    }

    /// From now on these may be reached, and no others.
    pub(super) fn allow(&self, hosts: Hosts) {
        *self.hosts.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    pub(super) fn check(&self, url: &str) -> Result<Url, String> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).check(url)
    }

    pub(super) async fn get(&self, url: &str) -> Result<Answered, String> {
        let url = self.check(url)?;
        let answer = self.client.get(url.clone()).send().await;
        read(answer, &url).await
    }

    pub(super) async fn post(&self, url: &str, key: &str, content_type: &str, body: String) -> Result<Answered, String> {
        let url = self.check(url)?;
        let post = self.client.post(url.clone()).header("Idempotency-Key", key).header(header::CONTENT_TYPE, content_type);
        read(post.body(body).send().await, &url).await
    }
}

async fn read(answer: Result<Response, reqwest::Error>, url: &Url) -> Result<Answered, String> {
    let host = url.host_str().unwrap_or_default();
    let mut answer = answer.map_err(|error| failure(&error, host))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error, host))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(format!("{host} answers more than {} KiB", MAX_ANSWER >> 10));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answered { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn failure(error: &reqwest::Error, host: &str) -> String {
    if error.is_timeout() {
        return format!("{host} gave no whole answer within {} s", ANSWER_LIMIT.as_secs());
    }
    let mut last: &dyn Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    let why = last.to_string();
    format!("{host} cannot be reached ({})", why.split(" (os error ").next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Hosts {
        Hosts::parse(text).unwrap()
    }

    #[test]
    fn only_what_is_named_may_be_reached() {
        let allowed = hosts("Hooks.Example.com, 10.0.0.5:8080 [::1]:9 localhost\nkäse.example 192.0.2.1");
        for good in [
            "https://hooks.example.com/a?b#c",
            "http://HOOKS.example.com.:99/",
            "http://10.0.0.5:8080/x",
            "http://[::1]:9/",
            "http://localhost:1234",
            "http://k%C3%A4se.example",
            "http://user:secret@192.0.2.1/",
            // Other ways to write an address are the same address.
            "http://0xc0.0.2.1/",
        ] {
            assert!(allowed.check(good).is_ok(), "{good}: {:?}", allowed.check(good));
        }
        for (bad, part) in [
            ("http://10.0.0.5/", "scripts may not reach 10.0.0.5: an administrator can allow it"),
            ("http://10.0.0.6:8080/", "may not reach"),
            ("http://hooks.example.com.evil.example/", "may not reach"),
            ("http://evil.example\\@hooks.example.com/", "may not reach evil.example"),
            ("http://hooks.example.com@evil.example/", "may not reach evil.example"),
            ("http://127.0.0.1/", "may not reach"),
            ("ftp://hooks.example.com/", "is not spoken here"),
            ("file:///etc/passwd", "is not spoken here"),
            ("hooks.example.com", "is no address"),
            ("http://", "is no address"),
        ] {
            let why = allowed.check(bad).unwrap_err();
            assert!(why.contains(part), "{bad}: {why}");
        }
        assert!(Hosts::default().check("http://a/").unwrap_err().contains("script_hosts = \"a\""));
    }

    #[test]
    fn a_name_leads_to_private_addresses_only_where_they_are_named() {
        let allowed = hosts("hooks.example 10.0.0.5");
        for (name, address, good) in [
            ("hooks.example", "203.0.113.9", true),
            ("hooks.example", "10.0.0.5", true),
            ("hooks.example", "::ffff:10.0.0.5", true),
            ("hooks.example", "10.0.0.6", false),
            ("hooks.example", "127.0.0.1", false),
            ("hooks.example", "169.254.169.254", false),
            ("hooks.example", "100.64.0.1", false),
            ("hooks.example", "::1", false),
            ("hooks.example", "::ffff:127.0.0.1", false),
            ("hooks.example", "fd00::1", false),
            ("hooks.example", "64:ff9b::7f00:1", false),
            ("hooks.example", "2001:db8::1", true),
            ("localhost", "127.0.0.1", true),
            ("localhost", "10.0.0.6", false),
        ] {
            assert_eq!(allowed.leads(name, address.parse().unwrap()), good, "{name} {address}");
        }
    }

    #[test]
    fn what_is_no_host_is_named() {
        for wrong in ["http://a/", "a/b", "*.example", "a@b", "10.0.0.0/8", "a:99999", "[::1"] {
            assert!(Hosts::parse(wrong).unwrap_err().contains("is no host"), "{wrong}");
        }
        let words: Vec<String> = hosts("A.example:80 ::1 [::1]:5 10.0.0.5").words().collect();
        assert_eq!(words, ["a.example:80", "[::1]", "[::1]:5", "10.0.0.5"]);
        assert_eq!(hosts(&words.join(" ")), hosts("a.example:80,[::1],[::1]:5,10.0.0.5"));
    }
}
