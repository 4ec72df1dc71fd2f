//! The address of a box: over what it is asked, and where. It sends nothing.

mod options;
mod parse;
mod tls;
mod typed;

use std::{fmt, path::PathBuf, str::FromStr};

use app::model::BoxKind;
use url::Url;

use self::options::{dialect_word, encoded};
pub use self::{
    parse::parse_address,
    tls::Tls,
    typed::{Typed, TypedError, without_login},
};

/// Where reply FIFOs and sockets are made unless the address says otherwise; OpenSIPS's `reply_dir` is this as well.
const REPLY_DIR: &str = "/tmp";

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

#[cfg(test)]
mod tests;
