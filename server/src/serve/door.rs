//! How the panel is reached: over plain HTTP or HTTPS, at an address that it may listen at.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use super::{ServeError, tls::TlsListener};
use crate::config::TlsFiles;

/// Where it listens.
pub(super) enum Door {
    Plain(TcpListener),
    Tls(TlsListener),
}

impl Door {
    /// Listens; answers where, too.
    ///
    /// # Errors
    /// When the address is taken or cannot be used, or the certificate or its key cannot.
    pub(super) async fn open(address: SocketAddr, tls: Option<TlsFiles>) -> Result<(Self, SocketAddr), ServeError> {
        let listener = listen(address).await?;
        let address = listener.local_addr()?;
        let door = match tls {
            Some(files) => Self::Tls(TlsListener::new(listener, files)?),
            None => Self::Plain(listener),
        };
        Ok((door, address))
    }

    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Plain(_) => "http",
            Self::Tls(_) => "https",
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there already (OpenSIPS's httpd likes 8888 too)".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not listen there (ports below 1024 are root's)".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this host has no such address".to_owned(),
            _ => error.to_string(),
        };
        ServeError::Listen(format!(
            "cannot listen on {address}: {why}; choose another with --listen or TICKMARK_LISTEN, such as --listen 127.0.0.1:8889"
        ))
    })
}
