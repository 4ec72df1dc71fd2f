//! Why a box gave no answer.

use std::time::Duration;

use super::wire::WireError;

/// Why a box gave no answer. Kinds are metric labels; the text is a sentence a person can act on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing listens, no route, no such host.
    #[error("{0}")]
    Unreachable(String),
    /// No whole answer in the time limit.
    #[error("no whole answer within {0:?}; {1}")]
    Timeout(Duration, &'static str),
    /// The connection was closed in the middle.
    #[error("{0}")]
    Closed(String),
    /// 401 or 403.
    #[error("{0}")]
    Password(String),
    /// The path is not that of the management interface.
    #[error("{0}")]
    WrongPath(String),
    /// The certificate is not trusted, or TLS failed.
    #[error("{0}")]
    Tls(String),
    /// The answer is larger than the bound.
    #[error("{0}")]
    TooLarge(String),
    /// Another HTTP status.
    #[error("{0}")]
    Status(String),
    /// The answer is not what the dialect promises.
    #[error("{0}")]
    Protocol(String),
}

impl SourceError {
    /// The failure kind, as logs and metric labels name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Timeout(..) => "timeout",
            Self::Closed(_) => "closed",
            Self::Password(_) => "password",
            Self::WrongPath(_) => "wrong_path",
            Self::Tls(_) => "tls",
            Self::TooLarge(_) => "too_large",
            Self::Status(_) => "status",
            Self::Protocol(_) => "protocol",
        }
    }
}

impl From<WireError> for SourceError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge(sentence) => Self::TooLarge(sentence),
            other => Self::Protocol(other.to_string()),
        }
    }
}
