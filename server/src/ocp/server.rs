//! A server as OpenSIPS Control Panel has it, and the box that it is here. It must not know which boxes there are.

use app::model::BoxKind;

use crate::{
    config::{MAX_NAME_LEN, check_box_name},
    source::{Address, parse_address},
};

/// A row of `ocp_boxes_config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcpBox {
    /// Its number.
    pub id: i64,
    /// What it could be called here.
    pub name: String,
    /// How the panel reaches it: `json:10.0.0.5:8888/mi`.
    mi_conn: String,
}

impl OcpBox {
    /// Of what stands in the columns.
    #[must_use]
    pub fn new(id: i64, mi_conn: &str, name: &str, desc: &str) -> Self {
        let called = [name, desc].into_iter().map(plain).find(|name| check_box_name(name).is_ok());
        Self { id, name: called.unwrap_or_else(|| format!("ocp-{id}")), mi_conn: mi_conn.trim().to_owned() }
    }

    /// Where it is asked here, and as what.
    ///
    /// # Errors
    /// A sentence: why that is not known.
    pub fn address(&self) -> Result<(Address, BoxKind), String> {
        let (scheme, rest) = self.mi_conn.split_once(':').unwrap_or_default();
        let rest = rest.trim_start_matches("//");
        let (text, kind) = match scheme {
            // 3.x answers at /mi, 2.x at /json.
            "json" if rest.ends_with("/json") => (format!("http://{rest}"), BoxKind::Opensips2),
            "json" => (format!("http://{rest}"), BoxKind::Opensips),
            "xmlrpc" if rest.contains('/') => (format!("xmlrpc+http://{rest}"), BoxKind::Opensips),
            "xmlrpc" => (format!("xmlrpc+http://{rest}/RPC2"), BoxKind::Opensips),
            "http" | "https" => (self.mi_conn.clone(), BoxKind::Opensips),
            "fifo" => (format!("fifo:/{}", rest.trim_start_matches('/')), BoxKind::Opensips),
            "udp" => (format!("udp://{rest}"), BoxKind::Opensips),
            "unixsock" => (format!("unix:/{}", rest.trim_start_matches('/')), BoxKind::Opensips),
            _ => return Err(format!("its mi_conn {:?} is no address that is known", self.mi_conn)),
        };
        let address = parse_address(&text).map_err(|why| format!("its mi_conn {:?}: {why}", self.mi_conn))?;
        Ok((address, kind))
    }
}

/// What of a text can be the name of a box.
fn plain(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '-' };
    let name: String = text.trim().chars().map(kept).collect();
    name.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).chars().take(MAX_NAME_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_same_server() {
        for (mi_conn, expect, kind) in [
            ("json:10.0.0.5:8888/mi", "http://10.0.0.5:8888/mi", BoxKind::Opensips),
            ("json:10.0.0.5:8888/json", "http://10.0.0.5:8888/json", BoxKind::Opensips2),
            ("xmlrpc:10.0.0.5:8888", "xmlrpc+http://10.0.0.5:8888/RPC2", BoxKind::Opensips),
            ("fifo:/tmp/opensips_fifo", "fifo:/tmp/opensips_fifo", BoxKind::Opensips),
            ("udp:10.0.0.5:8080", "udp://10.0.0.5:8080", BoxKind::Opensips),
            ("unixsock:/run/mi.sock", "unix:/run/mi.sock", BoxKind::Opensips),
        ] {
            let (address, is) = OcpBox::new(1, mi_conn, "", "").address().unwrap();
            assert_eq!((address.to_string(), is), (expect.to_owned(), kind), "{mi_conn}");
        }
        for wrong in ["", "NULL", "here", "json:", "udp:10.0.0.5"] {
            assert!(OcpBox::new(1, wrong, "", "").address().unwrap_err().contains("its mi_conn"), "{wrong}");
        }
    }

    #[test]
    fn names_are_those_of_boxes() {
        let name = |name, desc| OcpBox::new(7, "", name, desc).name;
        assert_eq!(name("sip1", "Default box"), "sip1");
        assert_eq!(name("", "Default box"), "Default-box");
        assert_eq!(name("", "1. Zürich"), "Z-rich");
        assert_eq!(name("tickmark", "!"), "ocp-7");
        assert_eq!(name("", &"a".repeat(100)).len(), MAX_NAME_LEN);
    }
}
