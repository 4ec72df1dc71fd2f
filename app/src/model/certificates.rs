//! The certificates of a box as a form shows them. They are kept behind the `#` of its address, and nowhere else.

/// Files on the panel's host, as they are typed, and whether any certificate is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    /// Who issued the server's certificate; empty: as the system says.
    pub ca: String,
    /// The certificate that the panel shows; empty: none.
    pub cert: String,
    /// Its key; empty: in the same file.
    pub key: String,
    /// Whether the server's certificate is not checked.
    pub unchecked: bool,
}

impl Certificates {
    /// The fields of the form that name files, and what is in them.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &str); 3] {
        [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)]
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// An address that has nothing behind a `#`, with these there.
    #[must_use]
    pub fn behind(&self, address: &str) -> String {
        let files = self.files().into_iter().filter(|(_, path)| !path.is_empty());
        let mut options: Vec<String> = files.map(|(key, path)| format!("{key}={}", encoded(path))).collect();
        options.extend(self.unchecked.then(|| "verify=off".to_owned()));
        if options.is_empty() { address.to_owned() } else { format!("{address}#{}", options.join("&")) }
    }
}

/// A path as addresses hold it: what has a meaning there, or is not plain ASCII, as `%XX`.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b' ' | b'%' | b'?' | b'#' | b'&' | b'\\' | 0..0x20 | 0x7f.. => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_written_behind_an_address() {
        let none = Certificates::default();
        assert_eq!((none.is_empty(), none.behind("https://h/mi").as_str()), (true, "https://h/mi"));
        let all = Certificates { ca: "/a b&c.pem".into(), cert: "/ä%.pem".into(), key: "/k#?.pem".into(), unchecked: true };
        assert_eq!(all.behind("https://h/mi"), "https://h/mi#ca=/a%20b%26c.pem&cert=/%C3%A4%25.pem&key=/k%23%3F.pem&verify=off");
    }
}
