//! An address as a person types it, maybe with a login: user and password are taken out of it here, before anything is shown, kept or
//! logged.

use super::{
    Address,
    parse::{self, LOGIN_HINT},
};
use crate::source::Secret;

/// Where a person wants a box to be asked, and with which login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The address, without the login.
    pub address: Address,
    /// The user name for Basic auth; never empty.
    pub user: Option<String>,
    /// The password for Basic auth; never empty.
    pub password: Option<Secret>,
}

/// Why an address and the login given beside it are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// The address is wrong; the sentence holds nothing of a login.
    #[error("{0}")]
    Address(String),
    /// Two users.
    #[error("the address names another user, {0:?}; give one of the two")]
    User(String),
    /// Two passwords.
    #[error("the address holds another password; give one of the two")]
    Password,
}

impl TypedError {
    /// The field that is wrong, as forms and the API name it.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::User(_) => "user",
            Self::Password => "password",
        }
    }
}

impl From<Address> for Typed {
    fn from(address: Address) -> Self {
        Self { address, user: None, password: None }
    }
}

impl Typed {
    /// Reads an address, and user and password from it or from where they are given apart; an empty one is none.
    ///
    /// # Errors
    /// When the address is wrong, or one of the two is given twice and differs.
    pub fn read(text: &str, user: Option<&str>, password: Option<&Secret>) -> Result<Self, TypedError> {
        let typed = parse::read(text).map_err(TypedError::Address)?;
        if let Address::Http { url, .. } = &typed.address
            && (url.path().contains('@') || url.query().is_some_and(|query| query.contains('@')))
        {
            // A password with a / in it would be shown as the path.
            return Err(TypedError::Address(format!("the address holds an @ behind the host; {LOGIN_HINT}")));
        }
        let user = match (typed.user, user.filter(|user| !user.is_empty())) {
            (Some(named), Some(given)) if named != given => return Err(TypedError::User(named)),
            (named, given) => named.or(given.map(str::to_owned)),
        };
        let password = match (typed.password, password.filter(|password| !password.0.is_empty())) {
            (Some(named), Some(given)) if named != *given => return Err(TypedError::Password),
            (named, given) => named.or(given.cloned()),
        };
        Ok(Self { address: typed.address, user, password })
    }
}

/// An address as it was typed, also a wrong one, without what may be a login.
#[must_use]
pub fn without_login(text: &str) -> String {
    match Typed::read(text, None, None) {
        Ok(Typed { user: None, password: None, .. }) => text.to_owned(),
        Ok(Typed { address, .. }) => address.to_string(),
        Err(_) => {
            let (scheme, rest) = text
                .split_once("://")
                .filter(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+'))
                .unwrap_or(("", text));
            match rest.rsplit_once('@') {
                None => text.to_owned(),
                Some((_, rest)) if scheme.is_empty() => rest.to_owned(),
                Some((_, rest)) => format!("{scheme}://{rest}"),
            }
        }
    }
}
