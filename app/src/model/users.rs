//! What the page Users shows.

/// `/cp/users`
#[derive(Clone, Debug, Default)]
pub struct UsersPage {
    /// Who looks at it.
    pub me: String,
    /// Whether they may change others; who may not sees nobody else.
    pub is_admin: bool,
    /// Whether they have a password here that they can change.
    pub has_password: bool,
    /// Who can sign in.
    pub accounts: Vec<PersonRow>,
    /// What tools have.
    pub tokens: Vec<TokenRow>,
    /// What was asked for by a link: one account.
    pub asked: Asked,
    /// The forms, as last filled in.
    pub typed: Typed,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
    /// A token that was just made: its name and its secret, which is shown this once.
    pub made: Option<(String, String)>,
}

/// An account, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonRow {
    /// Its name.
    pub name: String,
    /// `read`, `tick` or `admin`.
    pub scope: String,
    /// The configuration file has it.
    pub is_from_file: bool,
}

/// A token, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// `read`, `tick`, `push` or `admin`.
    pub scope: String,
    /// When it was made, epoch milliseconds.
    pub created_ms: i64,
}

/// What a link of the page asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Nothing more than the page.
    #[default]
    Nothing,
    /// Whether to remove an account.
    Remove(String),
    /// A new password of an account.
    Password(String),
    /// Whether to take back a token.
    Revoke(String),
}

/// What was typed; passwords are not given back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The new account.
    pub name: String,
    /// What it may.
    pub scope: String,
    /// The new token.
    pub token: String,
    /// What it may.
    pub token_scope: String,
}

/// What whoever looks at a page may, so that it offers nothing else. The server decides again over each write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct May {
    /// Choose what is recorded.
    pub tick: bool,
    /// Change everything else.
    pub admin: bool,
}

impl May {
    /// The word for it, by which styles and islands know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self { admin: true, .. } => "admin",
            Self { tick: true, .. } => "tick",
            Self { .. } => "read",
        }
    }
}
