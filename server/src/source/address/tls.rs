//! What stands behind the `#` of an address that begins with `https://`: files of certificates, whether they are checked.

use std::path::PathBuf;

use super::options::{absolute, encoded, options};

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
    pub(super) fn parse(text: &str) -> Result<Self, String> {
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

    pub(super) fn options(&self) -> Vec<String> {
        let file = |key: &str, path: &Option<PathBuf>| path.as_ref().map(|path| format!("{key}={}", encoded(path)));
        let mut options: Vec<String> =
            [file("ca", &self.ca), file("cert", &self.cert), file("key", &self.key)].into_iter().flatten().collect();
        options.extend(self.is_unchecked.then(|| "verify=off".to_owned()));
        options
    }
}
