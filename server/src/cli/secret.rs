//! Passwords a command is given: typed without echo, from standard input, a file or a variable; never an argument, which `ps` shows.

use std::{
    fs,
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};

use clap::Args;

use super::CliError;
use crate::{
    config::Environment,
    source::{Secret, Typed},
};

/// How a box's user and password are given.
#[derive(Args, Clone, Debug, Default)]
pub struct BoxLogin {
    /// The user name for Basic auth
    #[arg(long)]
    pub user: Option<String>,
    /// The file whose first line is the password for Basic auth
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    pub password_file: Option<PathBuf>,
    /// The variable that holds the password for Basic auth
    #[arg(long, value_name = "VARIABLE")]
    pub password_env: Option<String>,
}

impl BoxLogin {
    /// An address, and the login that stands in it or is given by these flags.
    pub(super) fn typed(&self, address: &str, env: &Environment) -> Result<Typed, CliError> {
        let typed = Typed::read(address, self.user.as_deref(), self.password(env)?.as_ref());
        typed.map_err(|error| CliError::Usage(format!("ADDRESS: {error}")))
    }

    /// Reads the password from where it is said to be.
    fn password(&self, env: &Environment) -> Result<Option<Secret>, CliError> {
        if let Some(path) = &self.password_file {
            let text = fs::read_to_string(path);
            let text = text.map_err(|error| CliError::Usage(format!("--password-file: {} cannot be read: {error}", path.display())))?;
            return Ok(Some(Secret(text.lines().next().unwrap_or_default().to_owned())));
        }
        let Some(variable) = &self.password_env else { return Ok(None) };
        let password = env.get(variable);
        let password = password.ok_or_else(|| CliError::Usage(format!("--password-env: the variable {variable} is not set")))?;
        Ok(Some(Secret(password.to_owned())))
    }
}

/// Asks for a new password: twice on a terminal, else the first line of standard input.
pub(super) fn new_password(name: &str) -> Result<Secret, CliError> {
    if !io::stdin().is_terminal() {
        return first_line(&mut io::stdin().lock());
    }
    let first = rpassword::prompt_password(format!("New password for {name}: "))?;
    let second = rpassword::prompt_password("The same again: ")?;
    if first == second {
        Ok(Secret(first))
    } else {
        Err(CliError::Failed("the two passwords are not the same: nothing was changed".to_owned()))
    }
}

fn first_line(input: &mut dyn BufRead) -> Result<Secret, CliError> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(Secret(line.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        assert_eq!(first_line(&mut " a b \r\nc\n".as_bytes()).unwrap(), Secret(" a b ".to_owned()));
        assert_eq!(first_line(&mut "".as_bytes()).unwrap(), Secret(String::new()));
    }

    #[test]
    fn from_a_variable_or_a_file() {
        let env: Environment = [("PW", "s3cret")].into_iter().collect();
        let login = |variable: &str| BoxLogin { password_env: Some(variable.to_owned()), ..BoxLogin::default() };
        assert_eq!(login("PW").password(&env).unwrap(), Some(Secret("s3cret".to_owned())));
        assert_eq!(login("QW").password(&env).unwrap_err().to_string(), "--password-env: the variable QW is not set");
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "one\ntwo\n").unwrap();
        let login = BoxLogin { password_file: Some(file.path().to_owned()), ..BoxLogin::default() };
        assert_eq!(login.password(&env).unwrap(), Some(Secret("one".to_owned())));
        assert_eq!(BoxLogin::default().password(&env).unwrap(), None);
    }
}
