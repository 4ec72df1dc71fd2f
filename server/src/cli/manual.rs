//! `tickmark completions` and `tickmark man`: what shells and `man` tell of the command line. Both are made of the very definition that
//! reads it, as `--help` is, and so cannot differ from it.

use std::{fs, io::Write, path::Path, process::ExitCode};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, CliError};

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    // The generator panics where it cannot write; memory always takes it.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tickmark", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes `tickmark.1`, `tickmark-box.1`, `tickmark-box-add.1` and so on.
pub(super) fn pages(folder: &Path) -> Result<ExitCode, CliError> {
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| CliError::Failed(format!("the manual pages cannot be written into {}: {error}", folder.display())))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    /// Every command that a person may type, as `["box", "add"]`.
    fn commands() -> Vec<Vec<String>> {
        fn walk(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
            for inner in command.get_subcommands() {
                let path = [path, &[inner.get_name().to_owned()]].concat();
                walk(inner, &path, found);
                found.push(path);
            }
        }
        let mut found = Vec::new();
        walk(&Cli::command(), &[], &mut found);
        found
    }

    #[test]
    fn each_command_has_its_page() {
        let folder = tempfile::tempdir().unwrap();
        let man = folder.path().join("man1");
        pages(&man).unwrap();
        let main = fs::read_to_string(man.join("tickmark.1")).unwrap();
        assert!(main.contains("TICKMARK_ADMIN_PASSWORD") && main.contains(r"\-\-database"), "{main}");
        assert!(commands().contains(&vec!["box".to_owned(), "add".to_owned()]));
        for command in commands() {
            let page = man.join(format!("tickmark-{}.1", command.join("-")));
            assert!(page.exists(), "{} is missing", page.display());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = pages(Path::new("/dev/null/man1")).unwrap_err().to_string();
        assert!(error.starts_with("the manual pages cannot be written into /dev/null/man1: "), "{error}");
    }

    #[test]
    fn each_shell_completes_each_command() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            completions(*shell, &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            for word in commands().into_iter().flatten() {
                assert!(script.contains(&word), "{shell} does not know {word}");
            }
        }
    }
}
